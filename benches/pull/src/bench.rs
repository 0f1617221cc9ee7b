// SPDX-License-Identifier: MIT OR Apache-2.0
//! The comparison as a whole: prepare, run the cases in turn, report.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use bench_kit::machine::Machine;
use bench_kit::proc;
use testkit::cmd::CommandExt;
use testkit::lossy_proxy::{LossyProxy, Network};
use testkit::registry::{Options, Registry, ServerCertificate};
use testkit::{apt, cache};

use crate::case::Case;
use crate::cli::Args;
use crate::image::{Image, Size, TAG};
use crate::measure::{self, Outcome, Place};
use crate::peers::Peers;
use crate::report::{Report, Run};
use crate::tools::{self, Pull, Tool};

/// How much of a failed tool's log is shown.
const LOG_LINES: usize = 5;
const REPOSITORY: &str = "os/pull";
/// The file with the file system that a run gets.
const DISK: &str = "disk.img";
const DISK_BYTES: u64 = 6 << 30;
/// The first of the seeds.
const SEED: u64 = 1;

/// Runs everything.
pub(crate) fn bench(args: &Args) -> Result<Report> {
    if !testkit::cmd::is_root() {
        bail!(
            "podman's storage and our unpacking need root. \
             Next step: run the same command with sudo"
        );
    }
    apt::ensure(tools::PROGRAMS)?;
    let image = Image::make(args.size())?;
    let small = Image::make(Size::Small)?;
    let work = Work::open()?;
    let storage = work.dir.join("registry");
    let registry = Options::default().storage(&storage).start()?;
    push(&image, &registry)?;
    push(&small, &registry)?;
    let certificate = ServerCertificate::make(&["IP:127.0.0.1"])?;
    let certificates = work.dir.join("certs");
    fs::create_dir_all(&certificates).context("making the directory of certificates")?;
    fs::write(certificates.join("ca.crt"), certificate.authority()?)
        .context("writing the authority")?;
    let with_tls = Options::default()
        .storage(&storage)
        .tls(&certificate)
        .start()?;
    let peers = Peers::prepare(args.peers.as_deref(), &work.dir)?;
    let mut machine = Machine::look(&work.dir, &[(Path::new("docker-registry"), "--version")])?;
    machine.versions.extend(peers.versions()?);
    let mut report = Report {
        machine,
        limit: args.limit,
        small: small.clone(),
        image: image.clone(),
        runs: Vec::new(),
    };
    let scene = Scene {
        work: &work,
        peers: &peers,
        plain: registry.address(),
        with_tls: with_tls.address(),
        certificates: &certificates,
        limit: args.limit,
    };
    for case in args.cases() {
        let rounds = match case {
            Case::Clean | Case::Tls => args.runs,
            Case::Link | Case::Resets | Case::Stalls => args.link_runs,
        };
        for round in 1..=rounds {
            for tool in case.tools() {
                report.runs.push(scene.run(case, *tool, &image, round)?);
            }
            // What the size of the image does to memory.
            if case == Case::Clean && image.size != small.size {
                report
                    .runs
                    .push(scene.run(case, Tool::Ours, &small, round)?);
            }
        }
        if case == Case::Clean {
            for tool in case.tools() {
                report.runs.push(scene.count(*tool, &image)?);
            }
        }
    }
    Ok(report)
}

fn push(image: &Image, registry: &Registry) -> Result<()> {
    eprintln!("pushing the {} image to the registry", image.size.name());
    Command::new("skopeo")
        .args(["copy", "--quiet", "--preserve-digests"])
        .arg("--dest-tls-verify=false")
        .arg(format!("oci:{}:{TAG}", image.layout.display()))
        .arg(format!("docker://{}", reference(&registry.host(), image)))
        .run()
}

fn reference(host: &str, image: &Image) -> String {
    format!("{host}/{REPOSITORY}:{}", image.size.name())
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
        fs::create_dir_all(cache.join(".locks")).context("making the directory of locks")?;
        let lock = cache::lock(&cache.join(".locks/bench-pull"))?;
        let dir = cache.join("bench-pull");
        cache::remove_tree(&dir)?;
        fs::create_dir_all(dir.join("log")).with_context(|| format!("making {}", dir.display()))?;
        Ok(Self { dir, _lock: lock })
    }
}

