// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is drawn on a terminal, and only there.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

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
        })
    }

    pub(crate) fn start_layer(&self, size: u64) {
        self.bytes.reset();
        self.bytes.set_length(size);
    }

    pub(crate) fn add_bytes(&self, count: u64) {
        self.bytes.inc(count);
    }

    pub(crate) fn finish_layer(&self) {
        self.layers.inc(1);
    }

    pub(crate) fn clear(self) -> Result<()> {
        self.layers.finish_and_clear();
        self.bytes.finish_and_clear();
        self.multi.clear().context("clearing the progress bars")
    }
}

/// Runs `work` under a spinner, with the one line that stays on stderr.
pub(crate) fn with_spinner<T>(message: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let spinner = ProgressBar::with_draw_target(None, target()).with_message(message.to_owned());
    spinner.enable_steady_tick(SPIN);
    if !draws() {
        eprint!("{message}...");
    }
    let result = work();
    spinner.finish_and_clear();
    if result.is_err() {
        eprintln!();
        return result;
    }
    let seconds = start.elapsed().as_secs();
    let elapsed = format!(
        "done ({seconds} second{})",
        if seconds == 1 { "" } else { "s" }
    );
    if draws() {
        eprintln!("{message}...{elapsed}");
    } else {
        eprintln!("{elapsed}");
    }
    result
}
