// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole disks: files that the program makes, and loop devices that stand for
//! a disk in a machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::cmd::CommandExt;

use crate::world::World;

/// A loop device without a file system. Detached when dropped.
#[derive(Debug)]
pub struct Raw {
    device: PathBuf,
}

impl Raw {
    /// Behind it is `file`.
    pub fn of(file: &Path, options: &[&str]) -> Self {
        let mut losetup = Command::new("losetup");
        losetup.args(["--find", "--show"]).args(options).arg(file);
        let device = losetup.read().unwrap();
        let raw = Self {
            device: device.trim().into(),
        };
        // The kernel may have no parser for tables.
        Command::new("partx")
            .arg("--update")
            .arg(&raw.device)
            .run()
            .ok();
        raw
    }

    /// A blank one of so many bytes.
    pub fn blank(world: &World, size: u64) -> Self {
        let file = world.new_path("blank");
        File::create(&file).unwrap().set_len(size).unwrap();
        Self::of(&file, &[])
    }

    /// Gives it a partition table, by a script for sfdisk(8).
    pub fn table(&self, world: &World, script: &str) {
        let script = world.file("script", script);
        let line = "exec sfdisk -q --wipe always --no-reread --no-tell-kernel \"$0\" < \"$1\"";
        let mut sfdisk = Command::new("sh");
        sfdisk.args(["-c", line]).arg(&self.device).arg(script);
        sfdisk.run().unwrap();
        let mut partx = Command::new("partx");
        // It says so when there are no partitions.
        partx.arg("--update").arg(&self.device).run().ok();
    }

    /// Its node.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// The node of a partition.
    pub fn partition(&self, number: usize) -> PathBuf {
        format!("{}p{number}", self.device.display()).into()
    }

    /// A tag of a partition, as blkid(8) finds it.
    pub fn tag(&self, number: usize, tag: &str) -> String {
        let mut blkid = Command::new("blkid");
        blkid.args(["-p", "-s", tag, "-o", "value"]);
        let found = blkid.arg(self.partition(number)).read().unwrap();
        found.trim().to_owned()
    }

    /// Mounts a partition read-only, does `work` with it, and unmounts it.
    pub fn mounted<T>(&self, world: &World, number: usize, work: impl FnOnce(&Path) -> T) -> T {
        let at = world.new_path("mounted");
        fs::create_dir(&at).unwrap();
        let options = match self.tag(number, "TYPE").as_str() {
            "xfs" => "ro,nouuid",
            _ => "ro",
        };
        let mut mount = Command::new("mount");
        mount.args(["-o", options]).arg(self.partition(number));
        mount.arg(&at).run().unwrap();
        let done = work(&at);
        testkit::unmount(&at).unwrap();
        done
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        Command::new("partx")
            .arg("--delete")
            .arg(&self.device)
            .run()
            .ok();
        let mut losetup = Command::new("losetup");
        let gone = losetup.arg("--detach").arg(&self.device).run();
        assert!(gone.is_ok() || std::thread::panicking(), "{gone:?}");
    }
}
