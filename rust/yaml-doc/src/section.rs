// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed reading of a mapping by the table of its keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use secrecy::SecretString;

use crate::document::Document;
use crate::keys::{Form, Key, Kind, Table};
use crate::mistake::{Mistake, Result};
use crate::tree::{Name, Node, Value};
use crate::words::{locale_in, wrong_type};

/// A mapping in which every key is in its table.
#[derive(Debug)]
pub struct Section<'d> {
    doc: &'d Document,
    table: &'static Table,
    path: Vec<String>,
    entries: &'d [(Name, Rc<Node>)],
}

impl<'d> Section<'d> {
    /// The top-level mapping of a file; an empty file is an empty one.
    ///
    /// # Errors
    /// When the file is no YAML, or no mapping of keys of `table`.
    pub fn root(doc: &'d Document, table: &'static Table) -> Result<Self> {
        Self::of(doc, table, Vec::new(), &doc.tree()?.value)
    }

    /// The mapping at `path`; nothing is an empty one.
    fn of(
        doc: &'d Document,
        table: &'static Table,
        path: Vec<String>,
        value: &'d Value,
    ) -> Result<Self> {
        let entries = entries(doc, &borrow(&path), value)?;
        let section = Self {
            doc,
            table,
            path,
            entries,
        };
        section.look_at_keys()?;
        Ok(section)
    }

    /// Refuses what is not in the table, and what is there in two spellings.
    fn look_at_keys(&self) -> Result<()> {
        for (name, _) in self.entries {
            let key = name.text.as_str();
            match self.table.keys.iter().find(|known| is(known, name)) {
                Some(known) => {
                    if let Kind::Refused(wrong) = known.kind {
                        return Err(self
                            .invalid(key, wrong.what)
                            .why(wrong.why.as_ref())
                            .next(wrong.next));
                    }
                }
                None => {
                    return Err(self.doc.unknown_key(&self.at(key), key, &self.known()));
                }
            }
        }
        for known in self.table.keys.iter().filter(|key| !key.also.is_empty()) {
            let mut written = known.names().filter(|name| self.value(name).is_some());
            if let (Some(first), Some(second)) = (written.next(), written.next()) {
                return Err(self
                    .invalid(
                        second,
                        &format!("the same key is there as `{first}` as well"),
                    )
                    .next("Remove one of the two."));
            }
        }
        Ok(())
    }

