// SPDX-License-Identifier: MIT OR Apache-2.0
//! A directory of a read-only root that can be written to: a copy in memory.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// More than this is no configuration.
const ENTRIES_MAX: usize = 4096;
const BYTES_MAX: u64 = 16 << 20;

/// What is in a directory, read so that it can be written elsewhere.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// In an order in which a directory comes before what is in it; paths are
    /// below the directory that was read.
    entries: Vec<(PathBuf, Entry)>,
    bytes: u64,
}

#[derive(Debug)]
enum Entry {
    Directory(u32),
    File(u32, Vec<u8>),
    Link(PathBuf),
}

impl Contents {
    /// Reads directories, files and links; sockets and devices are left out. What
    /// is mounted on them is read, and links are not followed.
    ///
    /// # Errors
    /// When something cannot be read, or is too much (`FileTooLarge`).
    pub(super) fn read(dir: &Path) -> io::Result<Self> {
        let mut contents = Self::default();
        contents.add(dir, Path::new(""))?;
        Ok(contents)
    }

    fn add(&mut self, dir: &Path, below: &Path) -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let (path, name) = (entry.path(), below.join(entry.file_name()));
            let about = fs::symlink_metadata(&path)?;
            let mode = about.permissions().mode() & 0o7777;
            if self.entries.len() == ENTRIES_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            if about.is_dir() {
                self.entries.push((name.clone(), Entry::Directory(mode)));
                self.add(&path, &name)?;
            } else if about.is_symlink() {
                let link = fs::read_link(&path)?;
                self.entries.push((name, Entry::Link(link)));
            } else if about.is_file() {
                let left = BYTES_MAX - self.bytes;
                let mut bytes = Vec::new();
                fs::File::open(&path)?
                    .take(left + 1)
                    .read_to_end(&mut bytes)?;
                self.bytes += bytes.len() as u64;
                if self.bytes > BYTES_MAX {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                self.entries.push((name, Entry::File(mode, bytes)));
            }
        }
        Ok(())
    }

    /// Writes them below `dir`, which is empty.
    ///
    /// # Errors
    /// When something cannot be written.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        for (name, entry) in &self.entries {
            let path = dir.join(name);
            match entry {
                Entry::Directory(_) => DirBuilder::new().mode(0o700).create(&path)?,
                Entry::Link(link) => symlink(link, &path)?,
                Entry::File(mode, bytes) => {
                    let mut file = OpenOptions::new()
                        .write(true)
                        .create_new(true)
                        .mode(0o600)
                        .open(&path)?;
                    file.write_all(bytes)?;
                    // Not subject to the umask.
                    file.set_permissions(Permissions::from_mode(*mode))?;
                }
            }
        }
        // Last, as one may forbid to write into it.
        for (name, entry) in self.entries.iter().rev() {
            if let Entry::Directory(mode) = entry {
                fs::set_permissions(dir.join(name), Permissions::from_mode(*mode))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_read_is_written() {
        let from = tempfile::tempdir().unwrap();
        let at = |name: &str| from.path().join(name);
        fs::create_dir_all(at("certs.d/r.example")).unwrap();
        fs::write(at("certs.d/r.example/ca.crt"), "PEM").unwrap();
        fs::set_permissions(at("certs.d/r.example"), Permissions::from_mode(0o500)).unwrap();
        fs::write(at("policy.json"), "{}").unwrap();
        fs::set_permissions(at("policy.json"), Permissions::from_mode(0o640)).unwrap();
        symlink("../nowhere", at("link")).unwrap();
        let to = tempfile::tempdir().unwrap();
        Contents::read(from.path())
            .unwrap()
            .write(to.path())
            .unwrap();
        let to = |name: &str| to.path().join(name);
        let mode = |name: &str| fs::metadata(to(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(
            fs::read_to_string(to("certs.d/r.example/ca.crt")).unwrap(),
            "PEM"
        );
        assert_eq!(mode("certs.d/r.example"), 0o500);
        assert_eq!(mode("policy.json"), 0o640);
        assert_eq!(fs::read_link(to("link")).unwrap(), Path::new("../nowhere"));
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let from = tempfile::tempdir().unwrap();
        let large = fs::File::create(from.path().join("large")).unwrap();
        large.set_len(BYTES_MAX + 1).unwrap();
        let error = Contents::read(from.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
