// SPDX-License-Identifier: MIT OR Apache-2.0
//! CPU time.

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

/// CPU time used, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuTime {
    /// In programs.
    pub user_s: f64,
    /// In the kernel on their behalf.
    pub system_s: f64,
}

impl CpuTime {
    /// User and system together.
    pub fn total(self) -> f64 {
        self.user_s + self.system_s
    }

    /// Of all children that this process has waited for, and of theirs
    /// (getrusage(2)).
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn of_children() -> Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")?;
        Ok(Self {
            user_s: usage.user_time().num_microseconds() as f64 / 1e6,
            system_s: usage.system_time().num_microseconds() as f64 / 1e6,
        })
    }

    /// What came after `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            user_s: self.user_s - earlier.user_s,
            system_s: self.system_s - earlier.system_s,
        }
    }
}

/// Bytes of resident memory that the largest child at its peak had.
///
/// # Errors
/// When the kernel does not tell.
pub fn largest_child() -> Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")?;
    Ok(u64::try_from(usage.max_rss()).unwrap_or(0) * 1024)
}
