// SPDX-License-Identifier: MIT OR Apache-2.0
//! A work directory whose disk fills up in the middle.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::posix_fallocate;
use testkit::apt;
use testkit::cmd::CommandExt;

use crate::bench::{Bench, Running, root};
use crate::traces;

/// More than a build asks for before it begins.
const SIZE: u64 = 6 << 30;

/// A file system of its own on the work directory. Unmounted by its path when
/// dropped; its loop device goes with it.
struct Disk(PathBuf);

impl Disk {
    fn on(bench: &Bench) -> Self {
        apt::ensure(&["mkfs.ext4"]).unwrap();
        let image = bench.path("disk");
        File::create(&image).unwrap().set_len(SIZE).unwrap();
        Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m", "0"])
            .arg(&image)
            .run()
            .unwrap();
        let work = bench.work();
        fs::create_dir(&work).unwrap();
        Command::new("mount")
            .args(["-o", "loop"])
            .arg(&image)
            .arg(&work)
            .run()
            .unwrap();
        Self(work)
    }

    /// Leaves not a block.
    fn fill(&self, name: &str) {
        let file = File::create(self.0.join(name)).unwrap();
        let mut length = 0;
        let mut step = SIZE;
        while step >= 4096 {
            let more = |step| posix_fallocate(&file, length, step);
            match more(i64::try_from(step).unwrap()) {
                Ok(()) => length += i64::try_from(step).unwrap(),
                Err(Errno::ENOSPC) => step /= 2,
                Err(errno) => panic!("{errno}"),
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let done = testkit::unmount(&self.0);
        assert!(done.is_ok() || std::thread::panicking(), "{done:?}");
    }
}

/// Fills the disk at the first line that begins like this.
fn full_at(begin: &str) {
    let bench = Bench::new();
    let disk = Disk::on(&bench);
    let mut running = Running::start(&bench);
    running.wait_for(begin);
    assert_ne!(traces::processes_of(bench.dir()), [] as [String; 0]);
    disk.fill("other");
    let ended = running.end();
    ended.assert("DISK_FULL", 1, &["--work", "log: "]);
    assert!(bench.state().contains(r#""chroot": null"#));
    bench.assert_nothing_left();
    drop(disk);
    assert_eq!(
        traces::loops_of(bench.dir()),
        [] as [&Path; 0],
        "the loop device is free"
    );
}

/// Set in the process that [`in_a_namespace_of_its_own`] starts.
const ALONE: &str = "BUILD_TEST_NAMESPACE";

/// Runs the test `name` in a process of its own with mounts of its own. Each
/// builder that runs beside it makes namespaces, which get a copy of all mounts
/// that it sees and keep their loop devices for as long as it runs.
fn in_a_namespace_of_its_own(name: &str, test: impl FnOnce()) {
    if !root() {
        return;
    }
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    // A name that no test has is no failure to the process.
    let passed = output.status.success() && told.contains("1 passed;");
    assert!(passed, "{name}: {}\n{told}", output.status);
}

#[test]
fn a_disk_that_fills_up_under_debootstrap() {
    in_a_namespace_of_its_own("full::a_disk_that_fills_up_under_debootstrap", || {
        full_at("I: Unpacking ");
    });
}

#[test]
fn a_disk_that_fills_up_under_dpkg() {
    in_a_namespace_of_its_own("full::a_disk_that_fills_up_under_dpkg", || {
        full_at("Unpacking calamares");
    });
}
