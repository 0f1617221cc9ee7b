// SPDX-License-Identifier: MIT OR Apache-2.0
//! Blueprints: `config.toml` or `config.json`, as bootc-image-builder and
//! image-builder read them, which say what a disk image has beside its
//! container: users, files, kernel arguments, sizes. See
//! <https://osbuild.org/docs/user-guide/blueprint-reference/>, of which this
//! reads what those tools have for bootable containers on disks, and `hostname`
//! and `services` besides.
//!
//! Files that were written for those tools mean the same here. A key that is
//! nobody's, and one that would have no effect here, is an error: who writes a
//! key wants its effect.

mod customizations;
mod known;
mod place;
mod size;

use std::fmt;

pub use customizations::{
    Blueprint, Customizations, Directory, Disk, DiskTable, File, Filesystem, Group, Kernel, Owner,
    Partition, Services, User,
};
pub use size::{Size, parse as parse_size};

/// How a blueprint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `config.toml`.
    Toml,
    /// `config.json`, which also comes through a pipe.
    Json,
}

impl Format {
    /// By the name of the file: JSON when it ends in `.json`, else TOML, as the
    /// tools do that blueprints come from.
    pub fn of(file: &std::path::Path) -> Self {
        match file.extension() {
            Some(end) if end.eq_ignore_ascii_case("json") => Self::Json,
            _ => Self::Toml,
        }
    }
}

/// Why a text is no blueprint. No value of the text is in it, since one may be a
/// password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// From 1; none for what is missing in the whole.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// What is wrong, for a person.
    pub what: String,
    /// What to write instead, where that can be told.
    pub next: Option<String>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Wrong {}

/// Reads a blueprint.
///
/// # Errors
/// When it is no TOML or JSON, has a key that is unknown or would have no effect,
/// a value of the wrong kind, or one that cannot be what it is for.
pub fn parse(text: &str, format: Format) -> Result<Blueprint, Wrong> {
    let blueprint: Blueprint = match format {
        Format::Toml => toml::from_str(text).map_err(|e| {
            let (line, column) = e.span().map_or((None, None), |s| place::of(text, s.start));
            known::explain(e.message(), line, column)
        })?,
        Format::Json => serde_json::from_str(text).map_err(|e| {
            // Its own text ends in the place, which is told apart here.
            let whole = e.to_string();
            let what = whole.rsplit_once(" at line ").map_or(&*whole, |(w, _)| w);
            known::explain(what, Some(e.line()), Some(e.column()))
        })?,
    };
    // Older files have it all below `blueprint`.
    let blueprint = match blueprint {
        Blueprint {
            blueprint: Some(inner),
            ..
        } => *inner,
        direct => direct,
    };
    blueprint.check()?;
    Ok(blueprint)
}

#[cfg(test)]
mod tests;
