// SPDX-License-Identifier: MIT OR Apache-2.0
//! The other commands, and what `build` says without building.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};
use testkit::cmd;

use crate::bench::{Bench, Ended, PROGRAM};
use crate::mirror::{Answer, Mirror};
use crate::traces;

/// The program as an ordinary user.
fn as_nobody(bench: &Bench, words: &[&str]) -> Command {
    let program = bench.path("program");
    testkit::program::copy(Path::new(PROGRAM), &program).unwrap();
    let mut command = match cmd::is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
            command.arg(&program);
            command
        }
        false => Command::new(&program),
    };
    command
        .args(words)
        .current_dir(bench.dir())
        .env("no_proxy", "127.0.0.1")
        .env("CALAMARES_BOOTC_CACHE", bench.cache());
    command
}

/// `build --type qcow2 container:latest`, with what projects around images have.
#[test]
fn a_container_of_the_registry_file_is_built() {
    let bench = Bench::new();
    fs::create_dir(bench.path(".config")).unwrap();
    fs::write(
        bench.path(".config/registry.yaml"),
        "registries: {one: {base_url: r.example, namespace: debian}}
containers: {container: \"{registry}/{namespace}/debian-bootc:{version}\"}
",
    )
    .unwrap();
    for (kind, part) in [
        (
            "qcow2",
            "to-disk --image r.example/debian/debian-bootc:latest",
        ),
        ("calamares", ".iso"),
    ] {
        let words = ["build", "-n", "--type", kind, "container:latest"];
        let ended = Ended::of(&mut bench.program(&words));
        assert_eq!(ended.status, Some(0), "{ended:?}");
        assert!(ended.out.contains(part), "{}", ended.out);
    }
}

#[test]
fn a_dry_run_needs_nothing_and_lists_every_file() {
    let bench = Bench::for_everybody();
    bench.distro("mirrors:\n  debian: http://mirror.invalid/debian\n");
    let words = ["build", "-n", "--config", "distro.yaml", "--output", "out"];
    let mut command = as_nobody(&bench, &words);
    let before = traces::entries_of(bench.dir());
    let ended = Ended::of(&mut command);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(traces::entries_of(bench.dir()), before);
    let stem = "out/debian-bootc-trixie-amd64";
    for name in [
        "lb bootstrap".to_owned(),
        "lb binary".to_owned(),
        "lb/config/package-lists/".to_owned(),
        "layer/".to_owned(),
        format!("{stem}.iso"),
        format!("{stem}.cdx.json"),
        format!("{stem}.packages"),
        format!("{stem}.lock.json"),
        format!("{stem}.json"),
        format!("{stem}.log"),
        "out/SHA256SUMS".to_owned(),
    ] {
        assert!(ended.out.contains(&name), "no {name}: {}", ended.out);
    }
}

#[test]
fn a_diagnosis_has_a_line_for_each_thing_and_fails_with_the_first() {
    let bench = Bench::for_everybody();
    let mirror = Mirror::start(Answer::Nothing);
    bench.distro_of(&mirror.url());
    let words = ["build", "--diagnose", "--config", "distro.yaml"];
    let ended = Ended::of(&mut as_nobody(&bench, &words));
    ended.assert("NOT_ROOT", 3, &["sudo"]);
    for name in [
        "root",
        "processor",
        "program mmdebstrap",
        "namespaces",
        "work directory",
        "output directory",
        "cache",
        "mirror",
    ] {
        let is_it = |line: &&str| {
            line.starts_with(&format!("ok    {name}: "))
                || line.starts_with(&format!("FAIL  {name}: "))
        };
        assert_eq!(
            ended.out.lines().filter(is_it).count(),
            1,
            "{name}: {ended:#?}"
        );
    }
    assert!(ended.out.contains("FAIL  mirror: "), "{ended:#?}");
    assert!(!bench.cache().exists());
    if !cmd::is_root() {
        return;
    }
    let mut command = bench.program(&words);
    let ended = Ended::of(command.env("CALAMARES_BOOTC_CACHE", bench.cache()));
    ended.assert("SUITE_UNKNOWN", 3, &[&mirror.url()]);
    assert!(ended.out.contains("ok    root: "), "{ended:#?}");
    bench.assert_nothing_made();
}

#[test]
fn what_init_writes_is_right_and_stays() {
    let bench = Bench::new();
    let run = |words: &[&str]| Ended::of(&mut bench.program(words));
    let ended = run(&["init"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let ended = run(&["validate", "--offline"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let file = bench.path("distro.yaml");
    fs::write(&file, "suite: forky\n").unwrap();
    run(&["init"]).assert("USAGE", 2, &["distro.yaml", "--force"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "suite: forky\n");
    let ended = run(&["init", "--force"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_ne!(fs::read_to_string(&file).unwrap(), "suite: forky\n");
}

/// Debian's own archive is asked, as for builds.
#[test]
fn validate_looks_for_the_packages() {
    let bench = Bench::new();
    bench.distro("packages:\n  - htop\n  - no-such-package-xyz\n");
    let validate = |words: &[&str]| {
        let words = [&["validate"], words].concat();
        Ended::of(&mut bench.program(&words))
    };
    let words = ["distro.yaml, line 3", "no-such-package-xyz", "trixie"];
    validate(&[]).assert("PACKAGE_UNKNOWN", 3, &words);
    let ended = validate(&["--offline"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    bench.distro("packages: [htop]\n");
    let ended = validate(&[]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
}

#[test]
fn clean_waits_for_no_build_and_removes_only_what_is_its_own() {
    let bench = Bench::new();
    let work = bench.work();
    fs::create_dir_all(work.join("lb/chroot/etc")).unwrap();
    for name in [
        "lb/chroot/etc/passwd",
        "layer.squashfs",
        "state.json",
        "state.json.partial",
        "mine",
    ] {
        fs::write(work.join(name), "").unwrap();
    }
    let clean = || Ended::of(&mut bench.program(&["clean", "--work", "work"]));

    // No work directory, as long as no build made it one.
    assert_eq!(clean().status, Some(0));
    assert!(work.join("lb/chroot/etc/passwd").exists());

    let file = File::create(work.join("lock")).unwrap();
    let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
    clean().assert("BUSY", 3, &["Another build"]);
    assert!(work.join("lb/chroot/etc/passwd").exists());

    drop(lock);
    let ended = clean();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(traces::entries_of(&work), [Path::new("mine")]);
}
