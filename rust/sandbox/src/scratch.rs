// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scratch directory: room on the target disk for what an installation
//! needs only while it runs (the OCI layout, the unpacked image, temporary
//! files of the image's tools).
//!
//! A process of its own, the janitor ([`crate::janitor`]), makes the directory
//! and removes it: when it is told to, or when the engine and all its children
//! are gone without telling. So not even `kill -9` of the engine leaves
//! scratch behind.

use std::path::{Path, PathBuf};

use contract::error::{Error, Result};

use crate::guard::{Guard, REMOVE};
use crate::janitor;

/// Name of the directory, on the target or in the directory that the plan names.
pub const NAME: &str = ".bootc-scratch";

/// The scratch directory of a running installation. Removed by
/// [`Scratch::remove`], on drop, and when this process dies.
#[derive(Debug)]
pub struct Scratch {
    dir: PathBuf,
    janitor: Option<Guard>,
}

impl Scratch {
    /// Makes the directory [`NAME`] in the existing directory `parent`.
    ///
    /// # Errors
    /// `TARGET_INTERRUPTED` when it exists: what an earlier run left is never
    /// used again. `DISK_FULL`, `TARGET_READ_ONLY`, `IO`.
    pub fn create_in(parent: &Path) -> Result<Self> {
        let parent = parent
            .canonicalize()
            .map_err(|err| Error::io("finding the scratch directory", parent, &err))?;
        let dir = parent.join(NAME);
        let (janitor, _) = Guard::start(janitor::SUBCOMMAND, &[&dir], &dir)?;
        Ok(Self {
            dir,
            janitor: Some(janitor),
        })
    }

    /// The directory itself, absolute and without links.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// OCI layout of the pulled image.
    pub fn oci(&self) -> PathBuf {
        self.dir.join("oci")
    }

    /// The unpacked image.
    pub fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    /// `/var/tmp` of the image's tools.
    pub fn tmp(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    /// `/var/lib/containers` of the image's tools.
    pub fn containers(&self) -> PathBuf {
        self.dir.join("containers")
    }

    /// Where the directory is, relative to `root`, when it lies in it.
    pub fn within(&self, root: &Path) -> Option<PathBuf> {
        let root = root.canonicalize().ok()?;
        self.dir.strip_prefix(root).ok().map(Path::to_owned)
    }

    /// Removes it and says so when something stays. It crosses no file system
    /// border.
    ///
    /// # Errors
    /// `IO` with what could not be removed.
    pub fn remove(mut self) -> Result<()> {
        match self.janitor.take() {
            Some(janitor) => janitor.finish(REMOVE, &self.dir),
            None => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(janitor) = self.janitor.take()
            && let Err(error) = janitor.finish(REMOVE, &self.dir)
        {
            tracing::warn!(%error, "scratch stays behind");
        }
    }
}
