// SPDX-License-Identifier: MIT OR Apache-2.0
//! The failure matrix: what becomes of a pull of one layer when something goes
//! wrong, and how many bytes come twice for it. `--nocapture` shows the table,
//! which `docs/pull.md` repeats.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::*;
use registry::{Endpoint, OciLayout, PullObserver, Registry, ResolvedImage};
use testkit::fault_proxy::{Fault, FaultProxy, Request};

const SIZE: usize = 2_000_000;
const HALF: u64 = 1_000_000;
/// Names the registry for the process that is killed, and where it pulls to.
const CHILD: &str = "MATRIX_CHILD";

type Script = fn(&Request) -> Fault;

/// What goes wrong; the script is asked for each request for the layer.
struct Row {
    fault: &'static str,
    script: Script,
    outcome: &'static str,
    /// Bytes beyond those of the layer that came over the network.
    extra: u64,
}

fn layer() -> Vec<u8> {
    noise(9, SIZE)
}

fn answer(status: &'static str, headers: &str, body: impl Into<Vec<u8>>) -> Fault {
    Fault::Answer(status, headers.to_owned(), body.into())
}

fn after_half(request: &Request, then: impl FnOnce(usize) -> Fault) -> Fault {
    match request.nth {
        0 => Fault::Close(HALF),
        nth => then(nth),
    }
}

const ROWS: &[Row] = &[
    Row {
        fault: "connection reset",
        script: |r| match r.nth {
            0 | 1 => Fault::Reset(HALF / 2),
            _ => Fault::None,
        },
        outcome: "ok, 2 retries",
        extra: 0,
    },
    Row {
        fault: "closed early",
        script: |r| after_half(r, |_| Fault::None),
        outcome: "ok, 1 retry",
        extra: 0,
    },
    Row {
        fault: "stall",
        script: |r| match r.nth {
            0 => Fault::Stall(HALF),
            _ => Fault::None,
        },
        outcome: "ok, 1 retry",
        extra: 0,
    },
    Row {
        fault: "stall for ever",
        script: |r| after_half(r, |_| Fault::Stall(0)),
        outcome: "REGISTRY_STALLED, part kept",
        extra: 0,
    },
    Row {
        fault: "flipped bit",
        script: |_| Fault::Flip(77),
        outcome: "IMAGE_DIGEST_MISMATCH, nothing kept",
        extra: 0,
    },
    Row {
        fault: "flipped bit in one of two parts",
        script: |r| {
            after_half(r, |nth| match nth {
                1 => Fault::Flip(77),
                _ => Fault::None,
            })
        },
        outcome: "ok, 1 retry",
        extra: SIZE as u64,
    },
    Row {
        fault: "no ranges (200 instead of 206)",
        script: |r| after_half(r, |_| Fault::NoRange),
        outcome: "ok, 1 retry",
        extra: HALF,
    },
    Row {
        fault: "range refused (416)",
        script: |r| {
            after_half(r, |nth| match nth {
                1 => answer("416 Range Not Satisfiable", "", "no"),
                _ => Fault::None,
            })
        },
        outcome: "ok, 2 retries",
        extra: HALF,
    },
    Row {
        fault: "wrong Content-Range",
        script: |r| {
            after_half(r, |nth| match nth {
                1 => answer(
                    "206 Partial Content",
                    "Content-Range: bytes 999999-1999998/2000000\r\n",
                    &layer()[999_999..1_999_999],
                ),
                _ => Fault::None,
            })
        },
        outcome: "ok, 2 retries",
        extra: HALF,
    },
    Row {
        fault: "Content-Range of another blob",
        script: |r| {
            after_half(r, |nth| match nth {
                1 => answer(
                    "206 Partial Content",
                    "Content-Range: bytes 1000000-1000009/3000000\r\n",
                    "0123456789",
                ),
                _ => Fault::None,
            })
        },
        outcome: "ok, 2 retries",
        extra: HALF,
    },
    Row {
        fault: "less than asked for, said so",
        script: |r| {
            after_half(r, |nth| match nth {
                1 => answer(
                    "206 Partial Content",
                    "Content-Range: bytes 1000000-1099999/2000000\r\n",
                    &layer()[1_000_000..1_100_000],
                ),
                _ => Fault::None,
            })
        },
        outcome: "ok, 1 retry",
        extra: 0,
    },
    Row {
        fault: "1000 bytes at a time, said so",
        script: |r| after_half(r, |_| crumb(r)),
        outcome: "REGISTRY_INTERRUPTED, part kept",
        extra: 0,
    },
    Row {
        fault: "compressed on the way",
        script: |_| answer("200 OK", "Content-Encoding: gzip\r\n", layer()),
        outcome: "IMAGE_MALFORMED, nothing kept",
        extra: 0,
    },
    Row {
        fault: "longer body",
        script: |_| Fault::Append(vec![0; 10]),
        outcome: "IMAGE_SIZE_MISMATCH, nothing kept",
        extra: 0,
    },
    Row {
        fault: "shorter body",
        script: |_| answer("200 OK", "", &layer()[..SIZE - 1]),
        outcome: "IMAGE_SIZE_MISMATCH, nothing kept",
        extra: 0,
    },
    Row {
        fault: "429 with Retry-After: 1",
        script: |r| {
            after_half(r, |nth| match nth {
                1 => answer("429 Too Many Requests", "Retry-After: 1\r\n", "later"),
                _ => Fault::None,
            })
        },
        outcome: "ok, 2 retries, one after 1 s",
        extra: 0,
    },
    Row {
        fault: "503 with Retry-After: 1",
        script: |r| {
            after_half(r, |nth| match nth {
                1 => answer("503 Service Unavailable", "Retry-After: 1\r\n", "later"),
                _ => Fault::None,
            })
        },
        outcome: "ok, 2 retries, one after 1 s",
        extra: 0,
    },
    Row {
        fault: "expired token",
        script: |r| {
            let authorization = r.header("authorization");
            match (r.nth, authorization) {
                (1, Some("Bearer t1")) => Fault::Close(HALF),
                (_, Some("Bearer t2")) => Fault::None,
                _ => challenge(r),
            }
        },
        outcome: "ok, 1 retry",
        extra: 0,
    },
];