    /// What can be written here, for messages.
    fn known(&self) -> Vec<&'static str> {
        let keys = self.table.keys.iter();
        keys.filter(|key| !matches!(key.kind, Kind::Refused(_)))
            .map(|key| key.name)
            .collect()
    }

    /// The document.
    pub fn doc(&self) -> &'d Document {
        self.doc
    }

    /// The path of the section itself.
    pub fn at_itself(&self) -> Vec<&str> {
        borrow(&self.path)
    }

    /// The path of one of its keys.
    pub fn at<'a>(&'a self, key: &'a str) -> Vec<&'a str> {
        self.path.iter().map(String::as_str).chain([key]).collect()
    }

    /// A mistake at one of its keys.
    pub fn invalid(&self, key: &str, problem: &str) -> Mistake {
        self.doc.invalid(&self.at(key), problem)
    }

    /// Whether a key is written down, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key.text == name)
    }

    /// What stands behind a key of exactly this name; `null` counts as not there.
    fn value(&self, name: &str) -> Option<&'d Value> {
        let entry = self.entries.iter().find(|(key, _)| key.text == name)?;
        Some(&entry.1.value).filter(|value| **value != Value::Null)
    }

    /// A key of the table, its path as it is written, and its value.
    fn find(&self, name: &'static str) -> Option<(&'static Key, Vec<&str>, &'d Value)> {
        let key = self.table.keys.iter().find(|key| key.name == name);
        // Reading every key that it knows is what each test of a format does.
        debug_assert!(key.is_some(), "`{name}` is in no table");
        let key = key?;
        let (written, value) = key.names().find_map(|n| Some((n, self.value(n)?)))?;
        Some((key, self.at(written), value))
    }

    /// A value that the caller looks at, with its path.
    pub fn special(&self, name: &'static str) -> Option<(Vec<&str>, &'d Value)> {
        self.find(name).map(|(_, path, value)| (path, value))
    }

    /// A text that the caller looks at.
    pub fn unchecked(&self, name: &'static str) -> Result<Option<String>> {
        match self.find(name) {
            None => Ok(None),
            Some((_, path, value)) => {
                let text = text(self.doc, &path, value)?;
                self.doc.expand(&path, text).map(Some)
            }
        }
    }

    /// A text, or one of several words.
    pub fn text(&self, name: &'static str) -> Result<Option<String>> {
        let Some((key, path, value)) = self.find(name) else {
            return Ok(None);
        };
        let text = self.doc.expand(&path, text(self.doc, &path, value)?)?;
        match key.kind {
            Kind::Text(form) => self.doc.check(&path, text, form.check).map(Some),
            Kind::Word(words, also)
                if !words.contains(&text.as_str()) && !also.contains(&text.as_str()) =>
            {
                Err(self.doc.one_of(&path, &text, words))
            }
            _ => Ok(Some(text)),
        }
    }

    /// Puts a text into `place`, when there is one.
    pub fn replace(&self, name: &'static str, place: &mut String) -> Result<()> {
        if let Some(text) = self.text(name)? {
            *place = text;
        }
        Ok(())
    }

    /// A text that is kept secret. Variables are resolved, so that a password
    /// cannot hold `{{`.
    pub fn secret(&self, name: &'static str) -> Result<Option<SecretString>> {
        Ok(self.text(name)?.map(SecretString::from))
    }

    /// A list of texts; missing is empty.
    pub fn texts(&self, name: &'static str) -> Result<Vec<String>> {
        let Some((key, path, value)) = self.find(name) else {
            return Ok(Vec::new());
        };
        let form = match key.kind {
            Kind::Texts(form) => form,
            _ => &crate::keys::ANY,
        };
        let mut texts = Vec::new();
        for (number, (_, item)) in list(self.doc, &path, value)?.iter().enumerate() {
            let place = format!("[{number}]");
            let path: Vec<&str> = path.iter().copied().chain([place.as_str()]).collect();
            let text = text(self.doc, &path, &item.value)?;
            let text = self.doc.expand(&path, text)?;
            texts.push(self.doc.check(&path, text, form.check)?);
        }
        Ok(texts)
    }

    /// A path; a relative one starts at the directory of the file.
    pub fn path(&self, name: &'static str) -> Result<Option<PathBuf>> {
        Ok(self.text(name)?.map(|text| self.doc.resolve(&text)))
    }

    /// A list of paths; missing is empty.
    pub fn paths(&self, name: &'static str) -> Result<Vec<PathBuf>> {
        let texts = self.texts(name)?;
        Ok(texts.iter().map(|text| self.doc.resolve(text)).collect())
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>> {
        match self.find(name) {
            None => Ok(None),
            Some((_, _, Value::Bool { value, .. })) => Ok(Some(*value)),
            Some((_, path, other)) => Err(self
                .doc
                .invalid(&path, &wrong_type("true or false", other))
                .next("Write `true` or `false`.")),
        }
    }

    /// A whole number within its limits.
    pub fn number(&self, name: &'static str) -> Result<Option<u32>> {
        let Some((key, path, value)) = self.find(name) else {
            return Ok(None);
        };
        let (low, high) = match key.kind {
            Kind::Number(low, high) => (low, high),
            _ => (0, u32::MAX),
        };
        let wanted = format!("a whole number from {low} to {high}");
        let problem = match value {
            Value::Number { read, .. } => match read.parse::<u32>() {
                Ok(number) if (low..=high).contains(&number) => return Ok(Some(number)),
                _ => format!("{wanted} is expected here, not {read}"),
            },
            other => wrong_type(&wanted, other),
        };
        Err(self
            .doc
            .invalid(&path, &problem)
            .next("Write such a number, without quotes."))
    }

    /// A mapping.
    pub fn section(&self, name: &'static str) -> Result<Option<Self>> {
        match self.find(name) {
            None => Ok(None),
            Some((key, path, value)) => self.inner(key, owned(&path), value).map(Some),
        }
    }

    /// A mapping; missing is an empty one.
    pub fn section_or_empty(&self, name: &'static str) -> Result<Self> {
        let section = self.section(name)?;
        Ok(section.unwrap_or_else(|| Self {
            doc: self.doc,
            table: self.table_of(name),
            path: owned(&self.at(name)),
            entries: &[],
        }))
    }

    fn table_of(&self, name: &str) -> &'static Table {
        static NONE: Table = Table::of(&[]);
        let key = self.table.keys.iter().find(|key| key.name == name);
        key.and_then(table).unwrap_or(&NONE)
    }

    fn inner(&self, key: &Key, path: Vec<String>, value: &'d Value) -> Result<Self> {
        Self::of(self.doc, self.table_of(key.name), path, value)
    }

    /// A list of mappings; missing is empty.
    pub fn sections(&self, name: &'static str) -> Result<Vec<Self>> {
        let Some((key, path, value)) = self.find(name) else {
            return Ok(Vec::new());
        };
        let items = list(self.doc, &path, value)?.iter().enumerate();
        items
            .map(|(number, (_, item))| {
                let mut path = owned(&path);
                path.push(format!("[{number}]"));
                match &item.value {
                    Value::Null => Err(not_a_mapping(self.doc, &borrow(&path), &Value::Null)),
                    value => self.inner(key, path, value),
                }
            })
            .collect()
    }

    /// A text and its translations, which have the locale in brackets behind
    /// the name: `name[de]`. The text for every other language has the key `""`.
    pub fn localized(&self, name: &'static str) -> Result<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        let key = self.table.keys.iter().find(|key| key.name == name);
        let Some(Kind::Localized { text: form, locale }) = key.map(|key| key.kind) else {
            debug_assert!(false, "`{name}` is no text with translations");
            return Ok(texts);
        };
        for (key, node) in self.entries {
            let language = match locale_in(&key.text, name) {
                Some(language) => language,
                None if key.text == name && node.value != Value::Null => "",
                None => continue,
            };
            let path = self.at(&key.text);
            if key.text != name {
                (locale.check)(language)
                    .map_err(|wrong| self.doc.wrong(&path, language, &wrong))?;
            }
            let text = text(self.doc, &path, &node.value)?;
            let text = self.doc.expand(&path, text)?;
            let text = self.doc.check(&path, text, form.check)?;
            texts.insert(language.to_owned(), text);
        }
        if !texts.is_empty() && !texts.contains_key("") {
            return Err(self
                .doc
                .invalid(
                    &self.at_itself(),
                    &format!("`{name}` is there in translations only"),
                )
                .why("People with another language would see nothing.")
                .next(format!("Add `{name}` without brackets.")));
        }
        Ok(texts)
    }

    /// The entries of a mapping whose keys are free, as mappings; `null` is an
    /// empty one.
    pub fn named(&self, name: &'static str) -> Result<Vec<(String, Self)>> {
        let Some((key, path, value)) = self.find(name) else {
            return Ok(Vec::new());
        };
        let Kind::Named { names, table, .. } = key.kind else {
            debug_assert!(false, "`{name}` has no free names");
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for (name, node) in entries(self.doc, &path, value)? {
            let mut path = owned(&path);
            path.push(free(self.doc, &borrow(&path), name, names)?);
            all.push((
                name.text.clone(),
                Self::of(self.doc, table, path, &node.value)?,
            ));
        }
        Ok(all)
    }

    /// The entries of a mapping whose keys are free, as texts.
    pub fn named_texts(&self, name: &'static str) -> Result<Vec<(String, String)>> {
        let Some((key, path, value)) = self.find(name) else {
            return Ok(Vec::new());
        };
        let Kind::NamedTexts {
            names,
            texts,
            as_written,
            ..
        } = key.kind
        else {
            debug_assert!(false, "`{name}` has no free names");
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for (name, node) in entries(self.doc, &path, value)? {
            let mut path = owned(&path);
            path.push(free(self.doc, &borrow(&path), name, names)?);
            let path = borrow(&path);
            let found = match as_written {
                true => written(self.doc, &path, &node.value)?,
                false => text(self.doc, &path, &node.value)?,
            };
            let text = self.doc.check(&path, found.to_owned(), texts.check)?;
            all.push((name.text.clone(), text));
        }
        Ok(all)
    }
}

/// Whether this is the key, or a translation of it.
fn is(key: &Key, name: &Name) -> bool {
    name.is_text
        && (key.names().any(|known| known == name.text)
            || matches!(key.kind, Kind::Localized { .. })
                && locale_in(&name.text, key.name).is_some())
}

/// The table of what is in a key.
fn table(key: &'static Key) -> Option<&'static Table> {
    match key.kind {
        Kind::Mapping(table) | Kind::List(table) | Kind::Named { table, .. } => Some(table),
        _ => None,
    }
}

/// A name that is free, when its form is right.
fn free(doc: &Document, parent: &[&str], name: &Name, form: &Form) -> Result<String> {
    if !name.is_text {
        let path: Vec<&str> = parent.iter().copied().chain([name.text.as_str()]).collect();
        return Err(doc
            .invalid(&path, "a text is expected as the key here")
            .next("Put the key into quotes."));
    }
    let path: Vec<&str> = parent.iter().copied().chain([name.text.as_str()]).collect();
    doc.check(&path, name.text.clone(), form.check)
}

fn borrow(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}

fn entries<'d>(doc: &Document, path: &[&str], value: &'d Value) -> Result<&'d [(Name, Rc<Node>)]> {
    match value {
        Value::Null => Ok(&[]),
        Value::Mapping(entries) => Ok(entries),
        other => Err(not_a_mapping(doc, path, other)),
    }
}

