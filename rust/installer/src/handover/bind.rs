// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mounts that make a complete root of a deployment.
//!
//! Every source is a detached copy (`open_tree(2)`) or a new file system
//! (`fsopen(2)`), and every place is an open directory that was found without
//! following a link, so that a link in the image cannot lead a mount out of it.
//!
//! A copy of a mount belongs to the peer group of its original, so what is
//! mounted on one appears on the other. Each copy therefore leaves that group
//! at once. Services that start meanwhile have copies of ours in namespaces of
//! their own; those go when the directory is removed that all is mounted on.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::mountinfo;
use host::unmount;
use host::write::Root;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use super::failed;
use super::state::{ROOT, State};
use crate::deployment::Deployment;
use crate::target::Target;

/// Every rename anywhere on the machine can make the kernel give up on a path;
/// it asks to try again.
const TRIES: usize = 128;

/// Mounts everything; what was mounted until an error stays, and is in `state`.
/// Gives warnings.
pub(super) fn complete_root(
    state: &mut State,
    deployment: &Deployment,
    target: &Target,
    cancel: &Cancel,
) -> Result<Vec<String>> {
    let mut root = CompleteRoot {
        state,
        cancel,
        warnings: Vec::new(),
    };
    root.base()?;
    root.put(&copy(&deployment.dir, false)?, Path::new(""))?;
    root.allow_programs()?;
    root.needed(&copy(&root.inside("usr"), false)?, "usr")?;
    root.seal("usr")?;
    root.needed(&copy(&deployment.var, false)?, "var")?;
    Deployment::make_tool_directories(&root.inside("var"))?;
    root.wanted(&copy(&target.root, false)?, "sysroot")?;
    root.wanted(&copy(&target.root.join("boot"), true)?, "boot")?;
    root.data(deployment, target)?;
    root.needed(&fresh("proc", &[])?, "proc")?;
    root.needed(&fresh("sysfs", &[])?, "sys")?;
    root.needed(&copy(Path::new("/dev"), true)?, "dev")?;
    root.needed(&fresh("tmpfs", &[("mode", "0755")])?, "run")?;
    root.wanted(&fresh("tmpfs", &[("mode", "1777")])?, "tmp")?;
    Ok(root.warnings)
}

struct CompleteRoot<'a> {
    state: &'a mut State,
    cancel: &'a Cancel,
    warnings: Vec<String>,
}

