// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hard links to files that the filter left out.
//!
//! An archive has a file's data once, at the name that comes first; the other
//! names are links to it. When the first name is left out and another one is
//! not, the data is needed after all, but it has gone by. Empty files in its
//! place would break programs in ways that nobody could explain, and to keep
//! all that is left out just in case would make the filter useless. So such
//! links, which hardly any image has, are remembered, and when the layer is
//! through, the archive that has the data is read a second time for them. A
//! link whose data is there is always made: it costs nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Where the data of a file is: the layer, counted from the lowest, and the
/// entry in it, both from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    pub(super) layer: usize,
    pub(super) entry: u64,
}

/// What was left out. All paths are without links in their directories.
#[derive(Debug, Default)]
pub(super) struct Lean {
    left_out: HashMap<PathBuf, Source>,
    later: BTreeMap<PathBuf, Source>,
}

impl Lean {
    /// `path` was left out.
    pub(super) fn leave_out(&mut self, path: PathBuf, source: Source) {
        self.later.remove(&path);
        self.left_out.insert(path, source);
    }

    /// `path` is a link to data that was left out, and is to be made.
    pub(super) fn link_later(&mut self, path: PathBuf, source: Source) {
        // Until then a link to this link is a link to the data, too.
        self.left_out.insert(path.clone(), source);
        self.later.insert(path, source);
    }

    /// Where the data of `path` is, if it was left out.
    pub(super) fn source(&self, path: &Path) -> Option<Source> {
        self.left_out.get(path).copied()
    }

    /// `path` was made, whatever was before.
    pub(super) fn made(&mut self, path: &Path) {
        if !self.left_out.is_empty() {
            self.left_out.remove(path);
            self.later.remove(path);
        }
    }

    /// The directory `path` was removed.
    pub(super) fn forget(&mut self, path: &Path) {
        self.later.retain(|link, _| !link.starts_with(path));
    }

    /// The links to be made now, by the data that they share.
    pub(super) fn take_later(&mut self) -> BTreeMap<Source, Vec<PathBuf>> {
        let mut wanted: BTreeMap<Source, Vec<PathBuf>> = BTreeMap::new();
        for (link, source) in std::mem::take(&mut self.later) {
            self.left_out.remove(&link);
            wanted.entry(source).or_default().push(link);
        }
        wanted
    }
}
