// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes archives, nasty ones too: names go into the headers as they are.

use std::io::Write;

use registry::Compression;
use tar::{Builder, EntryType, Header};

/// An entry to be.
#[derive(Clone)]
pub(super) struct Item {
    path: Vec<u8>,
    pub(super) kind: EntryType,
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
    pub(super) mtime: u64,
    pub(super) device: (u32, u32),
    link: Vec<u8>,
    data: Vec<u8>,
    pax: Vec<(Vec<u8>, Vec<u8>)>,
}

fn item(kind: EntryType, path: impl AsRef<[u8]>) -> Item {
    Item {
        path: path.as_ref().to_vec(),
        kind,
        mode: 0o644,
        owner: (0, 0),
        mtime: 1_700_000_000,
        device: (0, 0),
        link: Vec::new(),
        data: Vec::new(),
        pax: Vec::new(),
    }
}

pub(super) fn file(path: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Item {
    let mut item = item(EntryType::Regular, path);
    item.data = data.as_ref().to_vec();
    item
}

/// Whiteouts and other entries that count by their name.
pub(super) fn empty(path: impl AsRef<[u8]>) -> Item {
    item(EntryType::Regular, path)
}

pub(super) fn dir(path: impl AsRef<[u8]>) -> Item {
    let mut item = item(EntryType::Directory, path);
    item.mode = 0o755;
    item
}

pub(super) fn symlink(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Item {
    let mut item = item(EntryType::Symlink, path);
    item.link = target.as_ref().to_vec();
    item
}

pub(super) fn hard(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Item {
    let mut item = item(EntryType::Link, path);
    item.link = target.as_ref().to_vec();
    item
}

pub(super) fn node(kind: EntryType, path: &str, device: (u32, u32)) -> Item {
    let mut item = item(kind, path);
    item.device = device;
    item
}

/// Entries in a word each, as [`super::snapshot::brief`] tells them: `dir/`,
/// `file=data`, `link->target`, `pipe|`; also `hard<target`, and whiteouts.
pub(super) fn words(text: &str) -> Vec<Item> {
    let word = |word: &str| {
        if let Some((path, target)) = word.split_once("->") {
            symlink(path, target)
        } else if let Some((path, target)) = word.split_once('<') {
            hard(path, target)
        } else if let Some((path, data)) = word.split_once('=') {
            file(path, data)
        } else if let Some(path) = word.strip_suffix('|') {
            node(EntryType::Fifo, path, (0, 0))
        } else if word.ends_with('/') {
            dir(word)
        } else {
            empty(word)
        }
    };
    text.split_whitespace().map(word).collect()
}

impl Item {
    pub(super) fn pax(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.pax.push((key.into(), value.as_ref().to_vec()));
        self
    }

    pub(super) fn xattr(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.pax(&format!("SCHILY.xattr.{name}"), value)
    }

    pub(super) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub(super) fn owner(mut self, uid: u64, gid: u64) -> Self {
        self.owner = (uid, gid);
        self
    }

    pub(super) fn mtime(mut self, mtime: u64) -> Self {
        self.mtime = mtime;
        self
    }

    fn append(&self, tar: &mut Builder<Vec<u8>>) {
        let mut pax = self.pax.clone();
        let mut header = Header::new_gnu();
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(self.mtime);
        header.set_size(self.data.len() as u64);
        header.set_device_major(self.device.0).unwrap();
        header.set_device_minor(self.device.1).unwrap();
        for (value, key, range) in [
            (&self.path, "path", 0..100),
            (&self.link, "linkpath", 157..257),
        ] {
            if value.len() <= range.len() {
                let field = &mut header.as_mut_bytes()[range];
                field[..value.len()].copy_from_slice(value);
            } else {
                pax.push((key.into(), value.clone()));
            }
        }
        header.set_cksum();
        if !pax.is_empty() {
            let records: Vec<u8> = pax.iter().flat_map(|(k, v)| record(k, v)).collect();
            let mut extended = Header::new_ustar();
            extended.set_entry_type(EntryType::XHeader);
            extended.set_size(records.len() as u64);
            extended.set_cksum();
            tar.append(&extended, &records[..]).unwrap();
        }
        tar.append(&header, &self.data[..]).unwrap();
    }
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let body = [b" ", key, b"=", value, b"\n"].concat();
    // The length counts its own digits.
    let length = (1..).find(|n| n - n.to_string().len() == body.len());
    [length.unwrap().to_string().as_bytes(), &body].concat()
}

/// The archive of some entries.
pub(super) fn tar(items: &[Item]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for item in items {
        item.append(&mut tar);
    }
    tar.into_inner().unwrap()
}

pub(super) fn compress(tar: &[u8], compression: Compression) -> Vec<u8> {
    match compression {
        Compression::None => tar.to_vec(),
        Compression::Gzip => {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(tar).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => zstd::encode_all(tar, 1).unwrap(),
    }
}
