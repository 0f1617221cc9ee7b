// SPDX-License-Identifier: MIT OR Apache-2.0
//! The process that makes the scratch directory and removes it again, whatever
//! becomes of the engine.
//!
//! It makes the directory, answers, and waits as a guard does
//! ([`crate::guard`]). Then it removes exactly the directory that it made (same
//! device and inode) and ends.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use contract::error::{Code, Error, Result};
use host::rmtree;

use crate::guard::{self, Reply};

/// First argument of the process.
pub(crate) const SUBCOMMAND: &str = "scratch-janitor";

/// Directories in the scratch and their modes.
const SUBDIRS: [(&str, u32); 4] = [
    ("oci", 0o700),
    ("rootfs", 0o755),
    ("tmp", 0o1777),
    ("containers", 0o700),
];

/// Which directory it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// The process's main function.
pub(crate) fn run(dir: Option<PathBuf>) -> ExitCode {
    let Some(dir) = dir else {
        return ExitCode::FAILURE;
    };
    guard::begin();
    let identity = match make(&dir) {
        Ok(identity) => identity,
        Err(error) => {
            guard::answer(&Reply::Failed(error));
            return ExitCode::FAILURE;
        }
    };
    guard::answer(&Reply::Ready);
    guard::wait();
    match remove(&dir, identity) {
        Ok(()) => {
            guard::answer(&Reply::Removed);
            ExitCode::SUCCESS
        }
        Err(error) => {
            guard::answer(&Reply::Failed(error));
            ExitCode::FAILURE
        }
    }
}

fn make(dir: &Path) -> Result<Identity> {
    let failed = |err: &std::io::Error| Error::io("making the scratch directory", dir, err);
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => {}
        Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::new(
                Code::TargetInterrupted,
                format!("{} is there from an earlier installation.", dir.display()),
            ));
        }
        Err(err) => return Err(failed(&err)),
    }
    let made = fill(dir).and_then(|()| identity(dir));
    made.map_err(|err| {
        // Nothing of value is in it yet.
        if let Err(error) = std::fs::remove_dir_all(dir) {
            tracing::debug!(%error, "an empty scratch directory stays");
        }
        failed(&err)
    })
}

fn fill(dir: &Path) -> std::io::Result<()> {
    for (name, mode) in SUBDIRS {
        let path = dir.join(name);
        std::fs::create_dir(&path)?;
        // A mode given to mkdir(2) is subject to the umask.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn identity(dir: &Path) -> std::io::Result<Identity> {
    let meta = std::fs::symlink_metadata(dir)?;
    Ok(Identity {
        device: meta.dev(),
        inode: meta.ino(),
    })
}

/// Removes `dir` if it still is the directory that was made. One that somebody
/// removed already is fine, another one in its place is left alone.
fn remove(dir: &Path, made: Identity) -> Result<()> {
    match identity(dir) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(err) => Err(Error::io("finding", dir, &err)),
        Ok(found) if found != made => Err(Error::new(
            Code::Io,
            format!("{} is not the scratch directory any more.", dir.display()),
        )
        .why("Something was mounted or moved there while the installation ran.")
        .next("Remove the scratch directory by hand.")),
        Ok(_) => rmtree::remove(dir)
            .map_err(|err| Error::io("removing the scratch directory", dir, &err)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn makes_what_it_removes_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("scratch");
        let made = make(&dir).unwrap();
        assert_eq!(make(&dir).unwrap_err().code, Code::TargetInterrupted);

        let other = parent.path().join("other");
        std::fs::rename(&dir, &other).unwrap();
        std::fs::create_dir(&dir).unwrap();
        assert_eq!(remove(&dir, made).unwrap_err().code, Code::Io);
        assert!(dir.exists());

        std::fs::write(other.join("rootfs/file"), "x").unwrap();
        remove(&other, made).unwrap();
        assert!(!other.exists());
        remove(&other, made).unwrap();
    }

    #[test]
    fn modes_do_not_depend_on_the_umask() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("scratch");
        make(&dir).unwrap();
        let mode = |p: &str| dir.join(p).metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode("tmp"), 0o1777);
        assert_eq!(mode("rootfs"), 0o755);
        assert_eq!(mode("."), 0o700);
    }
}
