// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways of installing from the medium.

use clap::ValueEnum;
use test_guest::Firmware;

/// What the machine is and how it is installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Way {
    /// BIOS, 2 GiB of memory, a typed reference
    Bios,
    /// UEFI, a typed reference
    Uefi,
    /// UEFI with Secure Boot, up to the welcome page
    Secure,
    /// BIOS, no network card, the image that is on the medium
    Offline,
}

impl Way {
    /// The name of its directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
            Self::Secure => "secure",
            Self::Offline => "offline",
        }
    }

    /// With what the machine starts.
    pub fn firmware(self) -> Firmware {
        match self {
            Self::Bios | Self::Offline => Firmware::Bios,
            Self::Uefi | Self::Secure => Firmware::Uefi,
        }
    }

    /// Memory in MiB: once what is promised to be enough, else some more.
    pub fn memory_mib(self) -> u32 {
        match self {
            Self::Bios | Self::Offline => 2048,
            Self::Uefi | Self::Secure => 3072,
        }
    }

    /// Whether the image comes from a registry.
    pub fn online(self) -> bool {
        matches!(self, Self::Bios | Self::Uefi)
    }

    /// Whether something is installed at all.
    pub fn installs(self) -> bool {
        self != Self::Secure
    }
}
