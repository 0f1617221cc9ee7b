// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking into a root directory as if it were `/`: absolute links and `..` in
//! it stay in it, which the kernel sees to (`openat2(2)`, `RESOLVE_IN_ROOT`).

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{Mode, SFlag, fstat};

/// Every rename anywhere on the machine makes the kernel give up on a path with
/// `..` in it; it asks to try again.
const TRIES: usize = 128;

/// A directory that is looked at as a root.
#[derive(Debug)]
pub struct RootDir {
    fd: OwnedFd,
}

impl AsFd for RootDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl RootDir {
    /// Opens the directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self {
            fd: open(path, flags, Mode::empty())?,
        })
    }

    /// Opens something in the root, following links within it. Nothing that is
    /// mounted in the root is entered.
    pub fn open_in(&self, path: &Path, flags: OFlag) -> nix::Result<OwnedFd> {
        let relative = path.strip_prefix("/").unwrap_or(path);
        let relative = if relative.as_os_str().is_empty() {
            Path::new(".")
        } else {
            relative
        };
        let how = || {
            OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(
                ResolveFlag::RESOLVE_IN_ROOT
                    | ResolveFlag::RESOLVE_NO_MAGICLINKS
                    | ResolveFlag::RESOLVE_NO_XDEV,
            )
        };
        let mut result = openat2(&self.fd, relative, how());
        for _ in 1..TRIES {
            if !matches!(result, Err(Errno::EAGAIN | Errno::EINTR)) {
                break;
            }
            result = openat2(&self.fd, relative, how());
        }
        result
    }

    fn kind(&self, path: impl AsRef<Path>) -> Option<SFlag> {
        let fd = self.open_in(path.as_ref(), OFlag::O_PATH).ok()?;
        let mode = fstat(fd).ok()?.st_mode;
        Some(SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits()))
    }

    /// Whether there is a regular file.
    pub fn is_file(&self, path: impl AsRef<Path>) -> bool {
        self.kind(path) == Some(SFlag::S_IFREG)
    }

    /// Whether there is a directory.
    pub fn is_dir(&self, path: impl AsRef<Path>) -> bool {
        self.kind(path) == Some(SFlag::S_IFDIR)
    }

    /// Contents of a file, at most `max` bytes of it.
    pub fn read(&self, path: impl AsRef<Path>, max: u64) -> io::Result<String> {
        let fd = self.open_in(path.as_ref(), OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
        let mut bytes = Vec::new();
        std::fs::File::from(fd).take(max).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names in a directory, sorted; none when there is no such directory.
    pub fn list(&self, path: impl AsRef<Path>) -> Vec<OsString> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        let Ok(mut dir) = self.open_in(path.as_ref(), flags).and_then(Dir::from_fd) else {
            return Vec::new();
        };
        let mut names: Vec<OsString> = dir
            .iter()
            .flatten()
            .map(|entry| OsString::from_vec(entry.file_name().to_bytes().to_vec()))
            .filter(|name| name != "." && name != "..")
            .collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_inside() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("root");
        std::fs::create_dir_all(root.join("usr/bin")).unwrap();
        std::fs::write(root.join("usr/bin/tool"), "x").unwrap();
        std::fs::write(temp.path().join("outside"), "secret").unwrap();
        symlink("usr/bin", root.join("bin")).unwrap();
        symlink("/usr/bin", root.join("absolute")).unwrap();
        symlink("../../outside", root.join("out")).unwrap();
        let dir = RootDir::open(&root).unwrap();
        assert!(dir.is_file("/bin/tool"));
        assert!(dir.is_file("absolute/tool"));
        assert!(dir.is_dir("/"));
        assert!(!dir.is_file("out"));
        assert!(dir.read("../outside", 10).is_err());
        assert_eq!(dir.list("bin"), ["tool"]);
        assert!(dir.list("nothing").is_empty());
    }
}
