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
            .enumerate()
            .map(|(i, (kind, start))| Partition {
                kind: Some((*kind).into()),
                start: *start,
                sectors: 2048,
                path: format!("{path}{}", i + 1).into(),
            })
            .collect(),
    }
}

#[test]
fn places_for_bios() {
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
        let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
        assert_eq!(bios_places(&disks, false), expected, "{name}");
    }
}

#[test]
fn every_member_of_a_raid_starts() {
    let table = [(GPT_BIOS_BOOT, 34), (LINUX, 4096)];
    let mut disks = ["/dev/sda", "/dev/sdb", "/dev/sdc"].map(|p| disk(p, Some("gpt"), &table));
    disks[1].partitions[0].sectors = 64;
    let places = bios_places(&disks, true);
    assert_eq!(places, [Path::new("/dev/sda"), Path::new("/dev/sdc")]);
    assert_eq!(bios_places(&disks, false), [Path::new("/dev/sda")]);
}

#[test]
fn partitions_of_other_systems() {
    let used = BTreeSet::from(["/dev/sda2".into(), "/dev/sda3".into()]);
    for (kinds, expected) in [
        ([GPT_BIOS_BOOT, ESP, LINUX, GPT_SWAP], None),
        ([ESP, LINUX, LINUX, GPT_SWAP], Some("/dev/sda1")),
        (["0x82", "0x83", "0x83", "0x5"], None),
        (["0x82", "0x83", "0x83", "0x7"], Some("/dev/sda4")),
    ] {
        let table: Vec<(&str, u64)> = kinds.iter().map(|kind| (*kind, 2048)).collect();
        let disk = disk("/dev/sda", Some("gpt"), &table);
        let found = foreign(&disk, &used).map(|partition| partition.path.as_path());
        assert_eq!(found, expected.map(Path::new), "{kinds:?}");
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
            fs::write(dir.join("size"), "8\n").unwrap();
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
    fs::create_dir(devices.join("virtual/md0/md")).unwrap();
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
            stack(sys.path(), number).unwrap().disks,
            expected,
            "{number:?}"
        );
    }
    assert!(stack(sys.path(), (1, 1)).is_err());
    let volume = stack(sys.path(), (253, 1)).unwrap();
    assert!(!volume.raid && volume.partitions.contains(Path::new("/dev/sda2")));
    let raid = stack(sys.path(), (9, 0)).unwrap();
    assert!(raid.raid && raid.partitions.len() == 2, "{raid:?}");
}

#[test]
fn partitions_of_a_disk() {
    let sys = fake_sys();
    let dir = sys.path().join("devices/pci/sda");
    assert_eq!(
        partition_nodes(&dir).unwrap(),
        [("sda1".to_owned(), 2048, 8), ("sda2".to_owned(), 4096, 8)]
    );
}
