// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use crate::disk::Esp;
use crate::doctor::GrubPlatform;

mod neighbours;

fn places(bios: bool, esp: bool) -> BootPlaces {
    BootPlaces {
        bios: bios.then(|| "/dev/sda".into()).into_iter().collect(),
        esp: esp.then(|| Esp {
            mount_point: Some("/t/boot/efi".into()),
            device: "/dev/sda1".into(),
        }),
        own_table: true,
        ..BootPlaces::default()
    }
}

fn plain_boot() -> BootFs {
    BootFs {
        uuid: Some("1-2".into()),
        own: false,
        subvolume: false,
    }
}

const BIOS: FirmwareNeed = FirmwareNeed {
    firmware: Firmware::Bios,
    required: false,
};

const BOTH: &[&str] = &["i386-pc", "x86_64-efi"];

struct Case {
    name: &'static str,
    choice: BootloaderChoice,
    image: RootFacts,
    host: RootFacts,
    places: (bool, bool),
    firmware: Firmware,
    required: bool,
    /// What bootc is told, steps as `firmware origin`, number of warnings;
    /// or the code of the refusal.
    expected: std::result::Result<(&'static str, &'static str, usize), Code>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            name: "",
            choice: BootloaderChoice::Auto,
            image: RootFacts::default(),
            host: RootFacts::default(),
            places: (true, true),
            firmware: Firmware::Bios,
            required: false,
            expected: Err(Code::Internal),
        }
    }
}

fn programs(names: &[&str]) -> std::collections::BTreeMap<String, String> {
    names
        .iter()
        .map(|&name| (name.to_owned(), format!("usr/sbin/{name}")))
        .collect()
}

fn with_grub(platforms: &[&str], too_old: &[&str]) -> RootFacts {
    let platform = |name: &&str, blsuki| GrubPlatform {
        name: (*name).to_owned(),
        blsuki,
        blscfg: false,
    };
    RootFacts {
        programs: programs(&["grub-install"]),
        grub: platforms
            .iter()
            .map(|name| platform(name, true))
            .chain(too_old.iter().map(|name| platform(name, false)))
            .collect(),
        ..RootFacts::default()
    }
}

