// SPDX-License-Identifier: MIT OR Apache-2.0
//! One measured run: its commands, inside namespaces of its own.
//!
//! The bench starts itself again as pid 1 of a new pid namespace (`stage`,
//! a hidden subcommand). Whatever the commands start, also what daemonises,
//! is in that namespace: it is counted, and the kernel ends it with pid 1.
//! pid 1 in turn ends when its standard input does, so not even a killed bench
//! leaves anything running or mounted.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use bench_kit::cpu::CpuTime;
use bench_kit::proc;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, syncfs};
use serde::{Deserialize, Serialize};
use testkit::cmd::CommandExt as _;

use crate::cgroup;
use crate::sample::{self, Peaks, Sampler};
use crate::stage::{self, LIVE, StageSpec, TARGET};

/// Hidden subcommand: pid 1 of a run.
pub(crate) const STAGE: &str = "stage";
/// Hidden subcommand: joins the cgroup whose `cgroup.procs` is its standard
/// input, and becomes the given command.
pub(crate) const JOIN: &str = "join";

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One command of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// For the report.
    pub(crate) name: String,
    /// Program and arguments.
    pub(crate) argv: Vec<String>,
}

impl Step {
    /// A command from its words.
    pub(crate) fn new<W: Into<String>>(name: &str, argv: impl IntoIterator<Item = W>) -> Self {
        Self {
            name: name.to_owned(),
            argv: argv.into_iter().map(Into::into).collect(),
        }
    }
}

/// Everything that pid 1 of a run needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunSpec {
    /// The mounts.
    pub(crate) stage: StageSpec,
    /// The commands, one after the other.
    pub(crate) steps: Vec<Step>,
    /// `cgroup.procs` of the group that counts, if one does.
    pub(crate) cgroup_procs: Option<PathBuf>,
    /// Where the commands' output goes.
    pub(crate) log: PathBuf,
}

/// How long one command took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StepTime {
    /// [`Step::name`].
    pub(crate) name: String,
    /// Seconds.
    pub(crate) wall_s: f64,
}

/// What pid 1 has measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Seconds from the first command to the end of the last one and of the
    /// sync of the target after it.
    pub(crate) wall_s: f64,
    /// The commands, and the final sync.
    pub(crate) steps: Vec<StepTime>,
    /// rusage of everything reaped.
    pub(crate) rusage: CpuTime,
    /// Busy time of the whole machine meanwhile, in clock ticks.
    pub(crate) machine_ticks: u64,
    /// Highest values.
    pub(crate) peaks: Peaks,
    /// Bytes in use on the live tmpfs before and after.
    pub(crate) live_before_after: (u64, u64),
    /// Bytes in use on the target before and after.
    pub(crate) target_before_after: (u64, u64),
    /// One-minute load before and after.
    pub(crate) load: (f64, f64),
    /// Deployments found on the target.
    pub(crate) deployments: Vec<String>,
    /// The command that failed, and how.
    pub(crate) failure: Option<String>,
}

