// SPDX-License-Identifier: MIT OR Apache-2.0
//! The live system of the guest: kernel, initramfs and read-only root, made
//! once and kept in the cache.
//!
//! The root is plain Debian; all that makes a guest of it comes in the
//! initramfs (`live/` in this crate's source), so that work on those scripts
//! does not cost a new root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use testkit::apt;
use testkit::cache;
use testkit::cmd::CommandExt;
use testkit::rootfs::Rootfs;

use crate::{cpio, kmod};

/// The release whose kernel and tools the guest runs: that of the installer
/// medium.
const SUITE: &str = "trixie";

/// The cloud kernel: a third of the generic one's size and built for virtual
/// machines, yet it has vfat, dm-crypt, iso9660, squashfs, overlay, loop,
/// btrfs, xfs and ext4.
const KERNEL: &str = "linux-image-cloud-amd64";

const PACKAGES: &[&str] = &[
    KERNEL,
    "busybox-static",
    "kmod",
    "login",
    "mount",
    "passwd",
    "procps",
    "udev",
    "xz-utils",
    "zstd",
    // Disks and file systems.
    "btrfs-progs",
    "cryptsetup-bin",
    "dmsetup",
    "dosfstools",
    "e2fsprogs",
    "fdisk",
    "gdisk",
    "xfsprogs",
    // Boot loaders: the live side's GRUB is the fallback of an image's own.
    "efibootmgr",
    "grub2-common",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    // Network.
    "ca-certificates",
    "iproute2",
];

