// SPDX-License-Identifier: MIT OR Apache-2.0
//! Redirects to storage hosts: what goes along, what stays out of errors, and
//! mirrors, whose blobs are those of the registry.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use common::*;
use registry::{
    ClientConfig, CredentialStore, Credentials, ErrorKind, NoObserver, RegistriesConf, Registry,
    RegistryError,
};
use testkit::fault_proxy::{Fault, FaultProxy, Request};
use testkit::registry::Options;

const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

fn answer(status: &'static str, headers: &str, body: impl Into<Vec<u8>>) -> Fault {
    Fault::Answer(status, headers.to_owned(), body.into())
}

/// A registry that wants a login and leads to `storage` for its layers.
fn front(upstream: std::net::SocketAddr, storage: String, layers: Vec<String>) -> FaultProxy {
    FaultProxy::start(upstream, move |request| {
        if request.header("authorization").is_none() {
            let challenge = "WWW-Authenticate: Basic realm=\"r\"\r\n";
            return answer("401 Unauthorized", challenge, "");
        }
        match layers.iter().find(|l| request.target.ends_with(*l)) {
            Some(layer) => {
                let location = format!("Location: {storage}/{layer}?sig=s1gned\r\n");
                answer("307 Temporary Redirect", &location, "")
            }
            None => Fault::None,
        }
    })
    .unwrap()
}

fn as_alice(host: &str) -> ClientConfig {
    let mut credentials = CredentialStore::default();
    let username = "alice".to_owned();
    let password = "s3cret".into();
    credentials.insert(host, Credentials::Basic { username, password });
    ClientConfig {
        credentials,
        ..config(&[host])
    }
}

/// Pulls through a storage host with this script; gives the outcome and what
/// the storage host was asked.
fn through_storage(
    script: impl Fn(&Request, &[u8]) -> Fault + Send + Sync + 'static,
) -> (Result<u64, RegistryError>, Vec<Request>) {
    let server = testkit::registry::Registry::start().unwrap();
    let layer = noise(4, 40_000);
    let image = TestImage::new("amd64", vec![layer.clone()]);
    let storage = FaultProxy::start(NOWHERE.into(), move |r| script(r, &layer)).unwrap();
    let layers = image.layers.iter().map(|l| digest(l)).collect();
    let front = front(
        server.address(),
        format!("http://{}", storage.host()),
        layers,
    );
    let result = run(async {
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let client = Registry::new(as_alice(&front.host())).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{}/app:v1", front.host());
        let report = pull(&client, &name, dir.path(), &NoObserver).await;
        report.map(|r| r.downloaded)
    });
    (result, storage.requests())
}

#[test]
fn a_login_never_goes_to_another_host_or_port() {
    if !testkit::registry::available() {
        return;
    }
    let (result, requests) = through_storage(|_, layer| answer("200 OK", "", layer));
    assert_eq!(result.unwrap(), 40_000);
    assert_eq!(requests.len(), 1);
    for request in requests {
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("cookie"), None);
        assert!(request.target.ends_with("?sig=s1gned"), "{request:?}");
    }
}

#[test]
fn errors_of_a_storage_host_hold_no_signature() {
    if !testkit::registry::available() {
        return;
    }
    let page = "no ?sig=s1gned here";
    for (status, kind) in [
        ("403 Forbidden", ErrorKind::Server),
        ("401 Unauthorized", ErrorKind::Server),
        ("404 Not Found", ErrorKind::NotFound),
        ("500 Oops", ErrorKind::Server),
        ("400 Bad Request", ErrorKind::Refused),
        ("412 Precondition Failed", ErrorKind::Refused),
    ] {
        let (result, requests) = through_storage(move |_, _| answer(status, "", page));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = format!("{error} {error:?}");
        assert!(
            !text.contains("s1gned") && !text.contains("s3cret"),
            "{text}"
        );
        // An address that has expired is replaced by a new one.
        assert_eq!(requests.len() > 1, kind == ErrorKind::Server, "{status}");
    }
}

#[test]
fn redirects_in_circles_and_to_nowhere() {
    if !testkit::registry::available() {
        return;
    }
    for (headers, kind) in [
        ("Location: /again?sig=s1gned\r\n", ErrorKind::Insecure),
        (
            "Location: ftp://storage.example/?sig=s1gned\r\n",
            ErrorKind::Insecure,
        ),
        (
            "Location: http://u:s3cret@127.0.0.1:9/\r\n",
            ErrorKind::Insecure,
        ),
        ("", ErrorKind::Insecure),
        (
            "Location: http://127.0.0.1:9/?sig=s1gned\r\n",
            ErrorKind::ConnectionRefused,
        ),
    ] {
        let (result, requests) = through_storage(move |_, _| answer("302 Found", headers, ""));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = format!("{error} {error:?}");
        assert!(
            !text.contains("s1gned") && !text.contains("s3cret"),
            "{text}"
        );
        assert!(requests.len() <= 11, "{}", requests.len());
    }
}

