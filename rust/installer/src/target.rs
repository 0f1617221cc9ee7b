// SPDX-License-Identifier: MIT OR Apache-2.0
//! The target: what is mounted where the installation goes, and whether that
//! may be written to.
//!
//! bootc takes our target for the booted host, because its runtime root lies
//! on the same file system, and is told to go on nevertheless. So the guard
//! against installing over the running system is the one in this module.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::blkid;
use host::mountinfo::{self, Mount};

/// Name of the scratch directory in the root of the target.
pub const SCRATCH_NAME: &str = ".bootc-scratch";

/// File systems that bootc installs onto.
const FS_TYPES: [&str; 3] = ["ext4", "xfs", "btrfs"];

/// Inode number of the root directory of a btrfs subvolume
/// (`BTRFS_FIRST_FREE_OBJECTID`); of any other directory it differs.
const BTRFS_SUBVOLUME_INODE: u64 = 256;

/// Mount points of a running system: a file system mounted at one of them is
/// in use, whatever else it is mounted at.
const SYSTEM_MOUNT_POINTS: [&str; 8] = [
    "/",
    "/boot",
    "/boot/efi",
    "/efi",
    "/etc",
    "/home",
    "/usr",
    "/var",
];

/// A file system mounted below the target's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubMount {
    /// Where, as an absolute path.
    pub mount_point: PathBuf,
    /// Major and minor number of its `st_dev`.
    pub device: (u32, u32),
    /// Block device, for example `/dev/sda1`.
    pub source: PathBuf,
    /// File system type, for example `vfat`.
    pub fs_type: String,
    /// UUID of the file system as blkid(8) prints it.
    pub uuid: Option<String>,
}

/// An inspected target: everything here was true at the time of the look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Canonical path of the mount point.
    pub root: PathBuf,
    /// `ext4`, `xfs` or `btrfs`.
    pub fs_type: String,
    /// Major and minor number of its `st_dev` (anonymous on btrfs).
    pub device: (u32, u32),
    /// Block device, for example `/dev/sda3`.
    pub source: PathBuf,
    /// UUID of the root file system as blkid(8) prints it.
    pub uuid: Option<String>,
    /// Size of the file system in bytes.
    pub total_bytes: u64,
    /// Free bytes for root.
    pub free_bytes: u64,
    /// `/boot`, when it is a file system of its own.
    pub boot: Option<SubMount>,
    /// The EFI system partition, when mounted below the target.
    pub esp: Option<SubMount>,
    /// Every mount below the root, in mount order, `boot` and `esp` included.
    pub submounts: Vec<SubMount>,
}

/// Looks at the file system mounted at `root` and refuses, with a `TARGET_*`
/// code, whatever must not or cannot be installed onto.
pub fn inspect(root: &Path) -> Result<Target> {
    let root = canonical(root)?;
    let mounts = mountinfo::read()?;
    let mount = mount_of(&mounts, &root)?.clone();
    refuse_live_system(&mounts, &mount)?;
    refuse_part_of_filesystem(&mount)?;
    if !FS_TYPES.contains(&mount.fs_type.as_str()) {
        return Err(Error::new(
            Code::TargetFilesystem,
            format!(
                "The file system at {} is {}.",
                root.display(),
                mount.fs_type
            ),
        ));
    }
    refuse_read_only(&mount)?;

    let submounts = submounts(&mounts, &mount)?;
    refuse_contents(&mounts, &root)?;

    let boot = submounts
        .iter()
        .find(|s| s.mount_point == root.join("boot"))
        .cloned();
    if let Some(boot) = &boot {
        refuse_used_boot(&mounts, boot)?;
    }
    let esp = find_esp(&root, &submounts).cloned();
    let source = block_device(&mount)?;
    let uuid = uuid_of(&source)?;
    let (total_bytes, free_bytes) = space(&root)?;
    Ok(Target {
        device: st_dev(&root)?,
        fs_type: mount.fs_type,
        root,
        source,
        uuid,
        total_bytes,
        free_bytes,
        boot,
        esp,
        submounts,
    })
}

