// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each family of registries does in its own way. The names are the real
//! ones: all requests go to a proxy that stands for the internet. TLS is left
//! out (its place is in `connect.rs`), and so the realms are plain.
//!
//! One test alone, because it sets the environment of its process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

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

fn answer(status: &'static str, headers: &[&str], body: impl Into<Vec<u8>>) -> Fault {
    let headers = headers.iter().map(|h| format!("{h}\r\n")).collect();
    Fault::Answer(status, headers, body.into())
}

fn json(body: &str) -> Fault {
    answer("200 OK", &["Content-Type: application/json"], body)
}

fn unauthorized(challenge: &str) -> Fault {
    let challenge = format!("WWW-Authenticate: {challenge}");
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    answer("401 Unauthorized", &[&challenge], body)
}

fn missing() -> Fault {
    let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#;
    answer("404 Not Found", &[], body)
}

/// What any registry answers: the image as tag 1, its blobs with ranges.
fn serve(asked: &Asked<'_>, image: &TestImage) -> Option<Fault> {
    if asked.path == "/v2/" {
        return Some(json("{}"));
    }
    if asked.path.ends_with("/manifests/1") {
        let media_type = format!("Content-Type: {MANIFEST}");
        return Some(answer("200 OK", &[&media_type], image.manifest.clone()));
    }
    blob(asked, image).map(|bytes| part(asked, bytes))
}

/// The blob whose digest is in the address.
fn blob<'a>(asked: &Asked<'_>, image: &'a TestImage) -> Option<&'a [u8]> {
    let mut all = image.layers.iter().chain([&image.config]);
    let found = all.find(|b| asked.url.contains(&digest(b)))?;
    Some(found)
}

fn part(asked: &Asked<'_>, bytes: &[u8]) -> Fault {
    let range = asked.request.header("range");
    let from = range.and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from {
        None => answer("200 OK", &[], bytes),
        Some(from) => {
            let (last, size) = (bytes.len() - 1, bytes.len());
            let range = format!("Content-Range: bytes {from}-{last}/{size}");
            answer("206 Partial Content", &[&range], &bytes[from..])
        }
    }
}

/// A storage host that wants a signature and, as S3 does, no other login.
fn storage(asked: &Asked<'_>, image: &TestImage, signature: &str) -> Fault {
    if asked.login.is_some() {
        let body = "<Error><Code>InvalidArgument</Code>Only one auth mechanism</Error>";
        return answer("400 Bad Request", &[], body);
    }
    match blob(asked, image) {
        Some(bytes) if asked.url.ends_with(signature) => part(asked, bytes),
        _ => answer("403 Forbidden", &[], "<Error>AccessDenied</Error>"),
    }
}

/// Leads to the blob at another host.
fn redirect(asked: &Asked<'_>, status: &'static str, host: &str, signature: &str) -> Fault {
    let name = asked.path.rsplit('/').next().unwrap();
    let location = format!("Location: http://{host}/{name}?{signature}");
    answer(status, &[&location], "moved")
}

