// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking for layouts and archives: in a directory, and on media that somebody
//! has plugged in and mounted. Nothing is mounted or written here, links are not
//! followed, and what cannot be read is passed over.

use std::path::{Path, PathBuf};

use host::mountinfo::Mount;

/// Most entries of a directory that are looked at; a photo collection is none of
/// ours.
const ENTRIES_MAX: usize = 1000;
/// Where udisks, and before it pmount, mount what is plugged in.
const BELOW: [&str; 2] = ["/media", "/run/media"];
/// Where live-boot has the medium that the system was started from.
const LIVE_MEDIUM: &str = "/run/live/medium";

/// What was found, each list in the order of names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Directories with an OCI image layout.
    pub(super) layouts: Vec<PathBuf>,
    /// Files that may be archives of one, by their names.
    pub(super) archives: Vec<PathBuf>,
}

/// Whether there is an OCI image layout in exactly this directory.
pub(super) fn is_layout(dir: &Path) -> bool {
    ["oci-layout", "index.json"]
        .iter()
        .all(|name| dir.join(name).symlink_metadata().is_ok_and(|m| m.is_file()))
}

/// Layouts and archives below `dir`, as many `levels` down. An archive is a file
/// whose name ends in `suffix`. What is within a layout is not looked at.
pub(super) fn scan(dir: &Path, levels: usize, suffix: &str) -> Found {
    let mut found = Found::default();
    walk(dir, levels, suffix, &mut found);
    found
}

fn walk(dir: &Path, levels: usize, suffix: &str, found: &mut Found) {
    let Ok(list) = std::fs::read_dir(dir) else {
        return;
    };
    let mut paths: Vec<PathBuf> = list
        .take(ENTRIES_MAX)
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        let Ok(kind) = path.symlink_metadata() else {
            continue;
        };
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if kind.is_file() && name.ends_with(suffix.as_bytes()) {
            found.archives.push(path);
        } else if kind.is_dir() && is_layout(&path) {
            found.layouts.push(path);
        } else if kind.is_dir() && levels > 1 {
            walk(&path, levels - 1, suffix, found);
        }
    }
}

/// Where media are mounted, in the order of their names: disks below `/media`
/// and `/run/media`, and the medium of the live system.
pub(super) fn media(mounts: &[Mount]) -> Vec<PathBuf> {
    let plugged_in = |at: &Path| {
        let below = |dir| at.starts_with(dir) && at != Path::new(dir);
        at == Path::new(LIVE_MEDIUM) || BELOW.into_iter().any(below)
    };
    let mut found: Vec<PathBuf> = mounts
        .iter()
        // A server that does not answer would hold up everything.
        .filter(|mount| mount.source.starts_with("/dev"))
        .map(|mount| mount.mount_point.clone())
        .filter(|at| plugged_in(at))
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use host::mountinfo;

    fn layout(dir: &Path) {
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join("oci-layout"), "{}").unwrap();
        std::fs::write(dir.join("index.json"), "{}").unwrap();
    }

    #[test]
    fn one_or_two_levels_in_order_and_no_links() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        for name in ["b", "a", "images/z", "images/y", "a/within", "deep/er/x"] {
            layout(&dir.join(name));
        }
        for name in [
            "2.oci.tar",
            "1.oci.tar",
            "other.tar",
            "images/3.oci.tar",
            "a/4.oci.tar",
        ] {
            std::fs::write(dir.join(name), "").unwrap();
        }
        std::fs::create_dir(dir.join("dir.oci.tar")).unwrap();
        std::fs::create_dir(dir.join("half")).unwrap();
        std::fs::write(dir.join("half/oci-layout"), "{}").unwrap();
        std::os::unix::fs::symlink("a", dir.join("link")).unwrap();
        std::os::unix::fs::symlink("1.oci.tar", dir.join("link.oci.tar")).unwrap();
        let pipe = dir.join("pipe.oci.tar");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let paths =
            |names: &[&str]| -> Vec<PathBuf> { names.iter().map(|name| dir.join(name)).collect() };
        for (levels, suffix, layouts, archives) in [
            (
                1,
                ".oci.tar",
                &["a", "b"][..],
                &["1.oci.tar", "2.oci.tar"][..],
            ),
            (
                1,
                ".tar",
                &["a", "b"],
                &["1.oci.tar", "2.oci.tar", "other.tar"],
            ),
            (
                2,
                ".oci.tar",
                &["a", "b", "images/y", "images/z"],
                &["1.oci.tar", "2.oci.tar", "images/3.oci.tar"],
            ),
        ] {
            let expected = Found {
                layouts: paths(layouts),
                archives: paths(archives),
            };
            assert_eq!(scan(dir, levels, suffix), expected, "{levels} {suffix}");
        }
        assert_eq!(scan(&dir.join("nothing"), 2, ".tar"), Found::default());
    }

    #[test]
    fn media_are_disks_in_their_places() {
        let mounts = mountinfo::parse(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
             2 1 8:17 / /media/user/STICK rw - vfat /dev/sdb1 rw\n\
             3 1 11:0 / /run/live/medium ro - iso9660 /dev/sr0 ro\n\
             4 1 8:33 / /run/media/user/My\\040Disk rw - ext4 /dev/sdc1 rw\n\
             5 1 8:33 / /run/media/user/My\\040Disk ro - ext4 /dev/sdc1 rw\n\
             6 1 0:50 / /media/nas rw - nfs4 server:/export rw\n\
             7 1 0:51 / /media rw - tmpfs tmpfs rw\n\
             8 1 8:2 / /media rw - ext4 /dev/sda2 rw\n\
             9 1 8:3 / /mediathek rw - ext4 /dev/sda3 rw\n\
             10 1 8:4 / /home rw - ext4 /dev/sda4 rw\n",
        )
        .unwrap();
        let expected = [
            "/media/user/STICK",
            "/run/live/medium",
            "/run/media/user/My Disk",
        ];
        assert_eq!(media(&mounts), expected.map(PathBuf::from));
    }
}