fn cases() -> Vec<Case> {
    let bootupd = RootFacts {
        programs: programs(&["bootupctl", "grub-install"]),
        bootupd_updates: true,
        ..with_grub(BOTH, &[])
    };
    let systemd = RootFacts {
        systemd_boot: true,
        programs: programs(&["bootctl"]),
        ..RootFacts::default()
    };
    let uki = RootFacts {
        ukis: vec!["boot/EFI/Linux/x.efi".into()],
        systemd_boot: true,
        programs: programs(&["bootctl", "grub-install"]),
        ..with_grub(BOTH, &[])
    };
    vec![
        Case {
            name: "bootupd is left to bootc",
            image: bootupd.clone(),
            expected: Ok(("grub", "", 0)),
            ..Case::default()
        },
        Case {
            name: "bootupd, GRUB chosen",
            choice: BootloaderChoice::Grub,
            image: bootupd.clone(),
            expected: Ok(("grub", "", 0)),
            ..Case::default()
        },
        Case {
            name: "none wins over bootupd and needs no place",
            choice: BootloaderChoice::None,
            image: bootupd,
            places: (false, false),
            expected: Ok(("none", "", 0)),
            ..Case::default()
        },
        Case {
            name: "UKI",
            image: uki.clone(),
            firmware: Firmware::Uefi,
            expected: Ok(("systemd", "", 0)),
            ..Case::default()
        },
        Case {
            name: "UKI, but GRUB chosen",
            choice: BootloaderChoice::Grub,
            image: uki,
            expected: Ok(("none", "BIOS Image, UEFI Image", 0)),
            ..Case::default()
        },
        Case {
            name: "systemd-boot only, on BIOS firmware",
            image: systemd.clone(),
            places: (false, true),
            expected: Ok(("systemd", "", 1)),
            ..Case::default()
        },
        Case {
            name: "systemd-boot only, on BIOS firmware that must start it",
            image: systemd.clone(),
            required: true,
            expected: Err(Code::BootNoPlace),
            ..Case::default()
        },
        Case {
            name: "no ESP for UEFI",
            image: with_grub(BOTH, &[]),
            places: (true, false),
            firmware: Firmware::Uefi,
            expected: Ok(("none", "BIOS Image", 1)),
            ..Case::default()
        },
        Case {
            name: "no ESP for UEFI that must start it",
            image: with_grub(BOTH, &[]),
            places: (true, false),
            firmware: Firmware::Uefi,
            required: true,
            expected: Err(Code::BootNoPlace),
            ..Case::default()
        },
        Case {
            name: "nobody need start what gets no boot loader",
            choice: BootloaderChoice::None,
            places: (true, false),
            firmware: Firmware::Uefi,
            required: true,
            expected: Ok(("none", "", 0)),
            ..Case::default()
        },
        Case {
            name: "systemd-boot without ESP",
            image: systemd.clone(),
            places: (true, false),
            expected: Err(Code::BootNoPlace),
            ..Case::default()
        },
        Case {
            name: "systemd-boot and GRUB: GRUB",
            image: RootFacts {
                systemd_boot: true,
                programs: programs(&["bootctl", "grub-install"]),
                ..with_grub(BOTH, &[])
            },
            expected: Ok(("none", "BIOS Image, UEFI Image", 0)),
            ..Case::default()
        },
        Case {
            name: "systemd-boot chosen but not there",
            choice: BootloaderChoice::Systemd,
            image: with_grub(BOTH, &[]),
            expected: Err(Code::ToolMissing),
            ..Case::default()
        },
        Case {
            name: "systemd-boot chosen",
            choice: BootloaderChoice::Systemd,
            image: systemd,
            firmware: Firmware::Uefi,
            expected: Ok(("systemd", "", 0)),
            ..Case::default()
        },
        Case {
            name: "no place",
            image: with_grub(BOTH, &[]),
            places: (false, false),
            expected: Err(Code::BootNoPlace),
            ..Case::default()
        },
        Case {
            name: "GRUB on BIOS only",
            image: with_grub(BOTH, &[]),
            places: (true, false),
            expected: Ok(("none", "BIOS Image", 0)),
            ..Case::default()
        },
        Case {
            name: "GRUB from the live system",
            host: with_grub(BOTH, &[]),
            places: (true, false),
            expected: Ok(("none", "BIOS Host", 0)),
            ..Case::default()
        },
        Case {
            name: "one from each",
            image: with_grub(&["x86_64-efi"], &["i386-pc"]),
            host: with_grub(&["i386-pc"], &[]),
            expected: Ok(("none", "BIOS Host, UEFI Image", 0)),
            ..Case::default()
        },
        Case {
            name: "the firmware's own is missing",
            image: with_grub(&["x86_64-efi"], &[]),
            expected: Err(Code::ToolMissing),
            ..Case::default()
        },
        Case {
            name: "the other firmware's is missing",
            image: with_grub(&["i386-pc"], &[]),
            expected: Ok(("none", "BIOS Image", 1)),
            ..Case::default()
        },
        Case {
            name: "all too old",
            image: with_grub(&[], BOTH),
            host: with_grub(&[], BOTH),
            expected: Err(Code::ToolMissing),
            ..Case::default()
        },
        Case {
            name: "nothing at all",
            places: (false, true),
            expected: Err(Code::ToolMissing),
            ..Case::default()
        },
    ]
}

#[test]
fn decisions() {
    for case in cases() {
        let found = decide(
            case.choice,
            Situation {
                image: &case.image,
                host: &case.host,
                places: &places(case.places.0, case.places.1),
                boot_fs: &plain_boot(),
                need: FirmwareNeed {
                    firmware: case.firmware,
                    required: case.required,
                },
                arch: "x86_64",
            },
        );
        let found = found
            .map(|d| {
                let steps: Vec<String> = d
                    .grub
                    .iter()
                    .map(|s| format!("{} {:?}", s.firmware, s.origin))
                    .collect();
                assert_eq!(
                    d.backend == Backend::Composefs,
                    d.bootc == BootcBootloader::Systemd
                );
                (d.bootc.option(), steps.join(", "), d.warnings.len())
            })
            .map_err(|e| e.code);
        let expected = case
            .expected
            .map(|(bootc, steps, warnings)| (bootc, steps.to_owned(), warnings));
        assert_eq!(found, expected, "{}", case.name);
    }
}

