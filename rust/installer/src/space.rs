// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much room an installation takes, computed before anything is written.
//!
//! bootc itself only compares the free space with the *compressed* size and
//! gives up in the middle when that was not enough. What lies on the target at
//! the peak, while bootc writes the deployment, is: the downloaded blobs, the
//! unpacked runtime root and the deployment. The first two are counted only
//! when the plan makes them.

use std::path::Path;

use contract::error::{Code, Error, Result};
use contract::size::human;
use source::size::ImageSize;

use contract::plan::{RuntimeRoot, Source};

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
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
}
