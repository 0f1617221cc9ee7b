// SPDX-License-Identifier: MIT OR Apache-2.0
//! A process that undoes something when the engine does not: the engine's end,
//! and how such a process begins.
//!
//! Its stdin is a pipe whose other end the engine and all its children hold. It
//! makes something, answers, and waits: at a message, or when the last holder
//! of the pipe is gone, it does the rest. So not even `kill -9` of the engine
//! leaves anything behind.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use contract::error::{Code, Error, Result};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::signal::SigSet;
use nix::unistd::{pipe2, setsid};
use serde::{Deserialize, Serialize};

use crate::helper;

/// The message that asks for the removal of what was made.
pub(crate) const REMOVE: u8 = b'r';
/// The message that what was made is complete and stays.
pub(crate) const KEEP: u8 = b'k';

/// What such a process answers, a line of JSON each.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It is made and guarded.
    Ready,
    /// The same for a file behind a loop device.
    Attached {
        /// The device.
        device: PathBuf,
    },
    /// It is gone.
    Removed,
    /// It is complete and stays.
    Kept,
    /// It could not be made, or not be removed.
    Failed(Error),
}

/// Write ends of the pipes in this process. Children must inherit them, so that
/// a guard begins only after the last of them is gone.
static LIFELINES: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// The descriptors that a child must keep open for the guards.
pub(crate) fn lifelines() -> Vec<RawFd> {
    LIFELINES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// The engine's end.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    replies: BufReader<ChildStdout>,
    pipe: std::fs::File,
}

impl Guard {
    /// Starts the process with this hidden subcommand, which is about `path`;
    /// gives its first answer as well, which is no failure.
    pub(crate) fn start<A: AsRef<OsStr>>(
        subcommand: &str,
        args: &[A],
        path: &Path,
    ) -> Result<(Self, Reply)> {
        let failed =
            |err: std::io::Error| Error::io("starting the process that guards", path, &err);
        let (read, write) = pipe2(OFlag::O_CLOEXEC).map_err(|e| failed(e.into()))?;
        let mut child = helper::command(subcommand)
            .args(args)
            .stdin(Stdio::from(read))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
            .map_err(failed)?;
        let Some(stdout) = child.stdout.take() else {
            return Err(Error::new(Code::Internal, "A pipe was not made."));
        };
        let mut guard = Self {
            child,
            replies: BufReader::new(stdout),
            pipe: lifeline(write)?,
        };
        match guard.reply(path)? {
            Reply::Failed(error) => {
                guard.end();
                Err(error)
            }
            reply => Ok((guard, reply)),
        }
    }

    /// Sends the last message and waits until it is done.
    pub(crate) fn finish(mut self, message: u8, path: &Path) -> Result<()> {
        let asked = self.pipe.write_all(&[message]);
        let reply = self.reply(path);
        self.end();
        asked.map_err(|err| Error::io("removing", path, &err))?;
        match reply? {
            Reply::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    fn reply(&mut self, path: &Path) -> Result<Reply> {
        let mut line = String::new();
        self.replies
            .read_line(&mut line)
            .map_err(|err| Error::io("talking to the guard of", path, &err))?;
        serde_json::from_str(&line).map_err(|err| {
            Error::new(
                Code::Internal,
                format!("The guard of {} ended without an answer.", path.display()),
            )
            .detail(err.to_string())
        })
    }

    /// Closes the pipe and reaps the process.
    fn end(mut self) {
        let fd = self.pipe.as_raw_fd();
        LIFELINES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|&other| other != fd);
        drop(self.pipe);
        if let Err(error) = self.child.wait() {
            tracing::warn!(%error, "cannot wait for the guard");
        }
    }
}

/// Makes `fd` one that children inherit, and remembers it.
fn lifeline(fd: OwnedFd) -> Result<std::fs::File> {
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::empty())).map_err(|err| {
        Error::new(Code::Io, "A pipe cannot be kept open.").detail(err.to_string())
    })?;
    LIFELINES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(fd.as_raw_fd());
    Ok(fd.into())
}

/// The first thing that such a process does: whatever stops the engine (a
/// signal to its group, a closed terminal) must not stop this.
pub(crate) fn begin() {
    if let Err(errno) = SigSet::all().thread_block() {
        tracing::debug!(%errno, "signals are not blocked");
    }
    if let Err(errno) = setsid() {
        tracing::debug!(%errno, "leads a session already");
    }
    // Above all the other guards' pipes and the engine's event pipe.
    for fd in helper::inherited() {
        if let Err(errno) = nix::unistd::close(fd) {
            tracing::debug!(fd, %errno, "was closed already");
        }
    }
}

/// Nobody may be listening any more: that is what the process is for.
pub(crate) fn answer(reply: &Reply) {
    let mut line = serde_json::to_vec(reply).unwrap_or_default();
    line.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = stdout.write_all(&line).and_then(|()| stdout.flush()) {
        tracing::debug!(%error, "nobody listens");
    }
}

/// The message, or `None` at the end of the pipe.
pub(crate) fn wait() -> Option<u8> {
    let mut byte = [0];
    loop {
        match std::io::stdin().read(&mut byte) {
            Ok(0) => return None,
            Ok(_) => return Some(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
