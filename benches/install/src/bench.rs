// SPDX-License-Identifier: MIT OR Apache-2.0
//! The comparison as a whole: prepare, run the ways in turn, report.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use bench_kit::machine::Machine;
use bench_kit::proc;
use nix::unistd::{SysconfVar, syncfs, sysconf};
use testkit::cmd::CommandExt;
use testkit::registry::{Options, Registry};
use testkit::{apt, cache};

use crate::cgroup::Cgroups;
use crate::cli::Args;
use crate::image::{self, Image};
use crate::report::{Report, Run};
use crate::run::{self, RunSpec};
use crate::source::Source;
use crate::stage::StageSpec;
use crate::ways::{self, Way};

const TOOLS: &[&str] = &[
    "docker-registry",
    "losetup",
    "mkfs.ext4",
    "podman",
    "skopeo",
    "umoci",
    "unshare",
];

/// Of the compressed size: room for unpacked root, layout and deployment.
const TARGET_FACTOR: u64 = 8;
const SMALLEST_TARGET: u64 = 8 << 30;
/// Of the compressed size: what podman keeps in the live system's RAM.
const LIVE_FACTOR: u64 = 5;
/// How many lines of a failed run's log are shown.
const LOG_LINES: usize = 30;

/// Compares the ways with each of the wanted images in turn. `show` gets the
/// report of an image as soon as it is there, so that no later failure costs it.
pub(crate) fn bench(
    args: &Args,
    mut show: impl FnMut(&Report) -> Result<()>,
) -> Result<Vec<Report>> {
    if !testkit::cmd::is_root() {
        bail!(
            "the benchmark mounts file systems and runs privileged containers. \
             Next step: run the same command with sudo"
        );
    }
    apt::ensure(TOOLS)?;
    let installer = installer(args)?;
    // All images first: making one can fail, and takes long.
    let images: Vec<Image> = args
        .sources()
        .iter()
        .map(Source::image)
        .collect::<Result<_>>()?;
    let mut reports = Vec::new();
    for image in images {
        let report = compare(args, &installer, image)?;
        show(&report)?;
        reports.push(report);
    }
    Ok(reports)
}

fn compare(args: &Args, installer: &Path, image: Image) -> Result<Report> {
    let work = Work::open()?;
    work.check_space(&image)?;
    let root = image.unpacked(&work.dir)?;
    let bootc = image::bootc_version(&root)?;
    let registry = Options::default()
        .storage(&work.dir.join("registry"))
        .start()?;
    let imgref = push(&image, &registry)?;
    let cgroups = Cgroups::open(args.accounting)?;

    let mut report = Report {
        machine: Machine::look(&work.dir, &programs(installer))?,
        bootc,
        accounting: cgroups.accounting(),
        podman_failure: None,
        runs: Vec::new(),
        image,
    };
    let scene = Scene {
        work: &work,
        cgroups: &cgroups,
        root: &root,
        installer,
        registry: &registry.host(),
        imgref: &imgref,
    };
    let mut ways = args.ways();
    for round in 1..=usize::from(args.runs) {
        for way in &mut ways {
            let mut run = scene.run(*way, round, &report.image);
            if *way == Way::Podman
                && round == 1
                && let Err(error) = &run
            {
                let failure = format!("{error:#}");
                eprintln!("podman failed, going on with skopeo and chroot: {failure}");
                report.podman_failure = Some(failure);
                *way = Way::Skopeo;
                run = scene.run(*way, round, &report.image);
            }
            report.runs.push(run?);
        }
    }
    Ok(report)
}

/// Programs whose versions are reported.
fn programs(installer: &Path) -> [(&Path, &str); 5] {
    [
        (Path::new("podman"), "--version"),
        (Path::new("crun"), "--version"),
        (Path::new("skopeo"), "--version"),
        (Path::new("docker-registry"), "--version"),
        (installer, "version"),
    ]
}

/// The engine's program: the given one, else the one built beside the bench.
fn installer(args: &Args) -> Result<PathBuf> {
    let path = match &args.installer {
        Some(path) => path.clone(),
        None => std::env::current_exe()
            .context("finding the bench's own program")?
            .with_file_name("bootc-installer"),
    };
    fs::canonicalize(&path).with_context(|| {
        format!(
            "there is no {}. Next step: make build, or name another one with --installer",
            path.display()
        )
    })
}

fn push(image: &Image, registry: &Registry) -> Result<String> {
    let imgref = format!("{}/os/bench:v1", registry.host());
    eprintln!("pushing the image to the registry");
    Command::new("skopeo")
        .args([
            "copy",
            "--quiet",
            "--preserve-digests",
            "--dest-tls-verify=false",
        ])
        .arg(format!("oci:{}:{}", image.layout.display(), image.tag))
        .arg(format!("docker://{imgref}"))
        .run()?;
    Ok(imgref)
}

/// The bench's directory in the cache, for one bench at a time.
struct Work {
    dir: PathBuf,
    _lock: nix::fcntl::Flock<File>,
}

impl Work {
    /// Takes the directory and empties it of what an interrupted run left.
    fn open() -> Result<Self> {
        let cache = cache::dir()?;
        let dir = cache.join("bench-install");
        fs::create_dir_all(cache.join(".locks")).context("making the directory of locks")?;
        let lock = cache::lock(&cache.join(".locks/bench-install"))?;
        for name in ["live", "registry", "target.img"] {
            cache::remove_tree(&dir.join(name))?;
        }
        for name in ["live", "registry", "log"] {
            let path = dir.join(name);
            fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        }
        Ok(Self { dir, _lock: lock })
    }

