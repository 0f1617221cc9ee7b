// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running the live system's own small tools (lsblk, blkid, fstrim, …).
//!
//! Every call goes through [`Tool`], so that a failure always says which
//! command line failed and what it wrote, no tool can read from the person's
//! terminal, and none outlives a stopped engine. Programs of the *image* run
//! through [`sandbox`] instead.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use contract::error::{Code, Error, Result};
use contract::fault::Stopped;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::cancel::{Cancel, Wake};
use crate::process;

/// How many of a failed command's last stderr lines go into the error.
const STDERR_LINES: usize = 10;
/// Where administrators' tools are when `$PATH` is an ordinary user's.
const SYSTEM_DIRS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/bin"];

/// What a tool wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// Its standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// Its standard error, invalid UTF-8 replaced.
    pub stderr: String,
    /// Its exit status, one of those that are accepted.
    pub status: i32,
}

/// A host tool about to run: stdin is `/dev/null`, the locale is `C.UTF-8`.
#[derive(Debug, Clone)]
pub struct Tool {
    name: OsString,
    args: Vec<OsString>,
    code: Code,
    accepted: Vec<i32>,
    outlives: bool,
}

impl Tool {
    /// A tool by its name in `$PATH` (or a system directory), or by its path.
    pub fn new(name: impl AsRef<OsStr>) -> Self {
        Self {
            name: name.as_ref().into(),
            args: Vec::new(),
            code: Code::Io,
            accepted: vec![0],
            outlives: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// The code of the error when it fails; `IO` unless told.
    #[must_use]
    pub fn failing_as(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Takes this exit status for success as well, for example blkid's 2 for
    /// "nothing found".
    #[must_use]
    pub fn accept(mut self, status: i32) -> Self {
        self.accepted.push(status);
        self
    }

    /// Lets it run to its own end whatever becomes of the engine: for what must
    /// not stop half-way.
    #[must_use]
    pub fn outliving_us(mut self) -> Self {
        self.outlives = true;
        self
    }

    /// The command line as one would type it, for messages.
    pub fn line(&self) -> String {
        command_line(std::iter::once(&self.name).chain(&self.args))
    }

    /// Runs it to its end and gives what it wrote. `TOOL_MISSING` when it is
    /// not there, `CANCELLED` (and the tool killed) when `cancel` fires, else
    /// the code of [`Tool::failing_as`].
    pub fn run(&self, cancel: &Cancel) -> Result<Captured> {
        cancel.check()?;
        let program = find(&self.name).ok_or_else(|| missing(&self.name))?;
        let mut command = if self.outlives {
            Command::new(&program)
        } else {
            bound_to_us(&program)
        };
        // A group of its own: Ctrl-C at a terminal reaches the whole
        // foreground group, and a tool that dies of it looks like one that
        // failed. The engine alone hears the request, and passes it on.
        let child = command
            .process_group(0)
            .args(&self.args)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|err| self.failure(&err.to_string(), ""))?;
        let (status, mut captured) = collect(child, cancel)
            .map_err(|err| self.failure(&err.to_string(), ""))?
            .ok_or_else(|| Error::from(Stopped).detail(format!("during `{}`", self.line())))?;
        if let Some(code) = status.code().filter(|c| self.accepted.contains(c)) {
            captured.status = code;
            return Ok(captured);
        }
        Err(self.failure(&status.to_string(), &captured.stderr))
    }

    fn failure(&self, outcome: &str, stderr: &str) -> Error {
        let line = self.line();
        let mut error = Error::new(
            self.code,
            format!("The command `{}` failed.", self.name.to_string_lossy()),
        )
        .detail(format!("`{line}`: {outcome}"));
        error.details.extend(last_lines(stderr, STDERR_LINES));
        error
    }
}

/// Finds a program in `$PATH` and in the system directories that an ordinary
/// user's `$PATH` often lacks. A name with a slash is only looked at.
pub fn find(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let name = Path::new(name.as_ref());
    if name.components().count() > 1 {
        return is_executable(name).then(|| name.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(SYSTEM_DIRS.map(PathBuf::from))
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|candidate| is_executable(candidate))
}

/// A command line as one would type it in a shell.
pub fn command_line<A: AsRef<OsStr>>(words: impl IntoIterator<Item = A>) -> String {
    words
        .into_iter()
        .map(|word| quote(&word.as_ref().to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The last `count` lines of `text` that are not blank.
pub fn last_lines(text: &str, count: usize) -> Vec<String> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|&line| line.to_owned())
        .collect()
}

/// A command that the kernel kills when this engine dies, however it dies.
/// setpriv(1) of util-linux sets that up; without it the tool merely runs on
/// to its own end.
fn bound_to_us(program: &Path) -> Command {
    match find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Kills the child, which is not reaped yet, and what it started.
fn kill_group(child: &mut Child) -> std::io::Result<()> {
    let group = i32::try_from(child.id()).map_err(std::io::Error::other)?;
    match killpg(Pid::from_raw(group), Signal::SIGKILL) {
        // A child that has a group of its own no longer, or not yet.
        Err(nix::errno::Errno::ESRCH) => child.kill(),
        result => result.map_err(std::io::Error::from),
    }
}

/// Reads both streams until the child has ended; `None` when cancelled, with
/// the child killed and reaped.
fn collect(mut child: Child, cancel: &Cancel) -> std::io::Result<Option<(ExitStatus, Captured)>> {
    let end = process::end_of(&child)?;
    let mut streams = [
        child.stdout.take().map(|s| Stream::new(s.into())),
        child.stderr.take().map(|s| Stream::new(s.into())),
    ];
    let mut ended = false;
    loop {
        let mut open: Vec<&mut Stream> =
            streams.iter_mut().flatten().filter(|s| !s.ended).collect();
        let mut fds: Vec<BorrowedFd<'_>> = open.iter().map(|s| s.file.as_fd()).collect();
        if !ended {
            fds.push(end.as_fd());
        }
        // After the end of the child only what is already in the pipes
        // counts: something it left behind may hold them open for ever.
        let woken = cancel.wait(&fds, ended.then(Instant::now))?;
        match woken {
            Wake::Stopped if !ended => {
                kill_group(&mut child)?;
                child.wait()?;
                return Ok(None);
            }
            Wake::Stopped | Wake::TimedOut => break,
            Wake::Ready(place) => match open.get_mut(place) {
                Some(stream) => stream.read_once()?,
                None => ended = true,
            },
        }
    }
    let status = child.wait()?;
    let [stdout, stderr] = streams.map(|s| s.map(Stream::text).unwrap_or_default());
    let captured = Captured {
        stdout,
        stderr,
        status: 0,
    };
    Ok(Some((status, captured)))
}

/// One captured output stream.
#[derive(Debug)]
struct Stream {
    file: std::fs::File,
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    fn new(fd: std::os::fd::OwnedFd) -> Self {
        Self {
            file: fd.into(),
            bytes: Vec::new(),
            ended: false,
        }
    }

    fn read_once(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; 8192];
        let n = self.file.read(&mut buffer)?;
        self.ended = n == 0;
        self.bytes.extend_from_slice(&buffer[..n]);
        Ok(())
    }

    fn text(self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

fn missing(name: &OsStr) -> Error {
    Error::new(
        Code::ToolMissing,
        format!("The command `{}` is not there.", name.to_string_lossy()),
    )
    .why("The live system lacks a package.")
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sh(script: &str) -> Tool {
        Tool::new("sh").args(["-c", script])
    }

    #[test]
    fn both_streams_are_kept_apart_and_whole() {
        let out = sh("echo out; echo err >&2; head -c 300000 /dev/zero | tr '\\0' x")
            .run(&Cancel::new())
            .unwrap();
        assert_eq!(out.stderr, "err\n");
        assert_eq!(out.stdout.len(), 300_004);
    }

    #[test]
    fn a_failure_names_command_status_and_last_lines() {
        let error = sh("for i in $(seq 30); do echo line $i >&2; done; exit 3")
            .failing_as(Code::FinishFailed)
            .run(&Cancel::new())
            .unwrap_err();
        assert_eq!(error.code, Code::FinishFailed);
        assert!(error.details[0].starts_with("`sh -c 'for i"), "{error:?}");
        assert!(error.details[0].ends_with("exit status: 3"), "{error:?}");
        assert_eq!(error.details.last().unwrap(), "line 30");
        assert_eq!(error.details.len(), 1 + STDERR_LINES);
    }

    #[test]
    fn accepted_statuses_are_no_failure() {
        assert_eq!(
            sh("exit 2").accept(2).run(&Cancel::new()).unwrap().status,
            2
        );
        assert_eq!(
            sh("exit 0").accept(2).run(&Cancel::new()).unwrap().status,
            0
        );
        assert!(sh("exit 3").accept(2).run(&Cancel::new()).is_err());
    }

    #[test]
    fn a_missing_tool_has_its_own_code() {
        let error = Tool::new("no-such-tool-here")
            .run(&Cancel::new())
            .unwrap_err();
        assert_eq!(error.code, Code::ToolMissing);
        assert!(error.what.contains("no-such-tool-here"));
    }

    #[test]
    fn stdin_is_empty() {
        let out = Tool::new("cat").run(&Cancel::new()).unwrap();
        assert_eq!(out, Captured::default());
    }

    #[test]
    fn cancel_kills_the_tool() {
        let cancel = Cancel::new();
        let marker = tempfile::NamedTempFile::new().unwrap();
        let tool = sh("echo $$ > \"$0\"; exec sleep 1000").arg(marker.path());
        let stopper = {
            let (cancel, path) = (cancel.clone(), marker.path().to_owned());
            std::thread::spawn(move || {
                loop {
                    let pid = std::fs::read_to_string(&path).unwrap();
                    if pid.ends_with('\n') {
                        cancel.cancel();
                        return pid.trim().to_owned();
                    }
                    std::thread::yield_now();
                }
            })
        };
        let error = tool.run(&cancel).unwrap_err();
        assert_eq!(error.code, Code::Cancelled);
        let pid = stopper.join().unwrap();
        assert!(!Path::new("/proc").join(pid).exists());
    }

    #[test]
    fn signals_of_the_terminal_do_not_reach_tools() {
        // proc_pid_stat(5): the fifth field is the process group.
        let out = Tool::new("cut")
            .args(["-d", " ", "-f", "5", "/proc/self/stat"])
            .run(&Cancel::new())
            .unwrap();
        let group = out.stdout.trim().parse().unwrap();
        assert_ne!(Pid::from_raw(group), nix::unistd::getpgrp());
    }

    #[test]
    fn something_left_behind_does_not_hold_the_call() {
        let out = sh("sleep 1000 & echo $!").run(&Cancel::new()).unwrap();
        let pid = Pid::from_raw(out.stdout.trim().parse().unwrap());
        nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, quoted) in [
            ("a/b-c_1:2", "a/b-c_1:2"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }
}
