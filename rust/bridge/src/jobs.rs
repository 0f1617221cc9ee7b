// SPDX-License-Identifier: MIT OR Apache-2.0
//! The session as the jobs see it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::error::{Code, Error};
use contract::event::Task;
use frontend::check;
use frontend::program::Program;
use frontend::progress::{Position, Stage};
use frontend::run::{Run, Snapshot};

use crate::ffi::bridge::{self, Failure, Status};
use crate::guard::{guarded, panic_if_asked};

/// The welcome page waits for it.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// What was chosen and what is running.
#[allow(unreachable_pub)] // A type of the bridge, all of which is `pub`.
pub struct Session(pub(crate) Arc<Shared>);

/// The shared part, also held by the page and by its checks.
pub(crate) struct Shared {
    pub(crate) program: Program,
    pub(crate) debug: bool,
    choice: Mutex<frontend::session::Session>,
    run: Mutex<Running>,
}

enum Running {
    No,
    Yes(Run),
    /// It could not even be begun.
    Failed(Error),
}

pub(crate) fn new_session(engine: &str, debug: bool) -> Box<Session> {
    Box::new(Session(Arc::new(Shared {
        program: Program::new(engine),
        debug,
        choice: Mutex::default(),
        run: Mutex::new(Running::No),
    })))
}

impl Shared {
    /// The person's choice. A poisoned lock is taken: see [`crate::guard`].
    pub(crate) fn choice(&self) -> MutexGuard<'_, frontend::session::Session> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) -> MutexGuard<'_, Running> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(crate) fn is_remote(&self) -> bool {
        let ask = |question: &_| check::is_on_medium(&self.0.program, question);
        guarded(|| self.0.choice().is_remote(ask)).unwrap_or(true)
    }

    pub(crate) fn reference(&self) -> String {
        guarded(|| self.0.choice().reference().to_owned()).unwrap_or_default()
    }

    pub(crate) fn space_bytes(&self) -> u64 {
        guarded(|| {
            self.0
                .choice()
                .answer()
                .map_or(0, |known| known.space_bytes)
        })
        .unwrap_or(0)
    }

    pub(crate) fn look_up(&self) -> Failure {
        let looked = guarded(|| {
            let question = self.0.choice().question()?;
            check::check_within(&self.0.program, &question, FIRST_LOOK)
        });
        match looked.and_then(|result| result) {
            Ok(_) => no_failure(),
            Err(error) => failure(&error),
        }
    }

    pub(crate) fn start(&self, global_storage: &str) {
        let begun = guarded(|| {
            panic_if_asked(self.0.debug, "start");
            let request = self.0.choice().request(global_storage.into())?;
            Ok(Run::start(self.0.program.clone(), request))
        });
        *self.0.run() = match begun.and_then(|result| result) {
            Ok(run) => Running::Yes(run),
            Err(error) => Running::Failed(error),
        };
    }

    pub(crate) fn status(&self) -> Status {
        let status = guarded(|| {
            panic_if_asked(self.0.debug, "status");
            match &*self.0.run() {
                Running::Yes(run) => status(&run.snapshot()),
                Running::Failed(error) => failed(error),
                Running::No => failed(&Error::new(
                    Code::Internal,
                    "The installation was never begun.",
                )),
            }
        });
        status.unwrap_or_else(|error| failed(&error))
    }

    pub(crate) fn stop(&self) {
        // What can panic in there has stopped the run before.
        drop(guarded(|| {
            if let Running::Yes(run) = &*self.0.run() {
                run.stop();
            }
        }));
    }

    pub(crate) fn warnings(&self) -> String {
        let warnings = guarded(|| match &*self.0.run() {
            Running::Yes(run) => run.warnings().join("\n"),
            _ => String::new(),
        });
        warnings.unwrap_or_default()
    }
}

fn status(snapshot: &Snapshot) -> Status {
    let Position {
        stage,
        task,
        progress,
        ..
    } = &snapshot.position;
    let (failure, root) = match &snapshot.ended {
        None => (no_failure(), String::new()),
        Some(Ok(summary)) => (
            no_failure(),
            summary
                .hand_over
                .as_ref()
                .map(|at| at.root.display().to_string())
                .unwrap_or_default(),
        ),
        Some(Err(error)) => (failure(error), String::new()),
    };
    Status {
        stage: stage_shown(*stage),
        fraction: snapshot.position.fraction(),
        task: task_shown(*task),
        bytes: progress.bytes,
        bytes_total: progress.bytes_total,
        steps: progress.steps,
        steps_total: progress.steps_total,
        rate: progress.rate.unwrap_or(0),
        eta: progress
            .eta
            .and_then(|eta| i64::try_from(eta).ok())
            .unwrap_or(-1),
        ended: snapshot.ended.is_some(),
        failed: matches!(snapshot.ended, Some(Err(_))),
        failure,
        root,
    }
}

/// A status that is nothing but a failure.
fn failed(error: &Error) -> Status {
    let snapshot = Snapshot {
        position: Position::default(),
        ended: Some(Err(error.clone())),
    };
    status(&snapshot)
}

/// The same for C++, where a `switch` that lacks one does not compile.
fn stage_shown(stage: Stage) -> bridge::Stage {
    match stage {
        Stage::Fetch => bridge::Stage::Fetch,
        Stage::Deploy => bridge::Stage::Deploy,
        Stage::Configure => bridge::Stage::Configure,
        Stage::HandOver => bridge::Stage::HandOver,
    }
}

/// As [`stage_shown`].
fn task_shown(task: Task) -> bridge::Task {
    match task {
        Task::Check => bridge::Task::Check,
        Task::Partition => bridge::Task::Partition,
        Task::Prepare => bridge::Task::Prepare,
        Task::Pull => bridge::Task::Pull,
        Task::Unpack => bridge::Task::Unpack,
        Task::Deploy => bridge::Task::Deploy,
        Task::Boot => bridge::Task::Boot,
        Task::Configure => bridge::Task::Configure,
        Task::Handover => bridge::Task::Handover,
        Task::Finish => bridge::Task::Finish,
        Task::Unknown => bridge::Task::Unknown,
    }
}

fn failure(error: &Error) -> Failure {
    Failure {
        code: error.code.name().to_owned(),
        what: error.what.clone(),
        why: error.why.clone(),
        next: error.next.clone(),
        details: error.details.join("\n"),
    }
}

fn no_failure() -> Failure {
    Failure {
        code: String::new(),
        what: String::new(),
        why: String::new(),
        next: String::new(),
        details: String::new(),
    }
}
