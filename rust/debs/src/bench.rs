// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where compilers work: a directory that is in the root and outlives it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use buildroot::cache;

use crate::root::{self, Output};
use crate::source;
use crate::vendor;

/// Where the bench is in the root, what is on it, and the crates.
pub(crate) const BUILD: &str = "/build";
pub(crate) const TREE: &str = "/build/tree";
pub(crate) const VENDOR: &str = "/build/tree/vendor";

/// Where a suite's packages, or the plugin alone, are built: a directory in the
/// cache that keeps what compilers made, for one build at a time.
pub(crate) struct Bench {
    pub(crate) source: PathBuf,
    pub(crate) files: Vec<PathBuf>,
    root: PathBuf,
    vendor: PathBuf,
    /// [`BUILD`] in the root.
    pub(crate) dir: PathBuf,
    lock: PathBuf,
}

impl Bench {
    /// The bench for one kind of work. Benches of other options are others.
    pub(crate) fn new(kind: &str, suite: &str, options: &str) -> Result<Self> {
        let source = source::workspace()?;
        let files = source::files(&source)?;
        let recipe = root::recipe(suite, &source)?;
        let vendor = vendor::vendor(&source)?;
        // What was compiled against one root, or with other options, is no use
        // in another.
        let key = recipe.key().with("options", options);
        let name = format!("{kind}-{suite}-{}", key.hex());
        let cache = cache::dir()?;
        Ok(Self {
            source,
            files,
            root: recipe.build()?,
            vendor,
            lock: cache.join(format!(".{name}.lock")),
            dir: cache.join(name),
        })
    }

    pub(crate) fn lock(&self) -> Result<impl Drop + use<>> {
        cache::lock(&self.lock)
    }

    pub(crate) fn run(&self, lines: &str, output: Output<'_>) -> Result<()> {
        let mounts = [(self.dir.as_path(), BUILD), (&self.vendor, VENDOR)];
        root::run(&self.root, &mounts, TREE, lines, output)
    }

    /// The tree as a fresh check-out has it, beside what compilers left: the
    /// state of debhelper goes, the object directories stay. CMake configures
    /// anew, since it takes compiler flags only then.
    pub(crate) fn lay_out(&self) -> Result<()> {
        let tree = self.dir.join("tree");
        let is_kept = |name: &str| name.starts_with("obj-");
        source::copy(&self.source, &self.files, &tree, is_kept)?;
        for path in entries(&tree)?.iter().filter(|path| path.is_dir()) {
            cache::remove_tree(&path.join("CMakeCache.txt"))?;
        }
        Ok(())
    }

    /// What a build leaves beside the tree.
    pub(crate) fn results(&self) -> Result<Vec<PathBuf>> {
        let results = entries(&self.dir)?;
        Ok(results.into_iter().filter(|path| path.is_file()).collect())
    }

    pub(crate) fn clear_results(&self) -> Result<()> {
        for path in self.results()? {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(())
    }
}

/// What is in a directory, sorted.
pub(crate) fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(dir)
        .and_then(|entries| {
            entries
                .map(|e| e.map(|e| e.path()))
                .collect::<std::io::Result<Vec<_>>>()
        })
        .with_context(|| format!("listing {}", dir.display()))?;
    paths.sort();
    Ok(paths)
}
