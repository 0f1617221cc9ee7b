// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much room an installation takes, computed before anything is written.
//!
//! bootc itself only compares the free space with the *compressed* size and
//! gives up in the middle when that was not enough. What lies on the target at
//! the peak, while bootc writes the deployment, is: the downloaded blobs, the
//! unpacked runtime root and the deployment. The first two are counted only
//! when the plan makes them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use contract::error::{Code, Error, Result};
use registry::{Compression, Layer, OciLayout, ResolvedImage};

use crate::plan::{RuntimeRoot, Source};

/// Unpacked bytes per 100 gzip bytes, where nothing better is known. Measured:
/// 207 (613 MB Debian image), 219 (4.6 GB desktop), 236 (3.8 GB desktop).
const GZIP_PERCENT: u64 = 240;
/// The same for zstd. Measured: 256 (3.8 GB desktop, level 3).
const ZSTD_PERCENT: u64 = 260;
/// Room of a deployment per 100 unpacked bytes: the ostree repository, whose
/// checkout is hard links, the copy of kernel and initramfs in /boot, and the
/// file system's own structures. Measured for 613 MB: 622 MiB on ext4, 644 on
/// btrfs, 696 on xfs, that is up to 119 %.
const DEPLOYMENT_PERCENT: u64 = 120;
/// ostree keeps this share of the file system free (`min-free-space-percent`)
/// and fails when a write would go below it.
const OSTREE_MIN_FREE_PERCENT: u64 = 3;
/// Boot loader, logs, the journal of the file system, rounding of the estimate.
const HEADROOM: u64 = 256 * 1000 * 1000;
/// What unpacking leaves of a scratch directory that is not on the target,
/// which is often in memory: the live system goes on.
const SCRATCH_RESERVE: u64 = 16 * 1000 * 1000;
/// A `/boot` of its own takes kernel, initramfs and the boot loader: 40 to
/// 150 MB for Debian's kernels. Below this nothing fits.
pub const BOOT_MIN: u64 = 64 * 1000 * 1000;

/// Bytes an installation needs on the target and, when the scratch directory
/// lies elsewhere, there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpaceNeed {
    /// Peak bytes on the target.
    pub target: u64,
    /// Peak bytes in the scratch directory when it is not on the target.
    pub scratch: u64,
    /// Bytes that must stay free where the image is unpacked: what is written
    /// there later has its place, or at least the file system is never full.
    pub keep_free: u64,
    /// The sum as a sentence, with its parts.
    pub explanation: String,
}

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

/// Bytes that the deployment of an image takes.
pub fn deployment_size(size: ImageSize) -> u64 {
    size.unpacked.saturating_mul(DEPLOYMENT_PERCENT) / 100
}

/// What the plan needs for an image of this size on a target of `total` bytes.
pub fn need(
    size: ImageSize,
    source: &Source,
    runtime_root: &RuntimeRoot,
    scratch_on_target: bool,
    total: u64,
) -> SpaceNeed {
    let download = match source {
        Source::Registry => size.compressed,
        Source::OciLayout { .. } => 0,
    };
    let rootfs = match runtime_root {
        RuntimeRoot::Unpack => size.unpacked,
        RuntimeRoot::Directory { .. } | RuntimeRoot::Image { .. } => 0,
    };
    let deployment = deployment_size(size);
    let reserve = total / 100 * OSTREE_MIN_FREE_PERCENT + HEADROOM;
    let temporary = download.saturating_add(rootfs);
    let kept = deployment.saturating_add(reserve);
    let mut parts = Vec::new();
    for (bytes, name) in [
        (download, "download"),
        (rootfs, "unpacked image"),
        (deployment, "deployment"),
        (reserve, "reserve"),
    ] {
        if bytes > 0 {
            parts.push(format!("{name} {}", human(bytes)));
        }
    }
    let (target, scratch, keep_free) = if scratch_on_target {
        // The headroom is there for the file system's own structures.
        let keep_free = kept.saturating_sub(HEADROOM);
        (kept.saturating_add(temporary), 0, keep_free)
    } else {
        (kept, temporary, SCRATCH_RESERVE)
    };
    SpaceNeed {
        target,
        scratch,
        keep_free,
        explanation: format!(
            "Needed at the same time: {}, together {}.",
            parts.join(" + "),
            human(kept.saturating_add(temporary))
        ),
    }
}

