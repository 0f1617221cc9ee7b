// SPDX-License-Identifier: MIT OR Apache-2.0
//! Operating system and processor, in the words of image-spec `image-index.md`
//! (which are Go's `GOOS` and `GOARCH`).

use std::fmt;
use std::str::FromStr;

/// A platform that an image is made for, `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// The kind of processor within the architecture, such as `v7` for `arm`.
    pub variant: Option<String>,
}

/// A text that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform; write it as linux/amd64 or linux/arm/v7")]
pub struct PlatformError(String);

impl Platform {
    /// A Linux platform from an architecture in Go's, uname's or Debian's words.
    pub fn linux(architecture: &str) -> Self {
        let (architecture, variant) = match architecture {
            "x86_64" => ("amd64", None),
            "aarch64" => ("arm64", None),
            "i386" | "i686" | "x86" => ("386", None),
            "armhf" | "armv7l" => ("arm", Some("v7")),
            "armel" => ("arm", Some("v5")),
            "ppc64el" | "powerpc64le" => ("ppc64le", None),
            "loongarch64" => ("loong64", None),
            other => (other, None),
        };
        Self {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        }
    }

    /// The platform that this program was built for.
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            "powerpc64" => "ppc64",
            "arm" => "armv7l",
            other => other,
        };
        Self::linux(architecture)
    }

    /// How well an image for `offered` runs on this platform: the smaller the
    /// better, `None` for not at all.
    ///
    /// A variant stands for a minimum. Where none is wanted, the baseline of
    /// the architecture is: an image for `amd64/v3` is no match for plain
    /// `amd64`, since the processor may lack what it needs.
    pub fn distance(&self, offered: &Self) -> Option<u32> {
        if self.os != offered.os || self.architecture != offered.architecture {
            return None;
        }
        let wanted = self.level()?;
        let offered = offered.level()?;
        wanted.checked_sub(offered)
    }

    /// The variant as a number, with the baseline of the architecture where
    /// there is none.
    fn level(&self) -> Option<u32> {
        let baseline = match self.architecture.as_str() {
            "arm64" => 8,
            "arm" => 7,
            _ => 1,
        };
        match &self.variant {
            None => Some(baseline),
            Some(variant) => variant.strip_prefix('v')?.parse().ok(),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let word =
            |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().copied().all(word) {
            return Err(PlatformError(text.to_owned()));
        }
        match parts.as_slice() {
            [architecture] => Ok(Self::linux(architecture)),
            [os, architecture] => Ok(Self {
                os: (*os).to_owned(),
                ..Self::linux(architecture)
            }),
            [os, architecture, variant] => Ok(Self {
                os: (*os).to_owned(),
                variant: Some((*variant).to_owned()),
                ..Self::linux(architecture)
            }),
            _ => Err(PlatformError(text.to_owned())),
        }
    }
}