/// The next thousand bytes of those that were asked for.
fn crumb(request: &Request) -> Fault {
    let range = request.header("range").unwrap();
    let from = range.trim_start_matches("bytes=").trim_end_matches('-');
    let from: usize = from.parse().unwrap();
    let to = (from + 1000).min(SIZE);
    let range = format!("Content-Range: bytes {from}-{}/{SIZE}\r\n", to - 1);
    answer("206 Partial Content", &range, &layer()[from..to])
}

fn challenge(request: &Request) -> Fault {
    let host = request.header("host").unwrap();
    let headers = format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\"\r\n");
    answer("401 Unauthorized", &headers, "")
}

/// The table, and what is checked for each row.
#[derive(Default)]
struct Table(String);

impl Table {
    fn row(&mut self, fault: &str, outcome: &str, extra: u64) {
        self.0 += &format!("| {fault} | {outcome} | {extra} |\n");
    }
}

struct Pulled {
    outcome: String,
    received: u64,
}

/// Keeps the longest wait that it was told of, and counts what came.
#[derive(Default)]
struct Waits(std::sync::Mutex<Duration>, std::sync::atomic::AtomicU64);

impl PullObserver for Waits {
    fn bytes(&self, _: usize, n: u64) {
        self.1.fetch_add(n, std::sync::atomic::Ordering::SeqCst);
    }

    fn retry(&self, _: usize, _: u32, _: &registry::RegistryError, delay: Duration) {
        let mut longest = self.0.lock().unwrap();
        *longest = delay.max(*longest);
    }
}

