// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the global storage means for a plan.

use contract::error::{Code, Error, Result};
use contract::firmware::Firmware;
use contract::plan::{BootloaderChoice, Plan};

use super::kargs::INITRAMFS_KEYMAP;
use super::{GlobalStorage, fstab, kargs, require_readable_boot};

/// A keymap for the initramfs and for the installed system.
const KEYMAP: &str = "vconsole.keymap=";

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
        if storage.firmware == Some(Firmware::Bios) {
            plan.target.bios_disk.clone_from(&storage.boot_device);
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
    plan.target.tidy_partition_table = storage.erased;
    plan.deployment.fstab = fstab(storage)?;
    plan.finish.unmount = true;
    plan.finish.hand_over = true;
    Ok(warnings)
}
