// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small Debian with what presses buttons, as a squashfs: the driver of the
//! GUI tests, Python and xdotool. It is a root of its own, entered with chroot,
//! so that nothing on the medium under test is needed for it or changed by it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use testkit::apt;
use testkit::cache::{self, Key};
use testkit::cmd::CommandExt;
use testkit::rootfs::Rootfs;

/// The release of the medium, whose X server and message bus it speaks with.
const SUITE: &str = "trixie";
const PACKAGES: &[&str] = &["python3-gi", "xclip", "xdotool"];
const EXCLUDED: &[&str] = &[
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
];
const KEPT: &[&str] = &["/usr/share/doc/*/copyright"];
/// The serial number of the drive.
pub const SERIAL: &str = "toolbox";
/// The port for the driver's requests and answers.
pub const PORT: &str = "iso-tests.driver";

/// The squashfs, made when it is not in the cache. It belongs to the cache.
///
/// # Errors
/// When the Debian root cannot be made.
pub fn build() -> Result<PathBuf> {
    let rootfs = Rootfs::new(SUITE)
        .packages(PACKAGES)
        .path_excludes(EXCLUDED)
        .path_includes(KEPT)
        .customize(r#"rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*"#);
    let driver = test_gui::driver_files();
    let mut key = Key::new().with("root", rootfs.key().hex());
    for file in files(&driver)? {
        key = key.with_file("driver", &file)?;
    }
    let entry = cache::entry("iso-toolbox", &key, |dir| {
        apt::ensure(&["mksquashfs"])?;
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        Command::new("mksquashfs")
            .args(files(&rootfs.build()?)?)
            // Becomes /driver.
            .arg(&driver)
            .arg(dir.join("toolbox.squashfs"))
            .args(["-noappend", "-no-progress", "-quiet"])
            .args(["-comp", "zstd", "-Xcompression-level", "3"])
            .run()
            .context("packing the toolbox")
    })?;
    Ok(entry.join("toolbox.squashfs"))
}

/// What is in a directory, sorted.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.context("reading a directory entry")?.path();
        // Left by whoever ran it.
        if !path.ends_with("__pycache__") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// A script for the medium's root shell that starts the driver and returns.
/// The mounts are in a namespace of their own: an installation that looks at
/// the mount table sees nothing of them.
pub fn start() -> String {
    format!(
        "modprobe -q squashfs
mkdir -p /opt/toolbox
setsid unshare --mount --propagation slave sh -ec '
    mount -t squashfs -o ro /dev/disk/by-id/*{SERIAL} /opt/toolbox
    for name in dev proc run tmp; do mount --rbind /$name /opt/toolbox/$name; done
    exec chroot /opt/toolbox python3 -B /driver/attach.py /dev/virtio-ports/{PORT}
' </dev/null >/run/driver.log 2>&1 &
"
    )
}
