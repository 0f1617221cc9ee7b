// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host's half of the protocol that `live/agent` speaks: requests as
//! bytes, and a parser for the reply. No I/O.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The agent itself, a script for any POSIX shell with base tools.
pub const SCRIPT: &str = include_str!("../live/agent");
/// What the agent sends once, when it serves.
pub(crate) const READY: &[u8] = b"@@READY@@";

/// A word that no output contains by accident.
pub(crate) fn nonce() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos() as u64);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{nanos:016x}{count:04x}{:x}", std::process::id())
}

/// Asks to run a shell script.
pub(crate) fn run_request(nonce: &str, script: &str) -> Vec<u8> {
    let mut request = format!("run {nonce} {}\n", script.len()).into_bytes();
    request.extend_from_slice(script.as_bytes());
    request
}

/// Asks to write a file; the path must not hold a newline.
pub(crate) fn put_request(nonce: &str, path: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut request = format!("put {nonce} {} {mode:o} {path}\n", content.len()).into_bytes();
    request.extend_from_slice(content);
    request
}

/// Asks to unmount and power off; there is no reply after the first marker.
pub(crate) fn off_request(nonce: &str) -> Vec<u8> {
    format!("off {nonce}\n").into_bytes()
}

/// Takes a reply apart as it arrives:
/// `@@B<nonce>@@ stdout @@M<nonce>@@ stderr @@E<nonce>:<status>@@`.
#[derive(Debug)]
pub(crate) struct ReplyParser {
    markers: [Vec<u8>; 3],
    stage: usize,
    stderr: Vec<u8>,
}

/// A finished reply, without the stdout that was handed out on the way.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Reply {
    /// Exit status as the guest's shell tells it (128 + n for signal n).
    pub(crate) status: i32,
    pub(crate) stderr: Vec<u8>,
}

const BEFORE: usize = 0;
const STDOUT: usize = 1;
const STDERR: usize = 2;

impl ReplyParser {
    pub(crate) fn new(nonce: &str) -> Self {
        let marker = |text: String| text.into_bytes();
        Self {
            markers: [
                marker(format!("@@B{nonce}@@")),
                marker(format!("@@M{nonce}@@")),
                marker(format!("@@E{nonce}:")),
            ],
            stage: BEFORE,
            stderr: Vec::new(),
        }
    }

    /// Whether the guest has taken the request up.
    pub(crate) fn begun(&self) -> bool {
        self.stage > BEFORE
    }

    /// Takes what is certain out of `bytes`; stdout goes to `stdout` in pieces.
    /// Returns the reply when it is complete.
    pub(crate) fn advance(
        &mut self,
        bytes: &mut Vec<u8>,
        mut stdout: impl FnMut(&[u8]),
    ) -> Option<Reply> {
        loop {
            let marker = &self.markers[self.stage];
            let found = find(bytes, marker);
            // Without a marker, all but a possible beginning of it is certain.
            let certain = found.unwrap_or_else(|| bytes.len().saturating_sub(marker.len() - 1));
            match self.stage {
                STDOUT if certain > 0 => stdout(&bytes[..certain]),
                STDERR => self.stderr.extend_from_slice(&bytes[..certain]),
                // What an earlier command left running may have written.
                _ => {}
            }
            bytes.drain(..certain);
            found?;
            if self.stage < STDERR {
                bytes.drain(..marker.len());
                self.stage += 1;
                continue;
            }
            let after = &bytes[marker.len()..];
            let end = find(after, b"@@")?;
            let status = String::from_utf8_lossy(&after[..end]).parse();
            let taken = marker.len() + end + 2;
            bytes.drain(..taken);
            return Some(Reply {
                // The guest's own shell prints the number.
                status: status.unwrap_or(-1),
                stderr: std::mem::take(&mut self.stderr),
            });
        }
    }
}

/// The position of `needle` in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(offset) = bytes[from..].iter().position(|b| *b == first) {
        let at = from + offset;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse_in_pieces(text: &[u8], piece: usize) -> (Vec<u8>, Option<Reply>, Vec<u8>) {
        let mut parser = ReplyParser::new("n1");
        let (mut stdout, mut pending, mut reply) = (Vec::new(), Vec::new(), None);
        for chunk in text.chunks(piece) {
            pending.extend_from_slice(chunk);
            if reply.is_none() {
                reply = parser.advance(&mut pending, |bytes| stdout.extend_from_slice(bytes));
            }
        }
        (stdout, reply, pending)
    }

    #[test]
    fn replies_are_taken_apart_wherever_they_are_cut() {
        type Case = (&'static [u8], &'static [u8], i32, &'static [u8]);
        let cases: &[Case] = &[
            (b"@@Bn1@@@@Mn1@@@@En1:0@@", b"", 0, b""),
            (b"@@Bn1@@out\n@@Mn1@@err\n@@En1:3@@", b"out\n", 3, b"err\n"),
            (b"stray@@Bn1@@o@@Mn1@@@@En1:137@@", b"o", 137, b""),
            (
                b"@@Bn1@@@@Bn2@@\0\xff@@M@@Mn1@@@@E@@En1:1@@",
                b"@@Bn2@@\0\xff@@M",
                1,
                b"@@E",
            ),
        ];
        for (text, stdout, status, stderr) in cases {
            for piece in 1..=text.len() {
                let (out, reply, rest) = parse_in_pieces(text, piece);
                let reply = reply.unwrap();
                assert_eq!(out, *stdout);
                assert_eq!((reply.status, &reply.stderr[..]), (*status, *stderr));
                assert_eq!(rest, b"");
            }
        }
    }

    #[test]
    fn an_unfinished_reply_is_none() {
        for text in ["@@Bn1@@out", "@@Bn1@@out@@Mn1@@", "@@Bn1@@@@Mn1@@@@En1:0@"] {
            let (_, reply, _) = parse_in_pieces(text.as_bytes(), 5);
            assert_eq!(reply, None, "{text}");
        }
    }

    #[test]
    fn the_next_reply_stays_in_the_buffer() {
        let (_, reply, rest) = parse_in_pieces(b"@@Bn1@@@@Mn1@@@@En1:0@@@@Bn2", 100);
        assert_eq!(reply.unwrap().status, 0);
        assert_eq!(rest, b"@@Bn2");
    }

    #[test]
    fn requests_count_bytes() {
        assert_eq!(run_request("n", "é\n"), "run n 3\né\n".as_bytes());
        assert_eq!(
            put_request("n", "/a b", 0o644, b"x"),
            b"put n 1 644 /a b\nx"
        );
        assert_ne!(nonce(), nonce());
    }
}
