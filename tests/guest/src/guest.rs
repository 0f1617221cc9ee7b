// SPDX-License-Identifier: MIT OR Apache-2.0
//! The live guest: our own root, and the agent that runs commands in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use testkit::apt;
use testkit::cmd::CommandExt;

use crate::agent::{self, ReplyParser};
use crate::config::Config;
use crate::console;
use crate::deadline::Deadline;
use crate::image::LiveImage;
use crate::injected;
use crate::machine::{DirectKernel, Disk, Machine};
use crate::output::Output;
use crate::stream::Missed;
use crate::vm::{self, Talk, Vm};

/// Under TCG on a host with other work a boot takes minutes.
const BOOT_LIMIT: Duration = Duration::from_secs(420);
/// How often the console is looked at for a boot that has failed.
const CONSOLE_INTERVAL: Duration = Duration::from_secs(3);
const COMMAND_LIMIT: Duration = Duration::from_secs(600);
const POWER_OFF_LIMIT: Duration = Duration::from_secs(120);

/// Speed over safety: nothing secret lives in the guest, and under TCG both
/// mitigations and the timer's self-test cost (the latter can even hang).
const KERNEL_COMMAND_LINE: &str = "console=ttyS0 panic=-1 loglevel=5 no_timer_check \
    mitigations=off nokaslr random.trust_cpu=on audit=0 apparmor=0 net.ifnames=0";

/// How to start a [`Guest`].
pub type GuestConfig = Config<Live>;

/// What only the live guest has.
#[derive(Clone, Debug, Default)]
pub struct Live {
    shares: Vec<PathBuf>,
    kernel_args: String,
}

impl Default for GuestConfig {
    fn default() -> Self {
        let limits = (BOOT_LIMIT, COMMAND_LIMIT);
        Self::of(Machine::default(), limits, Live::default())
    }
}

impl GuestConfig {
    /// 1 GiB of memory, 2 processors, BIOS, network, no disk. Half of the memory
    /// is what the root's overlay can hold; the host's 127.0.0.1 is 10.0.2.2. A
    /// boot may take 7 minutes, a command 10.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file or directory of the host, read-only at `/host/<its name>` as it
    /// is at the start. `/host` is in the guest's `PATH`, so a shared program
    /// is called by its name.
    #[must_use]
    pub fn share(mut self, path: impl Into<PathBuf>) -> Self {
        self.special.shares.push(path.into());
        self
    }

    /// More words for the kernel's command line.
    #[must_use]
    pub fn kernel_args(mut self, words: &str) -> Self {
        self.special.kernel_args.push(' ');
        self.special.kernel_args.push_str(words);
        self
    }

    /// The machine with the live root and the shares as its last disks.
    fn machine_in(&self, dir: &Path, image: &LiveImage) -> Result<Machine> {
        let mut machine = self.machine.clone();
        let root = Disk::new(&image.root).read_only().serial("live-root");
        machine.disks.push(root);
        if !self.special.shares.is_empty() {
            let file = dir.join("host-share.squashfs");
            pack_shares(&self.special.shares, &file)?;
            let share = Disk::new(file).read_only().serial("host-share");
            machine.disks.push(share);
        }
        Ok(machine)
    }

    fn kernel(&self, image: &LiveImage) -> DirectKernel {
        DirectKernel {
            kernel: image.kernel.clone(),
            initramfs: image.initramfs.clone(),
            command_line: format!("{KERNEL_COMMAND_LINE}{}", self.special.kernel_args),
        }
    }
}

/// Packs the shared paths into one squashfs, each under its own name. Not
/// compressed: it is read once, by a slow processor.
fn pack_shares(paths: &[PathBuf], file: &Path) -> Result<()> {
    apt::ensure(&["mksquashfs"])?;
    let mut names = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .with_context(|| format!("{} has no name to be shared under", path.display()))?;
        if names.contains(&name) {
            bail!("two shared paths have the name {}", name.to_string_lossy());
        }
        if !path.exists() {
            bail!(
                "{}, to be shared with the guest, is not there",
                path.display()
            );
        }
        names.push(name);
    }
    let mut command = Command::new("mksquashfs");
    command.args(paths).arg(file);
    command.args(["-noappend", "-no-progress", "-quiet", "-all-root"]);
    command.args([
        "-noI",
        "-noD",
        "-noF",
        "-noX",
        "-keep-as-directory",
        "-root-mode",
        "755",
    ]);
    command.run().context("packing the files for the guest")
}

/// Waits for the agent, and for nothing longer when the console says that it
/// will not come.
fn await_agent(vm: &Vm, limit: Duration) -> Result<(), Missed> {
    let deadline = Deadline::after(limit);
    loop {
        let left = deadline.remaining().ok_or(Missed::Deadline)?;
        let next = Deadline::after(left.min(CONSOLE_INTERVAL));
        let ready = vm.stream.wait_for(next, None, |bytes| {
            let at = agent::find(bytes, agent::READY)?;
            bytes.drain(..at + agent::READY.len());
            Some(())
        });
        match ready {
            Err(Missed::Deadline) => {}
            ready => return ready,
        }
        if let Some(why) = console::dead_end(&vm.console_tail()) {
            return Err(Missed::DeadEnd(why));
        }
    }
}

