// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a `registries.conf`, version 2, after
//! `containers-registries.conf(5)` and what containers/image refuses.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::RegistryError;
use crate::settings::registry_entry::{Mirror, PullFromMirror, RegistryEntry};

/// Why a `registries.conf` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {problem}")]
pub struct RegistriesConfError {
    /// The file.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// The key, and what is wrong with it.
    pub problem: String,
}

impl From<RegistriesConfError> for RegistryError {
    fn from(error: RegistriesConfError) -> Self {
        Self::Config {
            what: error.to_string(),
        }
    }
}

/// One file, understood.
pub(crate) struct RegistriesToml {
    pub(crate) registries: Vec<RegistryEntry>,
    pub(crate) credential_helpers: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

type Value<'i> = Spanned<DeValue<'i>>;
type Result<T> = std::result::Result<T, RegistriesConfError>;

pub(crate) fn parse(file: &str, text: &str) -> Result<RegistriesToml> {
    let reader = Reader { file, text };
    let root = DeTable::parse(text).map_err(|e| {
        let at = e.span().unwrap_or_default();
        reader.error(at, format!("it is not valid TOML: {}", e.message()))
    })?;
    let mut document = RegistriesToml {
        registries: Vec::new(),
        credential_helpers: Vec::new(),
        warnings: Vec::new(),
    };
    for (key, value) in root.get_ref() {
        let name: &str = key.get_ref();
        match name {
            "registry" => {
                for table in reader.tables(name, value)? {
                    let entry = reader.registry(table, &mut document.warnings)?;
                    reader.check_against(&document.registries, &entry, table)?;
                    document.registries.push(entry);
                }
            }
            "credential-helpers" => document.credential_helpers = reader.helpers(value)?,
            "registries" => reader.refuse_version_1(value)?,
            // Short names are refused before anything looks at these.
            "unqualified-search-registries" => drop(reader.strings(name, value)?),
            "short-name-mode" => {
                reader.one_of(name, value, &["", "enforcing", "permissive", "disabled"])?
            }
            "aliases" => {
                for (alias, target) in reader.table(name, value)? {
                    reader.string(&format!("aliases.{}", alias.get_ref()), target)?;
                }
            }
            _ => reader.unknown(name, key.span(), &mut document.warnings),
        }
    }
    Ok(document)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, at: &Range<usize>) -> usize {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        before.bytes().filter(|&b| b == b'\n').count() + 1
    }

    fn error(&self, at: Range<usize>, problem: impl Into<String>) -> RegistriesConfError {
        RegistriesConfError {
            file: self.file.to_owned(),
            line: self.line(&at),
            problem: problem.into(),
        }
    }

    fn wrong<T>(&self, key: &str, value: &Value<'_>, problem: &str) -> Result<T> {
        Err(self.error(value.span(), format!("`{key}` {problem}")))
    }

    /// As containers/image does it, but said aloud.
    fn unknown(&self, key: &str, at: Range<usize>, warnings: &mut Vec<String>) {
        let line = self.line(&at);
        warnings.push(format!(
            "{}, line {line}: the key `{key}` is not known and has no effect.",
            self.file
        ));
    }

