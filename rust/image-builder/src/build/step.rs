// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a build is made of: steps, each of which says what it does, and does
//! it. `--dry-run` prints what the steps say; a build runs the same ones.

use std::fmt;
use std::path::{Path, PathBuf};

use super::embed::Image;
use super::files::{Entry, Files};
use super::lists::Lists;
use super::live::{Bench, Inputs};
use super::parts::Parts;
use super::publish::Artefacts;
use super::root::Shell;
use super::work::Work;
use host::cancel::Cancel;

use crate::error::{Error, Result};
use crate::mirror::{self, Reach};
use crate::progress::Progress;
use crate::sbom::{Hashes, Package};

/// One step of a build.
pub(super) trait Step: fmt::Debug {
    /// What it does. Nothing is looked up and nothing is written for it.
    ///
    /// # Errors
    /// `IO` when a file that the distro names cannot be read.
    fn describe(&self) -> Result<Description>;

    /// Does it, with what the steps before it have left in `at`.
    ///
    /// # Errors
    /// Every code of [`crate::error::Code`].
    fn run(&self, at: &mut Context<'_>) -> Result<()>;
}

/// What a step does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Description {
    /// In words.
    pub(super) what: String,
    /// Its command lines, as they would be typed. A proxy of this machine's
    /// apt is not in them: it is asked for when a build begins, and may have a
    /// password in it.
    pub(super) commands: Vec<String>,
    /// Files that it writes, with their sizes in bytes; 0 where that is not
    /// known yet.
    pub(super) files: Vec<(PathBuf, usize)>,
}

impl Description {
    /// Words only.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }

    /// With command lines.
    #[must_use]
    pub(super) fn commands(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.commands.extend(lines);
        self
    }

    /// With files below a directory.
    #[must_use]
    pub(super) fn files(mut self, files: &Files, dir: &Path) -> Self {
        let size = |entry: &Entry| match entry {
            Entry::File { content, .. } => content.len(),
            Entry::Link(_) => 0,
        };
        let files = files.iter();
        self.files
            .extend(files.map(|(path, entry)| (dir.join(path), size(entry))));
        self
    }

    /// With a file that is known by its name only.
    #[must_use]
    pub(super) fn file(mut self, path: PathBuf) -> Self {
        self.files.push((path, 0));
        self
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        for line in &self.commands {
            writeln!(f, "     $ {line}")?;
        }
        for (path, bytes) in &self.files {
            match bytes {
                0 => writeln!(f, "     > {}", path.display())?,
                _ => writeln!(f, "     > {}  {bytes} B", path.display())?,
            }
        }
        Ok(())
    }
}

/// What the steps of one build share.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// Where it is told.
    pub(super) progress: &'a mut Progress,
    /// Ends it early.
    pub(super) stop: &'a Cancel,
    /// What the first step found.
    pub(super) found: Later<Found>,
    /// All packages that are not in the archive.
    pub(super) debs: Later<Vec<PathBuf>>,
    /// What the archives have.
    pub(super) lists: Later<Lists>,
    /// Hashes of the archives' packages.
    pub(super) hashes: Later<Hashes>,
    /// Name and version of every package of the root in which live-build runs.
    pub(super) tools: Later<Vec<(String, String)>>,
    /// Packages whose boot loaders are on the medium.
    pub(super) loaders: Later<Vec<Package>>,
    /// What decides the root in which live-build runs.
    pub(super) root_key: Later<String>,
    /// Where live-build runs.
    pub(super) root: Later<Box<dyn Shell>>,
    /// The results.
    pub(super) artefacts: Later<Artefacts>,
}

/// What was looked up before anything is built.
#[derive(Debug)]
pub(super) struct Found {
    /// Our packages, when they were given.
    pub(super) given: Option<Vec<PathBuf>>,
    /// The state of the archive.
    pub(super) mirror: mirror::ArchiveState,
    /// `SOURCE_DATE_EPOCH`.
    pub(super) epoch: u64,
    /// How mirrors are reached.
    pub(super) reach: Reach,
    /// The images that go onto the medium.
    pub(super) embedded: Vec<Image>,
    /// The work directory.
    pub(super) work: Work,
}

impl<'a> Context<'a> {
    /// At the beginning.
    pub(super) fn new(progress: &'a mut Progress, stop: &'a Cancel) -> Self {
        Self {
            progress,
            stop,
            found: Later::new("what was looked up"),
            debs: Later::new("packages"),
            lists: Later::new("lists of packages"),
            hashes: Later::new("hashes"),
            tools: Later::new("tools"),
            loaders: Later::new("boot loaders"),
            root_key: Later::new("a root for live-build"),
            root: Later::new("a root for live-build"),
            artefacts: Later::new("results"),
        }
    }

    /// live-build's place with its inputs, and where it tells what it does.
    ///
    /// # Errors
    /// When a step before it was left out.
    pub(super) fn bench<'b>(
        &'b mut self,
        parts: &'b Parts,
    ) -> Result<(Bench<'b>, &'b mut Progress)> {
        let found = self.found.get()?;
        let bench = Bench {
            root: &**self.root.get()?,
            work: &found.work,
            stop: self.stop,
            inputs: Inputs {
                distro: &parts.request.distro,
                tree: parts.tree()?,
                debs: self.debs.get()?,
                mirror: &found.mirror,
                epoch: found.epoch,
                root_key: self.root_key.get()?,
                reach: &found.reach,
                embedded: &found.embedded,
                loaders: self.loaders.get()?,
                tools: self.tools.get()?,
                hashes: self.hashes.get()?,
            },
        };
        Ok((bench, self.progress))
    }
}

/// What one step leaves for those after it.
#[derive(Debug)]
pub(super) struct Later<T> {
    name: &'static str,
    value: Option<T>,
}

impl<T> Later<T> {
    fn new(name: &'static str) -> Self {
        Self { name, value: None }
    }

    /// It is there now.
    pub(super) fn set(&mut self, value: T) {
        self.value = Some(value);
    }

    /// Looks at it.
    ///
    /// # Errors
    /// When the step that makes it was left out.
    pub(super) fn get(&self) -> Result<&T> {
        self.value.as_ref().ok_or_else(|| missing(self.name))
    }

    /// Takes it.
    ///
    /// # Errors
    /// As [`Later::get`].
    pub(super) fn take(self) -> Result<T> {
        self.value.ok_or_else(|| missing(self.name))
    }
}

fn missing(name: &str) -> Error {
    Error::defect(format!("A step has to do without {name}."))
}
