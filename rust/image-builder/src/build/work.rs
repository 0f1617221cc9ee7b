// SPDX-License-Identifier: MIT OR Apache-2.0
//! The work directory: one build at a time, what an earlier one left, and what
//! of it can be used again.
//!
//! ```text
//! WORK/lock           held while a build runs
//! WORK/state.json     what the live system in lb/ was made of
//! WORK/lb/            live-build's own directory
//! WORK/images/        OCI layout with the embedded images
//! WORK/layer/         the product's layer
//! ```

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use buildroot::cache;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MntFlags, umount2};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// A work directory that this process holds.
#[derive(Debug)]
pub struct Work {
    dir: PathBuf,
    _lock: Flock<File>,
}

/// What the live system was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkState {
    /// The key of what the live system in `lb/chroot` was made of; `None`
    /// while it is being made.
    pub chroot: Option<String>,
    /// The state of the mirror that `lb/cache/bootstrap` is of.
    pub bootstrap: Option<String>,
    /// The key of the live system of which `lb/cache/binary_rootfs` is the
    /// whole squashfs; `None` while that may be half written.
    pub squashfs: Option<String>,
}

impl Work {
    /// Takes the directory, making it when it is not there, and undoes mounts
    /// that somebody left in it.
    ///
    /// # Errors
    /// `BUSY` when another build has it; `IO`.
    pub fn take(dir: &Path) -> Result<Self> {
        let failed = |doing: &'static str, path: &Path| {
            let path = path.to_owned();
            move |err: std::io::Error| Error::io(doing, &path, &err)
        };
        // Before anything is made, and once more for what links lead to.
        refuse_blanks(dir)?;
        fs::create_dir_all(dir).map_err(failed("Making", dir))?;
        let dir = fs::canonicalize(dir).map_err(failed("Finding", dir))?;
        refuse_blanks(&dir)?;
        let path = dir.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed("Opening", &path))?;
        let lock =
            Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(
                |(_, errno)| match errno {
                    Errno::EWOULDBLOCK => Error::new(
                        Code::Busy,
                        format!("Another build works in {}.", dir.display()),
                    )
                    .next("Wait for its end, or name another directory with --work."),
                    errno => Error::io("Locking", &path, &errno.into()),
                },
            )?;
        let work = Self { dir, _lock: lock };
        work.unmount_leftovers()?;
        Ok(work)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Builds mount in namespaces of their own, so that nothing stays; but
    /// somebody may have run `lb` in here by hand.
    fn unmount_leftovers(&self) -> Result<()> {
        let path = Path::new("/proc/self/mountinfo");
        let text = fs::read_to_string(path).map_err(|err| Error::io("Reading", path, &err))?;
        // The last mounted first: it may lie in an earlier one.
        for mount in mounts_below(&text, &self.dir).into_iter().rev() {
            umount2(&mount, MntFlags::UMOUNT_NOFOLLOW)
                .or_else(|_| umount2(&mount, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW))
                .map_err(|errno| Error::io("Unmounting", &mount, &errno.into()))?;
        }
        Ok(())
    }

    /// What an earlier build left, as far as it is known to be whole.
    pub fn state(&self) -> WorkState {
        // A file that is not there or damaged means a fresh start.
        fs::read_to_string(self.path("state.json"))
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Keeps the state; it is on the disk when this returns.
    ///
    /// # Errors
    /// `IO`.
    pub fn set_state(&self, state: &WorkState) -> Result<()> {
        let path = self.path("state.json");
        let failed = |err: std::io::Error| Error::io("Writing", &path, &err);
        let text = serde_json::to_string_pretty(state).map_err(|err| failed(err.into()))?;
        let partial = self.path("state.json.partial");
        fs::write(&partial, text).map_err(failed)?;
        File::open(&partial)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        fs::rename(&partial, &path).map_err(failed)
    }

    /// Removes something in it; nothing there is fine. Never reaches into a
    /// mount.
    ///
    /// # Errors
    /// `IO`, also when something is mounted in there.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        cache::remove_tree(&path).map_err(|err| {
            Error::new(Code::Io, format!("{} cannot be removed.", path.display()))
                .detail(format!("{err:#}"))
        })
    }

    /// Makes a directory in it anew.
    ///
    /// # Errors
    /// `IO`.
    pub fn fresh(&self, name: &str) -> Result<PathBuf> {
        self.remove(name)?;
        let path = self.path(name);
        fs::create_dir_all(&path).map_err(|err| Error::io("Making", &path, &err))?;
        Ok(path)
    }
}

