// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where events go: lines of JSON for a program, bars for a person, lines of text for a
//! journal.
//!
//! Both get their events through [`Reporter`], which adds rate and remaining
//! time and makes sure that no minute is silent.

mod json;
mod lines;
mod rate;
mod terminal;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use contract::event::{Event, EventSink, Progress, Task};
pub use json::JsonLines;
pub use lines::Lines;
use rate::Rate;
pub use terminal::{Terminal, failure};

/// After so long without an event the last counters are sent again, so that
/// nobody takes a slow disk for a dead installer.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Where a [`Reporter`] sends events.
pub trait Output: Send {
    /// Shows or writes one event. A reader that is gone is not an error.
    fn event(&mut self, event: &Event);
    /// The last event has been sent.
    fn finish(&mut self) {}
}

/// An [`EventSink`] in front of an [`Output`].
pub struct Reporter {
    shared: Arc<ReporterShared>,
    heart: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

struct ReporterShared {
    state: Mutex<ReporterState>,
    ended: Condvar,
}

struct ReporterState {
    output: Box<dyn Output>,
    /// Tasks that have started and not ended, with their counters.
    running: Vec<Running>,
    last: Instant,
    ended: bool,
}

struct Running {
    task: Task,
    rate: Rate,
    progress: Progress,
}

impl Reporter {
    /// Sends everything to `output`.
    pub fn new(output: Box<dyn Output>) -> Self {
        let shared = Arc::new(ReporterShared {
            state: Mutex::new(ReporterState {
                output,
                running: Vec::new(),
                last: Instant::now(),
                ended: false,
            }),
            ended: Condvar::new(),
        });
        let heart = std::thread::Builder::new().name("heartbeat".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.beat()
        });
        Self {
            shared,
            // Without the thread there are only fewer events.
            heart: heart.ok(),
        }
    }
}

impl EventSink for Reporter {
    fn send(&self, event: Event) {
        self.shared.lock().send(event, Instant::now());
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.ended = true;
            state.output.finish();
        }
        self.shared.ended.notify_all();
        if let Some(heart) = self.heart.take()
            && heart.join().is_err()
        {
            tracing::debug!("the heartbeat had stopped");
        }
    }
}

impl ReporterShared {
    fn lock(&self) -> MutexGuard<'_, ReporterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) {
        let mut state = self.lock();
        while !state.ended {
            let now = Instant::now();
            let due = state.last + HEARTBEAT;
            if now >= due {
                state.repeat(now);
            }
            let wait = (state.last + HEARTBEAT).saturating_duration_since(now);
            state = match self.ended.wait_timeout(state, wait) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl ReporterState {
    fn send(&mut self, mut event: Event, now: Instant) {
        match &mut event {
            Event::TaskStart { task, .. } => self.running.push(Running {
                task: *task,
                rate: Rate::default(),
                progress: Progress::default(),
            }),
            Event::TaskEnd { task, .. } => self.running.retain(|r| r.task != *task),
            Event::Progress { task, progress, .. } => {
                if let Some(running) = self.running.iter_mut().find(|r| r.task == *task) {
                    running.rate.add(now, progress.bytes);
                    progress.rate = running.rate.per_second(now);
                    let left = progress.bytes_total.saturating_sub(progress.bytes);
                    progress.eta = rate::seconds_left(left, progress.rate);
                    running.progress = progress.clone();
                }
            }
            _ => {}
        }
        self.last = now;
        self.output.event(&event);
    }

    /// Sends the counters of all running tasks again.
    fn repeat(&mut self, now: Instant) {
        self.last = now;
        let again: Vec<Event> = self
            .running
            .iter()
            .map(|running| Event::Progress {
                task: running.task,
                id: running.task.name().into(),
                progress: running.progress.clone(),
            })
            .collect();
        for event in again {
            self.send(event, now);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Keep(Arc<Mutex<Vec<Event>>>);

    impl Output for Keep {
        fn event(&mut self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    fn state() -> (ReporterState, Arc<Mutex<Vec<Event>>>) {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let state = ReporterState {
            output: Box::new(Keep(Arc::clone(&kept))),
            running: Vec::new(),
            last: Instant::now(),
            ended: false,
        };
        (state, kept)
    }

    fn progress(task: Task, bytes: u64) -> Event {
        Event::Progress {
            task,
            id: "x".into(),
            progress: Progress {
                bytes,
                bytes_total: 1000,
                ..Progress::default()
            },
        }
    }

    fn start(task: Task) -> Event {
        Event::TaskStart {
            task,
            description: "x".into(),
            id: "x".into(),
        }
    }

    #[test]
    fn adds_rate_and_remaining_time() {
        let (mut state, kept) = state();
        let t = Instant::now();
        state.send(start(Task::Pull), t);
        state.send(progress(Task::Pull, 0), t);
        state.send(progress(Task::Pull, 400), t + Duration::from_secs(4));
        let kept = kept.lock().unwrap();
        let Event::Progress { progress, .. } = kept.last().unwrap() else {
            panic!("{kept:?}");
        };
        assert_eq!((progress.rate, progress.eta), (Some(100), Some(6)));
    }

    #[test]
    fn silence_is_filled_with_the_running_tasks() {
        let (mut state, kept) = state();
        let t = Instant::now();
        state.send(start(Task::Pull), t);
        state.send(start(Task::Unpack), t);
        state.send(progress(Task::Pull, 7), t);
        state.send(
            Event::TaskEnd {
                task: Task::Unpack,
                elapsed_ms: 1,
            },
            t,
        );
        kept.lock().unwrap().clear();
        state.repeat(t + HEARTBEAT);
        let kept = kept.lock().unwrap();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert!(
            matches!(&kept[0], Event::Progress { task: Task::Pull, progress, .. } if progress.bytes == 7)
        );
    }

    #[test]
    fn ends_when_dropped() {
        let (_, kept) = state();
        let reporter = Reporter::new(Box::new(Keep(Arc::clone(&kept))));
        reporter.send(start(Task::Check));
        drop(reporter);
        assert_eq!(kept.lock().unwrap().len(), 1);
    }
}
