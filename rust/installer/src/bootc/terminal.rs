// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the bytes of a terminal to lines of text.
//!
//! Progress bars are redrawn by moving the cursor (ECMA-48 control sequences,
//! carriage returns). Any such movement ends a line here; colours and other
//! sequences that move nothing are dropped.
//!
//! indicatif ends no row with a line end: it fills rows with blanks up to the
//! last column, and the terminal goes on in the next one. So a full row that
//! ends in blanks is a line as well, while one that is full of text goes on.

/// Longest line that is kept; the rest of it is dropped.
const LINE_MAX: usize = 16 * 1024;

/// Blanks at the end of a full row that make it a line of its own: a text that
/// is wrapped within a word or at a single blank goes on.
const FILL: &[u8] = b"  ";

/// Splits a stream into lines, whatever the pieces it arrives in.
#[derive(Debug)]
pub(super) struct Lines {
    /// Columns of the terminal.
    width: usize,
    /// Characters in the current row.
    column: usize,
    line: Vec<u8>,
    state: TerminalState,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum TerminalState {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// In a control sequence, up to its final byte.
    Control,
    /// In an operating system command, up to BEL or ESC `\`.
    System,
    /// After ESC in an operating system command.
    SystemEscape,
}

impl Lines {
    /// For a terminal with `width` columns.
    pub(super) fn new(width: u16) -> Self {
        Self {
            width: width.into(),
            column: 0,
            line: Vec::new(),
            state: TerminalState::Text,
        }
    }

    /// Takes the next bytes; gives each line that they complete. Lines have no
    /// control characters and are not blank.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if self.step(byte) {
                lines.extend(self.finish());
            }
        }
        lines
    }

    /// The unfinished line, at the end of the stream.
    pub(super) fn finish(&mut self) -> Option<String> {
        let line = String::from_utf8_lossy(&self.line).trim().to_owned();
        self.line.clear();
        self.column = 0;
        (!line.is_empty()).then_some(line)
    }

    /// Takes one byte; whether the line ends with it.
    fn step(&mut self, byte: u8) -> bool {
        match (self.state, byte) {
            (TerminalState::Text, b'\n' | b'\r') => return true,
            (TerminalState::Text | TerminalState::Escape | TerminalState::Control, 0x1b) => {
                self.state = TerminalState::Escape
            }
            (TerminalState::Text, b'\t') => return self.push(b' '),
            (TerminalState::Text, 0..0x20 | 0x7f) => {}
            (TerminalState::Text, _) => return self.push(byte),
            (TerminalState::Escape, b'[') => self.state = TerminalState::Control,
            (TerminalState::Escape, b']') => self.state = TerminalState::System,
            (TerminalState::Escape, _) => self.state = TerminalState::Text,
            // Parameters and intermediate bytes.
            (TerminalState::Control, 0x20..0x40) => {}
            (TerminalState::Control, _) => {
                self.state = TerminalState::Text;
                // Cursor up to position, erase in display, in line.
                return matches!(byte, b'A'..=b'H' | b'J' | b'K' | b'f');
            }
            (TerminalState::System, 0x07) => self.state = TerminalState::Text,
            (TerminalState::System, 0x1b) => self.state = TerminalState::SystemEscape,
            (TerminalState::System, _) => {}
            (TerminalState::SystemEscape, b'\\') => self.state = TerminalState::Text,
            (TerminalState::SystemEscape, _) => self.state = TerminalState::System,
        }
        false
    }

    /// Whether the row is full with this byte, and filled up with blanks.
    fn push(&mut self, byte: u8) -> bool {
        if self.line.len() < LINE_MAX {
            self.line.push(byte);
        }
        // Continuation bytes of UTF-8 belong to the character before.
        if byte & 0xc0 != 0x80 {
            self.column += 1;
        }
        if self.column < self.width {
            return false;
        }
        // The bytes of a last character that is longer than one come later;
        // no blank is.
        self.column = 0;
        self.line.ends_with(FILL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(40);
        let mut found = lines.feed(bytes);
        found.extend(lines.finish());
        found
    }

    #[test]
    fn streams() {
        let table: [(&str, &[&str]); 8] = [
            ("one\r\ntwo\r\n", &["one", "two"]),
            ("no end", &["no end"]),
            ("a\r\x1b[2Kb\r\x1b[2K", &["a", "b"]),
            ("x 1/3\n\x1b[1A\x1b[2Kx 2/3\n", &["x 1/3", "x 2/3"]),
            ("\x1b[1;31merror:\x1b[0m bad", &["error: bad"]),
            ("\x1b]0;title\x07text\x1b]8;;x\x1b\\more", &["textmore"]),
            ("\x1b[?25lhidden cursor\x1b[?25h", &["hidden cursor"]),
            ("  \r\n\x07\r\n", &[]),
        ];
        for (stream, expected) in table {
            assert_eq!(all(stream.as_bytes()), expected, "{stream:?}");
        }
    }

    /// What indicatif writes to a terminal of 40 columns.
    #[test]
    fn rows_that_are_filled_up() {
        let row = |text: &str| format!("{text:40}");
        let long = format!("error: {}", "x y".repeat(30));
        let table: [(String, &[&str]); 4] = [
            (
                row("Fetching layers ░░ 0/9")
                    + &row("└ Fetching ░ 1 MiB/9 MiB")
                    + "\x1b[1A\r\x1b[2K",
                &["Fetching layers ░░ 0/9", "└ Fetching ░ 1 MiB/9 MiB"],
            ),
            (
                row("Fetched layers: 1 MiB in 2 seconds") + "\x1b[31merror: \x1b[39mbad\r\n",
                &["Fetched layers: 1 MiB in 2 seconds", "error: bad"],
            ),
            (
                row("  done") + "Bootloader: none\r\n",
                &["done", "Bootloader: none"],
            ),
            (
                row("done") + &long + "\r\nnext\r\n",
                &["done", &long, "next"],
            ),
        ];
        for (stream, expected) in table {
            assert_eq!(all(stream.as_bytes()), expected, "{stream:?}");
        }
    }

    #[test]
    fn pieces_do_not_matter() {
        let stream = " └ Fetching ███ 1/3\r\n\x1b[2K\x1b[1Aß\r\n".as_bytes();
        let whole = all(stream);
        let mut lines = Lines::new(40);
        let mut single: Vec<String> = stream.iter().flat_map(|b| lines.feed(&[*b])).collect();
        single.extend(lines.finish());
        assert_eq!(single, whole);
        assert_eq!(whole, ["└ Fetching ███ 1/3", "ß"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        assert_eq!(all(&vec![b'x'; LINE_MAX + 10])[0].len(), LINE_MAX);
    }
}
