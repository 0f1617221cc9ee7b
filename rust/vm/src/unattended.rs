// SPDX-License-Identifier: MIT OR Apache-2.0
//! Machines that nobody talks to: they start, and one waits for what they do.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::console;
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::machine::{DirectKernel, Machine};
use crate::process;
use crate::vm::{Talk, Vm};

/// Runs a machine until it starts again or switches itself off.
///
/// # Errors
/// When it does neither within `limit`.
pub fn until_restart(machine: &Machine, limit: Duration) -> Result<()> {
    Vm::start(process::directory()?, machine, None, Talk::Console, None)?.wait_off(limit)
}

/// Runs a machine until it switches itself off, with its serial console's text at the
/// end of `log`. Returns all that the console said.
///
/// # Errors
/// When it does not within `limit`.
pub fn until_off(machine: &Machine, limit: Duration, log: &Path) -> Result<String> {
    let dir = process::directory()?;
    let vm = Vm::start(dir, machine, None, Talk::Console, Some(log))?;
    vm.wait_off(limit)?;
    let bytes = fs::read(log).map_err(Error::io(format_args!("reading {}", log.display())))?;
    Ok(console::plain(&bytes))
}

/// Runs a machine until its serial console has said `text`, and ends it then.
/// `kernel` is loaded in place of what the machine would boot. The console's
/// text goes to the end of `log`. Returns all that the console said.
///
/// # Errors
/// When it does not say so within `limit`, or ends before.
pub fn until_said(
    machine: &Machine,
    kernel: Option<DirectKernel>,
    text: &str,
    limit: Duration,
    log: &Path,
) -> Result<String> {
    let vm = Vm::start(
        process::directory()?,
        machine,
        kernel,
        Talk::Console,
        Some(log),
    )?;
    let said = vm.stream.wait_for(Deadline::after(limit), None, |bytes| {
        Some(console::plain(bytes)).filter(|plain| plain.contains(text))
    });
    said.map_err(|missed| vm.missed(&format!("waiting for `{text}`"), missed, limit))
}
