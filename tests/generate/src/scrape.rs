// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds texts in sources: Rust, C++ and QML have the same string literals.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The files below `dir` with this extension, by path, with their texts.
///
/// # Errors
/// When a directory or a file cannot be read.
pub fn files(dir: &Path, extension: &str) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|e| e == extension) {
            let text =
                fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            found.push((path, text));
        }
    }
    found.sort();
    Ok(found)
}

/// The string literal that `text` begins with, and what follows it; lines that
/// go on are one, as in Rust.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut chars = text.strip_prefix('"')?.chars();
    let mut value = String::new();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => match chars.next()? {
                '\n' => chars = chars.as_str().trim_start().chars(),
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
}

/// Literals that are the first thing after `call`, and where each call is;
/// neighbours are one text.
pub fn arguments(text: &str, call: &str) -> Vec<(usize, String)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(call)
        .filter(|(at, _)| !(call.starts_with(is_word) && text[..*at].ends_with(is_word)))
        .filter_map(|(at, _)| {
            let (mut value, mut rest) = literal(text[at + call.len()..].trim_start())?;
            while let Some((more, after)) = literal(rest.trim_start()) {
                value.push_str(&more);
                rest = after;
            }
            Some((at, value))
        })
        .collect()
}

/// All string literals of Rust code that are not in a comment, in their order.
pub fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/']) {
        let (before, here) = rest.split_at(at);
        if here.starts_with("//") {
            rest = here.split_once('\n').map_or("", |(_, after)| after);
        } else if before.ends_with('\'') && here.starts_with("\"'") {
            rest = &here[2..];
        } else if let Some((value, after)) = literal(here) {
            found.push(value);
            rest = after;
        } else {
            rest = &here[1..];
        }
    }
    found
}

/// What stands between two marks; an empty one is the beginning or the end.
///
/// # Errors
/// When the code does not have a mark.
pub fn between<'a>(code: &'a str, from: &str, to: &str) -> Result<&'a str> {
    let missing = |mark| format!("there is no {mark:?} any more");
    let at = code.find(from).with_context(|| missing(from))?;
    let code = &code[at + from.len()..];
    let end = match to {
        "" => code.len(),
        _ => code.find(to).with_context(|| missing(to))?,
    };
    Ok(&code[..end])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn literals_after_a_call() {
        let code = ".why(\"a \\\n   b\").why( \"c\" \"d\" ).why(name).other.why(\"\\\"e\\\"\")";
        let texts: Vec<_> = arguments(code, ".why(")
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, ["a b", "cd", "\"e\""]);
        assert_eq!(
            arguments("qtr(\"a\") tr(\"b\")", "tr("),
            [(9, "b".to_owned())]
        );
    }

    #[test]
    fn literals_of_code_and_not_of_comments() {
        let code = "// no \"x\"\nlet a = ('\"', \"a // b\", 1 / 2, \"c\\\"\"); // \"\nf(\"d\")";
        assert_eq!(literals(code), ["a // b", "c\"", "d"]);
        assert!(literals("\"open").is_empty());
    }

    #[test]
    fn parts_between_marks() {
        let code = "fn a() {\n    \"1\"\n}\nfn b() {}\n";
        assert_eq!(between(code, "", "").unwrap(), code);
        assert_eq!(between(code, "fn a", "\n}\n").unwrap(), "() {\n    \"1\"");
        assert!(between(code, "fn c", "").is_err());
        assert!(between(code, "fn b", "\n}\n").is_err());
    }
}
