// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections that do not come about, and TLS.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::*;
use registry::{
    CertsDirs, ClientConfig, ErrorKind, NoObserver, Registry, RegistryError, TlsProblem,
};
use testkit::refusing::Refusing;
use testkit::registry::{Options, ServerCertificate};

async fn failure(config: ClientConfig, name: &str) -> RegistryError {
    let client = Registry::new(config).unwrap();
    client
        .resolve(&reference(name), &amd64())
        .await
        .unwrap_err()
}

fn tls_problem(error: &RegistryError) -> TlsProblem {
    match error {
        RegistryError::Tls { problem, .. } => *problem,
        other => panic!("{other}"),
    }
}

#[test]
fn an_unknown_host() {
    // .invalid never resolves (RFC 6761).
    let error = run(failure(config(&[]), "registry.invalid/app:v1"));
    assert_eq!(error.kind(), ErrorKind::HostUnknown, "{error:?}");
    assert!(error.to_string().contains("registry.invalid"), "{error}");
}

#[test]
fn a_port_where_nobody_listens() {
    let nobody = Refusing::new().unwrap();
    let host = nobody.host();
    for config in [config(&[]), config(&[&host])] {
        let error = run(failure(config, &format!("{host}/app:v1")));
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error:?}");
    }
}

#[test]
fn a_host_that_does_not_answer() {
    run(async {
        // A listener whose queue is full: the kernel drops further attempts.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        let patience = Duration::from_millis(200);
        while let Ok(connection) =
            tokio::time::timeout(patience, tokio::net::TcpStream::connect(address)).await
        {
            queue.push(connection.unwrap());
        }
        let config = ClientConfig {
            connect_timeout: patience,
            ..config(&[&address.to_string()])
        };
        let error = failure(config, &format!("{address}/app:v1")).await;
        assert_eq!(error.kind(), ErrorKind::ConnectTimeout, "{error:?}");
    });
}

#[test]
fn a_server_that_accepts_and_says_nothing() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap().to_string();
    let config = ClientConfig {
        stall_timeout: Duration::from_millis(100),
        connect_timeout: Duration::from_millis(100),
        ..config(&[&host])
    };
    let error = run(failure(config, &format!("{host}/app:v1")));
    assert_eq!(error.kind(), ErrorKind::Stalled, "{error:?}");
}

#[test]
fn tls_with_and_without_the_authority() {
    if !testkit::registry::available() {
        return;
    }
    let certificate = ServerCertificate::make(&["DNS:localhost"]).unwrap();
    let storage = tempfile::tempdir().unwrap();
    let plain = Options::default().storage(storage.path()).start().unwrap();
    let server = Options::default()
        .storage(storage.path())
        .tls(&certificate)
        .start()
        .unwrap();
    let port = server.address().port();
    run(async {
        let image = TestImage::amd64(500_000);
        Pusher::new(&plain.host(), "app").image("v1", &image).await;
        let name = format!("localhost:{port}/app:v1");

        let error = failure(config(&[]), &name).await;
        assert_eq!(tls_problem(&error), TlsProblem::NotTrusted, "{error:?}");

        // An authority counts for the registry that it was named for.
        let named_for = |hosts: &[&str]| ClientConfig {
            extra_ca_pem: hosts
                .iter()
                .map(|host| (format!("{host}:{port}"), certificate.authority().unwrap()))
                .collect(),
            ..config(&[])
        };
        let error = failure(named_for(&["other.example"]), &name).await;
        assert_eq!(tls_problem(&error), TlsProblem::NotTrusted, "{error:?}");
        let trusting = || named_for(&["localhost", "127.0.0.1"]);
        let dir = tempfile::tempdir().unwrap();
        let client = Registry::new(trusting()).unwrap();
        let report = pull(&client, &name, dir.path(), &NoObserver).await.unwrap();
        assert_eq!(report.downloaded, image.size());

        let error = failure(trusting(), &format!("127.0.0.1:{port}/app:v1")).await;
        assert_eq!(tls_problem(&error), TlsProblem::WrongHost, "{error:?}");

        // Plain HTTP only where configured.
        let error = failure(trusting(), &format!("{}/app:v1", plain.host())).await;
        assert_eq!(tls_problem(&error), TlsProblem::PlainHttp, "{error:?}");
        assert!(error.hint().contains("insecure"));
    });
}

