// SPDX-License-Identifier: MIT OR Apache-2.0
//! The deploy step: the image's own bootc, in a sandbox of the image's root.
//!
//! bootc has no machine-readable progress for installations, but draws bars
//! when it finds a terminal. So it gets a pseudo-terminal: what it draws
//! becomes [`Progress`](contract::event::Progress), what it says goes into a log,
//! and its last `error:` line into the error.

mod args;
mod failure;
#[doc(hidden)]
pub mod fuzz;
mod layout;
mod output;
pub(crate) mod policy;
mod terminal;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use contract::error::{Error, Result};
use contract::event::{Event, EventSink, Task};
use contract::fault::Stopped;
use host::cancel::{Cancel, Wake};
use nix::errno::Errno;
use nix::pty::{OpenptyResult, Winsize, openpty};
use sandbox::{Exit, LAYOUT, Sandbox, SandboxChild};

use crate::target;

pub use args::BootcArgs;
use output::{Line, Meter};
use terminal::Lines;

/// Where logs are kept unless told otherwise. Only root may read them.
pub const LOG_DIR: &str = "/var/log/calamares-bootc";

/// How often the growth of the target is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Wide enough that bootc's bars and errors are not cut.
const WINDOW: Winsize = Winsize {
    ws_row: 50,
    ws_col: 400,
    ws_xpixel: 0,
    ws_ypixel: 0,
};
/// Lines after `error:` that still belong to it.
const ERROR_LINES_MAX: usize = 20;

/// What is deployed, and where.
#[derive(Debug, Clone, Copy)]
pub struct DeployInputs<'a> {
    /// bootc's command line.
    pub args: BootcArgs<'a>,
    /// From [`Sandbox::for_bootc`].
    pub sandbox: &'a Sandbox,
    /// Root of the target on the live system.
    pub target: &'a Path,
    /// The layout that is at [`LAYOUT`] in the sandbox.
    pub layout: &'a Path,
    /// Digest of the image's manifest.
    pub digest: &'a str,
    /// Compressed sizes of the layers in the order of the manifest.
    pub layers: &'a [u64],
    /// Bytes by which the target will grow, for progress only.
    pub expected_growth: u64,
    /// Directory for the log.
    pub log_dir: &'a Path,
}

/// What bootc did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Its log.
    pub log: PathBuf,
}

/// Runs `bootc install to-filesystem`.
///
/// # Errors
/// `DISK_FULL`, `BOOTLOADER_FAILED` or `BOOTC_FAILED` with bootc's own last
/// error line and the path of its log; `CANCELLED` with bootc dead.
pub fn deploy(inputs: DeployInputs<'_>, sink: &dyn EventSink, cancel: &Cancel) -> Result<Deployed> {
    cancel.check()?;
    let index = layout::index_of_one(inputs.layout, inputs.digest)?;
    let sandbox = inputs
        .sandbox
        .clone()
        .file(Path::new(LAYOUT).join("index.json"), index, 0o644)
        .env("TERM", "xterm");
    let mut log = Log::create(inputs.log_dir)?;
    let words = inputs.args.words();
    log.line(&format!("$ {}", host::cmd::command_line(&words)));

    let OpenptyResult { master, slave } =
        openpty(&WINDOW, None).map_err(|errno| pty(errno.into()))?;
    let stdout = Stdio::from(slave.try_clone().map_err(pty)?);
    // Before bootc can have written anything, which would never be counted.
    let free_at_start = free(inputs.target);
    let mut child = sandbox.spawn(&words, stdout, Stdio::from(slave))?;

    let mut watch = Watch {
        log,
        meter: Meter::new(inputs.layers.to_vec(), inputs.expected_growth),
        error: Vec::new(),
        target: inputs.target,
        free_at_start,
    };
    let exit = watch.follow(&mut child, master, sink, cancel)?;
    watch.log.line(&format!("bootc: {exit}"));
    if exit.success() {
        return Ok(Deployed {
            log: watch.log.path,
        });
    }
    let message = (!watch.error.is_empty()).then(|| watch.error.join(" "));
    Err(failure::classify(
        message.as_deref(),
        &exit.to_string(),
        &watch.log.path,
    ))
}

/// What is kept while bootc runs.
#[derive(Debug)]
struct Watch<'a> {
    log: Log,
    meter: Meter,
    /// The last `error:` line and what followed it.
    error: Vec<String>,
    target: &'a Path,
    free_at_start: u64,
}

