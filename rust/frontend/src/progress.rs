// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where an installation is, from the engine's events.

use contract::event::{Event, Progress, Task};

/// The parts of an installation that a person is told apart, in their order;
/// each is a job in Calamares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Check, prepare, download and unpack.
    Fetch,
    /// bootc writes the deployment.
    Deploy,
    /// Boot loader and configuration of the deployment.
    Configure,
    /// Hand the deployment over to whoever configures it further.
    HandOver,
}

impl Stage {
    /// The stage that `task` belongs to, where that is known.
    pub fn of(task: Task) -> Option<Self> {
        match task {
            Task::Check | Task::Prepare | Task::Pull | Task::Unpack => Some(Self::Fetch),
            Task::Deploy => Some(Self::Deploy),
            Task::Boot | Task::Configure => Some(Self::Configure),
            Task::Handover | Task::Finish => Some(Self::HandOver),
            Task::Unknown => None,
        }
    }
}

/// A moment of an installation.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Stage that is running.
    pub stage: Stage,
    /// Task that is told about: while a download runs, that and not the
    /// unpacking beside it.
    pub task: Task,
    /// Counters of that task.
    pub progress: Progress,
    pull: f64,
    unpack: f64,
    deploy: f64,
    pulls: bool,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            stage: Stage::Fetch,
            task: Task::Check,
            progress: Progress::default(),
            pull: 0.0,
            unpack: 0.0,
            deploy: 0.0,
            pulls: false,
        }
    }
}

impl Position {
    /// Takes one event in.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::TaskStart { task, .. } => self.enter(*task),
            Event::Progress { task, progress, .. } => self.advance(*task, progress),
            Event::TaskEnd { task, .. } => self.leave(*task),
            _ => {}
        }
    }

    /// Done part of the stage, 0 to 1, never falling within it.
    pub fn fraction(&self) -> f64 {
        match self.stage {
            // Unpacking runs beside the download and ends soon after it.
            Stage::Fetch if self.pulls => 0.85 * self.pull + 0.15 * self.unpack,
            Stage::Fetch => self.unpack,
            Stage::Deploy => self.deploy,
            Stage::Configure if self.task == Task::Configure => 0.8,
            Stage::Configure | Stage::HandOver => 0.0,
        }
    }

    fn enter(&mut self, task: Task) {
        self.stage = self.stage.max(Stage::of(task).unwrap_or(self.stage));
        match task {
            Task::Pull => self.pulls = true,
            Task::Unpack if self.pulls && self.pull < 1.0 => return,
            _ => {}
        }
        self.tell(task);
    }

    fn advance(&mut self, task: Task, progress: &Progress) {
        let done = fraction(progress);
        match task {
            Task::Pull => self.pull = self.pull.max(done),
            Task::Unpack => self.unpack = self.unpack.max(done),
            Task::Deploy => self.deploy = self.deploy.max(done),
            _ => {}
        }
        if task == self.task {
            self.progress = progress.clone();
        }
    }

    fn leave(&mut self, task: Task) {
        match task {
            Task::Pull => {
                self.pull = 1.0;
                if self.unpack < 1.0 {
                    self.tell(Task::Unpack);
                }
            }
            Task::Unpack => self.unpack = 1.0,
            Task::Deploy => self.deploy = 1.0,
            _ => {}
        }
    }

    fn tell(&mut self, task: Task) {
        // Of those that are not known, each may be another one.
        if self.task != task || task == Task::Unknown {
            self.task = task;
            self.progress = Progress::default();
        }
    }
}

/// By bytes where their number is known, else by steps.
#[allow(clippy::cast_precision_loss)]
fn fraction(progress: &Progress) -> f64 {
    let (done, total) = match (progress.bytes_total, progress.steps_total) {
        (0, 0) => return 0.0,
        (0, steps) => (progress.steps, steps),
        (bytes, _) => (progress.bytes, bytes),
    };
    (done as f64 / total as f64).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn start(task: Task) -> Event {
        Event::TaskStart {
            task,
            description: String::new(),
            id: String::new(),
        }
    }

    fn end(task: Task) -> Event {
        Event::TaskEnd {
            task,
            elapsed_ms: 1,
        }
    }

    fn bytes(task: Task, bytes: u64, bytes_total: u64) -> Event {
        Event::Progress {
            task,
            id: String::new(),
            progress: Progress {
                bytes,
                bytes_total,
                ..Progress::default()
            },
        }
    }

    #[test]
    fn every_task_has_a_stage_in_order() {
        let stages: Vec<_> = Task::ALL.into_iter().map(Stage::of).collect();
        assert!(stages.is_sorted() && stages[0].is_some(), "{stages:?}");
    }

    #[test]
    fn what_a_newer_engine_does_is_not_what_was_before() {
        let event = |text: &str| -> Event { serde_json::from_str(text).unwrap() };
        let mut at = Position::default();
        at.take(&start(Task::Deploy));
        at.take(&bytes(Task::Deploy, 1, 2));
        let begun =
            r#"{"type":"TaskStart","task":"polish","description":"Polishing","id":"polish"}"#;
        at.take(&event(begun));
        assert_eq!((at.stage, at.task), (Stage::Deploy, Task::Unknown));
        assert_eq!(at.progress, Progress::default());
        let done = r#"{"type":"TaskEnd","task":"polish","elapsedMs":1}"#;
        at.take(&event(done));
        at.take(&start(Task::Boot));
        assert_eq!((at.stage, at.task), (Stage::Configure, Task::Boot));
    }

    #[test]
    fn a_download_and_the_unpacking_beside_it() {
        let mut at = Position::default();
        let mut last = 0.0;
        for (event, task) in [
            (start(Task::Pull), Task::Pull),
            (start(Task::Unpack), Task::Pull),
            (bytes(Task::Unpack, 5, 100), Task::Pull),
            (bytes(Task::Pull, 50, 100), Task::Pull),
            (bytes(Task::Pull, 40, 100), Task::Pull),
            (end(Task::Pull), Task::Unpack),
            (bytes(Task::Unpack, 90, 100), Task::Unpack),
            (end(Task::Unpack), Task::Unpack),
        ] {
            at.take(&event);
            assert_eq!(at.task, task, "{event:?}");
            assert!(at.fraction() >= last, "{event:?}");
            last = at.fraction();
        }
        assert!((last - 1.0).abs() < 1e-9);
        at.take(&start(Task::Deploy));
        assert_eq!((at.stage, at.fraction()), (Stage::Deploy, 0.0));
    }

    #[test]
    fn without_a_download() {
        let mut at = Position::default();
        at.take(&start(Task::Unpack));
        at.take(&bytes(Task::Unpack, 1, 2));
        assert_eq!(at.task, Task::Unpack);
        assert!((at.fraction() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn unknown_totals_are_nothing() {
        assert!(fraction(&Progress::default()).abs() < 1e-9);
        let by_steps = Progress {
            steps: 1,
            steps_total: 4,
            ..Progress::default()
        };
        assert!((fraction(&by_steps) - 0.25).abs() < 1e-9);
    }
}
