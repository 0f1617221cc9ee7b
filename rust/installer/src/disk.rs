// SPDX-License-Identifier: MIT OR Apache-2.0
//! The disk below the target, and the places on it where a boot loader fits.
//!
//! How devices stack (partition on disk, LUKS on partition, volume on RAID) is
//! read from sysfs; what is on each from blkid(8). `lsblk` is not used: without
//! a udev database it knows neither partition types nor tables.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use contract::error::{Error, Result};
use host::blkid;

use crate::target::{Target, split_dev};

/// GPT partition type of a BIOS boot partition (`ef02` in sgdisk(8)).
const GPT_BIOS_BOOT: &str = "21686148-6449-6e6f-744e-656564454649";

/// On an msdos label GRUB's core image lies between the table and the first
/// partition: about 32 to 60 KiB with file systems and `part_*` modules. The
/// old 63 sector gap is too small for btrfs or LVM; 1 MiB is usual today.
const MSDOS_MIN_GAP_SECTORS: u64 = 128;

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
    /// Whole disk for `grub-install --target=i386-pc`: it has a GPT with a
    /// BIOS boot partition, or an msdos label.
    pub bios: Option<PathBuf>,
    /// The EFI system partition.
    pub esp: Option<Esp>,
    /// The disk is a file here (a loop or network block device), and a real one
    /// perhaps in another machine.
    pub in_file: bool,
}

impl BootPlaces {
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
}

/// Finds the boot places of the disk that carries `target` (its `/boot`, when
/// that is a file system of its own). A disk image without partitions has none.
pub fn boot_places(target: &Target) -> Result<BootPlaces> {
    let boot_source = target.boot.as_ref().map_or(&target.source, |b| &b.source);
    let mut disks = Vec::new();
    for name in whole_disks(Path::new("/sys"), device_number(boot_source)?)
        .map_err(|e| Error::io("finding the disk of", boot_source, &e))?
    {
        disks.push(look(&name)?);
    }
    Ok(BootPlaces {
        in_file: !disks.is_empty() && disks.iter().all(Disk::is_file),
        bios: bios_place(&disks),
        esp: target.esp.as_ref().map(|esp| Esp {
            mount_point: Some(esp.mount_point.clone()),
            device: esp.source.clone(),
        }),
    })
}

/// Major and minor number of a device node.
pub(crate) fn device_number(device: &Path) -> Result<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(device).map_err(|e| Error::io("looking at", device, &e))?;
    Ok(split_dev(meta.rdev()))
}

/// Kernel names of the disks below a block device, in sysfs' order.
fn whole_disks(sys: &Path, (major, minor): (u32, u32)) -> io::Result<Vec<String>> {
    let dir = sys
        .join(format!("dev/block/{major}:{minor}"))
        .canonicalize()?;
    let mut found = Vec::new();
    collect_disks(&dir, &mut found)?;
    Ok(found)
}

fn collect_disks(dir: &Path, found: &mut Vec<String>) -> io::Result<()> {
    if dir.join("partition").exists() {
        // A partition's directory lies in that of its disk.
        if let Some(disk) = dir.parent() {
            return collect_disks(disk, found);
        }
    }
    // What device mapper and md stand on.
    let mut below = match fs::read_dir(dir.join("slaves")) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    below.sort_by_key(fs::DirEntry::file_name);
    for entry in &below {
        collect_disks(&entry.path().canonicalize()?, found)?;
    }
    if let (true, Some(name)) = (below.is_empty(), dir.file_name()) {
        // sysfs writes `!` for the slash in names such as cciss/c0d0.
        let name = name.to_string_lossy().replace('!', "/");
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(())
}

fn look(name: &str) -> Result<Disk> {
    let path = Path::new("/dev").join(name);
    let table = blkid::probe_table(&path)?.get("PTTYPE").map(str::to_owned);
    let dir = Path::new("/sys/class/block").join(name.replace('/', "!"));
    let mut partitions = Vec::new();
    for (node, start) in partition_nodes(&dir).map_err(|e| Error::io("listing", &dir, &e))? {
        let tags = blkid::probe_table(&Path::new("/dev").join(node.replace('!', "/")))?;
        let kind = tags.get("PART_ENTRY_TYPE").map(str::to_ascii_lowercase);
        partitions.push(Partition { kind, start });
    }
    Ok(Disk {
        path,
        table,
        partitions,
    })
}

/// Names and first sectors of a disk's partitions.
fn partition_nodes(dir: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut nodes = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if path.join("partition").exists() {
            let start = fs::read_to_string(path.join("start"))?;
            let start = start.trim().parse().map_err(io::Error::other)?;
            nodes.push((entry.file_name().to_string_lossy().into_owned(), start));
        }
    }
    nodes.sort();
    Ok(nodes)
}

/// The first disk that firmware in BIOS mode can start GRUB from.
fn bios_place(disks: &[Disk]) -> Option<PathBuf> {
    disks
        .iter()
        .find(|disk| match disk.table.as_deref() {
            Some("gpt") => disk
                .partitions
                .iter()
                .any(|p| p.kind.as_deref() == Some(GPT_BIOS_BOOT)),
            Some("dos") => disk
                .partitions
                .iter()
                .map(|p| p.start)
                .min()
                .is_some_and(|first| first >= MSDOS_MIN_GAP_SECTORS),
            _ => false,
        })
        .map(|disk| disk.path.clone())
}

#[cfg(test)]
mod tests;
