// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of the tree that repeat what the code knows, printed from it.
//!
//! `make generate` writes them. They are kept in the tree, because who reads it,
//! or builds a package of it, should not have to run something first; a test
//! fails when one differs from what would be written.

mod header;
pub mod scrape;
mod storage_keys;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use installer::cli::documents;

/// A file that is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Its place in the workspace.
    pub path: &'static str,
    /// All that is in it.
    pub text: String,
}

const MAN_TOP: &str = "\
.\\\" SPDX-License-Identifier: MIT OR Apache-2.0
.\\\" Printed by `make generate` from the command line's definition: do not edit.
";

/// The directory with the workspace's `Cargo.toml`.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file that is printed, as the code is now.
///
/// # Errors
/// When sources cannot be read, or do not have what is looked for in them.
pub fn files() -> Result<Vec<Printed>> {
    Ok(vec![
        Printed {
            path: "docs/error-codes.md",
            text: documents::error_codes(),
        },
        Printed {
            path: "calamares-module/common/EngineTexts.h",
            text: header::text(&workspace())?,
        },
        Printed {
            path: "calamares-module/common/StorageKeys.h",
            text: storage_keys::text(),
        },
        Printed {
            path: "debian/bootc-installer.1",
            text: MAN_TOP.to_owned() + &manual::page(documents::command())?,
        },
    ])
}

/// Says of each file that differs, or is not there, what to do.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn out_of_date(root: &Path, files: &[Printed]) -> Result<Vec<String>> {
    let mut old = Vec::new();
    for file in differing(root, files)? {
        old.push(format!("{} is out of date: run `make generate`", file.path));
    }
    Ok(old)
}

/// Writes what differs, and gives the paths of that.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(root: &Path, files: &[Printed]) -> Result<Vec<&'static str>> {
    let mut written = Vec::new();
    for file in differing(root, files)? {
        let path = root.join(file.path);
        fs::write(&path, &file.text).with_context(|| format!("writing {}", path.display()))?;
        written.push(file.path);
    }
    Ok(written)
}

fn differing<'a>(root: &Path, files: &'a [Printed]) -> Result<Vec<&'a Printed>> {
    let mut found = Vec::new();
    for file in files {
        let path = root.join(file.path);
        let there = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(err) if err.kind() == ErrorKind::NotFound => None,
            Err(err) => return Err(err).with_context(|| format!("reading {}", path.display())),
        };
        if there.as_deref() != Some(file.text.as_bytes()) {
            found.push(file);
        }
    }
    Ok(found)
}
