// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of `grub.cfg`. It is written once: the menu itself is read from
//! the boot loader entries, which bootc and ostree keep up to date, and other
//! systems are looked for when somebody asks for them, so that they are those which
//! are there then.

use std::fmt::Write;

/// Seconds that the menu waits.
const TIMEOUT: u32 = 3;

/// What stands below our own entries.
const OTHER_SYSTEMS: &str = include_str!("grubcfg/others.cfg");

/// A serial console of the kernel that GRUB shows its menu on as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serial {
    /// `0` for `ttyS0`.
    pub unit: u8,
    /// Bits per second.
    pub speed: u32,
}

impl Serial {
    /// From the last `console=ttySn[,options]` of a kernel command line.
    pub fn from_kargs<'a>(kargs: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        kargs
            .into_iter()
            .filter_map(|karg| Self::parse(karg.strip_prefix("console=ttyS")?))
            .last()
    }

    fn parse(value: &str) -> Option<Self> {
        let (unit, options) = value.split_once(',').unwrap_or((value, ""));
        let digits: String = options.chars().take_while(char::is_ascii_digit).collect();
        Some(Self {
            unit: unit.parse().ok()?,
            // The kernel's default, when none is given.
            speed: digits.parse().unwrap_or(9600),
        })
    }
}

/// The configuration for the file system `boot_uuid` that holds `/boot`;
/// `own` tells whether it is a file system of its own, and `directory` is ours on the
/// EFI system partition, which is no other system.
pub fn text(boot_uuid: &str, own: bool, directory: Option<&str>, serial: Option<Serial>) -> String {
    let entries = if own {
        "/loader/entries"
    } else {
        "/boot/loader/entries"
    };
    let mut text = format!(
        "# Written once by the installer. The menu comes from the boot loader entries\n\
         # in {entries}, which updates keep current.\n\
         set timeout={TIMEOUT}\n\
         set default=0\n\
         insmod part_gpt\n\
         insmod part_msdos\n\
         insmod search_fs_uuid\n\
         insmod blsuki\n"
    );
    if let Some(Serial { unit, speed }) = serial {
        // Writing to a string cannot fail.
        writeln!(
            text,
            "insmod serial\n\
             if serial --unit={unit} --speed={speed}; then\n\
             \x20 terminal_input console serial\n\
             \x20 terminal_output console serial\n\
             fi"
        )
        .unwrap_or_default();
    }
    text += &format!(
        "search --no-floppy --fs-uuid --set=root {boot_uuid}\n\
         blscfg --path {entries}\n"
    );
    let others = OTHER_SYSTEMS.replace("@UUID@", boot_uuid);
    text + &others.replace("@DIRECTORY@", directory.unwrap_or("BOOT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_on_the_root_file_system() {
        let text = text("1234-abcd", false, None, None);
        assert!(text.contains(
            "search --no-floppy --fs-uuid --set=root 1234-abcd\n\
             blscfg --path /boot/loader/entries\n"
        ));
        assert!(!text.contains("serial"), "{text}");
        assert!(
            !text.contains('@') && text.contains("!= \"1234-abcd\""),
            "{text}"
        );
    }

    #[test]
    fn own_boot_and_serial_console() {
        let serial = Serial {
            unit: 1,
            speed: 115_200,
        };
        let text = text("U", true, Some("debian-bootc"), Some(serial));
        assert!(text.contains("blscfg --path /loader/entries\n"));
        assert!(text.contains(
            "\nif serial --unit=1 --speed=115200; then\n  terminal_input console serial\n"
        ));
    }

    #[test]
    fn consoles() {
        let serial = |unit, speed| Some(Serial { unit, speed });
        let table = [
            ("quiet console=tty0", None),
            ("console=ttyS0", serial(0, 9600)),
            ("console=tty0 console=ttyS0,115200", serial(0, 115_200)),
            ("console=ttyS1,57600n8 quiet", serial(1, 57600)),
            (
                "console=ttyS0,9600 console=ttyS2,115200",
                serial(2, 115_200),
            ),
            ("console=ttySAC0", None),
            ("xconsole=ttyS0", None),
        ];
        for (kargs, expected) in table {
            assert_eq!(Serial::from_kargs(kargs.split(' ')), expected, "{kargs}");
        }
    }
}
