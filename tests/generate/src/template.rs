// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of a format in which every key stands behind a `#`, with what it means.
//!
//! As it is, such a file means the defaults. A `#` directly before a key or an
//! entry is what has to go to set it; words have a space behind theirs.

use yaml_doc::{Default, Key, Kind, Table};

use crate::schema::{sentence, without_links};

/// Characters of the widest line of a comment.
const WIDTH: usize = 80;
/// Of a mapping in a mapping.
const INDENT: usize = 2;

/// The template of a format, below its head. With `closed`, its mappings are
/// behind a `#`, too: then lines that are put below the file never repeat a key.
pub(super) fn template(head: &str, table: &Table, closed: bool) -> String {
    let mut text = head.to_owned();
    for key in table.keys {
        if !key.part.is_empty() {
            text += &format!("\n### {}\n#\n", key.part);
        }
        entry(key, 0, closed, &mut text);
    }
    text
}

/// A key, at a depth, and whether the mapping around it is behind a `#`, too.
fn entry(key: &Key, depth: usize, off: bool, text: &mut String) {
    if matches!(key.kind, Kind::Refused(_)) {
        return;
    }
    if key.instead {
        let shown = match key.example {
            "" => format!("`{}`", key.name),
            example => format!("`{}: {example}`", key.name),
        };
        return comment(
            depth,
            &format!("{shown}: {}.", without_links(key.meaning)),
            text,
        );
    }
    comment(depth, &sentence(key.meaning), text);
    let pad = " ".repeat(depth);
    let below = depth + INDENT;
    match key.kind {
        Kind::Mapping(table) => {
            *text += &format!("{pad}{}{}:\n", hash(off), key.name);
            for key in table.keys {
                entry(key, below, off, text);
            }
        }
        Kind::Named { table, .. } => {
            *text += &format!("{pad}{}{}:\n", hash(off), key.name);
            if key.example.ends_with(':') {
                lines(below, key.example, text);
                for key in table.keys {
                    entry(key, below + INDENT, true, text);
                }
            } else {
                parts(table, below, text);
                lines(below, key.example, text);
            }
        }
        Kind::NamedTexts { .. } => {
            *text += &format!("{pad}{}{}:\n", hash(off), key.name);
            lines(below, key.example, text);
        }
        Kind::List(table) => {
            parts(table, depth, text);
            *text += &format!("{pad}#{}:\n", key.name);
            lines(below, key.example, text);
        }
        _ => *text += &format!("{pad}#{}: {}\n", key.name, value(key)),
    }
}

const fn hash(off: bool) -> &'static str {
    match off {
        true => "#",
        false => "",
    }
}

/// What is shown of a key: an example of it, or what counts without it.
fn value(key: &Key) -> &'static str {
    match (key.example, key.default) {
        ("", Default::Is(value)) => value,
        (example, _) => example,
    }
}

/// Lines of YAML, each behind a `#`.
fn lines(depth: usize, yaml: &str, text: &mut String) {
    for line in yaml.lines() {
        let inner = line.trim_start();
        let pad = " ".repeat(depth + line.len() - inner.len());
        *text += &format!("{pad}#{inner}\n");
    }
}

/// What the keys of an entry mean that is shown as a whole.
fn parts(table: &Table, depth: usize, text: &mut String) {
    for key in table.keys {
        comment(
            depth,
            &format!("- `{}`: {}.", key.name, without_links(key.meaning)),
            text,
        );
    }
}

/// Words, in lines of comment.
fn comment(depth: usize, words: &str, text: &mut String) {
    let begin = format!("{}#", " ".repeat(depth));
    let mut line = begin.clone();
    for word in words.split_whitespace() {
        if line.len() > begin.len() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            *text += &format!("{line}\n");
            line.clone_from(&begin);
        }
        line += &format!(" {word}");
    }
    *text += &format!("{line}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaml_doc::ANY;

    static INNER: Table = Table::of(&[
        Key::new("a", Kind::Flag, Default::Is("true"), "one"),
        Key::new("b", Kind::Text(&ANY), Default::Required, "[two](b.md)").example("\"2\""),
    ]);

    static ALL: Table = Table::of(&[
        Key::new("x", Kind::Mapping(&INNER), Default::Nothing(""), "all").part("Part"),
        Key::new("y", Kind::List(&INNER), Default::Nothing(""), "list").example("- a: 1\n  b: 2"),
        Key::new("z", Kind::Flag, Default::Is("true"), "no effect").instead(),
    ]);

    const EXPECTED: &str = r#"# Head

### Part
#
# All.
x:
  # One.
  #a: true
  # Two.
  #b: "2"
# List.
# - `a`: one.
# - `b`: two.
#y:
  #- a: 1
    #b: 2
# `z`: no effect.
"#;

    #[test]
    fn templates() {
        assert_eq!(template("# Head\n", &ALL, false), EXPECTED);
        assert_eq!(
            template("# Head\n", &ALL, true),
            EXPECTED.replace("\nx:", "\n#x:")
        );
    }

    #[test]
    fn comments_are_no_wider_than_the_page() {
        let mut text = String::new();
        comment(4, &"word ".repeat(60), &mut text);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.matches("word").count(), 60);
    }
}
