// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a program inside another root, in mount and pid namespaces of its own.
//!
//! Nothing that is mounted here is ever visible outside, and nothing that runs
//! here outlives the engine:
//!
//! ```text
//! engine ──spawns── outer (hidden subcommand `sandbox-init`)
//!                     │  new mount and pid namespace, everything private
//!                     │  waits; kills the sandbox when the engine is gone
//!                     └─spawns── pid 1 (hidden subcommand `sandbox-pid1`)
//!                                  mounts, pivot_root, exec of the program
//! ```
//!
//! The engine has no `unsafe` code, so it cannot work between fork and exec;
//! it starts itself anew instead. What to do goes over a socket pair, so that
//! neither paths nor secrets are in argv, in the environment or in a file, and
//! an error before the exec comes back as an [`Error`](contract::error::Error)
//! with its code. The kernel ends the whole pid namespace with its pid 1.

mod child;
mod dispatch;
pub mod helper;
mod init;
mod janitor;
pub mod scratch;
mod spec;
mod table;
mod writable;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use contract::error::Result;
use host::cancel::Cancel;
use serde::de::DeserializeOwned;

use crate::scratch::Scratch;

pub use child::{Exit, Output, SandboxChild};
pub use dispatch::dispatch;
pub use spec::RootKind;
use spec::{Mount, Spec};

/// Where the target's root file system is inside of a sandbox for bootc.
pub const TARGET: &str = "/run/target";
/// Where the source's OCI layout is inside of a sandbox for bootc.
pub const LAYOUT: &str = "/run/oci";
/// Configuration of the containers' tools. bootc (1.16.9, `install/osbuild.rs`)
/// puts an overlay over it when it cannot write there, and that would show the
/// root's own files where others are mounted on them.
const CONTAINERS_CONFIG: &str = "/etc/containers";

/// A root and what is mounted into it, ready to run programs.
///
/// Every root gets `/proc` (of the new pid namespace), the live system's
/// `/sys` and `/dev`; all else is asked for. Sources of bind mounts are paths
/// of the live system and are opened before the root changes; destinations are
/// paths inside the new root, and links in it cannot lead out. Mounts happen in
/// the order of the calls; missing mount points are created where the root (or
/// an earlier tmpfs) can be written.
///
/// `Debug` does not show the contents of files, which may be secrets.
#[derive(Debug, Clone)]
pub struct Sandbox {
    spec: Spec,
}

impl Sandbox {
    /// A sandbox in the directory `root`, writable.
    pub fn new(root: &Path) -> Self {
        Self::of(RootKind::Directory(root.to_owned()))
    }

    /// A sandbox in a directory or in a squashfs or erofs file. The file is
    /// mounted (read-only) inside the sandbox's own namespace, so its loop
    /// device goes away with it.
    pub fn of(root: RootKind) -> Self {
        Self {
            spec: Spec::new(root),
        }
    }

    /// What bootc needs (and `grub-install` from the image as well): the root
    /// read-only; tmpfs on `/run`, `/tmp` and `/var`; a copy of `/etc/containers`
    /// that can be written to; `/run/udev`; `/var/tmp`
    /// and `/var/lib/containers` in scratch, so that nothing big is in RAM; the
    /// target at [`TARGET`] with its own mounts, and the scratch bound on itself
    /// in it when it lies there, so that bootc's test for an empty root sees a
    /// mount point; `layout` at [`LAYOUT`].
    pub fn for_bootc(root: RootKind, scratch: &Scratch, target: &Path, layout: &Path) -> Self {
        let mut sandbox = Self::of(root)
            .read_only()
            .tmpfs("/run")
            .tmpfs("/tmp")
            .tmpfs("/var")
            .writable(CONTAINERS_CONFIG)
            .udev()
            .bind(scratch.tmp(), "/var/tmp")
            .bind(scratch.containers(), "/var/lib/containers")
            .rbind(target, TARGET)
            .bind_read_only(layout, LAYOUT);
        if let Some(inside) = scratch.within(target) {
            sandbox = sandbox.bind(scratch.dir(), Path::new(TARGET).join(inside));
        }
        sandbox
    }

    /// udev's database for lsblk and ostree. bootc binds the directory again, so
    /// it must exist also where the live system has no udev.
    fn udev(self) -> Self {
        let place = Path::new("/run/udev");
        if place.is_dir() {
            self.bind(place, place)
        } else {
            self.tmpfs(place)
        }
    }

