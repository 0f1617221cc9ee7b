// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed reading of YAML mappings with errors that say where and what instead.
//!
//! serde's derive would do most of it, but its messages quote values, which
//! may be passwords, and know no nearest key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_yaml::{Mapping, Value};

use super::localized::Localized;
use super::template::{self, TemplateError};
use crate::yaml::{dotted, line_of, listed, locale_in, nearest, wrong_type};

/// The file as a whole: its name and text for messages, its variables.
pub(super) struct Document {
    path: PathBuf,
    text: Zeroizing<String>,
    variables: Vec<(String, String)>,
}

/// One mapping. Keys are taken out of it; what is left at the end is unknown.
pub(super) struct Section {
    path: Vec<String>,
    map: Mapping,
    asked: Vec<&'static str>,
}

impl Document {
    pub(super) fn new(path: &Path, text: Zeroizing<String>) -> Self {
        Self {
            path: path.to_owned(),
            text,
            variables: Vec::new(),
        }
    }

    pub(super) fn set_variables(&mut self, variables: Vec<(String, String)>) {
        self.variables = variables;
    }

    /// File name for messages.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Where relative paths start.
    pub(super) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// The top-level mapping; an empty file is an empty one.
    pub(super) fn root(&self) -> Result<Section> {
        let value: Value = serde_yaml::from_str(&self.text).map_err(|e| {
            let line = e.location().map(|l| format!(", line {}", l.line()));
            Error::new(
                Code::ConfigInvalid,
                format!(
                    "{}{}: this is not valid YAML.",
                    self.name(),
                    line.unwrap_or_default()
                ),
            )
            .next("Correct the line; indentation and quotes are the usual causes.")
            .detail(e.to_string())
        })?;
        match value {
            Value::Null => Ok(Section::new(Vec::new(), Mapping::new())),
            Value::Mapping(map) => Ok(Section::new(Vec::new(), map)),
            other => Err(self.invalid(&[], &wrong_type("a mapping of keys", &other))),
        }
    }

    /// `CONFIG_INVALID` at a key, with the line when it can be found.
    pub(super) fn invalid(&self, path: &[&str], problem: &str) -> Error {
        let line = line_of(&self.text, path).map(|n| format!(", line {n}"));
        let key = match path {
            [] => String::new(),
            // Places in lists are `[0]`, `[1]`, …
            _ => format!("`{}`: ", dotted(path)),
        };
        Error::new(
            Code::ConfigInvalid,
            format!(
                "{}{}: {key}{problem}.",
                self.name(),
                line.unwrap_or_default()
            ),
        )
    }

    /// `CONFIG_INVALID` for a value outside of a list of names.
    pub(super) fn one_of(&self, path: &[&str], value: &str, names: &[&str]) -> Error {
        self.invalid(path, &format!("`{value}` is not a known value"))
            .why(match nearest(value, names) {
                Some(near) => format!("Perhaps `{near}` was meant."),
                None => "It is misspelt or not supported.".into(),
            })
            .next(format!("Write one of {}.", listed(names)))
    }

    /// A value as a text. YAML makes 13.1 of 13.10, and 13 of 0xd: a number or
    /// truth value counts only where that is what stands in the file.
    fn as_written(&self, path: &[&str], value: Value) -> Result<String> {
        let text = match &value {
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return into_text(self, path, value),
        };
        let line = line_of(&self.text, path).unwrap_or_default();
        let line = self.text.lines().nth(line.saturating_sub(1));
        let key = path.last().copied().unwrap_or_default();
        if line.is_some_and(|line| says(line, key, &text)) {
            return Ok(text);
        }
        Err(self
            .invalid(path, &format!("YAML reads this as {text}"))
            .why("Without quotes it is a number, or true or false, and not a text.")
            .next("Put the value into quotes."))
    }

    fn expand(&self, path: &[&str], text: String) -> Result<String> {
        if !text.contains("{{") {
            return Ok(text); // most texts, and no second copy of a secret
        }
        template::expand(&text, &self.variables).map_err(|e| match e {
            TemplateError::Open => self
                .invalid(path, "a `{{` has no `}}`")
                .next("Write variables as {{ name }}."),
            TemplateError::Unknown(name) => {
                let names: Vec<&str> = self.variables.iter().map(|(n, _)| n.as_str()).collect();
                self.invalid(path, &format!("the variable `{name}` is not defined"))
                    .why(match nearest(&name, &names) {
                        Some(near) => format!("Perhaps `{near}` was meant."),
                        None => "Nothing below `variables` has this name.".into(),
                    })
                    .next(format!("Define it: `variables: {{ {name}: … }}`."))
            }
        })
    }
}

impl Section {
    fn new(path: Vec<String>, map: Mapping) -> Self {
        Self {
            path,
            map,
            asked: Vec::new(),
        }
    }

