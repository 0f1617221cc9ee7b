// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mounted target: what is mounted where, and whether it is empty.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::statfs::statfs;

use crate::process::CommandExt;

/// How long bootc waits before it overwrites what it takes for the host.
const HOST_ROOT_DELAY: Duration = Duration::from_secs(20);
const FILESYSTEMS: [&str; 3] = ["ext4", "xfs", "btrfs"];

/// One line of mountinfo (proc(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) point: PathBuf,
    pub(crate) fstype: String,
    pub(crate) source: String,
    /// Options of the mount and of its file system, comma-separated.
    pub(crate) options: String,
}

/// Parses `/proc/self/mountinfo`.
pub(crate) fn parse_mountinfo(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let left: Vec<&str> = left.split(' ').collect();
            let right: Vec<&str> = right.split(' ').collect();
            Some(Mount {
                point: PathBuf::from(unescape(left.get(4)?)),
                fstype: (*right.first()?).to_owned(),
                source: unescape(right.get(1)?),
                options: format!("{},{}", left.get(5)?, right.get(2)?),
            })
        })
        .collect()
}

/// Undoes mountinfo's `\040` octal escapes.
fn unescape(text: &str) -> String {
    ["\\040", "\\011", "\\012", "\\134"]
        .iter()
        .zip([" ", "\t", "\n", "\\"])
        .fold(text.to_owned(), |text, (escape, plain)| {
            text.replace(escape, plain)
        })
}

/// The target root with the mounts that matter.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) root: PathBuf,
    mounts: Vec<Mount>,
}

