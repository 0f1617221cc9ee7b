// SPDX-License-Identifier: MIT OR Apache-2.0
//! Credentials by registry and namespace, in the order that
//! `containers-auth.json(5)` gives them.

use imageref::Reference;

use crate::auth::auth_json::{self, AuthFileError, Entries};
use crate::auth::credential_helper::CredentialHelpers;
use crate::auth::credentials::Credentials;
use crate::error::RegistryError;

/// Credentials for any number of registries, namespaces and repositories.
#[derive(Debug, Clone, Default)]
pub struct CredentialStore {
    /// The first one is asked first.
    sources: Vec<Source>,
    helpers: CredentialHelpers,
    warnings: Vec<String>,
}

#[derive(Debug, Clone)]
enum Source {
    File(Entries),
    /// A helper that is asked about every registry.
    Helper(String),
}

impl CredentialStore {
    /// Reads the text of an auth file, `auth.json` or docker's `config.json`.
    ///
    /// An entry that cannot be decoded is an error of [`lookup`](Self::lookup),
    /// for the images that it is about.
    ///
    /// # Errors
    /// When it is not JSON of the form expected.
    pub fn from_auth_json(text: &str) -> Result<Self, AuthFileError> {
        Ok(Self::of(Source::File(auth_json::parse(text)?)))
    }

    /// Reads the text of a `.dockercfg`, the form before `config.json`.
    ///
    /// # Errors
    /// As [`from_auth_json`](Self::from_auth_json).
    pub fn from_dockercfg(text: &str) -> Result<Self, AuthFileError> {
        Ok(Self::of(Source::File(auth_json::parse_dockercfg(text)?)))
    }

    /// Asks the credential helper `docker-credential-<name>` about every
    /// registry.
    pub fn from_helper(name: &str) -> Self {
        Self::of(Source::Helper(name.to_owned()))
    }

    fn of(source: Source) -> Self {
        Self {
            sources: vec![source],
            ..Self::default()
        }
    }

    /// Adds credentials for a scope, `host[:port][/namespace[/repository]]`,
    /// before all others.
    pub fn insert(&mut self, scope: &str, credentials: Credentials) {
        let source = Source::File(Entries::one(scope, credentials));
        self.sources.insert(0, source);
    }

    /// Adds those of `other`, to be asked after all that are here already.
    pub fn append(&mut self, other: Self) {
        self.sources.extend(other.sources);
        self.warnings.extend(other.warnings);
    }

    /// Whether there is a secret in what was read, not only in helpers.
    pub fn holds_secrets(&self) -> bool {
        let in_file = |source: &Source| matches!(source, Source::File(e) if e.holds_secrets());
        self.sources.iter().any(in_file)
    }

    /// What is doubtful about the files, a sentence for each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    #[cfg(test)]
    fn use_helpers(&mut self, helpers: CredentialHelpers) {
        self.helpers = helpers;
    }

    /// The credentials for an image. Of the first file that has any, in this
    /// order: those of the helper for the registry; those with the most
    /// specific scope; those of the file's helper for everything.
    ///
    /// Helpers are run here, for at most 20 s each; what they say is
    /// remembered for five minutes.
    ///
    /// # Errors
    /// [`RegistryError::CredentialHelper`] when a helper failed, and
    /// [`RegistryError::AuthEntry`] when an entry cannot be decoded, and nothing
    /// else has credentials.
    pub fn lookup(&self, reference: &Reference) -> Result<Credentials, RegistryError> {
        let host = reference.registry();
        let mut failure = None;
        for source in &self.sources {
            let found = match source {
                Source::Helper(name) => self.helpers.ask(name, auth_json::server_of(host)),
                Source::File(entries) => self.in_file(entries, reference),
            };
            match found {
                Ok(Some(credentials)) => return Ok(credentials),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "going on without this login");
                    failure.get_or_insert(error);
                }
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(Credentials::Anonymous),
        }
    }

    fn in_file(
        &self,
        entries: &Entries,
        reference: &Reference,
    ) -> Result<Option<Credentials>, RegistryError> {
        let host = reference.registry();
        if let Some((name, server)) = entries.helper_for(host) {
            return self.helpers.ask(name, server);
        }
        match entries.most_specific(&reference.name()) {
            Ok(Some(credentials)) => return Ok(Some(credentials.clone())),
            Ok(None) => {}
            Err(scope) => return Err(RegistryError::AuthEntry { scope }),
        }
        match entries.store_for(host) {
            Some((name, server)) => self.helpers.ask(name, server),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
