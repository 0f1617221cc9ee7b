// SPDX-License-Identifier: MIT OR Apache-2.0
//! A point in time by which something must have happened.

use std::time::{Duration, Instant};

/// A deadline; it is passed on unchanged through all the waits of one job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The time left, `None` when there is none.
    pub(crate) fn remaining(self) -> Option<Duration> {
        self.0
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }
}
