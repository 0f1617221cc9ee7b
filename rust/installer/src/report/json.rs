// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events as JSON lines (`docs/formats.md`).

use std::io::Write;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use contract::event::{Event, Task};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Output;

/// At most five lines of progress a second for each task.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Writes a line for each event; thins progress out, but never loses the last
/// counters of a task.
#[derive(Debug)]
pub struct JsonLines<W> {
    /// `None` once the reader was gone.
    writer: Option<W>,
    /// Whether a line can be written without waiting for the reader.
    ready: fn(&W) -> bool,
    tasks: Vec<Written>,
}

#[derive(Debug)]
struct Written {
    task: Task,
    at: Instant,
    held: Option<Event>,
}

impl<W: Write> JsonLines<W> {
    /// Lines to `writer`, each with one call.
    pub fn new(writer: W) -> Self {
        Self {
            writer: Some(writer),
            ready: |_| true,
            tasks: Vec::new(),
        }
    }

    /// Lines to a pipe or file. A reader that does not keep up misses progress,
    /// but does not hold up the installation.
    pub fn to_fd(writer: W) -> Self
    where
        W: AsFd,
    {
        Self {
            // pipe(7): a pipe that polls writable takes PIPE_BUF bytes at once,
            // and a line of progress is far shorter.
            ready: |writer| {
                let mut fds = [PollFd::new(writer.as_fd(), PollFlags::POLLOUT)];
                poll(&mut fds, PollTimeout::ZERO) != Ok(0)
            },
            ..Self::new(writer)
        }
    }

    fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Progress { task, .. } => {
                if !self.writer.as_ref().is_some_and(self.ready) {
                    return;
                }
                match self.tasks.iter_mut().find(|w| w.task == *task) {
                    Some(written) if now.duration_since(written.at) < PROGRESS_EVERY => {
                        written.held = Some(event.clone());
                        return;
                    }
                    Some(written) => {
                        written.at = now;
                        written.held = None;
                    }
                    None => self.tasks.push(Written {
                        task: *task,
                        at: now,
                        held: None,
                    }),
                }
            }
            Event::TaskEnd { task, .. } => {
                let held = self.tasks.iter().position(|w| w.task == *task);
                if let Some(held) = held.and_then(|i| self.tasks.swap_remove(i).held) {
                    self.write(&held);
                }
            }
            _ => {}
        }
        self.write(event);
    }

    fn write(&mut self, event: &Event) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        let mut line = match serde_json::to_vec(event) {
            Ok(line) => line,
            Err(error) => {
                tracing::error!(%error, "an event cannot be written");
                return;
            }
        };
        line.push(b'\n');
        if let Err(error) = writer.write_all(&line).and_then(|()| writer.flush()) {
            // Only the telling ends, never the installation.
            tracing::debug!(%error, "nobody reads the events any more");
            self.writer = None;
        }
    }
}

impl<W: Write + Send> Output for JsonLines<W> {
    fn event(&mut self, event: &Event) {
        self.take(event, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::event::Progress;

    fn progress(task: Task, bytes: u64) -> Event {
        Event::Progress {
            task,
            id: "x".into(),
            progress: Progress {
                bytes,
                ..Progress::default()
            },
        }
    }

    fn lines(lines: &JsonLines<Vec<u8>>) -> Vec<serde_json::Value> {
        let text = std::str::from_utf8(lines.writer.as_ref().unwrap()).unwrap();
        text.lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    #[test]
    fn progress_is_thinned_out_and_ends_right() {
        let mut out = JsonLines::new(Vec::new());
        let t = Instant::now();
        for i in 0..1000_u64 {
            let now = t + Duration::from_millis(i);
            out.take(&progress(Task::Pull, i), now);
            out.take(&progress(Task::Unpack, i / 2), now);
        }
        let end = Event::TaskEnd {
            task: Task::Pull,
            elapsed_ms: 1000,
        };
        out.take(&end, t + Duration::from_secs(1));
        let lines = lines(&out);
        let pulls: Vec<u64> = lines
            .iter()
            .filter(|l| l["type"] == "Progress" && l["task"] == "pull")
            .map(|l| l["bytes"].as_u64().unwrap())
            .collect();
        assert_eq!(pulls, [0, 200, 400, 600, 800, 999]);
        assert_eq!(lines.last().unwrap()["type"], "TaskEnd");
    }

    #[test]
    fn a_reader_that_sleeps_holds_nothing_up() {
        let (_reader, writer) = nix::unistd::pipe().unwrap();
        let mut out = JsonLines::to_fd(std::fs::File::from(writer));
        let t = Instant::now();
        for i in 0..10_000_u64 {
            out.take(&progress(Task::Pull, i), t + Duration::from_secs(i));
        }
        assert!(out.writer.is_some());
    }

    #[test]
    fn a_reader_that_is_gone_ends_only_the_telling() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut out = JsonLines::new(Gone);
        out.event(&progress(Task::Pull, 1));
        assert!(out.writer.is_none());
        out.event(&progress(Task::Pull, 2));
    }
}
