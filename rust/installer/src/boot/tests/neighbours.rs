// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn other_systems_keep_the_firmware_that_we_do_not_need() {
    let image = with_grub(BOTH, &[]);
    for (own_table, in_file, firmware, places_for, expected) in [
        (true, false, Firmware::Uefi, (true, true), "bios uefi"),
        (false, true, Firmware::Uefi, (true, true), "bios uefi"),
        (false, false, Firmware::Uefi, (true, true), "uefi"),
        (false, false, Firmware::Bios, (true, true), "bios"),
        // Nothing else would start it at all.
        (false, false, Firmware::Bios, (false, true), "uefi"),
    ] {
        let places = BootPlaces {
            own_table,
            in_file,
            ..places(places_for.0, places_for.1)
        };
        let now = Situation {
            image: &image,
            host: &RootFacts::default(),
            places: &places,
            boot_fs: &plain_boot(),
            need: FirmwareNeed {
                firmware,
                required: false,
            },
            arch: "x86_64",
        };
        let decision = decide(BootloaderChoice::Auto, now).unwrap();
        let steps: Vec<String> = (decision.grub.iter())
            .map(|step| step.firmware.to_string().to_lowercase())
            .collect();
        assert_eq!(steps.join(" "), expected, "{places:?} {firmware}");
    }
}

#[test]
fn bootupd_is_not_asked_for_another_disk() {
    let image = RootFacts {
        programs: programs(&["bootupctl"]),
        bootupd_updates: true,
        ..RootFacts::default()
    };
    let places = BootPlaces {
        bios_elsewhere: true,
        ..places(true, false)
    };
    let now = Situation {
        image: &image,
        host: &RootFacts::default(),
        places: &places,
        boot_fs: &plain_boot(),
        need: BIOS,
        arch: "x86_64",
    };
    let error = decide(BootloaderChoice::Auto, now).unwrap_err();
    assert_eq!(error.code, Code::BootNoPlace);
    assert!(error.what.contains("that was chosen"), "{error}");
}
