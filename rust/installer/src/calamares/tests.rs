// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use contract::plan::{BootloaderChoice, Plan};
use host::blkid::{self, Tags};

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

mod complete;

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

/// The plugin hands over what is read, and nothing else.
#[test]
fn every_key_is_read_and_no_other() {
    let wrong = |key: &str| GlobalStorage::from_json(&format!(r#"{{"{key}":[7]}}"#));
    let of_partition =
        |key: &str| GlobalStorage::from_json(&format!(r#"{{"partitions":[{{"{key}":[7]}}]}}"#));
    for key in STORAGE_KEYS {
        let told = wrong(key).unwrap_err().what;
        assert!(told.contains(&format!("`{key}")), "{told}");
    }
    for key in PARTITION_KEYS {
        let told = of_partition(key).unwrap_err().what;
        assert!(told.contains(&format!("`partitions[0].{key}`")), "{told}");
    }
    for key in ["luksPassphrase", "fsName"] {
        assert_eq!(wrong(key).unwrap(), GlobalStorage::default());
        assert_eq!(of_partition(key).unwrap().partitions.len(), 1);
    }
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
    assert_eq!(storage.firmware, Some(Firmware::Uefi));
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
    assert!(root.is_encrypted() && root.fs == "ext4");
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

const MODELS: &str = "de de pc105 - -\nde-latin1-nodeadkeys de pc105 nodeadkeys -\n";

fn lines(storage: &GlobalStorage) -> Vec<String> {
    fstab(storage)
        .unwrap()
        .iter()
        .map(|e| {
            format!(
                "{} {} {} {} {}",
                e.source,
                e.mount_point,
                e.fs_type,
                e.options.join(","),
                e.pass
            )
        })
        .collect()
}

#[test]
fn fstab_lines() {
    assert_eq!(lines(&read(fixture!("bios-ext4"))), [""; 0]);
    assert_eq!(
        lines(&read(fixture!("uefi-ext4"))),
        [
            "UUID=b0070000-0000-4000-8000-000000000002 /boot ext4 defaults 2",
            "UUID=ABCD-1234 /boot/efi vfat umask=0077 2",
            "UUID=5a9a0000-0000-4000-8000-000000000004 none swap defaults 0",
        ]
    );
    assert_eq!(
        lines(&read(fixture!("uefi-luks"))),
        [
            "UUID=b0070000-0000-4000-8000-000000000002 /boot ext4 defaults 2",
            "UUID=ABCD-1234 /boot/efi vfat umask=0077 2",
            "/dev/mapper/luks-22222222-aaaa-4bbb-8ccc-000000000004 none swap defaults 0",
        ]
    );
    // The foreign swap space is left alone, the claimed one is not.
    assert_eq!(
        lines(&read(fixture!("python-ints"))),
        ["UUID=5a9a0000-0000-4000-8000-000000000003 none swap defaults 0"]
    );
    // No umask was mounted with, the EFI system partition gets one.
    assert_eq!(
        lines(&read(fixture!("manual-btrfs"))),
        [
            "UUID=b0070000-0000-4000-8000-000000000002 /boot ext4 defaults 2",
            "UUID=EF10-0001 /boot/efi vfat umask=0077 2",
            "/dev/mapper/luks-33333333-aaaa-4bbb-8ccc-000000000002 /home ext4 noatime 2",
            "UUID=ddd00000-0000-4000-8000-000000000001 /srv/data xfs defaults 0",
            "UUID=bbbb0000-0000-4000-8000-000000000003 /var/log btrfs compress=zstd:1,subvol=/@log 0",
            "UUID=5a9a0000-0000-4000-8000-000000000004 none swap defaults 0",
        ]
    );
}

#[test]
fn fstab_sources_and_options() {
    let storage = |more: &str, options: &str| {
        read(&format!(
            r#"{{"partitions":[{{"device":"/dev/sda5","mountPoint":"/data","fs":"EXT4"{more}}}],
                "mountOptionsList":[{{"mountpoint":"/data","option_string":"{options}"}}]}}"#
        ))
    };
    for (more, options, line) in [
        (
            r#","uuid":"","partuuid":"p-1""#,
            "defaults",
            "PARTUUID=p-1 /data ext4 defaults 2",
        ),
        (
            r#","uuid":"u-1","partuuid":"p-1""#,
            "defaults, noatime,,ro",
            "UUID=u-1 /data ext4 noatime,ro 2",
        ),
        // A vfat that is no EFI system partition.
        (
            r#","uuid":"u-1","fs":"fat32""#,
            "bind",
            "UUID=u-1 /data vfat defaults 2",
        ),
    ] {
        assert_eq!(lines(&storage(more, options)), [line], "{more}");
    }
    let err = fstab(&storage("", "")).unwrap_err();
    assert_eq!(err.code, Code::CalamaresInvalid);
    assert!(err.what.contains("/dev/sda5"), "{err}");
    for fs in ["unformatted", "zfs", "unknown"] {
        assert!(lines(&storage(&format!(r#","fs":"{fs}""#), "")).is_empty());
    }
}

#[test]
fn kernel_arguments() {
    for (text, expected) in [
        (fixture!("bios-ext4"), &[][..]),
        (fixture!("uefi-ext4"), &[]),
        (
            fixture!("uefi-luks"),
            &[
                "rd.luks.name=11111111-aaaa-4bbb-8ccc-000000000003=luks-11111111-aaaa-4bbb-8ccc-000000000003",
                "rd.luks.name=22222222-aaaa-4bbb-8ccc-000000000004=luks-22222222-aaaa-4bbb-8ccc-000000000004",
                "rd.vconsole.keymap=de-latin1",
            ],
        ),
        (
            fixture!("manual-btrfs"),
            &[
                "rd.luks.name=33333333-aaaa-4bbb-8ccc-000000000002=luks-33333333-aaaa-4bbb-8ccc-000000000002",
                "rd.vconsole.keymap=fr",
            ],
        ),
    ] {
        assert_eq!(kargs(&read(text), MODELS).unwrap(), expected);
    }

    let mut storage = read(fixture!("uefi-luks"));
    storage.keyboard = Keyboard {
        layout: Some("us".into()),
        ..Keyboard::default()
    };
    assert_eq!(kargs(&storage, MODELS).unwrap().len(), 2);
    storage.keyboard = Keyboard {
        layout: Some("de".into()),
        variant: Some("nodeadkeys".into()),
        vconsole_keymap: None,
    };
    assert_eq!(
        kargs(&storage, MODELS).unwrap()[2],
        "rd.vconsole.keymap=de-latin1-nodeadkeys"
    );

    for (uuid, name) in [
        (None, Some("luks-1")),
        (Some("1-a"), None),
        (Some("1-a"), Some("a b")),
        (Some("1 init=/bin/sh"), Some("luks-1")),
    ] {
        storage.partitions[2].luks_uuid = uuid.map(str::to_owned);
        storage.partitions[2].luks_mapper_name = name.map(str::to_owned);
        let err = kargs(&storage, MODELS).unwrap_err();
        assert_eq!(err.code, Code::CalamaresInvalid);
        assert!(err.what.contains("/dev/vda3"), "{err}");
    }
}

#[test]
fn the_boot_loader_can_read_boot() {
    let mut storage = read(fixture!("uefi-luks"));
    assert!(require_readable_boot(&storage).is_ok());
    storage.partitions[1].luks_mapper_name = Some("luks-b".into());
    let err = require_readable_boot(&storage).unwrap_err();
    assert_eq!(err.code, Code::BootEncrypted);
    assert!(err.what.contains("for /boot is encrypted"), "{err}");
    storage.partitions[1].mount_point = None;
    let err = require_readable_boot(&storage).unwrap_err();
    assert_eq!(err.code, Code::BootEncrypted);
    assert!(err.what.contains("no partition of its own"), "{err}");
    for text in [fixture!("bios-ext4"), fixture!("manual-btrfs")] {
        assert!(require_readable_boot(&read(text)).is_ok());
    }
}

fn plan() -> Plan {
    Plan::from_json(
        r#"{"version":1,"image":{"imgref":"a.b/c:1"},"source":{"type":"registry"},
            "runtimeRoot":{"type":"unpack"},"target":{"root":"/t"},
            "bootc":{"stateroot":"default","kargs":["quiet"]}}"#,
    )
    .unwrap()
}

#[test]
fn what_a_plan_gets() {
    let mut made = plan();
    let storage = read(fixture!("uefi-luks"));
    assert_eq!(apply(&storage, MODELS, &mut made).unwrap(), [""; 0]);
    assert_eq!(made.bootc.kargs.len(), 4);
    assert_eq!(made.bootc.kargs[0], "quiet");
    assert_eq!(made.deployment.fstab, fstab(&storage).unwrap());
    assert!(made.finish.trim && made.finish.unmount && made.finish.hand_over);
    made.validate().unwrap();

    assert_eq!(made.target.firmware, Some(Firmware::Uefi));
    assert!(made.target.tidy_partition_table);

    // A keymap of the configuration stays the only one.
    for keymap in ["vconsole.keymap=fr", "rd.vconsole.keymap=fr"] {
        let mut made = plan();
        made.bootc.kargs = vec![keymap.into()];
        apply(&storage, MODELS, &mut made).unwrap();
        assert_eq!(made.bootc.kargs.len(), 3);
        assert_eq!(made.bootc.kargs[0], keymap);
    }

    let mut swap_file = read(fixture!("bios-ext4"));
    swap_file.swap_file = true;
    let warnings = apply(&swap_file, MODELS, &mut plan()).unwrap();
    assert!(warnings[0].contains("swap file"), "{warnings:?}");

    let no_root = read(r#"{"rootMountPoint":"/t","partitions":[]}"#);
    let err = apply(&no_root, MODELS, &mut plan()).unwrap_err();
    assert_eq!(err.code, Code::CalamaresInvalid);
}

#[test]
fn choices_about_the_boot_loader() {
    let none_chosen = fixture!("bios-ext4").replace(r#"{ "installPath": "/dev/vda" }"#, "null");
    let mut made = plan();
    let warnings = apply(&read(&none_chosen), MODELS, &mut made).unwrap();
    assert_eq!(made.bootc.bootloader, BootloaderChoice::None);
    assert!(warnings[0].contains("No boot loader"), "{warnings:?}");
    // The configuration wins, and on UEFI machines `null` says nothing.
    let mut made = plan();
    made.bootc.bootloader = BootloaderChoice::Grub;
    assert_eq!(
        apply(&read(&none_chosen), MODELS, &mut made).unwrap(),
        [""; 0]
    );
    assert_eq!(made.bootc.bootloader, BootloaderChoice::Grub);
    let mut made = plan();
    apply(&read(fixture!("uefi-ext4")), MODELS, &mut made).unwrap();
    assert_eq!(made.bootc.bootloader, BootloaderChoice::Auto);

    // What was chosen for the boot loader is what gets it, on BIOS machines.
    for (name, choice, expected) in [
        (
            fixture!("bios-ext4"),
            BootloaderChoice::Auto,
            Some("/dev/vda"),
        ),
        (fixture!("bios-ext4"), BootloaderChoice::Systemd, None),
        (fixture!("uefi-ext4"), BootloaderChoice::Auto, None),
    ] {
        let mut made = plan();
        made.bootc.bootloader = choice;
        assert_eq!(apply(&read(name), MODELS, &mut made).unwrap(), [""; 0]);
        assert_eq!(made.target.bios_disk.as_deref(), expected.map(Path::new));
    }

    let mut encrypted = read(fixture!("uefi-luks"));
    encrypted.partitions.remove(1);
    for (choice, ok) in [
        (BootloaderChoice::Auto, false),
        (BootloaderChoice::Grub, false),
        (BootloaderChoice::Systemd, true),
        (BootloaderChoice::None, true),
    ] {
        let mut made = plan();
        made.bootc.bootloader = choice;
        let result = apply(&encrypted, MODELS, &mut made);
        assert_eq!(
            result.err().map(|e| e.code),
            (!ok).then_some(Code::BootEncrypted),
            "{choice:?}"
        );
    }
}