/// Removes a work directory that no build has, with all that builds make in it.
/// What is none is left alone.
///
/// # Errors
/// `BUSY` when a build has it; `IO`.
pub fn discard(dir: &Path) -> Result<()> {
    if !dir.join("lock").exists() {
        // Not there, or no work directory: then it is not ours to remove.
        return Ok(());
    }
    let work = Work::take(dir)?;
    for name in [
        "di",
        "lb",
        "images",
        "layer",
        "layer.squashfs",
        "state.json",
        "state.json.partial",
    ] {
        work.remove(name)?;
    }
    let kept = work.path("lock");
    fs::remove_file(&kept).map_err(|err| Error::io("Removing", &kept, &err))?;
    // Something of another's may be in there.
    drop(fs::remove_dir(work.dir()));
    Ok(())
}

/// Gives a work directory of before its name of now, with what can be used again;
/// when there is one of that name, it is removed. One that a build has is left alone.
///
/// # Errors
/// `IO`.
pub fn adopt(former: &Path, dir: &Path) -> Result<()> {
    if !former.join("lock").exists() {
        return Ok(());
    }
    let work = match Work::take(former) {
        Err(error) if error.code == Code::Busy => return Ok(()),
        taken => taken?,
    };
    if !dir.exists() {
        return fs::rename(work.dir(), dir).map_err(|err| Error::io("Naming", dir, &err));
    }
    drop(work);
    discard(former)
}

fn refuse_blanks(dir: &Path) -> Result<()> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    if !dir
        .as_os_str()
        .to_string_lossy()
        .contains(char::is_whitespace)
    {
        return Ok(());
    }
    let what = format!(
        "The work directory {} has a blank in its name.",
        dir.display()
    );
    Err(Error::new(Code::Usage, what)
        .why("live-build's scripts cannot cope with it.")
        .next("Name another one with --work."))
}

/// Mount points below a directory, in the order of mountinfo (proc(5)).
fn mounts_below(mountinfo: &str, dir: &Path) -> Vec<PathBuf> {
    mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(unescaped)
        .filter(|mount| mount.starts_with(dir) && mount != dir)
        .collect()
}

/// mountinfo writes blanks and the like as `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        match after
            .get(..3)
            .and_then(|octal| u8::from_str_radix(octal, 8).ok())
        {
            Some(byte) => {
                plain.push(char::from(byte));
                rest = &after[3..];
            }
            None => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_build_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let held = Work::take(dir.path()).unwrap();
        assert_eq!(Work::take(dir.path()).unwrap_err().code, Code::Busy);
        drop(held);
        Work::take(dir.path()).unwrap();
    }

    #[test]
    fn a_directory_of_before_is_used_again_or_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (former, now) = (dir.path().join("iso-a-b"), dir.path().join("iso-a-b-c"));
        adopt(&former, &now).unwrap();
        let held = Work::take(&former).unwrap();
        fs::create_dir(held.path("lb")).unwrap();
        adopt(&former, &now).unwrap();
        assert!(former.join("lb").exists() && !now.exists());
        drop(held);
        adopt(&former, &now).unwrap();
        assert!(now.join("lb").exists() && !former.exists());
        drop(Work::take(&former).unwrap());
        adopt(&former, &now).unwrap();
        assert!(now.join("lb").exists() && !former.exists());
        // No build made this one.
        fs::create_dir(&former).unwrap();
        adopt(&former, &now).unwrap();
        assert!(former.exists());
    }

    #[test]
    fn a_damaged_state_is_a_fresh_start() {
        let dir = tempfile::tempdir().unwrap();
        let work = Work::take(dir.path()).unwrap();
        assert_eq!(work.state(), WorkState::default());
        let state = WorkState {
            chroot: Some("a".into()),
            ..WorkState::default()
        };
        work.set_state(&state).unwrap();
        assert_eq!(work.state(), state);
        fs::write(work.path("state.json"), "{").unwrap();
        assert_eq!(work.state(), WorkState::default());
    }

    #[test]
    fn a_blank_in_the_name_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a b");
        let error = Work::take(&place).unwrap_err();
        assert_eq!(error.code, Code::Usage);
        assert!(!place.exists());
        let link = dir.path().join("link");
        fs::create_dir(&place).unwrap();
        std::os::unix::fs::symlink(&place, &link).unwrap();
        let error = Work::take(&link).unwrap_err();
        assert_eq!(error.code, Code::Usage);
    }

    #[test]
    fn only_mounts_in_there_are_undone() {
        let info = "22 1 254:0 / / rw - ext4 /dev/vda rw\n\
                    30 22 0:5 / /w/lb/chroot/proc rw - proc proc rw\n\
                    31 30 0:6 / /w/lb/chroot/proc/x\\040y rw - tmpfs t rw\n\
                    32 22 0:7 / /wx rw - tmpfs t rw\n\
                    33 22 0:8 / /w rw - tmpfs t rw\n";
        assert_eq!(
            mounts_below(info, Path::new("/w")),
            [
                Path::new("/w/lb/chroot/proc"),
                Path::new("/w/lb/chroot/proc/x y")
            ]
        );
    }
}
