// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plays the mount table and moves into the new root.
//!
//! Sources are opened as detached copies (`open_tree(2)`) while the live
//! system's tree is still the root; everything after `pivot_root(2)` is looked
//! up inside the image, so a link there cannot point a mount at the live
//! system. Runs in pid 1 of the sandbox only, whose mounts nobody else sees.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::cmd::Tool;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::{chdir, chroot, pivot_root};
use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};

use super::spec::{Bytes, Mount, RootKind, Spec};
use super::writable::Contents;

/// Where an image file is mounted for the moment before it becomes the root.
/// Every live system has it, and all sources are open by then.
const STAGE: &str = "/tmp";
/// Where a file waits in memory until it is put over one of the root's.
const FILE_STAGE: &str = "/proc";

/// A step whose sources are open.
enum Ready<'a> {
    Tree {
        tree: OwnedFd,
        to: &'a Path,
        is_dir: bool,
        read_only: bool,
    },
    Tmpfs(&'a Path),
    Writable(&'a Path),
    Proc(&'a Path),
    File {
        to: PathBuf,
        bytes: Bytes,
        mode: u32,
        optional: bool,
    },
}

/// Makes the spec's root the root of this process, with everything mounted.
pub(super) fn enter(spec: &Spec) -> Result<()> {
    let steps = spec
        .mounts
        .iter()
        .filter_map(|mount| open(mount).transpose())
        .collect::<Result<Vec<_>>>()?;
    move_in(&spec.root)?;
    if spec.read_only {
        remount_read_only(Path::new("/"))?;
    }
    steps.into_iter().try_for_each(play)
}

fn open(step: &Mount) -> Result<Option<Ready<'_>>> {
    Ok(Some(match step {
        Mount::Bind {
            from,
            to,
            recursive,
            read_only,
        } => Ready::Tree {
            tree: tree(from, *recursive)?,
            to,
            is_dir: from.is_dir(),
            read_only: *read_only,
        },
        Mount::Tmpfs { to } => Ready::Tmpfs(to),
        Mount::Writable { to } => Ready::Writable(to),
        Mount::Proc { to } => Ready::Proc(to),
        Mount::File { to, bytes, mode } => Ready::File {
            to: to.clone(),
            bytes: bytes.clone(),
            mode: *mode,
            optional: false,
        },
        Mount::ResolvConf => {
            let Ok(bytes) = fs::read("/etc/resolv.conf") else {
                return Ok(None);
            };
            Ready::File {
                to: PathBuf::from("/etc/resolv.conf"),
                bytes: Bytes(bytes),
                mode: 0o644,
                optional: true,
            }
        }
    }))
}

fn tree(from: &Path, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, from, flags)
        .map_err(|errno| call(&format!("opening {}", from.display()), &errno.into()))
}

fn attach(tree: &OwnedFd, to: &Path) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    move_mount(tree, "", CWD, to, flags)
        .map_err(|errno| call(&format!("mounting on {}", to.display()), &errno.into()))
}

/// Makes the root's tree this process's root and lets go of the old one.
fn move_in(root: &RootKind) -> Result<()> {
    let at = match root {
        RootKind::Directory(path) => {
            let root = tree(path, false)?;
            attach(&root, path)?;
            path.as_path()
        }
        RootKind::Image(file) => {
            mount_image(file, Path::new(STAGE))?;
            Path::new(STAGE)
        }
    };
    let failed = |errno: Errno| call(&format!("moving into {}", at.display()), &errno.into());
    chdir(at).map_err(failed)?;
    match pivot_root(".", ".") {
        // The old root lies over the new one now.
        Ok(()) => umount2(".", MntFlags::MNT_DETACH).map_err(failed)?,
        // A live system that runs from its initramfs has a root that cannot be
        // exchanged; it can be covered.
        Err(Errno::EINVAL) => {
            mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>).map_err(failed)?;
            chroot(".").map_err(failed)?;
        }
        Err(errno) => return Err(failed(errno)),
    }
    chdir("/").map_err(failed)
}

/// Mounts a file system image. mount(8) sets the loop device up so that it
/// goes away with its last mount, which is ours.
fn mount_image(file: &Path, at: &Path) -> Result<()> {
    Tool::new("mount")
        .args(["-o", "ro,loop", "--"])
        .args([file, at])
        .failing_as(Code::SourceInvalid)
        .run(&Cancel::new())
        .map(drop)
        .map_err(|failed| match failed.code {
            Code::SourceInvalid => unmountable(file, failed),
            _ => failed,
        })
}

fn unmountable(file: &Path, failed: Error) -> Error {
    let mut error = Error::new(
        Code::SourceInvalid,
        format!("The runtime root {} cannot be mounted.", file.display()),
    )
    .why("It is no squashfs or erofs image, it is damaged, or the kernel lacks the file system.")
    .next("Check the file against its checksum, or run without a runtime root.");
    error.details = failed.details;
    error
}

