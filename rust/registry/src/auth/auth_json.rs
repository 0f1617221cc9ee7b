// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of an auth file, after `containers-auth.json(5)` and what docker
//! writes into its `config.json`: read and written. Nothing here does I/O.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imageref::DOCKER_HUB;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::auth::credentials::Credentials;
use crate::error::RegistryError;

/// The name that docker stores logins to its hub under.
const HUB_SERVER: &str = "https://index.docker.io/v1/";

/// Why an auth file cannot be understood. Repeats nothing of its content but
/// the names of registries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthFileError {
    /// It is not JSON of the form expected.
    #[error("it is not valid at line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
}

/// What one file has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries {
    /// By scope: `host[:port][/namespace[/repository]]`. One that cannot be
    /// decoded concerns nobody but who asks for it.
    logins: BTreeMap<String, Result<Credentials, NotDecoded>>,
    /// By registry: the helper's name, and the registry's name as written.
    helpers: BTreeMap<String, (String, String)>,
    /// `credsStore`.
    store: Option<String>,
    /// By registry: its name as written, which the store knows it by.
    servers: BTreeMap<String, String>,
}

/// The `auth` of an entry is not base64 of `user:password`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotDecoded;

impl Entries {
    /// One login.
    pub(crate) fn one(scope: &str, credentials: Credentials) -> Self {
        Self {
            logins: BTreeMap::from([(scope_of(scope), Ok(credentials))]),
            ..Self::default()
        }
    }

    pub(crate) fn holds_secrets(&self) -> bool {
        !self.logins.is_empty()
    }

    /// The helper for a registry, and what to ask it for.
    pub(crate) fn helper_for(&self, host: &str) -> Option<(&str, &str)> {
        let (name, server) = self.helpers.get(host)?;
        Some((name, server))
    }

    /// The helper for all registries, and what to ask it for.
    pub(crate) fn store_for<'a>(&'a self, host: &'a str) -> Option<(&'a str, &'a str)> {
        let written = self.servers.get(host).map(String::as_str);
        let server = written.unwrap_or_else(|| server_of(host));
        Some((self.store.as_deref()?, server))
    }

    /// The login for `host/repository` or the closest namespace above it.
    ///
    /// # Errors
    /// The scope of that login, when it cannot be decoded.
    pub(crate) fn most_specific(&self, name: &str) -> Result<Option<&Credentials>, String> {
        let mut scope = name;
        loop {
            match self.logins.get(scope) {
                Some(Ok(found)) => return Ok(Some(found)),
                Some(Err(NotDecoded)) => return Err(scope.to_owned()),
                None => {}
            }
            let Some(at) = scope.rfind('/') else {
                return Ok(None);
            };
            scope = &scope[..at];
        }
    }
}

/// The name of a registry that helpers know it by, if nothing else is written.
pub(crate) fn server_of(host: &str) -> &str {
    match host {
        DOCKER_HUB => HUB_SERVER,
        other => other,
    }
}

/// `auth.json` and `config.json`.
pub(crate) fn parse(text: &str) -> Result<Entries, AuthFileError> {
    let file: AuthFile = serde_json::from_str(text).map_err(syntax)?;
    let mut entries = read_entries(file.auths);
    let filled = |name: &String| !name.is_empty();
    entries.store = file.creds_store.filter(filled);
    for (key, name) in file.cred_helpers {
        if filled(&name) {
            entries.helpers.insert(scope_of(&key), (name, key));
        }
    }
    Ok(entries)
}

/// `.dockercfg`: what `config.json` has in `auths`, for whole registries only.
pub(crate) fn parse_dockercfg(text: &str) -> Result<Entries, AuthFileError> {
    Ok(read_entries(serde_json::from_str(text).map_err(syntax)?))
}

/// The text of a serde error may quote the file: only the place is kept.
fn syntax(error: serde_json::Error) -> AuthFileError {
    AuthFileError::Syntax {
        line: error.line(),
        column: error.column(),
    }
}

fn read_entries(auths: BTreeMap<String, Option<AuthEntry>>) -> Entries {
    let mut entries = Entries::default();
    for (key, entry) in auths {
        let scope = scope_of(&key);
        if let Some(login) = entry.and_then(AuthEntry::read) {
            // The key that is a name comes before one that is an address.
            if !is_address(&key) || !entries.logins.contains_key(&scope) {
                entries.logins.insert(scope.clone(), login);
            }
        }
        entries.servers.insert(scope, key);
    }
    entries
}

