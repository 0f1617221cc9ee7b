// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing into a root that is not ours: atomically, and never out of it.
//!
//! A deployment is made from an image that somebody else built; a link in it
//! such as `/etc/containers -> /` must not lead into the live system. Links
//! are followed within the root only, which the kernel sees to.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use contract::error::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};

use crate::rootdir::RootDir;

/// Files that are read are at most this long.
const READ_MAX: u64 = 1024 * 1024;

/// A root that is written to.
#[derive(Debug)]
pub struct Root {
    dir: RootDir,
    path: PathBuf,
}

impl Root {
    /// Opens the directory.
    pub fn open(path: &Path) -> Result<Self> {
        let dir = RootDir::open(path).map_err(|err| Error::io("opening", path, &err))?;
        Ok(Self {
            dir,
            path: path.to_owned(),
        })
    }

    /// The text of a file, `None` when it is not there.
    pub fn read(&self, file: &Path) -> Result<Option<String>> {
        match self.dir.read(file, READ_MAX) {
            Ok(text) => Ok(Some(text)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(self.failed("reading", file, &err)),
        }
    }

    /// Writes a whole file: the old one stays until the new one is on disk.
    /// Missing directories are made with mode 0755.
    pub fn write(&self, file: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        self.try_write(file, bytes, mode)
            .map_err(|err| self.failed("writing", file, &err))
    }

    /// Makes a symbolic link in place of a file or link that is there. Missing
    /// directories are made with mode 0755.
    pub fn link(&self, file: &Path, target: &str) -> Result<()> {
        let made = || -> io::Result<()> {
            let place = self.place(file)?;
            symlinkat(target, &place.parent, place.temporary.as_os_str())?;
            place.rename()
        };
        made().map_err(|err| self.failed("making the link", file, &err))
    }

    /// Makes a directory and the ones above it (0755); one that exists stays
    /// as it is.
    pub fn make_dir(&self, dir: &Path, mode: u32) -> Result<()> {
        let made = || -> io::Result<()> {
            let (parent, name) = split(dir)?;
            let parent = self.dir_fd(parent)?;
            match mkdirat(&parent, name, Mode::from_bits_truncate(mode)) {
                Ok(()) => {
                    // The umask had its say.
                    let made = openat(&parent, name, DIRECTORY, Mode::empty())?;
                    Ok(fchmod(made, Mode::from_bits_truncate(mode))?)
                }
                Err(Errno::EEXIST) => Ok(()),
                Err(errno) => Err(errno.into()),
            }
        };
        made().map_err(|err| self.failed("making", dir, &err))
    }

    fn try_write(&self, file: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let place = self.place(file)?;
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        // Private until it has its mode: the bytes may be secret.
        let created = openat(
            &place.parent,
            place.temporary.as_os_str(),
            flags,
            Mode::S_IRUSR | Mode::S_IWUSR,
        )?;
        let mut created = File::from(created);
        created.write_all(bytes)?;
        fchmod(&created, Mode::from_bits_truncate(mode))?;
        created.sync_all()?;
        place.rename()
    }

    /// Where something new is made, without what an earlier attempt left there.
    fn place<'a>(&self, file: &'a Path) -> io::Result<NewPlace<'a>> {
        let (parent, name) = split(file)?;
        let parent = self.dir_fd(parent)?;
        let mut temporary = OsStr::new(".").to_owned();
        temporary.push(name);
        temporary.push(".new");
        match unlinkat(&parent, temporary.as_os_str(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(NewPlace {
            parent,
            name,
            temporary,
        })
    }

    /// Opens a directory, making it and the ones above it when missing.
    fn dir_fd(&self, path: &Path) -> io::Result<OwnedFd> {
        let mut current = self.dir.open_in(Path::new(""), DIRECTORY)?;
        let mut seen = PathBuf::new();
        for component in path.components() {
            let name = match component {
                Component::Normal(name) => name,
                Component::RootDir | Component::CurDir => continue,
                _ => return Err(Errno::EINVAL.into()),
            };
            seen.push(name);
            current = match self.dir.open_in(&seen, DIRECTORY) {
                Err(Errno::ENOENT) => {
                    mkdirat(current.as_fd(), name, Mode::from_bits_truncate(0o755))?;
                    self.dir.open_in(&seen, DIRECTORY)?
                }
                other => other?,
            };
        }
        Ok(current)
    }

    fn failed(&self, doing: &str, what: &Path, err: &io::Error) -> Error {
        Error::io(doing, &self.path.join(what), err)
    }
}

/// A name, and the one that something has until it is complete.
struct NewPlace<'a> {
    parent: OwnedFd,
    name: &'a OsStr,
    temporary: OsString,
}

