// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the partitions of a plan lie on a disk of a given size.

use contract::disk_plan::{ALIGNMENT, DiskFs, DiskPlan, PartitionKind, PartitionPlan, Table};
use contract::error::{Code, Error, Result};
use contract::size::human;

/// A mebibyte.
const MIB: u64 = 1 << 20;

/// Room for GRUB's core image, of which it needs 40 to 120 KiB.
pub const BIOS_BOOT: u64 = MIB;

/// FAT32 with the usual clusters begins at about this size, and firmware of all
/// ages reads it.
pub const ESP: u64 = 512 * MIB;

/// An image with less than this has no room for updates.
pub const SMALLEST_FILE: u64 = 4096 * MIB;

/// The second copy of a GPT lies at the end of the disk: 33 sectors.
const GPT_END: u64 = MIB;

/// What a file system takes of its device for itself (journal, tables of
/// inodes): a share, and a part that hardly grows.
const FS_SHARE: u64 = 40;
const FS_OWN: u64 = 64 * MIB;
/// btrfs keeps metadata twice.
const BTRFS_OWN: u64 = 256 * MIB;

/// A partition with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// From 1.
    pub number: usize,
    /// What it is for.
    pub kind: PartitionKind,
    /// First byte.
    pub start: u64,
    /// Bytes.
    pub size: u64,
    /// File system of a root or a `/boot`.
    pub fs: DiskFs,
}

/// A disk's partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Which table.
    pub table: Table,
    /// In their order on the disk; the root is the last one.
    pub partitions: Vec<Placed>,
}

/// What almost everybody wants: starts under BIOS and UEFI, and grows into a
/// larger disk. `boot` is the size of a `/boot` of its own, in bytes.
pub fn standard(table: Table, fs: DiskFs, boot: Option<u64>) -> Vec<PartitionPlan> {
    let bios =
        (table == Table::Gpt).then(|| PartitionPlan::sized(PartitionKind::BiosBoot, BIOS_BOOT));
    let esp = PartitionPlan::sized(PartitionKind::Esp, ESP);
    let boot = boot.map(|size| PartitionPlan::sized(PartitionKind::Boot, size));
    let root = PartitionPlan {
        kind: PartitionKind::Root,
        size: None,
        fs_type: Some(fs),
    };
    bios.into_iter()
        .chain([esp])
        .chain(boot)
        .chain([root])
        .collect()
}

/// Bytes of a disk file with the partitions of `plan` (whose size does not
/// count) and a root on which `needed` bytes fit twice.
pub fn file_size(partitions: &[PartitionPlan], needed: u64) -> u64 {
    let fixed: u64 = partitions.iter().filter_map(|p| p.size).sum();
    let fs = partitions
        .last()
        .and_then(|p| p.fs_type)
        .unwrap_or_default();
    let root = needed.saturating_mul(2).max(needed + own(fs, needed));
    (fixed + root + MIB + GPT_END)
        .max(SMALLEST_FILE)
        .next_multiple_of(MIB)
}

fn own(fs: DiskFs, size: u64) -> u64 {
    let fixed = match fs {
        DiskFs::Ext4 | DiskFs::Xfs => FS_OWN,
        DiskFs::Btrfs => BTRFS_OWN,
    };
    size / FS_SHARE + fixed
}

impl Layout {
    /// Places the partitions of `plan` on a disk of `size` bytes.
    ///
    /// # Errors
    /// `TARGET_TOO_SMALL` when they do not fit.
    pub fn of(plan: &DiskPlan, size: u64) -> Result<Self> {
        let end = match plan.table {
            Table::Gpt => size.saturating_sub(GPT_END),
            // Sectors are counted with 32 bits.
            Table::Mbr => size.min(u64::from(u32::MAX) * 512),
        };
        let end = end / ALIGNMENT * ALIGNMENT;
        let mut at = ALIGNMENT;
        let mut partitions = Vec::with_capacity(plan.partitions.len());
        for (index, partition) in plan.partitions.iter().enumerate() {
            let left = end.saturating_sub(at);
            let wanted = partition.size.unwrap_or(left);
            if wanted == 0 || wanted > left {
                return Err(too_small(plan, size));
            }
            partitions.push(Placed {
                number: index + 1,
                kind: partition.kind,
                start: at,
                size: wanted,
                fs: partition.fs_type.unwrap_or_default(),
            });
            at += wanted;
        }
        let layout = Self {
            table: plan.table,
            partitions,
        };
        // A few bytes that are left are no room for a system.
        match layout.root() {
            Some(root) if root.size >= 4 * FS_OWN => Ok(layout),
            _ => Err(too_small(plan, size)),
        }
    }

