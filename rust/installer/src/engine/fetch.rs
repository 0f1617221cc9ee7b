// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image's bytes: pulled, and unpacked into a runtime root while they
//! arrive.
//!
//! Two threads: this one runs the pull, a second one unpacks layer after layer
//! as soon as each is complete and verified. What fails first stops the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use contract::error::{Code, Error, Result};
use contract::event::{Event, EventSink, Level, Progress, Task};
use contract::plan::Source;
use host::cancel::Cancel;
use registry::{
    ErrorKind, OciLayout, PullObserver, PullReport, Registry, RegistryError, ResolvedImage,
};
use sandbox::scratch::Scratch;
use source::client;
use source::coded::Coded;
use unpack::{UnpackFilter, Unpacker};

use super::{Engine, unpacks};
use crate::check::Checked;

/// Counters are sent at most this often; a sink may thin them out further.
const TICK: Duration = Duration::from_millis(100);

/// Counters are sent at least this often during a pull.
const BEAT: Duration = Duration::from_secs(1);

/// The image, ready for bootc.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The OCI layout that holds it.
    pub(super) layout: PathBuf,
    /// Bytes that came over the network.
    pub(super) downloaded: u64,
}

/// Brings the image where bootc can read it, and its runtime root when the plan
/// wants one unpacked.
pub(super) fn fetch(engine: &Engine<'_>, scratch: &Scratch, checked: &Checked) -> Result<Fetched> {
    let image = &checked.found.image;
    let unpack = unpacks(engine.plan).then(|| scratch.rootfs());
    match &checked.found.source {
        Source::OciLayout { path, .. } => {
            let layout = OciLayout::open(path).map_err(|e| source::coded::layout_error(path, e))?;
            if let Some(rootfs) = unpack {
                let ready =
                    (0..image.layers.len()).map(|i| (i, layout.blob_path(&image.layers[i].digest)));
                // Nobody has looked at these bytes yet.
                let unpacking = Unpacking::new(engine, checked, true);
                unpacking.run(&rootfs, ready, engine.cancel)?;
            }
            Ok(Fetched {
                layout: path.clone(),
                downloaded: 0,
            })
        }
        Source::Registry => pull(engine, &scratch.oci(), unpack, checked),
    }
}

fn pull(
    engine: &Engine<'_>,
    dir: &Path,
    unpack: Option<PathBuf>,
    checked: &Checked,
) -> Result<Fetched> {
    let image = &checked.found.image;
    let registry =
        Registry::new(client::client_config(engine.plan, engine.secrets)?).map_err(Coded::coded)?;
    let layout = OciLayout::create(dir).map_err(Coded::coded)?;
    // Raised by whichever thread fails, so that the other one ends as well.
    let stop = engine.cancel.child();
    let (ready, arriving) = mpsc::channel();
    let report = std::thread::scope(|scope| {
        let unpacker = unpack.as_ref().map(|rootfs| {
            let (stop, engine) = (&stop, engine);
            scope.spawn(move || {
                let unpacking = Unpacking::new(engine, checked, false);
                let done = unpacking.run(rootfs, arriving.into_iter(), stop);
                if done.is_err() {
                    stop.cancel();
                }
                done
            })
        });
        let start = engine.start(Task::Pull, "Downloading the image");
        let watch = Watch::new(engine.sink, image, ready);
        let pulled = transfer(&registry, image, &layout, &watch, &stop);
        if pulled.is_err() {
            stop.cancel();
        } else {
            watch.tell();
            engine.end(Task::Pull, start);
        }
        // The unpacker ends when no more layers can come.
        drop(watch);
        let unpacked = match unpacker.map(std::thread::ScopedJoinHandle::join) {
            None => Ok(()),
            Some(Ok(done)) => done,
            Some(Err(_)) => Err(Error::new(Code::Internal, "Unpacking ended unexpectedly.")),
        };
        // The one that was only stopped by the other is not the cause.
        match (pulled, unpacked) {
            (Ok(report), Ok(())) => Ok(report),
            (Err(e), Err(unpack)) if e.code == Code::Cancelled => Err(unpack),
            (Err(e), _) | (Ok(_), Err(e)) => Err(e),
        }
    })?;
    Ok(Fetched {
        layout: dir.to_owned(),
        downloaded: report.downloaded,
    })
}

fn transfer(
    registry: &Registry,
    image: &ResolvedImage,
    layout: &OciLayout,
    watch: &Watch<'_>,
    stop: &Cancel,
) -> Result<PullReport> {
    let runtime = client::runtime()?;
    let pulled = runtime.block_on(async {
        let mut pull = std::pin::pin!(registry.pull(image, layout, watch, stop.token()));
        // While nothing comes, the rate has to fall.
        let mut beat = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                biased;
                done = &mut pull => return done,
                _ = beat.tick() => watch.tell_now_and_then(),
            }
        }
    });
    pulled.map_err(Coded::coded)
}

/// Turns what the pull tells into events and hands complete layers on.
struct Watch<'a> {
    sink: &'a dyn EventSink,
    bytes: AtomicU64,
    layers: AtomicU64,
    total: u64,
    count: u64,
    ready: Mutex<mpsc::Sender<(usize, PathBuf)>>,
    told: Mutex<Option<Instant>>,
}

impl<'a> Watch<'a> {
    fn new(
        sink: &'a dyn EventSink,
        image: &ResolvedImage,
        ready: mpsc::Sender<(usize, PathBuf)>,
    ) -> Self {
        Self {
            sink,
            bytes: AtomicU64::new(0),
            layers: AtomicU64::new(0),
            total: image.compressed_size(),
            count: image.layers.len() as u64,
            ready: Mutex::new(ready),
            told: Mutex::new(None),
        }
    }

