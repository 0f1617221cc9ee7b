// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the readers of configuration files in YAML share: on which line a key
//! is, which word was meant, and what stands where something else should. The
//! image builder reads its files with it too.

mod lines;

use serde_yaml::Value;

pub use lines::line_of;

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
    let found = match found {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Tagged(_) => "a tagged value",
    };
    format!("{wanted} is expected here, not {found}")
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
            wrong_type("a text", &Value::Bool(true)),
            "a text is expected here, not true or false"
        );
        assert_eq!(locale_in("name[de]", "name"), Some("de"));
        assert_eq!(locale_in("names[de]", "name"), None);
    }
}
