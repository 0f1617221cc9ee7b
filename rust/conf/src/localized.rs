// SPDX-License-Identifier: MIT OR Apache-2.0
//! Texts of a configuration in several languages.

use std::collections::BTreeMap;

/// A text in several languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localized {
    /// The text for every other language.
    pub default: String,
    /// The texts by locale, written like `de` or `pt_BR`.
    pub translations: BTreeMap<String, String>,
}

impl Localized {
    /// From texts by locale, of which `""` is the default; none without that.
    pub fn new(mut texts: BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            default: texts.remove("")?,
            translations: texts,
        })
    }

    /// The text for a locale such as `de_AT.UTF-8`, `de-AT` or `sr@latin`: the
    /// nearest translation, from the whole name to the bare language.
    pub fn get(&self, locale: &str) -> &str {
        let locale = locale.replace('-', "_");
        let (name, modifier) = match locale.split_once('@') {
            Some((name, modifier)) => (name, Some(modifier)),
            None => (locale.as_str(), None),
        };
        let name = name.split('.').next().unwrap_or(name);
        let language = name.split('_').next().unwrap_or(name);
        let modified = |name: &str| modifier.map(|m| format!("{name}@{m}"));
        [
            modified(name),
            modified(language),
            Some(name.to_owned()),
            Some(language.to_owned()),
        ]
        .iter()
        .flatten()
        .find_map(|key| self.translations.get(key))
        .unwrap_or(&self.default)
    }
}
