// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layers of the live system: Debian, and on it what is under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use testkit::cache::{self, Key};
use testkit::cmd::CommandExt;
use testkit::rootfs::Rootfs;

const SUITE: &str = "trixie";

/// An install tree (`DESTDIR`) of the plugin and the programs, to test without
/// making packages.
const TREE: &str = "CALAMARES_BOOTC_TREE";
/// A directory with the Debian packages, to test those.
const DEBS: &str = "CALAMARES_BOOTC_DEBS";

/// What Calamares and its stock modules need on a live system.
const LIVE: &[&str] = &[
    "ca-certificates",
    "calamares",
    "console-setup",
    "cracklib-runtime",
    "cryptsetup-bin",
    "dosfstools",
    "e2fsprogs",
    "kbd",
    "keyboard-configuration",
    "locales",
    "mount",
    "polkitd",
    "procps",
    "qt6-svg-plugins",
    "tzdata",
    "udev",
    "util-linux",
    "x11-xkb-utils",
    "xkb-data",
];

/// What QML pages import, which calamares does not depend on.
const QML: &[&str] = &[
    "qml6-module-qtqml",
    "qml6-module-qtqml-workerscript",
    "qml6-module-qtquick",
    "qml6-module-qtquick-controls",
    "qml6-module-qtquick-layouts",
    "qml6-module-qtquick-templates",
    "qml6-module-qtquick-window",
];

/// The display, and what the driver uses it with.
const DESKTOP: &[&str] = &[
    "at-spi2-core",
    "dbus-daemon",
    "openbox",
    "python3-gi",
    "xauth",
    "xclip",
    "xdotool",
    "xinit",
    "xvfb",
];

/// What the medium has for X and the session.
const MEDIUM: &str = include_str!("../../../iso/package-lists/desktop.list.chroot");

/// The fonts of the medium: pictures of pages look as there, and the tests see
/// what it cannot show.
fn fonts() -> Vec<&'static str> {
    let named = MEDIUM.lines().map(str::trim);
    named.filter(|line| line.starts_with("fonts-")).collect()
}

fn recipe() -> Rootfs {
    Rootfs::new(SUITE)
        .packages(LIVE)
        .packages(QML)
        .packages(DESKTOP)
        .packages(&fonts())
        .path_excludes(&[
            "/usr/share/doc/*",
            "/usr/share/info/*",
            "/usr/share/man/*",
            "/usr/share/icons/breeze*",
        ])
        // The stock module localecfg would take it for a reason to run
        // locale-gen in the target.
        .customize(r#"rm "$1/etc/locale.gen""#)
        .customize(r#"chroot "$1" localedef -i de_DE -f UTF-8 de_DE.UTF-8"#)
        .customize(r#"chroot "$1" fc-cache"#)
        .customize(r#"rm -rf "$1"/var/cache/apt/*.bin "$1"/usr/share/kf6/searchproviders"#)
}

/// The Debian root without anything of ours.
pub(crate) fn debian() -> Result<PathBuf> {
    recipe().build()
}

/// What `debian` lacks to be the live system with the plugin, topmost first:
/// from `$CALAMARES_BOOTC_DEBS` or `$CALAMARES_BOOTC_TREE`, else from the
/// packages of this work tree, which are built when they are not there yet.
pub(crate) fn plugin() -> Result<Vec<PathBuf>> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(directory) = set(DEBS) {
        return Ok(vec![install_debs(&debs_in(&directory)?)?]);
    }
    let Some(tree) = set(TREE) else {
        return Ok(vec![install_debs(&debs::build(
            SUITE,
            debs::Output::Inherited,
        )?)?]);
    };
    let tree = fs::canonicalize(&tree).with_context(|| format!("{TREE}={}", tree.display()))?;
    for name in ["bin", "lib", "lib64", "sbin"] {
        let path = tree.join(name);
        ensure!(
            path.symlink_metadata().is_err(),
            "{} would hide the link of that name in the live system; the tree must use /usr",
            path.display()
        );
    }
    Ok(vec![tree])
}

fn debs_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let mut debs = Vec::new();
    for entry in entries {
        let path = entry.context("reading a directory entry")?.path();
        if path.extension().is_some_and(|e| e == "deb") {
            debs.push(path);
        }
    }
    debs.sort();
    if debs.is_empty() {
        bail!("{} has no packages", directory.display());
    }
    Ok(debs)
}

/// Installs these packages on the Debian root; gives the layer with what that
/// changed, from the cache if they are the same as before. What they depend on
/// must be in the root already.
pub(crate) fn install_debs(debs: &[PathBuf]) -> Result<PathBuf> {
    let base = debian()?;
    let mut key = Key::new().with("root", recipe().key().hex());
    for deb in debs {
        key = key.with_file("deb", deb)?;
    }
    let entry = cache::entry("gui-debs", &key, |dir| {
        for name in ["upper", "work", "root"] {
            fs::create_dir_all(dir.join(name)).context("making the layer")?;
        }
        let options = overlay(
            std::slice::from_ref(&base),
            &dir.join("upper"),
            &dir.join("work"),
        )?;
        Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh"])
            .arg(source("driver/install.sh"))
            .arg(options)
            .arg(dir.join("root"))
            .args(debs)
            .run()
            .context(
                "installing the packages (what they depend on is listed in tests/gui/src/root.rs)",
            )
    })?;
    Ok(entry.join("upper"))
}

/// The options for an overlay of these layers, topmost first.
pub(crate) fn overlay(layers: &[PathBuf], upper: &Path, work: &Path) -> Result<String> {
    let mut paths = layers.iter().map(PathBuf::as_path).chain([upper, work]);
    if let Some(path) = paths.find(|p| p.to_string_lossy().contains([':', ',', '\\'])) {
        bail!(
            "{}: not usable in the options of an overlay",
            path.display()
        );
    }
    let lower: Vec<_> = layers.iter().map(|l| l.to_string_lossy()).collect();
    Ok(format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.join(":"),
        upper.display(),
        work.display()
    ))
}

/// A file of this crate.
pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_an_overlay_name_the_topmost_layer_first() {
        let layers = [PathBuf::from("/ours"), PathBuf::from("/debian")];
        let options = overlay(&layers, Path::new("/u"), Path::new("/w")).unwrap();
        assert_eq!(options, "lowerdir=/ours:/debian,upperdir=/u,workdir=/w");
        let odd = [PathBuf::from("/a:b")];
        assert!(overlay(&odd, Path::new("/u"), Path::new("/w")).is_err());
    }
}
