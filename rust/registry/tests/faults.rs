// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bad networks and bad servers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::*;
use registry::{
    ClientConfig, ErrorKind, NoObserver, OciLayout, PullReport, Registry, RegistryError,
};
use testkit::fault_proxy::{Fault, FaultProxy, Request};

/// Pulls an image of one layer of `size` bytes through a proxy; `fault` is asked
/// for each request for that layer, with the number of those before it.
fn through(
    size: usize,
    stall_timeout: Duration,
    fault: impl Fn(usize, &Request) -> Fault + Send + Sync + 'static,
    check: impl FnOnce(Result<PullReport, RegistryError>, &Recorder, &FaultProxy, &std::path::Path),
) {
    with_registry(|server| async move {
        let layer = noise(9, size);
        let name = digest(&layer);
        let image = TestImage::new("amd64", vec![layer]);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let proxy = FaultProxy::start(server.address(), move |request| {
            if request.target.contains(&name) {
                fault(request.nth, request)
            } else {
                Fault::None
            }
        })
        .unwrap();
        let client = Registry::new(ClientConfig {
            stall_timeout,
            ..config(&[&proxy.host()])
        })
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let recorder = Recorder::default();
        let from = format!("{}/app:v1", proxy.host());
        let result = pull(&client, &from, dir.path(), &recorder).await;
        if result.is_ok() {
            assert_eq!(blobs(dir.path()).len(), 3);
            assert_eq!(recorder.total(), size as u64);
            assert_eq!(recorder.done(), [0]);
        } else {
            let layout = OciLayout::open(dir.path()).unwrap();
            assert!(layout.images().unwrap().is_empty());
            assert!(recorder.done().is_empty());
        }
        check(result, &recorder, &proxy, dir.path());
    });
}

const LONG: Duration = Duration::from_secs(60);
/// For a stall that comes for certain: long enough that on a busy machine
/// nothing else looks like one.
const SHORT: Duration = Duration::from_secs(5);

#[test]
fn a_reset_connection_is_resumed_where_it_broke() {
    let fault = |nth, _: &Request| match nth {
        0..=3 => Fault::Reset(1_000_000),
        _ => Fault::None,
    };
    through(6_000_000, LONG, fault, |result, recorder, proxy, _| {
        let report = result.unwrap();
        assert_eq!(report.retries, 4);
        assert_eq!(report.downloaded, 6_000_000, "nothing came twice");
        assert_eq!(*recorder.rewound.lock().unwrap(), 0);
        let ranges: Vec<String> = proxy
            .requests()
            .iter()
            .filter_map(|r| r.header("range").map(str::to_owned))
            .collect();
        // The first request asks for the whole, the others for what is missing.
        assert_eq!(ranges.len(), 4, "{ranges:?}");
        assert!(!ranges.iter().any(|r| r == "bytes=0-"), "{ranges:?}");
    });
}

#[test]
fn a_closed_connection_is_resumed() {
    let fault = |nth, _: &Request| match nth {
        0 => Fault::Close(2_000_000),
        1 => Fault::Close(0),
        _ => Fault::None,
    };
    through(3_000_000, LONG, fault, |result, _, _, _| {
        let report = result.unwrap();
        assert_eq!((report.retries, report.downloaded), (2, 3_000_000));
    });
}

#[test]
fn a_stalled_connection_is_given_up_and_resumed() {
    let fault = |nth, _: &Request| match nth {
        0 => Fault::Stall(1_000_000),
        _ => Fault::None,
    };
    through(2_000_000, SHORT, fault, |result, recorder, _, _| {
        let report = result.unwrap();
        assert_eq!((report.retries, report.downloaded), (1, 2_000_000));
        let retries = recorder.retries.lock().unwrap();
        assert!(retries[0].starts_with("Stalled: "), "{retries:?}");
    });
}

#[test]
fn a_server_that_stalls_for_ever_ends_the_pull() {
    let fault = |_, _: &Request| Fault::Stall(0);
    through(
        2_000_000,
        // Everything stalls, so that nothing can be taken for it.
        Duration::from_millis(300),
        fault,
        |result, recorder, _, _| {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Stalled);
            assert_eq!(recorder.retries.lock().unwrap().len(), 10);
        },
    );
}

#[test]
fn a_server_without_ranges_starts_the_layer_again() {
    let fault = |nth, _: &Request| match nth {
        0 => Fault::NoRangeReset(1_000_000),
        _ => Fault::NoRange,
    };
    through(2_000_000, LONG, fault, |result, recorder, _, _| {
        let report = result.unwrap();
        assert_eq!(report.retries, 1);
        let rewound = *recorder.rewound.lock().unwrap();
        assert_eq!(report.downloaded, 2_000_000 + rewound);
    });
}

#[test]
fn a_server_that_forgets_ranges_half_way_starts_the_layer_again() {
    let fault = |nth, _: &Request| match nth {
        0 => Fault::Close(1_000_000),
        _ => Fault::NoRange,
    };
    through(2_000_000, LONG, fault, |result, recorder, _, _| {
        assert_eq!(result.unwrap().downloaded, 3_000_000);
        assert_eq!(*recorder.rewound.lock().unwrap(), 1_000_000);
    });
}

