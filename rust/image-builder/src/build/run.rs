// SPDX-License-Identifier: MIT OR Apache-2.0
//! A long-running child whose lines are looked at while it runs.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use host::cancel::{Cancel, Wake, readable};

use crate::error::{Code, Error, Result};
use crate::progress::Sink;

/// How long a child that was killed may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Said in the log of what outlives its end.
const LEFT: &str = "was stopped, and something that it started goes on.";
/// How many of the last lines are kept for an error.
const LAST_LINES: usize = 400;

/// How a child ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: ExitStatus,
    /// The last lines that it wrote.
    pub last: VecDeque<String>,
}

impl Outcome {
    /// Whether it succeeded.
    pub fn success(&self) -> bool {
        self.status.success()
    }
}

/// Runs a command in a process group of its own to its end.
///
/// # Errors
/// `INTERRUPTED` when `stop` fires, with the child killed; `TOOL_MISSING` or
/// `IO` when it cannot be started.
pub fn run(command: Command, sink: &mut dyn Sink, stop: &Cancel) -> Result<Outcome> {
    run_within(STOP_LIMIT, command, sink, stop)
}

/// [`run`], with the time in which everything has to end once it is killed.
fn run_within(
    limit: Duration,
    mut command: Command,
    sink: &mut dyn Sink,
    stop: &Cancel,
) -> Result<Outcome> {
    stop.check()?;
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |err: std::io::Error| match err.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(Code::ToolMissing, format!("There is no program `{name}`."))
                .next("`build --diagnose` names the package that has it.")
        }
        _ => Error::new(Code::Io, format!("`{name}` cannot be run.")).detail(err.to_string()),
    };
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).map_err(|e| failed(e.into()))?;
    let mut child = command
        // Ctrl-C is for the builder, which ends its child in its own way.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(failed)?)
        .stderr(writer)
        .spawn()
        .map_err(failed)?;
    // The command holds the other ends of the pipe.
    drop(command);
    let mut output = Output::new(File::from(reader));
    let mut last = VecDeque::new();
    loop {
        match stop.wait(&[output.pipe.as_fd()], None).map_err(failed)? {
            Wake::Stopped => {
                // What is inside of its namespaces dies with it, a moment later:
                // the last of it closes the pipe.
                child.kill().map_err(failed)?;
                if !output.ends_before(Instant::now() + limit).map_err(failed)? {
                    sink.line(&format!("`{name}` {LEFT}"));
                }
                break;
            }
            Wake::Ready(_) | Wake::TimedOut => {
                let Some(lines) = output.lines().map_err(failed)? else {
                    break;
                };
                for line in lines {
                    sink.line(&line);
                    if last.len() == LAST_LINES {
                        last.pop_front();
                    }
                    last.push_back(line);
                }
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    stop.check()?;
    Ok(Outcome { status, last })
}

/// What a child writes. One that writes faster than its lines are looked at
/// waits.
#[derive(Debug)]
struct Output {
    pipe: File,
    /// The beginning of a line.
    begun: Vec<u8>,
}

impl Output {
    fn new(pipe: File) -> Self {
        Self {
            pipe,
            begun: Vec::new(),
        }
    }

    /// Waits for something and gives the lines that are whole by it; at the end
    /// of it all what has no end of line, then `None`.
    fn lines(&mut self) -> std::io::Result<Option<Vec<String>>> {
        let mut chunk = [0; 8192];
        let n = self.pipe.read(&mut chunk)?;
        let text = |line: &[u8]| String::from_utf8_lossy(line).trim_end().to_owned();
        if n == 0 {
            let rest = std::mem::take(&mut self.begun);
            return Ok((!rest.is_empty()).then(|| vec![text(&rest)]));
        }
        self.begun.extend_from_slice(&chunk[..n]);
        let Some(end) = self.begun.iter().rposition(|&byte| byte == b'\n') else {
            return Ok(Some(Vec::new()));
        };
        let rest = self.begun.split_off(end + 1);
        let whole = std::mem::replace(&mut self.begun, rest);
        Ok(Some(
            whole[..end]
                .split(|&byte| byte == b'\n')
                .map(text)
                .collect(),
        ))
    }

    /// Whether nobody can write any more before `end`; what comes is dropped.
    fn ends_before(&mut self, end: Instant) -> std::io::Result<bool> {
        while readable(&[self.pipe.as_fd()], Some(end))?.is_some() {
            if self.lines()?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Lines(Vec<String>);

    impl Sink for Lines {
        fn line(&mut self, line: &str) {
            self.0.push(line.to_owned());
        }
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_arrive_in_order() {
        let mut lines = Lines(Vec::new());
        let script = "echo a; echo b >&2; echo c; exit 3";
        let outcome = run(sh(script), &mut lines, &Cancel::new()).unwrap();
        assert_eq!(outcome.status.code(), Some(3));
        assert_eq!(lines.0, ["a", "b", "c"]);
        assert_eq!(outcome.last, ["a", "b", "c"]);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut lines = Lines(Vec::new());
        let outcome = run(sh("seq 1000"), &mut lines, &Cancel::new()).unwrap();
        assert_eq!(lines.0.len(), 1000);
        assert_eq!(outcome.last.len(), LAST_LINES);
        assert_eq!(outcome.last.back().unwrap(), "1000");
    }

    #[test]
    fn a_stop_kills_the_child() {
        struct StopAt(Cancel);
        impl Sink for StopAt {
            fn line(&mut self, _: &str) {
                self.0.cancel();
            }
        }
        let stop = Cancel::new();
        let error = run(
            sh("echo ready; exec sleep 1000"),
            &mut StopAt(stop.clone()),
            &stop,
        )
        .unwrap_err();
        assert_eq!(error.code, Code::Interrupted);
    }

    #[test]
    fn what_outlives_a_stop_is_told_of() {
        struct StopAt(Cancel, Vec<String>);
        impl Sink for StopAt {
            fn line(&mut self, line: &str) {
                self.0.cancel();
                self.1.push(line.to_owned());
            }
        }
        let stop = Cancel::new();
        let mut sink = StopAt(stop.clone(), Vec::new());
        let script = sh("sleep 1000 & echo $!; exec sleep 1000");
        let limit = Duration::from_millis(50);
        let error = run_within(limit, script, &mut sink, &stop).unwrap_err();
        let left = nix::unistd::Pid::from_raw(sink.1[0].parse().unwrap());
        nix::sys::signal::kill(left, nix::sys::signal::Signal::SIGKILL).unwrap();
        assert_eq!(error.code, Code::Interrupted);
        assert_eq!(sink.1[1..], [format!("`sh` {LEFT}")]);
    }
}
