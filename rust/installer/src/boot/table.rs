// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts right what is odd about a GPT that Calamares made on a BIOS machine.
//!
//! - Calamares flags `/boot` as bootable. On a GPT its partitioning library
//!   turns that into the type of an EFI system partition, for what is no vfat:
//!   firmware and other systems would take it for one. The type becomes XBOOTLDR
//!   of the boot loader specification, `/boot` with boot loader entries.
//! - Some old BIOSes start only disks that have an active partition in the MBR.
//!   In the protective MBR of a GPT (UEFI specification, 5.2.3) none is active;
//!   UEFI ignores the flag.
//!
//! The disk starts without it on most machines, so failures are warnings.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use contract::error::{Error, Result};
use host::blkid::{self, Tags};
use host::cancel::Cancel;
use host::cmd::Tool;

use crate::disk::device_number;
use crate::target::SubMount;

/// Type of an EFI system partition.
const ESP: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

/// Type of a `/boot` with boot loader entries.
const XBOOTLDR: &str = "BC13C2FF-59E6-4262-A352-B275FD6F7172";

/// Where the four entries of an MBR begin; a boot sector ends with its mark.
const MBR_ENTRIES: usize = 446;
const MBR_ENTRY: usize = 16;
const MBR_MARK: [u8; 2] = [0x55, 0xaa];

/// Where the type is in an entry of an MBR, and that of a protective one.
const MBR_TYPE: usize = 4;
const PROTECTIVE: u8 = 0xee;

/// The first byte of the entry of an active partition.
const ACTIVE: u8 = 0x80;

/// Tidies the table of `disk`, if it is a GPT, whose `/boot` is `boot`. Gives
/// what did not work.
pub fn tidy(disk: &Path, boot: Option<&SubMount>, cancel: &Cancel) -> Vec<String> {
    match blkid::probe_table(disk) {
        Ok(tags) if tags.get("PTTYPE") == Some("gpt") => {}
        Ok(_) => return Vec::new(),
        Err(error) => return vec![warning(&error)],
    }
    let retyped = boot.map_or(Ok(()), |boot| retype(disk, boot, cancel));
    // Last: sfdisk writes the whole table.
    [retyped, activate(disk)]
        .into_iter()
        .filter_map(std::result::Result::err)
        .map(|error| warning(&error))
        .collect()
}

fn warning(error: &Error) -> String {
    format!(
        "The partition table was left as it is: {} {}",
        error.what,
        error.details.join("; ")
    )
    .trim_end()
    .to_owned()
}

fn retype(disk: &Path, boot: &SubMount, cancel: &Cancel) -> Result<()> {
    let tags = blkid::probe_table(&boot.source)?;
    match misnamed(&tags, &boot.fs_type, device_number(disk)?) {
        Some(number) => set_type(disk, number, XBOOTLDR, cancel),
        None => Ok(()),
    }
}

/// The number of a partition that only its type says to be an EFI system
/// partition, when it is in the GPT of the disk with these device numbers.
fn misnamed(tags: &Tags, fs_type: &str, disk: (u32, u32)) -> Option<u32> {
    let is = |tag, value: &str| {
        tags.get(tag)
            .is_some_and(|found| found.eq_ignore_ascii_case(value))
    };
    let on_disk = is("PART_ENTRY_DISK", &format!("{}:{}", disk.0, disk.1));
    if fs_type == "vfat"
        || !on_disk
        || !is("PART_ENTRY_SCHEME", "gpt")
        || !is("PART_ENTRY_TYPE", ESP)
    {
        return None;
    }
    tags.get("PART_ENTRY_NUMBER")?.parse().ok()
}

/// The partition is mounted: sfdisk(8) must neither ask the kernel to read the
/// table again nor insist on a disk that nobody uses. The kernel knows no types.
fn set_type(disk: &Path, number: u32, kind: &str, cancel: &Cancel) -> Result<()> {
    Tool::new("sfdisk")
        .args(["--no-reread", "--no-tell-kernel", "--part-type"])
        .arg(disk)
        .arg(number.to_string())
        .arg(kind)
        .run(cancel)
        .map(drop)
}

/// Makes the entry of a protective MBR active.
fn activate(disk: &Path) -> Result<()> {
    let work = || -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).open(disk)?;
        let mut sector = [0; 512];
        file.read_exact(&mut sector)?;
        if is_inactive(&sector) {
            // One byte: no tool sets it without rewriting the table.
            file.seek(SeekFrom::Start(MBR_ENTRIES as u64))?;
            file.write_all(&[ACTIVE])?;
            file.sync_data()?;
        }
        Ok(())
    };
    work().map_err(|err| Error::io("marking the first sector as active on", disk, &err))
}

