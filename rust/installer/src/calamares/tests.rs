// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

/// A documented shape: tests/fixtures/calamares/NAME.json.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/calamares/",
            $name,
            ".json"
        ))
    };
}

const ROOT: &str = "/tmp/calamares-root-abc123";

fn read(text: &str) -> GlobalStorage {
    GlobalStorage::from_json(text).unwrap()
}

/// Device, mount point and whether it is claimed, encrypted and used.
type Row<'a> = (&'a str, Option<&'a str>, bool, bool, bool);

fn rows(storage: &GlobalStorage) -> Vec<Row<'_>> {
    storage
        .partitions
        .iter()
        .map(|p| {
            (
                p.device.to_str().unwrap(),
                p.mount_point.as_deref(),
                p.claimed,
                p.is_encrypted(),
                p.is_used(),
            )
        })
        .collect()
}

#[test]
fn documented_shapes() {
    let storage = read(fixture!("bios-ext4"));
    assert_eq!(storage.firmware, Some(Firmware::Bios));
    assert_eq!(storage.boot_device.as_deref(), Some(Path::new("/dev/vda")));
    assert_eq!(storage.target().unwrap(), Path::new(ROOT));
    assert_eq!(storage.efi_system_partition.as_deref(), Some("/boot/efi"));
    assert_eq!(storage.keyboard.layout.as_deref(), Some("us"));
    assert_eq!(storage.keyboard.variant, None);
    assert_eq!(
        rows(&storage),
        [("/dev/vda1", Some("/"), true, false, true)]
    );
    assert_eq!(
        storage.mounted_at("/").unwrap().part_uuid.as_deref(),
        Some("8c1e0f0b-01")
    );
    assert_eq!(
        storage.mount_options,
        [MountOptions {
            mount_point: "/".into(),
            options: "defaults,noatime".into()
        }]
    );

    let storage = read(fixture!("uefi-ext4"));
    assert_eq!(storage.firmware, Some(Firmware::Efi));
    assert_eq!(storage.boot_device, None);
    assert_eq!(
        rows(&storage),
        [
            ("/dev/vda1", Some("/boot/efi"), true, false, true),
            ("/dev/vda2", Some("/boot"), true, false, true),
            ("/dev/vda3", Some("/"), true, false, true),
            ("/dev/vda4", None, true, false, true),
        ]
    );

    let storage = read(fixture!("uefi-luks"));
    let root = storage.mounted_at("/").unwrap();
    assert!(root.is_encrypted() && root.fs == "ext4" && root.fs_name == "luks2");
    assert_eq!(
        root.open_device(),
        Path::new("/dev/mapper/luks-11111111-aaaa-4bbb-8ccc-000000000003")
    );
    assert_eq!(
        root.luks_uuid.as_deref(),
        Some("11111111-aaaa-4bbb-8ccc-000000000003")
    );
    assert!(storage.partitions[3].is_encrypted() && storage.partitions[3].is_own_swap());
    assert_eq!(
        storage.keyboard.vconsole_keymap.as_deref(),
        Some("de-latin1")
    );

    let storage = read(fixture!("manual-btrfs"));
    assert_eq!(storage.btrfs_root_subvolume.as_deref(), Some("/@"));
    assert_eq!(
        storage.btrfs_subvolumes[1],
        Subvolume {
            mount_point: "/var/log".into(),
            subvolume: Some("/@log".into())
        }
    );
    let used: Vec<&str> = rows(&storage)
        .into_iter()
        .filter(|row| row.4)
        .map(|row| row.0)
        .collect();
    assert_eq!(
        used,
        [
            "/dev/nvme0n1p1",
            "/dev/nvme0n1p2",
            "/dev/nvme0n1p3",
            "/dev/nvme0n1p4",
            "/dev/sda1",
            "/dev/sda2"
        ]
    );
}

/// Python modules leave numbers for bools and `null` for what is empty.
#[test]
fn loose_values() {
    let storage = read(fixture!("python-ints"));
    assert_eq!(
        rows(&storage),
        [
            ("/dev/vda1", Some("/"), true, false, true),
            ("/dev/vda2", None, false, false, false),
            ("/dev/vda3", None, true, false, true),
        ]
    );
    assert_eq!(storage.btrfs_root_subvolume, None);
    assert_eq!(storage.keyboard, Keyboard::default());
    assert_eq!(
        storage.root_mount_point.as_deref(),
        Some(Path::new("/run/bootc-installer/deployment"))
    );
    assert_eq!(storage.target().unwrap(), Path::new(ROOT));

    assert_eq!(read("{}"), GlobalStorage::default());
    assert_eq!(
        GlobalStorage::default().target().unwrap_err().code,
        Code::CalamaresInvalid
    );
    assert_eq!(
        read(r#"{"bootLoader":{"installPath":null}}"#),
        GlobalStorage::default()
    );
    assert!(read(r#"{"partitionChoices":{"swap":"file"}}"#).swap_file);
    assert!(!read(r#"{"partitionChoices":{"swap":"small"}}"#).swap_file);
}

#[test]
fn passphrases_stay_outside() {
    for text in [fixture!("uefi-luks"), fixture!("manual-btrfs")] {
        assert!(text.contains("secret"));
        let debug = format!("{:?}", read(text));
        assert!(!debug.contains("secret"), "{debug}");
    }
    // Nothing of the right place is quoted in an error either.
    for (text, key) in [
        (r#"{"rootMountPoint":"secret"}"#, "`rootMountPoint`"),
        (r#"{"rootMountPoint":{"a":"secret"}}"#, "`rootMountPoint`"),
        (r#"{"firmwareType":"secret"}"#, "`firmwareType`"),
        (r#"{"bootLoader":"secret"}"#, "`bootLoader`"),
        (
            r#"{"bootLoader":{"installPath":["secret"]}}"#,
            "`bootLoader.installPath`",
        ),
        (r#"{"partitions":"secret"}"#, "`partitions`"),
        (r#"{"partitions":["secret"]}"#, "`partitions`"),
        (
            r#"{"partitions":[{},{"claimed":"secret"}]}"#,
            "`partitions[1].claimed`",
        ),
        (
            r#"{"partitions":[{"device":"","mountPoint":"/"}]}"#,
            "`partitions[0].device`",
        ),
        (
            r#"{"mountOptionsList":{"a":"secret"}}"#,
            "`mountOptionsList`",
        ),
        (r#""secret""#, "no JSON object"),
        (r#"{"luksPassphrase":"secret"#, "no JSON object"),
    ] {
        let err = GlobalStorage::from_json(text).unwrap_err();
        assert_eq!(err.code, Code::CalamaresInvalid, "{text}");
        let all = format!("{err:?}");
        assert!(all.contains(key), "{text}: {all}");
        assert!(!all.contains("secret"), "{text}: {all}");
    }
}
