// SPDX-License-Identifier: MIT OR Apache-2.0
//! When to try again, and after how long.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::error::RegistryError;

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
    /// As `base_delay`, for a registry that refuses more pulls (429) and does
    /// not say until when.
    pub rate_limit_delay: Duration,
    /// Longest wait that a registry gets by asking for it (`Retry-After`). One
    /// that asks for more has ended the transfer.
    pub max_wait: Duration,
}

impl Default for RetryPolicy {
    /// Ten failures, waits from 0.2 to 6.4 s, progress from 64 KiB on; from 5 to
    /// 160 s when pulls are limited, and 5 minutes when the registry asks.
    fn default() -> Self {
        Self {
            max_failures: 10,
            base_delay: Duration::from_millis(200),
            max_doublings: 5,
            progress: 64 * 1024,
            rate_limit_delay: Duration::from_secs(5),
            max_wait: Duration::from_secs(5 * 60),
        }
    }
}

impl RetryPolicy {
    /// The wait after the given number of failures in a row (from 1): up to a
    /// quarter longer at random, so that many machines do not come back at once.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        self.backoff(self.base_delay, failures)
    }

    /// The wait after a failure: what the server asks for, but no longer than
    /// the policy allows and no shorter than without its asking.
    pub(crate) fn delay_after(&self, failures: u32, error: &RegistryError) -> Duration {
        let backoff = self.delay(failures);
        match (error.retry_after(), error) {
            (Some(asked), _) => {
                let asked = asked.min(self.max_wait);
                backoff.max(asked + asked.mul_f64(0.1 * jitter()))
            }
            (None, RegistryError::RateLimited { .. }) => {
                backoff.max(self.backoff(self.rate_limit_delay, failures))
            }
            (None, _) => backoff,
        }
    }

    fn backoff(&self, base: Duration, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(self.max_doublings).min(16);
        let delay = base.saturating_mul(1 << doublings).min(self.max_wait);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(retry_after: Option<u64>) -> RegistryError {
        RegistryError::RateLimited {
            host: "r".into(),
            detail: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
            logged_in: false,
        }
    }

    fn busy(retry_after: Option<u64>) -> RegistryError {
        RegistryError::Server {
            host: "r".into(),
            status: 503,
            detail: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn waits() {
        let policy = RetryPolicy::default();
        // failures in a row, the error, shortest and longest wait in seconds
        for (failures, error, least, most) in [
            (1, busy(None), 0.2, 0.25),
            (2, busy(None), 0.4, 0.5),
            (6, busy(None), 6.4, 8.0),
            (99, busy(None), 6.4, 8.0),
            (1, limited(None), 5.0, 6.25),
            (3, limited(None), 20.0, 25.0),
            (10, limited(None), 160.0, 200.0),
            (1, limited(Some(60)), 60.0, 66.0),
            (9, limited(Some(60)), 60.0, 66.0),
            (1, busy(Some(3)), 3.0, 3.3),
            // never less than the backoff, never more than the limit
            (6, busy(Some(0)), 6.4, 8.0),
            (6, limited(Some(1)), 6.4, 8.0),
            (1, limited(Some(24 * 3600)), 300.0, 330.0),
            (1, busy(Some(u64::MAX)), 300.0, 330.0),
        ] {
            for _ in 0..50 {
                let wait = policy.delay_after(failures, &error).as_secs_f64();
                assert!((least..=most).contains(&wait), "{failures} {error}: {wait}");
            }
        }
    }

    #[test]
    fn machines_do_not_come_back_at_once() {
        let policy = RetryPolicy::default();
        let waits: std::collections::BTreeSet<Duration> =
            (0..50).map(|_| policy.delay(6)).collect();
        assert!(waits.len() > 40, "{waits:?}");
    }

    #[test]
    fn a_limited_pull_goes_on_for_minutes() {
        let policy = RetryPolicy::default();
        let all: Duration = (1..=policy.max_failures)
            .map(|n| policy.delay_after(n, &limited(None)))
            .sum();
        assert!(all > Duration::from_secs(15 * 60), "{all:?}");
    }
}
