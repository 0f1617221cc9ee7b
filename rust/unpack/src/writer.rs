// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes what the entries of an archive describe.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, makedev, mkdirat, mknodat};
use nix::unistd::{linkat, symlinkat};

use super::done::{Directory, Done};
use super::entries::{Entry, Kind};
use super::filter::UnpackFilter;
use super::guard::Guard;
use super::lean::{Lean, Source};
use super::meta;
use super::name::{self, PATH_BYTES_MAX, Role, refused};
use super::pax::Run;
use super::tree::{self, Dir, Removed, Slot, Tree};

/// Size of the buffer between archive and file, bytes.
const BUFFER: usize = 256 * 1024;

/// Where a new entry goes.
struct EntryPlace<'a> {
    dir: &'a Dir,
    name: &'a OsStr,
    path: &'a Path,
}

/// Writes into a root.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) tree: Tree,
    pub(super) done: Done,
    pub(super) lean: Lean,
    pub(super) guard: Guard,
    filter: UnpackFilter,
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn new(tree: Tree, filter: UnpackFilter) -> Self {
        Self {
            tree,
            done: Done::default(),
            lean: Lean::default(),
            guard: Guard::default(),
            filter,
            buffer: vec![0; BUFFER],
        }
    }

    /// Makes one entry. `data` is what the archive has for it, `source` where
    /// that is.
    pub(super) fn entry(
        &mut self,
        entry: &Entry,
        source: Source,
        data: &mut impl Read,
    ) -> io::Result<()> {
        self.done.count()?;
        self.guard.entry(self.tree.root())?;
        let path = name::relative(&entry.path)?;
        let (parent, name) = match name::role(&path)? {
            Role::Ignored => return Ok(()),
            Role::Whiteout { parent, name } => return self.whiteout(parent, name),
            Role::Opaque { parent } => return self.opaque(parent),
            Role::Root => return self.root(entry),
            Role::Entry { parent, name } => (parent, name),
        };
        let dir = self.tree.parent(parent, true, Slot::Entry)?;
        let dir = dir.ok_or(Errno::ENOENT)?;
        let path = dir.join(name);
        // A link on the way can make it longer than the name was.
        if path.as_os_str().len() > PATH_BYTES_MAX {
            return Err(Errno::ENAMETOOLONG.into());
        }
        self.done.touch(&path)?;
        let place = EntryPlace {
            dir: &dir,
            name,
            path: &path,
        };
        match entry.kind {
            Kind::File if self.filter.leaves_out(&path) => {
                self.remove(&dir, name, &path)?;
                self.lean.leave_out(path, source);
                return Ok(());
            }
            Kind::HardLink => return self.hard_link(&place, &entry.link),
            Kind::File => {
                let file = self.replace(&place, || create(&dir, name))?;
                self.fill(file, entry, data)?;
            }
            Kind::Dir => self.directory(&place, entry)?,
            Kind::Symlink => {
                let target = name::os(&entry.link);
                self.replace(&place, || symlinkat(target, &dir, name))?;
                meta::special(&dir, name, entry)?;
            }
            Kind::Char => self.node(&place, entry, SFlag::S_IFCHR)?,
            Kind::Block => self.node(&place, entry, SFlag::S_IFBLK)?,
            Kind::Fifo => self.node(&place, entry, SFlag::S_IFIFO)?,
        }
        self.lean.made(&path);
        Ok(())
    }

    /// Removes `path`, which is `name` in `dir`, whatever it is.
    pub(super) fn remove(&mut self, dir: &Dir, name: &OsStr, path: &Path) -> io::Result<()> {
        if self.tree.remove(dir, name)? == Removed::Directory {
            self.done.forget(path);
            self.lean.forget(path);
        }
        Ok(())
    }

    /// Makes the links of [`Lean::take_later`] that share `entry`.
    pub(super) fn late(
        &mut self,
        entry: &Entry,
        links: &[PathBuf],
        data: &mut impl Read,
    ) -> io::Result<()> {
        let mut first: Option<(Dir, &OsStr)> = None;
        for link in links {
            let (Some(parent), Some(name)) = (link.parent(), link.file_name()) else {
                continue;
            };
            let dir = self.tree.directory(parent, OFlag::O_PATH)?;
            if let Some((made, made_name)) = &first {
                linkat(made, *made_name, &dir, name, AtFlags::empty())?;
            } else {
                self.fill(create(&dir, name)?, entry, data)?;
                first = Some((dir, name));
            }
        }
        Ok(())
    }

    /// Makes something where something else may be. To try first spares most
    /// entries a look.
    fn replace<T>(
        &mut self,
        place: &EntryPlace<'_>,
        make: impl Fn() -> nix::Result<T>,
    ) -> io::Result<T> {
        match make() {
            Err(Errno::EEXIST) => {
                self.remove(place.dir, place.name, place.path)?;
                Ok(make()?)
            }
            result => Ok(result?),
        }
    }

    fn root(&mut self, entry: &Entry) -> io::Result<()> {
        if entry.kind != Kind::Dir {
            return Err(refused("the root can only be a directory"));
        }
        let path = Path::new("");
        let root = self.tree.directory(path, OFlag::O_RDONLY)?;
        meta::directory(&root, entry, true)?;
        self.done.touch(path)?;
        self.done.directory(path.to_owned(), Directory::from(entry));
        Ok(())
    }

    fn directory(&mut self, place: &EntryPlace<'_>, entry: &Entry) -> io::Result<()> {
        let (dir, name) = (place.dir, place.name);
        // What is in it stays; what else is there makes way.
        let existed = self.tree.kind_of(dir, name)? == Some(SFlag::S_IFDIR);
        if !existed {
            self.replace(place, || mkdirat(dir, name, Mode::S_IRWXU))?;
        }
        let made = tree::open_below(dir, name, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        meta::directory(&made, entry, existed)?;
        self.done
            .directory(place.path.to_owned(), Directory::from(entry));
        Ok(())
    }

    /// Owner and so on are the target's: the archive repeats them at best, and
    /// to set them again would take away its capabilities.
    fn hard_link(&mut self, place: &EntryPlace<'_>, link: &[u8]) -> io::Result<()> {
        let what = |err: &dyn std::fmt::Display| {
            let link = super::shown(link);
            refused(&format!("hard link to {link}: {err}"))
        };
        let target = name::relative(link).map_err(|err| what(&err))?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(what(&"it is the root"));
        };
        let dir: Option<Arc<Dir>> = self.tree.parent(parent, false, Slot::LinkTarget)?;
        let dir = dir.ok_or_else(|| what(&"there is nothing"))?;
        let target = dir.join(name);
        if let Some(source) = self.lean.source(&target) {
            self.remove(place.dir, place.name, place.path)?;
            let path = place.path.to_owned();
            if self.filter.leaves_out(place.path) {
                self.lean.leave_out(path, source);
            } else {
                self.lean.link_later(path, source);
            }
            return Ok(());
        }
        if self.tree.kind_of(&dir, name)?.is_none() {
            return Err(what(&"there is nothing"));
        }
        // To make way for a link to itself would remove it.
        if target != place.path {
            let make = || linkat(&dir, name, place.dir, place.name, AtFlags::empty());
            self.replace(place, make)?;
        }
        self.lean.made(place.path);
        Ok(())
    }

    fn node(&mut self, place: &EntryPlace<'_>, entry: &Entry, kind: SFlag) -> io::Result<()> {
        let device = match kind {
            SFlag::S_IFIFO => 0,
            _ => makedev(entry.device.0.into(), entry.device.1.into()),
        };
        self.replace(place, || {
            mknodat(place.dir, place.name, kind, Mode::S_IRUSR, device)
        })?;
        meta::special(place.dir, place.name, entry)
    }

    /// Writes the data into a new file, and completes it.
    fn fill(&mut self, mut file: File, entry: &Entry, data: &mut impl Read) -> io::Result<()> {
        let whole = [Run {
            offset: 0,
            length: entry.size,
        }];
        for run in entry.sparse.as_deref().unwrap_or(&whole) {
            if entry.sparse.is_some() {
                file.seek(SeekFrom::Start(run.offset))?;
            }
            self.copy(data, &mut file, run.length)?;
        }
        if entry.sparse.is_some() {
            file.set_len(entry.size)?;
        }
        meta::file(&file, entry)
    }

    fn copy(&mut self, from: &mut impl Read, to: &mut File, length: u64) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let n = match from.read(&mut self.buffer[..want]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => n,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            };
            self.guard.write(self.tree.root(), n as u64)?;
            to.write_all(&self.buffer[..n])?;
            left -= n as u64;
        }
        Ok(())
    }
}

/// A new file that nobody else can open yet.
fn create(dir: &Dir, name: &OsStr) -> nix::Result<File> {
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    openat(dir, name, flags | OFlag::O_NOFOLLOW, mode).map(File::from)
}
