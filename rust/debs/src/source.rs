// SPDX-License-Identifier: MIT OR Apache-2.0
//! The source tree: what belongs to it, and a copy of it to build in.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use buildroot::cache::{self, Key};
use buildroot::cmd::CommandExt;

/// What the packages of a medium are made of. The rest of the tree has to be there,
/// since cargo reads the manifest of every member, but does not decide the result.
const DECISIVE: &[&str] = &[
    ".cargo/",
    "CMakeLists.txt",
    "Cargo.",
    "LICENSE",
    "branding/",
    "calamares-module/",
    "debian/",
    "docs/formats.md",
    "docs/error-codes.md",
    "rust/bridge/",
    "rust/conf/",
    "rust/contract/",
    "rust/frontend/",
    "rust/host/",
    "rust/ignition/",
    "rust/imageref/",
    "rust/installer/",
    "rust/partition/",
    "rust/recipe/",
    "rust/registry/",
    "rust/sandbox/",
    "rust/source/",
    "rust/unpack/",
    "rust/yaml-doc/",
];
/// What the builder's package is made of besides.
const OF_BUILDER: &[&str] = &[
    "iso/",
    "rust/blueprint/",
    "rust/buildroot/",
    "rust/debs/",
    "rust/image-builder/",
    "rust/manual/",
    "rust/vm/",
];

/// Which packages of the source are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// All that debian/control has.
    All,
    /// What goes onto a medium: the builder is none of it, so that a change in it
    /// does not build them anew.
    Medium,
}

/// Where this crate is; nothing in a program of a package, which is used where its
/// sources are not, and is the same wherever it was compiled (debian/rules).
const HERE: Option<&str> = match option_env!("CALAMARES_BOOTC_PACKAGED") {
    Some(_) => None,
    None => Some(env!("CARGO_MANIFEST_DIR")),
};

/// The root of the workspace that this program was compiled in.
///
/// # Errors
/// When that is gone, or there never was one: see [`is_packaged`].
pub fn workspace() -> Result<PathBuf> {
    let here = HERE.context("this program is of a package: its sources are not here")?;
    let here = Path::new(here).join("../..");
    here.canonicalize()
        .with_context(|| format!("finding the workspace at {}", here.display()))
}

/// Whether this program is of a package, and so without a workspace.
pub const fn is_packaged() -> bool {
    HERE.is_none()
}

/// The files of the source tree, relative to it and sorted. In a work tree what git
/// knows, and what it would add: changes that are not committed count. Without
/// `.git`, as in an archive of a release, all but what builds leave.
///
/// # Errors
/// When git fails, or a directory cannot be read.
pub fn files(source: &Path) -> Result<Vec<PathBuf>> {
    match source.join(".git").symlink_metadata() {
        Ok(_) => of_git(source),
        Err(_) => of_archive(source),
    }
}

/// What builds leave in a tree, beside hidden files of `debian`: as in `.gitignore`.
const LEFT: &[&str] = &[
    "debian/bootc-installer",
    "debian/calamares-bootc",
    "debian/calamares-bootc-media",
    "debian/cargo-home",
    "debian/debhelper-build-stamp",
    "debian/debian-bootc-image-builder",
    "debian/files",
    "debian/tmp",
    "out",
    "target",
    "vendor",
];

fn is_left(name: &Path) -> bool {
    let name = name.to_string_lossy();
    let ends = [
        ".swp",
        ".substvars",
        ".crates",
        ".debhelper",
        ".debhelper.log",
    ];
    LEFT.contains(&&*name)
        || ["obj-", "debian/."]
            .iter()
            .any(|start| name.starts_with(start))
        || ends.iter().any(|end| name.ends_with(end))
}

