// SPDX-License-Identifier: MIT OR Apache-2.0
//! The surroundings of one test.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use crate::live::Live;
use crate::{artefacts, root};

/// The surroundings of one test: those of the failure tests, a directory for
/// what should outlive it, and the live system's layers. Dropping it asserts
/// that no process, mount or loop device is left.
#[derive(Debug)]
pub struct World {
    inner: failure::World,
    artefacts: PathBuf,
    debian: PathBuf,
    sessions: Cell<usize>,
}

impl World {
    /// Enters the surroundings; `None`, with a message, where that cannot be
    /// done. `name` is the test's, for its artefacts.
    ///
    /// # Panics
    /// When `$CI` is set and something is missing.
    pub fn enter(name: &str) -> Option<Self> {
        let inner = failure::World::enter(&[])?;
        Some(Self {
            inner,
            artefacts: artefacts::directory(name),
            debian: root::debian().unwrap(),
            sessions: Cell::new(0),
        })
    }

    /// The surroundings of the failure tests: images, registries, programs.
    pub fn inner(&self) -> &failure::World {
        &self.inner
    }

    /// A file system for a target, not mounted on the host.
    pub fn disk(&self, fs: failure::Fs, size: u64) -> failure::Disk {
        let disk = self.inner.disk(fs, size);
        disk.unmount();
        disk
    }

    /// The Debian root below every live system. It is the cache's: look only.
    pub fn debian(&self) -> &Path {
        &self.debian
    }

    /// A live system with Calamares and its stock modules only.
    pub fn stock(&self) -> Live<'_> {
        Live::stock(self, vec![self.debian.clone()])
    }

    /// The live system with the plugin.
    pub fn plugin(&self) -> Live<'_> {
        let mut layers = root::plugin().unwrap();
        layers.push(self.debian.clone());
        Live::with_plugin(self, layers)
    }

    /// A directory for the next session's artefacts: the test's own, and below
    /// it from the second one on.
    pub(crate) fn next_artefacts(&self) -> PathBuf {
        let number = self.sessions.get() + 1;
        self.sessions.set(number);
        if number == 1 {
            return self.artefacts.clone();
        }
        let directory = self.artefacts.join(number.to_string());
        std::fs::create_dir(&directory).unwrap();
        directory
    }

    /// The directory of what stays after the test.
    pub fn artefacts(&self) -> &Path {
        &self.artefacts
    }
}
