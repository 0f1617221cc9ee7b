// SPDX-License-Identifier: MIT OR Apache-2.0
//! Targets: real file systems on loop devices.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::OFlag;
use testkit::cmd::CommandExt;

use crate::traces;
use crate::world::World;

/// A type of file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Fs {
    Ext2,
    Ext4,
    Xfs,
    Btrfs,
}

impl Fs {
    /// Its name for mount(8).
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext2 => "ext2",
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }

    /// The tool that makes it.
    pub fn tool(self) -> &'static str {
        match self {
            Self::Ext2 | Self::Ext4 => "mkfs.ext4",
            Self::Xfs => "mkfs.xfs",
            Self::Btrfs => "mkfs.btrfs",
        }
    }

    fn make(self, device: &Path) {
        let options: &[&str] = match self {
            Self::Ext2 => &["-q", "-F", "-t", "ext2"],
            Self::Ext4 => &["-q", "-F"],
            Self::Xfs | Self::Btrfs => &["-q", "-f"],
        };
        Command::new(self.tool())
            .args(options)
            .arg(device)
            .run()
            .unwrap();
    }
}

/// A mounted file system. Unmounted by its path and gone when dropped; the
/// kernel frees the loop device even when this process is killed.
#[derive(Debug)]
pub struct Disk {
    fs: Fs,
    device: PathBuf,
    mount_point: PathBuf,
    /// Keeps the loop device, which was told to go with its last user.
    _user: File,
}

impl Disk {
    pub(crate) fn make(world: &World, fs: Fs, size: u64) -> Self {
        let image = world.new_path("disk");
        File::create(&image).unwrap().set_len(size).unwrap();
        let device = Command::new("losetup")
            .args(["-f", "--show"])
            .arg(&image)
            .read()
            .unwrap();
        let device = PathBuf::from(device.trim_end());
        let user = File::open(&device).unwrap();
        Command::new("losetup")
            .arg("-d")
            .arg(&device)
            .run()
            .unwrap();
        let mount_point = world.new_path("target");
        fs::create_dir(&mount_point).unwrap();
        let disk = Self {
            fs,
            device,
            mount_point,
            _user: user,
        };
        fs.make(&disk.device);
        disk.mount("rw");
        disk
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount_point
    }

    /// Its loop device.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Mounts it with these options.
    pub fn mount(&self, options: &str) {
        self.mount_at(&self.mount_point, options);
    }

    /// Moves it to another mount point, which must exist.
    pub fn move_to(&mut self, mount_point: &Path) {
        self.unmount();
        self.mount_at(mount_point, "rw");
        self.mount_point = mount_point.to_owned();
    }

    fn mount_at(&self, mount_point: &Path, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-t", self.fs.name(), "-o", options]);
        mount.arg(&self.device).arg(mount_point).run().unwrap();
    }

    /// Unmounts it.
    pub fn unmount(&self) {
        testkit::unmount(&self.mount_point)
            .unwrap_or_else(|errno| panic!("{}: {errno}", self.mount_point.display()));
    }

    /// Whether it is mounted.
    pub fn is_mounted(&self) -> bool {
        !self.mounts().is_empty()
    }

    /// Its lines in the mount table.
    fn mounts(&self) -> Vec<String> {
        let device = format!(" {} ", self.device.display());
        let mut lines: Vec<_> = traces::mounts().into_values().collect();
        lines.retain(|line| line.contains(&device));
        lines
    }

    /// What its own line in the mount table holds, and no copy of it.
    pub(crate) fn line_part(&self) -> String {
        format!(" / {} ", self.mount_point.display())
    }

    /// Makes the file system anew, as a person does before another attempt.
    pub fn remake(&self) {
        if self.is_mounted() {
            self.unmount();
        }
        // A dead namespace lets go of its mounts a moment after its last process.
        traces::wait_until("the device is free", || {
            File::options()
                .read(true)
                .custom_flags(OFlag::O_EXCL.bits())
                .open(&self.device)
                .is_ok()
        });
        self.fs.make(&self.device);
        self.mount("rw");
    }

    /// Asserts that it can be written. One that was left frozen hangs whoever
    /// tries, and keeps its device even when it is unmounted.
    #[track_caller]
    pub fn assert_not_frozen(&self) {
        assert!(!self.thaw(), "the file system was left frozen");
    }

    /// Thaws it; false when there was nothing to thaw.
    fn thaw(&self) -> bool {
        let mut thaw = Command::new("fsfreeze");
        thaw.arg("--unfreeze").arg(&self.mount_point).run().is_ok()
    }

    /// The UUID of its file system.
    pub fn uuid(&self) -> String {
        let mut blkid = Command::new("blkid");
        blkid.args(["-p", "-s", "UUID", "-o", "value"]);
        blkid.arg(&self.device).read().unwrap().trim().to_owned()
    }

    /// Bytes that root can still write.
    pub fn free(&self) -> u64 {
        let space = nix::sys::statvfs::statvfs(&self.mount_point).unwrap();
        space.blocks_free() * space.fragment_size()
    }

    /// What is on it and how it is mounted.
    pub fn look(&self) -> Look {
        let mut entries = Vec::new();
        list(&self.mount_point, &self.mount_point, &mut entries);
        Look {
            entries,
            changed: changed(&self.mount_point),
            own: self.mounts(),
            all: traces::mounts(),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What the test found left must not keep the device for ever.
            traces::wait_for_the_end(self.mount_point.parent().unwrap());
            self.thaw();
        }
        if self.is_mounted() {
            match testkit::unmount(&self.mount_point) {
                Err(errno) if !std::thread::panicking() => panic!("unmounting: {errno}"),
                _ => {}
            }
        }
    }
}

/// A target at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    entries: Vec<String>,
    /// Time of the last change of the root directory's entries: a file that was
    /// made and removed again shows here.
    changed: (i64, i64),
    own: Vec<String>,
    all: BTreeMap<String, String>,
}

impl Look {
    /// Asserts that not even a temporary file was made since.
    #[track_caller]
    pub fn assert_untouched(&self, disk: &Disk) {
        let now = disk.look();
        self.assert_same(&now);
        assert_eq!(
            self.changed, now.changed,
            "something was made and removed again"
        );
    }

    /// Asserts that the target holds what it held, and is mounted as it was.
    #[track_caller]
    pub fn assert_as_before(&self, disk: &Disk) {
        self.assert_same(&disk.look());
    }

    #[track_caller]
    fn assert_same(&self, now: &Self) {
        assert_eq!(self.own, now.own, "mounted otherwise than before");
        traces::assert_no_new_mount(&self.all);
        assert_eq!(self.entries, now.entries, "other contents than before");
    }
}

fn changed(path: &Path) -> (i64, i64) {
    let meta = path.symlink_metadata().unwrap();
    (meta.ctime(), meta.ctime_nsec())
}

fn list(root: &Path, dir: &Path, entries: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        let name = path.strip_prefix(root).unwrap().display();
        let size = if meta.is_file() { meta.len() } else { 0 };
        entries.push(format!("{name} {:o} {size}", meta.mode()));
        if meta.is_dir() {
            list(root, &path, entries);
        }
    }
    entries.sort();
}
