// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of the helper processes this one is.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::helper::{self, Examiner};
use crate::{disk_janitor, init, janitor};

/// Runs a hidden subcommand when the arguments of this process name one.
/// `main` calls it before it does anything else: no threads, no signal
/// handlers, no open descriptors of its own. `examine` answers a sandbox that is
/// asked what is in its root.
pub fn dispatch(examine: Examiner) -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let subcommand = args.next()?;
    let is = |name: &str| subcommand == OsStr::new(name);
    if is(helper::SANDBOX_INIT) {
        Some(init::outer())
    } else if is(helper::SANDBOX_PID1) {
        Some(init::pid1(examine))
    } else if is(janitor::SUBCOMMAND) {
        Some(janitor::run(args.next().map(PathBuf::from)))
    } else if is(disk_janitor::SUBCOMMAND) {
        Some(disk_janitor::run(args))
    } else {
        None
    }
}
