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

/// What the packages are made of. The rest of the tree has to be there, since
/// cargo reads the manifest of every member, but does not decide the result.
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
    "rust/registry/",
    "rust/sandbox/",
    "rust/source/",
    "rust/unpack/",
    "rust/yaml-doc/",
];

/// The root of the workspace that this program was compiled in.
pub fn workspace() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.canonicalize()
        .with_context(|| format!("finding the workspace at {}", here.display()))
}

/// The files of the work tree, relative to it and sorted: what git knows, and
/// what it would add. Changes that are not committed count.
pub fn files(source: &Path) -> Result<Vec<PathBuf>> {
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

/// Adds every file that decides what is in the packages.
pub(crate) fn key(source: &Path, files: &[PathBuf], mut key: Key) -> Result<Key> {
    for name in files.iter().filter(|name| is_decisive(name)) {
        let text = name.to_string_lossy();
        let executable = is_executable(&source.join(name))?;
        key = key.with("executable", [u8::from(executable)]);
        key = key.with_file(&text, &source.join(name))?;
    }
    Ok(key)
}

fn is_decisive(name: &Path) -> bool {
    let name = name.to_string_lossy();
    DECISIVE.iter().any(|start| name.starts_with(start))
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
            assert!(is_decisive(Path::new(name)), "{name}");
        }
        for name in ["tests/kit/src/lib.rs", "README.md", "Makefile"] {
            assert!(!is_decisive(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn every_crate_in_the_packages_decides_them() {
        let source = workspace().unwrap();
        let tree = Command::new("cargo")
            .current_dir(&source)
            .args(["tree", "--locked", "--edges", "normal,build"])
            .args(["--prefix", "none", "--format", "{p}"])
            .args(["--package", "bridge", "--package", "bootc-installer"])
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
            assert!(is_decisive(&name), "{} is not in DECISIVE", name.display());
        }
    }

    #[test]
    fn this_file_belongs_to_the_source() {
        let source = workspace().unwrap();
        let files = files(&source).unwrap();
        assert!(files.contains(&PathBuf::from("rust/debs/src/source.rs")));
        assert!(!files.iter().any(|name| name.starts_with("target")));
    }
}
