// SPDX-License-Identifier: MIT OR Apache-2.0
//! What bootc says, line by line, and how far it is.

use contract::event::Progress;

/// A line of bootc's output, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// `Fetching layers ███ 1/3`: layers done and in all.
    Layers { done: u64, total: u64 },
    /// `└ Fetching ███ 12.3 MiB/219 MiB`: bytes of the current layer.
    Bytes { done: u64, total: u64 },
    /// A redrawn line without numbers, such as a spinner.
    Spinner,
    /// `error: …`, the text after it.
    Error(String),
    /// Anything else.
    Text,
}

impl Line {
    /// Whether the line is drawn again and again.
    pub(super) fn is_redrawn(&self) -> bool {
        matches!(
            self,
            Line::Layers { .. } | Line::Bytes { .. } | Line::Spinner
        )
    }
}

/// Characters that indicatif's spinners start with: Braille patterns.
const SPINNER_CHARS: std::ops::RangeInclusive<char> = '\u{2800}'..='\u{28ff}';

/// Characters of a bar, which an unnamed bar starts with.
const BAR_CHARS: &str = "█▉▊▋▌▍▎▏░";

/// Understands one line.
pub(super) fn parse(line: &str) -> Line {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("error: ") {
        return Line::Error(rest.to_owned());
    }
    if let Some(rest) = line.strip_prefix("Fetching layers") {
        return match counters(rest) {
            Some((done, total)) => Line::Layers { done, total },
            None => Line::Spinner,
        };
    }
    if let Some(rest) = line.strip_prefix('└') {
        return match byte_counters(rest) {
            Some((done, total)) => Line::Bytes { done, total },
            None => Line::Spinner,
        };
    }
    if line.starts_with(|c| SPINNER_CHARS.contains(&c) || BAR_CHARS.contains(c)) {
        return Line::Spinner;
    }
    Line::Text
}

/// `… 1/3 …`
fn counters(text: &str) -> Option<(u64, u64)> {
    text.split_whitespace().find_map(|word| {
        let (done, total) = word.split_once('/')?;
        Some((done.parse().ok()?, total.parse().ok()?))
    })
}

/// `… 12.3 MiB/219 MiB …`
fn byte_counters(text: &str) -> Option<(u64, u64)> {
    let (left, right) = text.split_once('/')?;
    let mut left = left.split_whitespace().rev();
    let (unit, number) = (left.next()?, left.next()?);
    let done = bytes(number, unit)?;
    let mut right = right.split_whitespace();
    let total = bytes(right.next()?, right.next()?)?;
    Some((done, total))
}

/// A number with a decimal point and a unit; commas group digits.
fn bytes(number: &str, unit: &str) -> Option<u64> {
    let exponent = match unit {
        "B" => 0,
        "KiB" => 1,
        "MiB" => 2,
        "GiB" => 3,
        "TiB" => 4,
        _ => return None,
    };
    let number: f64 = number.replace(',', "").parse().ok()?;
    let value = number * 1024f64.powi(exponent);
    // Bytes of a disk are far below what an f64 counts exactly.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (value.is_finite() && value >= 0.0).then_some(value as u64)
}

/// How far the deployment is, in compressed bytes of the image's layers.
///
/// bootc draws its own counters when it can. Where it does not, the growth of
/// the target is measured against the expected one, so that the same events
/// come either way.
#[derive(Debug)]
pub(super) struct Meter {
    /// Compressed sizes in the order of the manifest.
    layers: Vec<u64>,
    /// Bytes by which the target will have grown.
    expected_growth: u64,
    layers_done: u64,
    current: u64,
    drawn: bool,
    growth: u64,
    shown: u64,
}

/// Share of the whole, in percent, that growth alone may claim: only bootc
/// knows when it is done.
const GROWTH_MAX_PERCENT: u64 = 99;

impl Meter {
    pub(super) fn new(layers: Vec<u64>, expected_growth: u64) -> Self {
        Self {
            layers,
            expected_growth,
            layers_done: 0,
            current: 0,
            drawn: false,
            growth: 0,
            shown: 0,
        }
    }

    /// Takes a line of bootc's into account.
    pub(super) fn line(&mut self, line: &Line) {
        match *line {
            // Another number of layers than the manifest's: some were counted
            // once, so the order is not known.
            Line::Layers { done, total } if total == self.layers.len() as u64 => {
                self.drawn = true;
                if done > self.layers_done {
                    self.layers_done = done;
                    self.current = 0;
                }
            }
            Line::Bytes { done, total } if self.drawn => {
                // The last drawing of a finished layer may come after the step
                // to the next one, so only the right size counts; it is
                // rounded to what is drawn.
                // At the start of a layer its size is drawn before its
                // position, which then is still that of the one before.
                let size = self.size_of_current();
                let rounding = size / 100 + 1024;
                if total.abs_diff(size) <= rounding && done <= total.saturating_add(rounding) {
                    self.current = self.current.max(done.min(size));
                }
            }
            _ => {}
        }
    }

