// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed reading of JSON objects without parsing what nobody asks for.
//!
//! serde's derive would parse every value of a list's elements and quotes
//! values in its messages; some of them are passphrases.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;

use contract::error::{Code, Error, Result};

/// One JSON object. Its values are borrowed from the text and not parsed yet.
pub(super) struct Object<'a> {
    /// Where it is, for messages: empty, or ending with a dot.
    place: String,
    values: BTreeMap<String, &'a RawValue>,
}

impl<'a> Object<'a> {
    /// The whole text.
    pub(super) fn top(text: &'a str) -> Result<Self> {
        let values = serde_json::from_str(text).map_err(|err| {
            Error::new(
                Code::CalamaresInvalid,
                "Calamares' global storage is no JSON object.",
            )
            // Not the message itself, which may quote a value.
            .detail(format!("line {}, column {}", err.line(), err.column()))
        })?;
        Ok(Self {
            place: String::new(),
            values,
        })
    }

    /// The same without any key but these.
    pub(super) fn only(mut self, keys: &[&str]) -> Self {
        self.values.retain(|key, _| keys.contains(&key.as_str()));
        self
    }

    /// `CALAMARES_INVALID` about a key.
    pub(super) fn invalid(&self, key: &str, problem: &str) -> Error {
        Error::new(
            Code::CalamaresInvalid,
            format!(
                "In Calamares' global storage `{}{key}` cannot be used: {problem}.",
                self.place
            ),
        )
    }

    /// The raw value of a key; `null` counts as not there.
    fn raw(&self, key: &str) -> Option<&'a RawValue> {
        self.values
            .get(key)
            .copied()
            .filter(|raw| raw.get() != "null")
    }

    /// Whether a key is there and `null`.
    pub(super) fn is_null(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|raw| raw.get() == "null")
    }

    fn parse<T: Deserialize<'a>>(&self, key: &str, wanted: &str) -> Result<Option<T>> {
        match self.raw(key) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get())
                .map(Some)
                .map_err(|_| self.invalid(key, &format!("{wanted} is expected"))),
        }
    }

    /// A text; an empty one counts as not there.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>> {
        let text: Option<String> = self.parse(key, "a text")?;
        Ok(text.filter(|t| !t.is_empty()))
    }

    /// An absolute path.
    pub(super) fn path(&self, key: &str) -> Result<Option<PathBuf>> {
        match self.text(key)?.map(PathBuf::from) {
            Some(path) if !path.is_absolute() => {
                Err(self.invalid(key, "an absolute path is expected"))
            }
            other => Ok(other),
        }
    }

    /// A bool, or a number as Python modules leave it.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.raw(key).map(RawValue::get) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => {
                let number: Option<f64> = self.parse(key, "a bool or a number")?;
                Ok(number.map(|n| n != 0.0))
            }
        }
    }

    /// An object.
    pub(super) fn object(&self, key: &str) -> Result<Option<Self>> {
        let values = self.parse(key, "an object")?;
        Ok(values.map(|values| Self {
            place: format!("{}{key}.", self.place),
            values,
        }))
    }

    /// A list of objects; a missing one is empty.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Self>> {
        let items: Option<Vec<BTreeMap<String, &RawValue>>> =
            self.parse(key, "a list of objects")?;
        Ok(items
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(i, values)| Self {
                place: format!("{}{key}[{i}].", self.place),
                values,
            })
            .collect())
    }
}