/// Also takes `noexec`, `nosuid` and `nodev` off, which a cautious person may
/// have mounted the target with: programs must run from there.
fn remount_read_only(at: &Path) -> Result<()> {
    mount(
        None::<&str>,
        at,
        None::<&str>,
        MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY,
        None::<&str>,
    )
    .map_err(|errno| call(&format!("making {} read-only", at.display()), &errno.into()))
}

fn play(step: Ready<'_>) -> Result<()> {
    match step {
        Ready::Tree {
            tree,
            to,
            is_dir,
            read_only,
        } => {
            if is_dir {
                make_dir(to)?;
            } else {
                make_file(to)?;
            }
            attach(&tree, to)?;
            if read_only {
                remount_read_only(to)?;
            }
            Ok(())
        }
        Ready::Tmpfs(to) => {
            make_dir(to)?;
            let mode = if to.ends_with("tmp") {
                "mode=1777"
            } else {
                "mode=0755"
            };
            mount_new("tmpfs", to, Some(mode))
        }
        Ready::Writable(to) => make_writable(to),
        Ready::Proc(to) => {
            make_dir(to)?;
            mount_new("proc", to, None)
        }
        Ready::File {
            to,
            bytes,
            mode,
            optional,
        } => put_file(&to, &bytes, mode, optional),
    }
}

fn make_writable(to: &Path) -> Result<()> {
    if !to.is_dir() {
        return Ok(());
    }
    let failed = |err: std::io::Error| call(&format!("copying {}", to.display()), &err);
    let contents = Contents::read(to).map_err(failed)?;
    mount_new("tmpfs", to, Some("mode=0755"))?;
    contents.write(to).map_err(failed)
}

fn mount_new(fs_type: &str, to: &Path, data: Option<&str>) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some(fs_type), to, Some(fs_type), flags, data).map_err(|errno| {
        call(
            &format!("mounting {fs_type} on {}", to.display()),
            &errno.into(),
        )
    })
}

fn make_dir(to: &Path) -> Result<()> {
    if to.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(to)
        .map_err(|err| no_mount_point(to, &err))
}

fn make_file(to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    to.parent().map_or(Ok(()), make_dir)?;
    fs::File::create(to)
        .map(drop)
        .map_err(|err| no_mount_point(to, &err))
}

fn no_mount_point(to: &Path, err: &std::io::Error) -> Error {
    Error::new(
        Code::ImageNotBootable,
        format!("The image has no {} to mount something on.", to.display()),
    )
    .why("Its build removed a directory that every system has.")
    .next("Add the empty directory to the image's build.")
    .detail(err.to_string())
}

/// Puts a file there without writing to the root's own file system.
fn put_file(to: &Path, bytes: &Bytes, mode: u32, optional: bool) -> Result<()> {
    let target = follow(to);
    if on_tmpfs(&target) {
        target.parent().map_or(Ok(()), make_dir)?;
        return write(&target, bytes, mode);
    }
    if !target.exists() {
        if optional {
            return Ok(());
        }
        return Err(Error::new(
            Code::Internal,
            format!(
                "{} cannot be provided: the image has no such file.",
                to.display()
            ),
        ));
    }
    let stage = Path::new(FILE_STAGE);
    mount_new("tmpfs", stage, Some("mode=0700"))?;
    let staged = stage.join("file");
    let copy = write(&staged, bytes, mode).and_then(|()| tree(&staged, false));
    umount2(stage, MntFlags::MNT_DETACH)
        .map_err(|errno| call("providing a file", &errno.into()))?;
    attach(&copy?, &target)
}

/// A link that leads nowhere yet, one step further.
fn follow(path: &Path) -> PathBuf {
    match (path.exists(), fs::read_link(path), path.parent()) {
        (false, Ok(link), Some(parent)) => parent.join(link),
        _ => path.to_owned(),
    }
}

/// Whether what would be created at `path` is on a tmpfs.
fn on_tmpfs(path: &Path) -> bool {
    path.ancestors()
        .find(|ancestor| ancestor.exists())
        .and_then(|ancestor| statfs(ancestor).ok())
        .is_some_and(|fs| fs.filesystem_type() == TMPFS_MAGIC)
}

fn write(to: &Path, bytes: &Bytes, mode: u32) -> Result<()> {
    let failed = |err: std::io::Error| call(&format!("writing {}", to.display()), &err);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(to)
        .map_err(failed)?;
    file.write_all(&bytes.0).map_err(failed)?;
    // The mode given to open is subject to the umask.
    file.set_permissions(fs::Permissions::from_mode(mode))
        .map_err(failed)
}

/// A failed step of the sandbox's making.
pub(super) fn call(doing: &str, err: &std::io::Error) -> Error {
    let error = match err.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EPERM) => Error::new(
            Code::NotRoot,
            format!("The sandbox for the image's programs failed while {doing}."),
        )
        .why("This process may not make mounts and namespaces, even if its user is root."),
        _ => Error::new(
            Code::Io,
            format!("The sandbox for the image's programs failed while {doing}."),
        ),
    };
    error.detail(err.to_string())
}
