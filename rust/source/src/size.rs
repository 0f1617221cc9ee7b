// SPDX-License-Identifier: MIT OR Apache-2.0
//! How large an image is, as far as its manifest and its blobs tell.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use registry::{Compression, Layer, OciLayout, ResolvedImage};

/// Unpacked bytes per 100 gzip bytes, where nothing better is known. Measured:
/// 207 (613 MB Debian image), 219 (4.6 GB desktop), 236 (3.8 GB desktop).
const GZIP_PERCENT: u64 = 240;
/// The same for zstd. Measured: 256 (3.8 GB desktop, level 3).
const ZSTD_PERCENT: u64 = 260;

/// Sizes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// Blobs to download, bytes.
    pub compressed: u64,
    /// All layers unpacked, bytes. Files that a later layer replaces count
    /// twice: an upper bound.
    pub unpacked: u64,
}

impl ImageSize {
    /// Estimated from the manifest alone.
    pub fn estimate(image: &ResolvedImage) -> Self {
        Self {
            compressed: image.compressed_size(),
            unpacked: image
                .layers
                .iter()
                .map(estimate)
                .fold(0, u64::saturating_add),
        }
    }

    /// From a layout in place, whose blobs often tell their unpacked size.
    pub fn of_layout(image: &ResolvedImage, layout: &OciLayout) -> Self {
        Self {
            compressed: image.compressed_size(),
            unpacked: image
                .layers
                .iter()
                .map(|l| {
                    stored_size(&layout.blob_path(&l.digest), l).unwrap_or_else(|| estimate(l))
                })
                .fold(0, u64::saturating_add),
        }
    }
}

fn estimate(layer: &Layer) -> u64 {
    let percent = match layer.compression {
        Compression::None => 100,
        Compression::Gzip => GZIP_PERCENT,
        Compression::Zstd => ZSTD_PERCENT,
    };
    let bytes = u128::from(layer.size) * u128::from(percent) / 100;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The unpacked size that a blob states about itself; `None` when it does not,
/// or cannot be trusted to speak for all of the blob.
fn stored_size(path: &Path, layer: &Layer) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let size = match layer.compression {
        Compression::None => return Some(layer.size),
        Compression::Gzip => {
            // RFC 1952: ISIZE, the size modulo 2^32 of the last member.
            let mut trailer = [0u8; 4];
            file.seek(SeekFrom::End(-4)).ok()?;
            file.read_exact(&mut trailer).ok()?;
            u64::from(u32::from_le_bytes(trailer))
        }
        Compression::Zstd => {
            // RFC 8878: the frame header of at most 18 bytes may hold it.
            let mut header = [0u8; 18];
            file.read_exact(&mut header).ok()?;
            zstd::zstd_safe::get_frame_content_size(&header).ok()??
        }
    };
    // Several members or frames, or more than 4 GiB: then it speaks for a part,
    // which shows when it is smaller than what is compressed.
    (size >= layer.size).then_some(size)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    fn layer(size: usize, compression: Compression) -> Layer {
        let digest: imageref::Digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
        Layer {
            digest: digest.clone(),
            size: size as u64,
            media_type: String::new(),
            compression,
            diff_id: digest,
        }
    }

    #[test]
    fn sizes_that_blobs_state() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("blob");
        let data = vec![7u8; 100_000];
        let gzip = |data: &[u8]| {
            let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            e.write_all(data).unwrap();
            e.finish().unwrap()
        };
        let known = zstd::bulk::compress(&data, 1).unwrap();
        let streamed = zstd::stream::encode_all(data.as_slice(), 1).unwrap();
        let two_members = [gzip(&data), gzip(b"x")].concat();
        let table = [
            (gzip(&data), Compression::Gzip, Some(100_000)),
            (two_members, Compression::Gzip, None),
            (known, Compression::Zstd, Some(100_000)),
            (streamed, Compression::Zstd, None),
            (data.clone(), Compression::None, Some(100_000)),
        ];
        for (blob, compression, expected) in table {
            std::fs::write(&path, &blob).unwrap();
            let layer = layer(blob.len(), compression);
            assert_eq!(stored_size(&path, &layer), expected, "{compression:?}");
        }
        assert_eq!(
            stored_size(&dir.path().join("no"), &layer(9, Compression::Gzip)),
            None
        );
        assert_eq!(estimate(&layer(100, Compression::Gzip)), 240);
    }
}
