// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says what is in a directory, in two degrees of detail.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{lgetxattr, llistxattr};

/// Names in a directory, sorted.
pub(super) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| shown(&entry.unwrap().file_name()))
        .collect();
    names.sort();
    names
}

/// Everything below, each in a word: `dir/`, `file=data`, `link->target`,
/// `pipe|`.
pub(super) fn brief(root: &Path) -> Vec<String> {
    let mut found: Vec<String> = walk(root)
        .into_iter()
        .map(|path| word(root, &path))
        .collect();
    found.sort();
    found
}

/// Everything about everything below, and about the root.
pub(super) fn full(root: &Path) -> BTreeMap<String, String> {
    let mut paths = walk(root);
    paths.push(root.to_owned());
    paths.sort();
    // The first name stands for the file: numbers of inodes differ.
    let mut inodes: BTreeMap<u64, String> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for path in paths {
        let meta = path.symlink_metadata().unwrap();
        let mut text = word(root, &path);
        let name = shown(path.strip_prefix(root).unwrap().as_os_str());
        let same = inodes.entry(meta.ino()).or_insert_with(|| name.clone());
        write!(
            text,
            " {:o} {}:{} {}.{:09} rdev={:x} size={} same={same}",
            meta.mode(),
            meta.uid(),
            meta.gid(),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.rdev(),
            if meta.is_dir() { 0 } else { meta.size() },
        )
        .unwrap();
        for (name, value) in xattrs(&path) {
            write!(text, " {name}={}", value.escape_ascii()).unwrap();
        }
        found.insert(name, text);
    }
    found
}

pub(super) fn xattrs(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut list = Vec::with_capacity(65536);
    llistxattr(path, rustix::buffer::spare_capacity(&mut list)).unwrap();
    let names = list
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty());
    names
        // Labels are the system's.
        .filter(|name| name != b"security.selinux")
        .map(|name| {
            let mut value = Vec::with_capacity(65536);
            lgetxattr(path, name, rustix::buffer::spare_capacity(&mut value)).unwrap();
            (String::from_utf8_lossy(name).into_owned(), value)
        })
        .collect()
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}

fn word(root: &Path, path: &Path) -> String {
    let name = shown(path.strip_prefix(root).unwrap().as_os_str());
    let kind = path.symlink_metadata().unwrap().file_type();
    if kind.is_dir() {
        format!("{name}/")
    } else if kind.is_symlink() {
        format!(
            "{name}->{}",
            shown(std::fs::read_link(path).unwrap().as_os_str())
        )
    } else if kind.is_file() {
        let data = std::fs::read(path).unwrap();
        let data = match data.len() {
            0..=100 => data.escape_ascii().to_string(),
            _ => super::sha256(&data).to_string(),
        };
        format!("{name}={data}")
    } else if kind.is_fifo() {
        format!("{name}|")
    } else {
        format!("{name}?")
    }
}

fn shown(name: &OsStr) -> String {
    name.as_bytes().escape_ascii().to_string()
}
