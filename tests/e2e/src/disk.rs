// SPDX-License-Identifier: MIT OR Apache-2.0
//! The blank disk that is installed to: a sparse file.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};

const GIB: u64 = 1 << 30;
/// Room for the test image: its download, its unpacked root and its
/// deployment lie side by side for a while.
const SMALLEST: u64 = 6 * GIB;

/// Bytes of a disk that takes an image whose layers have `compressed` bytes
/// together. The file is sparse, so that too much costs little.
pub fn size_for(compressed: u64) -> u64 {
    let needed = compressed.saturating_mul(10).saturating_add(2 * GIB);
    needed.max(SMALLEST).next_multiple_of(GIB)
}

/// Makes a blank disk of `size` bytes in place of what is there.
///
/// # Errors
/// When the file cannot be written.
pub fn make(path: &Path, size: u64) -> Result<()> {
    File::create(path)
        .and_then(|file| file.set_len(size))
        .with_context(|| format!("making the disk {}", path.display()))
}

/// Bytes of all blobs in an OCI layout: what its images are at most, together.
///
/// # Errors
/// When the layout cannot be read.
pub fn layout_size(layout: &Path) -> Result<u64> {
    let blobs = layout.join("blobs/sha256");
    let mut sum = 0;
    for entry in fs::read_dir(&blobs).with_context(|| format!("reading {}", blobs.display()))? {
        // Follows links, which a layout may have for blobs.
        let size = entry.and_then(|entry| fs::metadata(entry.path()));
        sum += size
            .with_context(|| format!("reading {}", blobs.display()))?
            .len();
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn small_images_get_six_gibibytes_and_large_ones_more() {
        let table = [(0, 6), (300_000_000, 6), (GIB, 12), (2 * GIB + 1, 23)];
        for (compressed, gib) in table {
            assert_eq!(size_for(compressed), gib * GIB, "{compressed}");
        }
    }

    #[test]
    fn a_new_disk_is_blank() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.raw");
        fs::write(&path, "an old one").unwrap();
        make(&path, 4096).unwrap();
        assert_eq!(fs::read(&path).unwrap(), vec![0; 4096]);
    }

    #[test]
    fn the_size_of_a_layout_is_that_of_its_blobs() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = dir.path().join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(blobs.join("aa"), "four").unwrap();
        fs::write(blobs.join("bb"), "seven b").unwrap();
        fs::write(dir.path().join("index.json"), "not counted").unwrap();
        assert_eq!(layout_size(dir.path()).unwrap(), 11);
    }
}
