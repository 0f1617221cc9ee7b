// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks: what is refused by one, and media that are compared with one.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use testkit::cmd::CommandExt as _;

use crate::bench::{Bench, Ended, root};

/// The lock of a medium with one package and one file.
fn lock() -> Value {
    json!({
        "version": 1,
        "builder": "0.0.1",
        "product": "debian-bootc",
        "productVersion": "",
        "suite": "trixie",
        "architecture": "amd64",
        "sourceDateEpoch": 1,
        "archive": "0a",
        "options": "0b",
        "tree": "0c",
        "layer": "0d",
        "tools": [],
        "packages": [{ "name": "libc6", "version": "2.41", "architecture": "amd64" }],
        "own": [],
        "images": [],
        "iso": { "name": "a.iso", "bytes": 0, "sha256": "" },
        "files": { "live/x": "0e" },
    })
}

fn write(bench: &Bench, lock: &Value) {
    fs::write(bench.path("a.lock.json"), lock.to_string()).unwrap();
}

#[test]
fn a_lock_of_something_else_is_refused() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    bench.distro("suite: trixie\n");
    let refused = || Ended::of(bench.refused().args(["--locked", "a.lock.json"]));
    refused().assert("CONFIG_INVALID", 2, &["a.lock.json"]);
    write(&bench, &json!({ "version": 1 }));
    refused().assert("CONFIG_INVALID", 2, &["a.lock.json"]);
    write(&bench, &lock());
    let words = [
        "a.lock.json",
        "builder: 0.0.1 then",
        "live-build tree: 0c then",
    ];
    refused().assert("LOCK_MISMATCH", 3, &words);
    bench.assert_nothing_made();
}

#[test]
fn a_medium_is_compared_with_its_lock() {
    buildroot::apt::ensure(&["xorriso"]).unwrap();
    let bench = Bench::new();
    let make = |version: &str| {
        for dir in ["medium/live", "medium/images"] {
            fs::create_dir_all(bench.path(dir)).unwrap();
        }
        let packages = format!("libc6:amd64\t{version}\n");
        fs::write(bench.path("medium/live/filesystem.packages"), packages).unwrap();
        fs::write(bench.path("medium/sha256sum.txt"), "0e  ./live/x\n").unwrap();
        Command::new("xorriso")
            .args(["-as", "mkisofs", "-quiet", "-r", "-o", "a.iso", "medium"])
            .current_dir(bench.dir())
            .run()
            .unwrap();
    };
    let verify = || Ended::of(&mut bench.program(&["verify", "a.iso"]));
    make("2.41");
    verify().assert("CONFIG_INVALID", 2, &["a.lock.json"]);
    let iso = fs::read(bench.path("a.iso")).unwrap();
    let sum = Command::new("sha256sum")
        .arg(bench.path("a.iso"))
        .read()
        .unwrap();
    let mut lock = lock();
    lock["iso"]["bytes"] = json!(iso.len());
    lock["iso"]["sha256"] = json!(sum.split(' ').next().unwrap());
    write(&bench, &lock);
    let ended = verify();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.out.contains("packages  1"), "{}", ended.out);

    make("2.42");
    let words = ["sha256: ", "package libc6: 2.41 then, 2.42 now"];
    verify().assert("MEDIUM_DIFFERS", 1, &words);
    // Where it is cut off, and where it never was one.
    fs::write(bench.path("a.iso"), &iso[..iso.len() / 2]).unwrap();
    verify().assert("MEDIUM_DIFFERS", 1, &[]);
    fs::write(bench.path("a.iso"), "no medium").unwrap();
    verify().assert("MEDIUM_DIFFERS", 1, &["filesystem.packages"]);
    fs::remove_file(bench.path("a.iso")).unwrap();
    verify().assert("IO", 1, &["a.iso"]);
}
