// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of a plan that makes the target: a whole disk, or a file that
//! becomes one, with its partitions and file systems.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::size::human;

/// Where a disk that the engine makes is mounted, in a mount namespace of the
/// engine's own: `target.root` of a plan with a disk.
pub const DISK_ROOT: &str = "/run/bootc-to-disk/root";

/// Partitions begin and end at multiples of this many bytes.
pub const ALIGNMENT: u64 = 1 << 20;

/// Primary partitions of an MBR.
const MBR_MAX: usize = 4;

/// Bytes of `ext4` or another file system below which nothing fits.
const SMALLEST: u64 = 16 << 20;

/// A disk that is partitioned, and what happens to what was there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiskPlan {
    /// A whole disk: a block device. Either this or `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// A file that is made, sparse. It has this name once it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Bytes of the file; a device has its own size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Which partition table.
    #[serde(default)]
    pub table: Table,
    /// The partitions in their order. The root is the last one.
    pub partitions: Vec<PartitionPlan>,
    /// The person agreed that everything on the device is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wipe: bool,
    /// The person agreed that a file of this name is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
}

/// A partition table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    /// GUID partition table (UEFI specification, chapter 5).
    #[default]
    Gpt,
    /// Master boot record with four primary partitions.
    Mbr,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartitionPlan {
    /// What it is for.
    pub kind: PartitionKind,
    /// Bytes, a multiple of [`ALIGNMENT`]; the root has the rest without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// File system of `root` and `boot`, `ext4` without it. An ESP is always
    /// vfat, and a BIOS boot partition has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fs_type: Option<DiskFs>,
}

/// What a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionKind {
    /// Room for GRUB's core image on a GPT.
    BiosBoot,
    /// EFI system partition, mounted at `/boot/efi`.
    Esp,
    /// `/boot` of its own.
    Boot,
    /// The root file system.
    Root,
}

/// A file system that bootc installs onto.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskFs {
    /// ext4.
    #[default]
    Ext4,
    /// XFS.
    Xfs,
    /// btrfs, without subvolumes.
    Btrfs,
}

impl DiskFs {
    /// Its name for mount(8).
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }
}

impl fmt::Display for DiskFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DiskFs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ext4" => Ok(Self::Ext4),
            "xfs" => Ok(Self::Xfs),
            "btrfs" => Ok(Self::Btrfs),
            _ => Err("it must be ext4, xfs or btrfs".into()),
        }
    }
}

/// What is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium<'a> {
    /// A block device.
    Device(&'a Path),
    /// A file of so many bytes, which does not exist yet.
    File(&'a Path, u64),
}

impl DiskPlan {
    /// What is written to; `PLAN_INVALID` unless that is clear.
    pub fn medium(&self) -> Result<Medium<'_>> {
        match (&self.path, &self.file, self.size) {
            (Some(path), None, None) if !self.overwrite => Ok(Medium::Device(path)),
            (None, Some(file), Some(size)) if !self.wipe => Ok(Medium::File(file, size)),
            (None, Some(_), None) => invalid("`disk.file` needs `disk.size`, in bytes."),
            (None, None, _) => invalid("`disk` needs a `path` or a `file`."),
            (Some(_), Some(_), _) => invalid("`disk` has a `path` and a `file`."),
            (Some(_), None, _) => {
                invalid("`disk.size` and `disk.overwrite` are for a `file`, not for a `path`.")
            }
            (None, Some(_), _) => invalid("`disk.wipe` is for a `path`, not for a `file`."),
        }
    }

    /// Whether a file is made.
    pub fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Refuses (`PLAN_INVALID`) what cannot be a disk that boots.
    pub fn validate(&self) -> Result<()> {
        let path = match self.medium()? {
            Medium::Device(path) => ("path", path),
            Medium::File(path, size) if size % ALIGNMENT != 0 => {
                return invalid(format!(
                    "`disk.size` of {} is no multiple of 1 MiB.",
                    path.display()
                ));
            }
            Medium::File(path, _) => ("file", path),
        };
        if !path.1.is_absolute() || path.1.file_name().is_none() {
            return invalid(format!(
                "`disk.{}` must be an absolute path, not `{}`.",
                path.0,
                path.1.display()
            ));
        }
        let partitions = &self.partitions;
        match partitions.last() {
            Some(last) if last.kind == PartitionKind::Root => {}
            _ => return invalid("The last one of `disk.partitions` must be the root."),
        }
        if self.table == Table::Mbr && partitions.len() > MBR_MAX {
            return invalid("An MBR has four partitions at most.");
        }
        for (index, partition) in partitions.iter().enumerate() {
            let name = partition.kind.name();
            if partitions[..index].iter().any(|p| p.kind == partition.kind) {
                return invalid(format!("`disk.partitions` has {name} twice."));
            }
            partition.validate(self.table)?;
        }
        Ok(())
    }

    /// The partition of this kind.
    pub fn partition(&self, kind: PartitionKind) -> Option<&PartitionPlan> {
        self.partitions.iter().find(|p| p.kind == kind)
    }
}

impl PartitionPlan {
    /// One of this size.
    pub fn sized(kind: PartitionKind, size: u64) -> Self {
        Self {
            kind,
            size: Some(size),
            fs_type: None,
        }
    }

