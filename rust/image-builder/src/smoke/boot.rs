// SPDX-License-Identifier: MIT OR Apache-2.0
//! One boot: started, watched up to its end or to root's shell, photographed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use host::cancel::Cancel;
use tempfile::TempDir;
use vm::{Boot, Code as VmCode, Machine, Qmp, Shell, Step, Watch, console};

use super::case::{Case, Verdict};
use super::transcript::{Arrival, Transcript, boot_cases};
use super::unasked::Unasked;
use crate::error::{Code, Error, Result};

/// Between two looks at the console.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long root's shell may come after the login prompt, and the prompt after
/// the shell: emulation takes its time.
const GRACE: Duration = Duration::from_secs(120);
/// How much of the console a failure carries.
const TAIL_LINES: usize = 12;
/// An emulated machine that fails by the emulation's fault is started again, once.
const ATTEMPTS: u32 = 2;

/// A machine that is to be booted, and where its traces go.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    /// What its cases and files are named after.
    pub(super) suite: &'a str,
    pub(super) machine: Machine,
    pub(super) out: &'a Path,
    pub(super) limit: Duration,
    pub(super) stop: &'a Cancel,
}

/// What came of a boot.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The cases of the boot itself.
    pub(super) cases: Vec<Case>,
    /// Root's shell, when there is one.
    pub(super) shell: Option<Shell>,
    /// Why there is none.
    pub(super) without: &'static str,
    /// What it shows, while it runs.
    pub(super) screen: Screen,
}

/// What the machine shows.
#[derive(Debug)]
pub(super) struct Screen {
    socket: PathBuf,
    // It goes with the last who asks. Sockets have short paths only.
    _dir: TempDir,
}

impl Screen {
    /// Keeps a picture of it. A machine that is gone has none.
    pub(super) fn keep(&self, file: &Path) {
        let connected = Qmp::connect(&self.socket, Duration::ZERO);
        drop(connected.and_then(|mut qmp| qmp.screenshot(file)));
    }
}

/// When something was seen first.
#[derive(Debug, Default)]
struct Times {
    loader: Option<Duration>,
    kernel: Option<Duration>,
    login: Option<Duration>,
    shell: Option<Duration>,
}

impl Trial<'_> {
    /// A file of this boot in the directory of results.
    pub(super) fn file(&self, end: &str) -> PathBuf {
        self.out.join(format!("{}-{end}", self.suite))
    }

    /// Boots.
    ///
    /// # Errors
    /// `TOOL_MISSING` and `HOST_UNSUITABLE` when no machine can run here; `IO`;
    /// `INTERRUPTED`. What is wrong with the guest is a case.
    pub(super) fn boot(&self) -> Result<Outcome> {
        let kvm = vm::uses_kvm(self.machine.accel).map_err(of_machine)?;
        let mut attempt = 1;
        loop {
            let (outcome, arrival, console) = self.once()?;
            let again = !kvm && attempt < ATTEMPTS && outcome.shell.is_none();
            if again && arrival != Arrival::Login && console::emulation_failed(&console) {
                attempt += 1;
                continue;
            }
            return Ok(outcome);
        }
    }

    fn once(&self) -> Result<(Outcome, Arrival, String)> {
        let console_log = self.file("console.log");
        let firmware_log = self.file("firmware.log");
        for log in [&console_log, &firmware_log] {
            remove(log)?;
        }
        let dir = vm::directory().map_err(of_machine)?;
        let socket = dir.path().join("qmp");
        let mut machine = self.machine.clone();
        machine.qmp = Some(socket.clone());
        machine.firmware_log = (!machine.firmware.is_uefi()).then(|| firmware_log.clone());

        let menu = self.file("boot-menu.png");
        let watch = Watch::start(&socket, &menu, Some(&console_log)).map_err(of_machine)?;
        let boot = Boot::start(&machine, &console_log).map_err(of_machine)?;
        let (seen, times, arrival) = self.watch(&boot, &firmware_log)?;
        drop(watch);
        let screen = Screen { socket, _dir: dir };
        screen.keep(&self.file("screen.png"));
        let said = boot.console();
        let last = console::tail(said.as_bytes(), TAIL_LINES);
        let arrival = match arrival {
            Arrival::Ended(_) => {
                let error = boot.explain(VmCode::Ended, "");
                let qemu = error.said.split_once("--- QEMU said ---");
                Arrival::Ended(qemu.map_or(String::new(), |(_, said)| said.trim().to_owned()))
            }
            arrival => arrival,
        };
        let cases = boot_cases(&seen, &arrival, &last);
        let cases = cases.into_iter().map(|(name, verdict)| Case {
            suite: self.suite.to_owned(),
            name,
            time: times.of(name),
            verdict,
        });
        let without = match &arrival {
            Arrival::Shell => "",
            Arrival::Login => {
                "No shell for root: the image's systemd is older than 256, or its kernel \
                 has no virtio console."
            }
            Arrival::DeadEnd | Arrival::Ended(_) | Arrival::Late(_) => {
                "The boot did not come so far."
            }
        };
        let outcome = Outcome {
            cases: cases.collect(),
            shell: (arrival == Arrival::Shell).then(|| boot.into_shell()),
            without,
            screen,
        };
        Ok((outcome, arrival, said))
    }

    /// Watches the console until there is a shell, or will be none.
    fn watch(&self, boot: &Boot, firmware_log: &Path) -> Result<(Transcript, Times, Arrival)> {
        let begun = Instant::now();
        let mut times = Times::default();
        loop {
            self.stop.check()?;
            let step = boot.wait(INTERVAL);
            let now = begun.elapsed();
            // There is none under UEFI.
            let firmware = fs::read(firmware_log).unwrap_or_default();
            let seen = Transcript::read(&boot.console(), &String::from_utf8_lossy(&firmware));
            times.see(&seen, now);
            let arrival = match step {
                Step::Shell => {
                    times.shell = Some(now);
                    Some(Arrival::Shell)
                }
                Step::Ended => Some(Arrival::Ended(String::new())),
                Step::Booting if seen.end.is_some() => Some(Arrival::DeadEnd),
                Step::Booting if times.login.is_some_and(|at| now > at + GRACE) => {
                    Some(Arrival::Login)
                }
                Step::Booting if now > self.limit => Some(match seen.login {
                    true => Arrival::Login,
                    false => Arrival::Late(self.limit.as_secs()),
                }),
                Step::Booting => None,
            };
            if let Some(arrival) = arrival {
                return Ok((seen, times, arrival));
            }
        }
    }
}