    fn check_space(&self, image: &Image) -> Result<()> {
        let stat = nix::sys::statvfs::statvfs(&self.dir)
            .with_context(|| format!("statvfs of {}", self.dir.display()))?;
        let free = stat.blocks_available() as u64 * stat.fragment_size() as u64;
        let need = image.compressed * TARGET_FACTOR + (1 << 30);
        if free < need {
            bail!(
                "{} has {:.1} GB free, the benchmark with this image needs {:.1} GB. \
                 Next step: make room, or set CALAMARES_BOOTC_CACHE to a bigger disk",
                self.dir.display(),
                free as f64 / 1e9,
                need as f64 / 1e9
            );
        }
        let memory = memory_available()?;
        let need = image.compressed * LIVE_FACTOR;
        if memory < need {
            eprintln!(
                "warning: {:.1} GB of memory are available; podman's way keeps about {:.1} GB \
                 in the live root and will probably fail",
                memory as f64 / 1e9,
                need as f64 / 1e9
            );
        }
        Ok(())
    }

    /// A fresh file system in a sparse file.
    fn target(&self, image: &Image) -> Result<PathBuf> {
        let path = self.dir.join("target.img");
        cache::remove_tree(&path)?;
        let bytes = SMALLEST_TARGET.max(image.compressed * TARGET_FACTOR);
        let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        file.set_len(bytes)
            .with_context(|| format!("sizing {}", path.display()))?;
        drop(file);
        // Nothing is left to do later, in the middle of a measurement.
        Command::new("mkfs.ext4")
            .args(["-q", "-F", "-L", "root", "-O", "verity"])
            .args(["-E", "lazy_itable_init=0,lazy_journal_init=0"])
            .arg(&path)
            .run()?;
        Ok(path)
    }

    /// Waits until what earlier runs wrote is on the disk.
    fn settle(&self) -> Result<()> {
        let dir =
            File::open(&self.dir).with_context(|| format!("opening {}", self.dir.display()))?;
        syncfs(&dir).context("syncing the work directory")
    }
}

impl Drop for Work {
    /// Gives the space of the registry back; logs and unpacked images stay.
    fn drop(&mut self) {
        if let Err(error) = cache::remove_tree(&self.dir.join("registry")) {
            eprintln!("{error:#}");
        }
    }
}

/// What all runs share.
struct Scene<'a> {
    work: &'a Work,
    cgroups: &'a Cgroups,
    root: &'a Path,
    installer: &'a Path,
    registry: &'a str,
    imgref: &'a str,
}

impl Scene<'_> {
    fn run(&self, way: Way, round: usize, image: &Image) -> Result<Run> {
        eprintln!("{} image, round {round}: {}", image.name, way.title());
        let target = self.work.target(image)?;
        self.work.settle()?;
        let group = self.cgroups.start()?;
        let log = self
            .work
            .dir
            .join(format!("log/{}-{}-{round}.log", image.name, way.name()));
        let spec = RunSpec {
            stage: StageSpec {
                live: self.work.dir.join("live"),
                // As on a live system, where the overlay may fill the RAM.
                live_bytes: memory_available()? / 5 * 4,
                target: target.clone(),
                layout: image.layout.clone(),
                root: self.root.to_owned(),
                installer: (!way.is_baseline()).then(|| self.installer.to_owned()),
                config: ways::engine_config(self.registry),
                unified_cgroup: way == Way::Podman,
            },
            steps: way.steps(self.imgref, &image.tag),
            cgroup_procs: group.procs(),
            log: log.clone(),
        };
        let measured = run::start(&spec).with_context(|| format!("running {}", way.name()))?;
        let counted = group.finish()?;
        cache::remove_tree(&target)?;
        if let Some(failure) = &measured.failure {
            bail!("{failure}; the end of {}:\n{}", log.display(), tail(&log)?);
        }
        if measured.deployments.len() != 1 {
            bail!(
                "{} ended well, but the target holds {} deployments instead of one; log: {}",
                way.name(),
                measured.deployments.len(),
                log.display()
            );
        }
        let ticks = sysconf(SysconfVar::CLK_TCK)
            .context("asking for the clock tick")?
            .context("the clock tick is not known")?;
        let run = Run {
            way,
            round,
            cpu: counted.unwrap_or(measured.rusage),
            machine_cpu_s: measured.machine_ticks as f64 / ticks as f64,
            measured,
        };
        eprintln!(
            "  {:.1} s wall, {:.1} s CPU, load {:.1}",
            run.measured.wall_s,
            run.cpu.total(),
            run.measured.load.1
        );
        Ok(run)
    }
}

fn memory_available() -> Result<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
    proc::parse_meminfo(&meminfo, "MemAvailable")
}

fn tail(log: &Path) -> Result<String> {
    let bytes = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"))
}

/// Writes the JSON form.
pub(crate) fn write_json(reports: &[Report], path: &Path) -> Result<()> {
    let reports = reports.iter().map(Report::json);
    let reports: Vec<_> = reports
        .collect::<serde_json::Result<_>>()
        .context("writing the reports as JSON")?;
    let value = serde_json::json!({"version": 1, "reports": reports});
    let mut file = File::create(path).with_context(|| format!("making {}", path.display()))?;
    serde_json::to_writer_pretty(&mut file, &value)
        .map_err(std::io::Error::from)
        .and_then(|()| file.write_all(b"\n"))
        .with_context(|| format!("writing {}", path.display()))
}
