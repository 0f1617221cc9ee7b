// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where copies of an image may lie.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The word in `layouts` for what is on media that are mounted.
pub const AUTO: &str = "auto";

/// An entry of `layouts`: in text the word [`AUTO`], or a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PathBuf", into = "PathBuf")]
pub enum LayoutPlace {
    /// What is on media that are mounted at this moment.
    Auto,
    /// An OCI layout, an archive of one, or a directory of such.
    Path(PathBuf),
}

impl LayoutPlace {
    /// The path, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Auto => None,
            Self::Path(path) => Some(path),
        }
    }
}

/// A directory of the name [`AUTO`] is `./auto`.
impl From<PathBuf> for LayoutPlace {
    fn from(path: PathBuf) -> Self {
        match path.as_os_str() == OsStr::new(AUTO) {
            true => Self::Auto,
            false => Self::Path(path),
        }
    }
}

impl From<LayoutPlace> for PathBuf {
    fn from(place: LayoutPlace) -> Self {
        match place {
            LayoutPlace::Auto => AUTO.into(),
            LayoutPlace::Path(path) => path,
        }
    }
}
