// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building, and what is checked with the suite's own tools.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use buildroot::cache::{self, Key};

use crate::bench::{BUILD, Bench, entries};
use crate::root::{self, Output};
use crate::source;

/// The packages of this work tree for a suite (`trixie`, `forky`): the paths of
/// the `.deb` files, in the cache, sorted by name. Built when the sources or
/// the suite's recipe changed. `DEB_BUILD_OPTIONS` counts; what is written meanwhile goes to `output`. Needs
/// root.
pub fn build(suite: &str, output: Output<'_>) -> Result<Vec<PathBuf>> {
    packages_in(&built(suite, output)?)
}

/// Runs lintian over the packages: its errors are errors, the rest is printed.
pub fn lint(suite: &str) -> Result<()> {
    let built = built(suite, Output::Inherited)?;
    root::run(
        &root::build_root(suite)?,
        &[(&built, BUILD)],
        BUILD,
        "lintian --allow-root --fail-on error --tag-display-limit 0 *.changes",
        Output::Inherited,
    )
}

/// Compiles the whole workspace with the suite's compiler, and lints what needs
/// Qt and so cannot be linted elsewhere.
pub fn check_rust(suite: &str) -> Result<()> {
    let bench = bench(suite)?;
    let _lock = bench.lock()?;
    bench.lay_out()?;
    bench.run(
        "rustc --version; exec debian/rules rust-check",
        Output::Inherited,
    )
}

fn bench(suite: &str) -> Result<Bench> {
    Bench::new("deb-build", suite, &root::build_options())
}

/// The cache entry with all that `dpkg-buildpackage` made.
fn built(suite: &str, output: Output<'_>) -> Result<PathBuf> {
    let bench = bench(suite)?;
    let root_key = root::recipe(suite, &bench.source)?.key();
    let start = || {
        Key::new()
            .with("root", root_key.hex())
            .with("options", root::build_options())
    };
    let key = source::key(&bench.source, &bench.files, start())?;
    cache::entry(&format!("debs-{suite}"), &key, |dir| {
        let _lock = bench.lock()?;
        bench.lay_out()?;
        // Waiting for the lock may take long.
        let now = source::key(&bench.source, &bench.files, start())?;
        ensure!(
            now.hex() == key.hex(),
            "the sources were changed meanwhile. Next step: run it again"
        );
        bench.clear_results()?;
        // -nc: what was built stays, so that a small change takes seconds.
        // The tree is clean all the same: see `lay_out`.
        bench.run(
            "exec dpkg-buildpackage --no-sign --build=binary --no-pre-clean",
            output,
        )?;
        fs::create_dir(dir).with_context(|| format!("making {}", dir.display()))?;
        for path in bench.results()? {
            let name = path.file_name().unwrap_or_default();
            fs::copy(&path, dir.join(name))
                .with_context(|| format!("keeping {}", path.display()))?;
        }
        Ok(())
    })
}

fn packages_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let debs: Vec<_> = entries(dir)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "deb"))
        .collect();
    ensure!(!debs.is_empty(), "no package in {}", dir.display());
    Ok(debs)
}
