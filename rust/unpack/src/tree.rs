// SPDX-License-Identifier: MIT OR Apache-2.0
//! The root that is written to, by descriptors: finding and making parent
//! directories, and removing. Nothing here leaves the root: every look-up is
//! `openat2(2)` of names below a descriptor, and links are followed by hand.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use host::rmtree;
use host::rootdir::RootDir;
use nix::dir::Dir as Listing;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2, readlinkat};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::name::PATH_BYTES_MAX;

/// Links followed on the way to a directory; as many as the kernel follows.
const LINKS_MAX: usize = 40;

/// A directory of the root.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    /// Where it is, relative to the root and without links in it.
    path: PathBuf,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Dir {
    /// The path of an entry in it.
    pub(super) fn join(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// Its own path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Which of the two caches of [`Tree::parent`] serves a look-up. Archives go
/// through directories one by one, but hard links point elsewhere meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Entry = 0,
    LinkTarget = 1,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removed {
    Nothing,
    Directory,
    Other,
}

/// The root.
#[derive(Debug)]
pub(super) struct Tree {
    root: RootDir,
    /// The last directories that were asked for, by the path they were asked by.
    cache: [Option<(PathBuf, Arc<Dir>)>; 2],
}

impl Tree {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: RootDir::open(root)?,
            cache: [None, None],
        })
    }

    /// The root itself.
    pub(super) fn root(&self) -> impl AsFd + '_ {
        &self.root
    }

    /// The directory `path`, following links within the root. `None` when it
    /// is not there; with `create` what is missing is made, mode 0755.
    pub(super) fn parent(
        &mut self,
        path: &Path,
        create: bool,
        slot: Slot,
    ) -> io::Result<Option<Arc<Dir>>> {
        let cached = &self.cache[slot as usize];
        if let Some((asked, dir)) = cached
            && asked.as_os_str() == path.as_os_str()
        {
            return Ok(Some(dir.clone()));
        }
        let found = match self.directory(path, OFlag::O_PATH) {
            // The usual case costs one call: all of it is there, no link in it.
            Ok(dir) => Some(dir),
            Err(Errno::ELOOP | Errno::ENOENT | Errno::ENOTDIR) => self.walk(path, create)?,
            Err(errno) => return Err(errno.into()),
        };
        let found = found.map(Arc::new);
        if let Some(dir) = &found {
            self.cache[slot as usize] = Some((path.to_owned(), dir.clone()));
        }
        Ok(found)
    }

    /// The directory at exactly this path; a link in it is an error.
    pub(super) fn directory(&self, path: &Path, flags: OFlag) -> nix::Result<Dir> {
        Ok(Dir {
            fd: open_below(&self.root, path.as_os_str(), flags | OFlag::O_DIRECTORY)?,
            path: path.to_owned(),
        })
    }

    fn walk(&self, path: &Path, create: bool) -> io::Result<Option<Dir>> {
        let mut todo: Vec<OsString> = Vec::new();
        push(&mut todo, path);
        let mut at = self.directory(Path::new(""), OFlag::O_PATH)?;
        let mut links = 0;
        while let Some(name) = todo.pop() {
            match name.as_bytes() {
                b"/" => {
                    at = self.directory(Path::new(""), OFlag::O_PATH)?;
                    continue;
                }
                b".." => {
                    // The path so far has no links, so this is where `..` leads;
                    // above the root is the root.
                    let above = at.path.parent().unwrap_or(Path::new(""));
                    at = self.directory(above, OFlag::O_PATH)?;
                    continue;
                }
                _ => {}
            }
            let child = match open_below(&at, &name, OFlag::O_PATH | OFlag::O_NOFOLLOW) {
                Ok(child) => child,
                Err(Errno::ENOENT) if create => make_dir(&at, &name)?,
                Err(Errno::ENOENT) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            };
            match kind(fstat(&child)?.st_mode) {
                SFlag::S_IFDIR => {
                    let path = at.join(&name);
                    if path.as_os_str().len() > PATH_BYTES_MAX {
                        return Err(Errno::ENAMETOOLONG.into());
                    }
                    at = Dir { fd: child, path };
                }
                SFlag::S_IFLNK => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::ELOOP.into());
                    }
                    push(&mut todo, Path::new(&readlinkat(&child, "")?));
                }
                _ if create => return Err(Errno::ENOTDIR.into()),
                _ => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Removes whatever `name` in `dir` is; a directory with all it contains,
    /// but not across mounts.
    pub(super) fn remove(&mut self, dir: &Dir, name: &OsStr) -> io::Result<Removed> {
        let Some(found) = self.kind_of(dir, name)? else {
            return Ok(Removed::Nothing);
        };
        if matches!(found, SFlag::S_IFDIR | SFlag::S_IFLNK) {
            // Either may be a part of a path that is cached.
            self.cache = [None, None];
        }
        if found != SFlag::S_IFDIR {
            unlinkat(dir, name, UnlinkatFlags::NoRemoveDir)?;
            return Ok(Removed::Other);
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        rmtree::clear(open_below(dir, name, flags)?)?;
        unlinkat(dir, name, UnlinkatFlags::RemoveDir)?;
        Ok(Removed::Directory)
    }

    /// The type of `name` in `dir`, a link as itself.
    pub(super) fn kind_of(&self, dir: &Dir, name: &OsStr) -> io::Result<Option<SFlag>> {
        match fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind(stat.st_mode))),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Opens something below `dir` without following any link, and without entering
/// anything that is mounted there. The empty path is `dir` itself.
pub(super) fn open_below(dir: impl AsFd, path: &OsStr, flags: OFlag) -> nix::Result<OwnedFd> {
    let path = if path.is_empty() {
        OsStr::new(".")
    } else {
        path
    };
    let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(
        ResolveFlag::RESOLVE_BENEATH
            | ResolveFlag::RESOLVE_NO_SYMLINKS
            | ResolveFlag::RESOLVE_NO_MAGICLINKS
            | ResolveFlag::RESOLVE_NO_XDEV,
    );
    openat2(dir, path, how)
}

/// Names in a directory.
pub(super) fn names(dir: OwnedFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Listing::from_fd(dir)?.iter() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

/// Makes a parent directory that no entry describes.
fn make_dir(dir: &Dir, name: &OsStr) -> io::Result<OwnedFd> {
    mkdirat(dir, name, Mode::S_IRWXU)?;
    let made = open_below(dir, name, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
    // Apart, because the umask is applied to the mode of mkdir(2).
    fchmod(&made, Mode::from_bits_truncate(0o755))?;
    Ok(made)
}

/// Puts the parts of a path onto the pile of what is still to walk.
fn push(todo: &mut Vec<OsString>, path: &Path) {
    for component in path.components().rev() {
        if component != Component::CurDir {
            todo.push(component.as_os_str().to_owned());
        }
    }
}

fn kind(mode: u32) -> SFlag {
    SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits())
}