/// Size and free bytes (for root) of the file system that holds `path`.
pub fn space(path: &Path) -> Result<(u64, u64)> {
    let s = nix::sys::statvfs::statvfs(path)
        .map_err(|e| Error::io("asking for the free space of", path, &e.into()))?;
    let unit = s.fragment_size();
    Ok((s.blocks() * unit, s.blocks_free() * unit))
}

/// Major and minor number of the device that holds `path`.
pub fn st_dev(path: &Path) -> Result<(u32, u32)> {
    let meta = std::fs::metadata(path).map_err(|e| Error::io("looking at", path, &e))?;
    Ok(split_dev(meta.dev()))
}

/// Takes a `dev_t` apart.
pub(crate) fn split_dev(dev: u64) -> (u32, u32) {
    // The kernel's numbers have 12 and 20 bits, so that nothing is cut off.
    (
        u32::try_from(nix::sys::stat::major(dev)).unwrap_or(u32::MAX),
        u32::try_from(nix::sys::stat::minor(dev)).unwrap_or(u32::MAX),
    )
}

fn canonical(root: &Path) -> Result<PathBuf> {
    let root = root.canonicalize().map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Error::new(
            Code::TargetNotMounted,
            format!("{} does not exist.", root.display()),
        )
        .why("The path is misspelt, or the target was not mounted."),
        _ => Error::io("looking at the target", root, &e),
    })?;
    if root == Path::new("/") {
        return Err(Error::new(
            Code::TargetNotOwnFilesystem,
            "The target is /, the running system itself.",
        ));
    }
    Ok(root)
}

fn mount_of<'a>(mounts: &'a [Mount], root: &Path) -> Result<&'a Mount> {
    mountinfo::at(mounts, root).ok_or_else(|| {
        let err = Error::new(
            Code::TargetNotMounted,
            format!("{} is not a mount point.", root.display()),
        );
        match mountinfo::covering(mounts, root) {
            Some(m) => err.detail(format!(
                "It is a directory of the file system mounted at {}.",
                m.mount_point.display()
            )),
            None => err,
        }
    })
}

/// Refuses a file system that the running system uses. Compared by superblock
/// and not by path, so that bind mounts and subvolumes of it are found as well.
pub(crate) fn refuse_live_system(mounts: &[Mount], target: &Mount) -> Result<()> {
    let used = mounts.iter().find(|m| {
        m.device == target.device
            && SYSTEM_MOUNT_POINTS
                .iter()
                .any(|p| m.mount_point == Path::new(p))
    });
    let refuse = |place: &Path| {
        Error::new(
            Code::TargetNotOwnFilesystem,
            format!(
                "The target {} is on the file system that the running system has mounted at {}.",
                target.mount_point.display(),
                place.display()
            ),
        )
        .why("Installing there would overwrite the running system.")
    };
    if let Some(used) = used {
        return Err(refuse(&used.mount_point));
    }
    // mountinfo can hide the root of the namespace (after a chroot), st_dev cannot.
    let device = st_dev(&target.mount_point)?;
    for place in ["/", "/proc/1/root"] {
        let place = Path::new(place);
        // /proc/1/root is unreadable in some containers: then it says nothing.
        if std::fs::metadata(place).is_ok_and(|m| split_dev(m.dev()) == device) {
            return Err(refuse(place));
        }
    }
    Ok(())
}

/// Refuses bind mounts of a directory; a btrfs subvolume is a root of its own.
fn refuse_part_of_filesystem(mount: &Mount) -> Result<()> {
    if mount.root == Path::new("/") {
        return Ok(());
    }
    if mount.fs_type == "btrfs" {
        let meta = std::fs::metadata(&mount.mount_point)
            .map_err(|e| Error::io("looking at", &mount.mount_point, &e))?;
        if meta.ino() == BTRFS_SUBVOLUME_INODE {
            return Ok(());
        }
    }
    Err(Error::new(
        Code::TargetNotOwnFilesystem,
        format!(
            "The target {} is only the directory {} of the file system on {}.",
            mount.mount_point.display(),
            mount.root.display(),
            mount.source.display()
        ),
    )
    .why("It is a bind mount, and bootc installs onto whole file systems."))
}

