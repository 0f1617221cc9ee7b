// SPDX-License-Identifier: MIT OR Apache-2.0
//! Logins: basic authentication at a real registry, bearer tokens at one that
//! hands them out in front of a real one.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use registry::{ClientConfig, CredentialStore, Credentials, ErrorKind, NoObserver, Registry};
use testkit::fault_proxy::{Fault, FaultProxy, Request};
use testkit::registry::Options;

fn as_user(host: &str, scope: &str, user: &str, password: &str) -> ClientConfig {
    let mut credentials = CredentialStore::default();
    credentials.insert(
        scope,
        Credentials::Basic {
            username: user.to_owned(),
            password: password.into(),
        },
    );
    ClientConfig {
        credentials,
        ..config(&[host])
    }
}

#[test]
fn basic_authentication_with_the_right_wrong_and_no_password() {
    if !testkit::registry::available() {
        return;
    }
    let server = Options::default().login("alice", "s3cret").start().unwrap();
    let host = server.host();
    run(async {
        let image = TestImage::amd64(50_000);
        Pusher::new(&host, "team/app")
            .login("alice", "s3cret")
            .image("v1", &image)
            .await;
        let name = format!("{host}/team/app:v1");

        let right = Registry::new(as_user(&host, &format!("{host}/team"), "alice", "s3cret"));
        let dir = tempfile::tempdir().unwrap();
        let report = pull(&right.unwrap(), &name, dir.path(), &NoObserver).await;
        assert_eq!(report.unwrap().downloaded, image.size());

        let wrong = Registry::new(as_user(&host, &host, "alice", "s3cret-not")).unwrap();
        let error = wrong
            .resolve(&reference(&name), &amd64())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthRejected);
        assert!(
            !format!("{error} {error:?}").contains("s3cret"),
            "{error:?}"
        );

        for none in [
            Registry::new(config(&[&host])),
            Registry::new(as_user(&host, &format!("{host}/other"), "alice", "s3cret")),
        ] {
            let error = none
                .unwrap()
                .resolve(&reference(&name), &amd64())
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AuthRequired);
        }
    });
}

