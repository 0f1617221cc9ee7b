// SPDX-License-Identifier: MIT OR Apache-2.0
//! The root in which packages are built, and running something there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use buildroot::cmd;
use buildroot::rootfs::Rootfs;

use crate::control::Control;
use crate::source;

/// What a build needs beside Build-Depends, and the tools of the checks.
const TOOLS: &[&str] = &["build-essential", "dpkg-dev", "lintian"];
/// Suites with a compiler beside their own, which is as new as their browsers
/// need it. Where debian/control leaves a choice it is the first one there, and
/// the last one in every other suite.
const TWO_COMPILERS: &[&str] = &["bookworm", "trixie"];

/// Runs inside `unshare --mount --net`: everything that it mounts ends with it,
/// and there is no network. Arguments: root, directory, DEB_BUILD_OPTIONS, shell lines,
/// then pairs of what is mounted and where.
const CHROOT: &str = r#"
root=$1 dir=$2 options=$3 lines=$4
shift 4
while [ $# -gt 0 ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8 \
    DEB_BUILD_OPTIONS="$options" sh -ec "cd '$dir'; $lines"
"#;

/// The root with everything that `debian/control` of this tree wants for a
/// build, made or from the cache.
pub fn build_root(suite: &str) -> Result<PathBuf> {
    recipe(suite, &source::workspace()?)?.build()
}

/// How the root is made.
pub(crate) fn recipe(suite: &str, source: &Path) -> Result<Rootfs> {
    let path = source.join("debian/control");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let control = Control::parse(&text).with_context(|| format!("reading {}", path.display()))?;
    let needed = needed(&control, suite);
    ensure!(!needed.is_empty(), "no Build-Depends in {}", path.display());
    let clippy = match has_two_compilers(suite) {
        true => "rust-web-clippy",
        false => "rust-clippy",
    };
    Ok(Rootfs::new(suite)
        .packages(&needed)
        .packages(TOOLS)
        .packages(&[clippy])
        .customize(r#"mkdir -p "$1/build""#))
}

/// `DEB_BUILD_OPTIONS` of a build (Debian policy 4.9.1): those of the environment,
/// for example `noopt`, which compiles faster; and no packages with symbols.
pub(crate) fn build_options() -> String {
    let set = std::env::var("DEB_BUILD_OPTIONS").unwrap_or_default();
    format!("noautodbgsym {set}").trim_end().to_owned()
}

/// Where the output of what runs in a root goes.
#[derive(Debug, Clone, Copy)]
pub enum Output<'a> {
    /// Where ours goes.
    Inherited,
    /// To the end of this file.
    File(&'a File),
}

impl Output<'_> {
    fn stdio(self) -> Result<Stdio> {
        Ok(match self {
            Self::Inherited => Stdio::inherit(),
            Self::File(file) => file.try_clone().context("sharing the log")?.into(),
        })
    }
}

/// The packages that this suite has of what a build needs.
fn needed<'a>(control: &'a Control, suite: &str) -> Vec<&'a str> {
    let relations = control.source.alternatives("Build-Depends").into_iter();
    relations
        .filter_map(|names| match has_two_compilers(suite) {
            true => names.first().copied(),
            false => names.last().copied(),
        })
        // Virtual: a feature of debhelper.
        .map(|name| match name {
            "debhelper-compat" => "debhelper",
            name => name,
        })
        .collect()
}

fn has_two_compilers(suite: &str) -> bool {
    TWO_COMPILERS.contains(&suite)
}

/// Runs shell lines in a directory of the root. `mounts` are directories here
/// and where they are there.
pub(crate) fn run(
    root: &Path,
    mounts: &[(&Path, &str)],
    dir: &str,
    lines: &str,
    output: Output<'_>,
) -> Result<()> {
    if !cmd::is_root() {
        bail!(
            "building in a root of its own needs root: it mounts and chroots. \
             Next step: run the same command with sudo"
        );
    }
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "--propagation", "private"])
        .args(["sh", "-ec", CHROOT, "sh"])
        .arg(root)
        .args([dir, &build_options(), lines]);
    for (here, there) in mounts {
        command.arg(here).arg(there);
    }
    let status = command
        .stdout(output.stdio()?)
        .stderr(output.stdio()?)
        .status()
        .context("starting unshare (package util-linux)")?;
    ensure!(status.success(), "`{lines}` failed ({status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_suite_gets_its_newest_compiler() {
        let text = "Source: x\nBuild-Depends: debhelper-compat (= 13), \
            cargo-web (>= 1.95) | cargo (>= 1.95), cmake\n";
        let control = Control::parse(text).unwrap();
        let web = ["debhelper", "cargo-web", "cmake"];
        assert_eq!(needed(&control, "trixie"), web);
        assert_eq!(needed(&control, "bookworm"), web);
        assert_eq!(needed(&control, "forky"), ["debhelper", "cargo", "cmake"]);
    }
}
