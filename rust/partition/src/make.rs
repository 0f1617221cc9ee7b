// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes a layout to a disk: table, file systems, mounts.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use contract::disk_plan::{DiskFs, PartitionKind};
use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::cmd::{self, Tool};
use nix::mount::{MsFlags, mount};

use crate::device;
use crate::layout::{Layout, Placed};
use crate::names::Names;
use crate::script;

/// A partition that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What it was to be.
    pub placed: Placed,
    /// Its node.
    pub node: PathBuf,
}

/// Programs that [`table`], [`file_systems`] and [`crate::fat`] run. `vfat`
/// tells whether the kernel mounts an ESP.
pub fn tools(layout: &Layout, vfat: bool) -> Vec<(&'static str, &'static str)> {
    let mut tools = vec![
        ("sfdisk", "fdisk"),
        ("partx", "util-linux"),
        ("wipefs", "util-linux"),
    ];
    for partition in &layout.partitions {
        match partition.kind {
            PartitionKind::BiosBoot => {}
            PartitionKind::Esp => {
                tools.push(("mkfs.vfat", "dosfstools"));
                if !vfat {
                    tools.push(("mcopy", "mtools"));
                }
            }
            PartitionKind::Boot | PartitionKind::Root => tools.push(match partition.fs {
                DiskFs::Ext4 => ("mkfs.ext4", "e2fsprogs"),
                DiskFs::Xfs => ("mkfs.xfs", "xfsprogs"),
                DiskFs::Btrfs => ("mkfs.btrfs", "btrfs-progs"),
            }),
        }
    }
    tools.dedup();
    tools
}

/// Writes the partition table, with nothing left of what was there, and waits
/// for the partitions.
///
/// # Errors
/// `PARTITION_FAILED`, `CANCELLED`.
pub fn table(device: &Path, layout: &Layout, names: &Names, cancel: &Cancel) -> Result<Vec<Made>> {
    let old = device::known_partitions(device)?;
    for partition in &old {
        wipe(&Path::new("/dev").join(partition), cancel)?;
    }
    wipe(device, cancel)?;
    if !old.is_empty() {
        partx("--delete", device, cancel)?;
    }
    // partx(8) tells the kernel, which may have no parser of its own.
    Tool::new("sfdisk")
        .args(["--quiet", "--no-reread", "--no-tell-kernel"])
        .args(["--wipe", "always", "--wipe-partitions", "always"])
        .arg(device)
        .input(script::text(layout, names, std::env::consts::ARCH))
        .failing_as(Code::PartitionFailed)
        .run(cancel)?;
    settle(cancel);
    partx("--update", device, cancel)?;
    settle(cancel);
    layout
        .partitions
        .iter()
        .map(|placed| {
            let node = node(device, placed.number);
            match node.exists() {
                true => Ok(Made {
                    placed: placed.clone(),
                    node,
                }),
                false => Err(Error::new(
                    Code::PartitionFailed,
                    format!("The partition {} does not appear.", node.display()),
                )),
            }
        })
        .collect()
}

fn wipe(device: &Path, cancel: &Cancel) -> Result<()> {
    Tool::new("wipefs")
        .args(["--all", "--quiet", "--"])
        .arg(device)
        .failing_as(Code::PartitionFailed)
        .run(cancel)
        .map(drop)
}

fn partx(action: &str, device: &Path, cancel: &Cancel) -> Result<()> {
    Tool::new("partx")
        .arg(action)
        .arg(device)
        .failing_as(Code::PartitionFailed)
        .run(cancel)
        .map(drop)
}

/// udev looks into every new partition, which is in use meanwhile.
fn settle(cancel: &Cancel) {
    if cmd::find("udevadm").is_none() {
        return;
    }
    let settled = Tool::new("udevadm")
        .args(["settle", "--timeout=10"])
        .run(cancel);
    if let Err(error) = settled {
        tracing::debug!(%error, "udev is not waited for");
    }
}

/// `/dev/sda2`, `/dev/nvme0n1p2`: a name that ends in a digit gets a `p`.
fn node(device: &Path, number: usize) -> PathBuf {
    let name = device.display().to_string();
    let separator = if name.ends_with(|c: char| c.is_ascii_digit()) {
        "p"
    } else {
        ""
    };
    format!("{name}{separator}{number}").into()
}

/// Makes the file systems; that of an ESP only where the kernel has `vfat`,
/// else [`crate::fat`] writes it whole.
///
/// # Errors
/// `PARTITION_FAILED`, `TOOL_MISSING`, `CANCELLED`.
pub fn file_systems(made: &[Made], names: &Names, vfat: bool, cancel: &Cancel) -> Result<()> {
    for partition in made {
        let tool = match partition.placed.kind {
            PartitionKind::BiosBoot => continue,
            PartitionKind::Esp if !vfat => continue,
            PartitionKind::Esp => mkfs_vfat(names),
            PartitionKind::Boot | PartitionKind::Root => mkfs(&partition.placed, names),
        };
        tool.arg(&partition.node)
            .failing_as(Code::PartitionFailed)
            .run(cancel)?;
    }
    Ok(())
}

/// mkfs.vfat(8) for an ESP, without the device.
pub(crate) fn mkfs_vfat(names: &Names) -> Tool {
    let mut tool = Tool::new("mkfs.vfat").args(["-F", "32", "-n", "EFI"]);
    if let Some(serial) = names.serial("fs-esp") {
        tool = tool.args(["-i", &serial]);
    }
    tool
}

