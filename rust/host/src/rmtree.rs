// SPDX-License-Identifier: MIT OR Apache-2.0
//! Removes a directory tree by descriptors: no link is followed, no file system
//! border is crossed, and no depth of directories is too much.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2, renameat};
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Directories deeper than this are moved up before they are removed: each
/// level holds a descriptor open, and archives can nest without end.
const DEPTH_MAX: usize = 100;

/// Removes the directory `dir` and what is in it. A file system mounted inside
/// is left alone and makes this fail.
pub fn remove(dir: &Path) -> io::Result<()> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let top = openat(AT_FDCWD, dir, flags, Mode::empty())?;
    clear(top)?;
    std::fs::remove_dir(dir)
}

/// Removes everything in a directory.
pub fn clear(top: OwnedFd) -> io::Result<()> {
    let mut hoisted = Hoist {
        top: &top,
        count: 0,
        moved: false,
    };
    loop {
        hoisted.moved = false;
        let fd = openat(
            &top,
            c".",
            OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        clear_level(fd, 0, &mut hoisted)?;
        if !hoisted.moved {
            return Ok(());
        }
    }
}

/// Where directories that are too deep are moved to.
struct Hoist<'a> {
    top: &'a OwnedFd,
    count: u64,
    moved: bool,
}

fn clear_level(fd: OwnedFd, depth: usize, hoist: &mut Hoist<'_>) -> io::Result<()> {
    let mut dir = Dir::from_fd(fd)?;
    // Removing while reading may skip entries on some file systems.
    let entries = dir
        .iter()
        .map(|entry| entry.map(|e| (e.file_name().to_owned(), e.file_type())))
        .collect::<Result<Vec<_>, Errno>>()?;
    for (name, kind) in entries {
        if matches!(name.as_bytes(), b"." | b"..") {
            continue;
        }
        let directory = match kind {
            Some(kind) => kind == nix::dir::Type::Directory,
            None => is_dir(fstatat(&dir, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?.st_mode),
        };
        if !directory {
            unlinkat(&dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir)?;
            continue;
        }
        if depth >= DEPTH_MAX {
            hoist.lift(&dir, &name)?;
            continue;
        }
        clear_level(open_dir(&dir, &name)?, depth + 1, hoist)?;
        unlinkat(&dir, name.as_c_str(), UnlinkatFlags::RemoveDir)?;
    }
    Ok(())
}

impl Hoist<'_> {
    fn lift(&mut self, from: &Dir, name: &CStr) -> io::Result<()> {
        self.moved = true;
        loop {
            self.count += 1;
            let to = CString::new(format!(".removing-{}", self.count))?;
            match fstatat(self.top, to.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(_) => continue,
                Err(Errno::ENOENT) => return Ok(renameat(from, name, self.top, to.as_c_str())?),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Fails with EXDEV at a mount point. The kernel decides: a bind mount of the
/// same file system has the same device number, but is not ours to empty.
fn open_dir(parent: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_XDEV | ResolveFlag::RESOLVE_NO_SYMLINKS);
    Ok(openat2(parent, name, how)?)
}

fn is_dir(mode: u32) -> bool {
    SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits()) == SFlag::S_IFDIR
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use nix::sys::stat::mkdirat;

    use super::*;

    #[test]
    fn follows_no_link() {
        let temp = tempfile::tempdir().unwrap();
        let (keep, gone) = (temp.path().join("keep"), temp.path().join("gone"));
        std::fs::create_dir_all(gone.join("a/b")).unwrap();
        std::fs::create_dir(&keep).unwrap();
        std::fs::write(keep.join("file"), "x").unwrap();
        symlink(&keep, gone.join("a/link")).unwrap();
        symlink("nowhere", gone.join("dangling")).unwrap();
        remove(&gone).unwrap();
        assert!(!gone.exists() && keep.join("file").exists());
    }

    #[test]
    fn a_link_instead_of_the_directory_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("real")).unwrap();
        symlink("real", temp.path().join("link")).unwrap();
        assert!(remove(&temp.path().join("link")).is_err());
        assert!(temp.path().join("real").exists());
    }

    #[test]
    fn a_bind_mount_of_the_same_file_system_is_not_emptied() {
        use nix::mount::{MntFlags, MsFlags, mount, umount2};
        /// Unmounts also when the test fails.
        struct Bound(std::path::PathBuf);
        impl Drop for Bound {
            fn drop(&mut self) {
                umount2(&self.0, MntFlags::MNT_DETACH).unwrap();
            }
        }
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: mounting needs root");
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let (keep, gone) = (temp.path().join("keep"), temp.path().join("gone"));
        std::fs::create_dir_all(gone.join("a/mount")).unwrap();
        std::fs::create_dir(&keep).unwrap();
        std::fs::write(keep.join("file"), "x").unwrap();
        let none = None::<&str>;
        mount(
            Some(&keep),
            &gone.join("a/mount"),
            none,
            MsFlags::MS_BIND,
            none,
        )
        .unwrap();
        let bound = Bound(gone.join("a/mount"));
        let refused = remove(&gone).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(Errno::EXDEV as i32));
        assert!(keep.join("file").exists());
        drop(bound);
        remove(&gone).unwrap();
    }

    #[test]
    fn goes_deeper_than_descriptors_reach() {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().join("top");
        std::fs::create_dir(&top).unwrap();
        let mut fd = openat(AT_FDCWD, &top, OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..5000 {
            mkdirat(&fd, c"d", Mode::from_bits_truncate(0o755)).unwrap();
            fd = openat(&fd, c"d", OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        }
        drop(fd);
        remove(&top).unwrap();
        assert!(!top.exists());
    }
}
