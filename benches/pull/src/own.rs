// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hidden subcommand: our side, in a process of its own, as the engine does
//! it: one thread for the network, another one for the runtime root.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use host::cancel::Cancel;
use imageref::Reference;
use registry::{
    ClientConfig, OciLayout, Platform, PullObserver, PullReport, Registry, ResolvedImage,
};
use unpack::{UnpackFilter, Unpacker};

/// Its name.
pub(crate) const NAME: &str = "pull";

#[derive(Debug, Parser)]
struct Args {
    /// [`NAME`].
    _name: String,
    reference: Reference,
    /// The layout is made in `oci` below it, the root in `root`.
    dir: PathBuf,
    /// Plain HTTP.
    #[arg(long)]
    insecure: bool,
    /// An authority to trust, a PEM file.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Unpack the image as well.
    #[arg(long)]
    unpack: bool,
}

/// Pulls, and says on standard output what it took.
pub(crate) fn main() -> Result<()> {
    let args = Args::parse();
    let report = run(&args)?;
    writeln!(
        std::io::stdout(),
        "{} bytes, {} retries",
        report.downloaded,
        report.retries
    )
    .context("printing")
}

fn run(args: &Args) -> Result<PullReport> {
    let mut config = ClientConfig::default();
    if args.insecure {
        let host = args.reference.registry().to_owned();
        config.insecure_hosts.insert(host);
    }
    if let Some(ca) = &args.ca {
        let pem = std::fs::read(ca).with_context(|| format!("reading {}", ca.display()))?;
        let host = args.reference.registry().to_owned();
        config.extra_ca_pem.push((host, pem));
    }
    let registry = Registry::new(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let image = runtime.block_on(registry.resolve(&args.reference, &Platform::host()))?;
    let layout = OciLayout::create(&args.dir.join("oci"))?;
    let cancel = Cancel::new();
    if !args.unpack {
        let pull = registry.pull(&image, &layout, &registry::NoObserver, cancel.token());
        return Ok(runtime.block_on(pull)?);
    }
    let root = args.dir.join("root");
    std::fs::create_dir(&root).with_context(|| format!("making {}", root.display()))?;
    let (ready, arriving) = mpsc::channel();
    std::thread::scope(|scope| {
        let (image, cancel) = (&image, &cancel);
        let unpacking = scope.spawn(move || {
            let unpacked = unpack(image, &root, arriving, cancel);
            if unpacked.is_err() {
                cancel.cancel();
            }
            unpacked
        });
        let watch = Watch(Mutex::new(ready));
        let pulled = runtime.block_on(registry.pull(image, &layout, &watch, cancel.token()));
        // No more layers can come.
        drop(watch);
        let unpacked = unpacking
            .join()
            .map_err(|_| anyhow!("unpacking panicked"))?;
        let report = pulled?;
        unpacked.map(|()| report)
    })
}

struct Watch(Mutex<mpsc::Sender<(usize, PathBuf)>>);

impl PullObserver for Watch {
    fn layer_done(&self, layer: usize, path: &Path) {
        let ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever does not wait any more has failed and says so.
        ready.send((layer, path.to_owned())).ok();
    }
}

/// In layer order, whatever the order in which they get ready.
fn unpack(
    image: &ResolvedImage,
    root: &Path,
    ready: mpsc::Receiver<(usize, PathBuf)>,
    cancel: &Cancel,
) -> Result<()> {
    let mut unpacker = Unpacker::create(root, UnpackFilter::Lean)?;
    let (mut waiting, mut next) = (BTreeMap::new(), 0);
    for (index, path) in ready {
        waiting.insert(index, path);
        while let Some(path) = waiting.remove(&next) {
            unpacker.apply(&image.layers[next], &path, false, &|_| {}, cancel)?;
            next += 1;
        }
    }
    anyhow::ensure!(next == image.layers.len(), "only {next} layers arrived");
    Ok(unpacker.finish()?)
}
