// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Debian root of the test image: what is installed, and how it becomes
//! a tree that an ostree deployment can boot.
//!
//! It is kept small, since the boot tests run under emulation: no documents,
//! no hardware database, no network plug-ins, an initramfs of chosen modules,
//! and no timers or first-boot jobs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use testkit::cache::Key;
use testkit::cmd::CommandExt;
use testkit::rootfs::Rootfs;

/// bootc needs the ostree and glibc of this release or a newer one.
const SUITE: &str = "forky";

const PACKAGES: &[&str] = &[
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "libpam-systemd",
    "linux-image-cloud-amd64",
    "dracut",
    "ostree",
    "ostree-boot",
    "skopeo",
    // bootc runs podman even when no image is bound.
    "podman",
    "crun",
    "ca-certificates",
    "grub-pc-bin",
    "grub-efi-amd64-bin",
    "grub2-common",
    "e2fsprogs",
    "btrfs-progs",
    "dosfstools",
    "util-linux",
    "kmod",
    "iproute2",
    "login",
    "passwd",
    "tzdata",
    "zstd",
];

const EXCLUDES: &[&str] = &[
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/lintian/*",
    "/usr/share/bash-completion/*",
    "/usr/share/zsh/*",
    // 66 MB of network plug-ins that skopeo's dependencies bring along.
    "/usr/lib/cni/*",
    // Names for hardware that no test machine has, 24 MB with the compiled form.
    "/usr/lib/udev/hwdb.d/*",
    "/usr/lib/x86_64-linux-gnu/gconv/*",
];

/// Units that would cost boot time or fail on a read-only system.
const MASKED: &[&str] = &[
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "grub2-common.service",
    "ldconfig.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-pstore.service",
];

const DRACUT_CONF: &str = "\
# A generic image without the host's traits; only what a virtual machine's
# disk and the deployment need.
hostonly=no
reproducible=yes
compress=zstd
systemdsystemconfdir=/etc/systemd/system
systemdsystemunitdir=/usr/lib/systemd/system
add_dracutmodules+=\" ostree \"
omit_dracutmodules+=\" plymouth network network-manager i18n console-setup terminfo hwdb lunmask resume memstrack rescue watchdog watchdog-modules systemd-pcrextend systemd-sysext systemd-portabled systemd-repart systemd-coredump systemd-battery-check systemd-bsod systemd-creds numlock pcmcia nvdimm multipath mdraid lvm virtfs virtiofs dmsquash-live dmsquash-live-autooverlay qemu \"
add_drivers+=\" erofs overlay virtio_blk virtio_scsi virtio_pci ahci sd_mod ext4 xfs btrfs vfat \"
";

const PREPARE_ROOT_CONF: &str = "[composefs]\nenabled = true\n\n[sysroot]\nreadonly = true\n";
const INSTALL_TOML: &str = "[install.filesystem.root]\ntype = \"ext4\"\n";
const KARGS_TOML: &str = "kargs = [\"console=tty0\", \"console=ttyS0,115200\"]\n";

const TMPFILES: &str = "\
d /var/home 0755 root root -
d /var/srv 0755 root root -
d /var/mnt 0755 root root -
d /var/opt 0755 root root -
d /var/usrlocal 0755 root root -
d /var/roothome 0700 root root -
d /var/lib 0755 root root -
d /var/lib/dbus 0755 root root -
d /var/tmp 1777 root root -
d /run/media 0755 root root -
";

/// Top-level content that a deployment brings itself or that must be empty.
const REMOVED: &[&str] = &[
    "boot",
    "dev",
    "home",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr/local",
    "var",
    "etc/resolv.conf",
    "etc/apt/apt.conf.d/99mmdebstrap",
];

/// Empty directories, with their modes.
const DIRECTORIES: &[(&str, u32)] = &[
    ("boot", 0o755),
    ("dev", 0o755),
    ("proc", 0o755),
    ("run", 0o755),
    ("sys", 0o755),
    ("sysroot", 0o755),
    ("tmp", 0o1777),
    ("var", 0o755),
];

const LINKS: &[(&str, &str)] = &[
    ("home", "var/home"),
    ("media", "run/media"),
    ("mnt", "var/mnt"),
    ("opt", "var/opt"),
    ("ostree", "sysroot/ostree"),
    ("root", "var/roothome"),
    ("srv", "var/srv"),
    ("usr/local", "../var/usrlocal"),
];

/// The names at the top of the finished tree that are links of [`LINKS`].
pub(crate) fn top_level_links() -> impl Iterator<Item = &'static str> {
    LINKS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.contains('/'))
}

/// Counts up when the code that shapes the tree changes; the constants above
/// are part of the key anyway.
const SHAPE_VERSION: &str = "1";

/// The bootstrap of the image: what a real bootc needs is there for either.
pub(crate) fn rootfs() -> Rootfs {
    Rootfs::new(SUITE)
        .packages(PACKAGES)
        .path_excludes(EXCLUDES)
        // The initramfs is made once, at the end.
        .env("INITRD", "No")
}

/// The key of the shaped tree.
pub(crate) fn key() -> Key {
    let mut key = Key::new()
        .with("rootfs", rootfs().key().hex())
        .with("shape", SHAPE_VERSION)
        .with("dracut", DRACUT_CONF)
        .with("prepare-root", PREPARE_ROOT_CONF)
        .with("install", INSTALL_TOML)
        .with("kargs", KARGS_TOML)
        .with("tmpfiles", TMPFILES);
    for unit in MASKED.iter().chain(REMOVED) {
        key = key.with("list", unit);
    }
    key
}

/// Turns a copy of the bootstrapped root into the image's tree; returns the
/// kernel's version.
pub(crate) fn shape(tree: &Path) -> Result<String> {
    let kernel = kernel_version(tree)?;
    write_configuration(tree).context("configuring the image")?;
    unlink_kernel(tree, &kernel)?;
    make_initramfs(tree, &kernel)?;
    lay_out(tree).context("laying out the image")?;
    Ok(kernel)
}

fn write_configuration(tree: &Path) -> Result<()> {
    let files: &[(&str, &str)] = &[
        (
            "usr/lib/dracut/dracut.conf.d/30-test-image.conf",
            DRACUT_CONF,
        ),
        ("usr/lib/ostree/prepare-root.conf", PREPARE_ROOT_CONF),
        ("usr/lib/bootc/install/00-debian.toml", INSTALL_TOML),
        ("usr/lib/bootc/kargs.d/10-console.toml", KARGS_TOML),
        ("usr/lib/tmpfiles.d/test-image.conf", TMPFILES),
        ("etc/hostname", "test-image\n"),
        ("etc/fstab", ""),
        ("etc/machine-id", ""),
    ];
    for (name, content) in files {
        let path = tree.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
    }
    append(&tree.join("etc/default/useradd"), "HOME=/var/home\n")?;
    for unit in MASKED {
        let link = tree.join("etc/systemd/system").join(unit);
        remove(&link)?;
        symlink("/dev/null", &link).with_context(|| format!("masking {unit}"))?;
    }
    // The serial console of a test machine lets root in without a password.
    Command::new("chroot")
        .arg(tree)
        .args(["passwd", "--delete", "root"])
        .run()
}

/// Debian hard-links the kernel to /boot, which will be emptied; across
/// layers a link would be a broken reference.
fn unlink_kernel(tree: &Path, kernel: &str) -> Result<()> {
    let path = tree.join("usr/lib/modules").join(kernel).join("vmlinuz");
    let copy = path.with_extension("copy");
    fs::copy(&path, &copy).with_context(|| format!("copying {}", path.display()))?;
    fs::rename(&copy, &path).with_context(|| format!("replacing {}", path.display()))
}

fn make_initramfs(tree: &Path, kernel: &str) -> Result<()> {
    // The mounts live in the namespace only, so nothing is left behind
    // whatever happens.
    const SCRIPT: &str = "mount --bind /dev \"$1/dev\" && mount -t proc proc \"$1/proc\" \
        && mount --rbind /sys \"$1/sys\" && mount -t tmpfs tmpfs \"$1/var/tmp\" \
        && exec chroot \"$1\" dracut --force --no-hostonly --kver \"$2\" \
            \"/usr/lib/modules/$2/initramfs.img\"";
    Command::new("unshare")
        .args([
            "--mount",
            "--propagation=private",
            "sh",
            "-ec",
            SCRIPT,
            "initramfs",
        ])
        .arg(tree)
        .arg(kernel)
        .run()
        .context("making the initramfs")?;
    let image = tree
        .join("usr/lib/modules")
        .join(kernel)
        .join("initramfs.img");
    let listing = Command::new("chroot")
        .arg(tree)
        .arg("lsinitrd")
        .arg(strip(&image, tree)?)
        .read()?;
    for needed in [
        "ostree-prepare-root",
        "erofs",
        "overlay",
        "prepare-root.conf",
    ] {
        if !listing.contains(needed) {
            bail!("the initramfs has no {needed}: the image would not boot");
        }
    }
    Ok(())
}

/// The path as seen from inside `tree`.
fn strip(path: &Path, tree: &Path) -> Result<std::path::PathBuf> {
    let inside = path.strip_prefix(tree).context("a path of the tree")?;
    Ok(Path::new("/").join(inside))
}

fn lay_out(tree: &Path) -> Result<()> {
    for name in REMOVED {
        remove(&tree.join(name))?;
    }
    for (name, mode) in DIRECTORIES {
        let path = tree.join(name);
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(*mode))
            .with_context(|| format!("setting the mode of {}", path.display()))?;
    }
    for (name, to) in LINKS {
        symlink(to, tree.join(name)).with_context(|| format!("linking {name}"))?;
    }
    Ok(())
}

fn kernel_version(tree: &Path) -> Result<String> {
    let modules = tree.join("usr/lib/modules");
    let mut names = fs::read_dir(&modules)
        .and_then(|entries| {
            entries
                .map(|e| e.map(|e| e.file_name()))
                .collect::<std::io::Result<Vec<_>>>()
        })
        .with_context(|| format!("reading {}", modules.display()))?;
    match (names.pop(), names.pop()) {
        (Some(name), None) => Ok(name.to_string_lossy().into_owned()),
        _ => bail!("expected one kernel in {}", modules.display()),
    }
}

fn append(path: &Path, text: &str) -> Result<()> {
    let old = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    fs::write(path, old + text).with_context(|| format!("writing {}", path.display()))
}

fn remove(path: &Path) -> Result<()> {
    testkit::cache::remove_tree(path)
}
