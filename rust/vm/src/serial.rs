// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running commands over a serial console: what is typed, and what comes back.
//! Pure functions.
//!
//! A console is shared with the kernel and changes what passes through it. So
//! a script travels as base64 in short lines, each of them acknowledged; its
//! output waits in files and comes back as base64 too, with its size told
//! apart. What was disturbed on the way is seen and asked for again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A terminal in line mode takes 4095 bytes per line; this leaves room.
const LINE_PAYLOAD: usize = 1024;

/// Typed into a login shell: echo and newline translation off, then a shell
/// that is not interactive because its standard error is no terminal. The
/// marker is put together by printf, so that an echo of this line is not it.
pub(crate) fn enter(nonce: &str, dir: &str) -> String {
    format!(
        "stty -echo -onlcr; mkdir -m 700 {dir}; printf '@@%s:{nonce}@@' ready; \
         exec sh -s 2>/dev/null\n"
    )
}

/// Lines that write the script to `dir/script`. Each is answered by
/// [`acknowledgement`] with its number.
pub(crate) fn upload(nonce: &str, dir: &str, script: &str) -> Vec<String> {
    let encoded = STANDARD.encode(script);
    let mut lines = vec![format!(": >{dir}/base64; printf '@@%s:{nonce}@@' 0\n")];
    for (n, piece) in encoded.as_bytes().chunks(LINE_PAYLOAD).enumerate() {
        let piece = String::from_utf8_lossy(piece);
        lines.push(format!(
            "printf %s {piece} >>{dir}/base64; printf '@@%s:{nonce}@@' {}\n",
            n + 1
        ));
    }
    lines
}

/// What the shell prints when it has done line `n`.
pub(crate) fn acknowledgement(nonce: &str, n: impl std::fmt::Display) -> Vec<u8> {
    format!("@@{n}:{nonce}@@").into_bytes()
}

/// The line that runs the uploaded script, with output to `dir/stdout` and
/// `dir/stderr`; it is answered by a [`Finished`].
pub(crate) fn execute(nonce: &str, dir: &str) -> String {
    format!(
        "base64 -d {dir}/base64 >{dir}/script; \
         (cd; exec sh {dir}/script) </dev/null >{dir}/stdout 2>{dir}/stderr; \
         printf '@@%s:%s:%s:%s:{nonce}@@' end $? $(wc -c <{dir}/stdout) $(wc -c <{dir}/stderr)\n"
    )
}

/// How a script ended and how much it wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Finished {
    pub(crate) status: i32,
    pub(crate) stdout: usize,
    pub(crate) stderr: usize,
}

impl Finished {
    /// Finds the answer to [`execute`] in what the console said.
    pub(crate) fn parse(text: &str, nonce: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once("@@end:")?;
        let (fields, _) = rest.split_once(&format!(":{nonce}@@"))?;
        let mut fields = fields.split(':');
        let mut next = || fields.next()?.trim().parse::<usize>().ok();
        let status = i32::try_from(next()?).ok()?;
        Some(Self {
            status,
            stdout: next()?,
            stderr: next()?,
        })
    }
}

/// The line that shows a file: base64 between two markers.
pub(crate) fn show(nonce: &str, file: &str) -> String {
    format!("printf '@@%s:{nonce}@@' from; base64 {file}; printf '@@%s:{nonce}@@' to\n")
}

/// What [`show`] printed, once all of it is there: `Some(None)` when it was
/// disturbed and must be asked for again.
pub(crate) fn shown(text: &str, nonce: &str, size: usize) -> Option<Option<Vec<u8>>> {
    let end = format!("@@to:{nonce}@@");
    let begin = format!("@@from:{nonce}@@");
    let until = text.find(&end)?;
    let body = text[..until]
        .find(&begin)
        .map(|at| &text[at + begin.len()..until]);
    let encoded: String = body?.split_ascii_whitespace().collect();
    let content = STANDARD.decode(encoded).ok();
    Some(content.filter(|bytes| bytes.len() == size))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn lines_fit_a_terminal_in_line_mode() {
        let script = "x".repeat(10_000);
        let lines = upload("n", "/tmp/d", &script);
        assert!(lines.len() > 10);
        assert!(lines.iter().all(|line| line.len() < 4096));
    }

    #[test]
    fn the_end_is_found_among_noise() {
        let end = |status| {
            Some(Finished {
                status,
                stdout: 12,
                stderr: 0,
            })
        };
        let cases = [
            ("@@end:0:12:0:n1@@", end(0)),
            ("[ 5.0] noise\n@@end:7: 12: 0:n1@@[ 6.0]", end(7)),
            ("@@end:0:12:0:other@@", None),
            ("@@end:0:12:0:n1", None),
            ("@@end:0:[ 5.0]:0:n1@@", None),
        ];
        for (text, finished) in cases {
            assert_eq!(Finished::parse(text, "n1"), finished, "{text}");
        }
    }

    #[test]
    fn disturbed_content_is_refused() {
        let cases = [
            (
                "@@from:n@@aGVs\nbG8=\n@@to:n@@",
                Some(Some(b"hello".to_vec())),
            ),
            ("@@from:n@@@@to:n@@", Some(None)),
            (
                "@@from:n@@aGVs\n[ 5.0] eth0: up\nbG8=\n@@to:n@@",
                Some(None),
            ),
            ("@@from:n@@aGVs\n@@to:n@@", Some(None)),
            ("@@from:n@@aGVsbG8=", None),
        ];
        for (text, content) in cases {
            assert_eq!(shown(text, "n", 5), content, "{text}");
        }
    }

    /// The same lines that go over a console, through a real shell.
    #[test]
    fn a_shell_understands_what_is_typed() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().to_str().unwrap();
        let script = "printf 'odd: é\\0\\n'; echo oops >&2; exit 9 # ' \" $x";
        let mut typed: String = upload("n", dir, script).concat();
        typed += &execute("n", dir);
        typed += &show("n", &format!("{dir}/stdout"));
        let mut shell = Command::new("sh")
            .args(["-s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = shell.stdin.take().unwrap();
        stdin.write_all(typed.as_bytes()).unwrap();
        drop(stdin);
        let output = shell.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("@@0:n@@@@1:n@@"), "{text}");
        let finished = Finished::parse(&text, "n").unwrap();
        assert_eq!((finished.status, finished.stderr), (9, 5));
        let content = shown(&text, "n", finished.stdout).unwrap().unwrap();
        assert_eq!(content, "odd: é\0\n".as_bytes());
    }
}
