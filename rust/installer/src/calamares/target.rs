// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the global storage means for a plan.

use std::path::Path;

use contract::error::{Code, Error, Result};
use contract::firmware::Firmware;
use contract::plan::{BootloaderChoice, Plan};

use super::kargs::INITRAMFS_KEYMAP;
use super::{GlobalStorage, fstab, kargs, require_readable_boot};

/// A keymap for the initramfs and for the installed system.
const KEYMAP: &str = "vconsole.keymap=";

/// The disk that was chosen for a BIOS boot loader, when that is not the one
/// with `/boot`. The engine knows only the latter. What is no plain partition,
/// such as a logical volume, is not judged.
fn other_boot_disk(storage: &GlobalStorage) -> Option<String> {
    let disk = storage.boot_device.as_ref()?.to_str()?;
    let boot = storage.mounted_at("/boot").or(storage.mounted_at("/"))?;
    let device = boot.device.to_str()?;
    let plain = boot.device.parent() == Some(Path::new("/dev"));
    // /dev/sda1, /dev/nvme0n1p1, but not /dev/sdaa1.
    let on_disk = device.strip_prefix(disk).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(|c: char| c == 'p' || c.is_ascii_digit())
    });
    (storage.firmware == Some(Firmware::Bios) && plain && !on_disk).then(|| disk.to_owned())
}

/// Adds to `plan`, whose target is [`GlobalStorage::target`], what Calamares
/// knows about it: mounts, swap, encrypted partitions, and that the modules
/// after this one configure the deployment. What `plan` has already wins.
/// `models` is the text of systemd's kbd-model-map.
///
/// Answers with what the person should know, one sentence each.
pub fn apply(storage: &GlobalStorage, models: &str, plan: &mut Plan) -> Result<Vec<String>> {
    if storage.mounted_at("/").is_none() {
        return Err(Error::new(
            Code::CalamaresInvalid,
            "Calamares does not tell which partition is the root of the new system.",
        )
        .why("No entry of `partitions` in its global storage has the mount point `/`."));
    }
    let mut warnings = Vec::new();
    if storage.without_boot_loader && plan.bootc.bootloader == BootloaderChoice::Auto {
        plan.bootc.bootloader = BootloaderChoice::None;
        warnings.push(
            "No boot loader is installed, as chosen on the partition page: something else has to \
             start the new system."
                .to_owned(),
        );
    }
    // The other choices neither read a file system of the target nor write to a
    // disk's first sectors.
    if let BootloaderChoice::Auto | BootloaderChoice::Grub = plan.bootc.bootloader {
        require_readable_boot(storage)?;
        if let Some(disk) = other_boot_disk(storage) {
            warnings.push(format!(
                "The boot loader goes onto the disk with /boot and not onto {disk}, which was chosen \
                 on the partition page: the machine has to start from that disk."
            ));
        }
    }
    if storage.swap_file {
        warnings.push(
            "No swap file is made, although one was chosen on the partition page: the root of the \
             new system is read-only. A swap partition would work."
                .to_owned(),
        );
    }
    let has_keymap =
        (plan.bootc.kargs.iter()).any(|k| k.starts_with(KEYMAP) || k.starts_with(INITRAMFS_KEYMAP));
    plan.bootc.kargs.extend(
        kargs(storage, models)?
            .into_iter()
            .filter(|karg| !(has_keymap && karg.starts_with(INITRAMFS_KEYMAP))),
    );
    plan.target.firmware = storage.firmware;
    plan.target.tidy_partition_table = true;
    plan.deployment.fstab = fstab(storage)?;
    plan.finish.unmount = true;
    plan.finish.hand_over = true;
    Ok(warnings)
}