#[test]
fn an_insecure_registry_may_have_any_certificate_or_none() {
    if !testkit::registry::available() {
        return;
    }
    let certificate = ServerCertificate::make(&["DNS:other.example"]).unwrap();
    let storage = tempfile::tempdir().unwrap();
    let plain = Options::default().storage(storage.path()).start().unwrap();
    let server = Options::default()
        .storage(storage.path())
        .tls(&certificate)
        .start()
        .unwrap();
    run(async {
        let image = TestImage::amd64(50_000);
        Pusher::new(&plain.host(), "app").image("v1", &image).await;
        for host in [plain.host(), server.host()] {
            let name = format!("{host}/app:v1");
            let error = failure(config(&[]), &name).await;
            assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
            let dir = tempfile::tempdir().unwrap();
            let report = pull(&client(&[&host]), &name, dir.path(), &NoObserver).await;
            assert_eq!(report.unwrap().downloaded, image.size());
        }
    });
}

#[test]
fn certificates_of_a_host() {
    if !testkit::registry::available() {
        return;
    }
    let certificate = ServerCertificate::make(&["DNS:localhost"]).unwrap();
    let person = ServerCertificate::make(&["DNS:person.example"]).unwrap();
    let storage = tempfile::tempdir().unwrap();
    let plain = Options::default().storage(storage.path()).start().unwrap();
    let server = Options::default()
        .storage(storage.path())
        .tls(&certificate)
        .client_authority(&person)
        .start()
        .unwrap();
    let host = format!("localhost:{}", server.address().port());
    let certs = tempfile::tempdir().unwrap();
    let of_host = certs.path().join(&host);
    std::fs::create_dir(&of_host).unwrap();
    let config = || ClientConfig {
        certs: CertsDirs::new(vec![certs.path().to_owned()]),
        ..config(&[])
    };
    let name = format!("{host}/app:v1");
    run(async {
        let image = TestImage::amd64(50_000);
        Pusher::new(&plain.host(), "app").image("v1", &image).await;

        let error = failure(config(), &name).await;
        assert_eq!(tls_problem(&error), TlsProblem::NotTrusted, "{error:?}");

        // The authority is known now, but the server asks who is there.
        std::fs::copy(certificate.authority_path(), of_host.join("ca.crt")).unwrap();
        let error = failure(config(), &name).await;
        assert_ne!(error.kind(), ErrorKind::NotFound, "{error:?}");

        let (certificate, key) = person.identity().unwrap();
        std::fs::write(of_host.join("client.cert"), certificate).unwrap();
        std::fs::write(of_host.join("client.key"), key).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let client = Registry::new(config()).unwrap();
        let report = pull(&client, &name, dir.path(), &NoObserver).await.unwrap();
        assert_eq!(report.downloaded, image.size());
    });
}

#[test]
fn a_certificate_of_the_machine_that_is_none_stops_nothing_by_itself() {
    if !testkit::registry::available() {
        return;
    }
    let certificate = ServerCertificate::make(&["DNS:localhost"]).unwrap();
    let storage = tempfile::tempdir().unwrap();
    let plain = Options::default().storage(storage.path()).start().unwrap();
    let server = Options::default()
        .storage(storage.path())
        .tls(&certificate)
        .start()
        .unwrap();
    let host = format!("localhost:{}", server.address().port());
    let certs = tempfile::tempdir().unwrap();
    let of_host = certs.path().join(&host);
    std::fs::create_dir(&of_host).unwrap();
    // As distributions ship it without the package that it leads to.
    let dangling = of_host.join("redhat-ca.crt");
    std::os::unix::fs::symlink("/nowhere/redhat-uep.pem", &dangling).unwrap();
    let config = || ClientConfig {
        certs: CertsDirs::new(vec![certs.path().to_owned()]),
        ..config(&[])
    };
    let name = format!("{host}/app:v1");
    run(async {
        let image = TestImage::amd64(50_000);
        Pusher::new(&plain.host(), "app").image("v1", &image).await;

        let error = failure(config(), &name).await;
        assert_eq!(tls_problem(&error), TlsProblem::NotTrusted, "{error:?}");
        let file = dangling.display().to_string();
        assert!(error.to_string().contains(&file), "{error}");
        assert!(error.hint().contains("is named"), "{}", error.hint());

        std::fs::copy(certificate.authority_path(), of_host.join("ca.crt")).unwrap();
        let client = Registry::new(config()).unwrap();
        client.resolve(&reference(&name), &amd64()).await.unwrap();
        let skipped = client.skipped_certificates();
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert!(skipped[0].starts_with(&file), "{skipped:?}");
    });
}

#[test]
fn a_certificate_that_is_none_is_told_at_once() {
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let config = ClientConfig {
            extra_ca_pem: vec![("r.example".to_owned(), pem.as_bytes().to_vec())],
            ..config(&[])
        };
        let error = Registry::new(config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
}
