// SPDX-License-Identifier: MIT OR Apache-2.0
//! How blanks are written in the tables of mounts, as `\ooo` (fstab(5),
//! proc_pid_mountinfo(5), `/proc/swaps`).

/// Blanks and backslashes, and a `#`, which would begin a comment.
pub fn encode(field: &str) -> String {
    let mut encoded = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            ' ' | '\t' | '\n' | '\\' | '#' => {
                encoded.push_str(&format!("\\{:03o}", u32::from(c)));
            }
            c => encoded.push(c),
        }
    }
    encoded
}

/// Undoes [`encode`], whatever was written so. `None` when a backslash is not
/// followed by the three digits of a byte.
pub fn decode(field: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&b, tail)) = rest.split_first() {
        if b != b'\\' {
            bytes.push(b);
            rest = tail;
            continue;
        }
        let octal = tail.get(..3)?;
        if !octal.iter().all(|d| (b'0'..=b'7').contains(d)) {
            return None;
        }
        let value = octal.iter().fold(0u32, |n, d| n * 8 + u32::from(d - b'0'));
        bytes.push(u8::try_from(value).ok()?);
        rest = &tail[3..];
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (text, written) in [
            ("/home", "/home"),
            ("/data/a b", r"/data/a\040b"),
            ("a\tb\nc", r"a\011b\012c"),
            (r"a\040b", r"a\134040b"),
            ("LABEL=disk#1", r"LABEL=disk\0431"),
            ("/größe", "/größe"),
            ("", ""),
        ] {
            assert_eq!(encode(text), written);
            assert_eq!(decode(written).as_deref(), Some(text));
        }
        assert_eq!(decode(r"gr\303\266\303\237e").as_deref(), Some("größe"));
        for bad in [r"\", r"\04", r"\999", r"\777", r"a\x20"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
