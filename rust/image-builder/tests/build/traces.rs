// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a build can leave behind: mounts, processes, loop devices.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Whatever the kernel ends, ends within this time on the slowest machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Mount points below a directory in this process's namespace.
pub(crate) fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let point = |line: &str| line.split(' ').nth(4).map(PathBuf::from);
    let mut points: Vec<_> = table.lines().filter_map(point).collect();
    points.retain(|point| point.starts_with(dir) && point != dir);
    points
}

/// Processes other than this one that work below a directory, or have it or a
/// file system in it mounted elsewhere; with their command lines.
pub(crate) fn processes_of(dir: &Path) -> Vec<String> {
    let name = dir.file_name().unwrap().to_str().unwrap();
    let own = std::process::id();
    let here = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let devices: Vec<&str> = here
        .lines()
        .map(Mount::of)
        .filter(|mount| Path::new(mount.point).starts_with(dir))
        .map(|mount| mount.device)
        .collect();
    // Any namespace that was made meanwhile has a copy of what is mounted in
    // there; only a build's own has it in another place.
    let ours = |mount: Mount<'_>| {
        !Path::new(mount.point).starts_with(dir)
            && (mount.root.contains(name) || devices.contains(&mount.device))
    };
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name();
        let Some(pid) = pid.to_str().and_then(|pid| pid.parse::<u32>().ok()) else {
            continue;
        };
        let proc = entry.path();
        let stands =
            |link: &str| fs::read_link(proc.join(link)).is_ok_and(|place| place.starts_with(dir));
        // Unreadable once it has ended.
        let sees = || {
            fs::read_to_string(proc.join("mountinfo"))
                .is_ok_and(|table| table.lines().map(Mount::of).any(ours))
        };
        if pid != own && (stands("root") || stands("cwd") || sees()) {
            let line = fs::read(proc.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("{pid} {line}"));
        }
    }
    found
}

/// A line of mountinfo (proc(5)).
struct Mount<'l> {
    device: &'l str,
    /// What of the file system is mounted.
    root: &'l str,
    point: &'l str,
}

impl<'l> Mount<'l> {
    fn of(line: &'l str) -> Self {
        let mut fields = line.split(' ').skip(2).map(Some).chain([None; 3]);
        let mut next = || fields.next().flatten().unwrap_or_default();
        Self {
            device: next(),
            root: next(),
            point: next(),
        }
    }
}

/// Files below a directory that are behind loop devices.
pub(crate) fn loops_of(dir: &Path) -> Vec<PathBuf> {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    let file = |device: fs::DirEntry| {
        let file = fs::read_to_string(device.path().join("loop/backing_file")).ok()?;
        let file = PathBuf::from(file.trim_end());
        file.starts_with(dir).then_some(file)
    };
    devices.filter_map(file).collect()
}

/// Every entry below a directory, sorted, by its path from there.
pub(crate) fn entries_of(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(place) = todo.pop() {
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            }
            found.push(entry.path().strip_prefix(dir).unwrap().to_owned());
        }
    }
    found.sort();
    found
}

/// Waits for what the kernel tells nobody of: the end of processes that are not
/// our children.
#[track_caller]
pub(crate) fn wait_until_none<T: std::fmt::Debug>(what: &str, left: impl Fn() -> Vec<T>) {
    let end = Instant::now() + LIMIT;
    loop {
        let left = left();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "{what} are left: {left:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
