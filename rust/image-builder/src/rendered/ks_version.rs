// SPDX-License-Identifier: MIT OR Apache-2.0
//! The versions of kickstarts, by their names in pykickstart, and the command by
//! which each installs a container.

use crate::error::{Code, Error, Result};

/// How a version names the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// `ostreecontainer`: F38 and RHEL9. The system updates from where it is
    /// installed from.
    OstreeContainer,
    /// `bootc`: F43 and RHEL10.
    Bootc,
    /// `bootc` with `--bootloader`: F45.
    BootcWithLoader,
}

/// A version of kickstarts that can name a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KsVersion {
    name: &'static str,
    pub(super) command: Command,
}

const fn version(name: &'static str, command: Command) -> KsVersion {
    KsVersion { name, command }
}

impl KsVersion {
    /// All of them.
    pub const ALL: [Self; 10] = [
        version("F38", Command::OstreeContainer),
        version("F39", Command::OstreeContainer),
        version("F40", Command::OstreeContainer),
        version("F41", Command::OstreeContainer),
        version("F42", Command::OstreeContainer),
        version("F43", Command::Bootc),
        version("F44", Command::Bootc),
        version("F45", Command::BootcWithLoader),
        version("RHEL9", Command::OstreeContainer),
        version("RHEL10", Command::Bootc),
    ];

    /// The one that is meant when none is named.
    pub const USUAL: &'static str = "F43";

    /// The name, as `ksvalidator --version` takes it.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Reads a name, in capitals or not.
    ///
    /// # Errors
    /// `USAGE` for one that cannot name a container, or that nobody knows.
    pub fn parse(text: &str) -> Result<Self> {
        let known = |version: &&Self| version.name.eq_ignore_ascii_case(text);
        if let Some(found) = Self::ALL.iter().find(known) {
            return Ok(*found);
        }
        let names: Vec<_> = Self::ALL.iter().map(|version| version.name).collect();
        Err(Error::new(
            Code::Usage,
            format!("A kickstart of the version `{text}` cannot install a container."),
        )
        .why("`ostreecontainer` came with F38 and RHEL9, `bootc` with F43 and RHEL10.")
        .next(format!("--ks-version takes {}.", names.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names() {
        assert_eq!(KsVersion::parse("f45").unwrap().name(), "F45");
        assert_eq!(KsVersion::parse(KsVersion::USUAL).unwrap().name(), "F43");
        for (text, part) in [("RHEL8", "F38"), ("F37", "RHEL10"), ("", "F43")] {
            let error = KsVersion::parse(text).unwrap_err();
            assert_eq!(error.code, Code::Usage);
            assert!(error.next.contains(part), "{error:?}");
        }
    }
}