#[test]
fn a_refusal_tells_all_reasons() {
    let error = decide(
        BootloaderChoice::Auto,
        Situation {
            image: &with_grub(&[], &["i386-pc"]),
            host: &RootFacts::default(),
            places: &places(true, true),
            boot_fs: &plain_boot(),
            need: BIOS,
            arch: "x86_64",
        },
    )
    .unwrap_err();
    assert_eq!(
        error.details,
        [
            "No GRUB for BIOS (i386-pc): that of the image is older than 2.14, \
             the live system has no grub-install",
            "No GRUB for UEFI (x86_64-efi): the image has no modules for it, \
             the live system has no grub-install",
        ]
    );
}

#[test]
fn boot_that_grub_cannot_read() {
    let good = plain_boot();
    for (boot_fs, fine) in [
        (good.clone(), true),
        (
            BootFs {
                subvolume: true,
                ..good.clone()
            },
            false,
        ),
        (BootFs { uuid: None, ..good }, false),
    ] {
        let found = decide(
            BootloaderChoice::Grub,
            Situation {
                image: &with_grub(BOTH, &[]),
                host: &RootFacts::default(),
                places: &places(true, false),
                boot_fs: &boot_fs,
                need: BIOS,
                arch: "x86_64",
            },
        );
        assert_eq!(
            found.map_err(|e| e.code).err(),
            (!fine).then_some(Code::BootNoPlace)
        );
    }
}

#[test]
fn platforms() {
    let table = [
        (Firmware::Bios, "x86_64", Some("i386-pc")),
        (Firmware::Bios, "aarch64", None),
        (Firmware::Uefi, "x86_64", Some("x86_64-efi")),
        (Firmware::Uefi, "aarch64", Some("arm64-efi")),
        (Firmware::Uefi, "riscv64", Some("riscv64-efi")),
        (Firmware::Uefi, "s390x", None),
    ];
    for (firmware, arch, platform) in table {
        assert_eq!(firmware.grub_platform(arch), platform, "{firmware} {arch}");
    }
}

#[test]
fn which_firmware_counts() {
    use BootloaderChoice::{Auto, Grub};
    use Firmware::{Bios, Uefi};
    let mut plan = Plan::from_json(
        r#"{"version":1,"image":{"imgref":"a.b/c:1"},"source":{"type":"registry"},
            "runtimeRoot":{"type":"unpack"},"target":{"root":"/t","firmware":"uefi"},
            "bootc":{"stateroot":"default"}}"#,
    )
    .unwrap();
    assert_eq!(plan.target.firmware, Some(Uefi));
    for (planned, choice, in_file, here, arch, firmware, required) in [
        (None, Auto, false, Bios, "x86_64", Bios, true),
        (None, Auto, false, Uefi, "x86_64", Uefi, true),
        // Disks for other machines.
        (None, Auto, true, Uefi, "x86_64", Uefi, false),
        (None, Grub, false, Uefi, "x86_64", Uefi, false),
        // A board that has neither.
        (None, Auto, false, Bios, "aarch64", Bios, false),
        (Some(Uefi), Grub, true, Bios, "x86_64", Uefi, true),
        (Some(Bios), Auto, false, Uefi, "x86_64", Bios, true),
    ] {
        plan.target.firmware = planned;
        plan.bootc.bootloader = choice;
        let places = BootPlaces {
            in_file,
            ..BootPlaces::default()
        };
        assert_eq!(
            FirmwareNeed::of(&plan, &places, here, arch),
            FirmwareNeed { firmware, required },
            "{planned:?} {choice:?} {in_file} {here} {arch}"
        );
    }
}

#[test]
fn places_for_a_firmware() {
    for (firmware, bios, esp, systemd, refused) in [
        (Firmware::Bios, true, false, false, None),
        (Firmware::Bios, true, true, true, Some("systemd-boot")),
        (
            Firmware::Bios,
            false,
            true,
            false,
            Some("BIOS boot partition"),
        ),
        (
            Firmware::Uefi,
            true,
            false,
            false,
            Some("EFI system partition"),
        ),
        (Firmware::Uefi, false, true, true, None),
    ] {
        let places = places(bios, esp);
        let need = |required| FirmwareNeed { firmware, required };
        let warning = need(false).check(&places, systemd).unwrap();
        let error = need(true).check(&places, systemd).err();
        let Some(text) = refused else {
            assert!(warning.is_none() && error.is_none());
            continue;
        };
        assert!(warning.unwrap().contains(text));
        let error = error.unwrap();
        assert_eq!(error.code, Code::BootNoPlace);
        assert!(error.to_string().contains(text), "{error}");
    }
}
