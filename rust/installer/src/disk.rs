// SPDX-License-Identifier: MIT OR Apache-2.0
//! The disk below the target, and the places on it where a boot loader fits.
//!
//! How devices stack (partition on disk, LUKS on partition, volume on RAID) is
//! read from sysfs; what is on each from blkid(8). `lsblk` is not used: without
//! a udev database it knows neither partition types nor tables.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::blkid;

use crate::target::{Target, split_dev};

/// GPT partition type of a BIOS boot partition (`ef02` in sgdisk(8)).
const GPT_BIOS_BOOT: &str = "21686148-6449-6e6f-744e-656564454649";

/// GPT partition type of swap space.
const GPT_SWAP: &str = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f";
/// Swap space on an msdos label, as blkid(8) writes types.
const MSDOS_SWAP: &str = "0x82";
/// The part of an msdos label that holds logical partitions.
const MSDOS_EXTENDED: [&str; 3] = ["0x5", "0xf", "0x85"];

/// On an msdos label GRUB's core image lies between the table and the first
/// partition. Ours has 330 sectors: it reads every file system that a target can
/// have. Partitioning tools leave 1 MiB since about 2010.
const MSDOS_MIN_GAP_SECTORS: u64 = 2048;
/// The same for a BIOS boot partition, which may well end at the first MiB.
const BIOS_BOOT_MIN_SECTORS: u64 = 512;

/// An EFI system partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Esp {
    /// Where it is mounted, below the target's root; `None` where this kernel has
    /// no vfat, and its files are written without a mount.
    pub mount_point: Option<PathBuf>,
    /// Its partition, for example `/dev/sda1`.
    pub device: PathBuf,
}

/// Where a boot loader can be written so that firmware finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootPlaces {
    /// Whole disks for `grub-install --target=i386-pc`: each has a GPT with a
    /// BIOS boot partition, or an msdos label. Several are the members of a RAID,
    /// any of which may have to start alone.
    pub bios: Vec<PathBuf>,
    /// A disk that was chosen is not below the target: bootupd, which finds the
    /// disk by itself, would write to another one.
    pub bios_elsewhere: bool,
    /// The EFI system partition.
    pub esp: Option<Esp>,
    /// The disk is a file here (a loop or network block device), and a real one
    /// perhaps in another machine.
    pub in_file: bool,
    /// Nothing on the disk belongs to another system, so that a boot loader for
    /// the firmware that is not in use harms nobody.
    pub own_table: bool,
}

impl BootPlaces {
    /// Whether a disk may get boot loaders for both firmwares. One that another
    /// system is on gets what this machine starts, and no more.
    pub fn take_both(&self) -> bool {
        self.own_table || self.in_file
    }

    /// Whether there is an EFI system partition that cannot be mounted here.
    pub fn esp_is_unmounted(&self) -> bool {
        self.esp
            .as_ref()
            .is_some_and(|esp| esp.mount_point.is_none())
    }
}

/// A whole disk and its partitions, as far as a boot loader cares.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Disk {
    path: PathBuf,
    /// `gpt`, `dos`, or nothing known.
    table: Option<String>,
    partitions: Vec<Partition>,
}