/// Starts the run in new mount and pid namespaces and waits for its figures.
pub(crate) fn start(spec: &RunSpec) -> Result<Measured> {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private"])
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(own_program()?)
        .arg(STAGE);
    let line = command.line();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{line}`"))?;
    let measured = talk(&mut child, spec);
    // talk() has closed the pipe, which ends the run if it still goes.
    let status = child
        .wait()
        .with_context(|| format!("waiting for `{line}`"))?;
    match measured {
        Ok(measured) if status.success() => Ok(measured),
        Ok(_) => bail!("the run ended with {status}"),
        Err(error) => Err(error.context(format!("the run ended with {status}"))),
    }
}

fn talk(child: &mut Child, spec: &RunSpec) -> Result<Measured> {
    let mut to = child.stdin.take().context("the run has no input")?;
    let mut from = child.stdout.take().context("the run has no output")?;
    let mut line = serde_json::to_vec(spec).context("writing the run's description")?;
    line.push(b'\n');
    to.write_all(&line)
        .context("describing the run to its pid 1")?;
    let mut text = String::new();
    from.read_to_string(&mut text)
        .context("reading the run's figures")?;
    serde_json::from_str(&text).context("the run gave no figures")
}

/// pid 1 of a run: reads its [`RunSpec`], writes [`Measured`].
pub(crate) fn stage_main() -> Result<()> {
    if std::process::id() != 1 {
        bail!("`{STAGE}` is for the bench itself");
    }
    let mut input = BufReader::new(std::io::stdin());
    let mut line = String::new();
    input
        .read_line(&mut line)
        .context("reading the run's description")?;
    let spec: RunSpec = serde_json::from_str(&line).context("the run's description")?;
    std::thread::Builder::new()
        .name("parent".to_owned())
        .spawn(move || {
            // Nothing more ever comes: this returns when the bench is gone.
            let ended = input.read_line(&mut String::new());
            eprintln!("the bench is gone ({ended:?}), ending the run");
            std::process::exit(1);
        })
        .context("starting the thread that watches the bench")?;
    let measured = measure(&spec)?;
    let text = serde_json::to_string(&measured).context("writing the figures")?;
    let mut out = std::io::stdout();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("handing over the figures")
}

/// Joins the cgroup behind standard input and becomes `argv`.
pub(crate) fn join_main(argv: &[String]) -> Result<()> {
    let [program, arguments @ ..] = argv else {
        bail!("`{JOIN}` is for the bench itself");
    };
    let stdin = std::io::stdin();
    let fd = std::os::fd::AsFd::as_fd(&stdin)
        .try_clone_to_owned()
        .context("duplicating standard input")?;
    File::from(fd)
        .write_all(b"0")
        .context("joining the cgroup")?;
    let error = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .exec();
    Err(error).with_context(|| format!("starting {program}"))
}

fn measure(spec: &RunSpec) -> Result<Measured> {
    // Opened by the host's paths, before the stage hides some of them.
    let procs = spec
        .cgroup_procs
        .as_deref()
        .map(cgroup::open_procs)
        .transpose()?;
    let log = File::create(&spec.log).with_context(|| format!("making {}", spec.log.display()))?;
    stage::set(&spec.stage)?;

    let target = File::open(TARGET).with_context(|| format!("opening {TARGET}"))?;
    syncfs(&target).context("syncing the empty target")?;
    let live_before = sample::used_bytes(Path::new(LIVE))?;
    let target_before = sample::used_bytes(Path::new(TARGET))?;
    let load_before = load()?;
    let ticks_before = busy_ticks()?;
    let sampler = Sampler::start(LIVE.into(), TARGET.into())?;

    let begin = Instant::now();
    let mut steps = Vec::new();
    let mut failure = None;
    for step in &spec.steps {
        let step_begin = Instant::now();
        let child = spawn(step, procs.as_ref(), &log)?;
        failure = reap_until(child.id())?.map(|how| format!("step `{}` {how}", step.name));
        steps.push(StepTime {
            name: step.name.clone(),
            wall_s: step_begin.elapsed().as_secs_f64(),
        });
        if failure.is_some() {
            break;
        }
    }
    let sync_begin = Instant::now();
    syncfs(&target).context("syncing the target")?;
    steps.push(StepTime {
        name: "sync".to_owned(),
        wall_s: sync_begin.elapsed().as_secs_f64(),
    });
    let wall_s = begin.elapsed().as_secs_f64();

    Ok(Measured {
        wall_s,
        steps,
        peaks: sampler.finish()?,
        rusage: CpuTime::of_children()?,
        machine_ticks: busy_ticks()?.saturating_sub(ticks_before),
        live_before_after: (live_before, sample::used_bytes(Path::new(LIVE))?),
        target_before_after: (target_before, sample::used_bytes(Path::new(TARGET))?),
        load: (load_before, load()?),
        deployments: deployments(Path::new(TARGET))?,
        failure,
    })
}

fn spawn(step: &Step, procs: Option<&File>, log: &File) -> Result<Child> {
    let share = |file: &File| file.try_clone().context("sharing an open file");
    let [first, rest @ ..] = step.argv.as_slice() else {
        bail!("step `{}` has no command", step.name);
    };
    let mut command = match procs {
        Some(_) => {
            // By the open program, since the stage may hide its path.
            let mut command = Command::new("/proc/self/exe");
            command.arg(JOIN).arg("--").arg(first);
            command
        }
        None => Command::new(first),
    };
    command
        .args(rest)
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", "/run/bench/home")
        .env("LANG", "C.UTF-8")
        .current_dir("/")
        .stdin(match procs {
            Some(file) => Stdio::from(share(file)?),
            None => Stdio::null(),
        })
        .stdout(share(log)?)
        .stderr(share(log)?);
    writeln!(share(log)?, "+ {}", step.argv.join(" ")).context("writing the log")?;
    command
        .spawn()
        .with_context(|| format!("starting step `{}`", step.name))
}

/// Waits for one child while reaping, as pid 1 has to, whatever else ends.
/// Returns how it failed, if it did.
fn reap_until(pid: u32) -> Result<Option<String>> {
    let wanted = Pid::from_raw(i32::try_from(pid).map_err(|_| anyhow!("pid {pid}"))?);
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == wanted => {
                return Ok((code != 0).then(|| format!("ended with exit code {code}")));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == wanted => {
                return Ok(Some(format!("was ended by {signal}")));
            }
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno).context("waiting for a step"),
        }
    }
}

fn busy_ticks() -> Result<u64> {
    proc::parse_busy_ticks(&fs::read_to_string("/proc/stat").context("reading /proc/stat")?)
}

fn load() -> Result<f64> {
    proc::parse_load(&fs::read_to_string("/proc/loadavg").context("reading /proc/loadavg")?)
}

/// `<stateroot>/<checksum>.<serial>` of each ostree deployment.
fn deployments(target: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for stateroot in subdirectories(&target.join("ostree/deploy"))? {
        for deployment in
            subdirectories(&target.join("ostree/deploy").join(&stateroot).join("deploy"))?
        {
            found.push(format!("{stateroot}/{deployment}"));
        }
    }
    found.sort();
    Ok(found)
}

fn subdirectories(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", dir.display())),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", dir.display()))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn own_program() -> Result<PathBuf> {
    std::env::current_exe().context("finding the bench's own program")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn deployments_are_directories_below_the_stateroots() {
        let dir = std::env::temp_dir().join(format!("bench-deploy-test-{}", std::process::id()));
        let deploy = dir.join("ostree/deploy/default/deploy");
        fs::create_dir_all(deploy.join("abc.0")).unwrap();
        fs::write(deploy.join("abc.0.origin"), "").unwrap();
        assert_eq!(deployments(&dir).unwrap(), ["default/abc.0"]);
        fs::remove_dir_all(dir.join("ostree")).unwrap();
        assert!(deployments(&dir).unwrap().is_empty());
        fs::remove_dir(&dir).unwrap();
    }

    #[test]
    fn subcommands_of_the_bench_refuse_to_be_called_by_hand() {
        assert!(stage_main().is_err());
        assert!(join_main(&[]).is_err());
    }
}
