// SPDX-License-Identifier: MIT OR Apache-2.0
//! OCI image layouts in tar archives, `oci-archive:` of containers-transports(5).
//!
//! All functions here block on the file system.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imageref::Digest;
use tar::{Archive, EntryType};

use crate::error::RegistryError;
use crate::store::image::Layer;

/// Most entries of an archive that are looked at: hundreds of images have fewer.
const ENTRIES_MAX: usize = 100_000;

/// An OCI image layout in a tar archive, whose layers are read where they lie.
///
/// The archive itself must not be compressed: what is in the middle of a
/// compressed stream cannot be reached. Names and sizes are those of the
/// entries' own headers, without extension headers; `skopeo` and `podman` need
/// none for layers of up to 8 GiB. The content is checked when it is copied.
#[derive(Debug, Clone)]
pub struct OciArchive {
    path: PathBuf,
    blobs: Arc<BTreeMap<Digest, BlobPlace>>,
}

/// Where a blob is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlobPlace {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// Its own bytes.
    pub(crate) size: u64,
}

impl OciArchive {
    /// Reads which blobs an archive has, by its headers alone.
    ///
    /// # Errors
    /// When the file cannot be read, is no tar archive, or one of something
    /// else than an OCI image layout.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        let what = path.display().to_string();
        let kind = fs::metadata(path).map_err(RegistryError::io("read", path))?;
        if !kind.is_file() {
            return Err(RegistryError::malformed(&what, "it is no file"));
        }
        let mut file = File::open(path).map_err(RegistryError::io("read", path))?;
        let mut magic = [0; 6];
        let read = file
            .read(&mut magic)
            .map_err(RegistryError::io("read", path))?;
        if let Some(compression) = compression(&magic[..read]) {
            let problem = format!("it is compressed ({compression}); uncompress it first");
            return Err(RegistryError::malformed(&what, problem));
        }
        file.rewind().map_err(RegistryError::io("read", path))?;
        let found = index(file, kind.len()).map_err(|e| RegistryError::malformed(&what, e))?;
        if !found.is_layout {
            let problem = match found.is_docker {
                true => "it is a docker-archive; `skopeo copy` makes an oci-archive of it",
                false => "it has no OCI image layout in it",
            };
            return Err(RegistryError::malformed(&what, problem));
        }
        Ok(Self {
            path: path.to_owned(),
            blobs: Arc::new(found.blobs),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a layer is in it, in its full size. Only reading it tells whether
    /// it is right.
    pub fn has_layer(&self, layer: &Layer) -> bool {
        self.place(layer).is_some()
    }

    /// Where a layer of the right size is.
    pub(crate) fn place(&self, layer: &Layer) -> Option<BlobPlace> {
        let place = self.blobs.get(&layer.digest)?;
        (place.size == layer.size).then_some(*place)
    }
}

#[derive(Debug, Default)]
struct FoundBlob {
    is_layout: bool,
    is_docker: bool,
    blobs: BTreeMap<Digest, BlobPlace>,
}

/// Walks over the headers. `length` is that of the file: what would lie behind
/// its end is not there.
fn index(file: File, length: u64) -> io::Result<FoundBlob> {
    let mut found = FoundBlob::default();
    let mut archive = Archive::new(file);
    // Raw: extension headers can be of any size, and are kept in memory else.
    for (count, entry) in archive.entries_with_seek()?.raw(true).enumerate() {
        if count == ENTRIES_MAX {
            return Err(io::Error::other("it has too many entries"));
        }
        let entry = entry?;
        let kind = entry.header().entry_type();
        if !matches!(kind, EntryType::Regular | EntryType::Continuous) {
            continue;
        }
        let place = BlobPlace {
            offset: entry.raw_file_position(),
            size: entry.size(),
        };
        if place
            .offset
            .checked_add(place.size)
            .is_none_or(|end| end > length)
        {
            break;
        }
        let name = entry.path_bytes();
        match name.strip_prefix(b"./").unwrap_or(&name) {
            b"oci-layout" => found.is_layout = true,
            b"manifest.json" => found.is_docker = true,
            name => {
                if let Some(digest) = blob(name) {
                    // As when it is unpacked, the last one counts.
                    found.blobs.insert(digest, place);
                }
            }
        }
    }
    Ok(found)
}

/// The digest of `blobs/ALGORITHM/HEX`.
fn blob(name: &[u8]) -> Option<Digest> {
    let name = std::str::from_utf8(name).ok()?;
    let (algorithm, hex) = name.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// What a file that begins like this is compressed with.
fn compression(magic: &[u8]) -> Option<&'static str> {
    [
        (&b"\x1f\x8b"[..], "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
    ]
    .into_iter()
    .find_map(|(start, name)| magic.starts_with(start).then_some(name))
}

#[cfg(test)]
mod tests;
