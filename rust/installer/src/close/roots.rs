// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which mounted targets there are, and what is never taken for one.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::mountinfo::{self, Mount};
use host::unmount;

use crate::handover;
use crate::target;

/// How the mount points begin that Calamares makes in a directory for
/// temporary files.
const PREFIX: &[u8] = b"calamares-root-";

/// Directories that a running system needs: nothing that holds one of them is
/// a target.
const LIVE: [&str; 14] = [
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/proc",
    "/root",
    "/run",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/var",
    "/var/tmp",
    "/run/user",
];
/// Where live systems keep the media that they run from.
const MEDIA: [&str; 3] = ["/run/live", "/run/initramfs", "/run/rootfsbase"];

/// The canonical path of a target at `root`; `None` when nothing is mounted.
///
/// # Errors
/// `TARGET_NOT_OWN_FILESYSTEM` when it is a part of the running system.
pub(super) fn mounted(mounts: &[Mount], root: &Path) -> Result<Option<PathBuf>> {
    let Ok(root) = root.canonicalize() else {
        return Ok(None);
    };
    if root.starts_with(handover::ROOT) {
        // The hand-over's own root, which is gone by now.
        return Ok(None);
    }
    if is_live(&root) {
        return Err(Error::new(
            Code::TargetNotOwnFilesystem,
            format!("{} is a part of the running system.", root.display()),
        )
        .why("It is not the mount point of a target.")
        .next("Name the directory where the target's root file system is mounted."));
    }
    match mountinfo::at(mounts, &root) {
        Some(mount) => target::refuse_live_system(mounts, mount).map(|()| Some(root)),
        // Calamares goes on when a root cannot be mounted.
        None if is_temporary(&root) && !unmount::below(mounts, &root).is_empty() => Ok(Some(root)),
        None => Ok(None),
    }
}

/// Mount points of Calamares below which one of `devices` is mounted.
pub(super) fn half_mounted(mounts: &[Mount], devices: &[PathBuf]) -> Vec<PathBuf> {
    let devices: Vec<PathBuf> = devices
        .iter()
        .filter_map(|d| d.canonicalize().ok())
        .collect();
    let mut roots: Vec<PathBuf> = Vec::new();
    for mount in mounts {
        let source = mount.source.canonicalize();
        if !source.is_ok_and(|source| devices.contains(&source)) {
            continue;
        }
        let root = mount
            .mount_point
            .ancestors()
            .find(|path| is_temporary(path));
        roots.extend(
            root.map(Path::to_owned)
                .filter(|root| !roots.contains(root)),
        );
    }
    roots
}

/// Whether Calamares made this directory for its target: `calamares-root-…` in
/// a directory for temporary files, where Python's `mkdtemp` makes it.
pub(super) fn is_temporary(path: &Path) -> bool {
    let named = |name: &OsStr| name.as_bytes().starts_with(PREFIX);
    let temporary = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    path.file_name().is_some_and(named)
        && path
            .parent()
            .is_some_and(|parent| temporary.iter().any(|dir| dir == parent))
}

fn is_live(root: &Path) -> bool {
    LIVE.iter().any(|dir| Path::new(dir).starts_with(root))
        || MEDIA.iter().any(|dir| root.starts_with(dir))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_running_system_is_no_target() {
        for (root, live) in [
            ("/", true),
            ("/run", true),
            ("/usr", true),
            ("/home", true),
            ("/var/tmp", true),
            ("/run/live/medium", true),
            ("/mnt", false),
            ("/mnt/home", false),
            ("/var/tmp/target", false),
            ("/tmp/calamares-root-x", false),
            ("/runtime", false),
        ] {
            assert_eq!(is_live(Path::new(root)), live, "{root}");
        }
        for root in ["/", "/usr/../etc", "/run"] {
            let error = mounted(&[], Path::new(root)).unwrap_err();
            assert_eq!(error.code, Code::TargetNotOwnFilesystem, "{root}");
        }
    }

    #[test]
    fn what_is_not_mounted_is_no_target() {
        let dir = tempfile::tempdir().unwrap();
        for root in [
            dir.path(),
            Path::new("/no/such/place"),
            Path::new(handover::ROOT),
        ] {
            assert_eq!(mounted(&mountinfo::read().unwrap(), root).unwrap(), None);
        }
    }

    #[test]
    fn temporary_mount_points() {
        for (path, temporary) in [
            ("/tmp/calamares-root-abc", true),
            ("/var/tmp/calamares-root-1", true),
            ("/tmp/calamares-root", false),
            ("/mnt/calamares-root-abc", false),
            ("/tmp/x/calamares-root-abc", false),
            ("/tmp/calamares-root-abc/boot", false),
            ("/", false),
        ] {
            assert_eq!(is_temporary(Path::new(path)), temporary, "{path}");
        }
    }

    #[test]
    fn half_mounted_targets_are_found_by_their_devices() {
        // Character devices that exist everywhere stand for partitions.
        let mounts = mountinfo::parse(
            "1 0 1:3 / / rw - ext4 /dev/null rw\n\
             2 1 1:5 / /tmp/calamares-root-a rw - ext4 /dev/zero rw\n\
             3 2 1:7 / /tmp/calamares-root-a/boot rw - ext4 /dev/full rw\n\
             4 1 1:7 / /tmp/calamares-root-b/boot rw - ext4 /dev/full rw\n\
             5 1 1:5 / /mnt rw - ext4 /dev/zero rw\n\
             6 1 1:8 / /tmp/calamares-root-c rw - ext4 /dev/random rw\n",
        )
        .unwrap();
        let found = |devices: &[&str]| {
            let devices: Vec<PathBuf> = devices.iter().map(PathBuf::from).collect();
            half_mounted(&mounts, &devices)
        };
        assert!(found(&[]).is_empty());
        assert!(
            found(&["/dev/null"]).is_empty(),
            "not below such a directory"
        );
        assert_eq!(
            found(&["/dev/zero", "/dev/full"]),
            [
                Path::new("/tmp/calamares-root-a"),
                Path::new("/tmp/calamares-root-b")
            ]
        );
    }
}
