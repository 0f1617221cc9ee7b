// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words for messages.

use crate::tree::Value;

/// Least similarity (Jaro-Winkler) of a word to be proposed.
const SIMILAR: f64 = 0.75;

/// A path to a key, as people write it: `images.catalogue[0].name`.
pub fn dotted(path: &[&str]) -> String {
    path.join(".").replace(".[", "[")
}

/// Words in backquotes, with commas between them.
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    quoted.join(", ")
}

/// That something else is expected than what was found. Never shows the value,
/// which may be a password.
pub fn wrong_type(wanted: &str, found: &Value) -> String {
    format!("{wanted} is expected here, not {}", found.kind())
}

/// The word that is most like `word`, if any is alike.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .iter()
        .map(|k| (strsim::jaro_winkler(&word, &k.to_lowercase()), *k))
        .filter(|(score, _)| *score >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

/// The locale of a translated text's key: `de` in `name[de]`.
pub fn locale_in<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    key.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')
}

/// A value for a message: what may be a password before an `@` is left out,
/// and it is one line that is not too long.
pub fn shown(value: &str) -> String {
    let value = match value.rsplit_once('@') {
        Some((_, rest)) if !rest.starts_with("sha256:") && !rest.starts_with("sha512:") => {
            format!("***@{rest}")
        }
        _ => value.to_owned(),
    };
    let mut short: String = value.chars().take(60).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short.replace(char::is_control, "�")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_word() {
        let known = ["shortName", "supportUrl", "name", "containerUrl", "kargs"];
        for (word, expected) in [
            ("short_name", Some("shortName")),
            ("supporturl", Some("supportUrl")),
            ("containerURL", Some("containerUrl")),
            ("karg", Some("kargs")),
            ("nmae", Some("name")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }

    #[test]
    fn texts_for_people() {
        assert_eq!(dotted(&["a", "b", "[0]", "c"]), "a.b[0].c");
        assert_eq!(listed(&["a", "b"]), "`a`, `b`");
        assert_eq!(
            wrong_type("a text", &Value::List(Vec::new())),
            "a text is expected here, not a list"
        );
        assert_eq!(locale_in("name[de]", "name"), Some("de"));
        assert_eq!(locale_in("names[de]", "name"), None);
    }
}
