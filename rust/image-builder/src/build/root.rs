// SPDX-License-Identifier: MIT OR Apache-2.0
//! The root in which live-build runs: trixie's own live-build with everything
//! that it calls, made by mmdebstrap and kept in the cache. Nothing of it is
//! installed on this machine.
//!
//! It runs in mount and process namespaces of its own. When the builder ends,
//! however it ends, the kernel ends everything in there and takes its mounts
//! away.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use buildroot::archive::Archives;
use buildroot::cache;
use buildroot::rootfs::Rootfs;

use super::lists::Lists;
use super::run::{self, Outcome};
use host::cancel::Cancel;

use crate::error::{Code, Error, Result};
use crate::mirror;
use crate::progress::Sink;
use crate::sbom::{self, Package};

/// live-build is always trixie's, whatever suite it builds: bookworm's makes
/// hybrid images that do not start from USB.
pub(super) const SUITE: &str = mirror::TOOLS_SUITE;
/// What firmware runs from the medium. An old one may have been revoked.
pub(super) const LOADERS: &[&str] = &["grub-efi-amd64-signed", "shim-signed"];
/// Modules, images and fonts of GRUB that are on the medium beside these.
const BOOT_FILES: &[&str] = &["grub-common", "grub-efi-amd64-bin", "grub-pc-bin"];
/// live-build, and what it calls when it uses its own machine's tools
/// (`--build-with-chroot false`) instead of installing them into the live
/// system and removing them again.
const PACKAGES: &[&str] = &[
    "apt-utils",
    "ca-certificates",
    "cpio",
    "dctrl-tools",
    "debootstrap",
    "debian-archive-keyring",
    "dosfstools",
    "fdisk",
    "file",
    "fonts-dejavu-core",
    "grub-common",
    "grub-efi-amd64-bin",
    "grub-efi-amd64-signed",
    "grub-efi-ia32-bin",
    "grub-pc-bin",
    "grub2-common",
    "isolinux",
    "librsvg2-bin",
    "live-build",
    "locales",
    "mount",
    "mtools",
    "rsync",
    "shim-signed",
    "squashfs-tools",
    "syslinux-common",
    "wget",
    "xorriso",
    "zstd",
];
/// Where the work directory is in there.
pub const WORK: &str = "/build";

/// Arguments: root, work directory, shell lines, then NAME=VALUE.
const ENTER: &str = r#"
root=$1 work=$2 lines=$3
shift 3
mount --bind "$work" "$root/build"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --bind -o ro "$(realpath /etc/resolv.conf)" "$root/etc/resolv.conf"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@" sh -ec "cd /build; $lines"
"#;

/// The root, from the cache or made now, for at most one build at a time in
/// each work directory.
#[derive(Debug, Clone)]
pub struct Root {
    dir: PathBuf,
    key: String,
    packages: Vec<(String, String)>,
}

/// Where live-build's lines run: a root, but in tests.
pub trait Shell: fmt::Debug {
    /// Runs shell lines in the work directory. They end at the first command
    /// that fails.
    ///
    /// # Errors
    /// `INTERRUPTED` when `stop` fires; `IO` when it cannot be started. How
    /// the lines ended is in the outcome.
    fn run(
        &self,
        work: &Path,
        lines: &str,
        environment: &[(String, String)],
        sink: &mut dyn Sink,
        stop: &Cancel,
    ) -> Result<Outcome>;
}