/// Whether it is a protective MBR in which nothing is active.
fn is_inactive(sector: &[u8; 512]) -> bool {
    let (entries, mark) = sector[MBR_ENTRIES..].split_at(4 * MBR_ENTRY);
    mark == MBR_MARK
        && entries[MBR_TYPE] == PROTECTIVE
        && entries.chunks(MBR_ENTRY).all(|entry| entry[0] == 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use host::cmd;
    use std::path::PathBuf;

    fn sector(types: [u8; 4], active: Option<usize>) -> [u8; 512] {
        let mut sector = [0; 512];
        for (i, kind) in types.into_iter().enumerate() {
            sector[MBR_ENTRIES + i * MBR_ENTRY + MBR_TYPE] = kind;
        }
        if let Some(i) = active {
            sector[MBR_ENTRIES + i * MBR_ENTRY] = ACTIVE;
        }
        sector[510..].copy_from_slice(&MBR_MARK);
        sector
    }

    #[test]
    fn first_sectors() {
        assert!(is_inactive(&sector([0xee, 0, 0, 0], None)));
        assert!(!is_inactive(&sector([0xee, 0, 0, 0], Some(0))));
        // A hybrid one has its own active entry.
        assert!(!is_inactive(&sector([0xee, 0x83, 0, 0], Some(1))));
        assert!(!is_inactive(&sector([0x83, 0xee, 0, 0], None)));
        assert!(!is_inactive(&[0; 512]));
    }

    #[test]
    fn which_partition() {
        let tags = |kind: &str, scheme: &str| {
            blkid::parse(&format!(
                "TYPE=ext4\nPART_ENTRY_SCHEME={scheme}\nPART_ENTRY_TYPE={kind}\n\
                 PART_ENTRY_NUMBER=2\nPART_ENTRY_DISK=8:0\n"
            ))
        };
        assert_eq!(misnamed(&tags(ESP, "gpt"), "ext4", (8, 0)), Some(2));
        assert_eq!(misnamed(&tags(ESP, "gpt"), "vfat", (8, 0)), None);
        assert_eq!(misnamed(&tags(ESP, "gpt"), "ext4", (8, 16)), None);
        assert_eq!(misnamed(&tags(XBOOTLDR, "gpt"), "ext4", (8, 0)), None);
        assert_eq!(misnamed(&tags("0xef", "dos"), "ext4", (8, 0)), None);
        assert_eq!(misnamed(&blkid::parse("TYPE=ext4\n"), "ext4", (8, 0)), None);
    }

    /// Each partition's start, size, type and name, and the first sector.
    fn state(disk: &Path) -> (Vec<String>, Vec<u8>) {
        let dump = Tool::new("sfdisk")
            .arg("--dump")
            .arg(disk)
            .run(&Cancel::new())
            .unwrap();
        let lines = dump.stdout.lines().map(str::to_owned).collect();
        let mut first = vec![0; 512];
        let mut file = std::fs::File::open(disk).unwrap();
        file.read_exact(&mut first).unwrap();
        (lines, first)
    }

    /// A loop device that goes with this value.
    struct Loop(PathBuf);

    impl Loop {
        fn over(file: &Path) -> Option<Self> {
            let made = Tool::new("losetup")
                .args(["--find", "--show"])
                .arg(file)
                .run(&Cancel::new());
            Some(Self(made.ok()?.stdout.trim().into()))
        }
    }

    impl Drop for Loop {
        fn drop(&mut self) {
            let gone = Tool::new("losetup")
                .arg("--detach")
                .arg(&self.0)
                .run(&Cancel::new());
            assert!(gone.is_ok() || std::thread::panicking(), "{gone:?}");
        }
    }

    /// What Calamares and grub-install leave.
    fn make_disk(disk: &Path) {
        let script = disk.with_extension("script");
        std::fs::File::create(disk)
            .unwrap()
            .set_len(64 * 1024 * 1024)
            .unwrap();
        std::fs::write(
            &script,
            format!(
                "label: gpt\n\
                 size=8MiB, type=21686148-6449-6E6F-744E-656564454649, name=BIOS-boot\n\
                 size=16MiB, type={ESP}, name=boot, attrs=\"LegacyBIOSBootable\"\n\
                 type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root\n"
            ),
        )
        .unwrap();
        let made = std::process::Command::new(cmd::find("sfdisk").unwrap())
            .arg("--quiet")
            .arg(disk)
            .stdin(std::fs::File::open(&script).unwrap())
            .status()
            .unwrap();
        assert!(made.success());
        let mut file = OpenOptions::new().write(true).open(disk).unwrap();
        file.write_all(&[0xeb; 440]).unwrap();
    }

    fn tidied(disk: &Path) {
        let (before, first) = state(disk);
        set_type(disk, 2, XBOOTLDR, &Cancel::new()).unwrap();
        assert_eq!(tidy(disk, None, &Cancel::new()), [""; 0]);
        let (after, second) = state(disk);
        let expected: Vec<String> = before
            .iter()
            .map(|line| line.replace(&ESP.to_uppercase(), XBOOTLDR))
            .collect();
        assert_ne!(before, after);
        assert_eq!(after, expected);
        let mut flagged = first;
        flagged[MBR_ENTRIES] = ACTIVE;
        assert_eq!(second, flagged);
        // Both tables are whole, and a second time changes nothing.
        let verified = Tool::new("sfdisk")
            .arg("--verify")
            .arg(disk)
            .run(&Cancel::new());
        assert!(verified.is_ok(), "{verified:?}");
        tidy(disk, None, &Cancel::new());
        assert_eq!(state(disk).1, second);
    }

    #[test]
    fn a_disk_in_a_file() {
        if cmd::find("sfdisk").is_none() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk.img");
        make_disk(&disk);
        tidied(&disk);

        // The same as a block device, where this user may make one.
        make_disk(&disk);
        if let Some(device) = Loop::over(&disk) {
            tidied(&device.0);
        }
    }

    #[test]
    fn failures_are_warnings() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert!(activate(&missing).is_err());
        let warnings = vec![warning(&activate(&missing).unwrap_err())];
        assert!(warnings[0].contains("left as it is"), "{warnings:?}");
        // No GPT, nothing to do.
        let plain = dir.path().join("plain");
        std::fs::write(&plain, [0; 4096]).unwrap();
        assert_eq!(tidy(&plain, None, &Cancel::new()), [""; 0]);
        assert_eq!(std::fs::read(&plain).unwrap(), [0; 4096]);
    }
}
