// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that will be written, as data: they can be listed, compared and
//! hashed before anything is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use include_dir::Dir;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file with this content.
    File {
        /// Its bytes.
        content: Vec<u8>,
        /// Mode 0755 instead of 0644.
        executable: bool,
    },
    /// A symbolic link to this target.
    Link(PathBuf),
}

/// Files by their path below some directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<PathBuf, Entry>);

impl Files {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or takes the place of one.
    pub fn add(&mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) {
        self.put(path, content, false);
    }

    /// Adds a file that can be executed.
    pub fn add_program(&mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) {
        self.put(path, content, true);
    }

    fn put(&mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>, executable: bool) {
        let content = content.into();
        self.0.insert(
            path.into(),
            Entry::File {
                content,
                executable,
            },
        );
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: impl Into<PathBuf>, target: impl Into<PathBuf>) {
        self.0.insert(path.into(), Entry::Link(target.into()));
    }

    /// Adds what was compiled in, below `prefix`. What is a program is said by
    /// `is_program`, since modes were not compiled in.
    pub fn add_dir(&mut self, dir: &Dir<'_>, prefix: &Path, is_program: &dyn Fn(&Path) -> bool) {
        for file in dir.files() {
            let executable = is_program(file.path());
            self.put(prefix.join(file.path()), file.contents(), executable);
        }
        for below in dir.dirs() {
            self.add_dir(below, prefix, is_program);
        }
    }

    /// Adds a directory of this machine, below `prefix`; links stay links.
    ///
    /// # Errors
    /// `IO` when it cannot be read.
    pub fn add_tree(&mut self, dir: &Path, prefix: &Path) -> Result<()> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |err: std::io::Error| Error::io("Reading", &path, &err)
        };
        for entry in fs::read_dir(dir).map_err(failed(dir))? {
            let entry = entry.map_err(failed(dir))?;
            let (path, there) = (entry.path(), prefix.join(entry.file_name()));
            let kind = entry.file_type().map_err(failed(&path))?;
            if kind.is_dir() {
                self.add_tree(&path, &there)?;
            } else if kind.is_symlink() {
                self.link(there, fs::read_link(&path).map_err(failed(&path))?);
            } else {
                let mode = entry
                    .metadata()
                    .map_err(failed(&path))?
                    .permissions()
                    .mode();
                let content = fs::read(&path).map_err(failed(&path))?;
                self.put(there, content, mode & 0o111 != 0);
            }
        }
        Ok(())
    }

    /// Adds a file of this machine.
    ///
    /// # Errors
    /// `IO` when it cannot be read.
    pub fn add_file(&mut self, from: &Path, path: impl Into<PathBuf>) -> Result<()> {
        let content = fs::read(from).map_err(|err| Error::io("Reading", from, &err))?;
        self.add(path, content);
        Ok(())
    }

    /// Adds an entry.
    pub fn insert(&mut self, path: impl Into<PathBuf>, entry: Entry) {
        self.0.insert(path.into(), entry);
    }

    /// Whether there is one with this path.
    pub fn contains(&self, path: impl AsRef<Path>) -> bool {
        self.0.contains_key(path.as_ref())
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Changes the texts of files, for example fills in names.
    pub fn edit(&mut self, change: impl Fn(&Path, &str) -> Option<String>) {
        for (path, entry) in &mut self.0 {
            if let Entry::File { content, .. } = entry {
                let text = std::str::from_utf8(content).ok();
                if let Some(new) = text.and_then(|text| change(path, text)) {
                    *content = new.into_bytes();
                }
            }
        }
    }

    /// The text of one of them.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<&str> {
        match self.0.get(path.as_ref()) {
            Some(Entry::File { content, .. }) => std::str::from_utf8(content).ok(),
            _ => None,
        }
    }

    /// All of them, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_path(), entry))
    }

    /// Those below a directory, with their whole path.
    #[must_use]
    pub fn below(&self, dir: impl AsRef<Path>) -> Self {
        let below = |(path, _): &(&PathBuf, &Entry)| path.starts_with(dir.as_ref());
        let some = self.0.iter().filter(below);
        Self(some.map(|(p, e)| (p.clone(), e.clone())).collect())
    }

    /// A hash over names, kinds and contents.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for (path, entry) in &self.0 {
            part(path.as_os_str().as_encoded_bytes());
            match entry {
                Entry::File {
                    content,
                    executable,
                } => {
                    part(&[u8::from(*executable)]);
                    part(content);
                }
                Entry::Link(target) => {
                    part(b"link");
                    part(target.as_os_str().as_encoded_bytes());
                }
            }
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Writes all of them below a directory.
    ///
    /// # Errors
    /// `IO` or `DISK_FULL`.
    pub fn write_to(&self, dir: &Path) -> Result<()> {
        for (path, entry) in &self.0 {
            let to = dir.join(path);
            write(&to, entry).map_err(|err| Error::io("Writing", &to, &err))?;
        }
        Ok(())
    }
}

fn write(to: &Path, entry: &Entry) -> std::io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    match entry {
        Entry::Link(target) => symlink(target, to),
        Entry::File {
            content,
            executable,
        } => {
            fs::write(to, content)?;
            // As data says, whatever the umask.
            let mode = if *executable { 0o755 } else { 0o644 };
            fs::set_permissions(to, fs::Permissions::from_mode(mode))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn some() -> Files {
        let mut files = Files::new();
        files.add("a/b", "text {{ x }}");
        files.add_program("a/c", "#!/bin/sh\n");
        files.link("d", "a/b");
        files
    }

    #[test]
    fn what_is_written_is_what_was_said() {
        let dir = tempfile::tempdir().unwrap();
        some().write_to(dir.path()).unwrap();
        let mode = |path: &str| {
            let meta = dir.path().join(path).metadata().unwrap();
            meta.permissions().mode() & 0o777
        };
        assert_eq!(mode("a/b"), 0o644);
        assert_eq!(mode("a/c"), 0o755);
        assert_eq!(
            fs::read_link(dir.path().join("d")).unwrap(),
            Path::new("a/b")
        );
        let mut again = Files::new();
        again.add_tree(dir.path(), Path::new("")).unwrap();
        assert_eq!(again, some());
    }

    #[test]
    fn every_difference_changes_the_digest() {
        let base = some().digest();
        let mut others = vec![some(), some(), some(), some()];
        others[0].add("a/b", "other");
        others[1].add("a/c", "#!/bin/sh\n");
        others[2].link("d", "a/c");
        others[3].add("e", "");
        for other in &others {
            assert_ne!(other.digest(), base, "{other:?}");
        }
        assert_eq!(some().digest(), base);
    }

    #[test]
    fn texts_can_be_filled_in() {
        let mut files = some();
        files.edit(|_, text| {
            text.contains("{{ x }}")
                .then(|| text.replace("{{ x }}", "1"))
        });
        assert_eq!(files.text("a/b"), Some("text 1"));
        assert_eq!(files.below("a").iter().count(), 2);
    }
}
