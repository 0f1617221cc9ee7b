// SPDX-License-Identifier: MIT OR Apache-2.0
//! A child process that ends with us, whatever happens.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};

pub(crate) const QEMU: &str = "qemu-system-x86_64";

/// A directory for a machine's files.
///
/// # Errors
/// When it cannot be made.
pub fn directory() -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("vm-")
        .tempdir()
        .map_err(Error::io("making a directory for the virtual machine"))
}

/// A running or ended child. Dropping it kills and reaps the child.
///
/// The child is started under `setpriv --pdeathsig`, which ends it when the
/// *thread* that started it ends; so a thread is kept for it that does nothing
/// but wait. Hence the child outlives a test's thread when its handle does,
/// and never outlives this process.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    shared: Arc<Shared>,
    waiter: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    ended: Mutex<Option<ExitStatus>>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `program` as a command that dies with the thread that spawns it.
pub(crate) fn bound_command(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    command
}

impl Process {
    /// Starts a command made by [`bound_command`].
    pub(crate) fn spawn(mut command: Command) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = mpsc::channel();
        let theirs = Arc::clone(&shared);
        let waiter = std::thread::Builder::new()
            .name("child-waiter".to_owned())
            .spawn(move || {
                let mut child = match command.spawn() {
                    Ok(child) => child,
                    Err(error) => {
                        // The receiver waits for exactly this message.
                        drop(sender.send(Err(error)));
                        return;
                    }
                };
                // Our ends of the child's pipes live in the command: while it
                // exists nobody sees the child close its ends.
                drop(command);
                let pid = Pid::from_raw(i32::try_from(child.id()).expect("pids are positive i32"));
                drop(sender.send(Ok(pid)));
                // Wait without reaping, then reap under the lock: a pid that
                // kill() sees as running is never one that was given away.
                while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)
                    == Err(Errno::EINTR)
                {}
                let mut ended = theirs.lock();
                // Only a bug makes wait() fail here; the child is gone anyhow.
                *ended = Some(child.wait().unwrap_or(ExitStatus::from_raw(255 << 8)));
                theirs.changed.notify_all();
            })
            .map_err(Error::io("starting the thread that waits for a child"))?;
        let pid = receiver
            .recv()
            .map_err(|_| Error::new(Code::Io, "the thread that starts a child died"))?
            .map_err(|err| {
                let what = format!("starting setpriv (package util-linux): {err}");
                Error::new(Code::ToolMissing, what)
            })?;
        Ok(Self {
            pid,
            shared,
            waiter: Some(waiter),
        })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Waits for the end: `None` when the deadline came first.
    pub(crate) fn wait(&self, deadline: Deadline) -> Option<ExitStatus> {
        let mut ended = self.shared.lock();
        loop {
            if let Some(status) = *ended {
                return Some(status);
            }
            let left = deadline.remaining()?;
            ended = self
                .shared
                .changed
                .wait_timeout(ended, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Kills the child if it still runs and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        {
            let ended = self.shared.lock();
            if ended.is_none() {
                // It is not reaped while the lock is held, so this reaches it.
                if let Err(errno) = kill(self.pid, Signal::SIGKILL) {
                    eprintln!("killing process {}: {errno}", self.pid);
                }
            }
        }
        if let Some(waiter) = self.waiter.take() {
            // A panic in the waiter has been printed already.
            drop(waiter.join());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_exit_status_arrives() {
        let mut command = bound_command("sh");
        command.args(["-c", "exit 7"]);
        let process = Process::spawn(command).unwrap();
        let status = process.wait(Deadline::after(Duration::from_secs(60)));
        assert_eq!(status.unwrap().code(), Some(7));
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let mut command = bound_command("sleep");
        command.arg("infinity");
        let process = Process::spawn(command).unwrap();
        let pid = process.pid;
        assert!(process.wait(Deadline::after(Duration::ZERO)).is_none());
        drop(process);
        assert_eq!(kill(pid, None), Err(Errno::ESRCH));
    }

    #[test]
    fn it_outlives_the_thread_that_asked_for_it() {
        let process = std::thread::spawn(|| {
            let mut command = bound_command("sleep");
            command.arg("infinity");
            Process::spawn(command).unwrap()
        })
        .join()
        .unwrap();
        // A wrong death signal would end it at once; give it the time to.
        let waited = process.wait(Deadline::after(Duration::from_millis(300)));
        assert!(waited.is_none(), "{waited:?}");
    }
}
