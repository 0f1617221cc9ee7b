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
pub struct Holder {
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
pub fn of(path: &Path) -> Vec<Holder> {
    let Ok(device) = fs::metadata(path).map(|meta| meta.dev()) else {
        return Vec::new();
    };
    all(&|link| fs::metadata(link).is_ok_and(|meta| meta.dev() == device))
}

/// The same for what lies below `path`: for a file system that is mounted
/// elsewhere as well, such as `/dev`, where others may use it.
pub fn below(path: &Path) -> Vec<Holder> {
    all(&|link| fs::read_link(link).is_ok_and(|target| target.starts_with(path)))
}

/// The processes one of whose links in `/proc` is `held`.
fn all(held: &dyn Fn(&Path) -> bool) -> Vec<Holder> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| holder(pid, held))
        .take(MAX)
        .collect()
}

fn holder(pid: u32, held: &dyn Fn(&Path) -> bool) -> Option<Holder> {
    let dir = Path::new("/proc").join(pid.to_string());
    let what = ["cwd", "root", "exe"]
        .into_iter()
        .find(|name| held(&dir.join(name)))
        .map(str::to_owned)
        .or_else(|| {
            let fds = fs::read_dir(dir.join("fd")).ok()?;
            fds.flatten()
                .find(|fd| held(&fd.path()))
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
        let own = std::process::id();
        let dir = std::env::current_dir().unwrap();
        let held = holder(own, &|link| {
            fs::read_link(link).is_ok_and(|target| target.starts_with(&dir))
        });
        let held = held.unwrap();
        assert_eq!(held.pid, own);
        assert!(!held.command.is_empty());
        assert!(held.to_string().contains(&format!("pid {own}")));
    }

    #[test]
    fn an_open_file_holds_what_it_lies_below() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(below(dir.path()), []);
        let file = fs::File::create(dir.path().join("file")).unwrap();
        let holders = below(dir.path());
        assert_eq!(holders.len(), 1, "{holders:?}");
        assert!(holders[0].what.starts_with("fd "));
        drop(file);
    }

    #[test]
    fn nobody_holds_what_is_not_there() {
        assert!(of(Path::new("/no/such/directory")).is_empty());
        assert!(below(Path::new("/no/such/directory")).is_empty());
    }
}
