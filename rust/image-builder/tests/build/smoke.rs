// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smoke` with disks that cannot be as they should: a boot sector that says on the
//! serial port what real ones were seen to say. The machines are QEMU's.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::bench::{Bench, Ended};

/// Prints the text behind it on the first serial port, then halts: `lodsb`, wait
/// for the port, `out`.
const SAY: [u8; 0x1f] = [
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0xfc, 0xbe, 0x26, 0x7c, 0xac, 0x84, 0xc0, 0x74, 0x11, 0x88, 0xc4,
    0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb, 0x88, 0xe0, 0xb2, 0xf8, 0xee, 0xeb, 0xea,
];
/// `hlt`, again and again.
const HALT: [u8; 7] = [0xf4, 0xeb, 0xfd, 0, 0, 0, 0];
/// The keyboard controller's reset.
const RESET: [u8; 7] = [0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd];

impl Bench {
    /// A disk whose boot sector says `text`.
    fn disk(&self, text: &str, then: [u8; 7]) -> PathBuf {
        let mut sector = [&SAY[..], &then, text.as_bytes()].concat();
        assert!(sector.len() < 510, "{text}");
        sector.resize(1 << 20, 0);
        sector[510..512].copy_from_slice(&[0x55, 0xaa]);
        let path = self.path("disk.img");
        fs::write(&path, sector).unwrap();
        path
    }

    fn smoke(&self, words: &[&str]) -> Ended {
        let common = ["smoke", "--firmware", "bios"];
        let results = ["--junit", "junit.xml", "--result", "result.json"];
        let words = [&common[..], &["--out", "out"], &results, words].concat();
        Ended::of(&mut self.program(&words))
    }

    /// The name of each case that failed, and what was told.
    fn failed(&self) -> Vec<(String, String)> {
        let told = fs::read(self.path("result.json")).unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told["passed"], false);
        let cases = told["cases"].as_array().unwrap().iter();
        let failed = cases.filter(|case| case["outcome"] == "failed");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        failed
            .map(|case| (text(&case["name"]), text(&case["told"])))
            .collect()
    }
}

#[test]
fn what_does_not_boot_is_red_in_the_case_that_it_is() {
    const MENU: &str = "GNU GRUB  version 2.14\r\n Booting `Debian'\r\n";
    let kernel = format!("{MENU}[    0.000000] Linux version 7.0.1\r\n");
    let table = [
        (
            "GRUB loading.\r\nerror: no such device.\r\ngrub rescue> ".to_owned(),
            HALT,
            "boot-loader",
            "GRUB found none of its files",
        ),
        (
            format!("{kernel}Kernel panic - not syncing: VFS: Unable to mount root fs\r\n"),
            HALT,
            "no-kernel-panic",
            "Unable to mount root fs",
        ),
        (
            format!("{kernel}ALERT!  UUID=1 does not exist.\r\n(initramfs) "),
            HALT,
            "no-initramfs-shell",
            "UUID=1 does not exist",
        ),
        (
            format!("{kernel}You are in emergency mode.\r\n"),
            HALT,
            "no-emergency-shell",
            "emergency mode",
        ),
        (kernel.clone(), RESET, "login-prompt", "The machine ended"),
        (kernel, HALT, "login-prompt", "Nothing more came in 6 s"),
        (
            String::new(),
            HALT,
            "boot-loader",
            "Nothing more came in 6 s",
        ),
    ];
    for (says, then, case, told) in table {
        let bench = Bench::new();
        let disk = bench.disk(&says, then);
        let before = fs::read(&disk).unwrap();
        let ended = bench.smoke(&["--timeout", "6", "disk.img"]);
        ended.assert("SMOKE_FAILED", 1, &[case]);
        let failed = bench.failed();
        assert_eq!(failed.len(), 1, "{says:?}: {failed:?}");
        assert_eq!(failed[0].0, case, "{says:?}: {failed:?}");
        assert!(failed[0].1.contains(told), "{says:?}: {failed:?}");
        let xml = fs::read_to_string(bench.path("junit.xml")).unwrap();
        let junit = junit_parser::from_reader(xml.as_bytes()).unwrap();
        assert_eq!((junit.failures, junit.suites.len()), (1, 2), "{xml}");
        let console = fs::read_to_string(bench.path("out/bios-console.log")).unwrap();
        assert!(console.contains(says.trim_end()), "{console}");
        assert_eq!(fs::read(&disk).unwrap(), before);
    }
}

#[test]
fn a_disk_without_a_boot_loader_is_what_the_firmware_says() {
    let bench = Bench::new();
    let mut disk = vec![0; 1 << 20];
    disk[512..520].copy_from_slice(b"EFI PART");
    fs::write(bench.path("disk.img"), disk).unwrap();
    let ended = bench.smoke(&["disk.img"]);
    ended.assert("SMOKE_FAILED", 1, &["boot-loader (bios)"]);
    let failed = bench.failed();
    assert!(failed[0].1.contains("found nothing to boot"), "{failed:?}");
    let png = fs::read(bench.path("out/bios-screen.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}

#[test]
fn what_is_no_disk_and_what_cannot_run_is_refused() {
    let bench = Bench::new();
    fs::write(bench.path("notes.txt"), "not a disk").unwrap();
    let ended = bench.smoke(&["notes.txt"]);
    ended.assert("USAGE", 2, &["notes.txt is nothing that boots"]);
    assert!(!bench.path("out").exists());
    let ended = bench.smoke(&["no-such.raw"]);
    ended.assert("IO", 1, &["no-such.raw"]);
    if vm::uses_kvm(vm::Accel::Auto) == Ok(false) {
        bench.disk("", HALT);
        let ended = bench.smoke(&["--accel", "kvm", "disk.img"]);
        ended.assert("HOST_UNSUITABLE", 3, &["KVM does not work here"]);
    }
}
