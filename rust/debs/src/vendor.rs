// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sources of all crates, for builds without a network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use buildroot::cache::{self, Key};
use buildroot::cmd::CommandExt;

/// The directory that `cargo vendor` makes after `Cargo.lock`, from the cache
/// or fetched. It belongs to the cache: do not write there.
pub fn vendor(source: &Path) -> Result<PathBuf> {
    let lock = Key::new()
        .with("layout", "3")
        .with_file("Cargo.lock", &source.join("Cargo.lock"))?;
    cache::entry("vendor", &lock, |dir| {
        Command::new("cargo")
            .args(["vendor", "--locked", "--quiet", "--versioned-dirs"])
            .arg(dir)
            .current_dir(source)
            .run()?;
        set_times(dir)
    })
}

/// Gives every file the same time, long ago. Build scripts name files that they
/// depend on, and cargo goes by their times: with those of the download, each
/// change of Cargo.lock would compile Qt's bindings again. Another version of a
/// crate is another directory.
fn set_times(dir: &Path) -> Result<()> {
    let long_ago = UNIX_EPOCH + Duration::from_secs(946_684_800);
    for entry in fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))? {
        let entry = entry.with_context(|| format!("listing {}", dir.display()))?;
        let path = entry.path();
        let kind = entry
            .file_type()
            .with_context(|| format!("looking at {}", path.display()))?;
        if kind.is_dir() {
            set_times(&path)?;
        }
        if kind.is_dir() || kind.is_file() {
            File::open(&path)
                .and_then(|file| file.set_modified(long_ago))
                .with_context(|| format!("setting the time of {}", path.display()))?;
        }
    }
    Ok(())
}
