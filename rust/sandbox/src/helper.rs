// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine's own helper processes: this same program, started again with a
//! hidden subcommand. Rust code without `unsafe` cannot run between fork and
//! exec, so what must happen there happens in a fresh process.

use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use contract::error::Result;

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
