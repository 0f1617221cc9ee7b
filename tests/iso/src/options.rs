// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::way::Way;

/// Installs from the installer medium in a virtual machine, by its own pages,
/// and boots the disk.
#[derive(Clone, Debug, Parser)]
#[command(name = "iso-e2e", version)]
pub struct Options {
    /// The installer medium; without it the media are built
    #[arg(long, value_name = "FILE")]
    pub iso: Option<PathBuf>,
    /// Where media that are built go
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub media: PathBuf,
    /// What to do, can be given several times [default: bios, uefi, offline, check]
    #[arg(long = "way", value_enum, value_name = "WAY")]
    ways: Vec<Way>,
    /// Packages (.udeb, .deb) of Debian's installer that are taken from here and
    /// not from the mirror
    #[arg(long, value_name = "DIR")]
    pub installer_packages: Option<PathBuf>,
    /// Take the packages of this project from here, ready made
    #[arg(long, value_name = "DIR")]
    pub debs: Option<PathBuf>,
    /// Do not look for the installation's logs in the installed system
    #[arg(long)]
    pub without_logs: bool,
    /// Where pictures, logs and results go, in a directory for each way
    #[arg(long, value_name = "DIR", default_value = "out/e2e")]
    pub out: PathBuf,
    /// Keep the installed disk (it is kept anyway when something fails)
    #[arg(long)]
    pub keep_disk: bool,
    /// Seconds that a boot of the medium may take up to its shell
    #[arg(long, value_name = "S", default_value_t = 600)]
    pub boot_limit: u64,
    /// Seconds that the installation itself may take
    #[arg(long, value_name = "S", default_value_t = 3600)]
    pub install_limit: u64,
}

impl Options {
    /// What to do, in this order.
    pub fn ways(&self) -> &[Way] {
        match self.ways.as_slice() {
            // Whether there is an image on somebody's medium is not known.
            [] if self.iso.is_some() => &[Way::Bios, Way::Uefi, Way::Check],
            [] => &[Way::Bios, Way::Uefi, Way::Offline, Way::Check],
            ways => ways,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn everything_unless_told_otherwise() {
        Options::command().debug_assert();
        let plain = Options::parse_from(["iso-e2e"]);
        assert_eq!(
            plain.ways(),
            [Way::Bios, Way::Uefi, Way::Offline, Way::Check]
        );
        let given = Options::parse_from(["iso-e2e", "--iso", "a.iso"]);
        assert_eq!(given.ways(), [Way::Bios, Way::Uefi, Way::Check]);
        let one = Options::parse_from(["iso-e2e", "--way", "offline", "--iso", "a.iso"]);
        assert_eq!(one.ways(), [Way::Offline]);
    }
}
