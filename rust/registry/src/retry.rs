// SPDX-License-Identifier: MIT OR Apache-2.0
//! When to try again, and after how long.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// How often and how fast a broken transfer is taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Failures in a row, without progress in between, that end the transfer.
    pub max_failures: u32,
    /// The wait before the first retry; it doubles with each failure in a row.
    pub base_delay: Duration,
    /// Doublings at most.
    pub max_doublings: u32,
    /// Bytes that count as progress: at least as many start the count anew.
    pub progress: u64,
}

impl Default for RetryPolicy {
    /// Ten failures, waits from 0.2 to 6.4 s, progress from 64 KiB on.
    fn default() -> Self {
        Self {
            max_failures: 10,
            base_delay: Duration::from_millis(200),
            max_doublings: 5,
            progress: 64 * 1024,
        }
    }
}

impl RetryPolicy {
    /// The wait after the given number of failures in a row (from 1): up to a
    /// quarter longer at random, so that many machines do not come back at once.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(self.max_doublings).min(16);
        let delay = self.base_delay.saturating_mul(1 << doublings);
        delay + delay.mul_f64(0.25 * jitter())
    }
}

/// A number from 0 to 1. The hasher's random keys suffice: this spreads load
/// and hides nothing.
fn jitter() -> f64 {
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    f64::from((random >> 32) as u32) / f64::from(u32::MAX)
}
