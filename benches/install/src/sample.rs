// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peaks of memory and disk, by looking ten times a second.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bench_kit::proc::{self, Memory};
use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};

const INTERVAL: Duration = Duration::from_millis(100);

/// Highest values that were seen, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Peaks {
    /// Sum of the resident memory of all processes. Pages that processes
    /// share count once for each of them.
    pub(crate) rss: u64,
    /// Who made up the peak of `rss`, the biggest first.
    pub(crate) rss_by: Vec<Memory>,
    /// Sum of the anonymous memory of all processes.
    pub(crate) anon: u64,
    /// Sum of the proportional memory of all processes: shared pages once.
    pub(crate) pss: u64,
    /// Used on the tmpfs that stands in for the live system's root, and on
    /// every tmpfs that was mounted meanwhile, wherever: it is the same RAM.
    pub(crate) live: u64,
    /// Used on the target, with what an empty file system uses.
    pub(crate) target: u64,
    /// How many looks these are.
    pub(crate) samples: u64,
}

impl Peaks {
    fn memory(&mut self, mut processes: Vec<Memory>) {
        let rss = processes.iter().map(|p| p.rss).sum();
        let anon = processes.iter().map(|p| p.anon).sum();
        let pss = processes.iter().map(|p| p.pss).sum();
        self.anon = self.anon.max(anon);
        self.pss = self.pss.max(pss);
        if rss > self.rss {
            processes.sort_by_key(|p| std::cmp::Reverse(p.rss));
            self.rss = rss;
            self.rss_by = processes;
        }
    }

    fn disk(&mut self, live: u64, target: u64) {
        self.live = self.live.max(live);
        self.target = self.target.max(target);
    }
}

/// Bytes in use on the file system that holds `path`.
pub(crate) fn used_bytes(path: &Path) -> Result<u64> {
    let stat = statvfs(path).with_context(|| format!("statvfs of {}", path.display()))?;
    used(
        stat.blocks() as u64,
        stat.blocks_free() as u64,
        stat.fragment_size() as u64,
    )
}

/// statvfs(3): all blocks less the free ones (those reserved for root are
/// free), in units of the fragment size.
fn used(blocks: u64, free: u64, fragment: u64) -> Result<u64> {
    blocks
        .checked_sub(free)
        .and_then(|blocks| blocks.checked_mul(fragment))
        .with_context(|| format!("statvfs: {free} of {blocks} blocks free"))
}

/// Looks at everything in the own pid namespace, except at its pid 1, which
/// is the measuring itself.
#[derive(Debug)]
pub(crate) struct Sampler {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Result<Peaks>>,
}

impl Sampler {
    /// Starts looking. `live` and `target` are paths on the file systems.
    pub(crate) fn start(live: PathBuf, target: PathBuf) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let old = tmpfs_of_all()?.into_keys().collect::<BTreeSet<_>>();
        let thread = std::thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || {
                let mut peaks = Peaks::default();
                loop {
                    peaks.memory(processes()?);
                    let new = tmpfs_of_all()?;
                    let new = new.iter().filter(|(device, _)| !old.contains(*device));
                    let mounted: u64 = new.map(|(_, used)| used).sum();
                    peaks.disk(used_bytes(&live)? + mounted, used_bytes(&target)?);
                    peaks.samples += 1;
                    match stopped.recv_timeout(INTERVAL) {
                        Err(RecvTimeoutError::Timeout) => {}
                        Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(peaks),
                    }
                }
            })
            .context("starting the sampling thread")?;
        Ok(Self { stop, thread })
    }

    /// Stops, after the look that is under way.
    pub(crate) fn finish(self) -> Result<Peaks> {
        // A thread that has failed already has dropped its end.
        drop(self.stop);
        self.thread
            .join()
            .map_err(|_| anyhow!("the sampling thread panicked"))?
    }
}

fn processes() -> Result<Vec<Memory>> {
    let mut found = Vec::new();
    for dir in process_dirs()? {
        if dir.ends_with("1") {
            continue;
        }
        // A process that ends between the two calls is no error.
        let Ok(status) = fs::read_to_string(dir.join("status")) else {
            continue;
        };
        let Some(mut memory) = proc::parse_status(&status)? else {
            continue;
        };
        let rollup = fs::read_to_string(dir.join("smaps_rollup")).ok();
        if let Some(pss) = rollup.and_then(|text| proc::parse_smaps_rollup(&text)) {
            memory.pss = pss;
        }
        found.push(memory);
    }
    Ok(found)
}

/// Bytes in use on each tmpfs, by device number, that any process of the own
/// pid namespace sees in its mount namespace. What cannot be looked at (a
/// process that has ended, a mount hidden by another one) is passed over.
fn tmpfs_of_all() -> Result<BTreeMap<(u64, u64), u64>> {
    let (mut namespaces, mut found) = (BTreeSet::new(), BTreeMap::new());
    for dir in process_dirs()? {
        let Ok(namespace) = fs::read_link(dir.join("ns/mnt")) else {
            continue;
        };
        // The root is part of it: after chroot(2) the table is another one.
        let root = fs::metadata(dir.join("root")).map(|meta| (meta.dev(), meta.ino()));
        if !namespaces.insert((namespace, root.ok())) {
            continue;
        }
        let Ok(mountinfo) = fs::read_to_string(dir.join("mountinfo")) else {
            continue;
        };
        for tmpfs in proc::parse_tmpfs(&mountinfo) {
            let relative = tmpfs.mount_point.trim_start_matches('/');
            let path = dir.join("root").join(relative);
            let device = fs::metadata(&path).map(|meta| {
                let device = meta.dev();
                (nix::sys::stat::major(device), nix::sys::stat::minor(device))
            });
            if device.is_ok_and(|device| device == tmpfs.device) {
                found
                    .entry(tmpfs.device)
                    .or_insert(used_bytes(&path).unwrap_or(0));
            }
        }
    }
    Ok(found)
}

/// `/proc/PID` of everything in the own pid namespace.
fn process_dirs() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let entry = entry.context("reading /proc")?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|n| n.parse::<u32>().is_ok()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn process(name: &str, rss: u64, anon: u64) -> Memory {
        Memory {
            name: name.to_owned(),
            rss,
            anon,
            pss: rss / 2,
        }
    }

    #[test]
    fn peaks_are_of_sums_and_independent() {
        let mut peaks = Peaks::default();
        peaks.memory(vec![process("a", 10, 9), process("b", 30, 1)]);
        peaks.memory(vec![process("a", 20, 19)]);
        peaks.memory(vec![]);
        peaks.disk(5, 100);
        peaks.disk(7, 50);
        assert_eq!((peaks.rss, peaks.anon, peaks.pss), (40, 19, 20));
        assert_eq!((peaks.live, peaks.target), (7, 100));
        let names: Vec<_> = peaks.rss_by.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn used_counts_reserved_blocks_as_free() {
        let cases = [(100, 40, 4096, 60 * 4096), (100, 100, 512, 0), (0, 0, 1, 0)];
        for (blocks, free, fragment, bytes) in cases {
            assert_eq!(used(blocks, free, fragment).unwrap(), bytes);
        }
        assert!(used(1, 2, 4096).is_err());
        assert!(used(u64::MAX, 0, 4096).is_err());
    }

    #[test]
    fn tmpfs_of_other_processes_are_no_error() {
        let all = tmpfs_of_all().unwrap();
        assert!(all.keys().all(|(major, _)| *major == 0), "{all:?}");
    }

    #[test]
    fn the_own_process_is_seen() {
        let all = processes().unwrap();
        assert!(all.iter().any(|p| p.rss > 0), "{all:?}");
    }
}
