// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Calamares tells: one typed reader of its global storage, and what
//! follows from it for an installation. All of it is pure.
//!
//! Every module of Calamares writes into the same untyped storage, in C++ or
//! Python, so that the same value comes as a bool or a number, is missing,
//! `null` or an empty text. This is the only place that knows these shapes,
//! which are those of Calamares 3.3.
//!
//! The storage also holds passphrases in clear. They are never parsed: values
//! of keys that nobody asks for stay a part of the caller's text, and no
//! message quotes a value.

mod complete;
mod fstab;
mod kargs;
mod keymap;
mod keys;
mod reader;
mod target;

pub use fstab::fstab;
pub use kargs::{kargs, require_readable_boot};
pub use keymap::of as console_keymap;
pub use keys::{PARTITION_KEYS, STORAGE_KEYS};
pub use target::apply;

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};

use contract::firmware::Firmware;
use reader::Object;

/// The part of Calamares' global storage that matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlobalStorage {
    /// `rootMountPoint`: where the stock modules see the system. Once the
    /// deployment is handed over this is the deployment, no longer the target.
    pub root_mount_point: Option<PathBuf>,
    /// `bootcTargetRoot`: the target's root, kept by our plugin once
    /// `rootMountPoint` is the deployment.
    pub target_root: Option<PathBuf>,
    /// `firmwareType`.
    pub firmware: Option<Firmware>,
    /// `efiSystemPartition`: a mount point as the installed system sees it,
    /// and no device. Calamares sets it on BIOS machines, too.
    pub efi_system_partition: Option<String>,
    /// `bootLoader.installPath`: the disk on BIOS machines, the EFI system
    /// partition on UEFI ones; `None` when the person wanted no boot loader.
    pub boot_device: Option<PathBuf>,
    /// The person chose to install no boot loader: a BIOS machine whose
    /// `bootLoader` is `null`. On UEFI machines that says nothing.
    pub without_boot_loader: bool,
    /// `partitions`: those of all disks, also foreign ones.
    pub partitions: Vec<Partition>,
    /// `mountOptionsList`.
    pub mount_options: Vec<MountOptions>,
    /// `btrfsSubvolumes`: what is mounted where when the root is btrfs.
    pub btrfs_subvolumes: Vec<Subvolume>,
    /// `btrfsRootSubvolume`: the subvolume that the root is, `None` when it is
    /// the top level.
    pub btrfs_root_subvolume: Option<String>,
    /// `keyboard*`.
    pub keyboard: Keyboard,
    /// `partitionChoices.swap` is `file`.
    pub swap_file: bool,
}

/// One of `partitions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// `device`, for example `/dev/vda1`; of the container when encrypted.
    pub device: PathBuf,
    /// `mountPoint` as the installed system sees it.
    pub mount_point: Option<String>,
    /// `fs` in lower case: `ext4`, `fat32`, `linuxswap`; what is inside of an
    /// encrypted partition.
    pub fs: String,
    /// `uuid` of the file system; of unclear meaning when encrypted. Empty where
    /// Calamares asked before udev knew, or without udev.
    pub uuid: Option<String>,
    /// `partuuid`.
    pub part_uuid: Option<String>,
    /// `claimed`: it was made or formatted for this installation.
    pub claimed: bool,
    /// `luksMapperName`: what stands behind `/dev/mapper/`.
    pub luks_mapper_name: Option<String>,
    /// `luksUuid` of the container.
    pub luks_uuid: Option<String>,
}

/// What `fs` is for partitions that Calamares mounts, but not by fstab.
const NOT_IN_FSTAB: [&str; 5] = ["", "linuxswap", "unformatted", "unknown", "zfs"];

impl Partition {
    /// Whether its contents are encrypted. `fsName` would say so as well, but in
    /// the person's language.
    pub fn is_encrypted(&self) -> bool {
        self.luks_mapper_name.is_some() || self.luks_uuid.is_some()
    }

    /// The file system in mount(8)'s words, when fstab can mount it.
    pub fn mount_type(&self) -> Option<&str> {
        match self.fs.as_str() {
            "fat16" | "fat32" => Some("vfat"),
            other => (!NOT_IN_FSTAB.contains(&other)).then_some(other),
        }
    }

    /// Whether it is swap space of this installation. Foreign ones belong to
    /// another system that may be hibernated on them.
    pub fn is_own_swap(&self) -> bool {
        self.claimed && self.fs == "linuxswap"
    }

    /// Whether the installed system uses it.
    pub fn is_used(&self) -> bool {
        self.mount_point.is_some() || self.is_own_swap()
    }

    /// The device that holds the file system: `/dev/mapper/NAME` when it is
    /// encrypted and open.
    pub fn open_device(&self) -> PathBuf {
        match &self.luks_mapper_name {
            Some(name) => Path::new("/dev/mapper").join(name),
            None => self.device.clone(),
        }
    }
}

/// One of `mountOptionsList`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountOptions {
    /// Mount point as the installed system sees it.
    pub mount_point: String,
    /// Options with commas, without `subvol=`.
    pub options: String,
}

