// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who keeps a file system busy, as far as `/proc` tells.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// More than these are not listed.
const MAX: usize = 10;

/// A process that uses a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pid: u32,
    command: String,
    /// What it holds: `cwd`, `root`, `exe` or `fd 3`.
    what: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {}, {})", self.command, self.pid, self.what)
    }
}

/// Processes with their working directory, root, program or an open file on
/// the file system that `path` lies on.
pub(super) fn of(path: &Path) -> Vec<Holder> {
    let Ok(device) = fs::metadata(path).map(|meta| meta.dev()) else {
        return Vec::new();
    };
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| holder(pid, device))
        .take(MAX)
        .collect()
}

fn holder(pid: u32, device: u64) -> Option<Holder> {
    let dir = Path::new("/proc").join(pid.to_string());
    let on_device = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.dev() == device);
    let what = ["cwd", "root", "exe"]
        .into_iter()
        .find(|name| on_device(&dir.join(name)))
        .map(str::to_owned)
        .or_else(|| {
            let fds = fs::read_dir(dir.join("fd")).ok()?;
            fds.flatten()
                .find(|fd| on_device(&fd.path()))
                .map(|fd| format!("fd {}", fd.file_name().to_string_lossy()))
        })?;
    // Gone meanwhile: then it holds nothing.
    let command = fs::read_to_string(dir.join("comm")).ok()?;
    Some(Holder {
        pid,
        command: command.trim_end().to_owned(),
        what,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_process_holds_its_own_working_directory() {
        let device = fs::metadata("/proc/self/cwd/.").unwrap().dev();
        let held = holder(std::process::id(), device).unwrap();
        assert_eq!(held.pid, std::process::id());
        assert!(!held.command.is_empty());
        assert!(held.to_string().contains(&format!("pid {}", held.pid)));
    }

    #[test]
    fn nobody_holds_what_is_not_there() {
        assert!(of(Path::new("/no/such/directory")).is_empty());
    }
}
