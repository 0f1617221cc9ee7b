// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hidden subcommand: runs one command, counts, and ends it after its time.
//!
//! A process of its own for each run: what the kernel knows of a process's
//! children (getrusage(2)) is a sum since its start, and a maximum.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench_kit::cpu::{CpuTime, largest_child};
use clap::Parser;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, syncfs};
use serde::{Deserialize, Serialize};
use testkit::cmd::CommandExt as _;

/// Its name.
pub(crate) const NAME: &str = "measure";

#[derive(Debug, Parser)]
struct Args {
    /// [`NAME`].
    _name: String,
    /// Seconds.
    #[arg(long)]
    limit: u64,
    /// A file with a file system for what the command makes.
    #[arg(long)]
    disk: PathBuf,
    /// Where it is mounted, for this process alone.
    #[arg(long)]
    dir: PathBuf,
    /// Where the command's output goes.
    #[arg(long)]
    log: PathBuf,
    #[arg(last = true, required = true)]
    argv: Vec<OsString>,
}

/// What one run took.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    pub(crate) outcome: Outcome,
    /// Until the command ended.
    pub(crate) wall_s: f64,
    /// From there until everything was on the disk.
    pub(crate) sync_s: f64,
    /// Of everything that was started.
    pub(crate) cpu: CpuTime,
    /// Peak of the largest process, bytes.
    pub(crate) rss: u64,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Done,
    /// With an exit status or a signal.
    Failed,
    /// By us, when its time was over.
    Stopped,
}

/// What one run needs besides its command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// A file with an empty file system.
    pub(crate) disk: &'a Path,
    /// An empty directory, on which it is mounted as long as the run lasts.
    pub(crate) dir: &'a Path,
}

/// Runs `argv` by way of this subcommand.
pub(crate) fn run(argv: &[OsString], place: Place<'_>, log: &Path, limit: u64) -> Result<Measured> {
    let own = std::env::current_exe().context("finding the bench's own program")?;
    // The mount, and with it the loop device, go with the process.
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(own)
        .arg(NAME)
        .args(["--limit", &limit.to_string(), "--disk"])
        .arg(place.disk)
        .arg("--dir")
        .arg(place.dir)
        .arg("--log")
        .arg(log)
        .arg("--")
        .args(argv)
        .stderr(Stdio::inherit())
        .output()
        .context("starting the measuring process")?;
    anyhow::ensure!(output.status.success(), "the measuring process failed");
    serde_json::from_slice(&output.stdout).context("reading what was measured")
}

/// Measures, and prints JSON.
pub(crate) fn main() -> Result<()> {
    let args = Args::parse();
    let log =
        File::create(&args.log).with_context(|| format!("creating {}", args.log.display()))?;
    let (program, words) = args.argv.split_first().context("there is no command")?;
    // mount(8) sets autoclear on the loop device that it makes.
    let mut mount = Command::new("mount");
    mount.args(["-o", "loop"]).arg(&args.disk).arg(&args.dir);
    mount.run()?;
    let before = CpuTime::of_children()?;
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("the log")?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {}", Path::new(program).display()))?;
    let group = Pid::from_raw(i32::try_from(child.id()).context("its process id")?);
    let (sender, ended) = mpsc::channel();
    let waiting = std::thread::spawn(move || sender.send(child.wait()).is_ok());
    let (status, stopped) = match ended.recv_timeout(Duration::from_secs(args.limit)) {
        Ok(status) => (status, false),
        Err(_) => {
            killpg(group, Signal::SIGKILL).context("ending the command")?;
            (ended.recv().context("the waiting thread died")?, true)
        }
    };
    let wall = start.elapsed();
    // It has sent what it was there for.
    drop(waiting);
    let status = status.context("waiting for the command")?;
    let dir = File::open(&args.dir).with_context(|| format!("opening {}", args.dir.display()))?;
    syncfs(&dir).context("syncing")?;
    let measured = Measured {
        outcome: outcome(status, stopped),
        wall_s: wall.as_secs_f64(),
        sync_s: (start.elapsed() - wall).as_secs_f64(),
        cpu: CpuTime::of_children()?.since(before),
        rss: largest_child()?,
    };
    let json = serde_json::to_string(&measured).context("writing JSON")?;
    writeln!(std::io::stdout(), "{json}").context("printing")
}

fn outcome(status: ExitStatus, stopped: bool) -> Outcome {
    match (status.success(), stopped && status.signal().is_some()) {
        (true, _) => Outcome::Done,
        (false, true) => Outcome::Stopped,
        (false, false) => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes() {
        let (exited, killed) = (ExitStatus::from_raw(0x100), ExitStatus::from_raw(9));
        let fine = ExitStatus::from_raw(0);
        for (status, stopped, expected) in [
            (fine, false, Outcome::Done),
            // It made it at the last moment.
            (fine, true, Outcome::Done),
            (exited, false, Outcome::Failed),
            (exited, true, Outcome::Failed),
            (killed, false, Outcome::Failed),
            (killed, true, Outcome::Stopped),
        ] {
            assert_eq!(outcome(status, stopped), expected, "{status} {stopped}");
        }
    }
}
