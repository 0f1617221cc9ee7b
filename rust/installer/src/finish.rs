// SPDX-License-Identifier: MIT OR Apache-2.0
//! Closing the target: trim, flush, seal, unmount.
//!
//! What only makes the result better (trimming, flushing early) never fails an
//! installation; it becomes a warning. What the person relies on (everything is
//! on the disk, nothing is mounted any more) does.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::cmd::Tool;
use host::holders;
use host::mountinfo::{self, Mount};
use host::unmount::{self, below, leaves_first};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};

use contract::plan::FinishPlan;

/// Freezes and thaws in one process that nothing stops, so that the file system
/// does not stay frozen: whoever writes to it then would hang for ever. Freezing writes the journal to its place,
/// which boot loaders need that do not replay it.
const FREEZE_AND_THAW: &str =
    "trap '' HUP INT TERM; fsfreeze --freeze \"$1\" && fsfreeze --unfreeze \"$1\"";

/// Closes the target below `root` as the plan says; gives warnings.
///
/// # Errors
/// `FINISH_FAILED` when data could not be written, or when something is still
/// mounted at the end; the details name who uses it.
pub fn finish(root: &Path, plan: &FinishPlan, cancel: &Cancel) -> Result<Vec<String>> {
    patiently(root, plan, cancel, Duration::ZERO, &mut |_, _| ())
}

/// As [`finish`], but waits up to `patience` for programs that use the target,
/// and tells of it.
pub(crate) fn patiently(
    root: &Path,
    plan: &FinishPlan,
    cancel: &Cancel,
    patience: Duration,
    tell: unmount::Tell<'_>,
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let mut best_effort = |what: &str, done: Result<()>| -> Result<()> {
        if let Err(error) = done {
            cancel.check()?;
            warnings.push(format!("{what}: {}", error.details.join("; ")));
        }
        Ok(())
    };
    let all = mountinfo::read()?;
    let mounts = below(&all, root);
    let writable: Vec<&Mount> = file_systems(&mounts);
    if plan.trim {
        for mount in &writable {
            // Blocks of what was removed are free once that is written.
            sync(&mount.mount_point)?;
            best_effort("Unused blocks were not trimmed", trim(mount, cancel))?;
        }
    }
    for mount in &writable {
        sync(&mount.mount_point)?;
    }
    if plan.unmount {
        let end = Instant::now() + patience;
        for mount in leaves_first(&mounts) {
            if !mount.is_read_only() && is_on_a_disk(mount) && !is_elsewhere(mount, &all, root) {
                best_effort("Not sealed before it was unmounted", seal(mount))?;
            }
            unmount::until(mount, end, tell)
                .map_err(|errno| not_unmounted(&mount.mount_point, errno))?;
        }
        return nothing_left(root).map(|()| warnings);
    }
    for mount in &writable {
        best_effort("The journal was not flushed", flush_journal(mount))?;
    }
    Ok(warnings)
}

/// One writable mount of each file system that lies on a disk.
fn file_systems(mounts: &[Mount]) -> Vec<&Mount> {
    let mut seen: Vec<(u32, u32)> = Vec::new();
    mounts
        .iter()
        .filter(|mount| is_on_a_disk(mount) && !mount.is_read_only())
        .filter(|mount| {
            let new = !seen.contains(&mount.device);
            seen.push(mount.device);
            new
        })
        .collect()
}

fn is_on_a_disk(mount: &Mount) -> bool {
    mount.source.is_absolute()
}

/// Whether the file system is mounted outside of `root` as well: sealing it
/// would take it away from whoever uses it there, such as the live system.
fn is_elsewhere(mount: &Mount, all: &[Mount], root: &Path) -> bool {
    all.iter()
        .any(|other| other.device == mount.device && !other.mount_point.starts_with(root))
}

/// Discards unused blocks where the device can do that.
fn trim(mount: &Mount, cancel: &Cancel) -> Result<()> {
    Tool::new("fstrim")
        .args(["--quiet-unsupported", "--"])
        .arg(&mount.mount_point)
        .failing_as(Code::FinishFailed)
        .run(cancel)
        .map(drop)
}