impl Disk {
    fn is_file(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("loop") || name.starts_with("nbd")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Partition {
    /// Partition type: a GUID on GPT.
    kind: Option<String>,
    /// First sector, in units of 512 bytes.
    start: u64,
    /// Length in the same units.
    sectors: u64,
    /// Its node, for example `/dev/sda1`.
    path: PathBuf,
}

/// Finds the boot places of the disk that carries `target` (its `/boot`, when
/// that is a file system of its own). A disk image without partitions has none.
/// `chosen` is the disk whose first sectors the person gave for the boot loader.
///
/// # Errors
/// `BOOT_NO_PLACE` when `chosen` is no disk, or has no place.
pub fn boot_places(target: &Target, chosen: Option<&Path>) -> Result<BootPlaces> {
    let sys = Path::new("/sys");
    let below = |source: &Path| {
        stack(sys, device_number(source)?).map_err(|e| Error::io("finding the disk of", source, &e))
    };
    let boot = below(target.boot.as_ref().map_or(&target.source, |b| &b.source))?;
    let mut used = boot.partitions.clone();
    used.extend(below(&target.source)?.partitions);
    for mount in &target.submounts {
        used.extend(below(&mount.source)?.partitions);
    }
    let disks = (boot.disks.iter())
        .map(|name| look(name))
        .collect::<Result<Vec<_>>>()?;
    let (bios, bios_elsewhere) = match chosen {
        None => (bios_places(&disks, boot.raid), false),
        Some(chosen) => chosen_places(chosen, &disks, boot.raid)?,
    };
    Ok(BootPlaces {
        in_file: !disks.is_empty() && disks.iter().all(Disk::is_file),
        own_table: disks.iter().all(|disk| foreign(disk, &used).is_none()),
        bios,
        bios_elsewhere,
        esp: target.esp.as_ref().map(|esp| Esp {
            mount_point: Some(esp.mount_point.clone()),
            device: esp.source.clone(),
        }),
    })
}

/// The places when a disk was chosen, and whether it is another than `disks`.
fn chosen_places(chosen: &Path, disks: &[Disk], raid: bool) -> Result<(Vec<PathBuf>, bool)> {
    let no_place = |what: String| {
        Error::new(Code::BootNoPlace, what).next(
            "Choose another place for the boot loader: a whole disk with a BIOS boot partition \
             of 1 MiB or more on its GPT, or an msdos table with 1 MiB before its first partition.",
        )
    };
    let real = chosen
        .canonicalize()
        .map_err(|e| Error::io("looking at the disk for the boot loader,", chosen, &e))?;
    let name = real.strip_prefix("/dev").unwrap_or(&real);
    let name = name.to_string_lossy();
    let dir = Path::new("/sys/class/block").join(name.replace('/', "!"));
    if dir.join("partition").exists() {
        return Err(no_place(format!(
            "The boot loader cannot be written to {}, which is a partition.",
            chosen.display()
        ))
        .why("The first sectors of a partition have no room for GRUB, and often hold a boot loader already."));
    }
    let member = disks.iter().any(|disk| disk.path == real);
    if member && raid {
        return Ok((bios_places(disks, raid), false));
    }
    let disk = look(&name)?;
    if !disk.starts_bios() {
        return Err(no_place(format!(
            "The disk {} has no place for a BIOS boot loader.",
            chosen.display()
        ))
        .why("It was chosen for the boot loader, and no other disk is written to in its place."));
    }
    Ok((vec![disk.path], !member))
}

/// A partition of `disk` that is not of this installation: neither among `used`,
/// nor swap space or a place for a boot loader.
fn foreign<'a>(disk: &'a Disk, used: &BTreeSet<PathBuf>) -> Option<&'a Partition> {
    disk.partitions.iter().find(|partition| {
        let kind = partition.kind.as_deref().unwrap_or_default();
        let shared =
            [GPT_BIOS_BOOT, GPT_SWAP, MSDOS_SWAP].contains(&kind) || MSDOS_EXTENDED.contains(&kind);
        !shared && !used.contains(&partition.path)
    })
}

/// Major and minor number of a device node.
pub(crate) fn device_number(device: &Path) -> Result<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(device).map_err(|e| Error::io("looking at", device, &e))?;
    Ok(split_dev(meta.rdev()))
}

/// What a block device stands on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stack {
    /// Kernel names of the disks, in sysfs' order.
    disks: Vec<String>,
    /// The partitions that are passed on the way down, as nodes.
    partitions: BTreeSet<PathBuf>,
    /// A RAID by the kernel (md) is among it.
    raid: bool,
}

