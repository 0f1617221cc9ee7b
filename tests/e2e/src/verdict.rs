// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether what booted is what the registry serves.

use anyhow::{Result, ensure};
use vm::Firmware;

use crate::boots::Booted;

/// A firmware's name as `boots` reports it.
pub fn firmware_name(firmware: Firmware) -> &'static str {
    match firmware.is_uefi() {
        true => "uefi",
        false => "bios",
    }
}

/// The served digest above the booted ones, for a person to compare.
pub fn table(served: &str, booted: &[(Firmware, Booted)]) -> String {
    let mut text = format!("registry serves    {served}\n");
    for (firmware, system) in booted {
        let name = firmware_name(*firmware).to_uppercase();
        text += &format!("booted under {name}  {}\n", system.digest);
    }
    text
}

/// Fails unless every system booted the served image, under the firmware that
/// its machine had.
///
/// # Errors
/// Names the first difference.
pub fn judge(served: &str, booted: &[(Firmware, Booted)]) -> Result<()> {
    ensure!(!booted.is_empty(), "nothing was booted");
    for (firmware, system) in booted {
        let name = firmware_name(*firmware);
        ensure!(
            system.firmware == name,
            "the machine with {name} says that its firmware is {}",
            system.firmware
        );
        ensure!(
            system.digest == served,
            "under {name} {} booted, but the registry serves {served}",
            system.digest
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booted(digest: &str, firmware: &str) -> Booted {
        Booted {
            digest: digest.to_owned(),
            firmware: firmware.to_owned(),
            ..Booted::default()
        }
    }

    #[test]
    fn every_boot_counts() {
        use Firmware::{Bios, Uefi};
        let good = || (Bios, booted("sha256:1", "bios"));
        let table = [
            (vec![good(), (Uefi, booted("sha256:1", "uefi"))], None),
            (vec![good()], None),
            (vec![], Some("nothing")),
            (
                vec![good(), (Uefi, booted("sha256:2", "uefi"))],
                Some("under uefi sha256:2 booted"),
            ),
            (
                vec![good(), (Uefi, booted("sha256:1", "bios"))],
                Some("its firmware is bios"),
            ),
        ];
        for (systems, want) in table {
            let error = judge("sha256:1", &systems).err().map(|e| e.to_string());
            match want {
                None => assert_eq!(error, None),
                Some(part) => assert!(
                    error.as_ref().is_some_and(|e| e.contains(part)),
                    "{error:?} lacks {part}"
                ),
            }
        }
    }

    #[test]
    fn digests_stand_below_each_other() {
        let systems = [(Firmware::Uefi, booted("sha256:2", "uefi"))];
        assert_eq!(
            table("sha256:1", &systems),
            "registry serves    sha256:1\nbooted under UEFI  sha256:2\n"
        );
    }
}