fn of_archive(source: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(below) = dirs.pop() {
        let here = source.join(&below);
        let listing = || format!("listing {}", here.display());
        for entry in fs::read_dir(&here).with_context(listing)? {
            let entry = entry.with_context(listing)?;
            let name = below.join(entry.file_name());
            if is_left(&name) {
                continue;
            }
            match entry.file_type().with_context(listing)?.is_dir() {
                true => dirs.push(name),
                false => found.push(name),
            }
        }
    }
    // By bytes, as git does, and not by components.
    found.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    Ok(found)
}

fn of_git(source: &Path) -> Result<Vec<PathBuf>> {
    let list = Command::new("git")
        .current_dir(source)
        .args(["ls-files", "-z", "--cached", "--others"])
        .args(["--exclude-standard"])
        .read()
        .context("asking git which files belong to the source")?;
    let names: BTreeSet<_> = list.split('\0').filter(|name| !name.is_empty()).collect();
    Ok(names
        .into_iter()
        .map(PathBuf::from)
        // Removed, and the removal not committed yet.
        .filter(|name| source.join(name).symlink_metadata().is_ok())
        .collect())
}

/// Adds every file that decides what is in these packages.
pub(crate) fn key(source: &Path, files: &[PathBuf], set: Set, mut key: Key) -> Result<Key> {
    for name in files.iter().filter(|name| is_decisive(name, set)) {
        let text = name.to_string_lossy();
        let executable = is_executable(&source.join(name))?;
        key = key.with("executable", [u8::from(executable)]);
        key = key.with_file(&text, &source.join(name))?;
    }
    Ok(key)
}

fn is_decisive(name: &Path, set: Set) -> bool {
    let name = name.to_string_lossy();
    let more = match set {
        Set::Medium => &[],
        Set::All => OF_BUILDER,
    };
    let mut starts = DECISIVE.iter().chain(more);
    starts.any(|start| name.starts_with(start))
}

