// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernel arguments for encrypted partitions.
//!
//! bootc finds the root by the UUID of its file system, which is there once the
//! container is open; opening it is told to systemd's generator in the
//! initramfs. A `rootflags=subvol=` is bootc's own work.

use contract::error::{Code, Error, Result};

use super::keymap;
use super::{GlobalStorage, Partition};

/// The keymap of the passphrase prompt, and of that alone. Without the prefix
/// `rd.` it would win over /etc/vconsole.conf (vconsole.conf(5)) in the installed
/// system, too, for good: there Calamares and localectl(1) write the keymap.
/// systemd-vconsole-setup takes its arguments with the prefix in an initramfs
/// and skips them elsewhere; dracut's i18n module takes this one as well
/// (dracut.cmdline(7)).
pub(super) const INITRAMFS_KEYMAP: &str = "rd.vconsole.keymap=";

/// The kernel arguments that open what the installed system uses: one for each
/// encrypted partition, and the keymap with which its passphrase was typed.
/// `models` is the text of systemd's kbd-model-map.
pub fn kargs(storage: &GlobalStorage, models: &str) -> Result<Vec<String>> {
    let mut kargs = storage
        .partitions
        .iter()
        .filter(|p| p.is_used() && p.is_encrypted())
        .map(unlock)
        .collect::<Result<Vec<_>>>()?;
    if kargs.is_empty() {
        return Ok(kargs);
    }
    // The kernel's own is the American one.
    if let Some(keymap) = keymap::of(&storage.keyboard, models).filter(|k| k != "us") {
        kargs.push(format!("{INITRAMFS_KEYMAP}{keymap}"));
    }
    Ok(kargs)
}

fn unlock(partition: &Partition) -> Result<String> {
    let unusable = |why: &str| {
        Error::new(
            Code::CalamaresInvalid,
            format!(
                "The encrypted partition {} cannot be opened by the installed system.",
                partition.device.display()
            ),
        )
        .why(why)
        .next("Start again, and on the partition page let the partition be formatted or leave it out.")
    };
    let (Some(uuid), Some(name)) = (&partition.luks_uuid, &partition.luks_mapper_name) else {
        return Err(unusable(
            "Calamares has not opened it, or could not read its UUID.",
        ));
    };
    let plain = |text: &str, more: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    // cryptsetup allows more, a kernel command line does not.
    if !plain(uuid, "-") || !plain(name, "-_.+") {
        return Err(unusable(
            "Its UUID or its name cannot stand on a kernel command line.",
        ));
    }
    Ok(format!("rd.luks.name={uuid}={name}"))
}

/// `BOOT_ENCRYPTED` when kernel and initramfs would lie on an encrypted file
/// system. GRUB opens LUKS1 and some of LUKS2 only, slowly and with an American
/// keymap, and the core image made here holds no module for either.
pub fn require_readable_boot(storage: &GlobalStorage) -> Result<()> {
    let own = storage.mounted_at("/boot");
    let Some(partition) = own.or(storage.mounted_at("/")).filter(|p| p.is_encrypted()) else {
        return Ok(());
    };
    let what = match own {
        Some(_) => "The partition for /boot is encrypted.",
        None => "The root partition is encrypted, and /boot has no partition of its own.",
    };
    Err(Error::new(Code::BootEncrypted, what)
        .detail(format!("encrypted: {}", partition.device.display())))
}
