// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `containers-registries.conf(5)` says about registries: which servers
//! stand behind a name. Nothing here does I/O; docs/registries.md has the list
//! of what is honoured.

use std::collections::BTreeMap;

use imageref::Reference;

use crate::error::RegistryError;
use crate::settings::registries_toml::{self, RegistriesConfError, RegistriesToml};
use crate::settings::registry_entry::RegistryEntry;

/// The registries of any number of configuration files, merged. The default is
/// that of a machine without any: every name stands for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistriesConf {
    registries: BTreeMap<String, RegistryEntry>,
    credential_helpers: Vec<String>,
    warnings: Vec<String>,
}

/// Where an image can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The image's name there.
    pub reference: Reference,
    /// Whether plain HTTP and unknown certificates are accepted there.
    pub insecure: bool,
    /// Whether it is a mirror: its failure is not the end while another place is
    /// behind it.
    pub mirror: bool,
}

impl RegistriesConf {
    /// Reads the text of one file; `file` is its name for messages.
    ///
    /// # Errors
    /// When the file is not TOML, is of version 1, or contradicts itself.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, RegistriesConfError> {
        let RegistriesToml {
            registries,
            credential_helpers,
            warnings,
        } = registries_toml::parse(file, text)?;
        Ok(Self {
            registries: registries
                .into_iter()
                .map(|r| (r.prefix.clone(), r))
                .collect(),
            credential_helpers,
            warnings,
        })
    }

    /// Adds what a later file says: a registry replaces one with the same
    /// prefix as a whole, a list of helpers replaces the list.
    pub fn merge(&mut self, later: Self) {
        self.registries.extend(later.registries);
        if !later.credential_helpers.is_empty() {
            self.credential_helpers = later.credential_helpers;
        }
        self.warnings.extend(later.warnings);
    }

    /// Adds one registry, in place of one with the same prefix.
    pub fn insert(&mut self, entry: RegistryEntry) {
        self.registries.insert(entry.prefix.clone(), entry);
    }

    /// `credential-helpers`, in order; empty stands for the auth files alone.
    pub fn credential_helpers(&self) -> &[String] {
        &self.credential_helpers
    }

    /// What in the files has no effect, a sentence for each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The entry that holds for an image: the one with the longest match.
    pub fn entry_for(&self, reference: &Reference) -> Option<&RegistryEntry> {
        self.find(reference).map(|(_, entry)| entry)
    }

    fn find(&self, reference: &Reference) -> Option<(usize, &RegistryEntry)> {
        // With a tag and a digest, the digest is what is pulled: then both
        // name:tag and name@digest may be the prefix.
        let by_digest = reference
            .digest()
            .map(|digest| format!("{}@{digest}", reference.name()));
        let whole = reference.to_string();
        let length = |entry: &RegistryEntry| {
            let by_digest = by_digest.as_ref().and_then(|name| entry.matches(name));
            entry.matches(&whole).max(by_digest)
        };
        self.registries
            .values()
            .filter_map(|entry| Some((length(entry)?, entry)))
            .max_by_key(|(length, entry)| {
                // A wildcard matches as much of a host as its full name does.
                let wildcard = entry.prefix.starts_with('*');
                (*length, !wildcard, entry.prefix.len())
            })
    }

    /// Where to ask for `reference`: the mirrors in order, then the registry
    /// itself. Never empty. `blocked` is about a place, as containers/image
    /// has it: of a registry that is blocked the mirrors stay, and a mirror is
    /// left out when an entry of its own blocks it.
    ///
    /// # Errors
    /// [`RegistryError::Blocked`] when no place is left, and
    /// [`RegistryError::Config`] when a location makes no valid name.
    pub fn endpoints(&self, reference: &Reference) -> Result<Vec<Endpoint>, RegistryError> {
        let Some((matched, entry)) = self.find(reference) else {
            return Ok(vec![Endpoint {
                reference: reference.clone(),
                insecure: false,
                mirror: false,
            }]);
        };
        let by_digest = reference.digest().is_some();
        let mut endpoints = Vec::new();
        for mirror in entry.mirrors.iter().filter(|m| entry.uses(m, by_digest)) {
            endpoints.push(Endpoint {
                reference: entry.moved(reference, matched, &mirror.location)?,
                insecure: mirror.insecure,
                mirror: true,
            });
        }
        if !entry.blocked {
            endpoints.push(Endpoint {
                reference: match &entry.location {
                    Some(location) => entry.moved(reference, matched, location)?,
                    None => reference.clone(),
                },
                insecure: entry.insecure,
                mirror: false,
            });
        }
        let mut blocked_by = entry.blocked.then_some(entry);
        endpoints.retain(|place| match self.entry_for(&place.reference) {
            Some(own) if own.blocked => {
                tracing::debug!(place = %place.reference.name(), by = own.origin, "blocked");
                blocked_by.get_or_insert(own);
                false
            }
            _ => true,
        });
        match blocked_by {
            Some(by) if endpoints.is_empty() => Err(RegistryError::Blocked {
                name: reference.name(),
                prefix: by.prefix.clone(),
                origin: by.origin.clone(),
            }),
            _ => Ok(endpoints),
        }
    }
}

#[cfg(test)]
mod tests;
