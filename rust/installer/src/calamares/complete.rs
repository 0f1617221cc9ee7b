// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Calamares leaves out about partitions, asked of the partitions.
//!
//! It takes UUIDs from udev's database right after formatting: where that is
//! late, or there is no udev, they are empty.

use std::path::Path;

use contract::error::Result;
use host::blkid::Tags;

use super::{GlobalStorage, Partition};

impl GlobalStorage {
    /// Fills in UUIDs that are missing and that the installed system needs.
    /// `probe` tells what is on a device ([`host::blkid::probe`]); what it
    /// finds nothing on stays as it is, for [`super::fstab`] and
    /// [`super::kargs`] to refuse.
    pub fn complete(mut self, probe: impl Fn(&Path) -> Result<Tags>) -> Result<Self> {
        for partition in self.partitions.iter_mut().filter(|p| p.is_used()) {
            complete(partition, &probe)?;
        }
        Ok(self)
    }
}

fn complete(partition: &mut Partition, probe: &impl Fn(&Path) -> Result<Tags>) -> Result<()> {
    let text = |tags: &Tags, tag| tags.get(tag).map(str::to_owned);
    if partition.is_encrypted() {
        // What is inside is named by its mapping and needs no UUID.
        if partition.luks_uuid.is_none() {
            partition.luks_uuid = text(&probe(&partition.device)?, "UUID");
        }
    } else if partition.uuid.is_none() && partition.part_uuid.is_none() {
        let tags = probe(&partition.device)?;
        if tags.get("TYPE") == Some("crypto_LUKS") {
            // Encrypted after all, and nobody has opened it.
            partition.luks_uuid = text(&tags, "UUID");
        } else {
            partition.uuid = text(&tags, "UUID");
            partition.part_uuid = text(&tags, "PART_ENTRY_UUID");
        }
    }
    Ok(())
}
