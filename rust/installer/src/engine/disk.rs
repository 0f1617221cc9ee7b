// SPDX-License-Identifier: MIT OR Apache-2.0
//! A target that the engine makes itself: a whole disk, or a file that becomes
//! one.
//!
//! ```text
//! check ── partition ── prepare … configure ── finish
//!   │         │                                  └ unmounted; a file gets its name
//!   │         └ table, file systems, mounts
//!   └ nothing is written up to here
//! ```
//!
//! Everything is mounted in a mount namespace of the thread that works, so that
//! nobody else sees it and it goes with the engine.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use contract::disk_plan::{DISK_ROOT, DiskPlan, Medium, PartitionKind, Table};
use contract::error::{Code, Error, Result};
use contract::event::{Summary, Task};
use contract::plan::BootloaderChoice;
use contract::size::human;
use host::cancel::Cancel;
use host::unmount;
use host::{cmd, mountinfo};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use partition::layout::Layout;
use partition::make::{self, Made};
use partition::names::Names;
use partition::{device, fat};
use sandbox::disk_file::DiskFile;
use sandbox::scratch::Scratch;
use source::found::Found;
use source::look_up;

use super::{Engine, Runtime};
use crate::boot::{self, FirmwareNeed, grub::unmounted};
use crate::check;
use crate::disk::{BootPlaces, Esp};
use crate::space;
use crate::target;

/// Does `work` in a thread with a mount namespace of its own.
///
/// # Errors
/// Those of `work`; `NOT_ROOT` when there can be no such namespace.
pub(super) fn privately<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let apart = || -> nix::Result<()> {
        unshare(CloneFlags::CLONE_NEWNS)?;
        let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)
    };
    let worker = || {
        if !nix::unistd::geteuid().is_root() {
            // The check says so, in its own words.
            return work();
        }
        apart().map_err(|errno| {
            Error::new(
                Code::NotRoot,
                "A disk cannot be mounted apart from the running system.",
            )
            .detail(errno.to_string())
        })?;
        see_devices()?;
        work()
    };
    std::thread::scope(|scope| match scope.spawn(worker).join() {
        Ok(done) => done,
        Err(_) => Err(Error::new(
            Code::Internal,
            "The installation ended unexpectedly.",
        )),
    })
}

/// A container has some nodes in a tmpfs of its own, in which those of new
/// partitions do not appear. Here the kernel's own are seen.
fn see_devices() -> Result<()> {
    let dev = Path::new("/dev");
    let mounts = mountinfo::read()?;
    if mountinfo::at(&mounts, dev).is_none_or(|mount| mount.fs_type != "tmpfs") {
        return Ok(());
    }
    let failed = |errno: nix::errno::Errno| Error::io("mounting", dev, &errno.into());
    let stage = Mounts::begin()?;
    let at = Path::new(DISK_ROOT);
    let none = None::<&str>;
    let flags = MsFlags::MS_NOSUID;
    mount(Some("devtmpfs"), at, Some("devtmpfs"), flags, none).map_err(failed)?;
    for place in ["pts", "shm", "mqueue"] {
        let (from, to) = (dev.join(place), at.join(place));
        // One that lies below the tmpfs is in the list as well.
        let seen = from.is_dir() && mountinfo::at(&mounts, &from).is_some();
        if seen && to.is_dir() {
            mount(Some(&from), &to, none, MsFlags::MS_BIND, none).map_err(failed)?;
        }
    }
    mount(Some(at), dev, none, MsFlags::MS_MOVE, none).map_err(failed)?;
    drop(stage);
    Ok(())
}

/// What is known before anything is written.
struct Ready {
    layout: Layout,
    found: Found,
    /// The kernel mounts an EFI system partition.
    vfat: bool,
}

