// SPDX-License-Identifier: MIT OR Apache-2.0
//! The surroundings of one test.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use tempfile::TempDir;
use testkit::cmd::CommandExt;
use testkit::registry::Registry;
use testkit::{apt, cmd};

use crate::cover::Cover;
use crate::disk::{Disk, Fs};
use crate::installer::Installer;
use crate::tiny::Tiny;
use crate::traces::{self, Traces};

/// What every test here runs.
const TOOLS: [&str; 3] = ["losetup", "mkfs.ext4", "unshare"];

/// The surroundings of one test: a directory, and a mount namespace of the
/// test's thread and of all that it starts, so that no mount can outlive it
/// and tests do not see each other's. Dropping it asserts that nothing is left.
#[derive(Debug)]
pub struct World {
    dir: TempDir,
    mounts: BTreeMap<String, String>,
    numbers: Cell<usize>,
}

impl World {
    /// Enters the surroundings; `None`, with a message, where that cannot be
    /// done. `tools` are the programs that this test needs besides the usual.
    ///
    /// # Panics
    /// When a tool is missing and `$CI` is set.
    pub fn enter(tools: &[&str]) -> Option<Self> {
        if !cmd::is_root() {
            eprintln!("skipped: loop devices and mounts need root");
            return None;
        }
        let tools: Vec<&str> = TOOLS.iter().chain(tools).copied().collect();
        let ready = apt::ensure(&tools).map_err(|error| format!("{error:#}"));
        let ready = ready.and_then(|()| {
            unshare(CloneFlags::CLONE_NEWNS)
                .and_then(|()| {
                    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
                    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)
                })
                .map_err(|errno| format!("no mount namespace: {errno}"))
        });
        if let Err(error) = ready {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("skipped: {error}");
            return None;
        }
        // Not /tmp, which may be in memory.
        let dir = tempfile::Builder::new()
            .prefix("failure-")
            .tempdir_in("/var/tmp")
            .unwrap();
        // One test runs the program as somebody else.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Some(Self {
            dir,
            mounts: traces::mounts(),
            numbers: Cell::new(0),
        })
    }

    /// The directory for everything that the test makes.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Gives the test a `/run` of its own, for what is made at a fixed place in it.
    #[must_use]
    pub fn with_own_run(mut self) -> Self {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(
            Some("tmpfs"),
            "/run",
            Some("tmpfs"),
            flags,
            Some("mode=0755"),
        )
        .unwrap();
        self.mounts = traces::mounts();
        self
    }

    /// A name in the directory that was not used before.
    pub fn new_path(&self, name: &str) -> PathBuf {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        self.dir.path().join(format!("{name}-{number}"))
    }

    /// Writes a file; gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.new_path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// A mounted file system of `size` bytes.
    pub fn disk(&self, fs: Fs, size: u64) -> Disk {
        Disk::make(self, fs, size)
    }

    /// A target for the tiny images.
    pub fn small_disk(&self) -> Disk {
        self.disk(Fs::Ext4, crate::GIB)
    }

    /// Takes a program away from this test and all that it starts.
    #[must_use]
    pub fn hide(&self, program: &str) -> Cover {
        Cover::new(program, &self.file("nothing", ""))
    }

    /// Puts a shell script in a program's place; in it, `$real` is the program.
    #[must_use]
    pub fn replace(&self, program: &str, script: &str) -> Cover {
        let real = self.new_path(program);
        testkit::program::copy(&cmd::find(program).unwrap(), &real).unwrap();
        let text = format!("#!/bin/sh\nreal={}\n{script}", real.display());
        let path = self.new_path("script");
        testkit::program::write(&path, &text).unwrap();
        Cover::new(program, &path)
    }

    /// A registry without TLS and login, and a reference to `image` in it.
    /// `None` where there can be no registry.
    pub fn serve(&self, image: &Tiny) -> Option<(Registry, String)> {
        if !testkit::registry::available() {
            return None;
        }
        apt::ensure(&["skopeo"]).unwrap();
        let registry = Registry::start().unwrap();
        let made = image.write(self);
        let reference = format!("{}/os/tiny:v1", registry.host());
        // All of it, where there is an index.
        Command::new("skopeo")
            .args([
                "--insecure-policy",
                "copy",
                "--quiet",
                "--all",
                "--preserve-digests",
            ])
            .args(["--dest-tls-verify=false", &made.reference()])
            .arg(format!("docker://{reference}"))
            .run()
            .unwrap();
        Some((registry, reference))
    }

    /// An installation of `image` onto what is mounted at `root`, without a
    /// boot loader.
    pub fn install(&self, image: &str, root: &Path) -> Installer<'_> {
        let mut installer = self.installer();
        installer = installer
            .args(["install", "--image", image, "--root"])
            .arg(root);
        installer.events()
    }

    /// An installation of `image` onto a whole disk; more arguments say which.
    pub fn to_disk(&self, image: &str) -> Installer<'_> {
        let installer = self.installer().args(["to-disk", "--image", image]);
        let target = ["--target-imgref", "r.example/os/tiny:v1"];
        installer.args(target).events()
    }

    /// The program with arguments of the test's own.
    pub fn installer(&self) -> Installer<'_> {
        Installer::new(self)
    }

    /// Loop devices that this file is behind.
    pub fn loops_of(&self, file: &Path) -> Vec<PathBuf> {
        let loops = traces::loops(self.dir()).into_iter();
        loops
            .filter(|(_, behind)| behind == file)
            .map(|(device, _)| device)
            .collect()
    }

    /// Asserts that nothing is mounted that was not there at the beginning,
    /// except `disks`.
    #[track_caller]
    pub fn assert_only_mounted(&self, disks: &[&Disk]) {
        let mut before = self.mounts.clone();
        for (number, line) in traces::mounts() {
            if disks.iter().any(|disk| line.contains(&disk.line_part())) {
                before.insert(number, line);
            }
        }
        traces::assert_no_new_mount(&before);
    }

    /// Waits until no loop device has a file of this directory behind it.
    pub fn wait_for_no_loop(&self) {
        traces::wait_until("no loop device", || self.traces().loops.is_empty());
    }

    /// Waits until no loop device has this file behind it.
    pub fn wait_for_no_loop_of(&self, file: &Path) {
        traces::wait_until("the loop device is free", || self.loops_of(file).is_empty());
    }

    /// Everything of an installation that a look from outside can find.
    pub(crate) fn traces(&self) -> Traces {
        Traces::of(self.dir())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that failed may have left a mount, even one of the running
        // system: removing the directory would reach into it.
        if traces::is_mounted_below(self.dir.path()) {
            eprintln!("left as it is, with mounts: {}", self.dir.path().display());
            self.dir.disable_cleanup(true);
        }
        if !std::thread::panicking() {
            traces::assert_no_new_mount(&self.mounts);
            self.traces().assert_no_process();
            // A dead namespace lets go of its mounts a moment after its last process.
            traces::wait_until("no loop device", || self.traces().loops.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// What is mounted there outlives a test that fails, even if it is the
    /// running system.
    #[test]
    fn a_failed_test_removes_nothing_through_a_mount() {
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("file");
        fs::write(&file, "x").unwrap();
        // In a thread of its own: the namespace is the thread's.
        let path = outside.path().to_owned();
        let test = std::thread::spawn(move || {
            let world = World::enter(&[])?;
            let place = world.new_path("bound");
            fs::create_dir(&place).unwrap();
            let flags = MsFlags::MS_BIND;
            mount(Some(&path), &place, None::<&str>, flags, None::<&str>).unwrap();
            let failed = catch_unwind(AssertUnwindSafe(move || {
                let _world = world;
                panic!("as a test does");
            }));
            assert!(failed.is_err());
            Some(place)
        });
        let Some(place) = test.join().unwrap() else {
            return;
        };
        assert!(file.exists());
        // The namespace has gone with its thread, and the mount with it.
        fs::remove_dir(&place).unwrap();
        fs::remove_dir(place.parent().unwrap()).unwrap();
    }
}
