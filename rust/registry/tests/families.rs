// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each family of registries does in its own way. The names are the real
//! ones: all requests go to a proxy that stands for the internet. TLS is left
//! out (its place is in `connect.rs`), and so the realms are plain.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "families/answers.rs"]
mod answers;
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use answers::*;
use base64::Engine as _;
use common::*;
use registry::{ClientConfig, CredentialStore, Credentials, Registry};
use testkit::fault_proxy::{Fault, FaultProxy, Request};

/// A request on its way through the proxy.
struct Asked<'a> {
    /// `host/path?query`.
    url: &'a str,
    path: &'a str,
    /// What is shown as a login.
    login: Option<&'a str>,
    request: &'a Request,
}

impl Asked<'_> {
    fn has(&self, login: &str) -> bool {
        self.login == Some(login)
    }
}

type Answer = fn(&Asked<'_>, &TestImage) -> Fault;

struct Family {
    name: &'static str,
    /// What a person writes.
    reference: &'static str,
    login: fn() -> Credentials,
    /// What its servers do; they demand by refusing.
    answer: Answer,
    /// Requests that must have been made, `METHOD url`, in this order.
    sent: &'static [&'static str],
    outcome: &'static str,
}

const FAMILIES: &[Family] = &[
    Family {
        name: "Docker Hub",
        reference: "docker.io/library/os:1",
        login: || Credentials::Anonymous,
        answer: docker_hub,
        sent: &[
            "GET registry-1.docker.io/v2/",
            "GET auth.docker.io/token?service=registry.docker.io\
             &scope=repository%3Alibrary%2Fos%3Apull",
            "GET registry-1.docker.io/v2/library/os/manifests/1",
        ],
        outcome: "ok, 1 retry",
    },
    Family {
        name: "GHCR",
        reference: "ghcr.io/team/os:1",
        login: || Credentials::Anonymous,
        answer: ghcr,
        sent: &[
            "GET ghcr.io/token?service=ghcr.io&scope=repository%3Ateam%2Fos%3Apull",
            "GET ghcr.io/v2/team/os/manifests/1",
            "GET pkg-containers.example/BLOB?sig=signed",
        ],
        outcome: "ok, 0 retries",
    },
    Family {
        name: "Quay",
        reference: "quay.io/team/os:1",
        login: || basic("robot", "pw"),
        answer: quay,
        sent: &[
            "GET quay.io/v2/auth?service=quay.io&scope=repository%3Ateam%2Fos%3Apull",
            "GET bucket.s3.example/BLOB?X-Amz-Signature=signed",
        ],
        outcome: "ok, 0 retries",
    },
    Family {
        name: "GitLab",
        reference: "gitlab.example:5050/team/os:1",
        login: || basic("deploy", "pw"),
        answer: gitlab,
        sent: &[
            "GET gitlab.example:5050/v2/",
            "GET gitlab.example/jwt/auth?service=container_registry\
             &scope=repository%3Ateam%2Fos%3Apull",
            "GET gitlab.example:5050/v2/team/os/manifests/1",
        ],
        outcome: "ok, 0 retries",
    },
    Family {
        name: "Harbor",
        reference: "harbor.example/project/team/os:1",
        login: || basic("robot$project+ci", "pw"),
        answer: harbor,
        sent: &[
            "GET harbor.example/service/token?service=harbor-registry\
             &scope=repository%3Aproject%2Fteam%2Fos%3Apull",
            "GET harbor.example/v2/project/team/os/manifests/1",
        ],
        outcome: "ok, 0 retries",
    },
    Family {
        name: "Harbor, no such project",
        reference: "harbor.example/absent/os:1",
        login: || Credentials::Anonymous,
        answer: harbor,
        sent: &["GET harbor.example/v2/absent/os/manifests/1"],
        outcome: "REGISTRY_AUTH_REQUIRED",
    },
    Family {
        name: "ECR",
        reference: "1.dkr.ecr.eu-west-1.amazonaws.com/os:1",
        login: || basic("AWS", "ecr-token"),
        answer: ecr,
        sent: &["GET 1.dkr.ecr.eu-west-1.amazonaws.com/v2/os/manifests/1"],
        outcome: "ok, 0 retries",
    },
    Family {
        name: "ECR, no such repository",
        reference: "1.dkr.ecr.eu-west-1.amazonaws.com/absent:1",
        login: || basic("AWS", "ecr-token"),
        answer: ecr,
        sent: &["GET 1.dkr.ecr.eu-west-1.amazonaws.com/v2/absent/manifests/1"],
        outcome: "IMAGE_NOT_FOUND",
    },
    Family {
        name: "ACR",
        reference: "team.azurecr.io/os:1",
        login: || Credentials::IdentityToken {
            token: "refresh/1+".into(),
        },
        answer: acr,
        sent: &[
            "POST team.azurecr.io/oauth2/token",
            "GET team.azurecr.io/v2/os/manifests/1",
        ],
        outcome: "ok, 0 retries",
    },
    Family {
        name: "Artifact Registry",
        reference: "europe-docker.pkg.dev/project/repo/os:1",
        login: || basic("_json_key", "{\n \"type\": \"service_account\"\n}"),
        answer: artifact_registry,
        sent: &[
            "GET europe-docker.pkg.dev/v2/token?service=europe-docker.pkg.dev\
             &scope=repository%3Aproject%2Frepo%2Fos%3Apull",
            "GET storage.googleapis.example/BLOB?sig=signed",
        ],
        outcome: "ok, 0 retries",
    },
    Family {
        name: "Artifactory, Nexus",
        reference: "nexus.example/os:1",
        login: || basic("reader", "pw"),
        answer: nexus,
        sent: &[
            "GET nexus.example/v2/",
            "GET nexus.example/v2/os/manifests/1",
        ],
        outcome: "ok, 1 retry",
    },
    Family {
        name: "zot, docker-registry",
        reference: "zot.example/os:1",
        login: || Credentials::Anonymous,
        answer: |asked, image| serve(asked, image).unwrap_or_else(missing),
        sent: &["GET zot.example/v2/", "GET zot.example/v2/os/manifests/1"],
        outcome: "ok, 0 retries",
    },
];