    fn string<'v>(&self, key: &str, value: &'v Value<'_>) -> Result<&'v str> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => self.wrong(key, value, "must be a string"),
        }
    }

    fn bool(&self, key: &str, value: &Value<'_>) -> Result<bool> {
        match value.get_ref() {
            DeValue::Boolean(yes) => Ok(*yes),
            _ => self.wrong(key, value, "must be true or false"),
        }
    }

    fn table<'v, 'i>(&self, key: &str, value: &'v Value<'i>) -> Result<&'v DeTable<'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => self.wrong(key, value, "must be a table"),
        }
    }

    fn array<'v, 'i>(&self, key: &str, value: &'v Value<'i>) -> Result<Vec<&'v Value<'i>>> {
        match value.get_ref() {
            DeValue::Array(values) => Ok(values.iter().collect()),
            _ => self.wrong(key, value, "must be an array"),
        }
    }

    fn tables<'v, 'i>(&self, key: &str, value: &'v Value<'i>) -> Result<Vec<&'v Value<'i>>> {
        let values = self.array(key, value)?;
        for value in &values {
            self.table(key, value)?;
        }
        Ok(values)
    }

    fn strings<'v>(&self, key: &str, value: &'v Value<'_>) -> Result<Vec<&'v str>> {
        let values = self.array(key, value)?;
        values.iter().map(|v| self.string(key, v)).collect()
    }

    fn one_of(&self, key: &str, value: &Value<'_>, known: &[&str]) -> Result<()> {
        if known.contains(&self.string(key, value)?) {
            return Ok(());
        }
        let known: Vec<&str> = known.iter().copied().filter(|k| !k.is_empty()).collect();
        self.wrong(key, value, &format!("must be one of {}", known.join(", ")))
    }

    fn helpers(&self, value: &Value<'_>) -> Result<Vec<String>> {
        let key = "credential-helpers";
        let names = self.strings(key, value)?;
        for name in &names {
            if !crate::auth::credential_helper::is_name(name) {
                return self.wrong(key, value, &format!("has `{name}`, which names no helper"));
            }
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    /// `[registries.search]` and so on. Empty ones say nothing.
    fn refuse_version_1(&self, value: &Value<'_>) -> Result<()> {
        for (name, list) in self.table("registries", value)? {
            let key = format!("registries.{}", name.get_ref());
            let list = self.table(&key, list)?.get("registries");
            let Some(list) = list else { continue };
            if !self.array(&key, list)?.is_empty() {
                return self.wrong(
                    &key,
                    list,
                    "is of version 1 of this file; write [[registry]] tables, \
                     see containers-registries.conf(5)",
                );
            }
        }
        Ok(())
    }

    fn registry(&self, value: &Value<'_>, warnings: &mut Vec<String>) -> Result<RegistryEntry> {
        let mut entry = RegistryEntry::new("", self.file);
        for (key, value) in self.table("registry", value)? {
            let name = format!("registry.{}", key.get_ref());
            match key.get_ref().as_ref() {
                "prefix" => entry.prefix = self.place(&name, value, true)?.to_owned(),
                "location" => {
                    let location = self.place(&name, value, false)?;
                    entry.location = Some(location.to_owned()).filter(|l| !l.is_empty());
                }
                "insecure" => entry.insecure = self.bool(&name, value)?,
                "blocked" => entry.blocked = self.bool(&name, value)?,
                "mirror-by-digest-only" => entry.mirror_by_digest_only = self.bool(&name, value)?,
                "mirror" => {
                    for mirror in self.tables(&name, value)? {
                        entry.mirrors.push(self.mirror(mirror, warnings)?);
                    }
                }
                "pull-from-mirror" => {
                    return self.wrong(&name, value, "belongs into a [[registry.mirror]]");
                }
                _ => self.unknown(&name, key.span(), warnings),
            }
        }
        if entry.prefix.is_empty() {
            let Some(location) = &entry.location else {
                return self.wrong("registry", value, "has neither `prefix` nor `location`");
            };
            entry.prefix = location.clone();
        } else if entry.location.is_none() && !entry.prefix.starts_with("*.") {
            let problem = format!(
                "of `{}` is missing; without it, `prefix` must be of the form *.example.com",
                entry.prefix
            );
            return self.wrong("registry.location", value, &problem);
        }
        let both = |m: &Mirror| m.pull != PullFromMirror::All;
        if entry.mirror_by_digest_only && entry.mirrors.iter().any(both) {
            let problem = format!(
                "of `{}` and `pull-from-mirror` of a mirror exclude each other",
                entry.prefix
            );
            return self.wrong("registry.mirror-by-digest-only", value, &problem);
        }
        Ok(entry)
    }

    fn mirror(&self, value: &Value<'_>, warnings: &mut Vec<String>) -> Result<Mirror> {
        let mut mirror = Mirror {
            location: String::new(),
            insecure: false,
            pull: PullFromMirror::All,
        };
        for (key, value) in self.table("registry.mirror", value)? {
            let name = format!("registry.mirror.{}", key.get_ref());
            match key.get_ref().as_ref() {
                "location" => mirror.location = self.place(&name, value, false)?.to_owned(),
                "insecure" => mirror.insecure = self.bool(&name, value)?,
                "pull-from-mirror" => {
                    self.one_of(&name, value, &["", "all", "digest-only", "tag-only"])?;
                    mirror.pull = match self.string(&name, value)? {
                        "digest-only" => PullFromMirror::DigestOnly,
                        "tag-only" => PullFromMirror::TagOnly,
                        _ => PullFromMirror::All,
                    };
                }
                _ => self.unknown(&name, key.span(), warnings),
            }
        }
        if mirror.location.is_empty() {
            return self.wrong("registry.mirror", value, "has no `location`");
        }
        Ok(mirror)
    }

    /// A prefix or location without its trailing slashes.
    fn place<'v>(&self, key: &str, value: &'v Value<'_>, wildcard: bool) -> Result<&'v str> {
        let text = self.string(key, value)?.trim_end_matches('/');
        let rest = match text.strip_prefix("*.") {
            Some(domain) if wildcard => {
                if domain.is_empty() || domain.contains(['/', ':', '@']) {
                    return self.wrong(key, value, "may have a wildcard only as *.example.com");
                }
                domain
            }
            _ => text,
        };
        if rest.contains("://") {
            return self.wrong(
                key,
                value,
                "is a web address; leave out what stands before host",
            );
        }
        if rest.contains('*') {
            return self.wrong(key, value, "may have a wildcard only as *.example.com");
        }
        if rest.chars().any(|c| c.is_whitespace() || c.is_control()) || rest.starts_with('/') {
            return self.wrong(key, value, "is no host[:port][/namespace]");
        }
        Ok(text)
    }

    /// What no two registries of one file may disagree about.
    fn check_against(
        &self,
        others: &[RegistryEntry],
        entry: &RegistryEntry,
        value: &Value<'_>,
    ) -> Result<()> {
        let place = |e: &RegistryEntry| e.location.clone().unwrap_or_else(|| e.prefix.clone());
        for other in others {
            if other.prefix == entry.prefix {
                let problem = format!("`{}` is there twice", entry.prefix);
                return self.wrong("registry", value, &problem);
            }
            if place(other) != place(entry) {
                continue;
            }
            for (key, differ) in [
                ("insecure", other.insecure != entry.insecure),
                ("blocked", other.blocked != entry.blocked),
            ] {
                if differ {
                    let problem = format!(
                        "of `{}` contradicts that of `{}`: both are at {}",
                        entry.prefix,
                        other.prefix,
                        place(entry)
                    );
                    return self.wrong(&format!("registry.{key}"), value, &problem);
                }
            }
        }
        Ok(())
    }
}