/// Bytes of the smallest file system, with nothing else on it, that meets
/// [`need`]: what ostree keeps free grows with it.
pub fn smallest_target(
    size: ImageSize,
    source: &Source,
    runtime_root: &RuntimeRoot,
    scratch_on_target: bool,
) -> u64 {
    let without_share = need(size, source, runtime_root, scratch_on_target, 0).target;
    without_share.saturating_mul(100) / (100 - OSTREE_MIN_FREE_PERCENT)
}

/// `TARGET_TOO_SMALL` when `free` bytes at `place` are less than `needed`.
pub fn require(place: &Path, free: u64, needed: u64, need: &SpaceNeed) -> Result<()> {
    if free >= needed {
        return Ok(());
    }
    Err(Error::new(
        Code::TargetTooSmall,
        format!(
            "{} has {} free, and the installation needs {} there.",
            place.display(),
            human(free),
            human(needed)
        ),
    )
    .why(need.explanation.clone())
    .detail(format!("free bytes: {free}, needed bytes: {needed}")))
}

/// Bytes for people, in decimal units as disks are sold: `1.5 GB`.
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, in integers, so that no rounding shows 1000.0 MB.
    let mut tenths = u128::from(bytes) * 10 / 1000;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;

    const MB: u64 = 1_000_000;

    #[test]
    fn needs() {
        let size = ImageSize {
            compressed: 300 * MB,
            unpacked: 700 * MB,
        };
        let layout = Source::OciLayout {
            path: "/l".into(),
            reference: None,
        };
        let given = RuntimeRoot::Directory { path: "/r".into() };
        let total = 10_000 * MB; // 3 % are 300 MB
        let kept = (840 + 300 + 256) * MB;
        let table = [
            (
                &Source::Registry,
                &RuntimeRoot::Unpack,
                true,
                kept + 1000 * MB,
                0,
            ),
            (
                &Source::Registry,
                &RuntimeRoot::Unpack,
                false,
                kept,
                1000 * MB,
            ),
            (&Source::Registry, &given, true, kept + 300 * MB, 0),
            (&layout, &RuntimeRoot::Unpack, true, kept + 700 * MB, 0),
            (&layout, &given, true, kept, 0),
        ];
        for (source, root, on_target, target, scratch) in table {
            let need = need(size, source, root, on_target, total);
            assert_eq!(
                (need.target, need.scratch),
                (target, scratch),
                "{source:?} {root:?}"
            );
            // Unpacking may take what nothing else needs, and no more.
            let keep = if on_target { kept - 256 * MB } else { 16 * MB };
            assert_eq!(need.keep_free, keep, "{source:?} {root:?}");
        }
        let need = need(size, &Source::Registry, &RuntimeRoot::Unpack, true, total);
        assert_eq!(
            need.explanation,
            "Needed at the same time: download 300.0 MB + unpacked image 700.0 MB + \
             deployment 840.0 MB + reserve 556.0 MB, together 2.3 GB."
        );
        assert!(require(Path::new("/t"), need.target, need.target, &need).is_ok());
        let err = require(Path::new("/t"), need.target - 1, need.target, &need).unwrap_err();
        assert_eq!(err.code, Code::TargetTooSmall);
        assert!(err.what.contains("/t has 2.3 GB free"), "{}", err.what);
    }

    #[test]
    fn the_smallest_target_is_just_large_enough() {
        let size = ImageSize {
            compressed: 300 * MB,
            unpacked: 700 * MB,
        };
        for (root, on_target) in [(RuntimeRoot::Unpack, true), (RuntimeRoot::Unpack, false)] {
            let needed = |total| need(size, &Source::Registry, &root, on_target, total).target;
            let smallest = smallest_target(size, &Source::Registry, &root, on_target);
            assert!(needed(smallest) <= smallest + 3, "{smallest}");
            assert!(needed(smallest - MB) > smallest - MB, "{smallest}");
        }
    }

    #[test]
    fn the_measured_peaks_fit() {
        // compressed, unpacked, measured peak on the target
        for (compressed, unpacked, peak) in [
            (295 * MB, 613 * MB, 1570 * MB),
            (2100 * MB, 4600 * MB, 11_200 * MB),
        ] {
            let size = ImageSize {
                compressed,
                unpacked,
            };
            let need = need(
                size,
                &Source::Registry,
                &RuntimeRoot::Unpack,
                true,
                20_000 * MB,
            );
            assert!(need.target >= peak, "{need:?}");
            assert!(need.target <= peak * 2, "{need:?}");
        }
    }

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (1_000_000, "1.0 MB"),
            (1_550_000_000, "1.5 GB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }

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
