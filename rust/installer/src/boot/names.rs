// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names on an EFI system partition and in the firmware that other systems have
//! already, and the one that is left for us.
//!
//! grub-install(8) takes every firmware entry that has its name anywhere in it, in
//! the label or in the path of the loader, for one of its own and deletes it. So a
//! name is ours only when nobody has it.

use std::fs;
use std::io;
use std::path::Path;

use contract::error::{Error, Result};

/// Where Linux shows the firmware's variables.
const EFIVARS: &str = "/sys/firmware/efi/efivars";
/// The UEFI specification's own variables (3.3), `Boot0000` to `BootFFFF` among them.
const EFI_GLOBAL: &str = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// Boot loaders have directories here, on every EFI system partition.
const EFI: &str = "EFI";
/// Where firmware looks when it has no entry for a disk.
const FALLBACK: &str = "BOOT";

/// What is there before anything is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Neighbours {
    /// Names in the directory `EFI`, without that of the fallback.
    directories: Vec<String>,
    /// The fallback, `EFI/BOOT/BOOTX64.EFI` on a PC, is there already.
    pub(super) fallback: bool,
    /// The firmware's boot entries, as bytes (UEFI specification, 3.1.3).
    entries: Vec<Vec<u8>>,
}

impl Neighbours {
    /// Looks at a mounted EFI system partition and at this machine's firmware.
    /// `fallback` is the file's name for the platform.
    ///
    /// # Errors
    /// `IO` when a directory cannot be listed.
    pub(super) fn look(esp: &Path, fallback: Option<&str>) -> Result<Self> {
        let mut found = Self::default();
        let efi = entry_named(esp, EFI)?.map(|name| esp.join(name));
        if let Some(efi) = &efi {
            for name in names(efi)? {
                if name.eq_ignore_ascii_case(FALLBACK) {
                    let directory = efi.join(&name);
                    found.fallback = match fallback {
                        Some(file) => entry_named(&directory, file)?.is_some(),
                        None => false,
                    };
                } else {
                    found.directories.push(name);
                }
            }
        }
        found.entries = entries(Path::new(EFIVARS));
        Ok(found)
    }

    /// `ID-bootc`, or with a number behind it when that is taken.
    pub(super) fn name_for(&self, os_id: &str) -> String {
        let first = format!("{os_id}-bootc");
        let numbered = (2_u32..).map(|number| format!("{first}{number}"));
        let mut names = std::iter::once(first.clone()).chain(numbered);
        names.find(|name| !self.is_taken(name)).unwrap_or(first)
    }

    fn is_taken(&self, name: &str) -> bool {
        let is = |other: &String| other.eq_ignore_ascii_case(name);
        self.directories.iter().any(is) || self.entries.iter().any(|entry| has(entry, name))
    }
}

/// Whether the bytes of a boot entry have this text, at any place.
fn has(entry: &[u8], text: &str) -> bool {
    let wanted = text.to_lowercase();
    [0, 1].into_iter().any(|start| {
        let units = (entry.get(start..).unwrap_or_default().chunks_exact(2))
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        text.to_lowercase().contains(&wanted)
    })
}

/// The boot entries of this machine's firmware; none where it has none, or tells
/// none: then nothing can delete them either.
fn entries(efivars: &Path) -> Vec<Vec<u8>> {
    let Ok(names) = names(efivars) else {
        return Vec::new();
    };
    let number = |name: &String| {
        name.strip_prefix("Boot")
            .and_then(|rest| rest.strip_suffix(EFI_GLOBAL))
            .is_some_and(|digits| digits.len() == 4 && u16::from_str_radix(digits, 16).is_ok())
    };
    let files = names.into_iter().filter(number);
    files
        .filter_map(|name| fs::read(efivars.join(name)).ok())
        .collect()
}

/// The name of an entry in the spelling that it has: a FAT knows no case.
fn entry_named(dir: &Path, wanted: &str) -> Result<Option<String>> {
    let mut names = names(dir)?.into_iter();
    Ok(names.find(|name| name.eq_ignore_ascii_case(wanted)))
}

/// The names in a directory, in their order.
fn names(dir: &Path) -> Result<Vec<String>> {
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    };
    list().map_err(|err| Error::io("listing", dir, &err))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A boot entry as efivarfs has it: the variable's attributes, then
    /// `EFI_LOAD_OPTION` with a path of one file.
    fn entry(label: &str, path: &str) -> Vec<u8> {
        let wide = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16().chain([0]);
            units.flat_map(u16::to_le_bytes).collect()
        };
        let path = wide(path);
        let length = u16::try_from(path.len() + 4).unwrap().to_le_bytes();
        let mut bytes = vec![7, 0, 0, 0, 1, 0, 0, 0];
        bytes.extend(length);
        bytes.extend(wide(label));
        bytes.extend([4, 4]);
        bytes.extend(length);
        bytes.extend(path);
        bytes.extend([0x7f, 0xff, 4, 0]);
        bytes
    }

    #[test]
    fn names_that_are_left() {
        let debian = entry("debian", r"\EFI\debian\shimx64.efi");
        let ours = entry("debian-bootc", r"\EFI\debian-bootc\grubx64.efi");
        let renamed = entry("My system", r"\EFI\DEBIAN-BOOTC2\grubx64.efi");
        // An odd byte before the path.
        let mut odd = debian.clone();
        odd.insert(3, 0);
        for (directories, entries, expected) in [
            (&[][..], vec![], "debian-bootc"),
            (
                &["debian", "Microsoft"],
                vec![debian.clone()],
                "debian-bootc",
            ),
            (&["Debian-Bootc"], vec![], "debian-bootc2"),
            // On the EFI system partition of another disk.
            (&[], vec![debian, ours.clone()], "debian-bootc2"),
            (&[], vec![ours, renamed, odd], "debian-bootc3"),
            (&["debian-bootc2"], vec![], "debian-bootc"),
        ] {
            let found = Neighbours {
                directories: directories.iter().map(|&d| d.to_owned()).collect(),
                fallback: false,
                entries,
            };
            assert_eq!(found.name_for("debian"), expected, "{found:?}");
        }
    }

    #[test]
    fn an_efi_system_partition() {
        let esp = tempfile::tempdir().unwrap();
        let look = || Neighbours::look(esp.path(), Some("BOOTX64.EFI")).unwrap();
        assert!(!look().fallback && look().directories.is_empty());
        fs::create_dir_all(esp.path().join("efi/boot")).unwrap();
        fs::create_dir_all(esp.path().join("efi/Microsoft/Boot")).unwrap();
        fs::write(esp.path().join("efi/boot/bootaa64.efi"), "").unwrap();
        assert!(!look().fallback);
        assert_eq!(look().directories, ["Microsoft"]);
        fs::write(esp.path().join("efi/boot/bootx64.efi"), "").unwrap();
        assert!(look().fallback);
    }

    #[test]
    fn entries_of_the_firmware() {
        let vars = tempfile::tempdir().unwrap();
        for name in ["Boot0001", "BootOrder", "Boot00FF", "BootCurrent", "PK"] {
            fs::write(vars.path().join(format!("{name}{EFI_GLOBAL}")), name).unwrap();
        }
        fs::write(vars.path().join("Boot0002-of-somebody"), "x").unwrap();
        assert_eq!(entries(vars.path()), [b"Boot0001", b"Boot00FF"]);
        assert!(entries(&vars.path().join("missing")).is_empty());
    }
}
