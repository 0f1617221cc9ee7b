// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: plans from Calamares' global storage.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use installer::plan::Plan;

fn bootc_installer(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bootc-installer"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may have refused already and not read it.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap_or_default();
    child.wait_with_output().unwrap()
}

fn fixture(name: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/calamares/{name}.json"));
    std::fs::read_to_string(path).unwrap()
}

const ARGS: [&str; 6] = [
    "plan",
    "--no-lookup",
    "--image",
    "registry.example/os/debian:13",
    "--calamares",
    "-",
];

#[test]
fn a_plan_from_calamares() {
    for (name, lines, kargs) in [
        ("bios-ext4", 0, 1),
        ("uefi-ext4", 3, 1),
        ("uefi-luks", 3, 4),
        ("python-ints", 1, 1),
        ("manual-btrfs", 6, 3),
    ] {
        let mut args = ARGS.to_vec();
        args.extend(["--karg", "quiet"]);
        let output = bootc_installer(&args, &fixture(name));
        let text = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {complaint}");
        let plan = Plan::from_json(&text).unwrap();
        assert_eq!(plan.target.root, Path::new("/tmp/calamares-root-abc123"));
        assert_eq!(plan.deployment.fstab.len(), lines, "{name}");
        assert_eq!(plan.bootc.kargs.len(), kargs, "{name}");
        assert!(plan.finish.unmount && plan.finish.hand_over, "{name}");
        for output in [text, complaint] {
            assert!(!output.contains("secret"), "{name}: {output}");
        }
    }
}

#[test]
fn refusals_have_codes_and_no_secrets() {
    let no_boot = fixture("uefi-luks").replace("\"/boot\"", "\"\"");
    let swap_file = fixture("bios-ext4").replace("\"swap\": \"none\"", "\"swap\": \"file\"");
    for (text, status, part) in [
        (no_boot.as_str(), 3, "[BOOT_ENCRYPTED]"),
        ("{}", 2, "[CALAMARES_INVALID]"),
        ("{\"luksPassphrase\": \"secret", 2, "[CALAMARES_INVALID]"),
        (swap_file.as_str(), 0, "swap file"),
    ] {
        let output = bootc_installer(&ARGS, text);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{complaint}");
        assert!(complaint.contains(part), "{part}: {complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}
