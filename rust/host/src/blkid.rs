// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is on a block device, from `blkid -p` (blkid(8), low-level probing).
//!
//! Probing reads the device itself: the answer is right a moment after mkfs
//! and on systems without udev, where lsblk(8) has nothing to say.

use std::collections::BTreeMap;
use std::path::Path;

use contract::error::Result;

use crate::cancel::Cancel;
use crate::cmd::Tool;

/// Tags of one device: `TYPE`, `UUID`, `PTTYPE`, `PART_ENTRY_TYPE`, …
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The value of a tag.
    pub fn get(&self, tag: &str) -> Option<&str> {
        self.0.get(tag).map(String::as_str)
    }
}

/// Parses the output of `blkid -o export`: `KEY=value` lines, in which unsafe
/// characters of the value have a backslash before them.
pub fn parse(text: &str) -> Tags {
    let mut tags = BTreeMap::new();
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=') {
            let mut plain = String::with_capacity(value.len());
            let mut chars = value.chars();
            while let Some(c) = chars.next() {
                plain.push(if c == '\\' {
                    chars.next().unwrap_or(c)
                } else {
                    c
                });
            }
            tags.insert(key.to_owned(), plain);
        }
    }
    Tags(tags)
}

/// Probes `device`; a device without anything known on it has no tags.
pub fn probe(device: &Path) -> Result<Tags> {
    // Status 2: nothing was identified, which is an answer as well. A probe
    // takes milliseconds: nobody needs to stop it.
    let output = Tool::new("blkid")
        .args(["-p", "-o", "export", "--"])
        .arg(device)
        .accept(2)
        .run(&Cancel::new())?;
    Ok(parse(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_outputs() {
        let part = parse(
            "DEVNAME=/dev/loop0p1\nPART_ENTRY_SCHEME=gpt\nPART_ENTRY_UUID=a9d0c4a1-1ba4-4a4d-8a29-6ea48ba0d6f5\n\
             PART_ENTRY_TYPE=21686148-6449-6e6f-744e-656564454649\nPART_ENTRY_NUMBER=1\nPART_ENTRY_OFFSET=2048\n",
        );
        assert_eq!(
            part.get("PART_ENTRY_TYPE"),
            Some("21686148-6449-6e6f-744e-656564454649")
        );
        assert_eq!(part.get("PART_ENTRY_OFFSET"), Some("2048"));
        assert_eq!(part.get("PTTYPE"), None);

        let label = parse("DEVNAME=/dev/sdb1\nLABEL=my\\ disk\\\\x\nTYPE=ext4\n");
        assert_eq!(label.get("LABEL"), Some("my disk\\x"));
        assert_eq!(parse(""), Tags::default());
    }
}