fn refuse_read_only(mount: &Mount) -> Result<()> {
    let root = &mount.mount_point;
    if mount.is_read_only() {
        return Err(Error::new(
            Code::TargetReadOnly,
            format!("The target {} is mounted read-only.", root.display()),
        ));
    }
    nix::unistd::access(root, nix::unistd::AccessFlags::W_OK).map_err(|e| {
        let code = match e {
            nix::errno::Errno::EACCES | nix::errno::Errno::EPERM => Code::NotRoot,
            _ => Code::TargetReadOnly,
        };
        Error::new(
            code,
            format!("The target {} cannot be written.", root.display()),
        )
        .detail(e.to_string())
    })
}

/// What is in the target that must not be there.
#[derive(Debug, PartialEq, Eq)]
enum Foreign {
    /// The scratch directory of an earlier run.
    Scratch,
    /// A directory without entries: bootc refuses it.
    EmptyDirectory(PathBuf),
    /// Anything else.
    Entry(PathBuf),
}

fn refuse_contents(mounts: &[Mount], root: &Path) -> Result<()> {
    let is_mount = |p: &Path| mountinfo::at(mounts, p).is_some();
    let found = find_foreign(root, root, &is_mount)
        .map_err(|e| Error::io("listing the target", root, &e))?;
    let below = |p: &Path| p.strip_prefix(root).unwrap_or(p).display().to_string();
    match found {
        None => Ok(()),
        Some(Foreign::Scratch) => Err(Error::new(
            Code::TargetInterrupted,
            format!(
                "The target {} holds the scratch directory of an installation that did not end.",
                root.display()
            ),
        )),
        Some(Foreign::EmptyDirectory(p)) => Err(Error::new(
            Code::TargetNotEmpty,
            format!(
                "The target {} is not empty: it holds the directory {}.",
                root.display(),
                below(&p)
            ),
        )
        .why("bootc refuses an empty directory that is no mount point as well.")),
        Some(Foreign::Entry(p)) => Err(Error::new(
            Code::TargetNotEmpty,
            format!(
                "The target {} is not empty: it holds {}.",
                root.display(),
                below(&p)
            ),
        )),
    }
}

