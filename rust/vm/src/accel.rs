// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether KVM runs a kernel here. That `/dev/kvm` can be opened says little: in
//! a container or a virtual machine it may be there without the processor's
//! help, and machines then hang or end at once.

use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::process::{self, Process, QEMU};

/// How the guest's instructions run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Accel {
    /// KVM where it runs a kernel, else TCG.
    #[default]
    Auto,
    /// The host's processor.
    Kvm,
    /// Translation in software.
    Tcg,
}

/// A boot sector takes KVM less than a second.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// QEMU makes this status of what the boot sector says at the end.
const PROBE_STATUS: i32 = 0x10 << 1 | 1;
/// SeaBIOS reads from no disk of less than a cylinder.
const PROBE_BYTES: usize = 1 << 20;
/// The code of `probe.S`.
const PROBE: [u8; 126] = [
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0xfc, 0x66, 0xbf, 0x00,
    0x10, 0x00, 0x00, 0x0f, 0x22, 0xdf, 0x66, 0x31, 0xc0, 0xb9, 0x00, 0x0c, 0x66, 0xf3, 0xab, 0xc7,
    0x06, 0x00, 0x10, 0x03, 0x20, 0xc7, 0x06, 0x00, 0x20, 0x03, 0x30, 0xc7, 0x06, 0x00, 0x30, 0x83,
    0x00, 0x0f, 0x20, 0xe0, 0x0c, 0x20, 0x0f, 0x22, 0xe0, 0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f,
    0x32, 0x80, 0xcc, 0x01, 0x0f, 0x30, 0x0f, 0x20, 0xc0, 0x66, 0x0d, 0x01, 0x00, 0x00, 0x80, 0x0f,
    0x22, 0xc0, 0x0f, 0x01, 0x16, 0x78, 0x7c, 0xea, 0x5c, 0x7c, 0x08, 0x00, 0x31, 0xc0, 0x0f, 0xa2,
    0xb0, 0x10, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x9a, 0x20, 0x00, 0x0f, 0x00, 0x68, 0x7c, 0x00, 0x00,
];

/// Whether this comes to KVM on this host. It is found out once, by booting
/// something small.
///
/// # Errors
/// `KVM_UNUSABLE` when KVM is asked for and does not do.
pub fn uses_kvm(accel: Accel) -> Result<bool> {
    static FOUND: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    if accel == Accel::Tcg {
        return Ok(false);
    }
    match (FOUND.get_or_init(kvm), accel) {
        (Ok(()), _) => Ok(true),
        (Err(_), Accel::Auto | Accel::Tcg) => Ok(false),
        (Err(why), Accel::Kvm) => Err(Error::new(
            Code::KvmUnusable,
            format!("KVM does not work here: {why}"),
        )),
    }
}

/// Why not, otherwise.
fn kvm() -> std::result::Result<(), String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if !has_virtualisation(&cpuinfo) {
        return Err("the processor has neither vmx nor svm (/proc/cpuinfo)".to_owned());
    }
    let device = File::options().read(true).write(true).open("/dev/kvm");
    device.map_err(|err| format!("/dev/kvm: {err}"))?;
    match probe(&["-accel", "kvm", "-cpu", "host"], PROBE_LIMIT) {
        Ok(true) => Ok(()),
        Ok(false) => Err("it does not run a boot sector to its end".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn has_virtualisation(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .flat_map(str::split_whitespace)
        .any(|flag| flag == "vmx" || flag == "svm")
}

/// Whether a machine with this accelerator gets into long mode within `limit`.
fn probe(accel: &[&str], limit: Duration) -> Result<bool> {
    let dir = process::directory()?;
    let disk = dir.path().join("probe.raw");
    fs::write(&disk, image()).map_err(Error::io("writing the boot sector of the probe"))?;
    let mut command = process::bound_command(QEMU);
    command
        .args(arguments(accel, &disk))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let process = Process::spawn(command)?;
    let status = process.wait(Deadline::after(limit));
    Ok(status.and_then(|status| status.code()) == Some(PROBE_STATUS))
}

fn image() -> Vec<u8> {
    let mut image = PROBE.to_vec();
    image.resize(PROBE_BYTES, 0);
    image[510] = 0x55;
    image[511] = 0xaa;
    image
}

fn arguments(accel: &[&str], disk: &Path) -> Vec<String> {
    let disk = disk.to_string_lossy().replace(',', ",,");
    let drive = format!("id=disk,if=none,format=raw,readonly=on,file={disk}");
    let before = "-nodefaults -no-user-config -no-reboot -display none -machine q35 -m 64 -smp 1";
    let words = before.split(' ').chain(accel.iter().copied()).chain([
        "-drive",
        &drive,
        "-device",
        "virtio-blk-pci,drive=disk,bootindex=0",
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4",
    ]);
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn kvm_needs_the_processor() {
        let cases = [
            ("flags\t\t: fpu vmx sse\n", true),
            ("flags\t\t: fpu svm\n", true),
            ("flags\t\t: fpu hypervisor vmx_like\n", false),
            ("vmx flags\t: ept\n", false),
            ("", false),
        ];
        for (cpuinfo, expected) in cases {
            assert_eq!(has_virtualisation(cpuinfo), expected, "{cpuinfo}");
        }
    }

    /// The boot sector itself, in emulation, which is there everywhere.
    #[test]
    fn the_probe_runs_to_its_end_and_tells_where_it_cannot() {
        buildroot::apt::ensure(&[QEMU]).unwrap();
        let minute = Duration::from_secs(60);
        let works = ["-accel", "tcg", "-cpu", "max"];
        assert!(probe(&works, minute).unwrap());
        // A processor without long mode.
        assert!(!probe(&["-accel", "tcg", "-cpu", "qemu32"], Duration::from_secs(3)).unwrap());
        assert!(!probe(&["-accel", "none"], minute).unwrap());
    }

    #[test]
    fn emulation_asks_nobody() {
        assert_eq!(uses_kvm(Accel::Tcg), Ok(false));
    }
}
