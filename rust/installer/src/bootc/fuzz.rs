// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the fuzz targets call: the reader of bootc's output.

use super::output::{self, Meter};
use super::terminal::Lines;

/// Follows what a bootc draws on its terminal; the counters never go back nor
/// beyond the whole.
pub fn output(drawn: &[u8], layers: Vec<u64>) {
    let mut meter = Meter::new(layers, 1_000_000);
    let mut shown = 0;
    let mut follow = |line: &str| {
        meter.line(&output::parse(line));
        meter.growth(line.len() as u64 * 1000);
        let progress = meter.progress();
        assert!(shown <= progress.bytes && progress.bytes <= progress.bytes_total);
        shown = progress.bytes;
    };
    let whole = lines(drawn, drawn.len().max(1));
    assert_eq!(whole, lines(drawn, 7), "the pieces make a difference");
    for line in &whole {
        assert!(!line.chars().any(|c| c.is_ascii_control()), "{line:?}");
        follow(line);
    }
}

fn lines(drawn: &[u8], piece: usize) -> Vec<String> {
    let mut lines = Lines::new(80);
    let mut found: Vec<String> = Vec::new();
    for piece in drawn.chunks(piece) {
        found.extend(lines.feed(piece));
    }
    found.extend(lines.finish());
    found
}
