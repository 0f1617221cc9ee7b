// SPDX-License-Identifier: MIT OR Apache-2.0
//! Letting go of swap areas and encrypted volumes.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use contract::octal;
use host::cancel::Cancel;
use host::cmd::Tool;

use super::Mapping;
use crate::target::split_dev;

/// How the device mapper's id of an encrypted volume begins.
const CRYPT: &str = "CRYPT-";

/// Stops swapping to `device`; false when nobody does.
pub(super) fn swap_off(device: &Path) -> Result<bool> {
    let path = Path::new("/proc/swaps");
    let table = fs::read_to_string(path).map_err(|err| Error::io("reading", path, &err))?;
    let Some(number) = number(device) else {
        return Ok(false);
    };
    if !swaps(&table).any(|swap| self::number(&swap) == Some(number)) {
        return Ok(false);
    }
    Tool::new("swapoff")
        .arg("--")
        .arg(device)
        .failing_as(Code::FinishFailed)
        .run(&Cancel::new())
        .map(|_| true)
}

/// Locks an encrypted volume; false when it is not open, or when the mapping
/// of this name is of something else.
pub(super) fn lock(mapping: &Mapping) -> Result<bool> {
    let node = Path::new("/dev/mapper").join(&mapping.name);
    let (Some(mapped), Some(partition)) = (number(&node), number(&mapping.device)) else {
        return Ok(false);
    };
    let (major, minor) = split_dev(mapped);
    let sys = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    if !is_of(&sys, split_dev(partition)) {
        tracing::warn!(name = mapping.name, "another volume has this name");
        return Ok(false);
    }
    Tool::new("cryptsetup")
        .args(["close", "--"])
        .arg(&mapping.name)
        .failing_as(Code::FinishFailed)
        .run(&Cancel::new())
        .map(|_| true)
}

/// The paths in `/proc/swaps`.
fn swaps(table: &str) -> impl Iterator<Item = PathBuf> + '_ {
    table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .filter_map(octal::decode)
        .map(PathBuf::from)
}

/// Whether the mapping described in `sys` is an encrypted volume that lies on
/// this partition.
fn is_of(sys: &Path, partition: (u32, u32)) -> bool {
    let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let (major, minor) = partition;
    let slaves = fs::read_dir(sys.join("slaves")).into_iter().flatten();
    text(&sys.join("dm/uuid")).starts_with(CRYPT)
        && slaves
            .flatten()
            .any(|slave| text(&slave.path().join("dev")).trim() == format!("{major}:{minor}"))
}

/// Device number of a block device; `None` when there is none of this name.
fn number(device: &Path) -> Option<u64> {
    let meta = fs::metadata(device).ok()?;
    meta.file_type().is_block_device().then(|| meta.rdev())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn swap_areas() {
        let table = "Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                     /dev/sda2                               partition\t1 0 -2\n\
                     /swap\\040file                           file\t\t1 0 -3\n";
        let found: Vec<_> = swaps(table).collect();
        assert_eq!(found, [Path::new("/dev/sda2"), Path::new("/swap file")]);
        assert_eq!(swaps("").count(), 0);
    }

    #[test]
    fn what_is_no_block_device_is_left_alone() {
        assert!(!swap_off(Path::new("/dev/null")).unwrap());
        assert!(!swap_off(Path::new("/no/such/device")).unwrap());
        let mapping = Mapping {
            name: "no-such-mapping".into(),
            device: "/no/such/device".into(),
        };
        assert!(!lock(&mapping).unwrap());
    }

    #[test]
    fn only_an_encrypted_volume_on_the_same_partition() {
        let sys = tempfile::tempdir().unwrap();
        let file = |path: &str, text: &str| {
            let path = sys.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert!(!is_of(sys.path(), (8, 3)));
        file("slaves/sda3/dev", "8:3\n");
        file("dm/uuid", "LVM-abc\n");
        assert!(!is_of(sys.path(), (8, 3)));
        file("dm/uuid", "CRYPT-LUKS2-abc-luks-abc\n");
        assert!(is_of(sys.path(), (8, 3)));
        assert!(!is_of(sys.path(), (8, 33)));
    }
}