impl Engine<'_> {
    /// The whole installation.
    pub(super) fn run_on_disk(&self, plan: &DiskPlan) -> Result<Summary> {
        let ready = self.task(Task::Check, "Checking image and disk", || {
            let ready = self.check_disk(plan)?;
            self.warn("check", &ready.found.warnings);
            let trust = &ready.found.trust;
            self.info("signature", format!("Signature: {trust}."));
            Ok(ready)
        })?;
        let (disk, checked, given) = self.task(Task::Partition, "Partitioning the disk", || {
            let Ready {
                layout,
                found,
                vfat,
            } = ready;
            let names = self.names(plan, &found)?;
            // Another program may have begun to use it meanwhile.
            if let Medium::Device(path) = plan.medium()? {
                device::inspect(path, plan.wipe, self.cancel)?;
                self.touched.store(true, Ordering::Relaxed);
            }
            let disk = OnDisk::make(plan, &layout, names, vfat, self.cancel)?;
            let checked = check::check_made(self.plan, disk.unmounted_esp(), found)?;
            let given = match Runtime::given(&self.plan.runtime_root) {
                Some(runtime) => Some(self.judge(runtime, &checked)?),
                None => None,
            };
            Ok((disk, checked, given))
        })?;
        self.on_target(&checked, given, Some(disk))
    }

    /// Refuses everything that can be refused before the disk is touched.
    fn check_disk(&self, plan: &DiskPlan) -> Result<Ready> {
        check::require_rights(self.plan)?;
        let size = match plan.medium()? {
            Medium::Device(path) => device::inspect(path, plan.wipe, self.cancel)?.size,
            Medium::File(file, size) => {
                refuse_file(file, plan.overwrite)?;
                size
            }
        };
        let layout = Layout::of(plan, size)?;
        let has_esp = layout.find(PartitionKind::Esp).is_some();
        let vfat = !has_esp || make::kernel_has("vfat");
        require_tools(plan, &layout, vfat)?;
        self.require_places(plan, &layout, vfat)?;
        if let Some(boot) = layout.find(PartitionKind::Boot)
            && boot.size < space::BOOT_MIN
        {
            return Err(Error::new(
                Code::TargetTooSmall,
                format!("The partition for /boot has only {}.", human(boot.size)),
            ));
        }
        self.cancel.check()?;
        let found = look_up::image(self.plan, self.secrets, self.cancel)?;
        self.require_room(plan, &layout, &found)?;
        Ok(Ready {
            layout,
            found,
            vfat,
        })
    }

    /// As [`check`] asks it of disks that are there.
    fn require_places(&self, plan: &DiskPlan, layout: &Layout, vfat: bool) -> Result<()> {
        let has = |kind| layout.find(kind).is_some();
        let bios = plan.table == Table::Mbr || has(PartitionKind::BiosBoot);
        let places = BootPlaces {
            bios: bios.then(PathBuf::new).into_iter().collect(),
            esp: has(PartitionKind::Esp).then(|| Esp {
                mount_point: vfat.then(PathBuf::new),
                device: PathBuf::new(),
            }),
            in_file: plan.is_file(),
            own_table: true,
            ..BootPlaces::default()
        };
        let here = boot::firmware_of_this_machine();
        let need = FirmwareNeed::of(self.plan, &places, here, std::env::consts::ARCH);
        let choice = self.plan.bootc.bootloader;
        check::require_boot_place(choice, &places, need)?;
        match choice {
            BootloaderChoice::Systemd => {
                boot::refuse_unmountable(boot::BootcBootloader::Systemd, &places)
            }
            _ => Ok(()),
        }
    }

    fn require_room(&self, plan: &DiskPlan, layout: &Layout, found: &Found) -> Result<()> {
        let on_target = self.plan.target.scratch.is_none();
        let need = |total| {
            space::need(
                found.size,
                &found.source,
                &self.plan.runtime_root,
                on_target,
                total,
            )
        };
        let (total, free) = layout.root_room();
        let needed = need(total);
        match plan.medium()? {
            Medium::Device(path) => space::require(path, free, needed.target, &needed),
            Medium::File(file, _) => {
                space::require(file, free, needed.target, &needed)?;
                // It is sparse: what is written to it needs room, and no more.
                let dir = file.parent().unwrap_or(Path::new("/"));
                let written = need(0);
                space::require(dir, target::space(dir)?.1, written.target, &written)
            }
        }
    }

    /// A disk in a file is named after all that decides what is on it.
    fn names(&self, plan: &DiskPlan, found: &Found) -> Result<Names> {
        if !plan.is_file() {
            return Ok(Names::random());
        }
        let mut config = self.plan.clone();
        // Where it is made, and how its bytes got here, are not on it.
        if let Some(disk) = &mut config.disk {
            disk.file = None;
            disk.overwrite = false;
        }
        let text = |value: serde_json::Result<String>| {
            value.map_err(|err| {
                Error::new(Code::Internal, "The plan cannot be written.").detail(err.to_string())
            })
        };
        Ok(Names::derived(&[
            &found.image.manifest_digest.to_string(),
            &config.image.origin().to_string(),
            &text(serde_json::to_string(&config.disk))?,
            &text(serde_json::to_string(&config.bootc))?,
            &text(serde_json::to_string(&config.deployment))?,
        ]))
    }
}

fn refuse_file(file: &Path, overwrite: bool) -> Result<()> {
    let unusable = |what: &str| {
        Err(Error::new(
            Code::DiskUnusable,
            format!("The file {} cannot be made: {what}.", file.display()),
        ))
    };
    let dir = file.parent().unwrap_or(Path::new("/"));
    if !dir.is_dir() {
        return unusable("there is no such directory");
    }
    // A misspelt device would become a file in memory.
    if dir.starts_with("/dev") {
        return unusable("it would be among the devices");
    }
    match file.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(meta) if !meta.is_file() => unusable("something else is there"),
        Ok(_) if overwrite => Ok(()),
        Ok(_) => Err(Error::new(
            Code::FileExists,
            format!("{} is there already.", file.display()),
        )),
    }
}