impl Watch<'_> {
    /// Reads the terminal to its end, then waits for bootc.
    fn follow(
        &mut self,
        child: &mut SandboxChild,
        master: OwnedFd,
        sink: &dyn EventSink,
        cancel: &Cancel,
    ) -> Result<Exit> {
        let mut terminal = File::from(master);
        let mut lines = Lines::new(WINDOW.ws_col);
        let mut next_look = Instant::now();
        loop {
            match cancel
                .wait(&[terminal.as_fd()], Some(next_look))
                .map_err(pty)?
            {
                Wake::Stopped => {
                    child.kill();
                    self.log.line("stopped on request");
                    return Err(Stopped.into());
                }
                Wake::Ready(_) => {
                    let bytes = read(&mut terminal).map_err(pty)?;
                    if bytes.is_empty() {
                        break;
                    }
                    for line in lines.feed(&bytes) {
                        self.line(&line);
                    }
                }
                Wake::TimedOut => {}
            }
            if Instant::now() >= next_look {
                next_look = Instant::now() + TICK;
                self.meter
                    .growth(self.free_at_start.saturating_sub(free(self.target)));
                self.tell(sink);
            }
        }
        if let Some(line) = lines.finish() {
            self.line(&line);
        }
        child.wait(cancel)
    }

    fn line(&mut self, text: &str) {
        let line = output::parse(text);
        self.meter.line(&line);
        if line.is_redrawn() {
            return;
        }
        self.log.line(text);
        match line {
            Line::Error(message) => self.error = vec![message],
            _ if !self.error.is_empty() && self.error.len() < ERROR_LINES_MAX => {
                self.error.push(text.to_owned());
            }
            _ => {}
        }
    }

    /// Also when nothing has changed: a rate is only true while it is renewed.
    fn tell(&mut self, sink: &dyn EventSink) {
        sink.send(Event::Progress {
            task: Task::Deploy,
            id: Task::Deploy.name().into(),
            progress: self.meter.progress(),
        });
    }
}

/// The next bytes, none at the end.
fn read(terminal: &mut File) -> std::io::Result<Vec<u8>> {
    let mut buffer = [0; 4096];
    match terminal.read(&mut buffer) {
        Ok(n) => Ok(buffer[..n].to_vec()),
        // The other end is closed: that is how a terminal says so.
        Err(err) if err.raw_os_error() == Some(Errno::EIO as i32) => Ok(Vec::new()),
        Err(err) => Err(err),
    }
}

/// Free bytes of the target; only progress depends on it.
fn free(target: &Path) -> u64 {
    target::space(target).map_or(0, |(_total, free)| free)
}

fn pty(err: std::io::Error) -> Error {
    Error::io("using a pseudo-terminal of", Path::new("/dev/ptmx"), &err)
}

/// bootc's log: a file that only root may read.
#[derive(Debug)]
struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    fn create(dir: &Path) -> Result<Self> {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let path = dir.join(format!("bootc-{seconds}-{}.log", std::process::id()));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|err| Error::io("making the directory for logs", dir, &err))?;
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|err| Error::io("making the log", &path, &err))?;
        Ok(Self { file, path })
    }

    /// A log that cannot be written must not stop an installation.
    fn line(&mut self, text: &str) {
        if let Err(error) = writeln!(self.file, "{text}") {
            tracing::warn!(%error, path = %self.path.display(), "cannot write bootc's log");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_log_is_private() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("a/b");
        let mut log = Log::create(&dir).unwrap();
        log.line("text");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&log.path)), (0o700, 0o600));
        assert_eq!(std::fs::read_to_string(&log.path).unwrap(), "text\n");
    }

    fn watch(dir: &Path) -> Watch<'_> {
        Watch {
            log: Log::create(dir).unwrap(),
            meter: Meter::new(vec![100], 1),
            error: Vec::new(),
            target: dir,
            free_at_start: 0,
        }
    }

    #[test]
    fn the_last_error_counts_and_drawings_are_not_logged() {
        let temp = tempfile::tempdir().unwrap();
        let mut watch = watch(temp.path());
        for line in [
            "Installing image: docker://r/os:1",
            "error: first",
            "Fetching layers ███ 0/1",
            "error: Installing to filesystem: x:",
            "second line",
        ] {
            watch.line(line);
        }
        assert_eq!(watch.error, ["Installing to filesystem: x:", "second line"]);
        let log = std::fs::read_to_string(&watch.log.path).unwrap();
        assert_eq!(log.lines().count(), 4);
        assert!(!log.contains("Fetching"), "{log}");
    }

    #[test]
    fn a_terminal_is_read_to_its_end() {
        let OpenptyResult { master, slave } = openpty(&WINDOW, None).unwrap();
        let status = std::process::Command::new("sh")
            .args(["-c", "printf 'one\\ntwo'; stty size"])
            .stdin(Stdio::from(slave.try_clone().unwrap()))
            .stdout(Stdio::from(slave))
            .status()
            .unwrap();
        assert!(status.success());
        let mut terminal = File::from(master);
        let mut all = Vec::new();
        loop {
            let bytes = read(&mut terminal).unwrap();
            if bytes.is_empty() {
                break;
            }
            all.extend(bytes);
        }
        let mut lines = Lines::new(WINDOW.ws_col);
        assert_eq!(lines.feed(&all), ["one", "two50 400"]);
    }
}
