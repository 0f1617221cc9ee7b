// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an installation can leave behind: processes, loop devices, mounts, and
//! files with what should be in none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Whatever ends, ends within this time on the slowest machine.
const LIMIT: Duration = Duration::from_secs(120);

/// The mounts of this thread's namespace, by their numbers; `/proc/self` would
/// be those of the process's first thread.
pub(crate) fn mounts() -> BTreeMap<String, String> {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let numbered = |line: &str| Some((line.split(' ').next()?.to_owned(), line.to_owned()));
    table.lines().filter_map(numbered).collect()
}

/// Whether something is mounted at or below `dir` in this thread's namespace.
/// When that cannot be told, it is.
pub(crate) fn is_mounted_below(dir: &Path) -> bool {
    let Ok(table) = fs::read_to_string("/proc/thread-self/mountinfo") else {
        return true;
    };
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .any(|point| Path::new(point).starts_with(dir))
}

/// Asserts that nothing was mounted since. What other programs have mounted may
/// be renamed or go at any time, but nobody else can mount anything here.
#[track_caller]
pub(crate) fn assert_no_new_mount(before: &BTreeMap<String, String>) {
    let mut now = mounts();
    now.retain(|number, _| !before.contains_key(number));
    assert!(now.is_empty(), "new mounts: {now:#?}");
}

/// The files below these directories that hold one of the texts.
pub fn files_with(directories: &[&Path], texts: &[impl AsRef<str>]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in directories {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue; // gone meanwhile
            };
            let path = entry.path();
            if kind.is_dir() {
                found.extend(files_with(&[&path], texts));
            } else if kind.is_file() {
                // Not the file systems of the targets, which are looked at mounted.
                let content = match entry.metadata() {
                    Ok(metadata) if metadata.len() < 512 * 1024 * 1024 => fs::read(&path),
                    _ => continue,
                };
                let content = content.unwrap_or_default();
                let content = String::from_utf8_lossy(&content);
                if texts.iter().any(|text| content.contains(text.as_ref())) {
                    found.push(path);
                }
            }
        }
    }
    found
}

/// Processes and loop devices that have to do with a test's directory.
///
/// Files in it are mounted in the namespaces of the test and of its
/// installations only, so that a process belongs to the test if and only if
/// its mount table names the directory or a loop device of a file in it.
#[derive(Debug)]
pub(crate) struct Traces {
    /// Loop devices of files in the directory, and the files.
    pub(crate) loops: Vec<(PathBuf, PathBuf)>,
    /// Processes other than this one and the registries.
    pub(crate) processes: BTreeSet<i32>,
}

impl Traces {
    /// Looks for them.
    pub(crate) fn of(dir: &Path) -> Self {
        let loops = loops(dir);
        let ours = |line: &str| {
            let source = line
                .split_once(" - ")
                .and_then(|(_, r)| r.split(' ').nth(1));
            line.contains(dir.to_str().unwrap_or("?"))
                || source.is_some_and(|s| loops.iter().any(|(device, _)| is_of(s, device)))
        };
        let own = i32::try_from(std::process::id()).unwrap();
        let processes = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|&pid| pid != own && name(pid) != "docker-registry")
            .filter(|&pid| {
                // It has its file's name before anything is mounted.
                let janitor = command_line(pid);
                if janitor.contains("disk-janitor") && janitor.contains(dir.to_str().unwrap()) {
                    return true;
                }
                // Unreadable once it has ended.
                let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo"));
                mounts.is_ok_and(|text| text.lines().any(ours))
            })
            .collect();
        Self { loops, processes }
    }

    /// Number, arguments and environment of each process.
    pub(crate) fn descriptions(&self) -> Vec<String> {
        let environment = |pid| fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let describe = |&pid: &i32| {
            let environment = String::from_utf8_lossy(&environment(pid)).replace('\0', " ");
            format!("{} [{environment}]", command_line(pid))
        };
        self.processes.iter().map(describe).collect()
    }

    /// Asserts that no process is there.
    #[track_caller]
    pub(crate) fn assert_no_process(&self) {
        let names: Vec<_> = self.processes.iter().map(|&p| command_line(p)).collect();
        assert!(names.is_empty(), "processes are left: {names:?}");
    }
}

/// Whether `source` is the device, or a partition of it.
fn is_of(source: &str, device: &Path) -> bool {
    let rest = source.strip_prefix(&*device.to_string_lossy());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('p'))
}

/// Waits until all processes of `dir` have ended; gives one that does not.
pub(crate) fn wait_for_the_end(dir: &Path) -> Option<String> {
    let end = Instant::now() + LIMIT;
    loop {
        let processes = Traces::of(dir).processes;
        let pid = *processes.first()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Some(command_line(pid));
        }
        // Gone between the look and the call: then look again.
        let Ok(fd) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else {
            continue;
        };
        let timeout = Timespec::try_from(left).unwrap();
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout)).unwrap();
    }
}

/// Waits until `done`, for the rare thing that the kernel tells nobody of.
#[track_caller]
pub(crate) fn wait_until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The processes of `dir` whose command line holds `word`.
pub(crate) fn processes_with(dir: &Path, word: &str) -> Vec<i32> {
    let processes = Traces::of(dir).processes.into_iter();
    processes
        .filter(|&p| command_line(p).contains(word))
        .collect()
}

fn name(pid: i32) -> String {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
    comm.unwrap_or_default().trim_end().to_owned()
}

/// Pid and arguments, for messages.
fn command_line(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&line).replace('\0', " ");
    format!("{pid} {words}")
}

/// Loop devices with a file in `dir` behind them, and the file.
pub(crate) fn loops(dir: &Path) -> Vec<(PathBuf, PathBuf)> {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    devices
        .filter_map(|device| {
            let file = fs::read_to_string(device.path().join("loop/backing_file")).ok()?;
            let file = PathBuf::from(file.trim_end());
            let device = Path::new("/dev").join(device.file_name());
            file.starts_with(dir).then_some((device, file))
        })
        .collect()
}