    fn validate(&self, table: Table) -> Result<()> {
        let name = self.kind.name();
        match self.size {
            None if self.kind != PartitionKind::Root => {
                return invalid(format!("The partition {name} needs a `size`, in bytes."));
            }
            Some(size) if size == 0 || size % ALIGNMENT != 0 => {
                return invalid(format!(
                    "The size of the partition {name} is no multiple of 1 MiB."
                ));
            }
            Some(size) if self.kind != PartitionKind::BiosBoot && size < SMALLEST => {
                return invalid(format!(
                    "The partition {name} is too small with {}.",
                    human(size)
                ));
            }
            _ => {}
        }
        match self.kind {
            PartitionKind::BiosBoot if table == Table::Mbr => {
                invalid("An MBR has no BIOS boot partition: GRUB lies before the first one.")
            }
            PartitionKind::BiosBoot | PartitionKind::Esp if self.fs_type.is_some() => {
                invalid(format!("The partition {name} takes no `fsType`."))
            }
            _ => Ok(()),
        }
    }
}

impl PartitionKind {
    /// The word in a plan, which is the partition's name in a GPT as well.
    pub fn name(self) -> &'static str {
        match self {
            Self::BiosBoot => "bios-boot",
            Self::Esp => "esp",
            Self::Boot => "boot",
            Self::Root => "root",
        }
    }
}

/// Bytes, rounded up to a mebibyte: a number with K, M, G or T for powers of 1024.
///
/// # Errors
/// What a size looks like, for the end of a sentence.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || "it must be a number with M, G or T behind it, such as 10G".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KIB" => 1 << 10,
        "M" | "MIB" => 1 << 20,
        "G" | "GIB" => 1 << 30,
        "T" | "TIB" => 1 << 40,
        _ => return Err(wrong()),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .and_then(|bytes| bytes.checked_next_multiple_of(ALIGNMENT))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(wrong)
}

fn invalid<T>(what: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::PlanInvalid, what))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = r#""file":"/a.raw","size":1073741824"#;
    const ROOT: &str = r#"{"kind":"root"}"#;

    fn read(head: &str, partitions: &str) -> Result<DiskPlan> {
        let text = format!("{{{head},\"partitions\":[{partitions}]}}");
        let plan: DiskPlan = serde_json::from_str(&text).unwrap();
        plan.validate().map(|()| plan)
    }

    #[test]
    fn what_is_a_disk() {
        let esp = r#"{"kind":"esp","size":536870912}"#;
        let bios = r#"{"kind":"bios-boot","size":1048576}"#;
        let all = format!("{bios},{esp},{ROOT}");
        for (head, partitions, problem) in [
            (FILE, all.as_str(), ""),
            (r#""path":"/dev/sda""#, ROOT, ""),
            (r#""path":"/dev/sda","wipe":true"#, ROOT, ""),
            (r#""path":"/dev/sda","size":1"#, ROOT, "for a `file`"),
            (r#""path":"/dev/sda","file":"/a""#, ROOT, "and a `file`"),
            (r#""file":"/a""#, ROOT, "needs `disk.size`"),
            (r#""file":"/a","size":1000000"#, ROOT, "multiple of 1 MiB"),
            (r#""file":"a","size":1048576"#, ROOT, "absolute"),
            (r#""file":"/a","size":1048576,"wipe":true"#, ROOT, "wipe"),
            (r#""wipe":true"#, ROOT, "needs a `path`"),
            (FILE, "", "must be the root"),
            (FILE, esp, "must be the root"),
            (FILE, r#"{"kind":"boot"},{"kind":"root"}"#, "needs a `size`"),
            (
                FILE,
                r#"{"kind":"boot","size":7},{"kind":"root"}"#,
                "boot is no multiple",
            ),
            (
                FILE,
                r#"{"kind":"boot","size":1048576},{"kind":"root"}"#,
                "too small",
            ),
            (FILE, r#"{"kind":"root"},{"kind":"root"}"#, "has root twice"),
            (
                FILE,
                r#"{"kind":"esp","size":536870912,"fsType":"xfs"},{"kind":"root"}"#,
                "no `fsType`",
            ),
        ] {
            match read(head, partitions) {
                Ok(_) => assert_eq!(problem, "", "{head} {partitions}"),
                Err(error) => {
                    assert_eq!(error.code, Code::PlanInvalid);
                    assert!(!problem.is_empty(), "{head} {partitions}: {error}");
                    assert!(error.what.contains(problem), "{}", error.what);
                }
            }
        }
        let mbr = format!("{FILE},\"table\":\"mbr\"");
        assert!(read(&mbr, &format!("{esp},{ROOT}")).is_ok());
        assert!(
            read(&mbr, &all)
                .unwrap_err()
                .what
                .contains("before the first")
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let plan = read(FILE, r#"{"kind":"root","fsType":"xfs"}"#).unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<DiskPlan>(&text).unwrap(), plan);
        assert_eq!(
            plan.medium().unwrap(),
            Medium::File(Path::new("/a.raw"), 1 << 30)
        );
        assert!(serde_json::from_str::<DiskPlan>(r#"{"partitions":[],"paht":"/a"}"#).is_err());
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("1", Some(1 << 20)),
            ("1048577", Some(2 << 20)),
            ("512M", Some(512 << 20)),
            ("10G", Some(10 << 30)),
            ("10GiB", Some(10 << 30)),
            ("1t", Some(1 << 40)),
            ("0", None),
            ("G", None),
            ("10GB", None),
            ("-1G", None),
            ("1.5G", None),
            ("99999999999T", None),
        ] {
            assert_eq!(parse_size(text).ok(), bytes, "{text}");
        }
    }
}
