// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running installation: a thread that starts the engine, follows its events
//! and is there to its end.
//!
//! The engine stops and cleans up when the plan's pipe closes. Its other end is
//! in [`Run`], so an installation ends with [`Run::stop`], with this process,
//! and never unattended.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::error::{Code, Error, Result};
use contract::event::{Event, Level, Summary};
use contract::fault::Stopped;
use contract::plan::Plan;
use imageref::Digest;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use secrecy::{ExposeSecret, SecretString};

use crate::login::Login;
use crate::program::{self, Failed, PLAN_FD, Program};
use crate::progress::Position;

/// No plan is longer.
const MAX_PLAN: u64 = 4 * 1024 * 1024;

/// What is installed, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// bootc.conf.
    pub config: Option<PathBuf>,
    /// The reference; without it the configuration's own.
    pub image: Option<String>,
    /// Digest that the check found: exactly this is installed.
    pub digest: Option<Digest>,
    /// Digest of the index that the check found it in.
    pub index_digest: Option<Digest>,
    /// The login at its registry.
    pub login: Option<Login>,
    /// The person agreed to keep the login for updates.
    pub keep_login: bool,
    /// Calamares' global storage as JSON.
    pub global_storage: SecretString,
}

/// An installation. Stopped when dropped.
#[derive(Debug)]
pub struct Run(Arc<RunShared>);

#[derive(Debug, Default)]
struct RunShared {
    state: Mutex<RunState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct RunState {
    position: Position,
    /// Open as long as the engine may go on.
    lifeline: Option<OwnedFd>,
    stopped: bool,
    warnings: Vec<String>,
    ended: Option<Result<Summary, Error>>,
}

/// A look at an installation.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Where it is.
    pub position: Position,
    /// How it ended, when it has.
    pub ended: Option<Result<Summary, Error>>,
}

impl Run {
    /// Begins an installation; returns at once.
    pub fn start(program: Program, request: Request) -> Self {
        let shared = Arc::new(RunShared::default());
        let of_thread = Arc::clone(&shared);
        // The engine gets a signal when the thread that started it ends, so
        // this thread stays until the engine has ended.
        let spawned = std::thread::Builder::new()
            .name("installation".into())
            .spawn(move || {
                let result = of_thread.play(&program, &request);
                of_thread.end(result);
            });
        if let Err(err) = spawned {
            shared.end(Err(Error::new(
                Code::Io,
                "The installation could not be started.",
            )
            .detail(err.to_string())));
        }
        Self(shared)
    }

    /// Asks the engine to stop and clean up; [`Run::snapshot`] tells when it has.
    pub fn stop(&self) {
        let mut state = self.0.state();
        state.stopped = true;
        state.lifeline = None;
    }

    /// Where it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.0.state().snapshot()
    }

    /// Waits for its end, at most so long.
    pub fn wait(&self, timeout: Duration) -> Snapshot {
        let state = self.0.state();
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, timeout, |state| state.ended.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.snapshot()
    }

    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        self.0.state().warnings.clone()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}

impl RunState {
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            position: self.position.clone(),
            ended: self.ended.clone(),
        }
    }
}

impl RunShared {
    fn state(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, result: Result<Summary, Error>) {
        let mut state = self.state();
        state.lifeline = None;
        state.ended = Some(result);
        self.changed.notify_all();
    }

    fn play(&self, program: &Program, request: &Request) -> Result<Summary> {
        let mut plan = plan(program, request)?;
        if plan.image.digest.is_none() {
            plan.image.digest.clone_from(&request.digest);
            plan.image.index_digest.clone_from(&request.index_digest);
        }
        let (child, events) = self.launch(program, request, &plan.to_json()?)?;
        let last = self.follow(events);
        let status = reap(child)?;
        match last {
            Some(result) => result,
            None => Err(no_last_word(status)),
        }
    }

