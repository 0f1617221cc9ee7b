// SPDX-License-Identifier: MIT OR Apache-2.0
//! What registries answer instead of an image.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::*;
use registry::{ClientConfig, ErrorKind, Registry, RegistryError};
use testkit::fault_proxy::{Fault, FaultProxy};

const LONG: Duration = Duration::from_secs(60);

/// Answers every manifest request with this.
async fn resolve_from(answer: Fault) -> RegistryError {
    let nowhere = ([127, 0, 0, 1], 9).into();
    let proxy = FaultProxy::start(nowhere, move |request| {
        if request.target == "/v2/" {
            Fault::Answer("200 OK", String::new(), Vec::new())
        } else {
            answer.clone()
        }
    })
    .unwrap();
    let name = reference(&format!("{}/app:v1", proxy.host()));
    let client = Registry::new(ClientConfig {
        stall_timeout: LONG,
        ..config(&[&proxy.host()])
    });
    client.unwrap().resolve(&name, &amd64()).await.unwrap_err()
}

fn ok(body: impl Into<Vec<u8>>) -> Fault {
    Fault::Answer("200 OK", String::new(), body.into())
}

/// An answer for a browser.
fn web_page(status: &'static str) -> Fault {
    let header = "Content-Type: text/html; charset=utf-8\r\n".to_owned();
    Fault::Answer(status, header, b"<html>Log in</html>".to_vec())
}

/// The manifest of something that has a configuration of this type.
fn artifact(config: &str) -> Fault {
    ok(format!(
        r#"{{"schemaVersion":2,"layers":[],"config":{{"mediaType":"{config}","size":2,"digest":
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}}}"#
    ))
}

