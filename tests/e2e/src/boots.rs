// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boots an installed disk alone and asks the booted system what it is.

use std::path::Path;

use anyhow::{Context, Result};
use vm::{BootedDisk, Configure as _, Disk, DiskConfig, Firmware};

/// What a booted system says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Booted {
    /// Digest of the booted image, as `bootc status` says it.
    pub digest: String,
    /// Version of the image's bootc; the stand-in says that it is one.
    pub bootc: String,
    /// The whole answer of `bootc status`.
    pub status: String,
    /// Kernel command line.
    pub cmdline: String,
    /// `findmnt` of the mounts that matter.
    pub mounts: String,
    /// `uefi` or `bios`, as the kernel saw it.
    pub firmware: String,
}

/// Boots `disk` (left unchanged), logs in as root on the serial console, looks
/// around and powers off.
///
/// # Errors
/// When it does not boot, with the end of the serial console, or when it does
/// not answer as a booted image does.
pub fn boot(disk: &Path, firmware: Firmware, log: &Path) -> Result<Booted> {
    let config = DiskConfig::new(Disk::new(disk).snapshot())
        .firmware(firmware)
        // What the disk needs must be on it.
        .network(false)
        .console_log(log);
    let mut system = BootedDisk::start(&config)?;
    // Not on a terminal, bootc prints YAML; the digest is in both forms.
    let status = system.check("bootc status | cat")?;
    let booted = Booted {
        digest: digest_in(&status)
            .with_context(|| format!("no digest in the answer of bootc status:\n{status}"))?,
        bootc: system.check("bootc --version")?.trim().to_owned(),
        cmdline: system.check("cat /proc/cmdline")?.trim().to_owned(),
        mounts: system.check("findmnt -rno TARGET,FSTYPE,SOURCE -t overlay,ext4,xfs,btrfs,vfat")?,
        firmware: system
            .check("[ -d /sys/firmware/efi ] && echo uefi || echo bios")?
            .trim()
            .to_owned(),
        status,
    };
    system.power_off()?;
    Ok(booted)
}

/// The first `sha256:` digest in a text.
pub fn digest_in(text: &str) -> Option<String> {
    let start = text.find("sha256:")?;
    let hex: String = text[start + 7..]
        .chars()
        .take_while(char::is_ascii_hexdigit)
        .collect();
    (hex.len() == 64).then(|| format!("sha256:{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_whole_or_not_at_all() {
        let hex = "8a459b1c".repeat(8);
        let table = [
            (
                format!("  Digest: sha256:{hex} (amd64)\n"),
                Some(format!("sha256:{hex}")),
            ),
            (
                format!("      imageDigest: sha256:{hex}\n"),
                Some(format!("sha256:{hex}")),
            ),
            (
                format!("Digest sha256:{hex}, amd64"),
                Some(format!("sha256:{hex}")),
            ),
            ("sha256:8a45\u{2026}".to_owned(), None),
            ("no digest".to_owned(), None),
            ("sha256:8a45".to_owned(), None),
        ];
        for (text, want) in table {
            assert_eq!(digest_in(&text), want, "{text}");
        }
    }
}
