// SPDX-License-Identifier: MIT OR Apache-2.0
//! A started machine: its process, its stream and its log.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use buildroot::apt;
use command_fds::{CommandFdExt, FdMapping};
use nix::sys::memfd::{MFdFlags, memfd_create};
use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::accel;
use crate::console;
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::machine::{self, DirectKernel, FIRST_CREDENTIAL, Launch, Machine, Wiring};
use crate::process::{self, Process, QEMU};
use crate::stream::{Missed, Stream};

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
        there(QEMU)?;
        let own_log = dir.path().join("console.log");
        let console_log = console_log.map_or(own_log, Path::to_owned);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&console_log)
            .map_err(Error::io(format_args!(
                "opening the console log {}",
                console_log.display()
            )))?;
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
        let stderr = File::create(&stderr_log).map_err(Error::io("making QEMU's error log"))?;

        let (ours, theirs) =
            UnixStream::pair().map_err(Error::io("making a socket pair for QEMU"))?;
        let output = theirs
            .try_clone()
            .map_err(Error::io("sharing a socket with QEMU"))?;
        let mut command = qemu(machine, &launch)?;
        command
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

    /// What the serial console said so far, as text.
    pub(crate) fn console(&self) -> String {
        // No console yet is an answer too; QEMU's own error is beside it.
        console::plain(&fs::read(&self.console_log).unwrap_or_default())
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
        let late = format!("it took more than {limit} s (busy host? raise the limit)");
        let (code, why) = match missed {
            Missed::Deadline => (Code::Late, late.as_str()),
            Missed::Stalled => (Code::Silent, "the console stayed silent too long (hung?)"),
            Missed::Closed => (Code::Ended, "the virtual machine ended"),
            Missed::DeadEnd(end) => (Code::DeadEnd, end.meaning),
        };
        self.explain(code, &format!("{what}: {why}"))
    }

    /// An error with the console's and QEMU's last words.
    pub(crate) fn explain(&self, code: Code, what: &str) -> Error {
        let stderr = fs::read_to_string(&self.stderr_log).unwrap_or_default();
        let stderr = match stderr.trim() {
            "" => String::new(),
            text => format!("\n--- QEMU said ---\n{text}"),
        };
        Error {
            code,
            what: what.to_owned(),
            said: format!(
                "--- last lines of the serial console ---\n{}{stderr}",
                self.console_tail()
            ),
        }
    }

    /// Waits until the machine has switched itself off.
    pub(crate) fn wait_off(&self, limit: Duration) -> Result<()> {
        match self.process.wait(Deadline::after(limit)) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.explain(Code::Ended, &format!("QEMU ended with {status}"))),
            None => Err(self.missed("powering off", Missed::Deadline, limit)),
        }
    }
}

/// Runs a machine on the terminal of the person who asked, until it is off.
///
/// # Errors
/// When QEMU does not start, or ends badly.
pub fn interactive(dir: &TempDir, machine: &Machine, kernel: Option<DirectKernel>) -> Result<()> {
    there(QEMU)?;
    let launch = launch(machine, kernel, Wiring::Terminal, dir.path())?;
    let status = qemu(machine, &launch)?
        .status()
        .map_err(Error::io("starting QEMU under setpriv"))?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::new(Code::Ended, format!("QEMU ended with {status}"))),
    }
}

/// QEMU as a command, with the credentials among its open files.
fn qemu(machine: &Machine, launch: &Launch) -> Result<Command> {
    let mut files = Vec::new();
    for (credential, child_fd) in machine.credentials.iter().zip(FIRST_CREDENTIAL..) {
        let failed = |err: std::io::Error| Error::io("a credential for the machine")(err);
        let value = STANDARD.encode(credential.value.expose_secret());
        let text = format!("io.systemd.credential.binary:{}={value}", credential.name);
        let file = memfd_create("credential", MFdFlags::MFD_CLOEXEC)
            .map_err(|errno| failed(errno.into()))?;
        let mut file = File::from(file);
        file.write_all(text.as_bytes()).map_err(failed)?;
        files.push(FdMapping {
            parent_fd: file.into(),
            child_fd,
        });
    }
    let mut command = process::bound_command(QEMU);
    command.args(machine.arguments(launch));
    command
        .fd_mappings(files)
        .map_err(|_| Error::new(Code::Io, "two credentials have the same place"))?;
    Ok(command)
}

fn there(tool: &str) -> Result<()> {
    apt::ensure(&[tool]).map_err(|err| Error::new(Code::ToolMissing, format!("{err:#}")))
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
            let what = format!("no disk image {}", image.display());
            return Err(Error::new(Code::ImageMissing, what));
        }
    }
    Ok(Launch {
        kernel,
        wiring,
        kvm: accel::uses_kvm(machine.accel)?,
        uefi: machine::uefi_files(dir, machine.firmware)?,
    })
}