#[test]
fn bad_manifests_are_told_apart() {
    run(async {
        let config = br#"{"mediaType":"application/vnd.oci.image.config.v1+json",
            "digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":SIZE}"#;
        let config = String::from_utf8(config.to_vec()).unwrap();
        let huge = config.replace("SIZE", "99999999999");
        let cases = [
            (ok("<html>"), ErrorKind::Malformed),
            (ok(r#"{"schemaVersion":2}"#), ErrorKind::Malformed),
            (ok(r#"{"schemaVersion":1}"#), ErrorKind::NotAnImage),
            // A captive portal, and the page of a proxy that lets nobody through.
            (web_page("200 OK"), ErrorKind::NoRegistry),
            (web_page("403 Forbidden"), ErrorKind::NoRegistry),
            (web_page("502 Bad Gateway"), ErrorKind::Server),
            (web_page("404 Not Found"), ErrorKind::NotFound),
            // A Helm chart, and an artifact without a configuration.
            (
                artifact("application/vnd.cncf.helm.config.v1+json"),
                ErrorKind::NotAnImage,
            ),
            (
                artifact("application/vnd.oci.empty.v1+json"),
                ErrorKind::NotAnImage,
            ),
            (
                ok(r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#),
                ErrorKind::Malformed,
            ),
            (
                ok(r#"{"schemaVersion":2,"manifests":[]}"#),
                ErrorKind::NoPlatform,
            ),
            (
                ok(r#"{"schemaVersion":2,"mediaType":"application/x","manifests":[]}"#),
                ErrorKind::NotAnImage,
            ),
            (
                ok(format!(
                    r#"{{"schemaVersion":2,"config":{huge},"layers":[]}}"#
                )),
                ErrorKind::TooLarge,
            ),
            (ok(vec![b' '; 5 << 20]), ErrorKind::TooLarge),
            (
                Fault::Answer("429 Too Many Requests", String::new(), b"later".to_vec()),
                ErrorKind::RateLimited,
            ),
            (
                Fault::Answer("500 Oops", String::new(), b"<html>".to_vec()),
                ErrorKind::Server,
            ),
            (
                Fault::Answer(
                    "200 OK",
                    format!("Docker-Content-Digest: {}\r\n", digest(b"other")),
                    b"{}".to_vec(),
                ),
                ErrorKind::DigestMismatch,
            ),
            (
                Fault::Answer(
                    "404 Not Found",
                    String::new(),
                    br#"{"errors":[{"code":"NAME_UNKNOWN","message":"no"}]}"#.to_vec(),
                ),
                ErrorKind::NotFound,
            ),
            (
                Fault::Answer("403 Forbidden", String::new(), Vec::new()),
                ErrorKind::AuthRequired,
            ),
            (status("410 Gone"), ErrorKind::NotFound),
            (status("400 Bad Request"), ErrorKind::Refused),
            (status("405 Method Not Allowed"), ErrorKind::Refused),
            (status("412 Precondition Failed"), ErrorKind::Refused),
            (
                status("451 Unavailable For Legal Reasons"),
                ErrorKind::Refused,
            ),
            (status("408 Request Timeout"), ErrorKind::Server),
            (status("425 Too Early"), ErrorKind::Server),
            (status("502 Bad Gateway"), ErrorKind::Server),
            (
                status("407 Proxy Authentication Required"),
                ErrorKind::NoRegistry,
            ),
            (
                status("511 Network Authentication Required"),
                ErrorKind::NoRegistry,
            ),
            (status("203 Changed On The Way"), ErrorKind::NoRegistry),
            (status("300 Multiple Choices"), ErrorKind::NoRegistry),
        ];
        for (answer, kind) in cases {
            let error = resolve_from(answer.clone()).await;
            assert_eq!(error.kind(), kind, "{error}");
        }
    });
}

fn status(line: &'static str) -> Fault {
    Fault::Answer(line, String::new(), b"said so".to_vec())
}

#[test]
fn what_a_registry_says_about_its_refusal_is_told_and_it_is_asked_once() {
    let body = br#"{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":
        "current image with 12 vulnerabilities cannot be pulled"}]}"#;
    let proxy = FaultProxy::start(([127, 0, 0, 1], 9).into(), move |request| {
        match request.target.as_str() {
            "/v2/" => Fault::Answer("200 OK", String::new(), Vec::new()),
            _ => Fault::Answer("412 Precondition Failed", String::new(), body.to_vec()),
        }
    })
    .unwrap();
    let name = format!("{}/app:v1", proxy.host());
    let client = client(&[&proxy.host()]);
    let error = run(client.resolve(&reference(&name), &amd64())).unwrap_err();
    let text = error.to_string();
    for part in [&name, "412", "with 12 vulnerabilities cannot be pulled"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error.hint().contains("whoever runs"), "{}", error.hint());
    assert_eq!(proxy.requests().len(), 2);
}

#[test]
fn a_registry_that_asks_for_a_long_wait_is_not_waited_for_at_first_contact() {
    // What it asks for, and how often it is asked then.
    for (headers, asked, requests) in [
        ("Retry-After: 3600\r\n", Some(3600), 1),
        ("Retry-After: 0\r\n", Some(0), 4),
        ("", None, 4),
    ] {
        let proxy = FaultProxy::start(([127, 0, 0, 1], 9).into(), move |request| {
            match request.target.as_str() {
                "/v2/" => Fault::Answer("200 OK", String::new(), Vec::new()),
                _ => {
                    let status = "429 Too Many Requests";
                    Fault::Answer(status, headers.to_owned(), b"later".to_vec())
                }
            }
        })
        .unwrap();
        let name = reference(&format!("{}/app:v1", proxy.host()));
        let error = run(client(&[&proxy.host()]).resolve(&name, &amd64())).unwrap_err();
        assert_eq!(error.retry_after(), asked.map(Duration::from_secs));
        let text = error.to_string();
        assert_eq!(text.contains("wait 3600 s"), asked == Some(3600), "{text}");
        let all = proxy.requests();
        let manifests = all.iter().filter(|r| r.target != "/v2/").count();
        assert_eq!(manifests, requests, "{headers}");
    }
}

#[test]
fn an_endless_error_is_not_read_to_its_end() {
    let error = run(resolve_from(Fault::Answer(
        "500 Oops",
        String::new(),
        vec![b'x'; 64 << 20],
    )));
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.to_string().len() < 300, "{error}");
}
