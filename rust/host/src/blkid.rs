// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is on a block device, from `blkid -p` (blkid(8), low-level probing).
//!
//! Probing reads the device itself: the answer is right a moment after mkfs
//! and on systems without udev, where lsblk(8) has nothing to say.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use contract::error::{Code, Error, Result};

use crate::cancel::Cancel;
use crate::cmd::{Tool, command_line};

/// Exit status of blkid(8) when it finds the marks of several things.
const AMBIVALENT: i32 = 8;
/// Contents of a partition that somebody may want; the rest are old.
const WANTED: [&str; 8] = [
    "ext2",
    "ext3",
    "ext4",
    "xfs",
    "btrfs",
    "vfat",
    "swap",
    "crypto_LUKS",
];

/// Tags of one device: `TYPE`, `UUID`, `PTTYPE`, `PART_ENTRY_TYPE`, …
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The value of a tag.
    pub fn get(&self, tag: &str) -> Option<&str> {
        self.0.get(tag).map(String::as_str)
    }
}

/// Parses the output of `blkid -o export`: `KEY=value` lines, in which unsafe
/// characters of the value have a backslash before them.
pub fn parse(text: &str) -> Tags {
    let mut tags = BTreeMap::new();
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=') {
            let mut plain = String::with_capacity(value.len());
            let mut chars = value.chars();
            while let Some(c) = chars.next() {
                plain.push(if c == '\\' {
                    chars.next().unwrap_or(c)
                } else {
                    c
                });
            }
            tags.insert(key.to_owned(), plain);
        }
    }
    Tags(tags)
}

/// Probes `device`; a device without anything known on it has no tags.
///
/// # Errors
/// `TARGET_AMBIGUOUS` when it has the marks of several things. Whoever mounts
/// it by hand may know better, but udev uses the same library: there is no
/// `/dev/disk/by-uuid/` for it, and a system on it does not start.
pub fn probe(device: &Path) -> Result<Tags> {
    run(device, &[])?.ok_or_else(|| ambiguous(device, &marks(device)))
}

/// What partition tables say of `device`: `PTTYPE` of a disk, `PART_ENTRY_…` of
/// a partition. What else is or was on it confuses nothing.
///
/// # Errors
/// When blkid(8) does not run.
pub fn probe_table(device: &Path) -> Result<Tags> {
    // It cannot be asked for tables alone. With one kind of contents to look
    // for there are no two answers.
    Ok(run(device, &["-n", "swap"])?.unwrap_or_default())
}

/// `None` when there are several answers.
fn run(device: &Path, options: &[&str]) -> Result<Option<Tags>> {
    // Status 2: nothing was identified, which is an answer as well. A probe
    // takes milliseconds: nobody needs to stop it.
    let output = Tool::new("blkid")
        .args(["-p", "-o", "export"])
        .args(options)
        .arg("--")
        .arg(device)
        .accept(2)
        .accept(AMBIVALENT)
        .run(&Cancel::new())?;
    Ok((output.status != AMBIVALENT).then(|| parse(&output.stdout)))
}

/// The kinds of marks that wipefs(8) finds, which changes nothing.
fn marks(device: &Path) -> BTreeSet<String> {
    let listed = Tool::new("wipefs")
        .args(["--noheadings", "--output", "TYPE", "--"])
        .arg(device)
        .run(&Cancel::new());
    match listed {
        Ok(output) => output.stdout.lines().map(|l| l.trim().into()).collect(),
        Err(error) => {
            tracing::warn!(%error, "the marks are not known");
            BTreeSet::new()
        }
    }
}