    fn tell(&self) {
        self.sink.send(Event::Progress {
            task: Task::Pull,
            id: Task::Pull.name().into(),
            progress: Progress {
                bytes: self.bytes.load(Ordering::Relaxed),
                bytes_total: self.total,
                steps: self.layers.load(Ordering::Relaxed),
                steps_total: self.count,
                ..Progress::default()
            },
        });
    }

    fn tell_now_and_then(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TICK) {
            *told = Some(Instant::now());
            drop(told);
            self.tell();
        }
    }
}

impl PullObserver for Watch<'_> {
    fn bytes(&self, _layer: usize, n: u64) {
        self.bytes.fetch_add(n, Ordering::Relaxed);
        self.tell_now_and_then();
    }

    fn rewound(&self, _layer: usize, n: u64) {
        self.bytes.fetch_sub(n, Ordering::Relaxed);
        self.tell_now_and_then();
    }

    fn layer_done(&self, layer: usize, path: &Path) {
        self.layers.fetch_add(1, Ordering::Relaxed);
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.send((layer, path.to_owned())).is_err() {
            // Nothing is to be unpacked, or that has failed and says so itself.
            tracing::debug!(layer, "nobody waits for the layer");
        }
    }

    fn retry(&self, layer: usize, attempt: u32, error: &RegistryError, delay: Duration) {
        self.sink.send(Event::Message {
            level: Level::Info,
            id: "pull-retry".into(),
            text: retry_text(layer, attempt, error, delay),
        });
    }
}

fn retry_text(layer: usize, attempt: u32, error: &RegistryError, delay: Duration) -> String {
    let what = match error.kind() {
        // The registry is well connected, and says so.
        ErrorKind::RateLimited => "The registry asks to wait",
        ErrorKind::Server => "The registry is in trouble",
        _ => "Connection lost",
    };
    format!(
        "{what}, trying again ({attempt}) in {:.1} s: layer {}, {error}",
        delay.as_secs_f64(),
        layer + 1
    )
}

/// The unpacking of one image.
struct Unpacking<'a> {
    engine: &'a Engine<'a>,
    image: &'a ResolvedImage,
    /// Bytes to leave free, see [`SpaceNeed`](crate::space::SpaceNeed).
    keep_free: u64,
    /// The blobs' digests were not checked before.
    verify: bool,
    bytes: AtomicU64,
    told: Mutex<Option<Instant>>,
}

impl<'a> Unpacking<'a> {
    fn new(engine: &'a Engine<'a>, checked: &'a Checked, verify: bool) -> Self {
        Self {
            engine,
            image: &checked.found.image,
            keep_free: checked.space.keep_free,
            verify,
            bytes: AtomicU64::new(0),
            told: Mutex::new(None),
        }
    }

    /// Unpacks layers in their order, whatever the order in which they get
    /// ready. Ends early, without an error, when not all of them do: whoever
    /// was to bring them says why.
    fn run(
        &self,
        rootfs: &Path,
        ready: impl Iterator<Item = (usize, PathBuf)>,
        cancel: &Cancel,
    ) -> Result<()> {
        let start = self.engine.start(Task::Unpack, "Unpacking the image");
        let mut unpacker = Unpacker::create(rootfs, UnpackFilter::Lean)?.keep_free(self.keep_free);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (index, path) in ready {
            waiting.insert(index, path);
            while let Some(path) = waiting.remove(&next) {
                let layer = &self.image.layers[next];
                let steps = next as u64;
                let on_bytes = |n| self.bytes(n, steps);
                unpacker.apply(layer, &path, self.verify, &on_bytes, cancel)?;
                next += 1;
            }
        }
        if next < self.image.layers.len() {
            return Ok(());
        }
        unpacker.finish()?;
        self.tell(next as u64);
        self.engine.end(Task::Unpack, start);
        Ok(())
    }

    fn bytes(&self, n: u64, steps: u64) {
        self.bytes.fetch_add(n, Ordering::Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TICK) {
            *told = Some(Instant::now());
            drop(told);
            self.tell(steps);
        }
    }

    fn tell(&self, steps: u64) {
        self.engine.sink.send(Event::Progress {
            task: Task::Unpack,
            id: Task::Unpack.name().into(),
            progress: Progress {
                bytes: self.bytes.load(Ordering::Relaxed),
                bytes_total: self
                    .image
                    .layers
                    .iter()
                    .map(|l| l.size)
                    .fold(0, u64::saturating_add),
                steps,
                steps_total: self.image.layers.len() as u64,
                ..Progress::default()
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_is_told_about_a_retry() {
        let host = || "r.io".to_owned();
        let limited = RegistryError::RateLimited {
            host: host(),
            detail: String::new(),
            retry_after: Some(Duration::from_secs(60)),
            logged_in: false,
        };
        let lost = RegistryError::Stalled {
            host: host(),
            what: "layer 2 of r.io/a:1".into(),
            seconds: 15.0,
        };
        for (error, delay, expected) in [
            (
                limited,
                Duration::from_secs(62),
                "The registry asks to wait, trying again (3) in 62.0 s: layer 2, \
                 r.io refuses more pulls for now and asks to wait 60 s",
            ),
            (
                lost,
                Duration::from_millis(300),
                "Connection lost, trying again (3) in 0.3 s: layer 2, \
                 r.io sent nothing for 15 s while reading layer 2 of r.io/a:1",
            ),
        ] {
            assert_eq!(retry_text(1, 3, &error, delay), expected);
        }
    }
}