/// How the root is made when the archives have this of it: when any of its
/// packages is newer, another root.
fn recipe(archives: &Archives, there: &[(String, String)]) -> Rootfs {
    let state: String = there
        .iter()
        .map(|(name, version)| format!("{name} {version}\n"))
        .collect();
    Rootfs::new(SUITE)
        .packages(PACKAGES)
        // Where things are mounted.
        .customize(r#"mkdir -p "$1/build""#)
        .customize(r#"test -e "$1/etc/resolv.conf" || : > "$1/etc/resolv.conf""#)
        .archives(archives)
        .state(&state)
}

impl Root {
    /// Makes it, or finds it in the cache when no package of it is newer now.
    ///
    /// # Errors
    /// `BUILD_FAILED` with what mmdebstrap said, or when its boot loaders are
    /// not those of the archive.
    pub fn make(lists: &Lists) -> Result<Self> {
        let there = lists.tools_with(PACKAGES)?;
        let recipe = recipe(&lists.tools_archives, &there);
        let make = || {
            recipe.build().map_err(|err| {
                Error::new(Code::BuildFailed, "The root for live-build cannot be made.")
                    .why("The mirror does not answer, or the disk is full.")
                    .next("See the details; `CALAMARES_BOOTC_MIRROR` names another mirror.")
                    .detail(format!("{err:#}"))
            })
        };
        let dir = with_loaders(&there, make)?;
        Ok(Self {
            dir,
            key: recipe.key().hex(),
            packages: there,
        })
    }

    /// The packages whose files live-build puts onto the medium.
    ///
    /// # Errors
    /// `IO`.
    pub(super) fn on_medium(&self, secure_boot: bool) -> Result<Vec<Package>> {
        let mut found = sbom::packages(&status(&self.dir)?);
        found.retain(|package| {
            let name = package.name.as_str();
            BOOT_FILES.contains(&name) || secure_boot && LOADERS.contains(&name)
        });
        Ok(found)
    }

    /// Name and version of all that it was made of.
    pub(super) fn packages(&self) -> &[(String, String)] {
        &self.packages
    }

    /// What decides the root.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The directory, for looking into it.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// A root whose boot loaders are those of the archive. What is in the cache is
/// believed for tools, but not for these: one that does not fit is made anew.
fn with_loaders(there: &[(String, String)], make: impl Fn() -> Result<PathBuf>) -> Result<PathBuf> {
    let dir = make()?;
    if other_loaders(&dir, there)?.is_empty() {
        return Ok(dir);
    }
    cache::remove_tree(&dir).map_err(|err| {
        Error::new(Code::Io, format!("{} cannot be removed.", dir.display()))
            .detail(format!("{err:#}"))
    })?;
    let dir = make()?;
    match other_loaders(&dir, there)?.first() {
        None => Ok(dir),
        Some(other) => Err(Error::new(
            Code::BuildFailed,
            format!("The root for live-build has other boot loaders than the archive: {other}."),
        )
        .why("The mirror changed while it was read.")
        .next("Run the same command again.")),
    }
}

/// The boot loaders in a root that are not those of the archive.
fn other_loaders(root: &Path, there: &[(String, String)]) -> Result<Vec<String>> {
    let installed = sbom::packages(&status(root)?);
    let mut others = Vec::new();
    for loader in LOADERS {
        let version = there.iter().find(|(name, _)| name == loader);
        let version = version.map_or("", |(_, version)| version.as_str());
        let found = installed.iter().find(|package| package.name == *loader);
        let found = found.map_or("none", |package| package.version.as_str());
        if found != version {
            others.push(format!("{loader} {found} instead of {version}"));
        }
    }
    Ok(others)
}

/// dpkg's list of what is in a root.
///
/// # Errors
/// `IO`.
pub(super) fn status(root: &Path) -> Result<String> {
    let path = root.join("var/lib/dpkg/status");
    std::fs::read_to_string(&path).map_err(|err| Error::io("Reading", &path, &err))
}

impl Shell for Root {
    fn run(
        &self,
        work: &Path,
        lines: &str,
        environment: &[(String, String)],
        sink: &mut dyn Sink,
        stop: &Cancel,
    ) -> Result<Outcome> {
        // unshare(1) ends what is inside when it ends itself, and setpriv(1)
        // ends unshare when the builder does.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--", "unshare"])
            .args(["--mount", "--pid", "--fork", "--kill-child"])
            .args(["--propagation", "private", "--"])
            .args(["sh", "-ec", ENTER, "sh"])
            .arg(&self.dir)
            .arg(work)
            .arg(lines)
            .args(
                environment
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            )
            .stdin(Stdio::null());
        run::run(command, sink, stop)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::Cell;
    use std::fs;

    use super::*;

    fn there(shim: &str) -> Vec<(String, String)> {
        [("grub-efi-amd64-signed", "1+2.12"), ("shim-signed", shim)]
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .to_vec()
    }

    /// A root as the cache keeps it, as far as it is looked at.
    fn planted(dir: &Path, shim: &str) -> PathBuf {
        let root = dir.join("rootfs");
        let status: String = there(shim)
            .iter()
            .map(|(name, version)| {
                format!(
                    "Package: {name}\nStatus: install ok installed\n\
                     Architecture: amd64\nVersion: {version}\n\n"
                )
            })
            .collect();
        fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
        fs::write(root.join("var/lib/dpkg/status"), status).unwrap();
        root
    }

    #[test]
    fn an_old_shim_in_the_cache_is_replaced_or_refused() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("rootfs");
        let made = Cell::new(0);
        // As the cache does it: what is there is taken, else it is made.
        let cache_of = |shim: &'static str| {
            let (place, made) = (place.clone(), &made);
            move || {
                if !place.exists() {
                    made.set(made.get() + 1);
                    planted(place.parent().unwrap(), shim);
                }
                Ok(place.clone())
            }
        };
        planted(dir.path(), "1.44");
        with_loaders(&there("1.51"), cache_of("1.51")).unwrap();
        assert_eq!(made.get(), 1);
        assert!(status(&place).unwrap().contains("1.51"));
        // The right one is taken as it is.
        with_loaders(&there("1.51"), cache_of("1.51")).unwrap();
        assert_eq!(made.get(), 1);
        // A mirror that has only an old one to give.
        let error = with_loaders(&there("1.52"), cache_of("1.51")).unwrap_err();
        assert_eq!(error.code, Code::BuildFailed);
        assert!(
            error.what.contains("shim-signed 1.51 instead of 1.52"),
            "{error}"
        );
    }

    #[test]
    fn a_newer_package_makes_another_root() {
        let archives = Archives::new(Vec::new(), Vec::new());
        let key = |shim| recipe(&archives, &there(shim)).key().hex();
        assert_eq!(key("1.51"), key("1.51"));
        assert_ne!(key("1.51"), key("1.52"));
    }

    #[test]
    fn loaders_are_of_the_root() {
        assert!(LOADERS.iter().all(|loader| PACKAGES.contains(loader)));
    }
}
