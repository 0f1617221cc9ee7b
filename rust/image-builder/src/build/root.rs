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

use buildroot::rootfs::Rootfs;

use super::run::{self, Outcome};
use host::cancel::Cancel;

use crate::error::{Code, Error, Result};
use crate::progress::Sink;

/// live-build is always trixie's, whatever suite it builds: bookworm's makes
/// hybrid images that do not start from USB.
pub(super) const SUITE: &str = "trixie";
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

/// How the root is made.
pub fn recipe() -> Rootfs {
    Rootfs::new(SUITE)
        .packages(PACKAGES)
        // Where things are mounted.
        .customize(r#"mkdir -p "$1/build""#)
        .customize(r#"test -e "$1/etc/resolv.conf" || : > "$1/etc/resolv.conf""#)
}

impl Root {
    /// Makes it, or finds it in the cache.
    ///
    /// # Errors
    /// `BUILD_FAILED` with what mmdebstrap said.
    pub fn make() -> Result<Self> {
        let dir = recipe().build().map_err(|err| {
            Error::new(Code::BuildFailed, "The root for live-build cannot be made.")
                .why("The mirror does not answer, or the disk is full.")
                .next("See the details; `CALAMARES_BOOTC_MIRROR` names another mirror.")
                .detail(format!("{err:#}"))
        })?;
        Ok(Self { dir })
    }

    /// The directory, for looking into it.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
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
