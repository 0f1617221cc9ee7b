// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--type`.

use std::ffi::OsStr;

use clap::Arg;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::build::MediumKind;
use crate::disk::kind::DiskKind;

/// What can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageType {
    /// A live ISO with Calamares.
    Calamares,
    /// An ISO with Debian's own installer.
    DebianInstaller,
    /// A disk image.
    Disk(DiskKind),
    /// A kickstart for Anaconda.
    Kickstart,
    /// An Ignition configuration for a live host.
    Ignition,
}

impl ImageType {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let disks = DiskKind::ALL.into_iter().map(Self::Disk);
        [Self::Calamares, Self::DebianInstaller]
            .into_iter()
            .chain(disks)
            .chain([Self::Kickstart, Self::Ignition])
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calamares => MediumKind::Calamares.name(),
            Self::DebianInstaller => MediumKind::DebianInstaller.name(),
            Self::Disk(kind) => kind.name(),
            Self::Kickstart => "kickstart",
            Self::Ignition => "ignition",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Calamares => "A live ISO with Calamares",
            Self::DebianInstaller => "An ISO with Debian's own installer, in text mode",
            Self::Disk(kind) => kind.about(),
            Self::Kickstart => "A kickstart with which Anaconda installs the image",
            Self::Ignition => "An Ignition configuration with which a live host installs it",
        }
    }
}

/// Reads `--type`. The types that are meant to come are known here only to say
/// that they are not made yet.
#[derive(Debug, Clone, Copy)]
pub struct ImageTypeParser;

impl TypedValueParser for ImageTypeParser {
    type Value = ImageType;

    fn parse_ref(
        &self,
        cmd: &clap::Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<ImageType, clap::Error> {
        let value = value.to_string_lossy();
        if let Some(known) = ImageType::all().find(|known| known.name() == value) {
            return Ok(known);
        }
        let planned = ["netboot"];
        let names: Vec<_> = ImageType::all().map(ImageType::name).collect();
        let names = names.join(", ");
        let why = match planned.contains(&value.as_ref()) {
            true => format!("it is not made yet; {names} are"),
            false => format!("it is no type; {names} are"),
        };
        let mut err = clap::Error::new(ErrorKind::ValueValidation).with_cmd(cmd);
        if let Some(arg) = arg {
            err.insert(
                ContextKind::InvalidArg,
                ContextValue::String(arg.to_string()),
            );
        }
        err.insert(
            ContextKind::InvalidValue,
            ContextValue::String(value.into_owned()),
        );
        err.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![why.into()]),
        );
        Err(err)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let all = ImageType::all();
        Some(Box::new(all.map(|kind| {
            PossibleValue::new(kind.name()).help(kind.about())
        })))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::cli::args::Cli;
    use clap::Parser as _;

    #[test]
    fn another_type_says_what_is_built() {
        let made =
            "calamares, debian-installer, raw, qcow2, vmdk, ami, vhd, kickstart, ignition are";
        for (name, why) in [
            ("netboot", "tip: it is not made yet"),
            ("iso", "tip: it is no type"),
        ] {
            let err = Cli::try_parse_from(["x", "build", "--type", name]).unwrap_err();
            assert_eq!(err.exit_code(), 2);
            let text = err.to_string();
            assert!(text.contains(&format!("{why}; {made}")), "{text}");
            assert!(
                text.contains(&format!("'{name}' for '--type <TYPE>'")),
                "{text}"
            );
        }
    }
}
