// SPDX-License-Identifier: MIT OR Apache-2.0
//! A recipe: everything that an installation without a person has to know, in YAML.
//! `docs/unattended.md` explains every key.
//!
//! Reading is pure. A key that is not known is an error with its line and column,
//! and so is a disk that is not named for good: what a recipe does not say is not
//! guessed.

mod keys;
mod parse;

use std::path::{Path, PathBuf};

use contract::customise_plan::{FilePlan, UnitPlan, UserPlan};
use contract::disk_plan::{DiskFs, Table};
use contract::error::Result;
pub use keys::{After, RECIPE};

/// A recipe as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// `image`; without one, `containerUrl` of bootc.conf.
    pub image: Option<String>,
    /// `targetImgref`.
    pub target_imgref: Option<String>,
    /// `registry`.
    pub registry: Registry,
    /// `disk`: which one.
    pub disk: DiskWish,
    /// `disk.wipe`: everything on it may be lost.
    pub wipe: bool,
    /// `layout`.
    pub layout: Layout,
    /// `kargs`.
    pub kargs: Vec<String>,
    /// `users`.
    pub users: Vec<UserPlan>,
    /// `rootSshKeys`.
    pub root_ssh_keys: Vec<String>,
    /// `hostname`.
    pub hostname: Option<String>,
    /// `locale`, such as `de_DE.UTF-8`.
    pub locale: Option<String>,
    /// `keyboard`.
    pub keyboard: Keyboard,
    /// `timezone`, such as `Europe/Berlin`.
    pub timezone: Option<String>,
    /// `network`.
    pub network: Vec<Connection>,
    /// `files`.
    pub files: Vec<FilePlan>,
    /// `units`.
    pub units: Vec<UnitPlan>,
    /// `after`.
    pub after: After,
}

/// How the image's registry is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// `authFile`: containers-auth.json(5).
    pub auth_file: Option<PathBuf>,
    /// `keepCredentials`.
    pub keep_credentials: bool,
    /// `ca`: PEM file.
    pub ca: Option<PathBuf>,
    /// `insecure`.
    pub insecure: bool,
}

/// Which disk a recipe means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskWish {
    /// The one behind this link below `/dev/disk`.
    Id(PathBuf),
    /// The one that a rule leaves.
    Rule(DiskRule),
}

/// A rule that leaves one disk, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskRule {
    /// Among those that fit.
    pub which: Which,
    /// A part of the model; upper and lower case are the same.
    pub model: Option<String>,
    /// Fewest bytes.
    pub min_size: Option<u64>,
    /// Most bytes.
    pub max_size: Option<u64>,
}

/// Which of the disks that fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// There must be no second one.
    #[default]
    Only,
    /// The largest with nothing on it; no other may be as large.
    LargestEmpty,
}

impl Which {
    /// The word of a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Only => "only",
            Self::LargestEmpty => "largest-empty",
        }
    }
}

/// What is on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// `table`.
    pub table: Table,
    /// `filesystem`.
    pub filesystem: DiskFs,
    /// `bootSize` in bytes: a partition for `/boot`.
    pub boot_size: Option<u64>,
}

/// The keyboard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyboard {
    /// XKB layouts.
    pub layout: Option<String>,
    /// XKB variants.
    pub variant: Option<String>,
    /// Keymap of the console.
    pub keymap: Option<String>,
}

/// A connection of NetworkManager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Name of its file, without an end.
    pub name: String,
    /// Where it is.
    pub keyfile: Keyfile,
}

impl Connection {
    /// The file beside the recipe that has it, if it is not in the recipe itself.
    pub fn file(&self) -> Option<&Path> {
        match &self.keyfile {
            Keyfile::File(path) => Some(path),
            Keyfile::Text(_) => None,
        }
    }
}

/// A connection: nm-settings-keyfile(5). `Debug` does not show its text, which may
/// have a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Keyfile {
    /// In this file.
    File(PathBuf),
    /// Its text.
    Text(String),
}

impl std::fmt::Debug for Keyfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text([keyfile])"),
        }
    }
}

/// Reads the text of a recipe; pure. `name` is for messages, and paths in it start
/// at `dir`.
///
/// # Errors
/// `CONFIG_INVALID` with line and column.
pub fn parse(name: &Path, dir: &Path, text: &str) -> Result<Recipe> {
    Ok(parse::recipe(name, dir, text)?)
}

#[cfg(test)]
mod tests;
