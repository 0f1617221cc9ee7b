// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of entries: where in the root they mean, and which of them are
//! instructions (image-spec `layer.md`, section *Whiteouts*). Pure.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Longest name that is accepted, in bytes: `PATH_MAX` without its zero, the
/// most that the kernel takes in one call.
pub(super) const PATH_BYTES_MAX: usize = 4095;

const WHITEOUT: &[u8] = b".wh.";
/// What aufs keeps beside the whiteouts: link farms and its own bookkeeping.
const AUFS: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// An error about a name.
pub(super) fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// A name of an archive as a path relative to the root, without `.`, doubled
/// and trailing slashes. `a`, `./a` and `/a` mean the same; the empty path is
/// the root itself.
pub(super) fn relative(name: &[u8]) -> io::Result<PathBuf> {
    if name.is_empty() {
        return Err(refused("the name is empty"));
    }
    if name.len() > PATH_BYTES_MAX {
        return Err(refused("the name is longer than 4095 bytes"));
    }
    if name.contains(&0) {
        return Err(refused("the name has a zero byte in it"));
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::ParentDir => return Err(refused("the name has `..` in it")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(path)
}

/// Bytes of an archive as the operating system takes them.
pub(super) fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// What an entry is there for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// Describes the root directory itself.
    Root,
    /// Becomes `name` in `parent`.
    Entry { parent: &'a Path, name: &'a OsStr },
    /// Removes `name` of the lower layers from `parent`.
    Whiteout { parent: &'a Path, name: &'a OsStr },
    /// Empties `parent` of what the lower layers put there.
    Opaque { parent: &'a Path },
    /// Nothing: bookkeeping of aufs.
    Ignored,
}

/// The role of a path as [`relative`] gives it. Only the name counts, as in
/// all unpackers: a whiteout may be of any type.
pub(super) fn role(path: &Path) -> io::Result<Role<'_>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(Role::Root);
    };
    let aufs = |part: &OsStr| part.as_bytes().starts_with(AUFS);
    if parent.iter().any(aufs) {
        return Ok(Role::Ignored);
    }
    if name.as_bytes() == OPAQUE {
        return Ok(Role::Opaque { parent });
    }
    if aufs(name) {
        return Ok(Role::Ignored);
    }
    match name.as_bytes().strip_prefix(WHITEOUT) {
        None => Ok(Role::Entry { parent, name }),
        // Removing these would reach for the directory or its parent.
        Some(b"" | b"." | b"..") => Err(refused("the whiteout names no entry")),
        Some(name) => Ok(Role::Whiteout {
            parent,
            name: OsStr::from_bytes(name),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_relative_to_the_root() {
        for (name, path) in [
            (&b"a"[..], Some(&b"a"[..])),
            (b"./a", Some(b"a")),
            (b"/a", Some(b"a")),
            (b"//a//./b///", Some(b"a/b")),
            (b"./", Some(b"")),
            (b"/", Some(b"")),
            (b"..a/b..", Some(b"..a/b..")),
            (b"\xff\xfe/\xc3", Some(b"\xff\xfe/\xc3")),
            (b"..", None),
            (b"../a", None),
            (b"a/../b", None),
            (b"/../a", None),
            (b"a/..", None),
            (b"", None),
            (b"a\0b", None),
            (&[b'a'; PATH_BYTES_MAX], Some(&[b'a'; PATH_BYTES_MAX])),
            (&[b'a'; PATH_BYTES_MAX + 1], None),
        ] {
            let found = relative(name).ok();
            let found = found.as_deref().map(|path| path.as_os_str().as_bytes());
            assert_eq!(found, path, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn roles() {
        let (parent, name) = (Path::new("d"), OsStr::new("x"));
        for (path, expected) in [
            ("", Some(Role::Root)),
            ("d/x", Some(Role::Entry { parent, name })),
            ("d/.wh.x", Some(Role::Whiteout { parent, name })),
            ("d/.wh..wh..opq", Some(Role::Opaque { parent })),
            ("d/.wh..wh.plnk", Some(Role::Ignored)),
            ("d/.wh..wh.plnk/1.2", Some(Role::Ignored)),
            ("d/.wh..wh..opq.", Some(Role::Ignored)),
            ("d/.wh..wh..opq/x", Some(Role::Ignored)),
            ("d/.wh.", None),
            ("d/.wh..", None),
            ("d/.wh...", None),
        ] {
            assert_eq!(role(Path::new(path)).ok(), expected, "{path}");
        }
        assert_eq!(
            role(Path::new(".wh..x")).unwrap(),
            Role::Whiteout {
                parent: Path::new(""),
                name: OsStr::new(".x")
            }
        );
        // Only the last part instructs.
        assert!(matches!(role(Path::new(".wh.d/x")), Ok(Role::Entry { .. })));
    }
}
