// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways of installing from the medium.

use clap::ValueEnum;
use vm::Firmware;

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
    /// BIOS, 2 GiB of memory, an image of more than 1 GB when it is unpacked
    Large,
    /// BIOS, the boot menu's check of a good and of a damaged medium
    Check,
    /// BIOS, a recipe as a credential of the machine, and nobody there
    Unattended,
    /// BIOS, no network card: Debian's installer, preseeded, with the image on its
    /// medium
    DebianInstaller,
    /// The same under UEFI
    DebianInstallerUefi,
    /// The same under UEFI with Secure Boot
    DebianInstallerSecure,
}

impl Way {
    /// The name of its directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
            Self::Secure => "secure",
            Self::Offline => "offline",
            Self::Large => "large",
            Self::Check => "check",
            Self::Unattended => "unattended",
            Self::DebianInstaller => "debian-installer",
            Self::DebianInstallerUefi => "debian-installer-uefi",
            Self::DebianInstallerSecure => "debian-installer-secure",
        }
    }

    /// With what the machine starts.
    pub fn firmware(self) -> Firmware {
        match self {
            Self::Uefi | Self::DebianInstallerUefi => Firmware::Uefi,
            Self::Secure | Self::DebianInstallerSecure => Firmware::Secure,
            _ => Firmware::Bios,
        }
    }

    /// With what the installed disk starts: nobody signed its boot loader.
    pub fn firmware_of_disk(self) -> Firmware {
        match self.firmware() {
            Firmware::Secure => Firmware::Uefi,
            firmware => firmware,
        }
    }

    /// Memory in MiB: once what is promised to be enough, else some more.
    pub fn memory_mib(self) -> u32 {
        match self {
            Self::Uefi | Self::Secure => 3072,
            _ => 2048,
        }
    }

    /// Whether the image comes from a registry.
    pub fn online(self) -> bool {
        matches!(
            self,
            Self::Bios | Self::Uefi | Self::Large | Self::Unattended
        )
    }

    /// Whether it is the medium with Debian's own installer.
    pub fn debian_installer(self) -> bool {
        matches!(
            self,
            Self::DebianInstaller | Self::DebianInstallerUefi | Self::DebianInstallerSecure
        )
    }

    /// Whether a person goes through the pages and installs.
    pub fn installs(self) -> bool {
        !matches!(self, Self::Secure | Self::Check | Self::Unattended)
    }
}