    /// Makes the root itself read-only; mounts in it are not affected.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.spec.read_only = true;
        self
    }

    /// Binds one file system, directory or file.
    #[must_use]
    pub fn bind(self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Self {
        self.mount(Mount::bind(from.as_ref(), to.as_ref()))
    }

    /// Binds read-only.
    #[must_use]
    pub fn bind_read_only(self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Self {
        self.mount(Mount::bind_read_only(from.as_ref(), to.as_ref()))
    }

    /// Binds a directory together with everything mounted below it.
    #[must_use]
    pub fn rbind(self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Self {
        self.mount(Mount::rbind(from.as_ref(), to.as_ref()))
    }

    /// A directory of the root as a copy in memory, which can be written to. One
    /// that is not there stays away.
    #[must_use]
    pub fn writable(self, to: impl AsRef<Path>) -> Self {
        self.mount(Mount::Writable {
            to: to.as_ref().to_owned(),
        })
    }

    /// An empty tmpfs (mode 0755, or 1777 for a directory called `tmp`).
    #[must_use]
    pub fn tmpfs(self, to: impl AsRef<Path>) -> Self {
        self.mount(Mount::Tmpfs {
            to: to.as_ref().to_owned(),
        })
    }

    /// A file with these bytes, visible in the sandbox only: written to memory,
    /// never to the root's file system, even when the root is writable. Its
    /// directory is created when it lies on a tmpfs; elsewhere the file must
    /// exist and is covered.
    #[must_use]
    pub fn file(self, to: impl AsRef<Path>, bytes: impl Into<Vec<u8>>, mode: u32) -> Self {
        self.mount(Mount::File {
            to: to.as_ref().to_owned(),
            bytes: spec::Bytes(bytes.into()),
            mode,
        })
    }

    /// The live system's `/etc/resolv.conf`, for a program that must reach a
    /// network by name. Does nothing when the root has no such file.
    #[must_use]
    pub fn with_dns(self) -> Self {
        self.mount(Mount::ResolvConf)
    }

    /// Sets an environment variable. The environment starts with `PATH`,
    /// `HOME=/root`, `TMPDIR=/var/tmp` and `LC_ALL=C.UTF-8` and nothing else.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.spec.set_env(name.into(), value.into());
        self
    }

    fn mount(mut self, mount: Mount) -> Self {
        self.spec.mounts.push(mount);
        self
    }

    /// Starts `argv` (found in the sandbox's `PATH`) with stdin from
    /// `/dev/null` and returns once it was executed. `stdout` and `stderr` may
    /// be anything that [`Stdio`] takes, for example an `OwnedFd` of a terminal.
    ///
    /// # Errors
    /// `NOT_ROOT`, `TOOL_MISSING` when `argv[0]` is not there, `IO` with the
    /// failed mount or call.
    pub fn spawn<A: AsRef<OsStr>>(
        &self,
        argv: &[A],
        stdout: Stdio,
        stderr: Stdio,
    ) -> Result<SandboxChild> {
        let argv = argv.iter().map(|a| a.as_ref().to_owned()).collect();
        SandboxChild::spawn(self.spec.exec(argv)?, stdout, stderr)
    }

    /// Runs `argv` to its end and gives what it wrote and how it ended; a
    /// status other than 0 is not an error here.
    ///
    /// # Errors
    /// As [`Self::spawn`], and `CANCELLED` when `cancel` fires (the program is
    /// dead by then).
    pub fn run<A: AsRef<OsStr>>(&self, argv: &[A], cancel: &Cancel) -> Result<Output> {
        cancel.check()?;
        self.spawn(argv, Stdio::piped(), Stdio::piped())?
            .collect(cancel)
    }

    /// What the program's [`helper::Examiner`] finds in the root, looked up from
    /// inside, for roots that are mounted only there.
    pub fn examine<T: DeserializeOwned>(&self, cancel: &Cancel) -> Result<T> {
        cancel.check()?;
        SandboxChild::examine(&self.spec.examine())
    }
}

/// Path of the root directory, when it is one.
impl RootKind {
    /// The directory, unless the root is a file.
    pub fn directory(&self) -> Option<&PathBuf> {
        match self {
            Self::Directory(path) => Some(path),
            Self::Image(_) => None,
        }
    }
}
