// SPDX-License-Identifier: MIT OR Apache-2.0
//! The proxies of the environment, and IPv6. Each pull through a proxy runs in
//! a process of its own, whose environment names it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use common::*;
use registry::{ClientConfig, NoObserver, Registry};
use testkit::refusing::Refusing;
use testkit::registry::{Options, ServerCertificate};

/// Names what the other process pulls, the authority that it trusts and the
/// insecure host.
const CHILD: &str = "PROXY_CHILD";

/// A proxy that connects everything to one address, for CONNECT and for
/// requests with a whole address, and keeps the heads of what it was asked.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = heads.clone();
        // Ends with the test program.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let heads = kept.clone();
                std::thread::spawn(move || relay(client, upstream, &heads).ok());
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn relay(
    mut client: TcpStream,
    upstream: SocketAddr,
    heads: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    heads.lock().unwrap().push(head.clone());
    let mut server = TcpStream::connect(upstream)?;
    if head.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        // http://host/path becomes /path; one request for each connection.
        let (method, rest) = head.split_once(" http://").unwrap();
        let path = &rest[rest.find('/').unwrap()..];
        let (line, headers) = path.split_once("\r\n").unwrap();
        write!(server, "{method} {line}\r\nConnection: close\r\n{headers}")?;
    }
    let (mut up, mut down) = (server.try_clone()?, client);
    let back = std::thread::spawn(move || {
        let copied = io::copy(&mut server, &mut down);
        down.shutdown(std::net::Shutdown::Both).ok();
        copied
    });
    io::copy(&mut reader, &mut up)?;
    up.shutdown(std::net::Shutdown::Write).ok();
    back.join().expect("the relay does not panic")?;
    Ok(())
}

/// Pulls what the environment says, and prints how that went.
#[test]
fn the_process_with_the_proxy() {
    let Ok(what) = std::env::var(CHILD) else {
        return;
    };
    let [name, authority, insecure] = what.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{what}");
    };
    let authority = match authority {
        "-" => Vec::new(),
        path => {
            let host = name.split('/').next().unwrap();
            vec![(host.to_owned(), std::fs::read(path).unwrap())]
        }
    };
    let client = Registry::new(ClientConfig {
        extra_ca_pem: authority,
        ..config(&[insecure])
    });
    let dir = tempfile::tempdir().unwrap();
    match run(pull(&client.unwrap(), name, dir.path(), &NoObserver)) {
        Ok(report) => println!("\noutcome: {} bytes", report.downloaded),
        Err(e) => println!("\noutcome: {} {e} {e:?}", e.kind().as_str()),
    }
}

fn child(what: &str, environment: &[(&str, &str)]) -> String {
    in_child("the_process_with_the_proxy", (CHILD, what), environment)
}

#[test]
fn proxies_of_the_environment() {
    with_registry(|plain| async move {
        let image = TestImage::amd64(50_000);
        Pusher::new(&plain.host(), "app").image("v1", &image).await;
        let done = format!("{} bytes", image.size());
        let proxy = Proxy::start(plain.address());
        let url = format!("http://user:s3cret@{}", proxy.address);

        // A name that nobody but the proxy can find.
        let what = "plain.invalid:81/app:v1 - plain.invalid:81";
        let all = [("http_proxy", url.as_str()), ("https_proxy", &url)];
        assert_eq!(child(what, &all), done);
        let heads = proxy.heads();
        let whole = |h: &&String| h.starts_with("GET http://plain.invalid:81/v2/app/");
        assert!(heads.iter().filter(whole).count() >= 5, "{heads:#?}");
        // user:s3cret
        let login = "proxy-authorization: basic dxnlcjpzm2nyzxq=";
        let shown = |h: &String| h.to_lowercase().contains(login);
        assert!(heads.iter().all(shown), "{heads:#?}");

        // Not for these.
        let before = proxy.heads().len();
        let host = plain.host();
        let what = format!("{host}/app:v1 - {host}");
        let mut but_not = all.to_vec();
        but_not.push(("no_proxy", "127.0.0.0/8,example.com"));
        assert_eq!(child(&what, &but_not), done);
        assert_eq!(proxy.heads().len(), before);

        // One that is not there: its password stays out of the error.
        let nobody = Refusing::new().unwrap();
        let gone = format!("http://user:s3cret@{}", nobody.host());
        let gone = [("http_proxy", gone.as_str()), ("https_proxy", &gone)];
        let outcome = child("plain.invalid:81/app:v1 - plain.invalid:81", &gone);
        assert!(
            outcome.starts_with("REGISTRY_CONNECTION_REFUSED "),
            "{outcome}"
        );
        for secret in ["s3cret", "dXNlcjpzM2NyZXQ"] {
            assert!(!outcome.contains(secret), "{outcome}");
        }
    });
}

#[test]
fn tls_goes_through_a_tunnel() {
    if !testkit::registry::available() {
        return;
    }
    let certificate = ServerCertificate::make(&["DNS:registry.invalid"]).unwrap();
    let storage = tempfile::tempdir().unwrap();
    let plain = Options::default().storage(storage.path()).start().unwrap();
    let server = Options::default()
        .storage(storage.path())
        .tls(&certificate)
        .start()
        .unwrap();
    let image = TestImage::amd64(50_000);
    run(Pusher::new(&plain.host(), "app").image("v1", &image));
    let authority = storage.path().join("ca.pem");
    std::fs::write(&authority, certificate.authority().unwrap()).unwrap();

    let proxy = Proxy::start(server.address());
    let url = format!("http://user:s3cret@{}", proxy.address);
    let what = format!("registry.invalid/app:v1 {} -", authority.display());
    let outcome = child(&what, &[("https_proxy", &url)]);
    assert_eq!(outcome, format!("{} bytes", image.size()));
    let heads = proxy.heads();
    assert!(!heads.is_empty());
    for head in heads {
        assert!(head.starts_with("CONNECT registry.invalid:443 "), "{head}");
        assert!(!head.to_lowercase().contains("\nauthorization"), "{head}");
    }
}

#[test]
fn a_registry_at_an_ipv6_address() {
    if !testkit::registry::available() {
        return;
    }
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6");
        return;
    }
    let listen = "[::1]:0".parse().unwrap();
    let server = Options::default().listen(listen).start().unwrap();
    let host = server.host();
    assert!(host.starts_with("[::1]:"), "{host}");
    run(async {
        let image = TestImage::amd64(50_000);
        Pusher::new(&host, "app").image("v1", &image).await;
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{host}/app:v1");
        let report = pull(&client(&[&host]), &name, dir.path(), &NoObserver).await;
        assert_eq!(report.unwrap().downloaded, image.size());
    });
}
