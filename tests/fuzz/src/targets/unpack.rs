// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hostile layers, unpacked: whatever they hold, nothing outside of the root
//! changes. As root only, in a directory on a tmpfs.
//!
//! The input is text, one entry a line, so that it can be read and changed:
//!
//! ```text
//! d NAME            directory         f NAME<TAB>CONTENT   file
//! l NAME<TAB>TARGET symbolic link     h NAME<TAB>TARGET    hard link
//! c NAME  b NAME    devices           p NAME               fifo
//! x KEY<TAB>VALUE   pax record of the next entry
//! m NUMBER          mode of the next entry
//! <CR>              next layer
//! ```
//!
//! `@` in names and targets is the directory outside.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ::unpack::{UnpackFilter, Unpacker};
use host::cancel::Cancel;
use imageref::{Algorithm, Digest};
use registry::{Compression, Layer};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// Most entries of one input.
const ENTRIES: usize = 64;
const MEMORY: &str = "/dev/shm";

pub(crate) fn run(data: &[u8]) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let mut place = tempfile::Builder::new();
    place.prefix("fuzz-unpack-");
    let place = match Path::new(MEMORY).is_dir() {
        true => place.tempdir_in(MEMORY),
        false => place.tempdir(),
    };
    let place = place.unwrap_or_else(|e| panic!("no directory: {e}"));
    let scene = Scene::set(place.path());
    let before = scene.outside_now();
    for filter in [UnpackFilter::Everything, UnpackFilter::Lean] {
        scene.unpack(data, filter);
        assert_eq!(scene.outside_now(), before, "something outside has changed");
    }
}

struct Scene<'a> {
    place: &'a Path,
    outside: PathBuf,
}

impl<'a> Scene<'a> {
    fn set(place: &'a Path) -> Self {
        let outside = place.join("outside");
        write(&outside.join("secret"), b"secret");
        Self { place, outside }
    }

    /// Everything of the surroundings that could change.
    fn outside_now(&self) -> Vec<String> {
        let secret = self.outside.join("secret");
        let mut found = vec![fs::read_to_string(&secret).unwrap_or_default()];
        for path in [&self.outside, &secret] {
            let Ok(meta) = fs::symlink_metadata(path) else {
                found.push("gone".to_owned());
                continue;
            };
            found.push(format!(
                "{:o} {} {} {} {} {}",
                meta.mode(),
                meta.uid(),
                meta.gid(),
                meta.nlink(),
                meta.mtime(),
                meta.mtime_nsec()
            ));
        }
        for directory in [self.place, &self.outside] {
            let mut names: Vec<String> = fs::read_dir(directory)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .filter(|name| name != "root" && name != "layer")
                .collect();
            names.sort();
            found.extend(names);
        }
        found
    }

    fn unpack(&self, data: &[u8], filter: UnpackFilter) {
        let root = self.place.join("root");
        fs::create_dir(&root).unwrap_or_else(|e| panic!("{e}"));
        let mut unpacker = Unpacker::create(&root, filter).unwrap_or_else(|e| panic!("{e}"));
        let mut fine = true;
        for (number, text) in data.split(|&byte| byte == b'\r').enumerate() {
            let tar = archive(text, self.outside.as_os_str().as_encoded_bytes());
            let blob = self.place.join("layer").join(number.to_string());
            write(&blob, &tar);
            let layer = layer(&tar);
            // Refused is fine; after it the root is thrown away.
            fine = unpacker
                .apply(&layer, &blob, false, &|_| {}, &Cancel::new())
                .is_ok();
            if !fine {
                break;
            }
        }
        if fine {
            unpacker.finish().ok();
        }
        for made in ["root", "layer"] {
            let made = self.place.join(made);
            fs::remove_dir_all(&made).unwrap_or_else(|e| panic!("{}: {e}", made.display()));
        }
    }
}

fn write(path: &Path, content: &[u8]) {
    let parent = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, content))
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

fn layer(tar: &[u8]) -> Layer {
    let digest = Digest::from_bytes(Algorithm::Sha256, &Sha256::digest(tar));
    let digest = digest.unwrap_or_else(|e| panic!("{e}"));
    Layer {
        digest: digest.clone(),
        size: tar.len() as u64,
        media_type: String::new(),
        compression: Compression::None,
        diff_id: digest,
    }
}

/// What stands before an entry.
#[derive(Default)]
struct Before {
    records: Vec<u8>,
    mode: Option<u32>,
}

fn archive(text: &[u8], outside: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    let mut before = Before::default();
    for line in text.split(|&byte| byte == b'\n').take(ENTRIES) {
        let Some((&kind, rest)) = line.split_first() else {
            continue;
        };
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let mut parts = rest.splitn(2, |&byte| byte == b'\t');
        let (first, second) = (parts.next().unwrap_or(b""), parts.next().unwrap_or(b""));
        let name = placed(first, outside);
        let (kind, link, content) = match kind {
            b'd' => (EntryType::Directory, Vec::new(), &b""[..]),
            b'f' => (EntryType::Regular, Vec::new(), second),
            b'l' => (EntryType::Symlink, placed(second, outside), &b""[..]),
            b'h' => (EntryType::Link, placed(second, outside), &b""[..]),
            b'c' => (EntryType::Char, Vec::new(), &b""[..]),
            b'b' => (EntryType::Block, Vec::new(), &b""[..]),
            b'p' => (EntryType::Fifo, Vec::new(), &b""[..]),
            b'x' => {
                before
                    .records
                    .extend(record(first, &placed(second, outside)));
                continue;
            }
            b'm' => {
                before.mode = std::str::from_utf8(first)
                    .ok()
                    .and_then(|digits| u32::from_str_radix(digits, 8).ok());
                continue;
            }
            _ => continue,
        };
        let before = std::mem::take(&mut before);
        if !before.records.is_empty() {
            entry(
                &mut tar,
                EntryType::XHeader,
                (b"pax", b""),
                0o644,
                &before.records,
            );
        }
        for (name, kind) in [
            (&name, EntryType::GNULongName),
            (&link, EntryType::GNULongLink),
        ] {
            if name.len() > FIELD {
                entry(&mut tar, kind, (b"long", b""), 0o644, name);
            }
        }
        let mode = before.mode.unwrap_or(0o755);
        entry(&mut tar, kind, (&name, &link), mode, content);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// Longest name that the fixed header holds, in bytes.
const FIELD: usize = 100;

fn entry(
    tar: &mut Vec<u8>,
    kind: EntryType,
    (name, link): (&[u8], &[u8]),
    mode: u32,
    content: &[u8],
) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(1);
    header.set_gid(2);
    header.set_mtime(1_000_000_000);
    header.set_size(content.len() as u64);
    // The fields as they are: the library refuses what is to be tried here.
    let gnu = header.as_old_mut();
    for (field, value) in [(&mut gnu.name, name), (&mut gnu.linkname, link)] {
        let length = value.len().min(field.len());
        field[..length].copy_from_slice(&value[..length]);
    }
    if matches!(kind, EntryType::Char | EntryType::Block) {
        // Null, in case that somebody opens it.
        header.set_device_major(1).ok();
        header.set_device_minor(3).ok();
    }
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

fn placed(text: &[u8], outside: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    for &byte in text {
        match byte {
            b'@' => found.extend_from_slice(outside),
            byte => found.push(byte),
        }
    }
    found
}

/// `LENGTH KEY=VALUE\n`, with a length that counts its own digits.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} ").into_bytes();
    record.extend_from_slice(key);
    record.push(b'=');
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}