impl Drop for Work {
    /// Gives the space back; the logs stay.
    fn drop(&mut self) {
        for name in [DISK, "pull", "registry"] {
            if let Err(error) = cache::remove_tree(&self.dir.join(name)) {
                eprintln!("{error:#}");
            }
        }
    }
}

/// What all runs share.
struct Scene<'a> {
    work: &'a Work,
    peers: &'a Peers,
    plain: SocketAddr,
    with_tls: SocketAddr,
    certificates: &'a Path,
    limit: u64,
}

impl Scene<'_> {
    fn run(&self, case: Case, tool: Tool, image: &Image, round: u16) -> Result<Run> {
        let proxy = case
            .network(SEED + u64::from(round))
            .map(|network| LossyProxy::start(self.plain, network))
            .transpose()?;
        let host = match (&proxy, case) {
            (Some(proxy), _) => proxy.host(),
            (None, Case::Tls) => self.with_tls.to_string(),
            (None, _) => self.plain.to_string(),
        };
        self.pull(case, tool, image, &host, proxy.as_ref(), &round.to_string())
    }

    /// Bytes on the wire of a clean pull. A run of its own, since counting
    /// costs time.
    fn count(&self, tool: Tool, image: &Image) -> Result<Run> {
        let proxy = LossyProxy::start(self.plain, Network::default())?;
        let host = proxy.host();
        let mut run = self.pull(Case::Clean, tool, image, &host, Some(&proxy), "bytes")?;
        run.only_bytes = true;
        Ok(run)
    }

    fn pull(
        &self,
        case: Case,
        tool: Tool,
        image: &Image,
        host: &str,
        proxy: Option<&LossyProxy>,
        name: &str,
    ) -> Result<Run> {
        let dir = self.work.dir.join("pull");
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        let disk = self.fresh_disk()?;
        self.settle()?;
        let reference = reference(host, image);
        let argv = tool.argv(&Pull {
            reference: &reference,
            dir: &dir,
            tls: (case == Case::Tls).then_some(self.certificates),
            peers: self.peers,
        })?;
        let log = self.work.dir.join(format!(
            "log/{case:?}-{tool:?}-{}-{name}.log",
            image.size.name()
        ));
        eprintln!(
            "{}, {} image, {name}: {}",
            case.title(),
            image.size.name(),
            tool.title()
        );
        let place = Place {
            disk: &disk,
            dir: &dir,
        };
        let measured = measure::run(&argv, place, &log, self.limit)?;
        let run = Run {
            case,
            tool,
            size: image.size,
            only_bytes: false,
            counts: proxy.map(|proxy| proxy.counts().into()),
            load: load()?,
            measured,
        };
        eprintln!("  {}", run.line());
        if run.measured.outcome == Outcome::Failed {
            eprintln!("{}", tail(&log)?);
            // On a perfect network nobody has a reason to.
            let perfect = matches!(case, Case::Clean | Case::Tls);
            if tool == Tool::Ours || perfect {
                bail!("{} failed. Next step: see {}", tool.title(), log.display());
            }
        }
        Ok(run)
    }

    /// A new file system in a sparse file. Nobody is to pay for what others
    /// have left: where a tree of many files was just removed, a second one was
    /// measured to be slow (probably ext4 passing over the freed inodes).
    fn fresh_disk(&self) -> Result<PathBuf> {
        let path = self.work.dir.join(DISK);
        cache::remove_tree(&path)?;
        let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        file.set_len(DISK_BYTES)
            .with_context(|| format!("sizing {}", path.display()))?;
        // Nothing is left to do later, in the middle of a measurement.
        Command::new("mkfs.ext4")
            .args(["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
            .arg(&path)
            .run()?;
        Ok(path)
    }

    /// Waits until what earlier runs wrote is on the disk.
    fn settle(&self) -> Result<()> {
        let dir = File::open(&self.work.dir).context("opening the work directory")?;
        nix::unistd::syncfs(&dir).context("syncing the work directory")
    }
}

fn load() -> Result<f64> {
    proc::parse_load(&fs::read_to_string("/proc/loadavg").context("reading /proc/loadavg")?)
}

fn tail(log: &Path) -> Result<String> {
    let bytes = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"))
}