/// Writes everything to the disk, and tells of errors that came on the way.
fn sync(mount_point: &Path) -> Result<()> {
    let failed = |err: std::io::Error| {
        Error::new(
            Code::FinishFailed,
            format!(
                "{} could not be written to the disk.",
                mount_point.display()
            ),
        )
        .why("The disk reported an error.")
        .detail(err.to_string())
    };
    let dir = File::open(mount_point).map_err(failed)?;
    nix::unistd::syncfs(&dir).map_err(|errno| failed(errno.into()))
}

/// Read-only from here on: what still wrote would be seen now.
fn seal(point: &Mount) -> Result<()> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(
        None::<&str>,
        &point.mount_point,
        None::<&str>,
        flags,
        None::<&str>,
    )
    .map_err(|errno| {
        Error::io("sealing", &point.mount_point, &errno.into())
            .detail(point.mount_point.display().to_string())
    })
}

fn flush_journal(mount: &Mount) -> Result<()> {
    Tool::new("sh")
        .args(["-c", FREEZE_AND_THAW, "sh"])
        .arg(&mount.mount_point)
        .failing_as(Code::FinishFailed)
        .outliving_us()
        // Not to be cancelled, either.
        .run(&Cancel::new())
        .map(drop)
}

fn not_unmounted(path: &Path, errno: Errno) -> Error {
    let error = Error::new(
        Code::FinishFailed,
        format!("{} could not be unmounted.", path.display()),
    )
    .detail(errno.to_string());
    if errno != Errno::EBUSY {
        return error;
    }
    let mut error = error
        .why("A program still uses it.")
        .next("End the named programs, then unmount it; the installation itself is complete.");
    error.details.extend(
        holders::of(path)
            .iter()
            .map(|holder| format!("in use by {holder}")),
    );
    error
}

fn nothing_left(root: &Path) -> Result<()> {
    let left: Vec<PathBuf> = below(&mountinfo::read()?, root)
        .into_iter()
        .map(|mount| mount.mount_point)
        .collect();
    match left.first() {
        None => Ok(()),
        Some(path) => Err(Error::new(
            Code::FinishFailed,
            format!("{} is still mounted.", path.display()),
        )
        .why("Something mounted it again meanwhile.")
        .next("Unmount it; the installation itself is complete.")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mounts() -> Vec<Mount> {
        mountinfo::parse(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
             2 1 8:3 / /t rw - ext4 /dev/sda3 rw\n\
             3 1 8:9 / /t2 rw - ext4 /dev/sda9 rw\n\
             4 2 8:2 / /t/boot rw - ext4 /dev/sda2 rw\n\
             5 4 8:4 / /t/boot/efi ro - vfat /dev/sda4 ro\n\
             6 2 8:3 /x /t/y rw - ext4 /dev/sda3 rw\n\
             7 2 0:5 / /t/proc rw - proc proc rw\n",
        )
        .unwrap()
    }

    #[test]
    fn what_is_mounted_elsewhere_is_not_sealed() {
        let mut all = mounts();
        let bound = "8 1 8:2 /etc /t/etc rw - ext4 /dev/sda2 rw\n";
        all.extend(mountinfo::parse(bound).unwrap());
        let elsewhere = |root: &str| -> Vec<u64> {
            let root = Path::new(root);
            let here = below(&all, root);
            let here = here.iter().filter(|m| is_elsewhere(m, &all, root));
            here.map(|m| m.id).collect()
        };
        assert!(elsewhere("/t").is_empty(), "bound within the target");
        assert_eq!(elsewhere("/t/boot"), [4]);
    }

    #[test]
    fn each_file_system_once() {
        let mounts = below(&mounts(), Path::new("/t"));
        let found: Vec<_> = file_systems(&mounts).iter().map(|m| m.id).collect();
        assert_eq!(found, [2, 4]);
    }

    #[test]
    fn an_ordinary_failure_names_no_holders() {
        let error = not_unmounted(Path::new("/t"), Errno::EPERM);
        assert_eq!(error.code, Code::FinishFailed);
        assert_eq!(error.details.len(), 1);
    }
}
