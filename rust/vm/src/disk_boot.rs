// SPDX-License-Identifier: MIT OR Apache-2.0
//! An installed disk that boots by itself, driven over its serial console.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::agent::{find, nonce};
use crate::config::{Common, Configure};
use crate::console::{self, Prompt};
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::machine::{Disk, Machine};
use crate::output::Output;
use crate::process;
use crate::serial::{self, Finished};
use crate::stream::Missed;
use crate::vm::{ATTEMPTS, Talk, Vm};

/// A distribution under TCG needs up to 150 s on an idle host.
const BOOT_LIMIT: Duration = Duration::from_secs(600);
/// A `quiet` kernel says nothing between the boot loader and the login.
const STALL_LIMIT: Duration = Duration::from_secs(240);
const COMMAND_LIMIT: Duration = Duration::from_secs(300);
const POWER_OFF_LIMIT: Duration = Duration::from_secs(180);
/// getty gives up after a minute, which a slow guest may need for a login.
const LOGIN_ATTEMPTS: u32 = 4;
/// How often disturbed output is asked for again.
const SHOW_ATTEMPTS: u32 = 5;
/// How much of the console's end is searched for a prompt.
const PROMPT_WINDOW: usize = 4096;

/// How to boot a disk.
#[derive(Clone, Debug)]
pub struct DiskConfig {
    common: Common,
    user: String,
    password: Option<SecretString>,
    stall_limit: Duration,
}

impl Configure for DiskConfig {
    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

impl DiskConfig {
    /// Boots `disk` with 1536 MiB of memory, and logs in as root without a
    /// password. [`Disk::snapshot`] leaves the disk as it is, so that it can
    /// be booted once more as new. Firmware, boot loader, boot and login may
    /// take 10 minutes together, a command 5.
    pub fn new(disk: Disk) -> Self {
        let machine = Machine {
            memory_mib: 1536,
            disks: vec![disk],
            ..Machine::default()
        };
        Self {
            common: Common {
                machine,
                console_log: None,
                boot_limit: BOOT_LIMIT,
                command_limit: COMMAND_LIMIT,
            },
            user: "root".to_owned(),
            password: None,
            stall_limit: STALL_LIMIT,
        }
    }

    /// Another user than root without a password.
    #[must_use]
    pub fn login(mut self, user: &str, password: Option<SecretString>) -> Self {
        self.user = user.to_owned();
        self.password = password;
        self
    }

    /// After how long a silence the machine is started once more (4 minutes by
    /// default).
    #[must_use]
    pub fn stall_limit(mut self, limit: Duration) -> Self {
        self.stall_limit = limit;
        self
    }
}

/// A booted disk with somebody logged in. Dropping it ends the virtual machine
/// like a power cut; [`BootedDisk::power_off`] ends it in an orderly way.
#[derive(Debug)]
pub struct BootedDisk {
    vm: Vm,
    dir: String,
    command_limit: Duration,
    /// Set while a command has no complete answer: nothing can be typed then.
    busy_with: Option<String>,
}

impl BootedDisk {
    /// Boots the disk, waits for the login prompt on the first serial port
    /// and logs in.
    pub fn start(config: &DiskConfig) -> Result<Self> {
        let vm = boot(config, |vm, deadline| {
            await_prompt(vm, deadline, Some(config.stall_limit), |prompt| {
                prompt == Prompt::User
            })
        })?;
        let deadline = Deadline::after(config.common.boot_limit);
        log_in(&vm, config, deadline)?;
        let nonce = nonce();
        let dir = format!("/tmp/vm-shell.{nonce}");
        vm.stream.send(serial::enter(&nonce, &dir).as_bytes())?;
        await_bytes(&vm, deadline, &serial::acknowledgement(&nonce, "ready"))
            .map_err(|missed| vm.missed("starting a shell", missed, config.common.boot_limit))?;
        let mut booted = Self {
            vm,
            dir,
            command_limit: config.common.command_limit,
            busy_with: None,
        };
        // Both write to the console, in between of what commands print. Only
        // root may silence them; others have the repeats.
        booted.run("dmesg -n 1; kill -s RTMIN+21 1")?;
        Ok(booted)
    }