/// A mirror that does what `script` says, in front of a registry of its own
/// content, and the registry behind it.
fn mirrored(
    script: impl Fn(&Request, &TestImage) -> Fault + Send + Sync + 'static,
    check: impl FnOnce(Registry, String, FaultProxy, Arc<TestImage>),
) {
    if !testkit::registry::available() {
        return;
    }
    let server = Options::default().start().unwrap();
    let image = Arc::new(TestImage::amd64(2_000_000));
    run(Pusher::new(&server.host(), "team/app").image("v1", &image));
    let for_mirror = image.clone();
    let mirror = FaultProxy::start(server.address(), move |r| script(r, &for_mirror)).unwrap();
    let conf = format!(
        "[[registry]]\nprefix = \"registry.example/os\"\nlocation = \"{}/team\"\n\
         insecure = true\n\
         [[registry.mirror]]\nlocation = \"127.0.0.1:9/absent\"\ninsecure = true\n\
         [[registry.mirror]]\nlocation = \"{}/team\"\ninsecure = true\n",
        server.host(),
        mirror.host()
    );
    let client = Registry::new(ClientConfig {
        registries: RegistriesConf::from_toml("test", &conf).unwrap(),
        max_concurrent_layers: std::num::NonZeroUsize::MIN,
        ..config(&[])
    });
    check(client.unwrap(), server.host(), mirror, image);
}

#[test]
fn the_first_place_that_answers_is_pulled_from() {
    mirrored(
        |_, _| Fault::None,
        |client, _, mirror, image| {
            let asked = reference("registry.example/os/app:v1");
            let found = run(client.resolve(&asked, &amd64())).unwrap();
            assert_eq!(found.reference, Some(asked));
            let endpoint = found.endpoint.clone().unwrap();
            assert!(endpoint.mirror && endpoint.insecure);
            assert_eq!(
                endpoint.reference.to_string(),
                format!("{}/team/app:v1", mirror.host())
            );
            let [failure] = &found.mirror_failures[..] else {
                panic!("{:?}", found.mirror_failures);
            };
            assert!(
                failure.starts_with("mirror 127.0.0.1:9/absent/app: "),
                "{failure}"
            );
            assert!(
                failure.ends_with("[REGISTRY_CONNECTION_REFUSED]"),
                "{failure}"
            );

            let dir = tempfile::tempdir().unwrap();
            let name = "registry.example/os/app:v1";
            let report = run(pull(&client, name, dir.path(), &NoObserver)).unwrap();
            assert_eq!(report.downloaded, image.size());
            let layers = mirror.requests().iter().filter(|r| r.is_blob()).count();
            assert!(layers >= 4, "{layers}");
        },
    );
}

#[test]
fn what_a_mirror_lacks_or_damages_comes_from_the_registry() {
    mirrored(
        |request, image| match request {
            // The lowest layer is not there, the next one damaged.
            r if r.target.ends_with(&digest(&image.layers[0])) => answer("404 Not Found", "", "{}"),
            r if r.target.ends_with(&digest(&image.layers[1])) => Fault::Flip(5),
            _ => Fault::None,
        },
        |client, _, mirror, image| {
            let dir = tempfile::tempdir().unwrap();
            let recorder = Recorder::default();
            let name = "registry.example/os/app:v1";
            let report = run(pull(&client, name, dir.path(), &recorder)).unwrap();
            let damaged = image.layers[1].len() as u64;
            assert_eq!(report.downloaded, image.size() + damaged);
            assert_eq!(recorder.total(), image.size());
            assert_eq!(blobs(dir.path()).len(), 5);
            // The mirror goes on being used for the others.
            let highest = digest(&image.layers[2]);
            assert!(
                mirror
                    .requests()
                    .iter()
                    .any(|r| r.target.ends_with(&highest))
            );
        },
    );
}

#[test]
fn when_nobody_has_it_all_are_named() {
    mirrored(
        |_, _| answer("404 Not Found", "", "{}"),
        |client, host, mirror, _| {
            let asked = reference("registry.example/os/absent:v1");
            let error = run(client.resolve(&asked, &amd64())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let text = error.to_string();
            assert!(text.contains(&format!("{host}/team/absent:v1")), "{text}");
            let (own, mirrors) = error.split_mirrors();
            assert!(matches!(own, RegistryError::NotFound { .. }), "{own}");
            assert_eq!(mirrors.len(), 2, "{mirrors:?}");
            assert!(mirrors[1].contains(&mirror.host()), "{mirrors:?}");
        },
    );
}
