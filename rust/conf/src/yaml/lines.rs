// SPDX-License-Identifier: MIT OR Apache-2.0
//! On which line of a YAML file a key is.
//!
//! The YAML reader gives values without their places, so the place is searched
//! in the text, by indentation.

/// The line (from 1) of a key or, written `[0]`, of a place in a list. Within
/// the flow style it is the line where the innermost block key begins; `None`
/// when not even that can be found.
pub fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    (1..=path.len())
        .rev()
        .find_map(|n| exactly(text, &path[..n]))
}

fn exactly(text: &str, path: &[&str]) -> Option<usize> {
    let mut wanted = path.iter();
    let mut key = *wanted.next()?;
    // Column of the parent, and of what stands directly below it.
    let mut parent: Option<usize> = None;
    let mut level: Option<usize> = Some(0);
    let mut items = 0;
    for (number, line) in text.lines().enumerate() {
        for token in Tokens::of(line) {
            let item = index(key);
            // A list may begin in the column of its key.
            let inside =
                |p| token.column > p || (token.column == p && item.is_some() && token.item);
            if parent.is_some_and(|p| !inside(p)) {
                return None; // the block of the parent has ended
            }
            if *level.get_or_insert(token.column) != token.column {
                continue;
            }
            let here = match item {
                Some(item) => {
                    items += usize::from(token.item);
                    token.item && items == item + 1
                }
                None => !token.item && token.is_key(key),
            };
            if here {
                match wanted.next() {
                    None => return Some(number + 1),
                    Some(next) => {
                        key = next;
                        parent = Some(token.column);
                        level = None;
                        items = 0;
                    }
                }
            }
        }
    }
    None
}

/// `1` for `[1]`.
fn index(key: &str) -> Option<usize> {
    key.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// A dash of a list, or the rest of a line.
struct Token<'a> {
    column: usize,
    item: bool,
    text: &'a str,
}

impl Token<'_> {
    fn is_key(&self, key: &str) -> bool {
        let rest = ["\"", "'", ""].iter().find_map(|quote| {
            let rest = self.text.strip_prefix(quote)?.strip_prefix(key)?;
            rest.strip_prefix(quote)
        });
        rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
    }
}

/// The tokens of one line.
struct Tokens<'a> {
    line: &'a str,
    column: usize,
}

impl<'a> Tokens<'a> {
    fn of(line: &'a str) -> Self {
        // A document may begin with a mark, which is no content.
        let line = if line.trim_end() == "---" { "" } else { line };
        Self { line, column: 0 }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.line.get(self.column..)?;
        let text = rest.trim_start();
        let column = self.column + rest.len() - text.len();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        let item = text == "-" || text.starts_with("- ");
        self.column = if item { column + 1 } else { self.line.len() };
        Some(Token { column, item, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = "---\n# a: 1\na: 1\nb:\n  # c: x\n  c : 2\n  \"h.io:5\":\n    d: 3\ne: { f: 1 }\nl:\n- x\n- n: 1\n  m: 2\n- [y,\n   z]\n";
        let table: [(&[&str], Option<usize>); 14] = [
            (&["a"], Some(3)),
            (&["b", "c"], Some(6)),
            (&["b", "h.io:5"], Some(7)),
            (&["b", "h.io:5", "d"], Some(8)),
            // Inside of the flow style, and what is not there: the parent.
            (&["e", "f"], Some(9)),
            (&["e", "f", "g"], Some(9)),
            (&["b", "x"], Some(4)),
            (&["l", "[0]"], Some(11)),
            (&["l", "[1]", "n"], Some(12)),
            (&["l", "[1]", "m"], Some(13)),
            (&["l", "[2]", "[1]"], Some(14)),
            (&["l", "[3]"], Some(10)),
            (&["x"], None),
            (&[], None),
        ];
        for (path, expected) in table {
            assert_eq!(line_of(text, path), expected, "{path:?}");
        }
    }

    #[test]
    fn lines_in_lists_of_lists() {
        let text = "p:\n  l:\n    - # first\n      n: 1\n    - n: 2\n      r:\n      - x\n      - s: 3\n    - q: 4\nz:\n- n: 5\n- - n: 6\ny: 7\n";
        let table: [(&[&str], Option<usize>); 11] = [
            (&["p", "l", "[0]"], Some(3)),
            (&["p", "l", "[0]", "n"], Some(4)),
            (&["p", "l", "[1]", "n"], Some(5)),
            (&["p", "l", "[1]", "r", "[1]", "s"], Some(8)),
            (&["p", "l", "[2]", "q"], Some(9)),
            (&["p", "l", "[3]"], Some(2)),
            (&["z", "[0]", "n"], Some(11)),
            (&["z", "[1]", "[0]", "n"], Some(12)),
            (&["z", "[2]"], Some(10)),
            (&["y"], Some(13)),
            (&["y", "[0]"], Some(13)),
        ];
        for (path, expected) in table {
            assert_eq!(line_of(text, path), expected, "{path:?}");
        }
    }
}
