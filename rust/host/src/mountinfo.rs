// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's list of mounts, `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use contract::octal::decode;

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Mount id.
    pub id: u64,
    /// Id of the mount that this one is mounted on.
    pub parent: u64,
    /// Major and minor device number of the superblock. On btrfs it differs
    /// from the `st_dev` of files in a subvolume.
    pub device: (u32, u32),
    /// The directory within the file system that is mounted; anything but `/`
    /// is a bind mount of a directory or, on btrfs, a subvolume.
    pub root: PathBuf,
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Options of this mount.
    pub options: Vec<String>,
    /// File system type.
    pub fs_type: String,
    /// What is mounted, usually a block device.
    pub source: PathBuf,
    /// Options of the superblock.
    pub super_options: Vec<String>,
}

impl Mount {
    /// Whether writing is refused, by the mount or by the file system.
    pub fn is_read_only(&self) -> bool {
        self.options
            .iter()
            .chain(&self.super_options)
            .any(|o| o == "ro")
    }
}

/// Parses the whole list, in the kernel's order: later mounts cover earlier ones.
pub fn parse(text: &str) -> Result<Vec<Mount>> {
    text.lines()
        .enumerate()
        .map(|(i, line)| {
            parse_line(line).ok_or_else(|| {
                Error::new(Code::Internal, "The list of mounts cannot be understood.")
                    .detail(format!("/proc/self/mountinfo, line {}: {line}", i + 1))
            })
        })
        .collect()
}

/// Reads the list of the calling thread's mount namespace, which can be another
/// one than that of the process's first thread.
pub fn read() -> Result<Vec<Mount>> {
    let path = Path::new("/proc/thread-self/mountinfo");
    let bytes = std::fs::read(path).map_err(|e| Error::io("reading", path, &e))?;
    // A path that is not UTF-8 elsewhere must not stop us; as a target it is
    // simply not found.
    parse(&String::from_utf8_lossy(&bytes))
}

/// The mount visible at exactly `path`, which is the last one listed.
pub fn at<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    mounts.iter().rev().find(|m| m.mount_point == path)
}

/// The mount that `path` (absolute, without links) lies on.
pub fn covering<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    path.ancestors().find_map(|p| at(mounts, p))
}

fn parse_line(line: &str) -> Option<Mount> {
    // A separator of its own ends the optional fields, whose number varies.
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ');
    let id = left.next()?.parse().ok()?;
    let parent = left.next()?.parse().ok()?;
    let (major, minor) = left.next()?.split_once(':')?;
    let device = (major.parse().ok()?, minor.parse().ok()?);
    let root = decode(left.next()?)?.into();
    let mount_point = decode(left.next()?)?.into();
    let options = options(left.next()?);
    // Some file systems leave the source empty, which shows as two spaces.
    let mut right = right.splitn(3, ' ');
    Some(Mount {
        id,
        parent,
        device,
        root,
        mount_point,
        options,
        fs_type: decode(right.next()?)?,
        source: decode(right.next()?)?.into(),
        super_options: options_or_none(right.next()),
    })
}

fn options(field: &str) -> Vec<String> {
    field.split(',').map(str::to_owned).collect()
}

fn options_or_none(field: Option<&str>) -> Vec<String> {
    field.map(options).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(line: &str) -> Mount {
        parse(line).unwrap().remove(0)
    }

    #[test]
    fn an_ordinary_line() {
        let m = one("36 35 98:3 / /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue");
        assert_eq!((m.id, m.parent, m.device), (36, 35, (98, 3)));
        assert_eq!(m.root, Path::new("/"));
        assert_eq!(m.mount_point, Path::new("/mnt"));
        assert_eq!(m.options, ["rw", "noatime"]);
        assert_eq!(m.fs_type, "ext3");
        assert_eq!(m.source, Path::new("/dev/root"));
        assert_eq!(m.super_options, ["rw", "errors=continue"]);
    }

    #[test]
    fn variants() {
        // line, mount point, root, source, read-only
        let table = [
            (
                r"1 2 8:1 / /mnt/My\040Disk\011x rw - ext4 /dev/sda1 rw",
                "/mnt/My Disk\tx",
                "/",
                "/dev/sda1",
                false,
            ),
            (
                r"1 2 8:1 / /mnt/back\134slash rw shared:1 master:2 propagate_from:3 - ext4 /dev/sda1 rw",
                r"/mnt/back\slash",
                "/",
                "/dev/sda1",
                false,
            ),
            (
                r"1 2 8:1 /a\040b /t rw - ext4 /dev/disk/by-label/a\043b rw",
                "/t",
                "/a b",
                "/dev/disk/by-label/a#b",
                false,
            ),
            (
                "1 2 0:40 /@ /t ro - btrfs /dev/sdb2 rw,subvolid=256,subvol=/@",
                "/t",
                "/@",
                "/dev/sdb2",
                true,
            ),
            (
                "1 2 8:1 / /t rw - ext4 /dev/sda1 ro",
                "/t",
                "/",
                "/dev/sda1",
                true,
            ),
            ("1 2 0:9 / /t rw - tmpfs  rw,size=4k", "/t", "/", "", false),
            (
                "1 2 0:9 net:[4026531840] /run/ns rw - nsfs nsfs rw",
                "/run/ns",
                "net:[4026531840]",
                "nsfs",
                false,
            ),
            (
                "1 2 8:1 / /mnt/größe rw - ext4 /dev/sda1 rw",
                "/mnt/größe",
                "/",
                "/dev/sda1",
                false,
            ),
        ];
        for (line, mount_point, root, source, ro) in table {
            let m = one(line);
            assert_eq!(m.mount_point, Path::new(mount_point), "{line}");
            assert_eq!(m.root, Path::new(root), "{line}");
            assert_eq!(m.source, Path::new(source), "{line}");
            assert_eq!(m.is_read_only(), ro, "{line}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        for bad in [
            "1 2 8:1 / /t rw ext4 /dev/sda1 rw",
            "1 2 8 / /t rw - ext4 /dev/sda1 rw",
            "x 2 8:1 / /t rw - ext4 /dev/sda1 rw",
            r"1 2 8:1 / /t\04 rw - ext4 /dev/sda1 rw",
            r"1 2 8:1 / /t\999 rw - ext4 /dev/sda1 rw",
            r"1 2 8:1 / /t\777 rw - ext4 /dev/sda1 rw",
            "1 2 8:1 / /t",
        ] {
            let err = parse(&format!("1 2 8:1 / / rw - ext4 /dev/sda1 rw\n{bad}\n")).unwrap_err();
            assert!(err.details[0].contains("line 2"), "{bad}: {err:?}");
        }
    }

    #[test]
    fn the_last_mount_counts() {
        let mounts = parse(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
             2 1 8:2 / /mnt rw - ext4 /dev/sda2 rw\n\
             3 2 8:3 / /mnt rw - xfs /dev/sda3 rw\n",
        )
        .unwrap();
        assert_eq!(at(&mounts, Path::new("/mnt")).unwrap().id, 3);
        assert!(at(&mounts, Path::new("/mn")).is_none());
        assert_eq!(covering(&mounts, Path::new("/mnt/a/b")).unwrap().id, 3);
        assert_eq!(covering(&mounts, Path::new("/mntx")).unwrap().id, 1);
    }

    #[test]
    fn this_machine() {
        let mounts = read().unwrap();
        assert!(at(&mounts, Path::new("/")).is_some());
    }
}
