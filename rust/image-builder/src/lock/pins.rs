// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages as a lock has them. Pure.

use super::diff::Pinned;
use crate::sbom::{Hashes, Own};

/// Packages of an archive with what it tells of their files.
pub(crate) fn pinned(packages: &[(String, String)], hashes: &Hashes) -> Vec<Pinned> {
    let one = |(name, version): &(String, String)| {
        let (architecture, sha256) = hashes.find(name, version).unwrap_or_default();
        Pinned {
            name: name.clone(),
            version: version.clone(),
            architecture: architecture.to_owned(),
            sha256: sha256.to_owned(),
        }
    };
    packages.iter().map(one).collect()
}

/// A package file.
pub(crate) fn pinned_own(own: &Own) -> Pinned {
    Pinned {
        name: own.name.clone(),
        version: own.version.clone(),
        architecture: String::new(),
        sha256: own.sha256.clone(),
    }
}