/// Makes `dir` a copy of the files. A file that is the same already is left
/// alone and one that differs gets the time of now, whatever its time in the
/// source: make, Ninja and cargo go by times, and the source may be another
/// work tree than the last time. Of the rest, only what `keep` says stays.
pub(crate) fn copy(
    source: &Path,
    files: &[PathBuf],
    dir: &Path,
    keep: impl Fn(&str) -> bool,
) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let wanted: BTreeSet<&Path> = files
        .iter()
        .flat_map(|name| name.ancestors())
        .filter(|name| !name.as_os_str().is_empty())
        .collect();
    remove_others(dir, Path::new(""), &wanted, &keep)?;
    for name in files {
        let (from, to) = (source.join(name), dir.join(name));
        copy_file(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(())
}

fn remove_others(
    dir: &Path,
    below: &Path,
    wanted: &BTreeSet<&Path>,
    keep: &impl Fn(&str) -> bool,
) -> Result<()> {
    let here = dir.join(below);
    let entries = fs::read_dir(&here).with_context(|| format!("listing {}", here.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("listing {}", here.display()))?;
        let name = below.join(entry.file_name());
        if below.as_os_str().is_empty() && keep(&name.to_string_lossy()) {
            continue;
        }
        if !wanted.contains(name.as_path()) {
            cache::remove_tree(&entry.path())?;
        } else if entry
            .file_type()
            .with_context(|| format!("looking at {}", entry.path().display()))?
            .is_dir()
        {
            remove_others(dir, &name, wanted, keep)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from)?;
    let executable = is_executable(from)?;
    let same = fs::read(to).is_ok_and(|there| there == content) && is_executable(to)? == executable;
    if same {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(to, content)?;
    // As git has them, whatever the umask: they go into packages.
    let mode = if executable { 0o755 } else { 0o644 };
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(mode))?)
}

fn is_executable(path: &Path) -> Result<bool> {
    let meta = path
        .metadata()
        .with_context(|| format!("looking at {}", path.display()))?;
    Ok(meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_copy_touches_only_what_changed() {
        let source = tempfile::tempdir().unwrap();
        let copied = tempfile::tempdir().unwrap();
        let (from, to) = (source.path(), copied.path());
        fs::create_dir(from.join("a")).unwrap();
        fs::write(from.join("a/same"), "1").unwrap();
        fs::write(from.join("changed"), "1").unwrap();
        fs::write(from.join("gone"), "1").unwrap();
        copy(from, &names(&["a/same", "changed", "gone"]), to, |_| false).unwrap();
        fs::create_dir(to.join("obj-x")).unwrap();
        fs::create_dir(to.join("a/made")).unwrap();
        let time = |name: &str| to.join(name).metadata().unwrap().modified().unwrap();
        let (same, changed) = (time("a/same"), time("changed"));

        fs::write(from.join("changed"), "2").unwrap();
        // Older than the copy, as in another work tree.
        fs::File::options()
            .write(true)
            .open(from.join("changed"))
            .unwrap()
            .set_modified(std::time::UNIX_EPOCH)
            .unwrap();
        let keep = |name: &str| name.starts_with("obj-");
        copy(from, &names(&["a/same", "changed"]), to, keep).unwrap();
        assert_eq!(time("a/same"), same);
        assert!(time("changed") >= changed);
        assert_eq!(fs::read(to.join("changed")).unwrap(), b"2");
        assert!(to.join("obj-x").exists());
        assert!(!to.join("gone").exists() && !to.join("a/made").exists());
    }

    #[test]
    fn tests_do_not_decide_the_packages() {
        for name in ["debian/control", "rust/bridge/src/lib.rs", "Cargo.lock"] {
            assert!(is_decisive(Path::new(name), Set::Medium), "{name}");
        }
        for name in ["tests/kit/src/lib.rs", "README.md", "Makefile"] {
            assert!(!is_decisive(Path::new(name), Set::All), "{name}");
        }
        let name = Path::new("rust/image-builder/src/lib.rs");
        assert!(is_decisive(name, Set::All) && !is_decisive(name, Set::Medium));
    }

    fn assert_decides(set: Set, packages: &[&str]) {
        let source = workspace().unwrap();
        let tree = Command::new("cargo")
            .current_dir(&source)
            .args(["tree", "--locked", "--edges", "normal,build"])
            .args(["--prefix", "none", "--format", "{p}"])
            .args(packages.iter().flat_map(|name| ["--package", name]))
            .read()
            .unwrap();
        let crates: BTreeSet<_> = tree
            .lines()
            .filter_map(|line| line.split_once(" (")?.1.split_once(')'))
            .filter_map(|(path, _)| Path::new(path).strip_prefix(&source).ok())
            .map(|path| path.join("Cargo.toml"))
            .collect();
        assert!(crates.len() > 2, "{tree}");
        for name in crates {
            assert!(is_decisive(&name, set), "{} is not in it", name.display());
        }
    }

    #[test]
    fn every_crate_in_the_packages_decides_them() {
        assert_decides(Set::Medium, &["bridge", "bootc-installer"]);
        assert_decides(Set::All, &["debian-bootc-image-builder"]);
    }

    /// What an archive of a release has, and git knows.
    #[test]
    fn a_tree_without_git_has_the_same_files() {
        let source = workspace().unwrap();
        let copied = tempfile::tempdir().unwrap();
        let known = files(&source).unwrap();
        copy(&source, &known, copied.path(), |_| false).unwrap();
        for left in ["target/x", "vendor/a/b", "obj-cargo/c", "debian/tmp/d"] {
            let path = copied.path().join(left);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(files(copied.path()).unwrap(), known);
        let key = |tree| key(tree, &known, Set::All, Key::new()).unwrap().hex();
        assert_eq!(key(copied.path()), key(&source));
    }

    #[test]
    fn this_file_belongs_to_the_source() {
        let source = workspace().unwrap();
        let files = files(&source).unwrap();
        assert!(files.contains(&PathBuf::from("rust/debs/src/source.rs")));
        assert!(!files.iter().any(|name| name.starts_with("target")));
    }
}
