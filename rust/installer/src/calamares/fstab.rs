// SPDX-License-Identifier: MIT OR Apache-2.0
//! fstab lines for what the person chose on the partition page.

use contract::error::{Code, Error, Result};
use contract::plan::FstabEntry;

use super::{GlobalStorage, Partition};

/// Mount points that an EFI system partition has when Calamares does not say
/// which one it means.
const ESP_MOUNT_POINTS: [&str; 2] = ["/boot/efi", "/efi"];

/// Keys and kernel images of the ESP are nobody's business but root's, and vfat
/// has no permissions of its own.
const ESP_MASK: &str = "umask=0077";

/// The lines, parents before what is mounted below them, swap last; never `/`,
/// which bootc's own kernel argument mounts. `CALAMARES_INVALID` when something
/// has no UUID: see [`GlobalStorage::complete`].
pub fn fstab(storage: &GlobalStorage) -> Result<Vec<FstabEntry>> {
    let mut mounts = storage
        .partitions
        .iter()
        .filter_map(|partition| mount(storage, partition))
        .chain(subvolumes(storage))
        .collect::<Result<Vec<_>>>()?;
    mounts.sort_by(|a, b| a.mount_point.cmp(&b.mount_point));
    for partition in storage.partitions.iter().filter(|p| p.is_own_swap()) {
        mounts.push(entry(partition, "none", "swap", Vec::new())?);
    }
    Ok(mounts)
}

fn mount(storage: &GlobalStorage, partition: &Partition) -> Option<Result<FstabEntry>> {
    let mount_point = partition.mount_point.as_deref()?;
    let fs_type = partition.mount_type()?;
    if mount_point == "/" || !mount_point.starts_with('/') {
        return None;
    }
    let mut options = options(storage, mount_point);
    if is_esp(storage, mount_point, fs_type) && !options.iter().any(|o| o.starts_with("umask=")) {
        options.push(ESP_MASK.into());
    }
    Some(entry(partition, mount_point, fs_type, options))
}

/// What Calamares made of a btrfs root: more places are mounted from it.
fn subvolumes(storage: &GlobalStorage) -> Vec<Result<FstabEntry>> {
    let Some(root) = storage.mounted_at("/").filter(|root| root.fs == "btrfs") else {
        return Vec::new();
    };
    storage
        .btrfs_subvolumes
        .iter()
        .filter(|s| s.mount_point.starts_with('/') && s.mount_point != "/")
        .map(|s| {
            let mut options = options(storage, &s.mount_point);
            options.extend(s.subvolume.iter().map(|path| format!("subvol={path}")));
            entry(root, &s.mount_point, "btrfs", options)
        })
        .collect()
}

fn entry(
    partition: &Partition,
    mount_point: &str,
    fs_type: &str,
    mut options: Vec<String>,
) -> Result<FstabEntry> {
    if options.is_empty() {
        options.push("defaults".into());
    }
    Ok(FstabEntry {
        source: source(partition)?,
        mount_point: mount_point.into(),
        fs_type: fs_type.into(),
        options,
        // btrfs and xfs have no fsck at boot.
        pass: match fs_type {
            "ext2" | "ext3" | "ext4" | "vfat" => 2,
            _ => 0,
        },
    })
}

/// The `uuid` of an encrypted partition may be that of the container. Never the
/// name of a device: with another disk in the machine it is another one.
fn source(partition: &Partition) -> Result<String> {
    match (&partition.uuid, &partition.part_uuid) {
        _ if partition.is_encrypted() => Ok(partition.open_device().display().to_string()),
        (Some(uuid), _) => Ok(format!("UUID={uuid}")),
        (None, Some(uuid)) => Ok(format!("PARTUUID={uuid}")),
        (None, None) => Err(Error::new(
            Code::CalamaresInvalid,
            format!(
                "The partition {} has no UUID by which the installed system would find it.",
                partition.device.display()
            ),
        )
        .why("Calamares does not tell one, and there is none on it: formatting it has failed.")
        .next("Start again, and on the partition page let the partition be formatted or leave it out.")),
    }
}

fn is_esp(storage: &GlobalStorage, mount_point: &str, fs_type: &str) -> bool {
    let named = storage.efi_system_partition.as_deref();
    fs_type == "vfat" && (named == Some(mount_point) || ESP_MOUNT_POINTS.contains(&mount_point))
}

/// What `mount` used, without what says nothing or is about that moment only.
fn options(storage: &GlobalStorage, mount_point: &str) -> Vec<String> {
    let used = storage
        .mount_options
        .iter()
        .find(|o| o.mount_point == mount_point);
    used.map(|o| o.options.as_str())
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|o| !["", "defaults", "bind", "rbind", "remount"].contains(o))
        .map(str::to_owned)
        .collect()
}