/// A running live guest. Dropping it ends the virtual machine at once;
/// [`Guest::power_off`] ends it in an orderly way.
#[derive(Debug)]
pub struct Guest {
    vm: Vm,
    command_limit: Duration,
    /// Set while a command has no complete reply: nothing can be asked then.
    busy_with: Option<String>,
}

impl Guest {
    /// Boots the live root (made first when the cache lacks it) and returns
    /// when it takes commands.
    pub fn start(config: &GuestConfig) -> Result<Self> {
        let image = LiveImage::build()?;
        let limit = config.boot_limit;
        let mut attempt = 1;
        loop {
            let dir = vm::directory()?;
            let machine = config.machine_in(dir.path(), &image)?;
            let kernel = Some(config.kernel(&image));
            let log = config.console_log.as_deref();
            let vm = Vm::start(dir, &machine, kernel, Talk::Agent, log)?;
            match await_agent(&vm, limit) {
                Ok(()) => return Ok(Self::serving(vm, config.command_limit)),
                Err(_) if attempt < vm::ATTEMPTS && vm.panicked_in_interrupt() => {
                    let why = "the kernel panicked in an interrupt, starting once more";
                    eprintln!("test-guest: {}", vm.explain(why));
                    attempt += 1;
                }
                Err(missed) => return Err(vm.missed("booting the test guest", missed, limit)),
            }
        }
    }

    /// Boots what is in `machine`, a medium or a disk, as it is, and returns
    /// when root's shell in it takes commands: the agent comes into it as a
    /// credential of the machine, for which it needs systemd 256 or newer.
    /// `None` when the boot does not get there within `limit`, or the kernel
    /// panics in an interrupt: a starved guest can hang early in its boot.
    ///
    /// Here [`Guest::power_off`] does not work.
    pub fn of_machine(
        machine: &Machine,
        limit: Duration,
        console_log: &Path,
    ) -> Result<Option<Self>> {
        let mut machine = machine.clone();
        machine.credentials.extend(injected::credentials());
        let vm = Vm::start(
            vm::directory()?,
            &machine,
            None,
            Talk::Agent,
            Some(console_log),
        )?;
        match await_agent(&vm, limit) {
            Ok(()) => Ok(Some(Self::serving(vm, COMMAND_LIMIT))),
            Err(Missed::Deadline) => Ok(None),
            Err(_) if vm.panicked_in_interrupt() => Ok(None),
            Err(missed) => Err(vm.missed("booting the machine", missed, limit)),
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
    pub fn wait_off(self, limit: Duration) -> Result<()> {
        self.vm.wait_off(limit)
    }

    /// Boots the live root on the terminal of this process and returns when
    /// it is powered off. Ctrl-A x ends it at once.
    pub fn interactive(config: &GuestConfig) -> Result<()> {
        let image = LiveImage::build()?;
        let dir: TempDir = vm::directory()?;
        let machine = config.machine_in(dir.path(), &image)?;
        vm::interactive(&dir, &machine, Some(config.kernel(&image)))
    }

    /// Runs a shell script as root, with stdin closed, in `/root`.
    ///
    /// The error is about the guest, not the script: the script's failure is
    /// in [`Output::status`]. After a missed deadline the guest is still busy
    /// and refuses further commands.
    pub fn run(&mut self, script: &str) -> Result<Output> {
        self.run_within(self.command_limit, script)
    }

    /// Like [`Guest::run`] with another limit.
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

    /// Like [`Guest::run_within`]; standard output is handed over in pieces
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
            bail!("{path:?} is no path that a file can be sent to");
        }
        let nonce = agent::nonce();
        let request = agent::put_request(&nonce, path, mode, content);
        let what = format!("sending {path}");
        let (status, stderr) = self.request(&nonce, &request, &what, self.command_limit, |_| {})?;
        if status != 0 {
            bail!("{what} failed: {}", String::from_utf8_lossy(&stderr).trim());
        }
        Ok(())
    }

    /// Reads a file.
    pub fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let script = format!("cat -- '{}'", path.replace('\'', r"'\''"));
        let output = self.run(&script)?;
        if !output.success() {
            bail!(
                "reading {path} in the guest: {}",
                output.stderr_text().trim()
            );
        }
        Ok(output.stdout)
    }

    /// Unmounts the disks, powers off and waits for the end.
    pub fn power_off(self) -> Result<()> {
        self.refuse_if_busy("powering off")?;
        let request = agent::off_request(&agent::nonce());
        self.vm.stream.send(&request)?;
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

    fn refuse_if_busy(&self, what: &str) -> Result<()> {
        match &self.busy_with {
            Some(command) => bail!("{what}: the guest is still busy with `{command}`"),
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