    /// Runs a shell script with stdin closed, in the user's home. Nothing of
    /// its output is seen before it ends.
    ///
    /// The error is about the machine, not the script: the script's failure is
    /// in [`Output::status`]. After a missed deadline the shell is still busy
    /// and refuses further commands.
    pub fn run(&mut self, script: &str) -> Result<Output> {
        self.run_within(self.command_limit, script)
    }

    /// Like [`BootedDisk::run`] with another limit.
    pub fn run_within(&mut self, limit: Duration, script: &str) -> Result<Output> {
        let what = script.trim();
        if let Some(command) = &self.busy_with {
            return Err(busy(what, command));
        }
        self.busy_with = Some(what.to_owned());
        let output = self.converse(Deadline::after(limit), script);
        let output = output.map_err(|failure| match failure {
            Failure::Missed(missed) => {
                let what = format!("`{what}` on the booted disk");
                self.vm.missed(&what, missed, limit)
            }
            Failure::Disturbed => {
                let what = format!("the output of `{what}` does not come through");
                self.vm.explain(Code::Refused, &what)
            }
            Failure::Send(error) => error,
        })?;
        self.busy_with = None;
        Ok(output)
    }

    /// Runs a script that must succeed and returns its standard output.
    pub fn check(&mut self, script: &str) -> Result<String> {
        self.run(script)?.checked(script)
    }

    /// Powers off as the system does it and waits for the end. Needs root.
    pub fn power_off(self) -> Result<()> {
        self.end_with("poweroff")
    }

    /// Reboots as the system does it, and waits for the end: the machine does
    /// not start again, so that the caller can say how it goes on.
    pub fn reboot(self) -> Result<()> {
        self.end_with("reboot")
    }

    fn end_with(self, command: &str) -> Result<()> {
        if let Some(busy) = &self.busy_with {
            return Err(self::busy(command, busy));
        }
        let line = format!("rm -rf {}; {command}\n", self.dir);
        self.vm.stream.send(line.as_bytes())?;
        self.vm.wait_off(POWER_OFF_LIMIT)
    }

    /// The last lines of the serial console, for messages.
    pub fn console_tail(&self) -> String {
        self.vm.console_tail()
    }

    /// The process id of QEMU.
    pub fn pid(&self) -> i32 {
        self.vm.pid()
    }

    fn converse(&self, deadline: Deadline, script: &str) -> std::result::Result<Output, Failure> {
        let nonce = nonce();
        for (n, line) in serial::upload(&nonce, &self.dir, script).iter().enumerate() {
            self.send(line)?;
            await_bytes(&self.vm, deadline, &serial::acknowledgement(&nonce, n))?;
        }
        self.send(&serial::execute(&nonce, &self.dir))?;
        let finished = self.await_text(deadline, |text| Finished::parse(text, &nonce))?;
        Ok(Output {
            status: finished.status,
            stdout: self.fetch(deadline, "stdout", finished.stdout)?,
            stderr: self.fetch(deadline, "stderr", finished.stderr)?,
        })
    }

    fn fetch(
        &self,
        deadline: Deadline,
        name: &str,
        size: usize,
    ) -> std::result::Result<Vec<u8>, Failure> {
        if size == 0 {
            return Ok(Vec::new());
        }
        for _ in 0..SHOW_ATTEMPTS {
            let nonce = nonce();
            self.send(&serial::show(&nonce, &format!("{}/{name}", self.dir)))?;
            let content = self.await_text(deadline, |text| serial::shown(text, &nonce, size))?;
            if let Some(content) = content {
                return Ok(content);
            }
        }
        Err(Failure::Disturbed)
    }

    fn send(&self, line: &str) -> std::result::Result<(), Failure> {
        self.vm.stream.send(line.as_bytes()).map_err(Failure::Send)
    }