    /// The partition of this kind.
    pub fn find(&self, kind: PartitionKind) -> Option<&Placed> {
        self.partitions.iter().find(|p| p.kind == kind)
    }

    /// The root.
    pub fn root(&self) -> Option<&Placed> {
        self.find(PartitionKind::Root)
    }

    /// Size of the root's file system and what can be written to it, estimated:
    /// what is refused for it would be refused later, after the disk was wiped.
    pub fn root_room(&self) -> (u64, u64) {
        self.root().map_or((0, 0), |root| {
            (root.size, root.size.saturating_sub(own(root.fs, root.size)))
        })
    }
}

fn too_small(plan: &DiskPlan, size: u64) -> Error {
    let fixed: u64 = plan.partitions.iter().filter_map(|p| p.size).sum();
    Error::new(
        Code::TargetTooSmall,
        format!("A disk of {} has no room for its partitions.", human(size)),
    )
    .detail(format!(
        "disk bytes: {size}, bytes of partitions with a size: {fixed}"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GIB: u64 = 1024 * MIB;

    fn plan(table: Table, partitions: Vec<PartitionPlan>) -> DiskPlan {
        DiskPlan {
            table,
            partitions,
            ..DiskPlan::default()
        }
    }

    /// Kind, first MiB, number of MiB.
    fn places(layout: &Layout) -> Vec<(&'static str, u64, u64)> {
        let place = |p: &Placed| {
            assert_eq!((p.start % ALIGNMENT, p.size % ALIGNMENT), (0, 0));
            (p.kind.name(), p.start / MIB, p.size / MIB)
        };
        layout.partitions.iter().map(place).collect()
    }

    #[test]
    fn layouts() {
        let fs = DiskFs::Ext4;
        for (table, boot, size, expected) in [
            (
                Table::Gpt,
                None,
                4 * GIB,
                vec![("bios-boot", 1, 1), ("esp", 2, 512), ("root", 514, 3581)],
            ),
            (
                Table::Gpt,
                Some(GIB),
                4 * GIB + 700_000,
                vec![
                    ("bios-boot", 1, 1),
                    ("esp", 2, 512),
                    ("boot", 514, 1024),
                    ("root", 1538, 2557),
                ],
            ),
            (
                Table::Mbr,
                None,
                4 * GIB,
                vec![("esp", 1, 512), ("root", 513, 3583)],
            ),
            (
                Table::Mbr,
                None,
                3000 * GIB,
                vec![("esp", 1, 512), ("root", 513, 2_096_638)],
            ),
        ] {
            let layout = Layout::of(&plan(table, standard(table, fs, boot)), size).unwrap();
            assert_eq!(places(&layout), expected, "{table:?} {size}");
            let numbers: Vec<_> = layout.partitions.iter().map(|p| p.number).collect();
            assert_eq!(numbers, (1..=expected.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_root_may_leave_room() {
        let root = PartitionPlan::sized(PartitionKind::Root, GIB);
        let layout = Layout::of(&plan(Table::Gpt, vec![root]), 4 * GIB).unwrap();
        assert_eq!(places(&layout), [("root", 1, 1024)]);
    }

    #[test]
    fn what_does_not_fit_is_known() {
        let all = standard(Table::Gpt, DiskFs::Ext4, None);
        for size in [0, MIB, 100 * MIB, 515 * MIB, 700 * MIB] {
            let error = Layout::of(&plan(Table::Gpt, all.clone()), size).unwrap_err();
            assert_eq!(error.code, Code::TargetTooSmall, "{size}");
        }
        assert!(Layout::of(&plan(Table::Gpt, all), 800 * MIB).is_ok());
    }

    #[test]
    fn files_are_large_enough() {
        for fs in [DiskFs::Ext4, DiskFs::Xfs, DiskFs::Btrfs] {
            let partitions = standard(Table::Gpt, fs, None);
            assert_eq!(file_size(&partitions, GIB), 4 * GIB);
            for needed in [GIB, 3 * GIB, 20 * GIB + 17] {
                let size = file_size(&partitions, needed);
                assert_eq!(size % MIB, 0);
                let layout = Layout::of(&plan(Table::Gpt, partitions.clone()), size).unwrap();
                let (total, free) = layout.root_room();
                assert!(total > free && free >= needed, "{fs} {needed}");
            }
        }
    }
}