fn ambiguous(device: &Path, marks: &BTreeSet<String>) -> Error {
    let name = device.display();
    let what = match marks.is_empty() {
        true => format!("{name} has the marks of several things on it."),
        false => {
            let all: Vec<&str> = marks.iter().map(String::as_str).collect();
            format!(
                "{name} has the marks of several things on it: {}.",
                all.join(", ")
            )
        }
    };
    let old: Vec<&str> = marks
        .iter()
        .map(String::as_str)
        .filter(|kind| !WANTED.contains(kind))
        .collect();
    // Which of two file systems is the present one is for the person to say.
    let (which, kinds) = match old.is_empty() {
        true => ("the one that is not wanted", "TYPE".to_owned()),
        false => ("what is left of the old", old.join(",")),
    };
    let wipe = ["wipefs", "--all", "--types", &kinds];
    let wipe = command_line(wipe.into_iter().map(OsStr::new).chain([device.as_os_str()]));
    Error::new(Code::TargetAmbiguous, what).next(format!(
        "Unmount it, remove {which} with `{wipe}`, mount it and start again."
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cmd;
    use std::fs::{File, OpenOptions};
    use std::os::unix::fs::FileExt;

    const SIZE: u64 = 64 << 20;

    /// An ext4 in a file over what a ZFS pool left at the end of the disk.
    fn over_a_pool(path: &Path) {
        File::create(path).unwrap().set_len(SIZE).unwrap();
        let made = Tool::new("mkfs.ext4").args(["-q", "-F"]).arg(path);
        made.run(&Cancel::new()).unwrap();
        let file = OpenOptions::new().write(true).open(path).unwrap();
        // Uberblocks: magic, version, transaction, sum, time; 1 KiB each, in
        // the second half of each label of 256 KiB.
        let mut uberblock = Vec::new();
        for number in [0x00ba_b10c_u64, 5000, 100, 123, 1_700_000_000] {
            uberblock.extend(number.to_le_bytes());
        }
        for label in [SIZE - (512 << 10), SIZE - (256 << 10)] {
            for n in 0..128 {
                let at = label + (128 << 10) + n * 1024;
                file.write_all_at(&uberblock, at).unwrap();
            }
        }
    }

    #[test]
    fn remains_of_something_older() {
        if ["blkid", "wipefs", "mkfs.ext4"]
            .iter()
            .any(|t| cmd::find(t).is_none())
        {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk");
        over_a_pool(&disk);
        let error = probe(&disk).unwrap_err();
        assert_eq!(error.code, Code::TargetAmbiguous, "{error:?}");
        assert!(error.what.contains("ext4, zfs_member"), "{error:?}");
        let command = format!("`wipefs --all --types zfs_member {}`", disk.display());
        assert!(error.next.contains(&command), "{error:?}");

        // An entry in the first sector, as fdisk makes it: from sector 2048 on.
        let mut entry = [0; 16];
        entry[4] = 0x83;
        entry[9] = 8;
        entry[13] = 0x80;
        let file = OpenOptions::new().write(true).open(&disk).unwrap();
        file.write_all_at(&entry, 446).unwrap();
        file.write_all_at(&[0x55, 0xaa], 510).unwrap();
        assert!(probe(&disk).is_err());
        assert_eq!(probe_table(&disk).unwrap().get("PTTYPE"), Some("dos"));
        file.write_all_at(&[0; 66], 446).unwrap();
        assert_eq!(probe_table(&disk).unwrap(), Tags::default());

        // What the error advises is the remedy.
        let words = ["--all", "--types", "zfs_member"];
        let wipe = Tool::new("wipefs").args(words).arg(&disk);
        wipe.run(&Cancel::new()).unwrap();
        assert_eq!(probe(&disk).unwrap().get("TYPE"), Some("ext4"));
    }

    #[test]
    fn what_is_old_is_named_when_that_is_clear() {
        for (marks, what, next) in [
            (
                &["ext4", "linux_raid_member", "zfs_member"][..],
                ": ext4, linux",
                "linux_raid_member,zfs_member '/dev/a b'`",
            ),
            (&["ext4", "xfs"], ": ext4, xfs.", "--types TYPE '/dev/a b'`"),
            (&[], "several things on it.", "--types TYPE "),
        ] {
            let marks = marks.iter().map(|&m| m.to_owned()).collect();
            let error = ambiguous(Path::new("/dev/a b"), &marks);
            assert!(error.what.contains(what), "{error:?}");
            assert!(error.next.contains(next), "{error:?}");
        }
    }

    #[test]
    fn recorded_outputs() {
        let part = parse(
            "DEVNAME=/dev/loop0p1\nPART_ENTRY_SCHEME=gpt\nPART_ENTRY_UUID=a9d0c4a1-1ba4-4a4d-8a29-6ea48ba0d6f5\n\
             PART_ENTRY_TYPE=21686148-6449-6e6f-744e-656564454649\nPART_ENTRY_NUMBER=1\nPART_ENTRY_OFFSET=2048\n",
        );
        assert_eq!(
            part.get("PART_ENTRY_TYPE"),
            Some("21686148-6449-6e6f-744e-656564454649")
        );
        assert_eq!(part.get("PART_ENTRY_OFFSET"), Some("2048"));
        assert_eq!(part.get("PTTYPE"), None);

        let label = parse("DEVNAME=/dev/sdb1\nLABEL=my\\ disk\\\\x\nTYPE=ext4\n");
        assert_eq!(label.get("LABEL"), Some("my disk\\x"));
        assert_eq!(parse(""), Tags::default());
    }
}
