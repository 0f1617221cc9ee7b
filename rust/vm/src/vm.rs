// SPDX-License-Identifier: MIT OR Apache-2.0
//! A started machine: its process, its stream and its log.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use buildroot::apt;
use tempfile::TempDir;

use crate::console;
use crate::deadline::Deadline;
use crate::machine::{self, DirectKernel, Firmware, Launch, Machine, Wiring};
use crate::process::{self, Process};
use crate::stream::{Missed, Stream};

const QEMU: &str = "qemu-system-x86_64";

/// A starved guest can hang in the timer test early in its boot, and its
/// kernel was seen to panic in an interrupt; once more is the cure, more than once more
/// would hide a real fault.
pub(crate) const ATTEMPTS: u32 = 2;

/// How much of the console an error carries.
const TAIL_LINES: usize = 30;

/// A running machine. Dropping it ends QEMU and removes its files; the fields
/// go in this order.
#[derive(Debug)]
pub(crate) struct Vm {
    process: Process,
    pub(crate) stream: Stream,
    console_log: PathBuf,
    stderr_log: PathBuf,
    _dir: TempDir,
}

/// With what in the machine one talks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Talk {
    /// The agent; the console only goes to its log.
    Agent,
    /// The serial console.
    Console,
}

/// A directory for a machine's files.
///
/// # Errors
/// When it cannot be made.
pub fn directory() -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("test-guest-")
        .tempdir()
        .context("making a directory for the virtual machine")
}

impl Vm {
    /// Starts QEMU with files in `dir`. `talk` says what is on the stream.
    /// The console's text goes to the end of `console_log`, or of a file that
    /// goes away with the machine.
    pub(crate) fn start(
        dir: TempDir,
        machine: &Machine,
        kernel: Option<DirectKernel>,
        talk: Talk,
        console_log: Option<&Path>,
    ) -> Result<Self> {
        apt::ensure(&[QEMU])?;
        let own_log = dir.path().join("console.log");
        let console_log = console_log.map_or(own_log, Path::to_owned);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&console_log)
            .with_context(|| format!("opening the console log {}", console_log.display()))?;
        let (wiring, log) = match talk {
            Talk::Agent => (
                Wiring::AgentOnStdio {
                    console_log: console_log.clone(),
                },
                None,
            ),
            Talk::Console => (Wiring::ConsoleOnStdio, Some(log)),
        };
        let launch = launch(machine, kernel, wiring, dir.path())?;
        let stderr_log = dir.path().join("qemu-stderr");
        let stderr = File::create(&stderr_log).context("making QEMU's error log")?;

        let (ours, theirs) = UnixStream::pair().context("making a socket pair for QEMU")?;
        let output = theirs.try_clone().context("sharing a socket with QEMU")?;
        let mut command = process::bound_command(QEMU);
        command
            .args(machine.arguments(&launch))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(output)))
            .stderr(stderr);
        let process = Process::spawn(command)?;
        Ok(Self {
            process,
            stream: Stream::new(ours, log)?,
            console_log,
            stderr_log,
            _dir: dir,
        })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// The last lines of the serial console.
    pub(crate) fn console_tail(&self) -> String {
        // No console yet is an answer too; QEMU's own error is beside it.
        console::tail(&fs::read(&self.console_log).unwrap_or_default(), TAIL_LINES)
    }

    /// Whether a boot failed in a way that gets one more attempt; see [`console::interrupt_panic`].
    pub(crate) fn panicked_in_interrupt(&self) -> bool {
        console::interrupt_panic(&self.console_tail())
    }

    /// An error that says what was waited for, why it did not come, and what
    /// the machine said last.
    pub(crate) fn missed(&self, what: &str, missed: Missed, limit: Duration) -> Error {
        let limit = limit.as_secs();
        let why = match missed {
            Missed::Deadline => format!("it took more than {limit} s (busy host? raise the limit)"),
            Missed::Stalled => "the console stayed silent too long (hung?)".to_owned(),
            Missed::Closed => "the virtual machine ended".to_owned(),
            Missed::DeadEnd(why) => why.to_owned(),
        };
        self.explain(&format!("{what}: {why}"))
    }

    /// An error with the console's and QEMU's last words.
    pub(crate) fn explain(&self, what: &str) -> Error {
        let stderr = fs::read_to_string(&self.stderr_log).unwrap_or_default();
        let stderr = match stderr.trim() {
            "" => String::new(),
            text => format!("\n--- QEMU said ---\n{text}"),
        };
        anyhow!(
            "{what}\n--- last lines of the serial console ---\n{}{stderr}",
            self.console_tail()
        )
    }

    /// Waits until the machine has switched itself off.
    pub(crate) fn wait_off(&self, limit: Duration) -> Result<()> {
        match self.process.wait(Deadline::after(limit)) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.explain(&format!("QEMU ended with {status}"))),
            None => Err(self.missed("powering off", Missed::Deadline, limit)),
        }
    }
}

/// Runs a machine on the terminal of the person who asked, until it is off.
///
/// # Errors
/// When QEMU does not start, or ends badly.
pub fn interactive(dir: &TempDir, machine: &Machine, kernel: Option<DirectKernel>) -> Result<()> {
    apt::ensure(&[QEMU])?;
    let launch = launch(machine, kernel, Wiring::Terminal, dir.path())?;
    let mut command = process::bound_command(QEMU);
    command.args(machine.arguments(&launch));
    let status = command.status().context("starting QEMU under setpriv")?;
    if !status.success() {
        bail!("QEMU ended with {status}");
    }
    Ok(())
}

fn launch(
    machine: &Machine,
    kernel: Option<DirectKernel>,
    wiring: Wiring,
    dir: &Path,
) -> Result<Launch> {
    let disks = machine.disks.iter().map(|disk| &disk.path);
    for image in disks.chain(&machine.medium) {
        if !image.exists() {
            bail!("no disk image {}", image.display());
        }
    }
    Ok(Launch {
        kernel,
        wiring,
        kvm: machine.accel.uses_kvm(),
        uefi: match machine.firmware {
            Firmware::Bios => None,
            Firmware::Uefi => Some(machine::uefi_files(dir, machine.secure_boot)?),
        },
    })
}