/// Not needed to run anything; licences stay.
const EXCLUDED: &[&str] = &[
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/lib/udev/hwdb.d/*",
];
const KEPT: &[&str] = &["/usr/share/doc/*/copyright"];

/// Decompressing modules costs seconds under TCG each time one is loaded.
const UNPACK_MODULES: &str = "chroot \"$1\" sh -ec '\
    find /usr/lib/modules -name \"*.ko.xz\" -exec xz --decompress {} +; \
    for kernel in /usr/lib/modules/*; do depmod \"${kernel##*/}\"; done'";

/// What the initramfs itself needs; the rest loads from the root.
const INITRAMFS_MODULES: &[&str] = &["virtio_blk", "squashfs", "overlay"];

const INIT: &str = include_str!("../live/init");

/// Script or table, its mode and content; they go to `/usr/lib/test-guest`.
const LIVE_FILES: &[(&str, u32, &str)] = &[
    ("inittab", 0o644, include_str!("../live/inittab")),
    ("rc", 0o755, include_str!("../live/rc")),
    ("agent", 0o755, vm::AGENT_SCRIPT),
    ("console", 0o755, include_str!("../live/console")),
];

/// Paths of the live system's three parts.
#[derive(Clone, Debug)]
pub struct LiveImage {
    /// The Linux kernel (bzImage).
    pub kernel: PathBuf,
    /// The initramfs.
    pub initramfs: PathBuf,
    /// The root, a squashfs.
    pub root: PathBuf,
}

impl LiveImage {
    /// Finds the live system in the cache or makes it there. Making it needs
    /// root and a Debian mirror, and takes about two minutes.
    pub fn build() -> Result<Self> {
        let recipe = recipe();
        let root_key = recipe
            .key()
            .with("squashfs", SQUASHFS_OPTIONS.join(" "))
            .with("layout", "1");
        let base = cache::entry("guest-root", &root_key, |dir| make_root(&recipe, dir))
            .context("making the test guest's root")?;
        let mut key = root_key.with("init", INIT);
        for (name, _, content) in LIVE_FILES {
            key = key.with(name, content);
        }
        let initramfs = cache::entry("guest-initramfs", &key, |file| make_initramfs(&base, file))
            .context("making the test guest's initramfs")?;
        Ok(Self {
            kernel: base.join("vmlinuz"),
            root: base.join("root.squashfs"),
            initramfs,
        })
    }
}

fn recipe() -> Rootfs {
    Rootfs::new(SUITE)
        .packages(PACKAGES)
        .path_excludes(EXCLUDED)
        .path_includes(KEPT)
        // The guest brings its own initramfs; Debian's would take longest.
        .env("INITRD", "No")
        .customize(UNPACK_MODULES)
        // The mount points and links that the initramfs expects.
        .customize("mkdir -p \"$1/host\" \"$1/usr/lib/test-guest\" \"$1/mnt\"")
        .customize("ln -sf ../usr/lib/test-guest/inittab \"$1/etc/inittab\"")
}

/// Small blocks: a live root is read in small pieces, and under TCG it is the
/// decompression that costs.
const SQUASHFS_OPTIONS: &[&str] = &[
    "-noappend",
    "-no-progress",
    "-quiet",
    "-b",
    "64K",
    "-comp",
    "zstd",
    "-Xcompression-level",
    "6",
];

fn make_root(recipe: &Rootfs, dir: &Path) -> Result<()> {
    apt::ensure(&["mksquashfs"])?;
    let tree = recipe.build()?;
    fs::create_dir(dir).with_context(|| format!("making {}", dir.display()))?;
    let kernel = only_child(&tree.join("usr/lib/modules"))?;
    let version = file_name(&kernel)?;
    let vmlinuz = tree.join(format!("boot/vmlinuz-{version}"));
    fs::copy(&vmlinuz, dir.join("vmlinuz"))
        .with_context(|| format!("copying {}", vmlinuz.display()))?;
    Command::new("mksquashfs")
        .arg(&tree)
        .arg(dir.join("root.squashfs"))
        .args(SQUASHFS_OPTIONS)
        .args(["-e", "boot", "var/lib/apt/lists", "var/cache/apt"])
        .run()?;
    // Kept apart, so that the initramfs needs only this entry.
    let keep = dir.join("initramfs");
    fs::create_dir(&keep).with_context(|| format!("making {}", keep.display()))?;
    let read = |name: &str| {
        let path = kernel.join(name);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    let order = kmod::load_order(
        &read("modules.dep")?,
        &read("modules.builtin")?,
        INITRAMFS_MODULES,
    )?;
    let mut names = String::new();
    for file in order {
        let name = file_name(Path::new(&file))?;
        fs::copy(kernel.join(&file), keep.join(&name))
            .with_context(|| format!("copying {file}"))?;
        names.push_str(&name);
        names.push('\n');
    }
    fs::write(keep.join("order"), names).context("writing the module order")?;
    fs::copy(tree.join("usr/bin/busybox"), keep.join("busybox")).context("copying busybox")?;
    Ok(())
}

fn make_initramfs(base: &Path, file: &Path) -> Result<()> {
    let kept = base.join("initramfs");
    let read = |name: &str| {
        let path = kept.join(name);
        fs::read(&path).with_context(|| format!("reading {}", path.display()))
    };
    let mut archive = cpio::Archive::default();
    for dir in [
        "bin", "dev", "live", "lower", "modules", "proc", "ram", "root", "sys",
    ] {
        archive.directory(dir);
    }
    archive.file("init", 0o755, INIT.as_bytes());
    archive.file("bin/busybox", 0o755, &read("busybox")?);
    let order = read("order")?;
    archive.file("modules/order", 0o644, &order);
    for name in String::from_utf8_lossy(&order).lines() {
        archive.file(&format!("modules/{name}"), 0o644, &read(name)?);
    }
    for (name, mode, content) in LIVE_FILES {
        archive.file(&format!("live/{name}"), *mode, content.as_bytes());
    }
    // Not compressed: QEMU loads it faster than a guest under TCG unpacks it.
    fs::write(file, archive.finish()).with_context(|| format!("writing {}", file.display()))
}

fn only_child(dir: &Path) -> Result<PathBuf> {
    let mut children = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        children.push(entry.with_context(|| format!("reading {}", dir.display()))?);
    }
    match children.as_slice() {
        [one] => Ok(one.path()),
        many => bail!(
            "expected one kernel in {}, found {}",
            dir.display(),
            many.len()
        ),
    }
}

fn file_name(path: &Path) -> Result<String> {
    path.file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .with_context(|| format!("{} has no usable name", path.display()))
}
