// SPDX-License-Identifier: MIT OR Apache-2.0
//! What starts a machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// From the first sectors of a disk: BIOS, or the compatibility mode of UEFI.
    Bios,
    /// From a file on an EFI system partition.
    Uefi,
}

impl Firmware {
    /// GRUB's name for this firmware on the processor `arch`, in Rust's
    /// spelling ([`std::env::consts::ARCH`]).
    pub fn grub_platform(self, arch: &str) -> Option<&'static str> {
        match (self, arch) {
            (Self::Bios, "x86_64" | "x86") => Some("i386-pc"),
            (Self::Uefi, "x86_64") => Some("x86_64-efi"),
            (Self::Uefi, "x86") => Some("i386-efi"),
            (Self::Uefi, "aarch64") => Some("arm64-efi"),
            (Self::Uefi, "arm") => Some("arm-efi"),
            (Self::Uefi, "riscv64") => Some("riscv64-efi"),
            (Self::Uefi, "loongarch64") => Some("loongarch64-efi"),
            _ => None,
        }
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bios => "BIOS",
            Self::Uefi => "UEFI",
        })
    }
}