fn basic(username: &str, password: &str) -> Credentials {
    Credentials::Basic {
        username: username.to_owned(),
        password: password.into(),
    }
}

fn basic_header(username: &str, password: &str) -> String {
    let pair = format!("{username}:{password}");
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    format!("Basic {pair}")
}

/// What came of a pull, in a word or two.
async fn outcome(family: &Family, host: &str) -> String {
    let mut credentials = CredentialStore::default();
    credentials.insert(host, (family.login)());
    let all_plain = [host, "registry-1.docker.io"];
    let client = Registry::new(ClientConfig {
        credentials,
        max_concurrent_layers: std::num::NonZeroUsize::MIN,
        stall_timeout: Duration::from_secs(60),
        ..config(&all_plain)
    });
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    match pull(&client.unwrap(), family.reference, dir.path(), &recorder).await {
        Ok(report) => retries(report.retries),
        Err(error) => {
            let text = format!("{error} {error:?}");
            for secret in ["signed", "ecr-token", "service_account", "\"pw", "refresh"] {
                assert!(!text.contains(secret), "{text}");
            }
            error.kind().as_str().to_owned()
        }
    }
}

/// The family's name, for the process that `every_family_gets_what_it_demands` starts.
const CHILD: &str = "FAMILIES_TEST_NAME";

/// Does nothing unless it is that process: proxies are the environment's, and
/// that is read when the client is made.
#[test]
fn the_process_of_a_family() {
    let Ok(name) = std::env::var(CHILD) else {
        return;
    };
    let family = FAMILIES.iter().find(|f| f.name == name).unwrap();
    let host = family.reference.split('/').next().unwrap();
    println!("\noutcome: {}", run(outcome(family, host)));
}

#[test]
fn every_family_gets_what_it_demands() {
    let image = Arc::new(TestImage::amd64(30_000));
    println!("| family | outcome | requests |\n|---|---|---|");
    for family in FAMILIES {
        let (for_proxy, answer) = (image.clone(), family.answer);
        let nowhere = ([127, 0, 0, 1], 9).into();
        let internet = FaultProxy::start(nowhere, move |request| {
            let Some(url) = request.target.strip_prefix("http://") else {
                // CONNECT: nobody here speaks TLS.
                return Fault::Answer("502 Bad Gateway", String::new(), Vec::new());
            };
            let path = url.find('/').map_or("/", |at| &url[at..]);
            let asked = Asked {
                url,
                path,
                login: request.header("authorization"),
                request,
            };
            answer(&asked, &for_proxy)
        })
        .unwrap();
        let proxy = format!("http://{}", internet.host());
        let environment = [("http_proxy", proxy.as_str()), ("https_proxy", &proxy)];
        let outcome = in_child(
            "the_process_of_a_family",
            (CHILD, family.name),
            &environment,
        );
        let requests: Vec<String> = internet
            .requests()
            .iter()
            .filter(|r| r.method != "CONNECT")
            .map(|r| {
                let mut url = r.target.trim_start_matches("http://").to_owned();
                for blob in image.layers.iter().chain([&image.config]) {
                    url = url.replace(&digest(blob), "BLOB");
                }
                format!("{} {url}", r.method)
            })
            .collect();
        assert_eq!(outcome, family.outcome, "{}: {requests:#?}", family.name);
        let mut rest = requests.iter();
        for wanted in family.sent {
            let found = rest.any(|r| r == wanted);
            assert!(found, "{}: no `{wanted}` in {requests:#?}", family.name);
        }
        println!("| {} | {outcome} | {} |", family.name, requests.len());
    }
}
