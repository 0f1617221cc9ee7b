// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes into the lock file of a medium, as a build knows it.

use std::fs;

use buildroot::cache::Key;

use super::lb;
use super::live::{Inputs, LB};
use super::parts::Parts;
use super::work::Work;
use crate::config::Distro;
use crate::error::{Error, Result};
use crate::lock::{self, Decided, Lock, Locked, Pinned, PinnedImage, PinnedIso};
use crate::sbom::{Hashes, Own, Package};

/// The medium's own list of its files, made by a hook.
const SUMS: &str = "binary/sha256sum.txt";

/// What distro.yaml and this program decide.
///
/// # Errors
/// `IO` when a file that the distro names cannot be read.
pub(super) fn decided(parts: &Parts) -> Result<Decided> {
    let distro = &parts.request.distro;
    let product = &distro.product;
    Ok(Decided {
        builder: env!("CARGO_PKG_VERSION").to_owned(),
        product: product.id.clone(),
        product_version: product.version.clone(),
        suite: distro.suite.clone(),
        architecture: "amd64".to_owned(),
        snapshot: distro.mirrors.snapshot.clone(),
        options: options(distro),
        tree: parts.tree()?.digest(),
        layer: parts.layer()?.digest(),
    })
}

/// A hash over the options of live-build, but for mirrors: another mirror of the
/// same archive has the same packages.
fn options(distro: &Distro) -> String {
    let mut key = Key::new();
    let mut is_value_of_mirror = false;
    for word in lb::config_arguments(distro, None) {
        let is_mirror = word.starts_with("--mirror-");
        if !is_mirror && !is_value_of_mirror {
            key = key.with("word", &word);
        }
        is_value_of_mirror = is_mirror;
    }
    key.hex()
}

/// Packages of an archive with what it tells of their files.
pub(super) fn tools(packages: &[(String, String)], hashes: &Hashes) -> Vec<Pinned> {
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
pub(super) fn own(own: &Own) -> Pinned {
    Pinned {
        name: own.name.clone(),
        version: own.version.clone(),
        architecture: String::new(),
        sha256: own.sha256.clone(),
    }
}

/// What a lock is made of before there is a medium, and what it has to be.
pub(super) struct Locking<'a> {
    /// What is known before anything is looked up.
    pub(super) decided: Decided,
    /// The lock of the medium that it has to be.
    pub(super) locked: Option<&'a Locked>,
    /// Where it was made.
    pub(super) work: &'a Work,
}

impl Locking<'_> {
    /// The lock of a medium with these packages.
    ///
    /// # Errors
    /// `MEDIUM_DIFFERS` when it has to be another one; `IO`.
    pub(super) fn text(
        &self,
        inputs: &Inputs<'_>,
        packages: &[Package],
        owned: &[Own],
        iso: PinnedIso,
    ) -> Result<String> {
        let made = self.lock(inputs, packages, owned, iso)?;
        self.locked
            .map_or(Ok(()), |locked| locked.require_same(&made))?;
        made.text().map_err(|err| Error::defect(err.to_string()))
    }

    fn lock(
        &self,
        inputs: &Inputs<'_>,
        packages: &[Package],
        owned: &[Own],
        iso: PinnedIso,
    ) -> Result<Lock> {
        let is_own = |package: &&Package| {
            let mut all = owned.iter();
            all.any(|own| own.name == package.name && own.version == package.version)
        };
        let of_archive = packages.iter().filter(|package| !is_own(package));
        let pinned = |package: &Package| Pinned {
            name: package.name.clone(),
            version: package.version.clone(),
            architecture: package.architecture.clone(),
            sha256: inputs.hashes.of(package).unwrap_or_default().to_owned(),
        };
        let image = |image: &super::embed::Image| PinnedImage {
            reference: image.reference.clone(),
            digest: image.resolved.manifest_digest.to_string(),
            index: image
                .resolved
                .index_digest
                .as_ref()
                .map(ToString::to_string),
        };
        let path = self.work.path(LB).join(SUMS);
        // A tree of the distro's own may be without the hook.
        let sums = match fs::read_to_string(&path) {
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|err| Error::io("Reading", &path, &err))?,
        };
        Ok(Lock {
            source_date_epoch: inputs.epoch,
            archive: inputs.mirror.key.clone(),
            tools: tools(inputs.tools, inputs.hashes),
            packages: of_archive.map(pinned).collect(),
            own: owned.iter().map(own).collect(),
            images: inputs.embedded.iter().map(image).collect(),
            iso,
            files: lock::sums(&sums),
            ..Lock::new(self.decided.clone())
        })
    }
}