impl NewPlace<'_> {
    fn rename(&self) -> io::Result<()> {
        let (parent, temporary) = (&self.parent, self.temporary.as_os_str());
        Ok(renameat(parent, temporary, parent, self.name)?)
    }
}

const DIRECTORY: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW);

fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok((parent, name)),
        _ => Err(Errno::EINVAL.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn files_and_directories() {
        let temp = tempfile::tempdir().unwrap();
        let root = Root::open(temp.path()).unwrap();
        let file = Path::new("etc/ostree/auth.json");
        assert_eq!(root.read(file).unwrap(), None);
        root.write(file, b"one", 0o600).unwrap();
        root.write(file, b"two", 0o600).unwrap();
        assert_eq!(root.read(file).unwrap().as_deref(), Some("two"));
        assert_eq!(mode(&temp.path().join(file)), 0o600);
        assert_eq!(mode(&temp.path().join("etc/ostree")), 0o755);
        root.make_dir(Path::new("roothome"), 0o700).unwrap();
        root.make_dir(Path::new("roothome"), 0o755).unwrap();
        assert_eq!(mode(&temp.path().join("roothome")), 0o700);
        let names: Vec<_> = fs::read_dir(temp.path().join("etc/ostree"))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, ["auth.json"], "no temporary file stays");
    }

    #[test]
    fn links_are_made_in_place_of_files_and_links() {
        let temp = tempfile::tempdir().unwrap();
        let root = Root::open(temp.path()).unwrap();
        let link = temp.path().join("etc/localtime");
        let read = || fs::read_link(&link).unwrap();
        root.link(Path::new("etc/localtime"), "../usr/a").unwrap();
        root.link(Path::new("etc/localtime"), "../usr/b").unwrap();
        assert_eq!(read(), Path::new("../usr/b"));
        root.write(Path::new("etc/localtime"), b"x", 0o644).unwrap();
        root.link(Path::new("etc/localtime"), "/c").unwrap();
        assert_eq!(read(), Path::new("/c"));
        fs::create_dir(temp.path().join("etc/dir")).unwrap();
        assert!(root.link(Path::new("etc/dir"), "x").is_err());
        let names = fs::read_dir(temp.path().join("etc")).unwrap().count();
        assert_eq!(names, 3, "the one that could not be renamed");
        root.link(Path::new("etc/ok"), "x").unwrap();
    }

    #[test]
    fn links_lead_nowhere_else() {
        let temp = tempfile::tempdir().unwrap();
        let outside = temp.path().join("outside");
        let inside = temp.path().join("root");
        fs::create_dir_all(&outside).unwrap();
        fs::create_dir_all(inside.join("etc")).unwrap();
        fs::create_dir_all(inside.join("usr/etc")).unwrap();
        symlink(&outside, inside.join("etc/containers")).unwrap();
        symlink("../../../outside", inside.join("etc/up")).unwrap();
        symlink("../usr/etc", inside.join("etc/within")).unwrap();
        fs::write(outside.join("victim"), "safe").unwrap();
        symlink(outside.join("victim"), inside.join("etc/fstab")).unwrap();
        let root = Root::open(&inside).unwrap();
        for file in ["etc/containers/x", "etc/up/x", "etc/../../outside/x"] {
            assert!(
                root.write(Path::new(file), b"bad", 0o644).is_err(),
                "{file}"
            );
        }
        // A link as the file itself is replaced, not followed.
        root.write(Path::new("etc/fstab"), b"new", 0o644).unwrap();
        assert_eq!(fs::read_to_string(outside.join("victim")).unwrap(), "safe");
        assert_eq!(fs::read_to_string(inside.join("etc/fstab")).unwrap(), "new");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }
}
