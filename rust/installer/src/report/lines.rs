// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events as lines of text, for a journal and for consoles that nobody may be looking
//! at. Each begins with the event's type, and an error with its code, so that both can
//! be searched for.

use std::io::Write;
use std::time::{Duration, Instant};

use contract::error::Error;
use contract::event::{Event, Level, Progress, Task};
use contract::size::human;

use super::Output;

/// A task tells of its progress so often.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Writes lines to several places. One that takes no more misses them.
pub struct Lines {
    writers: Vec<Box<dyn Write + Send>>,
    told: Vec<(Task, Instant)>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl Lines {
    /// Lines to all of these.
    pub fn new(writers: Vec<Box<dyn Write + Send>>) -> Self {
        Self {
            writers,
            told: Vec::new(),
        }
    }

    /// Whether it is time to tell of this task's progress.
    fn is_due(&mut self, task: Task, now: Instant) -> bool {
        match self.told.iter_mut().find(|(told, _)| *told == task) {
            Some((_, at)) if now.duration_since(*at) < PROGRESS_EVERY => false,
            Some((_, at)) => {
                *at = now;
                true
            }
            None => {
                self.told.push((task, now));
                false
            }
        }
    }
}

impl Output for Lines {
    fn event(&mut self, event: &Event) {
        if let Event::Progress { task, .. } = event
            && !self.is_due(*task, Instant::now())
        {
            return;
        }
        let text = text(event);
        for writer in &mut self.writers {
            let written = writer.write_all(text.as_bytes());
            if let Err(error) = written.and_then(|()| writer.flush()) {
                tracing::debug!(%error, "a line was not written");
            }
        }
    }
}

/// The lines of an event, each with its end.
fn text(event: &Event) -> String {
    match event {
        Event::Start { program, .. } => format!("Start bootc-installer {program}\n"),
        Event::TaskStart {
            task, description, ..
        } => format!("TaskStart {}: {description}\n", task.name()),
        Event::Progress { task, progress, .. } => {
            format!("Progress {}: {}\n", task.name(), counters(progress))
        }
        Event::TaskEnd { task, elapsed_ms } => {
            let tenths = elapsed_ms / 100;
            format!(
                "TaskEnd {}: {}.{} s\n",
                task.name(),
                tenths / 10,
                tenths % 10
            )
        }
        Event::Message { level, id, text } => {
            let level = match level {
                Level::Info => "info",
                Level::Warning => "warning",
            };
            format!("Message {level} {id}: {text}\n")
        }
        Event::Error(error) => failure(error),
        Event::Done(summary) => format!("Done {}: {}\n", summary.imgref, summary.digest),
        Event::Closed(closed) => format!("Closed {} targets\n", closed.targets.len()),
    }
}

fn counters(progress: &Progress) -> String {
    match (progress.bytes_total, progress.steps_total) {
        (0, 0) => "at work".to_owned(),
        (0, steps) => format!("{} of {steps}", progress.steps),
        (bytes, _) => format!("{} of {}", human(progress.bytes), human(bytes)),
    }
}

fn failure(error: &Error) -> String {
    let mut text = format!(
        "Error {}: {}\n  {}\n  {}\n",
        error.code.name(),
        error.what,
        error.why,
        error.next
    );
    for line in &error.details {
        text += &format!("  | {line}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::error::Code;

    #[test]
    fn types_and_codes_are_at_the_beginning() {
        let mut error = Error::new(Code::DiskNotEmpty, "The disk /dev/vda has 2 partitions.");
        error.details.push("vda: gpt".into());
        let told = text(&Event::Error(error));
        assert!(told.starts_with("Error DISK_NOT_EMPTY: The disk /dev/vda has 2 partitions.\n  "));
        assert!(told.ends_with("  | vda: gpt\n"), "{told}");
        let end = Event::TaskEnd {
            task: Task::Pull,
            elapsed_ms: 1290,
        };
        assert_eq!(text(&end), "TaskEnd pull: 1.2 s\n");
        let progress = Progress {
            bytes: 5_000_000,
            bytes_total: 10_000_000,
            ..Progress::default()
        };
        assert_eq!(counters(&progress), "5.0 MB of 10.0 MB");
    }

    #[test]
    fn progress_is_told_of_now_and_then() {
        let mut lines = Lines::new(Vec::new());
        let begun = Instant::now();
        let mut due = |seconds| lines.is_due(Task::Pull, begun + Duration::from_secs(seconds));
        assert_eq!(
            [0, 5, 11, 12, 22].map(&mut due),
            [false, false, true, false, true]
        );
    }
}