    /// The path of the section itself.
    pub(super) fn at_itself(&self) -> Vec<&str> {
        borrow(&self.path)
    }

    /// The path of one of its keys.
    pub(super) fn at<'a>(&'a self, key: &'a str) -> Vec<&'a str> {
        self.path.iter().map(String::as_str).chain([key]).collect()
    }

    /// Takes the value of a key known by these names, of which the first is
    /// proposed to people. `null` counts as not there.
    fn take(
        &mut self,
        doc: &Document,
        names: &[&'static str],
    ) -> Result<Option<(&'static str, Value)>> {
        self.asked.extend(names);
        let mut found: Option<(&'static str, Value)> = None;
        for name in names.iter().copied() {
            match self.map.shift_remove(name) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    if let Some((first, _)) = found {
                        return Err(doc
                            .invalid(
                                &self.at(name),
                                &format!("the same key is there as `{first}` as well"),
                            )
                            .next("Remove one of the two."));
                    }
                    found = Some((name, value));
                }
            }
        }
        Ok(found)
    }

    /// Takes a value of whatever type that is not looked at.
    pub(super) fn anything(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        self.map.shift_remove(name)
    }

    /// A text, with variables resolved.
    pub(super) fn text(
        &mut self,
        doc: &Document,
        names: &[&'static str],
    ) -> Result<Option<String>> {
        let Some((key, value)) = self.take(doc, names)? else {
            return Ok(None);
        };
        let path = self.at(key);
        doc.expand(&path, into_text(doc, &path, value)?).map(Some)
    }

    /// A path; a relative one starts at the directory of the file.
    pub(super) fn path(
        &mut self,
        doc: &Document,
        names: &[&'static str],
    ) -> Result<Option<PathBuf>> {
        Ok(self.text(doc, names)?.map(|text| doc.dir().join(text)))
    }

    /// A list of paths; missing is empty.
    pub(super) fn paths(&mut self, doc: &Document, names: &[&'static str]) -> Result<Vec<PathBuf>> {
        let texts = self.texts(doc, names)?;
        Ok(texts.into_iter().map(|text| doc.dir().join(text)).collect())
    }

    /// A list of paths, in which `word` stays what it is; missing is empty.
    pub(super) fn paths_or_word(
        &mut self,
        doc: &Document,
        names: &[&'static str],
        word: &str,
    ) -> Result<Vec<PathBuf>> {
        let path = |text: String| match text == word {
            true => text.into(),
            false => doc.dir().join(text),
        };
        Ok(self.texts(doc, names)?.into_iter().map(path).collect())
    }

    /// A text that is kept secret. Variables are resolved, so that a password
    /// cannot hold `{{`.
    pub(super) fn secret(
        &mut self,
        doc: &Document,
        names: &[&'static str],
    ) -> Result<Option<SecretString>> {
        Ok(self.text(doc, names)?.map(SecretString::from))
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, doc: &Document, names: &[&'static str]) -> Result<Option<bool>> {
        match self.take(doc, names)? {
            None => Ok(None),
            Some((_, Value::Bool(b))) => Ok(Some(b)),
            Some((key, other)) => Err(doc
                .invalid(&self.at(key), &wrong_type("true or false", &other))
                .next("Write `true` or `false`.")),
        }
    }

    /// A list of texts, with variables resolved; missing is empty.
    pub(super) fn texts(&mut self, doc: &Document, names: &[&'static str]) -> Result<Vec<String>> {
        match self.take(doc, names)? {
            None => Ok(Vec::new()),
            Some((key, Value::Sequence(items))) => {
                let path = self.at(key);
                items
                    .into_iter()
                    .map(|item| doc.expand(&path, into_text(doc, &path, item)?))
                    .collect()
            }
            Some((key, other)) => Err(doc
                .invalid(&self.at(key), &wrong_type("a list", &other))
                .next("Write `[first, second]`, or one entry per line after `- `.")),
        }
    }

    /// A mapping.
    pub(super) fn section(
        &mut self,
        doc: &Document,
        names: &[&'static str],
    ) -> Result<Option<Self>> {
        let Some((key, value)) = self.take(doc, names)? else {
            return Ok(None);
        };
        let path = self.at(key).into_iter().map(str::to_owned).collect();
        into_section(doc, path, value).map(Some)
    }

    /// A list of mappings; missing is empty.
    pub(super) fn sections(&mut self, doc: &Document, name: &'static str) -> Result<Vec<Self>> {
        let items = match self.take(doc, &[name])? {
            None => Vec::new(),
            Some((_, Value::Sequence(items))) => items,
            Some((key, other)) => {
                return Err(doc
                    .invalid(&self.at(key), &wrong_type("a list", &other))
                    .next("Write each entry below it, the first line after `- `."));
            }
        };
        items
            .into_iter()
            .enumerate()
            .map(|(number, item)| {
                let path = self.at(name).into_iter().map(str::to_owned);
                let path = path.chain([format!("[{number}]")]).collect();
                into_section(doc, path, item)
            })
            .collect()
    }

    /// A text and its translations, which have the locale in brackets behind
    /// the name: `name[de]`.
    pub(super) fn localized(
        &mut self,
        doc: &Document,
        name: &'static str,
    ) -> Result<Option<Localized>> {
        let default = self.text(doc, &[name])?;
        let mut translations = BTreeMap::new();
        let keys: Vec<String> = self
            .map
            .keys()
            .filter_map(Value::as_str)
            .filter(|key| locale_in(key, name).is_some())
            .map(str::to_owned)
            .collect();
        for key in keys {
            let locale = locale_in(&key, name).unwrap_or_default().to_owned();
            let value = self.map.shift_remove(key.as_str()).unwrap_or(Value::Null);
            let path = self.at(&key);
            let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
            if locale.is_empty() || !locale.chars().all(part) {
                return Err(doc
                    .invalid(&path, "this is no locale")
                    .why("Locales here are written like de, de_AT or sr@latin.")
                    .next("Correct what is between the brackets."));
            }
            let text = doc.expand(&path, into_text(doc, &path, value)?)?;
            translations.insert(locale, text);
        }
        match default {
            Some(default) => Ok(Some(Localized {
                default,
                translations,
            })),
            None if translations.is_empty() => Ok(None),
            None => Err(doc
                .invalid(
                    &self.at_itself(),
                    &format!("`{name}` is there in translations only"),
                )
                .why("People with another language would see nothing.")
                .next(format!("Add `{name}` without brackets."))),
        }
    }

    /// All entries, whose keys are free, as mappings; `null` is an empty one.
    pub(super) fn into_sections(self, doc: &Document) -> Result<Vec<(String, Self)>> {
        let parent = self.path;
        self.map
            .into_iter()
            .map(|(key, value)| {
                let key = into_text(doc, &borrow(&parent), key)?;
                let mut path = parent.clone();
                path.push(key.clone());
                let value = match value {
                    Value::Null => Value::Mapping(Mapping::new()),
                    other => other,
                };
                Ok((key, into_section(doc, path, value)?))
            })
            .collect()
    }

    /// All entries, whose keys are free, as texts; numbers and truth values too,
    /// as they are written.
    pub(super) fn into_texts(self, doc: &Document) -> Result<Vec<(String, String)>> {
        let parent = self.path;
        self.map
            .into_iter()
            .map(|(key, value)| {
                let key = into_text(doc, &borrow(&parent), key)?;
                let mut path = borrow(&parent);
                path.push(&key);
                let value = doc.as_written(&path, value)?;
                Ok((key, value))
            })
            .collect()
    }

    /// Refuses what nobody asked for.
    pub(super) fn finish(self, doc: &Document) -> Result<()> {
        let Some(key) = self.map.keys().next() else {
            return Ok(());
        };
        let key = key.as_str().unwrap_or("(not a text)");
        let err = doc.invalid(&self.at(key), "this key is not known");
        Err(match nearest(key, &self.asked) {
            Some(near) => err
                .why(format!("It is probably a misspelling of `{near}`."))
                .next(format!("Write `{near}`, or remove the key.")),
            None => err.why("Nothing here has a similar name.").next(format!(
                "Remove it; known here are {}.",
                listed(&self.asked)
            )),
        })
    }
}

fn borrow(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn into_section(doc: &Document, path: Vec<String>, value: Value) -> Result<Section> {
    match value {
        Value::Mapping(map) => Ok(Section::new(path, map)),
        other => Err(doc
            .invalid(&borrow(&path), &wrong_type("a mapping of keys", &other))
            .next("Write its keys below it, indented.")),
    }
}

/// Whether `value` stands behind `key` in this line, as a whole word.
fn says(line: &str, key: &str, value: &str) -> bool {
    line.match_indices(key).any(|(at, _)| {
        let behind = line[at + key.len()..].trim_start_matches(['"', '\'']);
        let behind = behind.trim_start().strip_prefix(':').map(str::trim_start);
        let word = behind.and_then(|b| b.split([' ', '\t', ',', '}', '#']).next());
        word == Some(value)
    })
}

fn into_text(doc: &Document, path: &[&str], value: Value) -> Result<String> {
    match value {
        Value::String(s) => Ok(s),
        // Not converted: YAML has already changed 007 and 1e3 into something else.
        other => Err(doc
            .invalid(path, &wrong_type("a text", &other))
            .next("Put the value into quotes.")),
    }
}
