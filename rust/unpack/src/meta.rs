// SPDX-License-Identifier: MIT OR Apache-2.0
//! Owner, mode, extended attributes and time of what was made. Always in this
//! order: a change of owner clears setuid, setgid and capabilities, and what is
//! written last counts for the time.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use nix::fcntl::AtFlags;
use nix::sys::stat::{FchmodatFlags, Mode, UtimensatFlags, fchmod, fchmodat, futimens, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown, fchownat};
use rustix::fs::{XattrFlags, flistxattr, fremovexattr, fsetxattr, lsetxattr};
use rustix::io::Errno;

use super::entries::{Entry, Kind};
use super::name::refused;
use super::tree::Dir;

/// The list that directories hand down to what is made in them.
pub(super) const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";
const SELINUX: &[u8] = b"security.selinux";
/// File capabilities (capabilities(7)).
const CAPABILITY: &[u8] = b"security.capability";
/// The largest list of attributes that the kernel gives.
const LIST_BYTES_MAX: usize = 64 * 1024;

/// Completes a regular file.
pub(super) fn file(fd: impl AsFd, entry: &Entry) -> io::Result<()> {
    let (uid, gid) = owner(entry)?;
    fchown(&fd, uid, gid)?;
    fchmod(&fd, Mode::from_bits_truncate(entry.mode))?;
    for (name, value) in &entry.xattrs {
        set(name, |name| {
            fsetxattr(&fd, name, value, XattrFlags::empty())
        })?;
    }
    times(fd, entry.mtime)
}

/// A directory's owner and attributes, without those that are the business of
/// the end: mode, time and [`DEFAULT_ACL`].
pub(super) fn directory(fd: impl AsFd, entry: &Entry, existed: bool) -> io::Result<()> {
    let (uid, gid) = owner(entry)?;
    fchown(&fd, uid, gid)?;
    if existed {
        clear(&fd)?;
    }
    for (name, value) in &entry.xattrs {
        if name != DEFAULT_ACL {
            set(name, |name| {
                fsetxattr(&fd, name, value, XattrFlags::empty())
            })?;
        }
    }
    Ok(())
}

/// The rest for a directory, when nothing is made in it any more.
pub(super) fn directory_end(
    fd: impl AsFd,
    mode: u32,
    mtime: (i64, i64),
    default_acl: Option<&[u8]>,
) -> io::Result<()> {
    fchmod(&fd, Mode::from_bits_truncate(mode))?;
    if let Some(value) = default_acl {
        set(DEFAULT_ACL, |name| {
            fsetxattr(&fd, name, value, XattrFlags::empty())
        })?;
    }
    times(fd, mtime)
}

/// Completes what must not be opened: links, devices and pipes.
pub(super) fn special(dir: &Dir, name: &OsStr, entry: &Entry) -> io::Result<()> {
    let (uid, gid) = owner(entry)?;
    fchownat(dir, name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    if entry.kind != Kind::Symlink {
        // It was made a moment ago and is no link, so there is none to follow.
        let mode = Mode::from_bits_truncate(entry.mode);
        fchmodat(dir, name, mode, FchmodatFlags::FollowSymlink)?;
    }
    if !entry.xattrs.is_empty() {
        // There is no call for this that starts at a descriptor (before 6.13).
        let parent = format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd());
        let path = std::path::Path::new(&parent).join(name);
        for (name, value) in &entry.xattrs {
            set(name, |name| {
                lsetxattr(&path, name, value, XattrFlags::empty())
            })?;
        }
    }
    let time = spec(entry.mtime);
    utimensat(
        dir,
        name,
        &TimeSpec::UTIME_OMIT,
        &time,
        UtimensatFlags::NoFollowSymlink,
    )?;
    Ok(())
}

fn owner(entry: &Entry) -> io::Result<(Option<Uid>, Option<Gid>)> {
    // To the kernel it means "leave it", that is: root's.
    if entry.uid == u32::MAX || entry.gid == u32::MAX {
        return Err(refused("no user or group can have the number 4294967295"));
    }
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    Ok((Some(uid), Some(gid)))
}

fn spec((seconds, nanos): (i64, i64)) -> TimeSpec {
    TimeSpec::new(seconds, nanos)
}

fn times(fd: impl AsFd, mtime: (i64, i64)) -> io::Result<()> {
    Ok(futimens(fd, &TimeSpec::UTIME_OMIT, &spec(mtime))?)
}

fn set(name: &[u8], set: impl Fn(&OsStr) -> rustix::io::Result<()>) -> io::Result<()> {
    let shown = super::shown(name);
    // These steer an overlay that is mounted over the root; an image has no say
    // in that.
    if name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.") {
        tracing::debug!("leaving out the attribute {shown}");
        return Ok(());
    }
    match set(OsStr::from_bytes(name)) {
        // Names of other systems, such as com.apple.provenance, are in images that
        // were built there. Without these two a file would be another one.
        Err(Errno::NOTSUP) if name != CAPABILITY && !name.starts_with(b"system.posix_acl_") => {
            tracing::debug!("the file system does not know the attribute {shown}");
            Ok(())
        }
        Err(errno) => {
            let err = io::Error::from(errno);
            Err(io::Error::new(
                err.kind(),
                format!("attribute {shown}: {err}"),
            ))
        }
        Ok(()) => Ok(()),
    }
}

/// Removes the attributes of a lower layer: an entry describes all of them. The
/// label stays, because images seldom bring one and the kernel gives it.
fn clear(fd: impl AsFd) -> io::Result<()> {
    let mut list = Vec::with_capacity(LIST_BYTES_MAX);
    match flistxattr(&fd, rustix::buffer::spare_capacity(&mut list)) {
        Ok(_) => {}
        Err(Errno::NOTSUP) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    }
    for name in list.split(|&byte| byte == 0) {
        if name.is_empty() || name == SELINUX {
            continue;
        }
        match fremovexattr(&fd, name) {
            // Some are listed but belong to the file system.
            Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