fn is_address(key: &str) -> bool {
    key.starts_with("https://") || key.starts_with("http://")
}

/// A key in the form of a reference. Docker writes web addresses, and an old
/// one for its own hub.
fn scope_of(key: &str) -> String {
    let address = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"));
    let scope = match address {
        Some(address) => address.split('/').next().unwrap_or(address),
        None => key.trim_end_matches('/'),
    };
    let (host, path) = match scope.split_once('/') {
        Some((host, path)) => (host, Some(path)),
        None => (scope, None),
    };
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        other => other,
    };
    match path {
        Some(path) if path != "v1" && path != "v2" => format!("{host}/{path}"),
        _ => host.to_owned(),
    }
}

#[derive(Deserialize)]
struct AuthFile {
    // What some tools leave of an entry after a logout is `null`.
    #[serde(default)]
    auths: BTreeMap<String, Option<AuthEntry>>,
    #[serde(default, rename = "credHelpers")]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct AuthEntry {
    auth: Option<SecretString>,
    identitytoken: Option<SecretString>,
    registrytoken: Option<SecretString>,
}

impl AuthEntry {
    /// `None` when there is no login in it.
    fn read(self) -> Option<Result<Credentials, NotDecoded>> {
        let filled = |s: Option<SecretString>| s.filter(|s| !s.expose_secret().is_empty());
        if let Some(token) = filled(self.registrytoken) {
            return Some(Ok(Credentials::Bearer { token }));
        }
        // The user beside it has no meaning to the server.
        if let Some(token) = filled(self.identitytoken) {
            return Some(Ok(Credentials::IdentityToken { token }));
        }
        Some(Credentials::from_encoded(&filled(self.auth)?).ok_or(NotDecoded))
    }
}

/// A containers-auth.json(5) document with these logins, each for a scope,
/// `host[:port][/namespace[/repository]]`. The last one of a scope counts; who
/// is anonymous has no entry.
///
/// # Errors
/// [`RegistryError::Config`] when it cannot be written, which says nothing of
/// what is in it.
pub fn write_auth_json(entries: &[(&str, &Credentials)]) -> Result<SecretString, RegistryError> {
    let auths: BTreeMap<&str, WrittenEntry<'_>> = entries
        .iter()
        .filter_map(|(scope, credentials)| Some((*scope, WrittenEntry::of(credentials)?)))
        .collect();
    let mut size = Length::default();
    let document = WrittenFile { auths };
    // The text of a serde error may quote the document.
    let failed = |_| RegistryError::Config {
        what: "the logins cannot be written as an auth file".to_owned(),
    };
    serde_json::to_writer(&mut size, &document).map_err(failed)?;
    // Into a buffer of its full size, so that growing leaves no copies.
    let mut json = Zeroizing::new(Vec::with_capacity(size.0 + 1));
    serde_json::to_writer(&mut *json, &document).map_err(failed)?;
    json.push(b'\n');
    let text = std::str::from_utf8(&json).map_err(|_| RegistryError::Config {
        what: "the logins are no text".to_owned(),
    })?;
    Ok(SecretString::from(text))
}

/// Counts what is written to it.
#[derive(Default)]
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// No `Debug`: what is in these is readable.
#[derive(Serialize)]
struct WrittenFile<'a> {
    auths: BTreeMap<&'a str, WrittenEntry<'a>>,
}

#[derive(Default, Serialize)]
struct WrittenEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Encoded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identitytoken: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registrytoken: Option<&'a str>,
}

impl<'a> WrittenEntry<'a> {
    fn of(credentials: &'a Credentials) -> Option<Self> {
        Some(match credentials {
            Credentials::Anonymous => return None,
            Credentials::Basic { username, password } => Self {
                auth: Some(Encoded::of(username, password.expose_secret())),
                ..Self::default()
            },
            Credentials::IdentityToken { token } => Self {
                // Without a user beside it containers/image ignores the token.
                auth: Some(Encoded::of("<token>", "")),
                identitytoken: Some(token.expose_secret()),
                ..Self::default()
            },
            Credentials::Bearer { token } => Self {
                registrytoken: Some(token.expose_secret()),
                ..Self::default()
            },
        })
    }
}

/// Base64 of `user:password`.
struct Encoded(Zeroizing<String>);

impl Encoded {
    fn of(username: &str, password: &str) -> Self {
        let plain = Zeroizing::new(format!("{username}:{password}"));
        Self(Zeroizing::new(STANDARD.encode(plain.as_bytes())))
    }
}

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
