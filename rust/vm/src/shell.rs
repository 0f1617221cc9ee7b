// SPDX-License-Identifier: MIT OR Apache-2.0
//! A root shell in a machine: the agent in there, and its commands.

use std::path::Path;
use std::time::Duration;

use crate::agent::{self, ReplyParser};
use crate::config::Common;
use crate::console;
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::injected;
use crate::machine::{DirectKernel, Machine};
use crate::output::Output;
use crate::process;
use crate::stream::Missed;
use crate::vm::{self, Talk, Vm};

/// How often the console is looked at for a boot that has failed.
const CONSOLE_INTERVAL: Duration = Duration::from_secs(3);
const COMMAND_LIMIT: Duration = Duration::from_secs(600);
const POWER_OFF_LIMIT: Duration = Duration::from_secs(120);

/// What a booting machine came to within some time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Its agent takes commands.
    Shell,
    /// It goes on booting, or does not.
    Booting,
    /// It has ended.
    Ended,
}

/// A machine that boots what is in it, a medium or a disk, as it is; a shell
/// for root comes into it as a credential, for which it needs systemd 256 or
/// newer. Dropping it ends the machine.
#[derive(Debug)]
pub struct Boot(Vm);

impl Boot {
    /// Starts the machine. Its console goes to the end of `console_log`.
    ///
    /// # Errors
    /// When QEMU, the firmware or a file is missing, or QEMU does not start.
    pub fn start(machine: &Machine, console_log: &Path) -> Result<Self> {
        let mut machine = machine.clone();
        machine.credentials.extend(injected::credentials());
        let dir = process::directory()?;
        let vm = Vm::start(dir, &machine, None, Talk::Agent, Some(console_log))?;
        Ok(Self(vm))
    }

    /// Waits for the shell, at most for `limit`. Not to be asked again once it is
    /// there.
    pub fn wait(&self, limit: Duration) -> Step {
        match ready(&self.0, Deadline::after(limit)) {
            Ok(()) => Step::Shell,
            Err(Missed::Closed) => Step::Ended,
            Err(_) => Step::Booting,
        }
    }

    /// What the serial console said so far, as text.
    pub fn console(&self) -> String {
        self.0.console()
    }

    /// What failed, with the last words of console and QEMU.
    pub fn explain(&self, code: Code, what: &str) -> Error {
        self.0.explain(code, what)
    }

    /// Waits until the machine has ended, at most for `limit`.
    ///
    /// # Errors
    /// When it has not, or ended badly.
    pub fn wait_off(&self, limit: Duration) -> Result<()> {
        self.0.wait_off(limit)
    }

    /// The shell, once [`Boot::wait`] has said that it is there.
    pub fn into_shell(self) -> Shell {
        Shell::serving(self.0, COMMAND_LIMIT)
    }
}

/// Waits for the agent.
fn ready(vm: &Vm, deadline: Deadline) -> std::result::Result<(), Missed> {
    vm.stream.wait_for(deadline, None, |bytes| {
        let at = agent::find(bytes, agent::READY)?;
        bytes.drain(..at + agent::READY.len());
        Some(())
    })
}

/// Waits for the agent, and for nothing longer when the console says that it
/// will not come.
fn await_agent(vm: &Vm, limit: Duration) -> std::result::Result<(), Missed> {
    let deadline = Deadline::after(limit);
    loop {
        let left = deadline.remaining().ok_or(Missed::Deadline)?;
        match ready(vm, Deadline::after(left.min(CONSOLE_INTERVAL))) {
            Err(Missed::Deadline) => {}
            ready => return ready,
        }
        if let Some(end) = console::dead_end(&vm.console_tail()) {
            return Err(Missed::DeadEnd(end));
        }
    }
}

/// Root's shell in a running machine. Dropping it ends the virtual machine at
/// once; [`Shell::power_off`] ends it in an orderly way.
#[derive(Debug)]
pub struct Shell {
    vm: Vm,
    command_limit: Duration,
    /// Set while a command has no complete reply: nothing can be asked then.
    busy_with: Option<String>,
}

impl Shell {
    /// Boots a kernel whose system has the agent, and returns when it takes
    /// commands. `prepare` makes the machine; what it needs of files it can put
    /// into the directory that it is given, which goes with the machine.
    ///
    /// # Errors
    /// When there is no shell within the limit of a boot.
    pub fn of_kernel<E: From<Error>>(
        common: &Common,
        prepare: impl Fn(&Path) -> std::result::Result<(Machine, DirectKernel), E>,
    ) -> std::result::Result<Self, E> {
        let limit = common.boot_limit;
        let mut attempt = 1;
        loop {
            let dir = process::directory()?;
            let (machine, kernel) = prepare(dir.path())?;
            let log = common.console_log.as_deref();
            let vm = Vm::start(dir, &machine, Some(kernel), Talk::Agent, log)?;
            match await_agent(&vm, limit) {
                Ok(()) => return Ok(Self::serving(vm, common.command_limit)),
                Err(_) if attempt < vm::ATTEMPTS && vm.panicked_in_interrupt() => {
                    let why = "the kernel panicked in an interrupt, starting once more";
                    eprintln!("vm: {}", vm.explain(Code::DeadEnd, why));
                    attempt += 1;
                }
                Err(missed) => return Err(vm.missed("booting the guest", missed, limit).into()),
            }
        }
    }

