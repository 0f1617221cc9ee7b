// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use std::fs;

#[test]
fn files_of_another_system_in_boot() {
    for (tree, mounts, expected) in [
        (&["lost+found/", "efi/"][..], &["efi"][..], None),
        (&["EFI/", "grub/fonts/"], &[], None),
        (&["EFI/", "efi/EFI/BOOT/BOOTX64.EFI"], &["efi"], None),
        (
            &["EFI/", "grub/i386-pc/normal.mod", "grub/grub.cfg"],
            &[],
            Some("grub/grub.cfg"),
        ),
        (&["vmlinuz-6.12"], &[], Some("vmlinuz-6.12")),
        (&["ostree/a/vmlinuz"], &[], Some("ostree/a/vmlinuz")),
        // Deeper it is no directory of the file system's own.
        (&["a/lost+found/b"], &[], Some("a/lost+found/b")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for path in tree {
            let full = dir.path().join(path);
            if path.ends_with('/') {
                std::fs::create_dir_all(&full).unwrap();
            } else {
                std::fs::create_dir_all(full.parent().unwrap()).unwrap();
                std::fs::write(&full, "").unwrap();
            }
        }
        let is_mount = |p: &Path| mounts.iter().any(|m| dir.path().join(m) == p);
        let found = find_file(dir.path(), dir.path(), &is_mount).unwrap();
        assert_eq!(found, expected.map(|e| dir.path().join(e)), "{tree:?}");
    }
}

#[test]
fn emptiness_by_bootcs_rule() {
    // entries (a trailing slash makes a directory), mount points, verdict
    type Row<'a> = (&'a [&'a str], &'a [&'a str], Option<Foreign>);
    let entry = |p: &str| Some(Foreign::Entry(p.into()));
    let empty = |p: &str| Some(Foreign::EmptyDirectory(p.into()));
    let table: [Row<'_>; 11] = [
        (&[], &[], None),
        (&["lost+found/"], &[], None),
        (&["lost+found/x"], &[], None),
        (&["boot/"], &["boot"], None),
        (&["boot/efi/"], &["boot/efi"], None),
        (&["boot/"], &[], empty("boot")),
        (&["boot/efi/"], &[], empty("boot/efi")),
        (
            &["boot/efi/", "boot/vmlinuz"],
            &["boot/efi"],
            entry("boot/vmlinuz"),
        ),
        (&["ostree/repo/config"], &[], entry("ostree/repo/config")),
        (
            &["a", ".bootc-scratch/oci/index.json"],
            &[],
            Some(Foreign::Scratch),
        ),
        (&["boot/lost+found/"], &[], empty("boot/lost+found")),
    ];
    for (entries, mounts, expected) in table {
        let dir = tempfile::tempdir().unwrap();
        for e in entries {
            let path = dir.path().join(e);
            if e.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
        }
        let is_mount = |p: &Path| mounts.iter().any(|m| dir.path().join(m) == p);
        let found = find_foreign(dir.path(), dir.path(), &is_mount).unwrap();
        let expected = expected.map(|f| match f {
            Foreign::EmptyDirectory(p) => Foreign::EmptyDirectory(dir.path().join(p)),
            Foreign::Entry(p) => Foreign::Entry(dir.path().join(p)),
            other => other,
        });
        assert_eq!(found, expected, "{entries:?}");
    }
}

#[test]
fn the_running_system_is_refused_by_superblock() {
    let mounts = mountinfo::parse(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
         2 1 0:40 /@home /home rw - btrfs /dev/sdb1 rw\n\
         3 1 8:1 /srv /mnt/bind rw - ext4 /dev/sda1 rw\n\
         4 1 0:40 /@new /mnt/subvolume rw - btrfs /dev/sdb1 rw\n",
    )
    .unwrap();
    for place in ["/mnt/bind", "/mnt/subvolume"] {
        let target = mountinfo::at(&mounts, Path::new(place)).unwrap();
        let err = refuse_live_system(&mounts, target).unwrap_err();
        assert_eq!(err.code, Code::TargetNotOwnFilesystem, "{place}: {err}");
    }
}

#[test]
fn esp_places() {
    let sub = |p: &str, t: &str| SubMount {
        mount_point: p.into(),
        device: (8, 1),
        source: "/dev/sda1".into(),
        fs_type: t.into(),
        uuid: None,
    };
    let table: [(&[SubMount], Option<&str>); 5] = [
        (&[], None),
        (
            &[sub("/t/boot", "ext4"), sub("/t/boot/efi", "vfat")],
            Some("/t/boot/efi"),
        ),
        (
            &[sub("/t/boot", "vfat"), sub("/t/efi", "vfat")],
            Some("/t/efi"),
        ),
        (&[sub("/t/boot", "vfat")], Some("/t/boot")),
        (&[sub("/t/boot/efi", "ext4")], None),
    ];
    for (subs, expected) in table {
        let esp = find_esp(Path::new("/t"), subs);
        assert_eq!(
            esp.map(|e| e.mount_point.as_path()),
            expected.map(Path::new)
        );
    }
}

#[test]
fn refusals_without_a_file_system() {
    let dir = tempfile::tempdir().unwrap();
    let code = |p: &Path| inspect(p).unwrap_err().code;
    assert_eq!(code(Path::new("/")), Code::TargetNotOwnFilesystem);
    assert_eq!(code(dir.path()), Code::TargetNotMounted);
    assert_eq!(code(&dir.path().join("no")), Code::TargetNotMounted);
}
