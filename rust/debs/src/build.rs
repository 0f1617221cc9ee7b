// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building, and what is checked with the suite's own tools.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use buildroot::cache::{self, Key};

use crate::bench::{BUILD, Bench, entries};
use crate::root::{self, Output};
use crate::source::{self, Set};

/// The build profile without the builder (debian/control).
const NO_BUILDER: &str = "pkg.calamares-bootc.nobuilder";

/// The packages of this work tree that a medium of a suite (`trixie`, `forky`) gets:
/// the paths of the `.deb` files, in the cache, sorted by name. Built when the
/// sources or the suite's recipe changed. `DEB_BUILD_OPTIONS` counts; what is written
/// meanwhile goes to `output`. Needs root.
///
/// # Errors
/// When the root cannot be made, or the build fails.
pub fn build(suite: &str, output: Output<'_>) -> Result<Vec<PathBuf>> {
    let found = packages_in(&built(suite, Set::Medium, output)?)?;
    Ok(found.into_iter().filter(|deb| is_for_medium(deb)).collect())
}

/// [`build`], with the packages of the builder, which no medium gets.
///
/// # Errors
/// As [`build`].
pub fn build_all(suite: &str, output: Output<'_>) -> Result<Vec<PathBuf>> {
    packages_in(&built(suite, Set::All, output)?)
}

/// The packages that no medium gets: they make media.
const OF_MAKERS: [&str; 2] = ["calamares-bootc-media", "debian-bootc-image-builder"];

/// Whether a package file, `NAME_VERSION_ARCH.deb`, is one that goes onto a medium.
pub fn is_for_medium(deb: &Path) -> bool {
    let name = deb.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split('_').next().unwrap_or_default();
    !OF_MAKERS.contains(&name)
}

/// Runs lintian over the packages: its errors are errors, the rest is printed.
pub fn lint(suite: &str) -> Result<()> {
    let built = built(suite, Set::All, Output::Inherited)?;
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
fn built(suite: &str, set: Set, output: Output<'_>) -> Result<PathBuf> {
    let bench = bench(suite)?;
    let root_key = root::recipe(suite, &bench.source)?.key();
    let key = |set: Set| {
        let key = Key::new()
            .with("root", root_key.hex())
            .with("options", root::build_options());
        let key = match set {
            Set::Medium => key.with("profile", NO_BUILDER),
            Set::All => key,
        };
        source::key(&bench.source, &bench.files, set, key)
    };
    let kind = format!("debs-{suite}");
    let wanted = key(set)?;
    // All of them have these among them.
    let all = cache::place(&kind, &key(Set::All)?)?;
    if all.is_dir() {
        return Ok(all);
    }
    cache::entry(&kind, &wanted, |dir| {
        let _lock = bench.lock()?;
        if all.is_dir() {
            // Made while we waited.
            return keep(&entries(&all)?, dir);
        }
        bench.lay_out()?;
        // Waiting for the lock may take long.
        ensure!(
            key(set)?.hex() == wanted.hex(),
            "the sources were changed meanwhile. Next step: run it again"
        );
        bench.clear_results()?;
        let profiles = match set {
            Set::Medium => format!(" --build-profiles={NO_BUILDER}"),
            Set::All => String::new(),
        };
        // -nc: what was built stays, so that a small change takes seconds.
        // The tree is clean all the same: see `lay_out`.
        bench.run(
            &format!("exec dpkg-buildpackage --no-sign --build=binary --no-pre-clean{profiles}"),
            output,
        )?;
        keep(&bench.results()?, dir)
    })
}

fn keep(files: &[PathBuf], dir: &Path) -> Result<()> {
    fs::create_dir(dir).with_context(|| format!("making {}", dir.display()))?;
    for path in files {
        let name = path.file_name().unwrap_or_default();
        fs::copy(path, dir.join(name)).with_context(|| format!("keeping {}", path.display()))?;
    }
    Ok(())
}

fn packages_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let debs: Vec<_> = entries(dir)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "deb"))
        .collect();
    ensure!(!debs.is_empty(), "no package in {}", dir.display());
    Ok(debs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_get_no_maker_of_media() {
        for (name, goes) in [
            ("x/bootc-installer_0.1.0_amd64.deb", true),
            ("x/calamares-bootc_0.1.0_amd64.deb", true),
            ("x/calamares-bootc-media_0.1.0_amd64.deb", false),
            ("debian-bootc-image-builder_0.1.0_amd64.deb", false),
        ] {
            assert_eq!(is_for_medium(Path::new(name)), goes, "{name}");
        }
    }
}
