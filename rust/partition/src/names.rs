// SPDX-License-Identifier: MIT OR Apache-2.0
//! UUIDs of tables, partitions and file systems.
//!
//! A disk image that is made twice of the same image and plan has the same
//! names twice, so that two builds can be compared, and `root=UUID=…` is the
//! same. A disk that stays in a machine has random ones: nothing else there may
//! have them.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Where UUIDs come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    seed: Option<Vec<u8>>,
}

impl Names {
    /// The tools choose.
    pub fn random() -> Self {
        Self::default()
    }

    /// Made of these texts, in which everything is that decides what is on
    /// the disk.
    pub fn derived(texts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            // With its length: no two lists are the same bytes.
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        Self {
            seed: Some(hash.finalize().to_vec()),
        }
    }

    /// The UUID of what is called `name`, of version 8 (RFC 9562, chapter 5.8);
    /// `None` for a random one.
    pub fn uuid(&self, name: &str) -> Option<String> {
        let mut bytes = self.bytes(name)?;
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (index, byte) in bytes.iter().enumerate() {
            if [4, 6, 8, 10].contains(&index) {
                text.push('-');
            }
            // Writing to a string cannot fail.
            write!(text, "{byte:02x}").unwrap_or_default();
        }
        Some(text)
    }

    /// Eight hexadecimal digits: the serial number of a FAT, the disk's of an MBR.
    pub fn serial(&self, name: &str) -> Option<String> {
        let bytes = self.bytes(name)?;
        let mut text = String::with_capacity(8);
        for byte in &bytes[..4] {
            write!(text, "{byte:02x}").unwrap_or_default();
        }
        Some(text)
    }

    fn bytes(&self, name: &str) -> Option<[u8; 16]> {
        let mut hash = Sha256::new();
        hash.update(self.seed.as_ref()?);
        hash.update(name);
        hash.finalize().first_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_texts_give_the_same_names() {
        let names = Names::derived(&["sha256:1", "{}"]);
        assert_eq!(names, Names::derived(&["sha256:1", "{}"]));
        let uuid = names.uuid("root");
        assert_eq!(uuid, names.uuid("root"));
        assert_ne!(uuid, names.uuid("boot"));
        for other in [["sha256:1", "{} "], ["sha256:1{", "}"], ["", "sha256:1{}"]] {
            assert_ne!(uuid, Names::derived(&other).uuid("root"), "{other:?}");
        }
        let uuid = uuid.unwrap_or_default();
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!(uuid.as_bytes()[14], b'8', "{uuid}");
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        assert_eq!(names.serial("esp").map(|s| s.len()), Some(8));
    }

    #[test]
    fn random_ones_are_left_to_the_tools() {
        assert_eq!(Names::random().uuid("root"), None);
        assert_eq!(Names::random().serial("esp"), None);
    }
}
