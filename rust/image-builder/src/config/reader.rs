// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed reading of YAML mappings, with errors that say where and what instead.
//!
//! serde's derive would do most of it, but it knows no nearest key, and its
//! messages quote values, which may be passwords that do not belong here.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use conf::yaml::{dotted, line_of, listed, locale_in, nearest, wrong_type};
use serde_yaml::{Mapping, Value};

use super::syntax::{Check, Wrong, shown};
use crate::error::{Code, Error, Result};

/// The file as a whole: its name and text for messages, its directory.
pub(super) struct Document<'a> {
    name: String,
    dir: PathBuf,
    text: &'a str,
}

/// One mapping. Keys are taken out of it; what is left at the end is unknown.
pub(super) struct Section {
    path: Vec<String>,
    map: Mapping,
    asked: Vec<&'static str>,
}

impl<'a> Document<'a> {
    /// `name` is for messages, relative paths start at `dir`.
    pub(super) fn new(name: &Path, dir: &Path, text: &'a str) -> Self {
        Self {
            name: name.display().to_string(),
            dir: dir.to_owned(),
            text,
        }
    }

    /// File name for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A path of the file, from its directory.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        // By components, so that `./logo.svg` and `logo.svg` are one.
        self.dir.join(path).components().collect()
    }

    /// The top-level mapping; an empty file is an empty one.
    pub(super) fn root(&self) -> Result<Section> {
        let value: Value = serde_yaml::from_str(self.text).map_err(|e| {
            let line = e.location().map(|l| format!(", line {}", l.line()));
            Error::new(
                Code::ConfigInvalid,
                format!(
                    "{}{}: this is not valid YAML.",
                    self.name,
                    line.unwrap_or_default()
                ),
            )
            .why("Indentation, a quote, or a key that is there twice are the usual causes.")
            .next("Correct the line.")
            .detail(e.to_string())
        })?;
        match value {
            Value::Null => Ok(Section::new(Vec::new(), Mapping::new())),
            Value::Mapping(map) => Ok(Section::new(Vec::new(), map)),
            other => Err(self
                .invalid(&[], &wrong_type("a mapping of keys", &other))
                .next("Write keys and values, such as `suite: trixie`.")),
        }
    }

    /// `CONFIG_INVALID` at a key.
    pub(super) fn invalid(&self, path: &[&str], problem: &str) -> Error {
        let key = match path {
            [] => String::new(),
            _ => format!("`{}`: ", dotted(path)),
        };
        Error::new(
            Code::ConfigInvalid,
            format!("{}: {key}{problem}.", self.place(path)),
        )
    }

    /// `distro.yaml, line 7`.
    fn place(&self, path: &[&str]) -> String {
        match line_of(self.text, path) {
            Some(line) => format!("{}, line {line}", self.name),
            None => self.name.clone(),
        }
    }

    /// `CONFIG_INVALID` for a key that nobody knows.
    fn unknown_key(&self, path: &[&str], key: &str, known: &[&str]) -> Error {
        let err = Error::new(
            Code::ConfigInvalid,
            format!(
                "{}: `{}` is not a known key.",
                self.place(path),
                dotted(path)
            ),
        );
        match nearest(key, known) {
            Some(near) => err
                .why(format!("Perhaps `{near}` was meant."))
                .next(format!("Write `{near}`, or remove the key.")),
            None => err
                .why("No key here has a similar name.")
                .next(format!("Remove it; known here are {}.", listed(known))),
        }
    }

    /// `CONFIG_INVALID` for a value outside of a list of names.
    pub(super) fn one_of(&self, path: &[&str], value: &str, names: &[&str]) -> Error {
        self.invalid(path, &format!("`{}` is not a known value", shown(value)))
            .why(match nearest(value, names) {
                Some(near) => format!("Perhaps `{near}` was meant."),
                None => "It is misspelt or not supported.".into(),
            })
            .next(match names {
                [only] => format!("Write `{only}`."),
                _ => format!("Write one of {}.", listed(names)),
            })
    }

    /// `CONFIG_INVALID` for a value with a wrong form.
    pub(super) fn wrong(&self, path: &[&str], value: &str, wrong: &Wrong) -> Error {
        self.invalid(path, &format!("`{}` {}", shown(value), wrong.what))
            .why(wrong.why.as_str())
            .next(wrong.next)
    }

    fn check(&self, path: &[&str], value: String, check: Check) -> Result<String> {
        match check(&value) {
            Ok(()) => Ok(value),
            Err(wrong) => Err(self.wrong(path, &value, &wrong)),
        }
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

    /// Takes the value of a key; `null` counts as not there.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        self.map
            .shift_remove(name)
            .filter(|value| *value != Value::Null)
    }

    /// Whether a key is written down, with a value or without.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// A text of any form.
    pub(super) fn text(&mut self, doc: &Document, name: &'static str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => into_text(doc, &self.at(name), value).map(Some),
        }
    }

    /// A text of a certain form.
    pub(super) fn checked(
        &mut self,
        doc: &Document,
        name: &'static str,
        check: Check,
    ) -> Result<Option<String>> {
        match self.text(doc, name)? {
            None => Ok(None),
            Some(text) => doc.check(&self.at(name), text, check).map(Some),
        }
    }

    /// Puts a text of a certain form into `place`, when there is one.
    pub(super) fn replace(
        &mut self,
        doc: &Document,
        name: &'static str,
        check: Check,
        place: &mut String,
    ) -> Result<()> {
        if let Some(text) = self.checked(doc, name, check)? {
            *place = text;
        }
        Ok(())
    }

    /// One of several words.
    pub(super) fn word(
        &mut self,
        doc: &Document,
        name: &'static str,
        words: &[&str],
    ) -> Result<Option<String>> {
        match self.text(doc, name)? {
            Some(text) if !words.contains(&text.as_str()) => {
                Err(doc.one_of(&self.at(name), &text, words))
            }
            text => Ok(text),
        }
    }

    /// A list of texts of a certain form; missing is empty.
    pub(super) fn texts(
        &mut self,
        doc: &Document,
        name: &'static str,
        check: Check,
    ) -> Result<Vec<String>> {
        let items = self.list(doc, name)?;
        items
            .into_iter()
            .enumerate()
            .map(|(number, item)| {
                let place = format!("[{number}]");
                let mut path = self.at(name);
                path.push(&place);
                let text = into_text(doc, &path, item)?;
                doc.check(&path, text, check)
            })
            .collect()
    }

    /// A path; a relative one starts at the directory of the file.
    pub(super) fn path(&mut self, doc: &Document, name: &'static str) -> Result<Option<PathBuf>> {
        let text = self.checked(doc, name, super::syntax::path)?;
        Ok(text.map(|text| doc.resolve(&text)))
    }

    /// A list of paths; missing is empty.
    pub(super) fn paths(&mut self, doc: &Document, name: &'static str) -> Result<Vec<PathBuf>> {
        let texts = self.texts(doc, name, super::syntax::path)?;
        Ok(texts.iter().map(|text| doc.resolve(text)).collect())
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, doc: &Document, name: &'static str) -> Result<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(b)) => Ok(Some(b)),
            Some(other) => Err(doc
                .invalid(&self.at(name), &wrong_type("true or false", &other))
                .next("Write `true` or `false`.")),
        }
    }

    /// A whole number within limits.
    pub(super) fn number(
        &mut self,
        doc: &Document,
        name: &'static str,
        limits: RangeInclusive<u32>,
    ) -> Result<Option<u32>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
        match number.filter(|n| limits.contains(n)) {
            Some(number) => Ok(Some(number)),
            None => {
                let (low, high) = (limits.start(), limits.end());
                let wanted = format!("a whole number from {low} to {high}");
                let problem = match &value {
                    Value::Number(n) => format!("{wanted} is expected here, not {n}"),
                    other => wrong_type(&wanted, other),
                };
                Err(doc
                    .invalid(&self.at(name), &problem)
                    .next("Write such a number, without quotes."))
            }
        }
    }

    /// A mapping.
    pub(super) fn section(&mut self, doc: &Document, name: &'static str) -> Result<Option<Self>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => into_section(doc, owned(&self.at(name)), value).map(Some),
        }
    }

    /// A mapping; missing is an empty one, so that what is known in it is
    /// asked for in one place only.
    pub(super) fn section_or_empty(&mut self, doc: &Document, name: &'static str) -> Result<Self> {
        let path = owned(&self.at(name));
        Ok(self
            .section(doc, name)?
            .unwrap_or_else(|| Self::new(path, Mapping::new())))
    }

    /// A list of mappings; missing is empty.
    pub(super) fn sections(&mut self, doc: &Document, name: &'static str) -> Result<Vec<Self>> {
        let items = self.list(doc, name)?;
        items
            .into_iter()
            .enumerate()
            .map(|(number, item)| {
                let mut path = owned(&self.at(name));
                path.push(format!("[{number}]"));
                into_section(doc, path, item)
            })
            .collect()
    }

    fn list(&mut self, doc: &Document, name: &'static str) -> Result<Vec<Value>> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Sequence(items)) => Ok(items),
            Some(other) => Err(doc
                .invalid(&self.at(name), &wrong_type("a list", &other))
                .next("Write `[first, second]`, or one entry per line after `- `.")),
        }
    }

    /// A text and its translations, which have the locale in brackets behind
    /// the name: `name[de]`. The text for every other language has the key `""`.
    pub(super) fn localized(
        &mut self,
        doc: &Document,
        name: &'static str,
        check: Check,
    ) -> Result<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        if let Some(default) = self.checked(doc, name, check)? {
            texts.insert(String::new(), default);
        }
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
            if let Err(wrong) = super::syntax::language(&locale) {
                return Err(doc.wrong(&path, &locale, &wrong));
            }
            let text = into_text(doc, &path, value)?;
            texts.insert(locale, doc.check(&path, text, check)?);
        }
        if !texts.is_empty() && !texts.contains_key("") {
            return Err(doc
                .invalid(
                    &self.at_itself(),
                    &format!("`{name}` is there in translations only"),
                )
                .why("People with another language would see nothing.")
                .next(format!("Add `{name}` without brackets.")));
        }
        Ok(texts)
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

    /// All entries, whose keys are free, as texts.
    pub(super) fn into_texts(self, doc: &Document) -> Result<Vec<(String, String)>> {
        let parent = self.path;
        self.map
            .into_iter()
            .map(|(key, value)| {
                let key = into_text(doc, &borrow(&parent), key)?;
                let mut path = borrow(&parent);
                path.push(&key);
                let value = into_text(doc, &path, value)?;
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
        Err(doc.unknown_key(&self.at(key), key, &self.asked))
    }
}

fn borrow(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}

fn into_section(doc: &Document, path: Vec<String>, value: Value) -> Result<Section> {
    match value {
        Value::Mapping(map) => Ok(Section::new(path, map)),
        other => Err(doc
            .invalid(&borrow(&path), &wrong_type("a mapping of keys", &other))
            .next("Write its keys below it, indented.")),
    }
}

fn into_text(doc: &Document, path: &[&str], value: Value) -> Result<String> {
    match value {
        Value::String(s) => Ok(s),
        // Not converted: YAML has already changed 13.10 and 007 into something
        // else.
        other => Err(doc
            .invalid(path, &wrong_type("a text", &other))
            .next("Put the value into quotes.")),
    }
}