fn mkfs(placed: &Placed, names: &Names) -> Tool {
    let uuid = names.uuid(&format!("fs-{}", placed.kind.name()));
    match placed.fs {
        DiskFs::Ext4 => {
            let tool = Tool::new("mkfs.ext4").args(["-q", "-F"]);
            match uuid {
                Some(uuid) => tool
                    .args(["-U", &uuid])
                    .args(["-E", &format!("hash_seed={uuid}")]),
                None => tool,
            }
        }
        DiskFs::Xfs => {
            let tool = Tool::new("mkfs.xfs").args(["-q", "-f"]);
            match uuid {
                Some(uuid) => tool.args(["-m", &format!("uuid={uuid}")]),
                None => tool,
            }
        }
        // The kernel takes two btrfs with one UUID for one, and two builds may
        // run at a time: this one is random.
        DiskFs::Btrfs => Tool::new("mkfs.btrfs").args(["-q", "-f"]),
    }
}

/// Mounts everything below `root`, an existing directory: `/boot`, and the ESP
/// at `/boot/efi` where the kernel has `vfat`.
///
/// # Errors
/// `PARTITION_FAILED`.
pub fn mounts(made: &[Made], root: &Path, vfat: bool) -> Result<()> {
    let find = |kind| made.iter().find(|m| m.placed.kind == kind);
    for (kind, place) in [
        (PartitionKind::Root, ""),
        (PartitionKind::Boot, "boot"),
        (PartitionKind::Esp, "boot/efi"),
    ] {
        let Some(partition) = find(kind) else {
            continue;
        };
        if kind == PartitionKind::Esp && !vfat {
            continue;
        }
        let at = root.join(place);
        if !at.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(&at)
                .map_err(|err| Error::io("making", &at, &err))?;
        }
        let (fs, data) = match (kind, partition.placed.fs) {
            (PartitionKind::Esp, _) => ("vfat", Some("umask=0077")),
            // One with the same UUID, of an earlier build, may be mounted.
            (_, DiskFs::Xfs) => ("xfs", Some("nouuid")),
            (_, fs) => (fs.name(), None),
        };
        mount(Some(&partition.node), &at, Some(fs), MsFlags::empty(), data).map_err(|errno| {
            Error::new(
                Code::PartitionFailed,
                format!("{} could not be mounted.", partition.node.display()),
            )
            .detail(format!("{fs}: {errno}"))
        })?;
    }
    Ok(())
}

/// Whether the kernel mounts this type of file system, with a module or without.
pub fn kernel_has(fs_type: &str) -> bool {
    let known = || {
        fs::read_to_string("/proc/filesystems")
            .unwrap_or_default()
            .lines()
            .any(|line| line.trim_start_matches("nodev").trim() == fs_type)
    };
    if known() {
        return true;
    }
    if cmd::find("modprobe").is_some() {
        let loaded = Tool::new("modprobe")
            .args(["--quiet", "--", fs_type])
            .run(&Cancel::new());
        if let Err(error) = loaded {
            tracing::debug!(%error, fs_type, "no module");
        }
    }
    known()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::layout::standard;
    use contract::disk_plan::{DiskPlan, Table};

    #[test]
    fn nodes() {
        for (device, expected) in [
            ("/dev/sda", "/dev/sda2"),
            ("/dev/vdab", "/dev/vdab2"),
            ("/dev/nvme0n1", "/dev/nvme0n1p2"),
            ("/dev/loop10", "/dev/loop10p2"),
            ("/dev/mmcblk0", "/dev/mmcblk0p2"),
        ] {
            assert_eq!(node(Path::new(device), 2), Path::new(expected));
        }
    }

    #[test]
    fn file_systems_have_the_names_of_the_image() {
        let names = Names::derived(&["x"]);
        let uuid = names.uuid("fs-root").unwrap();
        let placed = |fs| Placed {
            number: 1,
            kind: PartitionKind::Root,
            start: 0,
            size: 0,
            fs,
        };
        for (fs, named, random) in [
            (
                DiskFs::Ext4,
                format!("mkfs.ext4 -q -F -U {uuid} -E hash_seed={uuid}"),
                "mkfs.ext4 -q -F",
            ),
            (
                DiskFs::Xfs,
                format!("mkfs.xfs -q -f -m uuid={uuid}"),
                "mkfs.xfs -q -f",
            ),
            (DiskFs::Btrfs, "mkfs.btrfs -q -f".into(), "mkfs.btrfs -q -f"),
        ] {
            assert_eq!(mkfs(&placed(fs), &names).line(), named);
            assert_eq!(mkfs(&placed(fs), &Names::random()).line(), random);
        }
    }

    #[test]
    fn programs() {
        let plan = DiskPlan {
            partitions: standard(Table::Gpt, DiskFs::Xfs, Some(1 << 30)),
            ..DiskPlan::default()
        };
        let layout = Layout::of(&plan, 8 << 30).unwrap();
        let names = |vfat| -> Vec<_> { tools(&layout, vfat).into_iter().map(|t| t.0).collect() };
        let with = [
            "sfdisk",
            "partx",
            "wipefs",
            "mkfs.vfat",
            "mkfs.ext4",
            "mkfs.xfs",
        ];
        assert_eq!(names(true), with);
        assert!(names(false).contains(&"mcopy"));
    }

    #[test]
    fn file_systems_of_the_kernel() {
        assert!(kernel_has("proc"));
        assert!(!kernel_has("nosuchfs"));
    }
}