impl CompleteRoot<'_> {
    fn inside(&self, place: impl AsRef<Path>) -> PathBuf {
        Path::new(ROOT).join(place)
    }

    /// The directory on itself: below it nothing gets into the namespaces of
    /// services, which are peers or slaves of the file system it lies on.
    fn base(&mut self) -> Result<()> {
        self.put(&copy(Path::new(ROOT), false)?, Path::new(""))
    }

    /// Mounts `tree` at `place` of the root and takes it out of every peer group.
    fn put(&mut self, tree: &OwnedFd, place: &Path) -> Result<()> {
        let path = self.place(place);
        let dir = find(place).map_err(|errno| failed(&opening(&path), &errno.into()))?;
        self.mount(tree, &dir, &path)
    }

    /// Mounts at a place without which no image boots.
    fn needed(&mut self, tree: &OwnedFd, place: &str) -> Result<()> {
        let path = self.place(Path::new(place));
        let dir = find(Path::new(place)).map_err(|errno| {
            Error::new(
                Code::HandoverFailed,
                format!("The image has no directory /{place} to mount something on."),
            )
            .why("Its build removed a directory that every system has.")
            .next("Add the empty directory to the image's build.")
            .detail(errno.to_string())
        })?;
        self.mount(tree, &dir, &path)
    }

    /// Mounts at a place that an image can do without.
    fn wanted(&mut self, tree: &OwnedFd, place: impl AsRef<Path>) -> Result<()> {
        let place = place.as_ref();
        let path = self.place(place);
        match find(place) {
            Ok(dir) => self.mount(tree, &dir, &path),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {
                self.warnings.push(format!(
                    "The image has no directory /{}: nothing is mounted there while the system \
                     is configured.",
                    place.display()
                ));
                Ok(())
            }
            Err(errno) => Err(failed(&opening(&path), &errno.into())),
        }
    }

    /// What is mounted below the target and belongs into the system, such as a
    /// file system for /home: otherwise people's directories would be made
    /// beneath it.
    fn data(&mut self, deployment: &Deployment, target: &Target) -> Result<()> {
        let boot = target.root.join("boot");
        for mount in &target.submounts {
            let Ok(relative) = mount.mount_point.strip_prefix(&target.root) else {
                continue;
            };
            if mount.mount_point.starts_with(&boot) {
                continue;
            }
            let real = deployment.mount_point(&Path::new("/").join(relative));
            let place = real.strip_prefix("/").unwrap_or(&real);
            if let Ok(in_var) = place.strip_prefix("var")
                && find(place).is_err()
            {
                Root::open(&self.inside("var"))?.make_dir(in_var, 0o755)?;
            }
            let esp = target.esp.as_ref() == Some(mount);
            if esp && find(place).is_err() {
                // Only the boot loader needs it, and that is installed by now.
                continue;
            }
            self.wanted(&copy(&mount.mount_point, false)?, place)?;
        }
        Ok(())
    }

    fn place(&self, place: &Path) -> PathBuf {
        if place.as_os_str().is_empty() {
            ROOT.into()
        } else {
            self.inside(place)
        }
    }

    fn mount(&mut self, tree: &OwnedFd, dir: &OwnedFd, path: &Path) -> Result<()> {
        self.cancel.check()?;
        self.state.planned(path)?;
        let flags =
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(tree, "", dir, "", flags)
            .map_err(|errno| failed(&format!("mounting on {}", path.display()), &errno.into()))?;
        separate(path)?;
        self.state.made(&unmount::below(&mountinfo::read()?, path));
        Ok(())
    }

    /// Takes `noexec`, `nosuid` and `nodev` off, which the target may have been
    /// mounted with: programs must run from here.
    fn allow_programs(&self) -> Result<()> {
        remount(Path::new(ROOT), MsFlags::empty())
    }

    /// Image content: a file there is a hard link to the same file in the
    /// repository, and is covered by the image's digest.
    fn seal(&self, place: &str) -> Result<()> {
        remount(&self.inside(place), MsFlags::MS_RDONLY)
    }
}

/// Opens a directory in the root (`""` is the root), crossing mounts but no links.
fn find(place: &Path) -> nix::Result<OwnedFd> {
    let root = open(
        ROOT,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    if place.as_os_str().is_empty() {
        return Ok(root);
    }
    let how = || {
        OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(
                ResolveFlag::RESOLVE_IN_ROOT
                    | ResolveFlag::RESOLVE_NO_SYMLINKS
                    | ResolveFlag::RESOLVE_NO_MAGICLINKS,
            )
    };
    let mut found = openat2(&root, place, how());
    for _ in 1..TRIES {
        if !matches!(found, Err(Errno::EAGAIN | Errno::EINTR)) {
            break;
        }
        found = openat2(&root, place, how());
    }
    found
}

/// A detached copy of the mount at `from`, or of its part from there on.
fn copy(from: &Path, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, from, flags).map_err(|errno| failed(&opening(from), &errno.into()))
}

/// A new file system of a kind that is on no disk.
fn fresh(fs_type: &str, options: &[(&str, &str)]) -> Result<OwnedFd> {
    let make = || -> rustix::io::Result<OwnedFd> {
        let fs = fsopen(fs_type, FsOpenFlags::FSOPEN_CLOEXEC)?;
        // What the list of mounts and df(1) show.
        fsconfig_set_string(&fs, "source", fs_type)?;
        for (key, value) in options {
            fsconfig_set_string(&fs, *key, *value)?;
        }
        fsconfig_create(&fs)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    make().map_err(|errno| failed(&format!("making a {fs_type}"), &errno.into()))
}

/// Takes what is mounted at `path` and below it out of every peer group.
fn separate(path: &Path) -> Result<()> {
    let flags = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>)
        .map_err(|errno| failed(&format!("separating {}", path.display()), &errno.into()))
}

/// Gives one mount other options; the file system keeps its own.
fn remount(path: &Path, options: MsFlags) -> Result<()> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | options;
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>).map_err(|errno| {
        failed(
            &format!("changing the options of {}", path.display()),
            &errno.into(),
        )
    })
}

fn opening(path: &Path) -> String {
    format!("opening {}", path.display())
}