async fn transfer(client: &Registry, image: &ResolvedImage, dir: &Path) -> Pulled {
    let layout = OciLayout::create(dir).unwrap();
    let waits = Waits::default();
    let result = client
        .pull(image, &layout, &waits, &registry::CancellationToken::new())
        .await;
    let waited = waits.0.lock().unwrap().as_secs();
    match result {
        Ok(report) => {
            assert_eq!(blobs(dir).len(), 3, "{:?}", blobs(dir));
            let mut outcome = retries(report.retries);
            if waited > 0 {
                outcome += &format!(", one after {waited} s");
            }
            Pulled {
                outcome,
                received: report.downloaded + report.resumed,
            }
        }
        Err(error) => {
            let names = blobs(dir);
            assert!(names.iter().all(|n| n.ends_with(".partial")), "{names:?}");
            let partial = layout.blob_path(&image.layers[0].digest);
            let kept =
                std::fs::metadata(partial.with_extension("partial")).map_or(0, |found| found.len());
            let kept = match kept {
                0 => "nothing kept",
                _ => "part kept",
            };
            Pulled {
                outcome: format!("{}, {kept}", error.kind().as_str()),
                received: 0,
            }
        }
    }
}

/// A proxy that plays `script` for the layer alone, and hands out tokens.
fn proxy(upstream: SocketAddr, script: Script) -> FaultProxy {
    let name = digest(&layer());
    FaultProxy::start(upstream, move |request| {
        if request.target.starts_with("/token") {
            let body = format!(r#"{{"token":"t{}"}}"#, request.nth + 1);
            return answer("200 OK", "", body);
        }
        match request.target.contains(&name) {
            true => script(request),
            false => Fault::None,
        }
    })
    .unwrap()
}

async fn scripted(row: &Row, upstream: SocketAddr, table: &mut Table) {
    let proxy = proxy(upstream, row.script);
    let mut config = config(&[&proxy.host()]);
    match row.fault {
        // Nothing on a busy machine may look like another stall.
        "stall" => config.stall_timeout = Duration::from_secs(5),
        "stall for ever" => config.stall_timeout = Duration::from_millis(300),
        _ => {}
    }
    let client = Registry::new(config).unwrap();
    let name = reference(&format!("{}/app:v1", proxy.host()));
    let image = client.resolve(&name, &amd64()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let pulled = transfer(&client, &image, dir.path()).await;
    assert_eq!(pulled.outcome, row.outcome, "{}", row.fault);
    let extra = pulled.received.saturating_sub(SIZE as u64);
    assert_eq!(extra, row.extra, "{}", row.fault);
    table.row(row.fault, &pulled.outcome, extra);
}

/// A storage host whose addresses are good for one request each.
async fn expired_redirect(upstream: SocketAddr, table: &mut Table) {
    let storage = FaultProxy::start(([127, 0, 0, 1], 9).into(), |request| {
        assert_eq!(request.header("authorization"), None);
        let all = layer();
        match (request.target.as_str(), request.nth) {
            // Says that all comes, and ends half way.
            ("/blob?sig=1", 0) => answer("200 OK", "", &all[..]),
            ("/blob?sig=2", 0) => answer(
                "206 Partial Content",
                "Content-Range: bytes 1000000-1999999/2000000\r\n",
                &all[1_000_000..],
            ),
            _ => answer("403 Forbidden", "", "<Error>expired</Error>"),
        }
    })
    .unwrap();
    // The storage host is reached through one that breaks the first answer.
    let breaking = FaultProxy::start(storage.host().parse().unwrap(), |request| {
        match (request.target.as_str(), request.nth) {
            ("/blob?sig=1", 0) => Fault::Close(HALF),
            _ => Fault::None,
        }
    })
    .unwrap();
    let (host, name) = (breaking.host(), digest(&layer()));
    let front = FaultProxy::start(upstream, move |request| {
        if !request.target.contains(&name) {
            return Fault::None;
        }
        // The registry hands out the same address twice, and then a new one.
        let signature = if request.nth < 2 { 1 } else { 2 };
        let location = format!("Location: http://{host}/blob?sig={signature}\r\n");
        answer("307 Temporary Redirect", &location, "")
    })
    .unwrap();
    let client = Registry::new(config(&[&front.host()])).unwrap();
    let from = reference(&format!("{}/app:v1", front.host()));
    let image = client.resolve(&from, &amd64()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let pulled = transfer(&client, &image, dir.path()).await;
    assert_eq!(pulled.outcome, "ok, 2 retries");
    let extra = pulled.received - SIZE as u64;
    assert_eq!(extra, 0);
    let seen: Vec<String> = breaking.requests().into_iter().map(|r| r.target).collect();
    assert_eq!(seen, ["/blob?sig=1", "/blob?sig=1", "/blob?sig=2"]);
    table.row(
        "expired redirect (403 of the storage)",
        &pulled.outcome,
        extra,
    );
}

/// A mirror that dies in the middle, with the registry behind it.
async fn mirror_dies(upstream: SocketAddr, table: &mut Table) {
    let mirror = proxy(upstream, |request| match request.nth {
        0 => Fault::Close(HALF),
        _ => Fault::Reset(0),
    });
    let client = Registry::new(config(&[&mirror.host(), &upstream.to_string()])).unwrap();
    let primary = reference(&format!("{upstream}/app:v1"));
    let mut image = client.resolve(&primary, &amd64()).await.unwrap();
    image.endpoint = Some(Endpoint {
        reference: reference(&format!("{}/app:v1", mirror.host())),
        insecure: true,
        mirror: true,
    });
    let dir = tempfile::tempdir().unwrap();
    let pulled = transfer(&client, &image, dir.path()).await;
    assert_eq!(pulled.outcome, "ok, 4 retries");
    let extra = pulled.received - SIZE as u64;
    assert_eq!(extra, 0);
    table.row("mirror dies, registry goes on", &pulled.outcome, extra);
}

/// A process that is killed; the next one goes on.
async fn killed(upstream: SocketAddr, table: &mut Table) {
    let proxy = proxy(upstream, |request| match request.nth {
        0 => Fault::Stall(HALF + 500_000),
        _ => Fault::None,
    });
    let dir = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["--exact", "the_process_that_is_killed", "--nocapture"])
        .env(CHILD, format!("{} {}", proxy.host(), dir.path().display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map_while(Result::ok).any(|l| l.ends_with("half"));
    assert!(told, "the process ended before it was killed");
    child.kill().unwrap();
    child.wait().unwrap();

    let client = Registry::new(config(&[&proxy.host()])).unwrap();
    let name = reference(&format!("{}/app:v1", proxy.host()));
    let image = client.resolve(&name, &amd64()).await.unwrap();
    let layout = OciLayout::create(dir.path()).unwrap();
    let partial = layout.blob_path(&image.layers[0].digest);
    let kept = std::fs::metadata(partial.with_extension("partial")).unwrap();
    assert!(kept.len() > HALF / 2, "{kept:?}");
    let pulled = transfer(&client, &image, dir.path()).await;
    assert_eq!(pulled.outcome, "ok, 0 retries");
    let extra = pulled.received - SIZE as u64;
    assert_eq!(extra, 0);
    table.row("process killed, started again", &pulled.outcome, extra);
}

/// Says that half of the layer is here, and waits to be killed.
#[test]
fn the_process_that_is_killed() {
    let Ok(what) = std::env::var(CHILD) else {
        return;
    };
    struct Half(std::sync::atomic::AtomicU64);
    impl PullObserver for Half {
        fn bytes(&self, _: usize, n: u64) {
            let before = self.0.fetch_add(n, std::sync::atomic::Ordering::SeqCst);
            // Three batches have been handed over by then, so that two are written.
            if before < HALF + 490_000 && before + n >= HALF + 490_000 {
                println!("\nhalf");
            }
        }
    }
    let (host, dir) = what.split_once(' ').unwrap();
    let client = client(&[host]);
    let from = format!("{host}/app:v1");
    let half = Half(Default::default());
    run(pull(&client, &from, Path::new(dir), &half)).unwrap_err();
}

#[test]
fn what_goes_wrong_and_what_it_costs() {
    with_registry(|server| async move {
        let image = TestImage::new("amd64", vec![layer()]);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let upstream = server.address();
        let mut table = Table::default();
        for row in ROWS {
            scripted(row, upstream, &mut table).await;
        }
        expired_redirect(upstream, &mut table).await;
        mirror_dies(upstream, &mut table).await;
        killed(upstream, &mut table).await;
        let table = table.0;
        println!("| fault | outcome | bytes twice |\n|---|---|---|\n{table}");

        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pull.md");
        let docs = std::fs::read_to_string(docs).unwrap();
        assert!(docs.contains(&table), "docs/pull.md has another table");
    });
}