/// bootc's rule: mount points, `lost+found`, and directories that hold nothing
/// else than those may be there.
fn find_foreign(
    dir: &Path,
    root: &Path,
    is_mount: &dyn Fn(&Path) -> bool,
) -> io::Result<Option<Foreign>> {
    let mut entries = std::fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    // The scratch directory first, since it explains all the rest.
    entries.sort_by_key(|e| (e.file_name() != OsStr::new(SCRATCH_NAME), e.file_name()));
    if entries.is_empty() && dir != root {
        return Ok(Some(Foreign::EmptyDirectory(dir.to_owned())));
    }
    for entry in entries {
        let path = entry.path();
        if dir == root && entry.file_name() == SCRATCH_NAME {
            return Ok(Some(Foreign::Scratch));
        }
        if is_mount(&path) || (dir == root && entry.file_name() == "lost+found") {
            continue;
        }
        if !entry.file_type()?.is_dir() {
            return Ok(Some(Foreign::Entry(path)));
        }
        if let Some(found) = find_foreign(&path, root, is_mount)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A `/boot` of its own is for this installation alone: another system's kernels,
/// menu and modules would be mixed with ours, and its menu replaced. As in the root
/// there may be mount points (that of the ESP) and `lost+found`. On an EFI system
/// partition that is mounted there, everybody has a directory.
fn refuse_used_boot(mounts: &[Mount], boot: &SubMount) -> Result<()> {
    if boot.fs_type == "vfat" {
        return Ok(());
    }
    let root = &boot.mount_point;
    let is_mount = |p: &Path| mountinfo::at(mounts, p).is_some();
    let found = find_file(root, root, &is_mount).map_err(|e| Error::io("listing", root, &e))?;
    let Some(path) = found else {
        return Ok(());
    };
    let name = path.strip_prefix(root).unwrap_or(&path);
    Err(Error::new(
        Code::TargetNotEmpty,
        format!(
            "The file system at {} ({}) is not empty: it holds {}.",
            root.display(),
            boot.source.display(),
            name.display()
        ),
    )
    .why("It belongs to another system, whose boot menu would be replaced.")
    .next("Choose another partition for /boot, or have this one formatted."))
}

/// The first entry below `dir` that is no directory; what is mounted and
/// `lost+found` are passed over.
fn find_file(
    dir: &Path,
    root: &Path,
    is_mount: &dyn Fn(&Path) -> bool,
) -> io::Result<Option<PathBuf>> {
    let mut entries = std::fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if is_mount(&path) || (dir == root && entry.file_name() == "lost+found") {
            continue;
        }
        if !entry.file_type()?.is_dir() {
            return Ok(Some(path));
        }
        if let Some(found) = find_file(&path, root, is_mount)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn submounts(mounts: &[Mount], target: &Mount) -> Result<Vec<SubMount>> {
    let below = |m: &&Mount| {
        m.mount_point.starts_with(&target.mount_point) && m.mount_point != target.mount_point
    };
    let mut found: Vec<SubMount> = Vec::new();
    for mount in mounts.iter().filter(below) {
        // A part of the target itself, or of the running system, bound into it.
        if mount.device == target.device && mount.fs_type != "btrfs" {
            return Err(Error::new(
                Code::TargetNotEmpty,
                format!(
                    "A directory of the target itself is mounted at {}.",
                    mount.mount_point.display()
                ),
            )
            .why("It is left over from an earlier attempt or mounted by hand.")
            .next("Unmount it, make a new file system on the target and start again."));
        }
        refuse_live_system(mounts, mount)?;
        let source = block_device(mount)?;
        let sub = SubMount {
            device: st_dev(&mount.mount_point)?,
            mount_point: mount.mount_point.clone(),
            fs_type: mount.fs_type.clone(),
            uuid: uuid_of(&source)?,
            source,
        };
        // Only the topmost of several mounts at one place is seen.
        found.retain(|s| s.mount_point != sub.mount_point);
        found.push(sub);
    }
    Ok(found)
}

/// The usual places of the ESP, the most specific first.
fn find_esp<'a>(root: &Path, submounts: &'a [SubMount]) -> Option<&'a SubMount> {
    ["boot/efi", "efi", "boot/EFI", "boot"]
        .iter()
        .find_map(|place| {
            submounts
                .iter()
                .find(|s| s.fs_type == "vfat" && s.mount_point == root.join(place))
        })
}

/// The block device behind a mount. `/dev/root` and the like do not exist:
/// then the kernel's name for the device number does.
fn block_device(mount: &Mount) -> Result<PathBuf> {
    let is_block = |p: &Path| std::fs::metadata(p).is_ok_and(|m| m.file_type().is_block_device());
    if mount.source.is_absolute() && is_block(&mount.source) {
        // Keeps /dev/mapper/NAME, which says more than dm-0 and is what
        // the tools print.
        return Ok(mount.source.clone());
    }
    let (major, minor) = mount.device;
    let link = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    if let Some(path) = std::fs::read_link(&link)
        .ok()
        .and_then(|l| l.file_name().map(|n| Path::new("/dev").join(n)))
        .filter(|p| is_block(p))
    {
        return Ok(path);
    }
    Err(Error::new(
        Code::TargetFilesystem,
        format!(
            "The {} at {} is not on a disk.",
            mount.fs_type,
            mount.mount_point.display()
        ),
    )
    .why("Everything mounted at or below the target must be a partition or volume of its own.")
    .next("Unmount it and start again.")
    .detail(format!(
        "source {}, device {major}:{minor}",
        mount.source.display()
    )))
}

pub(crate) fn uuid_of(device: &Path) -> Result<Option<String>> {
    Ok(blkid::probe(device)?.get("UUID").map(str::to_owned))
}

#[cfg(test)]
mod tests;
