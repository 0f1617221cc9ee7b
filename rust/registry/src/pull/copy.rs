// SPDX-License-Identifier: MIT OR Apache-2.0
//! One blob from a layout or archive at hand into a file, written and verified
//! like one from a registry.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::error::RegistryError;
use crate::pull::blob::Watch;
use crate::store::archive::OciArchive;
use crate::store::image::Layer;
use crate::store::layout::OciLayout;
use crate::store::writer::{BATCH, WantedBlob, Writer, blocking};

/// What is copied: a file, or a part of one.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    path: PathBuf,
    offset: u64,
    /// Bytes to read; of a file, all that it has.
    size: u64,
}

impl Original {
    /// All of a file.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self {
            path,
            offset: 0,
            size: u64::MAX,
        }
    }

    /// A layer in an archive, if it is there.
    pub(crate) fn archive(archive: &OciArchive, layer: &Layer) -> Option<Self> {
        let place = archive.place(layer)?;
        Some(Self {
            path: archive.path().to_owned(),
            offset: place.offset,
            size: place.size,
        })
    }

    fn open(&self) -> io::Result<io::Take<File>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(file.take(self.size))
    }
}

/// Copies the blob `from` into `layout`. `false` when it cannot be
/// read or is not what it should be: the medium is damaged, and the registry
/// has the blob, too.
pub(crate) async fn copy_blob(
    from: &Original,
    wanted: &WantedBlob<'_>,
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
            from = %from.path.display(),
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

/// Reads all of the blob into `writer`; gives what kept it from being read.
async fn read(
    from: &Original,
    wanted: &WantedBlob<'_>,
    writer: &mut Writer,
    watch: &dyn Watch,
    cancel: &CancellationToken,
) -> Result<Option<String>, RegistryError> {
    let from = from.clone();
    let mut file = match blocking(move || from.open()).await {
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
fn next(mut file: io::Take<File>) -> io::Result<(io::Take<File>, Bytes)> {
    let mut chunk = Vec::with_capacity(BATCH);
    (&mut file).take(BATCH as u64).read_to_end(&mut chunk)?;
    Ok((file, chunk.into()))
}
