// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stage of one run: private mounts that stand in for a live system.
//!
//! All of it is mounted in the mount namespace of the run alone and goes away
//! with it, whatever happens; the loop device of the target detaches itself
//! with its last mount.
//!
//! ```text
//! tmpfs (the live system's RAM) ── /run /tmp /var/tmp /var/log /var/lib/containers /dev/shm
//! /run/bench/target     fresh ext4 on a loop device
//! /run/bench/layout     the image as OCI layout, read-only
//! /run/bench/root       the image unpacked, read-only
//! /run/bench/installer  the engine
//! ```

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};
use serde::{Deserialize, Serialize};
use testkit::cmd::CommandExt;

/// The tmpfs that stands in for the live system's root.
pub(crate) const LIVE: &str = "/run";
/// The mounted target.
pub(crate) const TARGET: &str = "/run/bench/target";
/// The image as an OCI layout.
pub(crate) const LAYOUT: &str = "/run/bench/layout";
/// The image unpacked.
pub(crate) const ROOT: &str = "/run/bench/root";
/// The engine's program.
pub(crate) const INSTALLER: &str = "/run/bench/installer";
/// The engine's configuration.
pub(crate) const CONFIG: &str = "/run/bench/bootc.conf";

/// Directories of a live system that lie in its RAM: mount point, directory
/// on the tmpfs, mode. `/tmp` comes last, since what is staged may lie there.
const IN_RAM: &[(&str, &str, u32)] = &[
    ("/var/lib/containers", "containers", 0o755),
    ("/var/log", "log", 0o755),
    ("/var/tmp", "var-tmp", 0o1777),
    ("/dev/shm", "shm", 0o1777),
    (LIVE, "run", 0o755),
    ("/tmp", "tmp", 0o1777),
];

/// Of the host's `/run`: sockets and databases that tools ask.
const FROM_HOST_RUN: &[&str] = &["udev", "systemd", "dbus"];

/// What is put on the stage, as paths of the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StageSpec {
    /// An empty directory for the tmpfs.
    pub(crate) live: PathBuf,
    /// Upper limit of the tmpfs, in bytes.
    pub(crate) live_bytes: u64,
    /// File with a fresh ext4.
    pub(crate) target: PathBuf,
    /// OCI layout of the image.
    pub(crate) layout: PathBuf,
    /// The image unpacked.
    pub(crate) root: PathBuf,
    /// The engine, when this run needs it.
    pub(crate) installer: Option<PathBuf>,
    /// Content of the engine's configuration file.
    pub(crate) config: String,
    /// Mount cgroup v2 alone (crun refuses a hybrid hierarchy).
    pub(crate) unified_cgroup: bool,
}

/// Makes the mounts. Only to be called in a mount namespace of one's own.
pub(crate) fn set(spec: &StageSpec) -> Result<()> {
    let live = &spec.live;
    let options = format!("size={},mode=755", spec.live_bytes);
    mount(
        Some("live"),
        live,
        Some("tmpfs"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .with_context(|| format!("mounting a tmpfs on {}", live.display()))?;
    for (_, name, mode) in IN_RAM {
        make_dir(&live.join(name), *mode)?;
    }
    let run = live.join("run");
    make_dir(&run.join("bench/home"), 0o700)?;
    for name in FROM_HOST_RUN {
        let host = Path::new(LIVE).join(name);
        if host.is_dir() {
            bind(&host, &directory(&run.join(name))?, MsFlags::MS_REC)?;
        }
    }
    make_dir(&run.join("udev"), 0o755)?;

    let place = |path: &str| match Path::new(path).strip_prefix(LIVE) {
        Ok(below) => run.join(below),
        Err(_) => PathBuf::from(path),
    };
    // mount(8) sets autoclear on the loop device that it makes.
    Command::new("mount")
        .args(["-o", "loop"])
        .arg(&spec.target)
        .arg(directory(&place(TARGET))?)
        .run()?;
    bind_read_only(&spec.layout, &directory(&place(LAYOUT))?)?;
    bind_read_only(&spec.root, &directory(&place(ROOT))?)?;
    if let Some(installer) = &spec.installer {
        let to = place(INSTALLER);
        File::create(&to).with_context(|| format!("making {}", to.display()))?;
        bind(installer, &to, MsFlags::empty())?;
    }
    let config = place(CONFIG);
    fs::write(&config, &spec.config).with_context(|| format!("writing {}", config.display()))?;
    if spec.unified_cgroup {
        unify_cgroups()?;
    }
    for (mount_point, name, mode) in IN_RAM {
        let mount_point = Path::new(mount_point);
        if !mount_point.is_dir() {
            make_dir(mount_point, *mode)?;
        }
        bind(&live.join(name), mount_point, MsFlags::MS_REC)?;
    }
    Ok(())
}

/// Leaves only cgroup v2 at its usual place, as on a live system with systemd.
fn unify_cgroups() -> Result<()> {
    let path = Path::new("/sys/fs/cgroup");
    let kind = statfs(path).with_context(|| format!("statfs of {}", path.display()))?;
    if kind.filesystem_type() == CGROUP2_SUPER_MAGIC {
        return Ok(());
    }
    umount2(path, MntFlags::MNT_DETACH)
        .with_context(|| format!("unmounting {} in the own namespace", path.display()))?;
    mount(
        Some("cgroup2"),
        path,
        Some("cgroup2"),
        MsFlags::empty(),
        None::<&str>,
    )
    .context("mounting cgroup v2")
}

fn directory(path: &Path) -> Result<PathBuf> {
    make_dir(path, 0o755)?;
    Ok(path.to_owned())
}

fn make_dir(path: &Path, mode: u32) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("setting the mode of {}", path.display()))
}

fn bind(from: &Path, to: &Path, extra: MsFlags) -> Result<()> {
    mount(
        Some(from),
        to,
        None::<&str>,
        MsFlags::MS_BIND | extra,
        None::<&str>,
    )
    .with_context(|| format!("binding {} to {}", from.display(), to.display()))
}

fn bind_read_only(from: &Path, to: &Path) -> Result<()> {
    bind(from, to, MsFlags::empty())?;
    mount(
        None::<&str>,
        to,
        None::<&str>,
        MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY,
        None::<&str>,
    )
    .with_context(|| format!("making {} read-only", to.display()))
}