/// A registry whose tokens come from `/token`: the one for alice opens
/// everything, the anonymous one only `public/`, and a token works for
/// `uses` requests.
fn token_server(upstream: std::net::SocketAddr, uses: usize) -> FaultProxy {
    let issued = std::sync::Mutex::new((0_usize, 0_usize));
    // alice:s3cret
    let alice = "Basic YWxpY2U6czNjcmV0";
    let answer = move |request: &Request| {
        let mut issued = issued.lock().unwrap();
        let own = request.header("host").unwrap().to_owned();
        if request.target.starts_with("/token") {
            let scope_is_there = request.target.contains("scope=repository%3A");
            let who = match request.header("authorization") {
                Some(text) if text == alice => "alice",
                None => "nobody",
                Some(_) => {
                    let body = br#"{"errors":[{"code":"UNAUTHORIZED","message":"bad login"}]}"#;
                    return Fault::Answer("401 Unauthorized", String::new(), body.to_vec());
                }
            };
            assert!(scope_is_there, "{}", request.target);
            *issued = (issued.0 + 1, 0);
            let body = format!(r#"{{"token":"{who}-{}"}}"#, issued.0);
            return Fault::Answer("200 OK", String::new(), body.into_bytes());
        }
        let bearer = request
            .header("authorization")
            .and_then(|text| text.strip_prefix("Bearer "));
        let public = request.target.starts_with("/v2/public/");
        let open = match bearer {
            Some(token) if token == format!("alice-{}", issued.0) => true,
            Some(token) if token == format!("nobody-{}", issued.0) => public,
            _ => false,
        };
        issued.1 += 1;
        if open && issued.1 <= uses {
            return Fault::None;
        }
        let challenge =
            format!("WWW-Authenticate: Bearer realm=\"http://{own}/token\",service=\"test\"\r\n");
        Fault::Answer("401 Unauthorized", challenge, Vec::new())
    };
    FaultProxy::start(upstream, answer).unwrap()
}

#[test]
fn a_login_page_without_a_token_is_told_apart() {
    for (status, kind) in [
        ("400 Bad Request", ErrorKind::AuthRequired),
        ("401 Unauthorized", ErrorKind::AuthRequired),
        ("403 Forbidden", ErrorKind::AuthRequired),
        ("404 Not Found", ErrorKind::NoRegistry),
        ("410 Gone", ErrorKind::NoRegistry),
        ("412 Precondition Failed", ErrorKind::Refused),
        ("422 Unprocessable Content", ErrorKind::Refused),
        ("429 Too Many Requests", ErrorKind::RateLimited),
        ("500 Oops", ErrorKind::Server),
        ("511 Network Authentication Required", ErrorKind::NoRegistry),
    ] {
        let nowhere = ([127, 0, 0, 1], 9).into();
        let page = FaultProxy::start(nowhere, move |_| {
            Fault::Answer(status, String::new(), b"said so".to_vec())
        })
        .unwrap();
        let realm = format!("Bearer realm=\"http://{}/token\"", page.host());
        let challenge = format!("WWW-Authenticate: {realm}\r\n");
        let server = FaultProxy::start(nowhere, move |_| {
            Fault::Answer("401 Unauthorized", challenge.clone(), Vec::new())
        })
        .unwrap();
        let name = reference(&format!("{}/app:v1", server.host()));
        let client = Registry::new(config(&[&server.host()])).unwrap();
        let error = run(client.resolve(&name, &amd64())).unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
        // Who refuses a login is the registry; else it is the page.
        let about = match kind {
            ErrorKind::AuthRequired => server.host(),
            _ => page.host(),
        };
        assert!(error.to_string().contains(&about), "{error}");
    }
}

#[test]
fn bearer_tokens_are_fetched_and_used() {
    with_registry(|server| async move {
        let image = TestImage::amd64(50_000);
        for repository in ["public/app", "private/app"] {
            Pusher::new(&server.host(), repository)
                .image("v1", &image)
                .await;
        }
        let proxy = token_server(server.address(), usize::MAX);
        let host = proxy.host();
        let public = format!("{host}/public/app:v1");
        let private = format!("{host}/private/app:v1");
        let dir = tempfile::tempdir().unwrap();

        let nobody = client(&[&host]);
        pull(&nobody, &public, dir.path(), &NoObserver)
            .await
            .unwrap();
        let tokens = |r: &Request| r.target.starts_with("/token");
        assert_eq!(proxy.requests().iter().filter(|r| tokens(r)).count(), 1);
        let error = nobody.resolve(&reference(&private), &amd64()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::AuthRequired);

        let alice = Registry::new(as_user(&host, &host, "alice", "s3cret")).unwrap();
        pull(&alice, &private, dir.path(), &NoObserver)
            .await
            .unwrap();

        let wrong = Registry::new(as_user(&host, &host, "alice", "guess")).unwrap();
        let error = wrong.resolve(&reference(&private), &amd64()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthRejected);
        assert!(error.to_string().ends_with(": bad login"), "{error}");
    });
}

#[test]
fn a_token_that_expires_half_way_is_renewed() {
    with_registry(|server| async move {
        let image = TestImage::new("amd64", (0..8).map(|n| noise(n, 20_000)).collect());
        Pusher::new(&server.host(), "private/app")
            .image("v1", &image)
            .await;
        // Good for the manifest, the configuration and a few layers.
        let proxy = token_server(server.address(), 5);
        let host = proxy.host();
        let config = ClientConfig {
            max_concurrent_layers: std::num::NonZeroUsize::MIN,
            ..as_user(&host, &host, "alice", "s3cret")
        };
        let alice = Registry::new(config).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{host}/private/app:v1");
        let report = pull(&alice, &name, dir.path(), &NoObserver).await.unwrap();
        assert_eq!(report.downloaded, image.size());
        let tokens = proxy.requests();
        let tokens = tokens.iter().filter(|r| r.target.starts_with("/token"));
        assert!(tokens.count() > 1);
    });
}

/// A registry in front of a real one whose tokens, `t1` and so on, are good as
/// long as `good` says: it is told the number of the token and the request.
fn numbered_tokens(
    upstream: std::net::SocketAddr,
    expires_in: &'static str,
    good: impl Fn(usize, &Request) -> bool + Send + Sync + 'static,
) -> FaultProxy {
    let issued = AtomicUsize::new(0);
    FaultProxy::start(upstream, move |request| {
        if request.target.starts_with("/token") {
            let n = issued.fetch_add(1, Ordering::SeqCst) + 1;
            let body = format!(
                r#"{{"access_token":"t{n}","refresh_token":"id{n}","expires_in":{expires_in}}}"#
            );
            return Fault::Answer("200 OK", String::new(), body.into_bytes());
        }
        let shown = request.header("authorization");
        let number = shown.and_then(|text| text.strip_prefix("Bearer t")?.parse().ok());
        if number.is_some_and(|n| good(n, request)) {
            return Fault::None;
        }
        let own = request.header("host").unwrap();
        let challenge =
            format!("WWW-Authenticate: Bearer realm=\"http://{own}/token\",service=\"test\"\r\n");
        Fault::Answer("401 Unauthorized", challenge, Vec::new())
    })
    .unwrap()
}

fn tokens(proxy: &FaultProxy) -> Vec<Request> {
    let all = proxy.requests().into_iter();
    all.filter(|r| r.target.starts_with("/token")).collect()
}

#[test]
fn an_identity_token_is_exchanged_and_replaced() {
    with_registry(|server| async move {
        let image = TestImage::amd64(20_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        // The first token is for the manifest, the second for the blobs.
        let proxy = numbered_tokens(server.address(), "300", |n, request| {
            n == 2 || request.target.contains("/manifests/")
        });
        let host = proxy.host();
        let mut credentials = CredentialStore::default();
        let token = "first/one".into();
        credentials.insert(&host, Credentials::IdentityToken { token });
        let client = Registry::new(ClientConfig {
            credentials,
            ..config(&[&host])
        });
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{host}/app:v1");
        pull(&client.unwrap(), &name, dir.path(), &NoObserver)
            .await
            .unwrap();
        let forms: Vec<String> = tokens(&proxy)
            .iter()
            .map(|r| {
                assert_eq!((r.method.as_str(), r.target.as_str()), ("POST", "/token"));
                assert_eq!(r.header("authorization"), None);
                String::from_utf8(r.body.clone()).unwrap()
            })
            .collect();
        let form = |identity: &str| {
            format!(
                "grant_type=refresh_token&client_id=calamares-bootc&refresh_token={identity}\
                 &scope=repository%3Aapp%3Apull&service=test"
            )
        };
        assert_eq!(forms, [form("first%2Fone"), form("id1")]);
    });
}

#[test]
fn layers_that_arrive_together_share_one_new_token() {
    with_registry(|server| async move {
        let image = TestImage::new("amd64", (0..9).map(|n| noise(n, 20_000)).collect());
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let config_blob = digest(&image.config);
        // The layers are refused until somebody has got the second token.
        let proxy = numbered_tokens(server.address(), "300", move |n, request| {
            n >= 2 || !request.is_blob() || request.target.contains(&config_blob)
        });
        let host = proxy.host();
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{host}/app:v1");
        pull(&client(&[&host]), &name, dir.path(), &NoObserver)
            .await
            .unwrap();
        assert_eq!(tokens(&proxy).len(), 2);
    });
}

#[test]
fn a_token_is_renewed_before_it_expires() {
    with_registry(|server| async move {
        let image = TestImage::amd64(20_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let refused = Arc::new(AtomicUsize::new(0));
        let count = refused.clone();
        let proxy = numbered_tokens(server.address(), "0.000001", move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            true
        });
        let host = proxy.host();
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{host}/app:v1");
        pull(&client(&[&host]), &name, dir.path(), &NoObserver)
            .await
            .unwrap();
        // Every request had a token of its own, and none was refused.
        let served = refused.load(Ordering::SeqCst);
        assert_eq!(served, 5);
        assert_eq!(tokens(&proxy).len(), served + 1);
    });
}

#[test]
fn an_unsafe_login_page_gets_nothing() {
    if !testkit::registry::available() {
        return;
    }
    let certificate = testkit::registry::ServerCertificate::make(&["DNS:localhost"]).unwrap();
    let page = numbered_tokens(([127, 0, 0, 1], 9).into(), "300", |_, _| true);
    let server = Options::default()
        .tls(&certificate)
        .token_realm(&format!("http://{}/token?key=signed", page.host()))
        .start()
        .unwrap();
    let host = format!("localhost:{}", server.address().port());
    let client = Registry::new(ClientConfig {
        extra_ca_pem: vec![(host.clone(), certificate.authority().unwrap())],
        ..as_user("other.example", &host, "alice", "s3cret")
    });
    let name = reference(&format!("{host}/app:v1"));
    let error = run(client.unwrap().resolve(&name, &amd64())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Insecure, "{error}");
    let text = format!("{error} {error:?}");
    assert!(text.contains(&page.host()), "{text}");
    for secret in ["s3cret", "signed"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(page.requests().is_empty(), "{:?}", page.requests());
}