fn stack(sys: &Path, (major, minor): (u32, u32)) -> io::Result<Stack> {
    let dir = sys
        .join(format!("dev/block/{major}:{minor}"))
        .canonicalize()?;
    let mut found = Stack::default();
    collect(&dir, &mut found)?;
    Ok(found)
}

/// sysfs writes `!` for the slash in names such as cciss/c0d0.
fn kernel_name(dir: &Path) -> Option<String> {
    Some(dir.file_name()?.to_string_lossy().replace('!', "/"))
}

fn collect(dir: &Path, found: &mut Stack) -> io::Result<()> {
    if dir.join("partition").exists() {
        found
            .partitions
            .extend(kernel_name(dir).map(|name| Path::new("/dev").join(name)));
        // A partition's directory lies in that of its disk.
        if let Some(disk) = dir.parent() {
            return collect(disk, found);
        }
    }
    found.raid |= dir.join("md").exists();
    // What device mapper and md stand on.
    let mut below = match fs::read_dir(dir.join("slaves")) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    below.sort_by_key(fs::DirEntry::file_name);
    for entry in &below {
        collect(&entry.path().canonicalize()?, found)?;
    }
    if let (true, Some(name)) = (below.is_empty(), kernel_name(dir))
        && !found.disks.contains(&name)
    {
        found.disks.push(name);
    }
    Ok(())
}

fn look(name: &str) -> Result<Disk> {
    let path = Path::new("/dev").join(name);
    let table = blkid::probe_table(&path)?.get("PTTYPE").map(str::to_owned);
    let dir = Path::new("/sys/class/block").join(name.replace('/', "!"));
    let mut partitions = Vec::new();
    for (node, start, sectors) in
        partition_nodes(&dir).map_err(|e| Error::io("listing", &dir, &e))?
    {
        let path = Path::new("/dev").join(node.replace('!', "/"));
        let tags = blkid::probe_table(&path)?;
        let kind = tags.get("PART_ENTRY_TYPE").map(str::to_ascii_lowercase);
        partitions.push(Partition {
            kind,
            start,
            sectors,
            path,
        });
    }
    Ok(Disk {
        path,
        table,
        partitions,
    })
}

/// Names, first sectors and lengths of a disk's partitions.
fn partition_nodes(dir: &Path) -> io::Result<Vec<(String, u64, u64)>> {
    let number = |path: PathBuf| -> io::Result<u64> {
        let text = fs::read_to_string(path)?;
        text.trim().parse().map_err(io::Error::other)
    };
    let mut nodes = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if path.join("partition").exists() {
            let (start, sectors) = (number(path.join("start"))?, number(path.join("size"))?);
            let name = entry.file_name().to_string_lossy().into_owned();
            nodes.push((name, start, sectors));
        }
    }
    nodes.sort();
    Ok(nodes)
}

impl Disk {
    /// Whether GRUB can be put where firmware in BIOS mode starts it.
    fn starts_bios(&self) -> bool {
        match self.table.as_deref() {
            Some("gpt") => self.partitions.iter().any(|partition| {
                partition.kind.as_deref() == Some(GPT_BIOS_BOOT)
                    && partition.sectors >= BIOS_BOOT_MIN_SECTORS
            }),
            Some("dos") => {
                let first = self
                    .partitions
                    .iter()
                    .map(|partition| partition.start)
                    .min();
                first.is_some_and(|first| first >= MSDOS_MIN_GAP_SECTORS)
            }
            _ => false,
        }
    }
}

/// The disks that GRUB is put on: the first that has a place, or of a RAID all that
/// have one, since any of them may be the one that is left.
fn bios_places(disks: &[Disk], raid: bool) -> Vec<PathBuf> {
    let places = disks.iter().filter(|disk| disk.starts_bios());
    places
        .take(if raid { usize::MAX } else { 1 })
        .map(|disk| disk.path.clone())
        .collect()
}

#[cfg(test)]
mod tests;