impl Times {
    fn see(&mut self, seen: &Transcript, now: Duration) {
        for (time, there) in [
            (&mut self.loader, seen.loader.is_some()),
            (&mut self.kernel, seen.kernel || seen.system),
            (&mut self.login, seen.login),
        ] {
            if there && time.is_none() {
                *time = Some(now);
            }
        }
    }

    /// The last that is known before or at a case.
    fn of(&self, case: &str) -> Duration {
        let reached = match case {
            "boot-loader" => self.loader.or(self.kernel),
            "login-prompt" => self.login.or(self.shell),
            _ => self.shell.or(self.login).or(self.kernel),
        };
        reached.unwrap_or_default()
    }
}

/// Waits for the login prompt, which may come after the shell, and judges it.
/// There need not be one: not every system has a getty on the first serial port.
pub(super) fn login_prompt(
    shell: &mut Shell,
    stop: &Cancel,
) -> std::result::Result<Verdict, Unasked> {
    const GETTY: &str = "systemctl is-active serial-getty@ttyS0.service";
    let begun = Instant::now();
    loop {
        stop.check()?;
        if Transcript::read(&shell.console(), "").login {
            return Ok(Verdict::passed("on the first serial port"));
        }
        // It answers within a moment: the console is looked at again then.
        let getty = shell.run(&format!("{GETTY}; sleep 1"))?;
        let state = getty.stdout_text();
        match state.trim() {
            "active" | "activating" if begun.elapsed() < GRACE => {}
            "active" | "activating" => {
                return Ok(Verdict::failed(
                    "There is a getty on the first serial port, and it asks for nothing.",
                ));
            }
            state => {
                return Ok(Verdict::skipped(format!(
                    "The system has no getty on the first serial port ({state})."
                )));
            }
        }
    }
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("Removing", file, &err))
        }
        _ => Ok(()),
    }
}

/// A machine's error, as this program's.
pub(super) fn of_machine(error: vm::Error) -> Error {
    let code = match error.code {
        VmCode::ToolMissing => Code::ToolMissing,
        VmCode::FirmwareMissing | VmCode::KvmUnusable => Code::HostUnsuitable,
        VmCode::ImageMissing => Code::Usage,
        _ => Code::Io,
    };
    let next = match error.code {
        VmCode::ToolMissing => "apt-get install qemu-system-x86; as root it is done by itself.",
        VmCode::FirmwareMissing => "apt-get install ovmf, or leave that firmware out.",
        VmCode::KvmUnusable => "Leave --accel out: it is emulated then, which is slow.",
        _ => "See the details and the files in --out, and run the same command again.",
    };
    let told = Error::new(code, format!("The virtual machine: {}.", error.what)).next(next);
    match error.said.as_str() {
        "" => told,
        said => told.detail(said),
    }
}