    /// Boots what is in `machine`, a medium or a disk, as it is, and returns
    /// when root's shell in it takes commands: the agent comes into it as a
    /// credential of the machine, for which it needs systemd 256 or newer.
    /// `None` when the boot does not get there within `limit`, or the kernel
    /// panics in an interrupt: a starved guest can hang early in its boot.
    ///
    /// # Errors
    /// When the machine does not start, ends, or says that it will not get there.
    pub fn of_machine(
        machine: &Machine,
        limit: Duration,
        console_log: &Path,
    ) -> Result<Option<Self>> {
        let boot = Boot::start(machine, console_log)?;
        match await_agent(&boot.0, limit) {
            Ok(()) => Ok(Some(boot.into_shell())),
            Err(Missed::Deadline) => Ok(None),
            Err(_) if boot.0.panicked_in_interrupt() => Ok(None),
            Err(missed) => Err(boot.0.missed("booting the machine", missed, limit)),
        }
    }

    fn serving(vm: Vm, command_limit: Duration) -> Self {
        Self {
            vm,
            command_limit,
            busy_with: None,
        }
    }

    /// Waits until the machine has switched itself off, or would start again.
    ///
    /// # Errors
    /// When it does not within `limit`.
    pub fn wait_off(&self, limit: Duration) -> Result<()> {
        self.vm.wait_off(limit)
    }

    /// Runs a shell script as root, with stdin closed, in `/root`.
    ///
    /// The error is about the guest, not the script: the script's failure is
    /// in [`Output::status`]. After a missed deadline the guest is still busy
    /// and refuses further commands.
    pub fn run(&mut self, script: &str) -> Result<Output> {
        self.run_within(self.command_limit, script)
    }

    /// Like [`Shell::run`] with another limit.
    pub fn run_within(&mut self, limit: Duration, script: &str) -> Result<Output> {
        let mut stdout = Vec::new();
        let (status, stderr) =
            self.run_streaming(limit, script, |bytes| stdout.extend_from_slice(bytes))?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Runs a script that must succeed and returns its standard output.
    pub fn check(&mut self, script: &str) -> Result<String> {
        self.run(script)?.checked(script)
    }

    /// Like [`Shell::run_within`]; standard output is handed over in pieces
    /// as it comes. Returns the exit status and standard error.
    pub fn run_streaming(
        &mut self,
        limit: Duration,
        script: &str,
        on_stdout: impl FnMut(&[u8]),
    ) -> Result<(i32, Vec<u8>)> {
        let nonce = agent::nonce();
        let request = agent::run_request(&nonce, script);
        self.request(&nonce, &request, script.trim(), limit, on_stdout)
    }

    /// Writes a file; missing directories are made.
    pub fn put(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        if !path.starts_with('/') || path.contains('\n') || path.ends_with([' ', '\t']) {
            let what = format!("{path:?} is no path that a file can be sent to");
            return Err(Error::new(Code::Refused, what));
        }
        let nonce = agent::nonce();
        let request = agent::put_request(&nonce, path, mode, content);
        let what = format!("sending {path}");
        let (status, stderr) = self.request(&nonce, &request, &what, self.command_limit, |_| {})?;
        if status != 0 {
            let why = String::from_utf8_lossy(&stderr);
            let what = format!("{what} failed: {}", why.trim());
            return Err(Error::new(Code::CommandFailed, what));
        }
        Ok(())
    }

    /// Reads a file.
    pub fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let script = format!("cat -- '{}'", path.replace('\'', r"'\''"));
        let output = self.run(&script)?;
        if !output.success() {
            let why = output.stderr_text();
            let what = format!("reading {path} in the guest: {}", why.trim());
            return Err(Error::new(Code::CommandFailed, what));
        }
        Ok(output.stdout)
    }

    /// Powers off as the system does it, and waits for the end.
    ///
    /// # Errors
    /// When the system is still there after two minutes.
    pub fn power_off(self) -> Result<()> {
        self.refuse_if_busy("powering off")?;
        let request = agent::off_request(&agent::nonce());
        self.vm.stream.send(&request)?;
        self.vm.wait_off(POWER_OFF_LIMIT)
    }

    /// What the serial console said so far, as text.
    pub fn console(&self) -> String {
        self.vm.console()
    }

    /// The last lines of the serial console, for messages.
    pub fn console_tail(&self) -> String {
        self.vm.console_tail()
    }

    /// The process id of QEMU.
    pub fn pid(&self) -> i32 {
        self.vm.pid()
    }

    fn refuse_if_busy(&self, what: &str) -> Result<()> {
        match &self.busy_with {
            Some(command) => {
                let what = format!("{what}: the guest is still busy with `{command}`");
                Err(Error::new(Code::Refused, what))
            }
            None => Ok(()),
        }
    }

    fn request(
        &mut self,
        nonce: &str,
        request: &[u8],
        what: &str,
        limit: Duration,
        mut on_stdout: impl FnMut(&[u8]),
    ) -> Result<(i32, Vec<u8>)> {
        self.refuse_if_busy(what)?;
        self.busy_with = Some(what.to_owned());
        self.vm.stream.send(request)?;
        let mut parser = ReplyParser::new(nonce);
        let reply = self
            .vm
            .stream
            .wait_for(Deadline::after(limit), None, |bytes| {
                parser.advance(bytes, &mut on_stdout)
            })
            .map_err(|missed| {
                let state = if parser.begun() { "" } else { " (not begun)" };
                let what = format!("`{what}`{state} in the guest");
                self.vm.missed(&what, missed, limit)
            })?;
        self.busy_with = None;
        Ok((reply.status, reply.stderr))
    }
}
