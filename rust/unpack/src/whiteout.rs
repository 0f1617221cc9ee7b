// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whiteouts: they remove what lower layers made, and never what their own
//! layer makes, wherever in the archive they stand (image-spec `layer.md`).

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::stat::SFlag;

use super::tree::{self, Slot};
use super::writer::Writer;

impl Writer {
    /// Removes `name` of the lower layers from `parent`.
    pub(super) fn whiteout(&mut self, parent: &Path, name: &OsStr) -> io::Result<()> {
        let Some(dir) = self.tree.parent(parent, false, Slot::Entry)? else {
            return Ok(());
        };
        let path = dir.join(name);
        if !self.done.is_touched(&path) {
            return self.remove(&dir, name, &path);
        }
        if self.tree.kind_of(&dir, name)? == Some(SFlag::S_IFDIR) {
            self.clear_lower(path)?;
        }
        Ok(())
    }

    /// Removes all of the lower layers from `dir`.
    pub(super) fn opaque(&mut self, dir: &Path) -> io::Result<()> {
        match self.tree.parent(dir, false, Slot::Entry)? {
            Some(dir) => self.clear_lower(dir.path().to_owned()),
            None => Ok(()),
        }
    }

    fn clear_lower(&mut self, path: PathBuf) -> io::Result<()> {
        // Not recursive: an archive can nest deeper than a stack.
        let mut todo = vec![path];
        while let Some(path) = todo.pop() {
            let dir = self.tree.directory(&path, OFlag::O_PATH)?;
            let list = tree::open_below(&dir, OsStr::new(""), OFlag::O_RDONLY)?;
            for name in tree::names(list)? {
                let path = dir.join(&name);
                if !self.done.is_touched(&path) {
                    self.remove(&dir, &name, &path)?;
                } else if self.tree.kind_of(&dir, &name)? == Some(SFlag::S_IFDIR) {
                    todo.push(path);
                }
            }
        }
        Ok(())
    }
}