    /// Starts the engine and hands it the plan.
    fn launch(
        &self,
        program: &Program,
        request: &Request,
        plan: &str,
    ) -> Result<(Child, ChildStdout)> {
        let failed = |err: std::io::Error| {
            Error::new(Code::Io, "The plan could not be handed to the installer.")
                .detail(err.to_string())
        };
        let (read, write) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| failed(errno.into()))?;
        let mut writer = std::fs::File::from(write.try_clone().map_err(failed)?);
        let mut command = program.command("install");
        command.args([format!("--plan-fd={PLAN_FD}").as_str(), "--events", "-"]);
        let mut fds = vec![program::mapping(read, PLAN_FD)];
        fds.extend(program::login_fd(request.login.as_ref())?);
        program::give(&mut command, fds)?;
        {
            let mut state = self.state();
            if state.stopped {
                return Err(Stopped.into());
            }
            state.lifeline = Some(write);
        }
        let mut child = command.spawn().map_err(|err| program.not_started(&err))?;
        // Holds the child's ends of the pipes.
        drop(command);
        let Some(events) = child.stdout.take() else {
            return Err(Error::new(Code::Internal, "A pipe was not made."));
        };
        if let Err(err) = writer.write_all(plan.as_bytes()) {
            // The engine ended before it read the plan; its events say why.
            self.warn(failed(err).to_string());
        }
        Ok((child, events))
    }

    /// Takes in every event; gives the last one's result.
    fn follow(&self, events: ChildStdout) -> Option<Result<Summary>> {
        let mut last = None;
        for line in BufReader::new(events).split(b'\n') {
            let Ok(line) = line else { break };
            match serde_json::from_slice(&line) {
                Ok(Event::Done(summary)) => last = Some(Ok(summary)),
                Ok(Event::Error(error)) => last = Some(Err(error)),
                Ok(Event::Message {
                    level: Level::Warning,
                    text,
                    ..
                }) => self.warn(text),
                Ok(event) => self.state().position.take(&event),
                // A newer engine may tell more than this program knows.
                Err(err) => self.warn(format!("an event was not understood: {err}")),
            }
        }
        last
    }

    fn warn(&self, text: String) {
        self.state().warnings.push(text);
    }
}

/// The plan for the request, made by the engine.
fn plan(program: &Program, request: &Request) -> Result<Plan> {
    let mut command = program.command("plan");
    command
        .args(["--calamares", "-", "--no-lookup", "--json-errors"])
        .args(program::image_args(
            request.config.as_deref(),
            request.image.as_deref(),
        ))
        .stdin(Stdio::piped());
    if request.login.is_some() {
        // Only named in the plan; the descriptor itself goes to the engine
        // that plays it.
        command.arg(program::auth_arg());
    }
    if request.keep_login {
        command.arg("--keep-auth");
    }
    let failed = |err: std::io::Error| {
        Error::new(Code::Internal, "There is no plan of the installation.").detail(err.to_string())
    };
    let mut child = command.spawn().map_err(|err| program.not_started(&err))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Error::new(Code::Internal, "A pipe was not made."));
    };
    // A child that ended early says why on its output.
    let written = stdin.write_all(request.global_storage.expose_secret().as_bytes());
    drop(stdin);
    let mut text = String::new();
    let read = stdout.take(MAX_PLAN).read_to_string(&mut text);
    let status = reap(child)?;
    read.map_err(failed)?;
    if let Ok(Failed { error }) = serde_json::from_str(&text) {
        return Err(error);
    }
    if !status.success() {
        return Err(no_last_word(status));
    }
    match written {
        // One that did not read to the end and was content: its plan counts.
        Err(err) if err.kind() == std::io::ErrorKind::BrokenPipe => {}
        other => other.map_err(failed)?,
    }
    Plan::from_json(&text)
}

fn reap(mut child: Child) -> Result<ExitStatus> {
    child.wait().map_err(|err| {
        Error::new(Code::Internal, "The installer's end was missed.").detail(err.to_string())
    })
}

/// For an engine that ended without saying how.
fn no_last_word(status: ExitStatus) -> Error {
    let error = Error::new(Code::Internal, "The installer ended unexpectedly.");
    match status.signal() {
        Some(9) => error
            .why("It was killed, for example because the machine ran out of memory.")
            .next("Start again with a new file system on the target; close other programs first.")
            .detail(status.to_string()),
        _ => error.detail(status.to_string()),
    }
}
