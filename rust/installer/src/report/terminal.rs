// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events for a person at a terminal: a bar for each running task, with bytes,
//! rate and remaining time, on standard error.

use std::time::Duration;

use contract::error::Error;
use contract::event::{Closed, Event, Level, Progress, Summary, Task};
use contract::size::human;
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressStyle};

use super::Output;

/// How often spinners turn.
const TICK: Duration = Duration::from_millis(120);

/// Draws the events.
#[derive(Debug)]
pub struct Terminal {
    bars: MultiProgress,
    running: Vec<(Task, String, ProgressBar)>,
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Terminal {
    /// On standard error.
    pub fn new() -> Self {
        Self {
            bars: MultiProgress::new(),
            running: Vec::new(),
        }
    }

    fn start(&mut self, task: Task, description: &str) {
        let bar = self.bars.add(ProgressBar::new(0).with_style(waiting()));
        bar.set_prefix(description.to_owned());
        bar.enable_steady_tick(TICK);
        self.running.push((task, description.to_owned(), bar));
    }

    fn progress(&mut self, task: Task, progress: &Progress) {
        let Some((_, _, bar)) = self.running.iter().find(|(t, ..)| *t == task) else {
            return;
        };
        if progress.bytes_total > 0 {
            if bar.length() != Some(progress.bytes_total) {
                bar.set_length(progress.bytes_total);
                bar.set_style(counting());
            }
            bar.set_position(progress.bytes);
        }
        bar.set_message(counters(progress));
    }

    fn end(&mut self, task: Task, elapsed_ms: u64) {
        if let Some(index) = self.running.iter().position(|(t, ..)| *t == task) {
            let (_, description, bar) = self.running.remove(index);
            bar.finish_and_clear();
            self.line(&format!("✓ {description} ({})", seconds(elapsed_ms)));
        }
    }

    fn line(&self, text: &str) {
        if let Err(error) = self.bars.println(text) {
            tracing::debug!(%error, "the terminal is gone");
        }
    }

    fn clear(&mut self) {
        for (_, _, bar) in self.running.drain(..) {
            bar.finish_and_clear();
        }
    }
}

impl Output for Terminal {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Start { .. } => {}
            Event::TaskStart {
                task, description, ..
            } => self.start(*task, description),
            Event::Progress { task, progress, .. } => self.progress(*task, progress),
            Event::TaskEnd { task, elapsed_ms } => self.end(*task, *elapsed_ms),
            Event::Message { level, text, .. } => self.line(&match level {
                Level::Info => format!("  {text}"),
                Level::Warning => format!("! {text}"),
            }),
            Event::Error(error) => {
                self.clear();
                self.line(&failure(error));
            }
            Event::Done(summary) => {
                self.clear();
                self.line(&success(summary));
            }
            Event::Closed(closed) => {
                self.clear();
                self.line(&all_closed(closed));
            }
        }
    }

    fn finish(&mut self) {
        self.clear();
    }
}

/// A task without counters.
fn waiting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// A task with counters.
fn counting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix:24} {wide_bar} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// `412.0 MB of 1.1 GB · 23.4 MB/s · 30 seconds left`
fn counters(progress: &Progress) -> String {
    if progress.bytes_total == 0 {
        return String::new();
    }
    let mut text = format!(
        "{} of {}",
        human(progress.bytes),
        human(progress.bytes_total)
    );
    if let Some(rate) = progress.rate {
        text += &format!(" · {}/s", human(rate));
    }
    if let Some(eta) = progress.eta {
        text += &format!(" · {} left", HumanDuration(Duration::from_secs(eta)));
    }
    text
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

/// An error as a person reads it.
pub fn failure(error: &Error) -> String {
    let mut text = format!(
        "✗ {} [{}]\n  {}\n  → {}",
        error.what, error.code, error.why, error.next
    );
    for detail in &error.details {
        text += &format!("\n    {detail}");
    }
    text
}

fn success(summary: &Summary) -> String {
    let loaders = match summary.bootloaders.as_slice() {
        [] => "none".to_owned(),
        some => some.join(", "),
    };
    let mut text = format!(
        "Installed {}\n  digest       {}\n  deployment   {}\n  boot loader  {loaders}",
        summary.imgref, summary.digest, summary.deployment
    );
    if let Some(hand_over) = &summary.hand_over {
        text += &format!(
            "\n  root         {}\nConfigure it there, then run `bootc-installer close`.",
            hand_over.root.display()
        );
    }
    text
}

/// What was closed, as a person reads it.
fn all_closed(closed: &Closed) -> String {
    if closed.is_empty() {
        return "There was nothing to close.".to_owned();
    }
    let mut text = "Closed".to_owned();
    for target in &closed.targets {
        text += &format!("\n  target   {}", target.display());
    }
    for swap in &closed.swaps {
        text += &format!("\n  swap     {}", swap.display());
    }
    for name in &closed.mappings {
        text += &format!("\n  mapping  {name}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::error::Code;

    #[test]
    fn counters_in_words() {
        let progress = |bytes_total, rate, eta| Progress {
            bytes: 412_000_000,
            bytes_total,
            rate,
            eta,
            ..Progress::default()
        };
        for (progress, text) in [
            (progress(0, None, None), ""),
            (progress(1_100_000_000, None, None), "412.0 MB of 1.1 GB"),
            (
                progress(1_100_000_000, Some(23_400_000), Some(30)),
                "412.0 MB of 1.1 GB · 23.4 MB/s · 30 seconds left",
            ),
        ] {
            assert_eq!(counters(&progress), text);
        }
        assert_eq!(seconds(61_250), "61.2 s");
    }

    #[test]
    fn a_failure_says_all() {
        let text = failure(&Error::new(Code::NotRoot, "This went wrong.").detail("raw"));
        for part in ["This went wrong.", "NOT_ROOT", "→ Run it as root", "raw"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
