// SPDX-License-Identifier: MIT OR Apache-2.0
//! The process that makes a disk in a file, and removes it unless it becomes
//! complete, whatever becomes of the engine.
//!
//! The file is written beside its place, as `.NAME.PID.partial`, so that an
//! older file of that name stays whole until the new one is. The loop device is
//! told to go with its last user (`LO_FLAGS_AUTOCLEAR`, loop(4)); this process
//! is one, and every mount of its partitions another.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::cmd::Tool;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::guard::{self, KEEP, Reply};

/// First argument of the process.
pub(crate) const SUBCOMMAND: &str = "disk-janitor";

/// How long the loop device may be in use after the last unmount: udev looks
/// into each.
const PATIENCE: Duration = Duration::from_secs(10);
/// The kernel tells nobody that a loop device is free.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The file is there already.
pub(crate) fn exists(file: &Path) -> Error {
    Error::new(
        Code::FileExists,
        format!("{} is there already.", file.display()),
    )
}

/// The process's main function; the arguments are the file's last name, its
/// size in bytes, and whether one of that name is replaced.
pub(crate) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut text = || args.next()?.into_string().ok();
    let (Some(file), Some(size), Some(overwrite)) = (text(), text(), text()) else {
        return ExitCode::FAILURE;
    };
    guard::begin();
    let size = size.parse().unwrap_or(0);
    let made = match Made::new(Path::new(&file), size, overwrite == "true") {
        Ok(made) => made,
        Err(error) => {
            guard::answer(&Reply::Failed(error));
            return ExitCode::FAILURE;
        }
    };
    guard::answer(&Reply::Attached {
        device: made.device.clone(),
    });
    let done = match guard::wait() {
        Some(KEEP) => made.keep().map(|()| Reply::Kept),
        _ => made.remove().map(|()| Reply::Removed),
    };
    match done {
        Ok(reply) => {
            guard::answer(&reply);
            ExitCode::SUCCESS
        }
        Err(error) => {
            guard::answer(&Reply::Failed(error));
            ExitCode::FAILURE
        }
    }
}

/// What was made.
#[derive(Debug)]
struct Made {
    /// Its last name.
    file: PathBuf,
    /// Its name while it is written.
    partial: PathBuf,
    overwrite: bool,
    data: File,
    device: PathBuf,
    /// Keeps the loop device.
    user: File,
}

impl Made {
    fn new(file: &Path, size: u64, overwrite: bool) -> Result<Self> {
        let partial = partial(file)?;
        let data = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .map_err(|err| Error::io("making", &partial, &err))?;
        let attached = data
            .set_len(size)
            .map_err(|err| Error::io("making", &partial, &err))
            .and_then(|()| attach(&partial));
        match attached {
            Ok((device, user)) => Ok(Self {
                file: file.to_owned(),
                partial,
                overwrite,
                data,
                device,
                user,
            }),
            Err(error) => {
                if let Err(err) = fs::remove_file(&partial) {
                    tracing::debug!(%err, "an empty file stays");
                }
                Err(error)
            }
        }
    }

    /// The file gets its name.
    fn keep(self) -> Result<()> {
        let Self {
            file,
            partial,
            overwrite,
            data,
            device,
            user,
        } = self;
        let failed = |err: &io::Error| Error::io("completing", &file, err);
        let complete = || -> Result<()> {
            drop(user);
            wait_until_free(&device, &partial);
            data.sync_all().map_err(|err| failed(&err))?;
            let flags = match overwrite {
                true => RenameFlags::empty(),
                false => RenameFlags::NOREPLACE,
            };
            match renameat_with(CWD, &partial, CWD, &file, flags) {
                Ok(()) => {}
                Err(errno) if errno == rustix::io::Errno::EXIST => return Err(exists(&file)),
                Err(errno) if errno == rustix::io::Errno::INVAL => {
                    // A file system that cannot do that in one step.
                    if file.symlink_metadata().is_ok() {
                        return Err(exists(&file));
                    }
                    fs::rename(&partial, &file).map_err(|err| failed(&err))?;
                }
                Err(errno) => return Err(failed(&errno.into())),
            }
            let dir = file.parent().unwrap_or(Path::new("/"));
            File::open(dir)
                .and_then(|dir| dir.sync_all())
                .map_err(|err| failed(&err))
        };
        complete().inspect_err(|_| {
            if let Err(err) = fs::remove_file(&partial) {
                tracing::debug!(%err, "the unfinished file stays");
            }
        })
    }

