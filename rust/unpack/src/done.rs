// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was made so far: which paths are the current layer's, and which
//! directories get their mode and time at the end.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::entries::Entry;
use super::meta::DEFAULT_ACL;
use super::name::refused;

/// Most entries of an image. Ten times as many as the largest desktop images
/// have; a bomb of empty files would use up the memory and the inodes.
pub(super) const ENTRIES_MAX: u64 = 4_000_000;
/// Most memory for the paths of an image, in bytes: a bomb of long names.
pub(super) const PATHS_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// What a path in a set costs beside its bytes.
const PATH_COST: u64 = 64;

/// How a directory shall be in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) mode: u32,
    pub(super) mtime: (i64, i64),
    pub(super) default_acl: Option<Vec<u8>>,
}

impl From<&Entry> for Directory {
    fn from(entry: &Entry) -> Self {
        let acl = entry.xattrs.iter().find(|(name, _)| name == DEFAULT_ACL);
        Self {
            mode: entry.mode,
            mtime: entry.mtime,
            default_acl: acl.map(|(_, value)| value.clone()),
        }
    }
}

/// The record. All paths are relative to the root and have no links in their
/// directories.
#[derive(Debug, Default)]
pub(super) struct Done {
    entries: u64,
    bytes: u64,
    /// What the current layer made, and all directories above it.
    touched: HashSet<PathBuf>,
    directories: BTreeMap<PathBuf, Directory>,
}

impl Done {
    /// Begins a layer: all that is there is of lower layers.
    pub(super) fn next_layer(&mut self) {
        self.touched.clear();
    }

    /// Counts an entry of an archive.
    pub(super) fn count(&mut self) -> io::Result<()> {
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            return Err(refused("the image has more than 4 million entries"));
        }
        Ok(())
    }

    /// Records that the current layer made `path`.
    pub(super) fn touch(&mut self, path: &Path) -> io::Result<()> {
        for path in path.ancestors() {
            if self.touched.contains(path) {
                break;
            }
            self.bytes += path.as_os_str().len() as u64 + PATH_COST;
            if self.bytes > PATHS_BYTES_MAX {
                return Err(refused("the names in the image are too long in total"));
            }
            self.touched.insert(path.to_owned());
        }
        Ok(())
    }

    /// Whether the current layer made `path`, or something below it.
    pub(super) fn is_touched(&self, path: &Path) -> bool {
        self.touched.contains(path)
    }

    /// Records a directory.
    pub(super) fn directory(&mut self, path: PathBuf, directory: Directory) {
        self.directories.insert(path, directory);
    }

    /// The directory `path` and all in it were removed.
    pub(super) fn forget(&mut self, path: &Path) {
        let from = (Bound::Included(path), Bound::Unbounded);
        let below = self.directories.range::<Path, _>(from);
        let gone: Vec<PathBuf> = below
            .map(|(found, _)| found)
            .take_while(|found| found.starts_with(path))
            .cloned()
            .collect();
        for path in gone {
            self.directories.remove(&path);
        }
    }

    /// The directories, those below before those above.
    pub(super) fn deepest_first(&self) -> impl Iterator<Item = (&Path, &Directory)> {
        let found = self.directories.iter().rev();
        found.map(|(path, directory)| (path.as_path(), directory))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn directory() -> Directory {
        Directory {
            mode: 0,
            mtime: (0, 0),
            default_acl: None,
        }
    }

    #[test]
    fn forgets_a_tree_and_nothing_beside_it() {
        let mut done = Done::default();
        for path in ["a", "a/b", "a/b/c", "a/b/c/d", "a/b-", "a/b0", "a/c", "b"] {
            done.directory(path.into(), directory());
        }
        done.forget(Path::new("a/b"));
        let left: Vec<&str> = done
            .deepest_first()
            .map(|(path, _)| path.to_str().unwrap())
            .collect();
        assert_eq!(left, ["b", "a/c", "a/b0", "a/b-", "a"]);
    }

    #[test]
    fn touching_includes_the_directories_above() {
        let mut done = Done::default();
        done.touch(Path::new("a/b/c")).unwrap();
        for path in ["", "a", "a/b", "a/b/c"] {
            assert!(done.is_touched(Path::new(path)), "{path}");
        }
        assert!(!done.is_touched(Path::new("a/c")));
        done.next_layer();
        assert!(!done.is_touched(Path::new("a")));
    }

    #[test]
    fn bombs_are_refused() {
        let mut done = Done::default();
        for _ in 0..ENTRIES_MAX {
            done.count().unwrap();
        }
        assert!(done.count().is_err());
        done.bytes = PATHS_BYTES_MAX - 100;
        assert!(done.touch(Path::new(&"x".repeat(100))).is_err());
    }
}
