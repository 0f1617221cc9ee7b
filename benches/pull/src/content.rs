// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that look like those of a system to a compressor and a file system:
//! sizes from bytes to megabytes, text, programs and what is compressed
//! already. Always the same ones.

use std::io;
use std::path::PathBuf;

use tar::{Builder, EntryType, Header};

/// 2026-01-01
const MTIME: u64 = 1_767_225_600;
/// Half of the files are smaller, in bytes.
const SIZE_MEDIAN: f64 = 5000.0;
/// Standard deviation of the logarithm of sizes.
const SIZE_SPREAD: f64 = 1.8;
const SIZE_MAX: usize = 4 << 20;
/// Files in a directory.
const DIRECTORY: usize = 12;

/// One layer as a tar archive of about so many bytes.
pub(crate) fn layer(number: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let mut random = Random(number.wrapping_mul(0x5851_f42d_4c95_7f2d));
    let words = Words::new(&mut random);
    let mut tar = Builder::new(Vec::with_capacity(bytes + bytes / 8));
    let top = PathBuf::from("usr/lib").join(format!("part-{number:02}"));
    for directory in ["usr", "usr/lib"] {
        entry(&mut tar, EntryType::Directory, directory.into(), 0o755, &[])?;
    }
    entry(&mut tar, EntryType::Directory, top.clone(), 0o755, &[])?;
    let (mut written, mut files) = (0, 0);
    let mut last: Option<PathBuf> = None;
    while written < bytes {
        let directory = top.join(format!("d{:04}", files / DIRECTORY));
        if files % DIRECTORY == 0 {
            entry(
                &mut tar,
                EntryType::Directory,
                directory.clone(),
                0o755,
                &[],
            )?;
        }
        let path = directory.join(format!("{}-{files}", words.pick(&mut random)));
        match (random.below(50), &last) {
            (0..=1, Some(target)) => link(&mut tar, EntryType::Link, path, target)?,
            (2..=5, Some(target)) => {
                link(
                    &mut tar,
                    EntryType::Symlink,
                    path,
                    &PathBuf::from("/").join(target),
                )?;
            }
            _ => {
                let content = content(&mut random, &words, bytes - written);
                let mode = if random.below(5) == 0 { 0o755 } else { 0o644 };
                entry(&mut tar, EntryType::Regular, path.clone(), mode, &content)?;
                // The block of the header, and half a block of padding.
                written += content.len() + 768;
                last = Some(path);
            }
        }
        files += 1;
    }
    tar.into_inner()
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MTIME);
    header.set_size(size as u64);
    header
}

fn entry(
    tar: &mut Builder<Vec<u8>>,
    kind: EntryType,
    path: PathBuf,
    mode: u32,
    content: &[u8],
) -> io::Result<()> {
    tar.append_data(&mut header(kind, mode, content.len()), path, content)
}

fn link(
    tar: &mut Builder<Vec<u8>>,
    kind: EntryType,
    path: PathBuf,
    target: &std::path::Path,
) -> io::Result<()> {
    tar.append_link(&mut header(kind, 0o777, 0), path, target)
}

fn content(random: &mut Random, words: &Words, most: usize) -> Vec<u8> {
    let size = (SIZE_MEDIAN * (SIZE_SPREAD * random.normal()).exp()) as usize;
    let size = size.min(SIZE_MAX).min(most.max(64));
    let mut content = Vec::with_capacity(size + 16);
    let kind = random.below(100);
    while content.len() < size {
        match kind {
            // Text: words, the common ones often.
            0..35 => {
                content.extend_from_slice(words.pick(random).as_bytes());
                content.push(if random.below(10) == 0 { b'\n' } else { b' ' });
            }
            // A program: few instructions, many operands, pieces seen before.
            35..80 => {
                let before = content.len();
                if before > 256 && random.below(4) == 0 {
                    let from = before - 1 - random.below(before.min(30_000) as u64 - 1) as usize;
                    let end = (from + 8 + random.below(40) as usize).min(before);
                    content.extend_from_within(from..end);
                } else {
                    let operand = random.next().to_le_bytes();
                    content.extend_from_slice(&[0x48, 0x8b, (random.below(16) * 8) as u8]);
                    content.extend_from_slice(&operand[..3]);
                    content.extend_from_slice(&[0, 0]);
                }
            }
            // Compressed already.
            _ => content.extend_from_slice(&random.next().to_le_bytes()),
        }
    }
    content.truncate(size);
    content
}

/// Made-up words.
struct Words(Vec<String>);

impl Words {
    fn new(random: &mut Random) -> Self {
        let word = |random: &mut Random| {
            let length = 2 + random.below(9);
            (0..length)
                .map(|_| char::from(b"etaoinshrdlucmfwypvbgk"[random.below(22) as usize]))
                .collect()
        };
        Self((0..4096).map(|_| word(random)).collect())
    }

    /// The product of three numbers below one is mostly small.
    fn pick(&self, random: &mut Random) -> &str {
        let place = random.fraction() * random.fraction() * random.fraction();
        &self.0[(place * self.0.len() as f64) as usize]
    }
}

/// SplitMix64 (Steele, Lea, Flood): enough for content.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 to 1, without 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the standard normal distribution (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.fraction()).cos()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_layer_is_a_tree_of_about_that_size_and_always_the_same() {
        let layer = layer(3, 6_000_000).unwrap();
        assert!(
            layer.len() > 5_900_000 && layer.len() < 6_600_000,
            "{}",
            layer.len()
        );
        assert_eq!(layer, super::layer(3, 6_000_000).unwrap());
        assert_ne!(layer, super::layer(4, 6_000_000).unwrap());
        let mut kinds = std::collections::BTreeMap::new();
        for entry in tar::Archive::new(layer.as_slice()).entries().unwrap() {
            let kind = entry.unwrap().header().entry_type().as_byte();
            *kinds.entry(kind).or_insert(0) += 1;
        }
        // Files, hard links, symbolic links, directories.
        let found: Vec<u8> = kinds.keys().copied().collect();
        assert_eq!(found, b"0125", "{kinds:?}");
        assert!(kinds[&b'0'] > 50, "{kinds:?}");
    }
}
