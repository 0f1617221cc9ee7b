// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scratch directory: room on the target disk for what an installation
//! needs only while it runs (the OCI layout, the unpacked image, temporary
//! files of the image's tools).
//!
//! A process of its own, the janitor ([`crate::janitor`]), makes the directory
//! and removes it: when it is told to, or when the engine and all its children
//! are gone without telling. So not even `kill -9` of the engine leaves
//! scratch behind.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use contract::error::{Code, Error, Result};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::unistd::pipe2;

use crate::helper;
use crate::janitor::{self, Reply};

/// Name of the directory, on the target or in the directory that the plan names.
pub const NAME: &str = ".bootc-scratch";

/// Write ends of the janitors' pipes in this process. Children must inherit
/// them, so that a janitor begins only after the last of them is gone; see
/// [`lifelines`].
static LIFELINES: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// The descriptors that a child must keep open for the janitors.
pub(crate) fn lifelines() -> Vec<RawFd> {
    LIFELINES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// The scratch directory of a running installation. Removed by
/// [`Scratch::remove`], on drop, and when this process dies.
#[derive(Debug)]
pub struct Scratch {
    dir: PathBuf,
    janitor: Option<Janitor>,
}

#[derive(Debug)]
struct Janitor {
    child: Child,
    replies: BufReader<ChildStdout>,
    pipe: std::fs::File,
}

impl Scratch {
    /// Makes the directory [`NAME`] in the existing directory `parent`.
    ///
    /// # Errors
    /// `TARGET_INTERRUPTED` when it exists: what an earlier run left is never
    /// used again. `DISK_FULL`, `TARGET_READ_ONLY`, `IO`.
    pub fn create_in(parent: &Path) -> Result<Self> {
        let parent = parent
            .canonicalize()
            .map_err(|err| Error::io("finding the scratch directory", parent, &err))?;
        let dir = parent.join(NAME);
        let janitor = Janitor::start(&dir)?;
        Ok(Self {
            dir,
            janitor: Some(janitor),
        })
    }

    /// The directory itself, absolute and without links.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// OCI layout of the pulled image.
    pub fn oci(&self) -> PathBuf {
        self.dir.join("oci")
    }

    /// The unpacked image.
    pub fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    /// `/var/tmp` of the image's tools.
    pub fn tmp(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    /// `/var/lib/containers` of the image's tools.
    pub fn containers(&self) -> PathBuf {
        self.dir.join("containers")
    }

    /// Where the directory is, relative to `root`, when it lies in it.
    pub fn within(&self, root: &Path) -> Option<PathBuf> {
        let root = root.canonicalize().ok()?;
        self.dir.strip_prefix(root).ok().map(Path::to_owned)
    }

    /// Removes it and says so when something stays. It crosses no file system
    /// border.
    ///
    /// # Errors
    /// `IO` with what could not be removed.
    pub fn remove(mut self) -> Result<()> {
        match self.janitor.take() {
            Some(janitor) => janitor.sweep(&self.dir),
            None => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(janitor) = self.janitor.take()
            && let Err(error) = janitor.sweep(&self.dir)
        {
            tracing::warn!(%error, "scratch stays behind");
        }
    }
}

impl Janitor {
    fn start(dir: &Path) -> Result<Self> {
        let failed = |err: std::io::Error| {
            Error::io(
                "starting the process that removes the scratch directory",
                dir,
                &err,
            )
        };
        let (read, write) = pipe2(OFlag::O_CLOEXEC).map_err(|e| failed(e.into()))?;
        let mut child = helper::command(janitor::SUBCOMMAND)
            .arg(dir)
            .stdin(Stdio::from(read))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
            .map_err(failed)?;
        let Some(stdout) = child.stdout.take() else {
            return Err(Error::new(Code::Internal, "A pipe was not made."));
        };
        let mut janitor = Self {
            child,
            replies: BufReader::new(stdout),
            pipe: lifeline(write)?,
        };
        match janitor.reply(dir)? {
            Reply::Ready => Ok(janitor),
            Reply::Failed(error) => {
                janitor.end();
                Err(error)
            }
            Reply::Removed => Err(Error::new(Code::Internal, "The janitor was too early.")),
        }
    }

    /// Asks for the removal and waits for it.
    fn sweep(mut self, dir: &Path) -> Result<()> {
        let asked = self.pipe.write_all(&[janitor::REMOVE]);
        let reply = self.reply(dir);
        self.end();
        asked.map_err(|err| Error::io("removing", dir, &err))?;
        match reply? {
            Reply::Removed | Reply::Ready => Ok(()),
            Reply::Failed(error) => Err(error),
        }
    }

    fn reply(&mut self, dir: &Path) -> Result<Reply> {
        let mut line = String::new();
        self.replies
            .read_line(&mut line)
            .map_err(|err| Error::io("talking to the janitor of", dir, &err))?;
        serde_json::from_str(&line).map_err(|err| {
            Error::new(
                Code::Internal,
                format!(
                    "The janitor of the scratch directory {} ended without an answer.",
                    dir.display()
                ),
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
            tracing::warn!(%error, "cannot wait for the janitor");
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
