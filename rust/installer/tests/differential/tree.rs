// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that is in a directory, and how it differs from another one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use registry::{Compression, OciLayout, ResolvedImage};
use rustix::fs::{lgetxattr, llistxattr};

const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// What is counted, to show what a comparison was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    File,
    Dir,
    Symlink,
    Fifo,
    Device,
    /// Names of files that have several.
    HardLink,
    Setuid,
    Setgid,
    Sticky,
    /// Not root's.
    Owner,
    Xattr,
    Capability,
}

/// One name.
#[derive(Debug, Clone)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    mtime: (i64, i64),
    /// Of all but directories, whose size is the file system's.
    size: u64,
    device: u64,
    target: PathBuf,
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    inode: u64,
}

/// What is in a directory, and the directory itself under the empty path.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut entries = BTreeMap::new();
        let mut todo = vec![PathBuf::new()];
        while let Some(path) = todo.pop() {
            let whole = root.join(&path);
            let entry =
                Entry::read(&whole).with_context(|| format!("looking at {}", whole.display()))?;
            if entry.mode & TYPE == 0o040_000 {
                for child in fs::read_dir(&whole)? {
                    todo.push(path.join(child?.file_name()));
                }
            }
            entries.insert(path, entry);
        }
        Ok(Self {
            root: root.to_owned(),
            entries,
        })
    }

    /// For images that say nothing about the root itself.
    pub(crate) fn forget_root_time(&mut self) {
        if let Some(root) = self.entries.get_mut(Path::new("")) {
            root.mtime = (0, 0);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many there are of each kind that there is.
    pub(crate) fn counts(&self) -> BTreeMap<Kind, usize> {
        let groups = self.groups();
        let mut counts = BTreeMap::new();
        for (path, entry) in &self.entries {
            let kind = match entry.mode & TYPE {
                0o040_000 => Kind::Dir,
                0o120_000 => Kind::Symlink,
                0o010_000 => Kind::Fifo,
                0o020_000 | 0o060_000 => Kind::Device,
                _ => Kind::File,
            };
            let linked = groups[path.as_path()].len() > 1;
            for (kind, is) in [
                (kind, true),
                (Kind::HardLink, linked),
                (Kind::Setuid, entry.mode & 0o4000 != 0),
                (Kind::Setgid, entry.mode & 0o2000 != 0),
                (Kind::Sticky, entry.mode & 0o1000 != 0),
                (Kind::Owner, entry.owner != (0, 0)),
                (Kind::Xattr, !entry.xattrs.is_empty()),
                (
                    Kind::Capability,
                    entry.xattrs.contains_key(&b"security.capability"[..]),
                ),
            ] {
                if is {
                    *counts.entry(kind).or_default() += 1;
                }
            }
        }
        counts
    }

    /// Without the regular files that `left_out` names; and how many these are.
    pub(crate) fn without(&self, left_out: impl Fn(&Path) -> bool) -> (Self, usize) {
        let mut entries = self.entries.clone();
        entries.retain(|path, entry| entry.mode & TYPE != REGULAR || !left_out(path));
        let count = self.len() - entries.len();
        let root = self.root.clone();
        (Self { root, entries }, count)
    }

    /// For each path, all that are the same file.
    fn groups(&self) -> BTreeMap<&Path, Vec<&Path>> {
        let mut names: BTreeMap<u64, Vec<&Path>> = BTreeMap::new();
        for (path, entry) in &self.entries {
            names.entry(entry.inode).or_default().push(path);
        }
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_path(), names[&entry.inode].clone()))
            .collect()
    }

    /// Differences by kind: paths, with both values.
    pub(crate) fn differences(&self, other: &Self) -> Result<BTreeMap<&'static str, Vec<String>>> {
        let mut found: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let (groups, other_groups) = (self.groups(), other.groups());
        for path in other
            .entries
            .keys()
            .filter(|p| !self.entries.contains_key(*p))
        {
            found.entry("only there").or_default().push(shown(path));
        }
        for (path, a) in &self.entries {
            let Some(b) = other.entries.get(path) else {
                found.entry("only here").or_default().push(shown(path));
                continue;
            };
            let mut differ = |kind, a: String, b: String| {
                if a != b {
                    let text = format!("{}: {a} and {b}", shown(path));
                    found.entry(kind).or_default().push(text);
                }
            };
            differ(
                "type",
                format!("{:o}", a.mode & TYPE),
                format!("{:o}", b.mode & TYPE),
            );
            differ(
                "mode",
                format!("{:o}", a.mode & 0o7777),
                format!("{:o}", b.mode & 0o7777),
            );
            differ("owner", format!("{:?}", a.owner), format!("{:?}", b.owner));
            differ("time", format!("{:?}", a.mtime), format!("{:?}", b.mtime));
            differ("size", a.size.to_string(), b.size.to_string());
            differ(
                "device",
                format!("{:x}", a.device),
                format!("{:x}", b.device),
            );
            differ("target", shown(&a.target), shown(&b.target));
            differ("attributes", attributes(a), attributes(b));
            let (a_group, b_group) = (&groups[path.as_path()], &other_groups[path.as_path()]);
            differ("links", format!("{a_group:?}"), format!("{b_group:?}"));
            if a.mode & TYPE == REGULAR && !same(&self.root.join(path), &other.root.join(path))? {
                found.entry("content").or_default().push(shown(path));
            }
        }
        Ok(found)
    }
}

