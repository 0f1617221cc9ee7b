// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes into the lock file of a medium, as a build knows it.

use std::fs;

use super::live::{Inputs, LB};
use super::work::Work;
use crate::error::{Error, Result};
use crate::lock::{self, Decided, Lock, Locked, Pinned, PinnedImage, PinnedIso};
use crate::sbom::{Own, Package};

/// The medium's own list of its files, made by a hook.
const SUMS: &str = "binary/sha256sum.txt";

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
            tools: lock::pinned(inputs.tools, inputs.hashes),
            packages: of_archive.map(pinned).collect(),
            own: owned.iter().map(lock::pinned_own).collect(),
            images: inputs.embedded.iter().map(image).collect(),
            iso,
            files: lock::sums(&sums),
            ..Lock::new(self.decided.clone())
        })
    }
}