/// One of `btrfsSubvolumes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subvolume {
    /// Mount point as the installed system sees it.
    pub mount_point: String,
    /// Its path, `None` for the top level of the file system.
    pub subvolume: Option<String>,
}

/// What the keyboard page stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyboard {
    /// Layout of X, for example `de`.
    pub layout: Option<String>,
    /// Variant of the layout, for example `nodeadkeys`.
    pub variant: Option<String>,
    /// Keymap of the console; Calamares knows it only for some layouts.
    pub vconsole_keymap: Option<String>,
}

impl GlobalStorage {
    /// Reads the storage as JSON. Keys that are not needed are skipped; a value
    /// of another type than documented is `CALAMARES_INVALID`.
    pub fn from_json(text: &str) -> Result<Self> {
        let top = Object::top(text)?.only(&STORAGE_KEYS);
        let boot_loader = top.object("bootLoader")?;
        let choices = top.object("partitionChoices")?;
        let firmware = firmware(&top)?;
        Ok(Self {
            root_mount_point: top.path("rootMountPoint")?,
            target_root: top.path("bootcTargetRoot")?,
            firmware,
            efi_system_partition: top.text("efiSystemPartition")?,
            boot_device: match boot_loader {
                Some(object) => object.path("installPath")?,
                None => None,
            },
            without_boot_loader: firmware == Some(Firmware::Bios) && top.is_null("bootLoader"),
            partitions: partitions(&top)?,
            mount_options: mount_options(&top)?,
            btrfs_subvolumes: subvolumes(&top)?,
            btrfs_root_subvolume: top
                .text("btrfsRootSubvolume")?
                .filter(|subvolume| subvolume != "/"),
            keyboard: Keyboard {
                layout: top.text("keyboardLayout")?,
                variant: top.text("keyboardVariant")?,
                vconsole_keymap: top.text("keyboardVConsoleKeymap")?,
            },
            swap_file: match choices {
                Some(object) => object.text("swap")?.as_deref() == Some("file"),
                None => false,
            },
        })
    }

    /// Where the target's root file system is mounted: what the plugin kept,
    /// or `rootMountPoint` before the deployment was handed over.
    pub fn target(&self) -> Result<&Path> {
        self.target_root
            .as_deref()
            .or(self.root_mount_point.as_deref())
            .ok_or_else(|| {
                Error::new(
                    Code::CalamaresInvalid,
                    "Calamares has not mounted a target.",
                )
                .why("Its global storage has no `rootMountPoint`.")
                .next("In settings.conf put `partition` and `mount` before `bootc` in `exec`.")
            })
    }

    /// The partition that is mounted at `mount_point` in the installed system.
    pub fn mounted_at(&self, mount_point: &str) -> Option<&Partition> {
        self.partitions
            .iter()
            .find(|p| p.mount_point.as_deref() == Some(mount_point))
    }
}

fn firmware(top: &Object) -> Result<Option<Firmware>> {
    match top.text("firmwareType")?.as_deref() {
        None => Ok(None),
        Some("efi") => Ok(Some(Firmware::Uefi)),
        Some("bios") => Ok(Some(Firmware::Bios)),
        Some(_) => Err(top.invalid("firmwareType", "it is neither `bios` nor `efi`")),
    }
}

fn partitions(top: &Object) -> Result<Vec<Partition>> {
    top.objects("partitions")?
        .into_iter()
        .map(|object| {
            let object = object.only(&PARTITION_KEYS);
            let partition = Partition {
                device: object.text("device")?.unwrap_or_default().into(),
                mount_point: object.text("mountPoint")?,
                fs: object.text("fs")?.unwrap_or_default().to_lowercase(),
                uuid: object.text("uuid")?,
                part_uuid: object.text("partuuid")?,
                claimed: object.flag("claimed")?.unwrap_or(false),
                luks_mapper_name: object.text("luksMapperName")?,
                luks_uuid: object.text("luksUuid")?,
            };
            // Foreign and free places on disks may come without one.
            if partition.is_used() && !partition.device.is_absolute() {
                return Err(object.invalid("device", "a partition in use needs an absolute path"));
            }
            Ok(partition)
        })
        .collect()
}

fn mount_options(top: &Object) -> Result<Vec<MountOptions>> {
    let mut all = Vec::new();
    for object in top.objects("mountOptionsList")? {
        let fields = (object.text("mountpoint")?, object.text("option_string")?);
        if let (Some(mount_point), Some(options)) = fields {
            all.push(MountOptions {
                mount_point,
                options,
            });
        }
    }
    Ok(all)
}

fn subvolumes(top: &Object) -> Result<Vec<Subvolume>> {
    let mut all = Vec::new();
    for object in top.objects("btrfsSubvolumes")? {
        if let Some(mount_point) = object.text("mountPoint")? {
            all.push(Subvolume {
                mount_point,
                subvolume: object.text("subvolume")?.filter(|s| s != "/"),
            });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