    fn await_text<T>(
        &self,
        deadline: Deadline,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> std::result::Result<T, Missed> {
        self.vm.stream.wait_for(deadline, None, |bytes| {
            // All answers end so; without it there is no use in looking.
            if !bytes.ends_with(b"@@") && find(bytes, b"@@\n").is_none() {
                return None;
            }
            let found = look(&console::plain(bytes))?;
            bytes.clear();
            Some(found)
        })
    }
}

fn busy(what: &str, command: &str) -> Error {
    let what = format!("{what}: the shell is still busy with `{command}`");
    Error::new(Code::Refused, what)
}

#[derive(Debug)]
enum Failure {
    Missed(Missed),
    Disturbed,
    Send(Error),
}

impl From<Missed> for Failure {
    fn from(missed: Missed) -> Self {
        Self::Missed(missed)
    }
}

/// Boots the disk and waits until its serial console has said `text`: for
/// disks without a login, for example a boot loader that prints a line. The
/// machine is ended then. Returns all that the console said.
pub fn boot_until(config: &DiskConfig, text: &str) -> Result<String> {
    let mut said = String::new();
    boot(config, |vm, deadline| {
        let found = vm
            .stream
            .wait_for(deadline, Some(config.stall_limit), |bytes| {
                let plain = console::plain(bytes);
                if plain.contains(text) {
                    said = plain;
                    return Some(Ok(()));
                }
                console::dead_end(&plain).map(Err)
            })?;
        found.map_err(Missed::DeadEnd)
    })?;
    Ok(said)
}

/// Starts the machine and waits for something, once more when it hangs.
fn boot(
    config: &DiskConfig,
    mut wait: impl FnMut(&Vm, Deadline) -> std::result::Result<(), Missed>,
) -> Result<Vm> {
    let deadline = Deadline::after(config.common.boot_limit);
    let mut attempt = 1;
    loop {
        let log = config.common.console_log.as_deref();
        let vm = Vm::start(
            process::directory()?,
            &config.common.machine,
            None,
            Talk::Console,
            log,
        )?;
        match wait(&vm, deadline) {
            Ok(()) => return Ok(vm),
            Err(Missed::Stalled) if attempt < ATTEMPTS => {
                eprintln!("vm: the console went silent, starting once more");
                attempt += 1;
            }
            Err(_) if attempt < ATTEMPTS && vm.panicked_in_interrupt() => {
                let why = "the kernel panicked in an interrupt, starting once more";
                eprintln!("vm: {}", vm.explain(Code::DeadEnd, why));
                attempt += 1;
            }
            Err(missed) => {
                return Err(vm.missed("booting the disk", missed, config.common.boot_limit));
            }
        }
    }
}

fn log_in(vm: &Vm, config: &DiskConfig, deadline: Deadline) -> Result<()> {
    let mut prompt = Prompt::User;
    let mut names_sent = 0;
    loop {
        match prompt {
            Prompt::Shell => return Ok(()),
            Prompt::User if names_sent == LOGIN_ATTEMPTS => {
                let what = format!("logging in as {} fails again and again", config.user);
                return Err(vm.explain(Code::Refused, &what));
            }
            Prompt::User => {
                names_sent += 1;
                vm.stream.send(format!("{}\n", config.user).as_bytes())?;
            }
            Prompt::Password => match &config.password {
                Some(password) => {
                    let line = format!("{}\n", password.expose_secret());
                    vm.stream.send(line.as_bytes())?;
                }
                None => {
                    let what = format!("{} needs a password, and none was given", config.user);
                    return Err(Error::new(Code::Refused, what));
                }
            },
            Prompt::Refused => {
                let what = format!("login as {} was refused", config.user);
                return Err(vm.explain(Code::Refused, &what));
            }
        }
        await_prompt(vm, deadline, None, |seen| {
            prompt = seen;
            true
        })
        .map_err(|missed| vm.missed("logging in", missed, config.common.boot_limit))?;
    }
}

/// Waits for a prompt that `wanted` accepts and takes all up to it.
fn await_prompt(
    vm: &Vm,
    deadline: Deadline,
    stall: Option<Duration>,
    mut wanted: impl FnMut(Prompt) -> bool,
) -> std::result::Result<(), Missed> {
    let found = vm.stream.wait_for(deadline, stall, |bytes| {
        let window = &bytes[bytes.len().saturating_sub(PROMPT_WINDOW)..];
        let plain = console::plain(window);
        match console::last_prompt(&plain) {
            Some(prompt) if wanted(prompt) => {
                bytes.clear();
                Some(Ok(()))
            }
            _ => console::dead_end(&plain).map(Err),
        }
    })?;
    found.map_err(Missed::DeadEnd)
}

/// Waits for these bytes and takes all up to them.
fn await_bytes(vm: &Vm, deadline: Deadline, expected: &[u8]) -> std::result::Result<(), Missed> {
    vm.stream.wait_for(deadline, None, |bytes| {
        let at = find(bytes, expected)?;
        bytes.drain(..at + expected.len());
        Some(())
    })
}
