// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is drawn on a terminal, and only there.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{
    BinaryBytes, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle,
};

const SPIN: Duration = Duration::from_millis(100);

/// Bars are drawn on stderr when it is a terminal that can move its cursor.
fn draws() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    std::io::stderr().is_terminal() && !matches!(term.as_str(), "" | "dumb")
}

fn target() -> ProgressDrawTarget {
    if draws() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// The two bars of the import: layers, and bytes of the current one.
#[derive(Debug)]
pub(crate) struct FetchBars {
    multi: MultiProgress,
    layers: ProgressBar,
    bytes: ProgressBar,
    fetched: AtomicU64,
    start: Instant,
}

impl FetchBars {
    pub(crate) fn new(layers: usize) -> Result<Self> {
        let style = |text| ProgressStyle::with_template(text).context("progress template");
        let multi = MultiProgress::with_draw_target(target());
        let bar = ProgressBar::new(u64::try_from(layers).unwrap_or(u64::MAX))
            .with_style(style("{prefix} {bar} {pos}/{len} {wide_msg}")?)
            .with_prefix("Fetching layers");
        let layers = multi.add(bar);
        let bar = ProgressBar::new(0)
            .with_style(style(
                " └ {prefix} {bar} {binary_bytes}/{binary_total_bytes} ({binary_bytes_per_sec}) {wide_msg}",
            )?)
            .with_prefix("Fetching");
        let bytes = multi.insert_after(&layers, bar);
        layers.tick();
        Ok(Self {
            multi,
            layers,
            bytes,
            fetched: AtomicU64::new(0),
            start: Instant::now(),
        })
    }

    pub(crate) fn start_layer(&self, size: u64) {
        // Not the position: the real one draws the old one once more, too.
        self.bytes.set_length(size);
        self.bytes.set_position(0);
    }

    pub(crate) fn add_bytes(&self, count: u64) {
        self.bytes.inc(count);
        self.fetched.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn finish_layer(&self) {
        self.layers.inc(1);
    }

    /// Ends the bars with the one line that stays. It goes through indicatif,
    /// so it ends without a line end, in blanks: what follows is in the same
    /// line of the stream.
    fn end(&self) -> std::io::Result<()> {
        let fetched = self.fetched.load(Ordering::Relaxed);
        let took = self.start.elapsed();
        self.multi.println(format!(
            "Fetched layers: {} in {}",
            BinaryBytes(fetched),
            HumanDuration(took)
        ))?;
        self.layers.finish_and_clear();
        self.bytes.finish_and_clear();
        Ok(())
    }
}

/// Also after an error, whose message comes behind it.
impl Drop for FetchBars {
    fn drop(&mut self) {
        self.end().ok();
    }
}

/// Runs `work` under a spinner, with the one line that stays on stderr.
pub(crate) fn with_spinner<T>(message: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let spinner = ProgressBar::new_spinner().with_message(message.to_owned());
    spinner.set_draw_target(target());
    spinner.enable_steady_tick(SPIN);
    if !draws() {
        eprint!("{message}...");
    }
    let result = work();
    if result.is_err() {
        spinner.finish_and_clear();
        eprintln!();
        return result;
    }
    let seconds = start.elapsed().as_secs();
    let elapsed = format!(
        "done ({seconds} second{})",
        if seconds == 1 { "" } else { "s" }
    );
    if draws() {
        spinner.finish_with_message(format!("{message}: {elapsed}"));
    } else {
        eprintln!("{elapsed}");
    }
    result
}