fn require_tools(plan: &DiskPlan, layout: &Layout, vfat: bool) -> Result<()> {
    let mut tools = make::tools(layout, vfat);
    tools.extend([("blkid", "util-linux"), ("fstrim", "util-linux")]);
    if plan.is_file() {
        tools.push(("losetup", "util-linux"));
    }
    match tools.iter().find(|(tool, _)| cmd::find(tool).is_none()) {
        None => Ok(()),
        Some((tool, package)) => Err(Error::new(
            Code::ToolMissing,
            format!("The command `{tool}` is not installed; on Debian it is in {package}."),
        )),
    }
}

/// The disk of an installation, with everything mounted. Dropped, it is unmounted,
/// and a file is removed.
#[derive(Debug)]
pub(super) struct OnDisk {
    /// First, so that nothing is mounted any more when the file goes.
    _mounts: Mounts,
    file: Option<DiskFile>,
    made: Vec<Made>,
    names: Names,
    vfat: bool,
}

/// What is mounted at [`DISK_ROOT`].
#[derive(Debug)]
struct Mounts;

impl OnDisk {
    fn make(
        plan: &DiskPlan,
        layout: &Layout,
        names: Names,
        vfat: bool,
        cancel: &Cancel,
    ) -> Result<Self> {
        let file = match plan.medium()? {
            Medium::Device(_) => None,
            Medium::File(file, size) => Some(DiskFile::create(file, size, plan.overwrite)?),
        };
        let device = match (&file, plan.medium()?) {
            (Some(file), _) => file.device().to_owned(),
            (None, Medium::Device(path) | Medium::File(path, _)) => path
                .canonicalize()
                .map_err(|err| Error::io("finding", path, &err))?,
        };
        let made = make::table(&device, layout, &names, cancel)?;
        make::file_systems(&made, &names, vfat, cancel)?;
        let mounts = Mounts::begin()?;
        make::mounts(&made, Path::new(DISK_ROOT), vfat)?;
        Ok(Self {
            _mounts: mounts,
            file,
            made,
            names,
            vfat,
        })
    }

    fn esp(&self) -> Option<&Made> {
        let is_esp = |made: &&Made| made.placed.kind == PartitionKind::Esp;
        self.made.iter().find(is_esp).filter(|_| !self.vfat)
    }

    /// An EFI system partition that this kernel cannot mount.
    fn unmounted_esp(&self) -> Option<Esp> {
        self.esp().map(|made| Esp {
            mount_point: None,
            device: made.node.clone(),
        })
    }

    /// Writes such a partition, with what the boot loader left for it.
    pub(super) fn write_esp(&self, scratch: &Scratch, cancel: &Cancel) -> Result<()> {
        let Some(esp) = self.esp() else {
            return Ok(());
        };
        let content = unmounted::directory(&scratch.tmp());
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&content)
            .map_err(|err| Error::io("making", &content, &err))?;
        fat::write(
            esp,
            &content,
            &scratch.dir().join("esp.img"),
            &self.names,
            cancel,
        )
    }

    /// Everything was unmounted: lets go of the disk, and names the file.
    pub(super) fn close(self) -> Result<()> {
        let Self { _mounts, file, .. } = self;
        drop(_mounts);
        file.map_or(Ok(()), DiskFile::keep)
    }
}

/// The directory that everything is mounted in. It is made once and stays: when
/// one goes that somebody has mounted something on, the kernel takes that
/// mount away, in whichever namespace it is.
fn base() -> &'static Path {
    let root = Path::new(DISK_ROOT);
    root.parent().unwrap_or(root)
}

impl Mounts {
    /// A place to mount on, in memory.
    fn begin() -> Result<Self> {
        let failed = |err: std::io::Error| Error::io("making", base(), &err);
        match DirBuilder::new().mode(0o700).create(base()) {
            Err(err) if err.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(failed(err));
            }
            _ => {}
        }
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        let data = Some("mode=0700,size=1m");
        mount(Some("tmpfs"), base(), Some("tmpfs"), flags, data)
            .map_err(|errno| failed(errno.into()))?;
        let mounts = Self;
        fs::create_dir(DISK_ROOT).map_err(failed)?;
        Ok(mounts)
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        let all = mountinfo::read().unwrap_or_default();
        let below = unmount::below(&all, base());
        for mount in unmount::leaves_first(&below) {
            if let Err(errno) = unmount::detach(mount) {
                tracing::warn!(%errno, place = %mount.mount_point.display(), "stays mounted");
            }
        }
    }
}