impl Entry {
    fn read(path: &Path) -> Result<Self> {
        let meta = path.symlink_metadata()?;
        let target = match meta.is_symlink() {
            true => fs::read_link(path)?,
            false => PathBuf::new(),
        };
        Ok(Self {
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            mtime: (meta.mtime(), meta.mtime_nsec()),
            size: if meta.is_dir() { 0 } else { meta.size() },
            device: meta.rdev(),
            target,
            xattrs: xattrs(path)?,
            inode: meta.ino(),
        })
    }
}

fn xattrs(path: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut list = Vec::with_capacity(65536);
    llistxattr(path, rustix::buffer::spare_capacity(&mut list))?;
    let mut found = BTreeMap::new();
    for name in list.split(|&byte| byte == 0) {
        // Labels are the system's.
        if name.is_empty() || name == b"security.selinux" {
            continue;
        }
        let mut value = Vec::with_capacity(65536);
        lgetxattr(path, name, rustix::buffer::spare_capacity(&mut value))?;
        found.insert(name.to_vec(), value);
    }
    Ok(found)
}

fn attributes(entry: &Entry) -> String {
    let texts = entry.xattrs.iter().map(|(name, value)| {
        let (name, value) = (name.escape_ascii(), value.escape_ascii());
        format!("{name}={value}")
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn shown(path: &Path) -> String {
    path.as_os_str().as_bytes().escape_ascii().to_string()
}

/// Whether two files have the same content.
fn same(a: &Path, b: &Path) -> Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let (mut first, mut second) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = a.read(&mut first)?;
        if count == 0 {
            return Ok(b.read(&mut second)? == 0);
        }
        if b.read_exact(&mut second[..count]).is_err() || first[..count] != second[..count] {
            return Ok(false);
        }
    }
}

/// What the archives of an image say, which does not show in the result.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    pub(crate) whiteouts: usize,
    /// An entry describes the root directory itself.
    pub(crate) root: bool,
}

/// Looks through the layers of an image.
pub(crate) fn archives(layout: &OciLayout, image: &ResolvedImage) -> Result<Archives> {
    let mut found = Archives::default();
    for layer in &image.layers {
        let file = File::open(layout.blob_path(&layer.digest))?;
        let stream: Box<dyn Read> = match layer.compression {
            Compression::None => Box::new(file),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(file)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
        };
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries()? {
            let entry = entry?;
            let path = entry.path()?;
            let name = path.file_name().unwrap_or_default().as_bytes();
            found.whiteouts += usize::from(name.starts_with(b".wh."));
            let mut parts = path.components();
            found.root |= parts.all(|part| matches!(part, Component::CurDir | Component::RootDir));
        }
    }
    Ok(found)
}
