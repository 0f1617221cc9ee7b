// SPDX-License-Identifier: MIT OR Apache-2.0
//! The structure of the sources: which module uses which, and whether any two
//! use each other. The tests of this crate hold the workspace against it.

mod cycle;
mod imports;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

pub use cycle::cycles;

/// Who uses whom among modules that have the same parent.
pub type Uses = BTreeMap<String, BTreeSet<String>>;

/// The directory with the workspace's `Cargo.toml`.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads the sources of the crate in `dir` and tells, for each module (`` for
/// the crate itself) that has others in it, who of those uses whom. Tests do not
/// count; what a module uses of the one around it does not either.
///
/// # Errors
/// When a file is missing or is no Rust.
pub fn uses_in(dir: &Path) -> Result<BTreeMap<String, Uses>> {
    let modules = tree::read(dir)?;
    let mut all: BTreeMap<String, Uses> = BTreeMap::new();
    for (from, to) in imports::of(&modules) {
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if let (Some(user), Some(used)) = (from.get(shared), to.get(shared)) {
            let siblings = all.entry(from[..shared].join("::")).or_default();
            let users = siblings.entry(user.clone()).or_default();
            users.insert(used.clone());
        }
    }
    Ok(all)
}
