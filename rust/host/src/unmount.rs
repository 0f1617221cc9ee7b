// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unmounting in an order that works, with some patience for programs that are
//! about to end.

use std::path::Path;
use std::time::{Duration, Instant};

use contract::error::Result;
use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};

use crate::holders::{self, Holder};
use crate::mountinfo::{self, Mount};

/// How long a file system may stay in use before that is a failure: a program
/// that was told to end needs a moment, and desktops look into every new file
/// system.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// The kernel tells nobody that a file system is not used any more.
const TRY_EVERY: Duration = Duration::from_millis(100);
/// After so long the person is told what is waited for.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// Told once when there is somebody to wait for.
pub type Tell<'a> = &'a mut dyn FnMut(&Path, &[Holder]);

/// The mounts at and below `root`, in the kernel's order.
pub fn below(mounts: &[Mount], root: &Path) -> Vec<Mount> {
    mounts
        .iter()
        .filter(|mount| mount.mount_point.starts_with(root))
        .cloned()
        .collect()
}

/// The order in which mounts can be unmounted: each one after all that are
/// mounted on it, later ones first. The kernel's list does not promise it.
pub fn leaves_first(mounts: &[Mount]) -> Vec<&Mount> {
    let mut left: Vec<&Mount> = mounts.iter().collect();
    let mut order = Vec::with_capacity(left.len());
    while let Some(index) = left
        .iter()
        .rposition(|m| !left.iter().any(|other| other.parent == m.id))
    {
        order.push(left.remove(index));
    }
    order
}

/// Unmounts `mount`, waiting until `end` for whoever uses it. What is not
/// mounted any more is unmounted.
///
/// # Errors
/// The kernel's answer: `EBUSY` when it is still in use.
pub fn until(mount: &Mount, end: Instant, tell: Tell<'_>) -> Result<(), Errno> {
    let start = Instant::now();
    let mut told = false;
    loop {
        let errno = match umount2(&mount.mount_point, MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => return Ok(()),
            Err(errno) => errno,
        };
        if errno != Errno::EBUSY {
            return if is_gone(mount) { Ok(()) } else { Err(errno) };
        }
        if Instant::now() >= end {
            return Err(errno);
        }
        if !told && start.elapsed() >= TELL_AFTER {
            told = true;
            tell(&mount.mount_point, &holders(mount));
        }
        std::thread::sleep(TRY_EVERY);
    }
}

/// Takes a mount out of the tree at once; what uses it keeps it until it ends.
pub fn detach(mount: &Mount) -> Result<(), Errno> {
    let flags = MntFlags::UMOUNT_NOFOLLOW | MntFlags::MNT_DETACH;
    match umount2(&mount.mount_point, flags) {
        Err(errno) if !is_gone(mount) => Err(errno),
        _ => Ok(()),
    }
}

/// Who uses a mount, as far as `/proc` tells.
pub fn holders(mount: &Mount) -> Vec<Holder> {
    if mount.source.is_absolute() {
        holders::of(&mount.mount_point)
    } else {
        holders::below(&mount.mount_point)
    }
}

/// What is waited for, in words.
pub fn waiting(path: &Path, holders: &[Holder]) -> String {
    format!("Waiting: {} is in use{}.", path.display(), named(holders))
}

/// Who uses something, as the end of a sentence about it.
pub fn named(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return String::new();
    }
    let names: Vec<String> = holders.iter().map(ToString::to_string).collect();
    format!(" by {}", names.join(", "))
}

/// Another program, or a mount that went away together with another, was first.
fn is_gone(mount: &Mount) -> bool {
    mountinfo::read().is_ok_and(|mounts| mounts.iter().all(|m| m.id != mount.id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_is_below() {
        let mounts = mountinfo::parse(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
             2 1 8:3 / /t rw - ext4 /dev/sda3 rw\n\
             3 1 8:9 / /t2 rw - ext4 /dev/sda9 rw\n\
             4 2 8:2 / /t/boot rw - ext4 /dev/sda2 rw\n",
        )
        .unwrap();
        let ids: Vec<_> = below(&mounts, Path::new("/t"))
            .iter()
            .map(|m| m.id)
            .collect();
        assert_eq!(ids, [2, 4]);
    }

    #[test]
    fn whatever_the_order_of_the_list() {
        // A stack at /t, something on the lower one's child, and a list that is
        // sorted by something else.
        let mounts = mountinfo::parse(
            "5 9 8:2 / /t/boot rw - ext4 /dev/sda2 rw\n\
             7 3 8:4 / /t rw - ext4 /dev/sda4 rw\n\
             3 1 8:3 / /t rw - tmpfs tmpfs rw\n\
             9 7 8:5 / /t/boot rw - vfat /dev/sda5 rw\n\
             11 7 0:5 / /t/proc rw - proc proc rw\n",
        )
        .unwrap();
        let ids: Vec<_> = leaves_first(&mounts).iter().map(|m| m.id).collect();
        assert_eq!(ids, [11, 5, 9, 7, 3]);
    }

    #[test]
    fn nothing_to_unmount() {
        let gone = mountinfo::parse("4294967295 1 8:3 / /no/such/place rw - ext4 /dev/x rw\n");
        let gone = gone.unwrap().remove(0);
        assert_eq!(until(&gone, Instant::now(), &mut |_, _| ()), Ok(()));
        assert_eq!(detach(&gone), Ok(()));
    }
}
