// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose skopeo and podman are compared: this machine's, or those of a Debian
//! suite, in a root of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use testkit::cmd::CommandExt;
use testkit::rootfs::Rootfs;

/// Where the work directory is in the root.
const INSIDE: &str = "/mnt";

/// `$1` is the root, `$2` the work directory; the rest is the command. All of
/// it goes with the namespace.
const ENTER: &str = r#"
root=$1 work=$2; shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
for directory in run tmp var/tmp var/lib/containers; do
    mkdir -p "$root/$directory"
    mount -t tmpfs tmpfs "$root/$directory"
done
mount --rbind "$work" "$root/mnt"
exec chroot "$root" "$@"
"#;

/// The peers.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    root: Option<PathBuf>,
    /// What is shared with them.
    work: PathBuf,
}

impl Peers {
    /// Those of a suite, else this machine's.
    pub(crate) fn prepare(suite: Option<&str>, work: &Path) -> Result<Self> {
        let packages = ["podman", "skopeo"];
        let root = suite.map(|suite| Rootfs::new(suite).packages(&packages).build());
        Ok(Self {
            root: root.transpose()?,
            work: work.to_owned(),
        })
    }

    /// What stands before a command. Podman's storage mounts itself, so even
    /// this machine's gets a mount namespace that ends with it.
    /// Big temporary files go below `temporary`.
    pub(crate) fn prefix(&self, temporary: &Path) -> Vec<OsString> {
        let mut argv: Vec<OsString> = ["unshare", "--mount", "--propagation", "private"]
            .map(OsString::from)
            .to_vec();
        if let Some(root) = &self.root {
            argv.extend(["sh", "-ec", ENTER, "sh"].map(OsString::from));
            argv.extend([root.into(), (&self.work).into()]);
        }
        let mut variable = OsString::from("TMPDIR=");
        variable.push(self.path(temporary));
        argv.extend(["env".into(), variable]);
        argv
    }

    /// A path below the work directory, as they see it.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        match (&self.root, path.strip_prefix(&self.work)) {
            (Some(_), Ok(below)) => Path::new(INSIDE).join(below),
            _ => path.to_owned(),
        }
    }

    /// The lines in which they tell their versions.
    pub(crate) fn versions(&self) -> Result<Vec<String>> {
        let place = match &self.root {
            Some(_) => " (in a root of its suite)",
            None => "",
        };
        let version = |program: &str| {
            let argv = self.prefix(&self.work);
            let mut command = Command::new(&argv[0]);
            // Podman looks into /proc even for this.
            let text = command
                .args(&argv[1..])
                .args([program, "--version"])
                .read()?;
            Ok(format!("{}{place}", text.trim()))
        };
        ["skopeo", "podman"].into_iter().map(version).collect()
    }
}
