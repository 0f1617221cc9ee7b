// SPDX-License-Identifier: MIT OR Apache-2.0
//! An EFI system partition without mounting it, for kernels without vfat: the
//! whole file system is made in a file, and its bytes are copied.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::cmd::Tool;
use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

use crate::make::{Made, mkfs_vfat};
use crate::names::Names;

/// Bytes copied at a time.
const CHUNK: usize = 1 << 20;

/// Writes a FAT32 with everything in the directory `content` to `esp`. `file` is
/// made for it, sparse, and removed.
///
/// # Errors
/// `PARTITION_FAILED` when a tool fails, `DISK_FULL`, `IO`, `CANCELLED`.
pub fn write(
    esp: &Made,
    content: &Path,
    file: &Path,
    names: &Names,
    cancel: &Cancel,
) -> Result<()> {
    let made = make(esp.placed.size, content, file, names, cancel)
        .and_then(|()| copy(file, &esp.node, cancel));
    if let Err(err) = fs::remove_file(file) {
        tracing::debug!(%err, "the file of the ESP stays");
    }
    made
}

fn make(size: u64, content: &Path, file: &Path, names: &Names, cancel: &Cancel) -> Result<()> {
    File::create_new(file)
        .and_then(|made| made.set_len(size))
        .map_err(|err| Error::io("making", file, &err))?;
    mkfs_vfat(names)
        .arg(file)
        .failing_as(Code::PartitionFailed)
        .run(cancel)?;
    let entries = entries(content).map_err(|err| Error::io("listing", content, &err))?;
    if entries.is_empty() {
        return Ok(());
    }
    Tool::new("mcopy")
        .args(["-s", "-Q", "-i"])
        .arg(file)
        .args(entries)
        .arg("::/")
        .failing_as(Code::PartitionFailed)
        .run(cancel)
        .map(drop)
}

fn entries(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut paths = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path().into_os_string()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Copies what was written to `file` to the beginning of `device`: what is a
/// hole was written by nobody and means nothing.
fn copy(file: &Path, device: &Path, cancel: &Cancel) -> Result<()> {
    let failed = |err: io::Error| Error::io("writing the EFI system partition", device, &err);
    let mut from = File::open(file).map_err(failed)?;
    let mut to = OpenOptions::new()
        .write(true)
        .open(device)
        .map_err(failed)?;
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    while let Some((start, end)) = extent(&from, at).map_err(|err| failed(err.into()))? {
        from.seek(SeekFrom::Start(start)).map_err(failed)?;
        to.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut left = end - start;
        while left > 0 {
            cancel.check()?;
            let part = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            from.read_exact(&mut chunk[..part]).map_err(failed)?;
            to.write_all(&chunk[..part]).map_err(failed)?;
            left -= part as u64;
        }
        at = end;
    }
    to.sync_all().map_err(failed)
}

/// The next bytes from `at` on that are no hole.
fn extent(file: &File, at: u64) -> nix::Result<Option<(u64, u64)>> {
    let offset = |at: u64| i64::try_from(at).map_err(|_| Errno::EOVERFLOW);
    let place = |at: i64| u64::try_from(at).map_err(|_| Errno::EOVERFLOW);
    let start = match lseek(file, offset(at)?, Whence::SeekData) {
        Err(Errno::ENXIO) => return Ok(None),
        other => place(other?)?,
    };
    let end = place(lseek(file, offset(start)?, Whence::SeekHole)?)?;
    Ok(Some((start, end)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::layout::Placed;
    use contract::disk_plan::{DiskFs, PartitionKind};
    use host::cmd;

    const SIZE: u64 = 512 << 20;

    #[test]
    fn a_file_system_comes_without_a_mount() {
        if ["mkfs.vfat", "mcopy", "mdir"]
            .iter()
            .any(|tool| cmd::find(tool).is_none())
        {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let content = dir.path().join("content");
        fs::create_dir_all(content.join("EFI/BOOT")).unwrap();
        fs::write(content.join("EFI/BOOT/BOOTX64.EFI"), vec![7; 3_000_000]).unwrap();
        // Full of something older, which must not show.
        let node = dir.path().join("device");
        let mut device = File::create(&node).unwrap();
        device.write_all(&vec![0xa5; 8 << 20]).unwrap();
        device.set_len(SIZE).unwrap();
        let esp = Made {
            placed: Placed {
                number: 2,
                kind: PartitionKind::Esp,
                start: 0,
                size: SIZE,
                fs: DiskFs::default(),
            },
            node: node.clone(),
        };
        let file = dir.path().join("esp.img");
        let names = Names::derived(&["x"]);
        write(&esp, &content, &file, &names, &Cancel::new()).unwrap();
        assert!(!file.exists());
        let tags = host::blkid::probe(&node).unwrap();
        assert_eq!(tags.get("TYPE"), Some("vfat"));
        let serial = names.serial("fs-esp").unwrap();
        let uuid = tags.get("UUID").unwrap().replace('-', "").to_lowercase();
        assert_eq!(uuid, serial);
        let back = dir.path().join("back");
        Tool::new("mcopy")
            .arg("-i")
            .arg(&node)
            .arg("::/EFI/BOOT/BOOTX64.EFI")
            .arg(&back)
            .run(&Cancel::new())
            .unwrap();
        assert_eq!(fs::read(&back).unwrap(), vec![7; 3_000_000]);
        if cmd::find("fsck.vfat").is_some() {
            let check = Tool::new("fsck.vfat").arg("-n").arg(&node);
            check.run(&Cancel::new()).unwrap();
        }
    }
}
