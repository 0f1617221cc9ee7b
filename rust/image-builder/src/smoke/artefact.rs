// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file is that is to be booted: by what is in it, not by its name.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use vm::Format;

use crate::error::{Code, Error, Result};

/// How much of the beginning is looked at: ISO 9660 begins at 32 KiB.
const HEAD: usize = 40 << 10;
/// The footer of a VHD.
const END: usize = 512;

/// What can be booted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Artefact {
    /// A medium for an optical drive, or a stick.
    Medium,
    /// A disk.
    Disk(Format),
}

impl Artefact {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Medium => "iso",
            Self::Disk(Format::Raw) => "raw",
            Self::Disk(Format::Qcow2) => "qcow2",
            Self::Disk(Format::Vmdk) => "vmdk",
            Self::Disk(Format::Vpc) => "vhd",
        }
    }
}

/// Looks at a file.
///
/// # Errors
/// `USAGE` when it is nothing that boots, `IO` when it cannot be read.
pub fn look_at(path: &Path) -> Result<Artefact> {
    let failed = |err: std::io::Error| Error::io("Reading", path, &err);
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(refused(path, "It is not a file."));
    }
    let mut head = vec![0; HEAD];
    let read = file.read_at(&mut head, 0).map_err(failed)?;
    head.truncate(read);
    let mut end = [0; END];
    let from = about.len().saturating_sub(END as u64);
    let read = file.read_at(&mut end, from).map_err(failed)?;
    artefact(&head, &end[..read]).map_err(|why| refused(path, why))
}

fn refused(path: &Path, why: &str) -> Error {
    let what = format!("{} is nothing that boots.", path.display());
    Error::new(Code::Usage, what)
        .why(why)
        .next("Name an ISO, or a disk image: raw, qcow2, vmdk or vhd.")
}

/// What begins and ends so; else why it is nothing that boots.
fn artefact(head: &[u8], end: &[u8]) -> std::result::Result<Artefact, &'static str> {
    let at = |offset: usize, mark: &[u8]| {
        head.get(offset..)
            .is_some_and(|rest| rest.starts_with(mark))
    };
    // Marks as in the specifications of the formats. A fixed VHD is a raw disk
    // with a footer, an ISO has a partition table for sticks, and what a file
    // system has in its first sectors says nothing: hence the order.
    let marks: [(usize, &[u8], Artefact); 4] = [
        (0, b"QFI\xfb", Artefact::Disk(Format::Qcow2)),
        (0, b"KDMV", Artefact::Disk(Format::Vmdk)),
        (0, b"# Disk DescriptorFile", Artefact::Disk(Format::Vmdk)),
        (0, b"conectix", Artefact::Disk(Format::Vpc)),
    ];
    if let Some((.., found)) = marks.iter().find(|(offset, mark, _)| at(*offset, mark)) {
        return Ok(*found);
    }
    if end.starts_with(b"conectix") {
        return Ok(Artefact::Disk(Format::Vpc));
    }
    if at(0x8001, b"CD001") {
        return Ok(Artefact::Medium);
    }
    // GPT with sectors of 512 bytes or 4 KiB; a boot sector.
    if at(512, b"EFI PART") || at(4096, b"EFI PART") || at(510, &[0x55, 0xaa]) {
        return Ok(Artefact::Disk(Format::Raw));
    }
    let others: [(&[u8], &str); 5] = [
        (b"vhdxfile", "It is a VHDX; what is made here is a VHD."),
        (b"\x1f\x8b", "It is compressed with gzip: unpack it."),
        (b"\xfd7zXZ\0", "It is compressed with xz: unpack it."),
        (
            b"\x28\xb5\x2f\xfd",
            "It is compressed with zstd: unpack it.",
        ),
        (b"PK\x03\x04", "It is a ZIP archive: unpack it."),
    ];
    let known = others.iter().find(|(mark, _)| at(0, mark));
    Err(known.map_or(
        "It has neither a partition table nor the mark of a disk image or medium.",
        |(_, why)| why,
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Where it is, and what.
    type Mark = (usize, &'static [u8]);

    fn with(marks: &[Mark]) -> Vec<u8> {
        let mut bytes = vec![0; HEAD];
        for (offset, mark) in marks {
            bytes[*offset..offset + mark.len()].copy_from_slice(mark);
        }
        bytes
    }

    #[test]
    fn kinds_are_found_in_the_file() {
        let boot: Mark = (510, &[0x55, 0xaa]);
        let iso: Mark = (0x8001, b"CD001");
        let gpt: Mark = (512, b"EFI PART");
        let table: [(&[Mark], &str, Option<Artefact>); 10] = [
            (&[(0, b"QFI\xfb")], "", Some(Artefact::Disk(Format::Qcow2))),
            (&[(0, b"KDMV")], "", Some(Artefact::Disk(Format::Vmdk))),
            (&[(0, b"conectix")], "", Some(Artefact::Disk(Format::Vpc))),
            (&[boot, gpt], "conectix", Some(Artefact::Disk(Format::Vpc))),
            (&[boot, gpt], "", Some(Artefact::Disk(Format::Raw))),
            (
                &[(4096, b"EFI PART")],
                "",
                Some(Artefact::Disk(Format::Raw)),
            ),
            (&[boot], "", Some(Artefact::Disk(Format::Raw))),
            // A hybrid medium has both.
            (&[boot, gpt, iso], "", Some(Artefact::Medium)),
            (&[], "", None),
            (&[(0, b"\x28\xb5\x2f\xfd")], "", None),
        ];
        for (marks, end, want) in table {
            let found = artefact(&with(marks), end.as_bytes());
            assert_eq!(found.ok(), want, "{marks:?} {end}");
        }
        let why = artefact(b"vhdxfile", b"").unwrap_err();
        assert!(why.contains("VHDX"), "{why}");
    }

    #[test]
    fn files_are_read_where_they_are_short() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        for text in ["", "short"] {
            std::fs::write(&file, text).unwrap();
            let error = look_at(&file).unwrap_err();
            assert_eq!(error.code, Code::Usage, "{error}");
        }
        assert_eq!(look_at(dir.path()).unwrap_err().code, Code::Usage);
        assert_eq!(look_at(&dir.path().join("y")).unwrap_err().code, Code::Io);
    }
}