impl Target {
    /// Checks that `path` is the mount point of a file system that bootc
    /// installs to.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let root = fs::canonicalize(path).with_context(|| format!("Opening {}", path.display()))?;
        let text =
            fs::read_to_string("/proc/self/mountinfo").context("reading /proc/self/mountinfo")?;
        let target = Self {
            root,
            mounts: parse_mountinfo(&text),
        };
        let Some(mount) = target.mount_at(&target.root) else {
            bail!("Not a mountpoint: {}", path.display());
        };
        if !FILESYSTEMS.contains(&mount.fstype.as_str()) {
            bail!("Unknown filesystem: {}", mount.fstype);
        }
        Ok(target)
    }

    /// The topmost mount exactly at `point`.
    fn mount_at(&self, point: &Path) -> Option<&Mount> {
        self.mounts.iter().rev().find(|mount| mount.point == point)
    }

    /// Whether /boot of the target is a file system of its own.
    pub(crate) fn has_boot(&self) -> bool {
        self.mount_at(&self.root.join("boot")).is_some()
    }

    /// The subvolume that a btrfs root is mounted from.
    pub(crate) fn subvol(&self) -> Option<String> {
        let mount = self.mount_at(&self.root)?;
        subvol(mount)
    }

    /// `UUID=…` of the file system mounted at `sub` (empty for the root).
    pub(crate) fn uuid_spec(&self, sub: &str) -> Result<String> {
        let point = if sub.is_empty() {
            self.root.clone()
        } else {
            self.root.join(sub)
        };
        let Some(mount) = self.mount_at(&point) else {
            bail!("Not a mountpoint: {}", point.display());
        };
        // blkid answers 2 for a device without a UUID.
        let source = mount.source.clone();
        let found = Command::new("blkid")
            .args(["-c", "/dev/null", "-s", "UUID", "-o", "value"])
            .arg(&source)
            .read();
        match found.map(|uuid| uuid.trim().to_owned()) {
            Ok(uuid) if !uuid.is_empty() => Ok(format!("UUID={uuid}")),
            Ok(_) | Err(_) => bail!("No filesystem uuid found in target root"),
        }
    }

    /// Warns and waits when the target looks like the file system that the
    /// machine runs from.
    pub(crate) fn host_root_warning(&self, acknowledged: bool) -> Result<()> {
        let host = statfs("/proc/1/root")
            .context("Inspecting /proc/1/root")?
            .filesystem_id();
        let ours = statfs(&self.root)
            .with_context(|| format!("Inspecting {}", self.root.display()))?
            .filesystem_id();
        if host != ours || acknowledged {
            return Ok(());
        }
        eprintln!(
            "WARNING: This operation will OVERWRITE THE BOOTED HOST ROOT FILESYSTEM and is NOT REVERSIBLE."
        );
        eprintln!(
            "Waiting {}s to continue; interrupt (Control-C) to cancel.",
            HOST_ROOT_DELAY.as_secs()
        );
        std::thread::sleep(HOST_ROOT_DELAY);
        Ok(())
    }

    /// The target may hold mount points, lost+found, and directories of
    /// nothing but those; even an empty directory is too much.
    pub(crate) fn require_empty(&self) -> Result<()> {
        for name in names(&self.root)? {
            let path = self.root.join(&name);
            if name == "lost+found" || self.mount_at(&path).is_some() {
                continue;
            }
            if !path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
                bail!("Non-empty root filesystem; found {name:?}");
            }
            self.only_mount_points(&path, &name)
                .context("Requiring directory contains only mount points")?;
        }
        Ok(())
    }

    fn only_mount_points(&self, dir: &Path, shown: &str) -> Result<()> {
        let names = names(dir)?;
        if names.is_empty() {
            bail!("Found empty directory: {shown}");
        }
        for name in names {
            let path = dir.join(&name);
            let shown = format!("{shown}/{name}");
            if name == "lost+found" || self.mount_at(&path).is_some() {
                continue;
            }
            if !path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
                bail!("Found entry: {shown}");
            }
            self.only_mount_points(&path, &shown)?;
        }
        Ok(())
    }

    /// Removes all content, not following mounts. Like bootc it stops at the
    /// immutable bit of an old deployment, half way.
    pub(crate) fn wipe(&self) -> Result<()> {
        let device = self.root.metadata().context("Inspecting target")?.dev();
        self.wipe_dir(&self.root, device)
    }

    fn wipe_dir(&self, dir: &Path, device: u64) -> Result<()> {
        for name in names(dir)? {
            let path = dir.join(&name);
            let meta = path
                .symlink_metadata()
                .with_context(|| format!("Inspecting {name}"))?;
            if self.mount_at(&path).is_some() || meta.dev() != device {
                continue;
            }
            if !meta.is_dir() {
                fs::remove_file(&path)?;
                continue;
            }
            self.wipe_dir(&path, device)?;
            match fs::remove_dir(&path) {
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Free bytes for the repository: what is available less the share that
    /// ostree keeps back.
    pub(crate) fn available(&self) -> Result<u64> {
        const MIN_FREE_PERCENT: u64 = 3;
        let fs =
            statfs(&self.root).with_context(|| format!("Inspecting {}", self.root.display()))?;
        let block = u64::try_from(fs.block_size()).unwrap_or(4096);
        let kept = fs.blocks() * block / 100 * MIN_FREE_PERCENT;
        Ok((fs.blocks_available() * block).saturating_sub(kept))
    }
}

fn subvol(mount: &Mount) -> Option<String> {
    if mount.fstype != "btrfs" {
        return None;
    }
    mount
        .options
        .split(',')
        .find_map(|option| option.strip_prefix("subvol="))
        .map(str::to_owned)
}

fn names(dir: &Path) -> Result<Vec<String>> {
    let mut names = fs::read_dir(dir)
        .and_then(|entries| {
            entries
                .map(|e| e.map(|e| e.file_name().to_string_lossy().into_owned()))
                .collect::<std::io::Result<Vec<_>>>()
        })
        .with_context(|| format!("Reading {}", dir.display()))?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const INFO: &str = "\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 22 7:1 / /run/my\\040target rw,relatime shared:1 - btrfs /dev/loop1 rw,subvolid=256,subvol=/@
41 40 7:2 / /run/my\\040target/boot rw - ext4 /dev/loop2 rw
";

    #[test]
    fn mountinfo_parses() {
        let mounts = parse_mountinfo(INFO);
        assert_eq!(mounts.len(), 3);
        assert_eq!(mounts[1].point, Path::new("/run/my target"));
        assert_eq!(
            (mounts[1].fstype.as_str(), mounts[1].source.as_str()),
            ("btrfs", "/dev/loop1")
        );
        assert_eq!(subvol(&mounts[1]).as_deref(), Some("/@"));
        assert_eq!(subvol(&mounts[0]), None);
    }

    /// Lays out `files` (a trailing slash makes a directory) and says which of
    /// them are mount points.
    fn target(dir: &Path, files: &[&str], mounts: &[&str]) -> Target {
        for file in files {
            let path = dir.join(file);
            if file.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
        }
        let mount = |point: &&str| Mount {
            point: dir.join(point),
            fstype: "ext4".into(),
            source: "/dev/x".into(),
            options: "rw".into(),
        };
        Target {
            root: dir.to_owned(),
            mounts: mounts.iter().map(mount).collect(),
        }
    }

    #[test]
    fn emptiness_is_tested_as_bootc_does() {
        let ok = "";
        let cases: [(&[&str], &[&str], &str); 7] = [
            (&["lost+found/"], &[], ok),
            (
                &["boot/", ".bootc-scratch/oci/x"],
                &["boot", ".bootc-scratch"],
                ok,
            ),
            (&["boot/efi/"], &["boot/efi"], ok),
            (
                &[".bootc-aleph.json"],
                &[],
                "Non-empty root filesystem; found \".bootc-aleph.json\"",
            ),
            (
                &["boot/"],
                &[],
                "Requiring directory contains only mount points: Found empty directory: boot",
            ),
            (
                &["boot/grub/x"],
                &[],
                "Requiring directory contains only mount points: Found entry: boot/grub/x",
            ),
            (
                &["a", "boot/"],
                &["boot"],
                "Non-empty root filesystem; found \"a\"",
            ),
        ];
        for (files, mounts, expected) in cases {
            let dir = tempfile::tempdir().unwrap();
            let found = target(dir.path(), files, mounts)
                .require_empty()
                .err()
                .map_or_else(String::new, |error| format!("{error:#}"));
            assert_eq!(found, expected, "{files:?} {mounts:?}");
        }
    }

    #[test]
    fn wiping_leaves_mount_points_alone() {
        let dir = tempfile::tempdir().unwrap();
        let target = target(dir.path(), &["a/b/c", "boot/efi/x", "f"], &["boot"]);
        target.wipe().unwrap();
        assert_eq!(names(dir.path()).unwrap(), ["boot"]);
        assert!(dir.path().join("boot/efi/x").exists());
    }
}