fn not_a_mapping(doc: &Document, path: &[&str], value: &Value) -> Mistake {
    let err = doc.invalid(path, &wrong_type("a mapping of keys", value));
    match path {
        [] => err.next("Write keys and values: `key: value`, one per line."),
        _ => err.next("Write its keys below it, indented."),
    }
}

fn list<'d>(
    doc: &Document,
    path: &[&str],
    value: &'d Value,
) -> Result<&'d [(crate::tree::Place, Rc<Node>)]> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(doc
            .invalid(path, &wrong_type("a list", other))
            .next("Write `[first, second]`, or one entry per line after `- `.")),
    }
}

fn text<'d>(doc: &Document, path: &[&str], value: &'d Value) -> Result<&'d str> {
    match value {
        Value::Text(text) => Ok(text),
        // Not converted: YAML has already changed 13.10 and 1e3 into something
        // else.
        other => Err(doc
            .invalid(path, &wrong_type("a text", other))
            .next("Put the value into quotes.")),
    }
}

/// A value as a text. YAML makes 13.1 of 13.10, and 13 of 0xd: a number or truth
/// value counts only where that is what stands in the file.
fn written<'d>(doc: &Document, path: &[&str], value: &'d Value) -> Result<&'d str> {
    let (read, written) = match value {
        Value::Number { read, written } => (read.as_str(), written),
        Value::Bool { value, written } => (if *value { "true" } else { "false" }, written),
        other => return text(doc, path, other),
    };
    if read == written {
        return Ok(written);
    }
    Err(doc
        .invalid(path, &format!("YAML reads this as {read}"))
        .why("Without quotes it is a number, or true or false, and not a text.")
        .next("Put the value into quotes."))
}
