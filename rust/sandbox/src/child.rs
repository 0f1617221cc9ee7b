// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine's end of a sandbox: start it, wait for it, end it.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use contract::error::{Code, Error, Result};
use contract::fault::Stopped;
use host::cancel::{Cancel, Wake};
use nix::sys::signal::Signal;
use serde::de::DeserializeOwned;

use super::spec::{Report, Spec};
use crate::helper;

/// Captured output is kept up to this many bytes a stream; more is read and
/// dropped.
const CAPTURE_MAX: usize = 16 * 1024 * 1024;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Exit status, when it exited.
    pub code: Option<i32>,
    /// Signal, when one killed it.
    pub signal: Option<i32>,
}

impl Exit {
    /// Whether it exited with status 0.
    pub fn success(self) -> bool {
        self.code == Some(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit status {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {number}"),
            },
            (None, None) => f.write_str("ended without a status"),
        }
    }
}

/// What a finished program wrote.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard output as text, invalid UTF-8 replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text, invalid UTF-8 replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A running sandbox. Dropping it kills everything in it and waits for the end.
#[derive(Debug)]
pub struct SandboxChild {
    outer: Child,
    control: BufReader<UnixStream>,
    ended: bool,
}

impl SandboxChild {
    pub(super) fn spawn(spec: Spec, stdout: Stdio, stderr: Stdio) -> Result<Self> {
        match Self::start(&spec, stdout, stderr)? {
            (child, Report::Started) => Ok(child),
            (_, other) => Err(unexpected(&other)),
        }
    }

    /// Starts a sandbox that only looks at its root.
    pub(super) fn examine<T: DeserializeOwned>(spec: &Spec) -> Result<T> {
        match Self::start(spec, Stdio::null(), Stdio::null())? {
            (_, Report::Facts(facts)) => serde_json::from_value(facts)
                .map_err(|err| Error::io("reading what was found in", Path::new("/"), &err.into())),
            (_, other) => Err(unexpected(&other)),
        }
    }

    /// Starts a sandbox and gives its first report, which is no failure.
    fn start(spec: &Spec, stdout: Stdio, stderr: Stdio) -> Result<(Self, Report)> {
        let failed = |err: std::io::Error| {
            Error::new(
                Code::Io,
                "The image's programs cannot be started in a sandbox.",
            )
            .detail(err.to_string())
        };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let outer = helper::command(helper::SANDBOX_INIT)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(stdout)
            .stderr(stderr)
            .current_dir("/")
            .spawn()
            .map_err(failed)?;
        let mut child = Self {
            outer,
            control: BufReader::new(ours),
            ended: false,
        };
        let mut line = serde_json::to_vec(spec).map_err(|err| failed(err.into()))?;
        line.push(b'\n');
        child.control.get_mut().write_all(&line).map_err(failed)?;
        match child.report()? {
            Report::Failed(error) => Err(error),
            first => Ok((child, first)),
        }
    }

    /// The pipe from the program's standard output, once, when it is piped.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.outer.stdout.take()
    }

    /// The pipe from the program's standard error, once, when it is piped.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.outer.stderr.take()
    }

    /// Waits for the end of the program and of all that it started. Not to be
    /// called from asynchronous code.
    ///
    /// # Errors
    /// `CANCELLED` when `cancel` fires; everything in the sandbox is dead then.
    pub fn wait(&mut self, cancel: &Cancel) -> Result<Exit> {
        if let Err(error) = self.until_report(cancel) {
            self.kill();
            return Err(error);
        }
        match self.report()? {
            Report::Exited { code, signal } => {
                self.reap();
                Ok(Exit { code, signal })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Kills everything in the sandbox and waits until it is gone.
    pub fn kill(&mut self) {
        if self.ended {
            return;
        }
        // Its end of the socket sees the end of our messages, kills pid 1 and
        // exits when the namespace is empty.
        if let Err(error) = self.control.get_ref().shutdown(Shutdown::Write) {
            tracing::debug!(%error, "the sandbox is gone already");
        }
        self.reap();
    }

    pub(super) fn collect(mut self, cancel: &Cancel) -> Result<Output> {
        let (stdout, stderr) = (self.take_stdout(), self.take_stderr());
        let (exit, stdout, stderr) = std::thread::scope(|scope| {
            let stdout = scope.spawn(move || stdout.map(capture).unwrap_or_default());
            let stderr = scope.spawn(move || stderr.map(capture).unwrap_or_default());
            // The pipes end with the sandbox, also when it is killed.
            let exit = self.wait(cancel);
            (exit, stdout.join(), stderr.join())
        });
        Ok(Output {
            exit: exit?,
            stdout: stdout.unwrap_or_default(),
            stderr: stderr.unwrap_or_default(),
        })
    }

    /// Returns when a report can be read, or with `CANCELLED`.
    fn until_report(&self, cancel: &Cancel) -> Result<()> {
        let failed = |err: std::io::Error| {
            Error::new(Code::Io, "The sandbox cannot be waited for.").detail(err.to_string())
        };
        if !self.control.buffer().is_empty() {
            return Ok(());
        }
        let control = self.control.get_ref().as_fd();
        match cancel.wait(&[control], None).map_err(failed)? {
            Wake::Stopped => Err(Stopped.into()),
            Wake::Ready(_) | Wake::TimedOut => Ok(()),
        }
    }

    fn report(&mut self) -> Result<Report> {
        let mut line = String::new();
        let read = self.control.read_line(&mut line);
        let lost = |why: String| {
            Error::new(Code::Internal, "The sandbox ended without saying why.").detail(why)
        };
        match read {
            Ok(0) => Err(lost("no answer from its helper process".into())),
            Ok(_) => serde_json::from_str(&line).map_err(|err| lost(err.to_string())),
            Err(err) => Err(lost(err.to_string())),
        }
    }

    fn reap(&mut self) {
        self.ended = true;
        if let Err(error) = self.outer.wait() {
            tracing::warn!(%error, "cannot wait for the sandbox");
        }
    }
}

impl Drop for SandboxChild {
    fn drop(&mut self) {
        self.kill();
    }
}

fn unexpected(report: &Report) -> Error {
    Error::new(Code::Internal, "The sandbox gave an unexpected answer.")
        .detail(format!("{report:?}"))
}

/// Reads to the end, keeps at most [`CAPTURE_MAX`].
fn capture(mut from: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut limited = from.by_ref().take(CAPTURE_MAX as u64);
    if let Err(error) = limited.read_to_end(&mut kept) {
        tracing::debug!(%error, "output of the sandbox is cut short");
    }
    if let Err(error) = std::io::copy(&mut from, &mut std::io::sink()) {
        tracing::debug!(%error, "output of the sandbox is cut short");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_it_ended() {
        let exit = |code, signal| Exit { code, signal }.to_string();
        assert_eq!(exit(Some(1), None), "exit status 1");
        assert_eq!(exit(None, Some(9)), "killed by SIGKILL");
        assert_eq!(exit(None, Some(200)), "killed by signal 200");
    }

    #[test]
    fn captures_only_so_much() {
        let much = std::io::repeat(b'x').take(CAPTURE_MAX as u64 + 5);
        assert_eq!(capture(much).len(), CAPTURE_MAX);
    }
}
