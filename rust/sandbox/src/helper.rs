// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine's own helper processes: this same program, started again with a
//! hidden subcommand. Rust code without `unsafe` cannot run between fork and
//! exec, so what must happen there happens in a fresh process.

use std::ffi::OsStr;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use contract::error::Result;

use crate::janitor;

/// First argument of the process that makes the namespaces.
pub(crate) const SANDBOX_INIT: &str = "sandbox-init";
/// First argument of the first process in the namespaces.
pub(crate) const SANDBOX_PID1: &str = "sandbox-pid1";

/// Looks a root over for [`Sandbox::examine`](crate::Sandbox::examine): runs in
/// the sandbox, where the root is `/`.
pub type Examiner = fn(&Path) -> Result<serde_json::Value>;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Tells where `bootc-installer` is, for a program that only links this
/// library (tests, the disk-image builder). Without it helpers are started
/// from `/proc/self/exe`, which survives the file being replaced. The first
/// call counts.
pub fn use_program(path: impl Into<PathBuf>) {
    // A second call is not an error: tests of one process all make it.
    PROGRAM.get_or_init(|| path.into());
}

/// The helper with this subcommand, inheriting nothing but the environment.
pub(crate) fn command(subcommand: &str) -> Command {
    let program = PROGRAM
        .get()
        .cloned()
        .unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
    let mut command = Command::new(program);
    command.arg(subcommand);
    command
}

/// Runs a hidden subcommand when the arguments of this process name one.
/// `main` calls it before it does anything else: no threads, no signal
/// handlers, no open descriptors of its own. `examine` answers a sandbox that is
/// asked what is in its root.
pub fn dispatch(examine: Examiner) -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let subcommand = args.next()?;
    let is = |name: &str| subcommand == OsStr::new(name);
    if is(SANDBOX_INIT) {
        Some(crate::outer())
    } else if is(SANDBOX_PID1) {
        Some(crate::pid1(examine))
    } else if is(janitor::SUBCOMMAND) {
        Some(janitor::run(args.next().map(PathBuf::from)))
    } else {
        None
    }
}

/// Descriptors of this process from 3 up, for a helper that has opened none of
/// its own yet.
pub(crate) fn inherited() -> Vec<RawFd> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| {
            // The listing's own descriptor, closed again when it ends.
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            !(target.starts_with("/proc") && target.ends_with("fd"))
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&fd| fd > 2)
        .collect()
}