    /// The file goes at once, its blocks with the loop device.
    fn remove(self) -> Result<()> {
        let Self {
            partial,
            data,
            device,
            user,
            ..
        } = self;
        let ours = data.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
        let there = fs::symlink_metadata(&partial).map(|meta| (meta.dev(), meta.ino()));
        let removed = match there {
            Ok(there) if Some(there) == ours => fs::remove_file(&partial),
            // Somebody removed it, or put another one there.
            _ => Ok(()),
        };
        drop(user);
        wait_until_free(&device, &partial);
        removed.map_err(|err| Error::io("removing", &partial, &err))
    }
}

fn partial(file: &Path) -> Result<PathBuf> {
    let (Some(dir), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(Error::new(
            Code::PlanInvalid,
            format!("{} cannot be a file.", file.display()),
        ));
    };
    let mut partial = OsString::from(".");
    partial.push(name);
    partial.push(format!(".{}.partial", std::process::id()));
    Ok(dir.join(partial))
}

/// A loop device for `file`, and an open descriptor that keeps it.
fn attach(file: &Path) -> Result<(PathBuf, File)> {
    let never = Cancel::new();
    let tool = || Tool::new("losetup").failing_as(Code::PartitionFailed);
    let made = tool()
        .args(["--find", "--show", "--partscan", "--"])
        .arg(file)
        .run(&never)?;
    let device = PathBuf::from(made.stdout.trim());
    let opened = File::open(&device).map_err(|err| Error::io("opening", &device, &err));
    // It is in use now or never: so it goes at once, or with its last user.
    let detached = tool().arg("--detach").arg(&device).run(&never);
    let user = opened?;
    detached?;
    Ok((device, user))
}

/// Waits until `file` is not behind `device` any more.
fn wait_until_free(device: &Path, file: &Path) {
    let name = device.file_name().unwrap_or_default();
    let behind = Path::new("/sys/class/block")
        .join(name)
        .join("loop/backing_file");
    let end = Instant::now() + PATIENCE;
    // Of a file that was removed, the name has ` (deleted)` behind it.
    let is_behind =
        || fs::read_to_string(&behind).is_ok_and(|text| text.starts_with(&*file.to_string_lossy()));
    while is_behind() {
        if Instant::now() >= end {
            tracing::warn!(device = %device.display(), "still in use");
            return;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_written_beside_its_place() {
        let name = partial(Path::new("/srv/disk.raw")).unwrap();
        assert_eq!(name.parent(), Some(Path::new("/srv")));
        let name = name.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            name.starts_with(".disk.raw.") && name.ends_with(".partial"),
            "{name}"
        );
        assert!(partial(Path::new("/")).is_err());
    }

    #[test]
    fn complete_or_gone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("disk.raw");
        // Loop devices need rights.
        let Ok(made) = Made::new(&file, 1 << 20, false) else {
            return;
        };
        let device = made.device.clone();
        assert!(!file.exists() && made.partial.exists());
        made.remove().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(!is_attached(&device));

        Made::new(&file, 1 << 20, false).unwrap().keep().unwrap();
        assert_eq!(fs::metadata(&file).unwrap().len(), 1 << 20);
        // Another one is not replaced unless that was said.
        let second = Made::new(&file, 2 << 20, false).unwrap();
        assert_eq!(second.keep().unwrap_err().code, Code::FileExists);
        assert_eq!(fs::metadata(&file).unwrap().len(), 1 << 20);
        Made::new(&file, 2 << 20, true).unwrap().keep().unwrap();
        assert_eq!(fs::metadata(&file).unwrap().len(), 2 << 20);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    fn is_attached(device: &Path) -> bool {
        let name = device.file_name().unwrap();
        let file = Path::new("/sys/class/block").join(name);
        fs::read_to_string(file.join("loop/backing_file"))
            .is_ok_and(|text| text.contains("disk.raw"))
    }
}
