// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who watches a pull.

use std::path::Path;
use std::time::Duration;

use crate::error::RegistryError;

/// Is told about the progress of a pull.
///
/// Layers are numbered as in [`ResolvedImage::layers`](crate::ResolvedImage).
/// The calls come from several tasks and should return at once: count, send to
/// a channel, do not block. A layer that occurs several times in an image
/// counts its bytes once, for its first place, and is done at each.
pub trait PullObserver: Send + Sync {
    /// `n` more bytes of a layer are there (received, copied, or found on disk).
    fn bytes(&self, layer: usize, n: u64) {
        let _ = (layer, n);
    }

    /// `n` bytes of a layer that were told before must be fetched again.
    fn rewound(&self, layer: usize, n: u64) {
        let _ = (layer, n);
    }

    /// A layer is complete and verified, at `path`.
    fn layer_done(&self, layer: usize, path: &Path) {
        let _ = (layer, path);
    }

    /// Reading a layer failed and starts again after `delay`; `attempt` counts
    /// from 1 and starts over when there was progress.
    fn retry(&self, layer: usize, attempt: u32, error: &RegistryError, delay: Duration) {
        let _ = (layer, attempt, error, delay);
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl PullObserver for NoObserver {}