fn docker_hub(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if asked.url.starts_with("auth.docker.io/") {
        return json(r#"{"token":"hub","access_token":"hub","expires_in":300}"#);
    }
    if !asked.has("Bearer hub") {
        return unauthorized(
            "Bearer realm=\"http://auth.docker.io/token\",service=\"registry.docker.io\"",
        );
    }
    // The limit is on manifests and blobs; HEAD would not count, and is not used.
    assert_eq!(asked.request.method, "GET");
    if asked.path.ends_with(&digest(&image.layers[0])) && asked.request.nth == 0 {
        let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached
            your unauthenticated pull rate limit."}]}"#;
        return answer("429 Too Many Requests", &["Retry-After: 1"], body);
    }
    serve(asked, image).unwrap_or_else(missing)
}

fn ghcr(asked: &Asked<'_>, image: &TestImage) -> Fault {
    match asked.path {
        path if path.starts_with("/token") => json(r#"{"token":"ghcr"}"#),
        _ if asked.url.starts_with("pkg-containers.example/") => {
            storage(asked, image, "?sig=signed")
        }
        _ if !asked.has("Bearer ghcr") => unauthorized(
            "Bearer realm=\"http://ghcr.io/token\",service=\"ghcr.io\",\
             scope=\"repository:user/image:pull\"",
        ),
        path if path.contains("/blobs/") => redirect(
            asked,
            "307 Temporary Redirect",
            "pkg-containers.example",
            "sig=signed",
        ),
        _ => serve(asked, image).unwrap_or_else(missing),
    }
}

fn quay(asked: &Asked<'_>, image: &TestImage) -> Fault {
    match asked.path {
        path if path.starts_with("/v2/auth") => {
            assert!(asked.has(&basic_header("robot", "pw")), "{:?}", asked.login);
            json(r#"{"token":"quay"}"#)
        }
        _ if asked.url.starts_with("bucket.s3.example/") => {
            storage(asked, image, "?X-Amz-Signature=signed")
        }
        _ if !asked.has("Bearer quay") => {
            unauthorized("Bearer realm=\"http://quay.io/v2/auth\",service=\"quay.io\"")
        }
        path if path.contains("/blobs/") => redirect(
            asked,
            "302 Found",
            "bucket.s3.example",
            "X-Amz-Signature=signed",
        ),
        _ => serve(asked, image).unwrap_or_else(missing),
    }
}

fn gitlab(asked: &Asked<'_>, image: &TestImage) -> Fault {
    // Counts the tokens: the first ones are so short that they expire between
    // resolving and pulling, and are good for one request anyway.
    static TOKENS: AtomicUsize = AtomicUsize::new(0);
    static USED: AtomicUsize = AtomicUsize::new(0);
    if asked.url.starts_with("gitlab.example/jwt/auth?") {
        assert!(asked.has(&basic_header("deploy", "pw")));
        USED.store(0, Ordering::SeqCst);
        let n = TOKENS.fetch_add(1, Ordering::SeqCst) + 1;
        return json(&format!(r#"{{"token":"jwt{n}","expires_in":5}}"#));
    }
    let token = format!("Bearer jwt{}", TOKENS.load(Ordering::SeqCst));
    if !asked.has(&token) || USED.fetch_add(1, Ordering::SeqCst) >= 2 {
        return unauthorized(
            "Bearer realm=\"http://gitlab.example/jwt/auth\",service=\"container_registry\",\
             error=\"invalid_token\"",
        );
    }
    serve(asked, image).unwrap_or_else(missing)
}

fn harbor(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if asked.path.starts_with("/service/token?") {
        let robot = asked.has(&basic_header("robot$project+ci", "pw"));
        assert!(robot || asked.login.is_none());
        return json(r#"{"token":"harbor","expires_in":1800,"issued_at":"2026-01-01T00:00:00Z"}"#);
    }
    if !asked.has("Bearer harbor") || asked.path.starts_with("/v2/absent/") {
        return unauthorized(
            "Bearer realm=\"http://harbor.example/service/token\",service=\"harbor-registry\"",
        );
    }
    serve(asked, image).unwrap_or_else(missing)
}

fn ecr(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if !asked.has(&basic_header("AWS", "ecr-token")) {
        return unauthorized(
            "Basic realm=\"https://1.dkr.ecr.eu-west-1.amazonaws.com/\",\
             service=\"ecr.amazonaws.com\"",
        );
    }
    match asked.path.starts_with("/v2/absent/") {
        true => answer(
            "404 Not Found",
            &["Content-Type: application/json"],
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'absent'
               does not exist in the registry with id '1'"}]}"#,
        ),
        false => serve(asked, image).unwrap_or_else(missing),
    }
}

fn acr(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if asked.path == "/oauth2/token" {
        // The first identity token, or the one that came in its place.
        let form = String::from_utf8(asked.request.body.clone()).unwrap();
        let expected = "grant_type=refresh_token&client_id=calamares-bootc\
            &refresh_token=refresh%2F1%2B&scope=repository%3Aos%3Apull&service=team.azurecr.io";
        assert_eq!(form, expected);
        assert_eq!(asked.request.method, "POST");
        assert_eq!(asked.login, None);
        let kind = asked.request.header("content-type");
        assert_eq!(kind, Some("application/x-www-form-urlencoded"));
        return json(r#"{"access_token":"acr","refresh_token":"refresh2"}"#);
    }
    if !asked.has("Bearer acr") {
        return unauthorized(
            "Bearer realm=\"http://team.azurecr.io/oauth2/token\",service=\"team.azurecr.io\"",
        );
    }
    serve(asked, image).unwrap_or_else(missing)
}

fn artifact_registry(asked: &Asked<'_>, image: &TestImage) -> Fault {
    let key = basic_header("_json_key", "{\n \"type\": \"service_account\"\n}");
    match asked.path {
        path if path.starts_with("/v2/token?") && asked.has(&key) => {
            json(r#"{"token":"gar","expires_in":3600}"#)
        }
        _ if asked.url.starts_with("storage.googleapis.example/") => {
            storage(asked, image, "?sig=signed")
        }
        _ if !asked.has("Bearer gar") => unauthorized(
            "Bearer realm=\"http://europe-docker.pkg.dev/v2/token\",\
             service=\"europe-docker.pkg.dev\"",
        ),
        path if path.contains("/blobs/") => redirect(
            asked,
            "302 Found",
            "storage.googleapis.example",
            "sig=signed",
        ),
        _ => serve(asked, image).unwrap_or_else(missing),
    }
}

fn nexus(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if !asked.has(&basic_header("reader", "pw")) {
        return unauthorized("BASIC realm=\"Sonatype Nexus Repository Manager\"");
    }
    let lowest = &image.layers[0];
    if asked.path.ends_with(&digest(lowest)) {
        // Breaks once, and does not know ranges.
        return match asked.request.nth {
            0 => answer("503 Service Unavailable", &[], "<html>busy</html>"),
            _ => answer("200 OK", &[], lowest.clone()),
        };
    }
    serve(asked, image).unwrap_or_else(missing)
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
        // Read when the client is made, which happens in this thread alone.
        for name in ["http_proxy", "https_proxy"] {
            std::env::set_var(name, format!("http://{}", internet.host()));
        }
        std::env::remove_var("no_proxy");
        std::env::remove_var("NO_PROXY");

        let host = family.reference.split('/').next().unwrap();
        let outcome = run(outcome(family, host));
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
