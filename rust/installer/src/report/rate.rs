// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes per second over the last seconds, and what remains.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The mean is taken over so long: short enough to follow a change of the
/// network, long enough not to jump.
const WINDOW: Duration = Duration::from_secs(8);
/// Below this nothing is said.
const MIN_SPAN: Duration = Duration::from_secs(1);
/// Samples closer together than this replace each other, which bounds the
/// memory.
const SPACING: Duration = Duration::from_millis(200);

/// Samples of a counter.
#[derive(Debug, Default)]
pub(super) struct Rate {
    samples: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// The counter stood at `bytes` at `now`.
    pub(super) fn add(&mut self, now: Instant, bytes: u64) {
        let len = self.samples.len();
        let close = len >= 2
            && self
                .samples
                .get(len - 2)
                .is_some_and(|(at, _)| now.duration_since(*at) < SPACING);
        if close {
            self.samples.pop_back();
        }
        // After a step back (bytes that must be fetched again) the past tells
        // nothing any more.
        if self
            .samples
            .back()
            .is_some_and(|(_, before)| *before > bytes)
        {
            self.samples.clear();
        }
        self.samples.push_back((now, bytes));
        while self.samples.len() > 2
            && self
                .samples
                .get(1)
                .is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// The mean, once there is enough to say something. The counter stands
    /// still between two samples: a wait within the last seconds counts in
    /// full, and one before them no more.
    pub(super) fn per_second(&self, now: Instant) -> Option<u64> {
        let (first, _) = *self.samples.front()?;
        let (_, to) = *self.samples.back()?;
        let span = now.duration_since(first).min(WINDOW);
        if span < MIN_SPAN {
            return None;
        }
        let at_start = |(at, _): &&(Instant, u64)| now.duration_since(*at) >= span;
        let (_, from) = *self.samples.iter().rev().find(at_start)?;
        let rate = u128::from(to - from) * 1000 / span.as_millis().max(1);
        u64::try_from(rate).ok()
    }
}

/// Whole seconds for `left` bytes, rounded up.
pub(super) fn seconds_left(left: u64, rate: Option<u64>) -> Option<u64> {
    match rate? {
        0 => None,
        rate => Some(left.div_ceil(rate)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(t: Instant, seconds: f64) -> Instant {
        t + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn mean_of_the_last_seconds() {
        let t = Instant::now();
        let mut rate = Rate::default();
        rate.add(t, 0);
        assert_eq!(rate.per_second(at(t, 0.5)), None);
        for second in 1..=100 {
            // The first half at 1000, the second at 10 bytes a second.
            let bytes = if second <= 50 {
                second * 1000
            } else {
                50_000 + (second - 50) * 10
            };
            #[allow(clippy::cast_precision_loss)]
            rate.add(at(t, second as f64), bytes);
        }
        assert_eq!(rate.per_second(at(t, 100.0)), Some(10));
        assert!(rate.samples.len() < 12);
        // It stalls: the mean falls, and is nothing in the end.
        assert_eq!(rate.per_second(at(t, 104.0)), Some(5));
        assert_eq!(rate.per_second(at(t, 108.0)), Some(0));
        assert_eq!(rate.per_second(at(t, 200.0)), Some(0));
    }

    #[test]
    fn a_wait_is_forgotten_after_the_window() {
        let t = Instant::now();
        let mut rate = Rate::default();
        for second in 0..=10_u32 {
            rate.add(at(t, f64::from(second)), u64::from(second) * 1000);
        }
        assert_eq!(rate.per_second(at(t, 10.0)), Some(1000));
        // A minute later it goes on, at the same pace.
        for second in 1..=10_u32 {
            let now = at(t, 70.0 + f64::from(second));
            rate.add(now, 10_000 + u64::from(second) * 1000);
            let expected = 1000 * u64::from(second.min(8)) / 8;
            assert_eq!(rate.per_second(now), Some(expected), "{second}");
        }
    }

    #[test]
    fn a_step_back_amid_progress_never_counts_bytes_twice() {
        let t = Instant::now();
        let mut rate = Rate::default();
        let counters = [0, 1000, 2000, 500, 1500, 2500, 3500];
        for (second, bytes) in (0_u32..).zip(counters) {
            rate.add(at(t, f64::from(second)), bytes);
            if let Some(rate) = rate.per_second(at(t, f64::from(second))) {
                assert!(rate <= 1000, "{second}: {rate}");
            }
        }
        assert_eq!(rate.per_second(at(t, 6.0)), Some(1000));
    }

    #[test]
    fn many_samples_take_no_room() {
        let t = Instant::now();
        let mut rate = Rate::default();
        for i in 0..100_000_u32 {
            rate.add(at(t, f64::from(i) / 10_000.0), u64::from(i));
        }
        assert!(rate.samples.len() < 60, "{}", rate.samples.len());
        let measured = rate.per_second(at(t, 10.0));
        assert!(
            measured.is_some_and(|r| (9_900..=10_100).contains(&r)),
            "{measured:?}"
        );
    }

    #[test]
    fn a_step_back_starts_anew() {
        let t = Instant::now();
        let mut rate = Rate::default();
        rate.add(t, 5000);
        rate.add(at(t, 2.0), 100);
        assert_eq!(rate.per_second(at(t, 2.0)), None);
        rate.add(at(t, 4.0), 300);
        assert_eq!(rate.per_second(at(t, 4.0)), Some(100));
    }

    #[test]
    fn remaining_time() {
        for (left, rate, seconds) in [
            (100, None, None),
            (100, Some(0), None),
            (100, Some(30), Some(4)),
            (0, Some(30), Some(0)),
        ] {
            assert_eq!(seconds_left(left, rate), seconds);
        }
    }
}