    /// Takes the growth of the target in bytes into account.
    pub(super) fn growth(&mut self, bytes: u64) {
        self.growth = self.growth.max(bytes);
    }

    /// The counters now; they never go back.
    pub(super) fn progress(&mut self) -> Progress {
        let total = sum(&self.layers);
        let done = if self.drawn {
            let before = usize::try_from(self.layers_done).unwrap_or(usize::MAX);
            let before = before.min(self.layers.len());
            sum(&self.layers[..before]).saturating_add(self.current)
        } else {
            self.by_growth(total)
        };
        self.shown = self.shown.max(done.min(total));
        Progress {
            bytes: self.shown,
            bytes_total: total,
            steps: self.layers_done,
            steps_total: self.layers.len() as u64,
            ..Progress::default()
        }
    }

    fn size_of_current(&self) -> u64 {
        usize::try_from(self.layers_done)
            .ok()
            .and_then(|i| self.layers.get(i))
            .copied()
            .unwrap_or(0)
    }

    fn by_growth(&self, total: u64) -> u64 {
        let share = |of: u128| of * u128::from(total) / u128::from(self.expected_growth.max(1));
        let done = u64::try_from(share(self.growth.into())).unwrap_or(u64::MAX);
        done.min(total / 100 * GROWTH_MAX_PERCENT)
    }
}

/// Sizes are what a manifest says, which may be anything.
fn sum(sizes: &[u64]) -> u64 {
    sizes.iter().copied().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn lines() {
        let table = [
            (
                "Fetching layers ██████░░░░ 1/3",
                Line::Layers { done: 1, total: 3 },
            ),
            (
                "└ Fetching ███░░ 12.5 MiB/219 MiB (3.2 MiB/s) sha256:abc/def",
                Line::Bytes {
                    done: 12 * MIB + MIB / 2,
                    total: 219 * MIB,
                },
            ),
            (
                "└ Fetching ░░░ 0 B/1,023.50 KiB (0 B/s)",
                Line::Bytes {
                    done: 0,
                    total: 1_048_064,
                },
            ),
            ("└ Fetching ░░░", Line::Spinner),
            ("Fetching layers", Line::Spinner),
            ("⠁ Deploying container image", Line::Spinner),
            ("██░░░░ 0/0", Line::Spinner),
            ("⠲ Deploying container image", Line::Spinner),
            (
                "Fetched layers: 186.60 MiB in 9 seconds (21.84 MiB/s)",
                Line::Text,
            ),
            ("Deploying container image...done (1 second)", Line::Text),
            ("Installing image: docker://reg/os:1", Line::Text),
            (
                "error: Installing to filesystem: x: y",
                Line::Error("Installing to filesystem: x: y".into()),
            ),
            ("└ Fetching 9 XiB/3 MiB", Line::Spinner),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn drawn_counters() {
        let mut meter = Meter::new(vec![10 * MIB, 20 * MIB, 30 * MIB], 1);
        let mut done = |line: &str| {
            meter.line(&parse(line));
            let p = meter.progress();
            (p.bytes / MIB, p.bytes_total / MIB, p.steps, p.steps_total)
        };
        assert_eq!(done("Fetching layers ░ 0/3"), (0, 60, 0, 3));
        assert_eq!(done("└ Fetching ░ 4 MiB/10 MiB (x)"), (4, 60, 0, 3));
        assert_eq!(done("Fetching layers ░ 1/3"), (10, 60, 1, 3));
        // A late drawing of the first layer changes nothing.
        assert_eq!(done("└ Fetching █ 10 MiB/10 MiB (x)"), (10, 60, 1, 3));
        assert_eq!(done("└ Fetching ░ 5 MiB/20.00 MiB (x)"), (15, 60, 1, 3));
        assert_eq!(done("└ Fetching ░ 4 MiB/20 MiB (x)"), (15, 60, 1, 3));
        // The position of the layer before with the size of this one.
        assert_eq!(done("Fetching layers ░ 2/3"), (30, 60, 2, 3));
        assert_eq!(done("└ Fetching ░ 99 MiB/30.00 MiB (x)"), (30, 60, 2, 3));
        assert_eq!(done("Fetching layers ░ 3/3"), (60, 60, 3, 3));
    }

    #[test]
    fn growth_stands_in_and_stays_below_the_end() {
        let mut meter = Meter::new(vec![100 * MIB], 400 * MIB);
        for (growth, expected) in [(0, 0), (100, 25), (50, 25), (200, 50), (4000, 99)] {
            meter.growth(growth * MIB);
            assert_eq!(meter.progress().bytes / MIB, expected, "{growth}");
        }
        meter.line(&parse("Fetching layers ░ 0/1"));
        assert_eq!(meter.progress().bytes, 99 * MIB, "never back");
        meter.line(&parse("Fetching layers ░ 1/1"));
        assert_eq!(meter.progress().bytes, 100 * MIB);
    }

    #[test]
    fn nothing_known_divides_by_nothing() {
        let mut meter = Meter::new(Vec::new(), 0);
        meter.growth(5);
        assert_eq!(meter.progress(), Progress::default());
    }
}
