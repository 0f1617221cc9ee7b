// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other processes: which one exactly, and whether it is still there.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::Instant;

use contract::error::{Code, Error, Result};
use contract::fault::Stopped;
use nix::unistd::getppid;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use crate::cancel::{Cancel, Wake};

/// Position of the start time in `/proc/PID/stat`, counted from the state,
/// which follows the name (proc_pid_stat(5), fields 3 and 22).
const START_TIME: usize = 19;

/// A process, told apart from a later one that got the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks after the boot.
    pub start_time: u64,
}

impl Process {
    /// The running process with this number; `None` also for one that has
    /// ended and waits to be reaped.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self {
            pid,
            start_time: start_time(&stat)?,
        })
    }

    /// This process.
    pub fn this() -> Result<Self> {
        let pid = i32::try_from(std::process::id()).unwrap_or(i32::MAX);
        Self::of(pid)
            .ok_or_else(|| Error::new(Code::Io, "/proc does not show this program's own process."))
    }

    /// The process that started this one, or the one that took its place.
    pub fn parent() -> Option<Self> {
        Self::of(getppid().as_raw())
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }
}

/// The start time in the text of `/proc/PID/stat`, unless the process has ended.
fn start_time(stat: &str) -> Option<u64> {
    // The name may hold blanks and parentheses.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.clone().next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(START_TIME)?.parse().ok()
}

/// A descriptor that can be read once this child has ended (pidfd_open(2)).
///
/// # Errors
/// The system's, for example when there are too many descriptors.
pub fn end_of(child: &Child) -> io::Result<OwnedFd> {
    Ok(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}

/// Waits until the process with this number has ended; false when it has not
/// before `until`.
///
/// # Errors
/// `CANCELLED` when `cancel` fires meanwhile.
pub fn wait_for_the_end(pid: i32, until: Option<Instant>, cancel: &Cancel) -> Result<bool> {
    let failed = |err: io::Error| {
        Error::new(Code::Io, format!("Process {pid} cannot be waited for.")).detail(err.to_string())
    };
    let number = Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(|| {
        Error::new(
            Code::Usage,
            format!("{pid} is not the number of a process."),
        )
    })?;
    let pidfd = match pidfd_open(number, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(Errno::SRCH) => return Ok(true),
        Err(errno) => return Err(failed(errno.into())),
    };
    match cancel.wait(&[pidfd.as_fd()], until).map_err(failed)? {
        Wake::Ready(_) => Ok(true),
        Wake::TimedOut => Ok(false),
        Wake::Stopped => Err(Stopped.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn start_times() {
        let rest = "1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        for (stat, expected) in [
            (format!("12 (sh) S {rest}"), Some(4711)),
            (format!("12 (a) b (c) R {rest}"), Some(4711)),
            (format!("12 (sh) Z {rest}"), None),
            ("12 (sh) S 1 1".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(start_time(&stat), expected, "{stat}");
        }
    }

    #[test]
    fn a_process_is_alive_until_it_has_ended() {
        assert!(Process::this().unwrap().is_alive());
        assert!(Process::parent().unwrap().is_alive());
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let process = Process::of(pid).unwrap();
        assert!(process.is_alive());
        let other = Process {
            start_time: process.start_time + 1,
            ..process
        };
        assert!(!other.is_alive(), "another one with the same number");
        let cancel = Cancel::new();
        assert!(!wait_for_the_end(pid, Some(Instant::now()), &cancel).unwrap());
        drop(child.stdin.take());
        assert!(wait_for_the_end(pid, None, &cancel).unwrap());
        // Not reaped yet.
        assert!(!process.is_alive());
        child.wait().unwrap();
        assert!(wait_for_the_end(pid, None, &cancel).unwrap());
    }

    #[test]
    fn waiting_can_be_stopped() {
        let cancel = Cancel::new();
        cancel.cancel();
        let own = Process::this().unwrap().pid;
        let error = wait_for_the_end(own, None, &cancel).unwrap_err();
        assert_eq!(error.code, Code::Cancelled);
        assert_eq!(
            wait_for_the_end(0, None, &Cancel::new()).unwrap_err().code,
            Code::Usage
        );
    }
}
