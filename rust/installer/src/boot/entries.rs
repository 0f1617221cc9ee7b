// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boot loader entries that bootc wrote (Boot Loader Specification,
//! type 1): what the kernel will be told.

use std::path::Path;

use contract::error::{Code, Error, Result};

/// Where they are, below the target's root. `/boot` may be a file system of its
/// own, which is mounted there.
const ENTRIES: &str = "boot/loader/entries";

/// The kernel command line of the entry that boots first.
///
/// # Errors
/// `DEPLOYMENT_FAILED` when there is no entry: the disk would not boot.
pub fn first_options(target: &Path) -> Result<String> {
    let dir = target.join(ENTRIES);
    let missing = |why: String| {
        Error::new(
            Code::DeploymentFailed,
            "bootc wrote no boot loader entry, so nothing would boot.",
        )
        .detail(format!("{}: {why}", dir.display()))
    };
    let entries = std::fs::read_dir(&dir).map_err(|err| missing(err.to_string()))?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "conf"))
        .collect();
    // ostree-1.conf is the fallback of ostree-2.conf: the last one comes first.
    files.sort();
    let file = files.pop().ok_or_else(|| missing("it is empty".into()))?;
    let text = std::fs::read_to_string(&file).map_err(|err| Error::io("reading", &file, &err))?;
    options(&text)
        .map(str::to_owned)
        .ok_or_else(|| missing(format!("{} has no options", file.display())))
}

/// The value of `options`.
fn options(entry: &str) -> Option<&str> {
    entry.lines().find_map(|line| {
        let (key, value) = line.trim().split_once(char::is_whitespace)?;
        (key == "options").then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_entry_counts() {
        let target = tempfile::tempdir().unwrap();
        assert_eq!(
            first_options(target.path()).unwrap_err().code,
            Code::DeploymentFailed
        );
        let dir = target.path().join(ENTRIES);
        std::fs::create_dir_all(&dir).unwrap();
        assert!(first_options(target.path()).is_err());
        std::fs::write(dir.join("ostree-1.conf"), "title a\noptions old\n").unwrap();
        std::fs::write(
            dir.join("ostree-2.conf"),
            "title b\nversion 1\noptions root=UUID=1 rw  console=ttyS0\nlinux /x\n",
        )
        .unwrap();
        assert_eq!(
            first_options(target.path()).unwrap(),
            "root=UUID=1 rw  console=ttyS0"
        );
        std::fs::write(dir.join("ostree-2.conf"), "title b\n").unwrap();
        assert!(first_options(target.path()).is_err());
    }
}
