// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use std::os::unix::fs::symlink;

const ESP: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const LINUX: &str = "0fc63daf-8483-4772-8e79-3d69d8477de4";

fn disk(path: &str, table: Option<&str>, partitions: &[(&str, u64)]) -> Disk {
    Disk {
        path: path.into(),
        table: table.map(Into::into),
        partitions: partitions
            .iter()
            .map(|(kind, start)| Partition {
                kind: Some((*kind).into()),
                start: *start,
            })
            .collect(),
    }
}

#[test]
fn bios_places() {
    let sda = Some("/dev/sda");
    let table = [
        (
            "GPT with BIOS boot partition",
            vec![disk(
                "/dev/sda",
                Some("gpt"),
                &[(GPT_BIOS_BOOT, 2048), (LINUX, 4096)],
            )],
            sda,
        ),
        (
            "GPT with ESP only",
            vec![disk("/dev/sda", Some("gpt"), &[(ESP, 2048), (LINUX, 4096)])],
            None,
        ),
        (
            "msdos",
            vec![disk("/dev/sda", Some("dos"), &[("0x83", 2048)])],
            sda,
        ),
        (
            "msdos, old gap",
            vec![disk("/dev/sda", Some("dos"), &[("0x83", 63)])],
            None,
        ),
        (
            "msdos without partitions",
            vec![disk("/dev/sda", Some("dos"), &[])],
            None,
        ),
        (
            "loop without a table",
            vec![disk("/dev/loop0", None, &[])],
            None,
        ),
        (
            "second disk of a RAID",
            vec![
                disk("/dev/sdb", Some("gpt"), &[(LINUX, 2048)]),
                disk("/dev/sda", Some("gpt"), &[(GPT_BIOS_BOOT, 34)]),
            ],
            sda,
        ),
        ("no disk", vec![], None),
    ];
    for (name, disks, expected) in table {
        assert_eq!(bios_place(&disks), expected.map(PathBuf::from), "{name}");
    }
}

/// A sysfs with sda (sda1, sda2), LUKS dm-0 on sda2, LVM dm-1 on dm-0,
/// md0 on sda1 and sdb1, loop0 without and loop1 with a partition.
fn fake_sys() -> tempfile::TempDir {
    let sys = tempfile::tempdir().unwrap();
    let devices = sys.path().join("devices");
    let links = sys.path().join("dev/block");
    fs::create_dir_all(&links).unwrap();
    for (number, path, start) in [
        ("8:0", "pci/sda", None),
        ("8:1", "pci/sda/sda1", Some("2048\n")),
        ("8:2", "pci/sda/sda2", Some("4096\n")),
        ("8:16", "pci/sdb", None),
        ("8:17", "pci/sdb/sdb1", Some("2048\n")),
        ("104:0", "pci/cciss!c0d0", None),
        ("104:1", "pci/cciss!c0d0/cciss!c0d0p1", Some("63\n")),
        ("253:0", "virtual/dm-0", None),
        ("253:1", "virtual/dm-1", None),
        ("9:0", "virtual/md0", None),
        ("7:0", "virtual/loop0", None),
        ("7:1", "virtual/loop1", None),
        ("259:0", "virtual/loop1/loop1p1", Some("40\n")),
    ] {
        let dir = devices.join(path);
        fs::create_dir_all(dir.join("slaves")).unwrap();
        if let Some(start) = start {
            fs::remove_dir(dir.join("slaves")).unwrap();
            fs::write(dir.join("partition"), "1\n").unwrap();
            fs::write(dir.join("start"), start).unwrap();
        }
        symlink(&dir, links.join(number)).unwrap();
    }
    for (upper, lower) in [
        ("virtual/dm-0", "pci/sda/sda2"),
        ("virtual/dm-1", "virtual/dm-0"),
        ("virtual/md0", "pci/sda/sda1"),
        ("virtual/md0", "pci/sdb/sdb1"),
    ] {
        let lower = devices.join(lower);
        let name = lower.file_name().unwrap();
        symlink(&lower, devices.join(upper).join("slaves").join(name)).unwrap();
    }
    sys
}

#[test]
fn disks_below_a_device() {
    let sys = fake_sys();
    let table: [((u32, u32), &[&str]); 8] = [
        ((8, 0), &["sda"]),
        ((8, 2), &["sda"]),
        ((253, 0), &["sda"]),
        ((253, 1), &["sda"]),
        ((9, 0), &["sda", "sdb"]),
        ((7, 0), &["loop0"]),
        ((259, 0), &["loop1"]),
        ((104, 1), &["cciss/c0d0"]),
    ];
    for (number, expected) in table {
        assert_eq!(
            whole_disks(sys.path(), number).unwrap(),
            expected,
            "{number:?}"
        );
    }
    assert!(whole_disks(sys.path(), (1, 1)).is_err());
}

#[test]
fn partitions_of_a_disk() {
    let sys = fake_sys();
    let dir = sys.path().join("devices/pci/sda");
    assert_eq!(
        partition_nodes(&dir).unwrap(),
        [("sda1".to_owned(), 2048), ("sda2".to_owned(), 4096)]
    );
}
