// SPDX-License-Identifier: MIT OR Apache-2.0
//! One blob from a layout at hand into a file, written and verified like one
//! from a registry.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::blob::{Wanted, Watch};
use crate::error::RegistryError;
use crate::layout::OciLayout;
use crate::writer::{blocking, Writer, BATCH};

/// Copies the blob in the file `from` into `layout`. `false` when it cannot be
/// read or is not what it should be: the medium is damaged, and the registry
/// has the blob, too.
pub(crate) async fn copy_blob(
    from: &Path,
    wanted: &Wanted<'_>,
    layout: &OciLayout,
    watch: &dyn Watch,
    cancel: &CancellationToken,
) -> Result<bool, RegistryError> {
    let partial = layout.partial_path(wanted.digest);
    let mut writer = Writer::open(partial.clone(), wanted).await?;
    if writer.position > 0 {
        // What an interrupted download left could be wrong, and a mismatch
        // would then say nothing about the copy.
        writer.restart().await?;
    }
    let problem = match read(from, wanted, &mut writer, watch, cancel).await? {
        None => match writer.finish(wanted).await {
            Ok(()) => None,
            Err(e @ RegistryError::DigestMismatch { .. }) => Some(e.to_string()),
            Err(e) => return Err(e),
        },
        damaged => damaged,
    };
    if let Some(problem) = problem {
        tracing::warn!(
            from = %from.display(),
            problem,
            "the copy is damaged, downloading {} instead",
            wanted.what
        );
        watch.rewound(writer.restart().await?);
        return Ok(false);
    }
    let path = layout.blob_path(wanted.digest);
    fs::rename(&partial, &path).map_err(RegistryError::io("rename", &partial))?;
    Ok(true)
}

/// Reads all of the file into `writer`; gives what kept it from being read.
async fn read(
    from: &Path,
    wanted: &Wanted<'_>,
    writer: &mut Writer,
    watch: &dyn Watch,
    cancel: &CancellationToken,
) -> Result<Option<String>, RegistryError> {
    let path = from.to_owned();
    let mut file = match blocking(move || File::open(path)).await {
        Ok(file) => file,
        Err(e) => return Ok(Some(e.to_string())),
    };
    loop {
        if cancel.is_cancelled() {
            return Err(RegistryError::Cancelled);
        }
        let (back, chunk) = match blocking(move || next(file)).await {
            Ok(read) => read,
            Err(e) => return Ok(Some(e.to_string())),
        };
        file = back;
        if chunk.is_empty() {
            break;
        }
        let length = chunk.len() as u64;
        if writer.position + length > wanted.size {
            return Ok(Some("it is longer than it should be".to_owned()));
        }
        writer.push(chunk).await?;
        watch.bytes(length);
    }
    // Too few bytes show in the digest.
    Ok(None)
}

/// The next bytes of a file, none at its end.
fn next(mut file: File) -> io::Result<(File, Bytes)> {
    let mut chunk = Vec::with_capacity(BATCH);
    (&mut file).take(BATCH as u64).read_to_end(&mut chunk)?;
    Ok((file, chunk.into()))
}
