// SPDX-License-Identifier: MIT OR Apache-2.0
//! A disk in a file: made sparse, behind a loop device while an installation
//! runs, and under its own name only once it is complete.
//!
//! A process of its own ([`crate::disk_janitor`]) makes the file beside its
//! place, and removes it again when the engine does not say that it is
//! complete. The loop device goes with its last user, which the kernel sees to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};

use crate::disk_janitor;
use crate::guard::{Guard, KEEP, REMOVE, Reply};

/// A disk in a file that is being written. Dropped, it is removed.
#[derive(Debug)]
pub struct DiskFile {
    file: PathBuf,
    device: PathBuf,
    janitor: Option<Guard>,
}

impl DiskFile {
    /// Makes a sparse file of `size` bytes that becomes `file`, an absolute path
    /// in an existing directory, and a loop device for it.
    ///
    /// # Errors
    /// `FILE_EXISTS` without `overwrite`, `PARTITION_FAILED` without a loop
    /// device, `TOOL_MISSING`, `DISK_FULL`, `IO`.
    pub fn create(file: &Path, size: u64, overwrite: bool) -> Result<Self> {
        if !overwrite && file.symlink_metadata().is_ok() {
            return Err(disk_janitor::exists(file));
        }
        let args: [OsString; 3] = [
            file.into(),
            size.to_string().into(),
            overwrite.to_string().into(),
        ];
        match Guard::start(disk_janitor::SUBCOMMAND, &args, file)? {
            (janitor, Reply::Attached { device }) => Ok(Self {
                file: file.to_owned(),
                device,
                janitor: Some(janitor),
            }),
            _ => Err(Error::new(Code::Internal, "A loop device was not named.")),
        }
    }

    /// The loop device. The kernel may have to be told of its partitions.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Gives the complete file its name. Nothing of the loop device may be
    /// mounted any more.
    ///
    /// # Errors
    /// `FILE_EXISTS` when somebody else has made one meanwhile, `DISK_FULL`, `IO`.
    pub fn keep(mut self) -> Result<()> {
        match self.janitor.take() {
            Some(janitor) => janitor.finish(KEEP, &self.file),
            None => Ok(()),
        }
    }
}

impl Drop for DiskFile {
    fn drop(&mut self) {
        if let Some(janitor) = self.janitor.take()
            && let Err(error) = janitor.finish(REMOVE, &self.file)
        {
            tracing::warn!(%error, "the unfinished disk stays behind");
        }
    }
}