#[test]
fn a_server_without_ranges_that_always_breaks_does_not_go_on_for_ever() {
    let fault = |_, _: &Request| Fault::NoRangeReset(1_000_000);
    through(2_000_000, LONG, fault, |result, _, proxy, _| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
        let tries = proxy.requests().iter().filter(|r| r.nth > 0).count();
        assert!(tries <= 30, "{tries}");
    });
}

#[test]
fn wrong_bytes_are_refused_and_not_kept() {
    for fault in [Fault::Flip(1_500_000), Fault::Flip(0)] {
        let fault = move |_, _: &Request| fault.clone();
        through(2_000_000, LONG, fault, |result, _, _, dir| {
            match result.unwrap_err() {
                RegistryError::DigestMismatch { expected, got, .. } => assert_ne!(expected, got),
                other => panic!("{other}"),
            }
            assert!(blobs(dir).is_empty(), "{:?}", blobs(dir));
        });
    }
}

#[test]
fn wrong_bytes_of_a_server_without_ranges_are_refused() {
    let wrong = |_, _: &Request| {
        let mut bytes = noise(9, 500_000);
        bytes[77] ^= 1;
        Fault::Answer("200 OK", String::new(), bytes)
    };
    through(500_000, LONG, wrong, |result, _, _, dir| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::DigestMismatch);
        assert!(blobs(dir).is_empty());
    });
}

#[test]
fn wrong_bytes_in_one_of_several_pieces_are_fetched_again() {
    let fault = |nth, _: &Request| match nth {
        0 => Fault::Close(500_000),
        1 => Fault::Flip(10_000),
        _ => Fault::None,
    };
    through(2_000_000, LONG, fault, |result, recorder, _, _| {
        assert_eq!(result.unwrap().downloaded, 4_000_000);
        assert_eq!(*recorder.rewound.lock().unwrap(), 2_000_000);
    });
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let fault = |_, _: &Request| Fault::Append(vec![0; 10]);
    through(300_000, LONG, fault, |result, _, _, dir| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::SizeMismatch);
        assert!(blobs(dir).is_empty());
    });
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let fault = |nth, _: &Request| match nth {
        0 | 1 => Fault::Answer("503 Service Unavailable", String::new(), b"busy".to_vec()),
        _ => Fault::None,
    };
    through(300_000, LONG, fault, |result, _, _, _| {
        assert_eq!(result.unwrap().retries, 2);
    });
}

#[test]
fn a_missing_layer_is_named() {
    let fault = |_, _: &Request| {
        let body = br#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"#;
        Fault::Answer("404 Not Found", String::new(), body.to_vec())
    };
    through(300_000, LONG, fault, |result, _, _, _| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("layer 1 of "), "{error}");
    });
}

/// A small tmpfs, unmounted by its exact path.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        if !testkit::cmd::is_root() {
            eprintln!("skipped: a full disk needs root to mount one");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(dir.path())
            .status()
            .unwrap();
        assert!(mounted.success());
        Some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = testkit::unmount(self.0.path());
        assert!(unmounted.is_ok() || std::thread::panicking());
    }
}

#[test]
fn a_full_disk_is_an_io_error_with_the_path() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    with_registry(|server| async move {
        let image = TestImage::amd64(2_000_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let name = format!("{}/app:v1", server.host());
        let client = client(&[&server.host()]);
        match pull(&client, &name, disk.0.path(), &NoObserver).await {
            Err(RegistryError::Io { path, source, .. }) => {
                assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
                assert_eq!(path.extension().unwrap(), "partial");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn what_is_no_file_is_not_resumed() {
    with_registry(|server| async move {
        let image = TestImage::amd64(100_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let dir = tempfile::tempdir().unwrap();
        let layout = OciLayout::create(dir.path()).unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "kept").unwrap();
        let layers: Vec<_> = image
            .layers
            .iter()
            .map(|l| digest(l).parse().unwrap())
            .collect();
        for (layer, target) in layers.iter().zip([Path::new("/dev/zero"), &victim]) {
            let partial = layout.blob_path(layer).with_extension("partial");
            std::os::unix::fs::symlink(target, &partial).unwrap();
        }
        let name = format!("{}/app:v1", server.host());
        let client = client(&[&server.host()]);
        pull(&client, &name, dir.path(), &NoObserver).await.unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "kept");
    });
}

#[test]
fn a_pull_does_not_wait_for_what_nobody_waits_for() {
    for (status, kind) in [
        ("429 Too Many Requests", ErrorKind::RateLimited),
        ("503 Service Unavailable", ErrorKind::Server),
    ] {
        let fault = move |nth, _: &Request| match nth {
            0 => Fault::Close(1_000_000),
            _ => Fault::Answer(status, "Retry-After: 3600\r\n".into(), Vec::new()),
        };
        // The waits of these tests are short ones, but their limit is not.
        through(2_000_000, LONG, fault, move |result, recorder, proxy, _| {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
            assert_eq!(recorder.retries.lock().unwrap().len(), 1, "{status}");
            let layer = proxy.requests().iter().filter(|r| r.nth > 0).count();
            assert_eq!(layer, 1, "{status}");
        });
    }
}
