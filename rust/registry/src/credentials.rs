// SPDX-License-Identifier: MIT OR Apache-2.0
//! Credentials by registry and namespace, and the form of
//! `containers-auth.json(5)`. Nothing here does I/O.

use std::collections::BTreeMap;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use imageref::{Reference, DOCKER_HUB};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// How to log in to a registry. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Not at all.
    #[default]
    Anonymous,
    /// With a user name and a password, directly or to get a token with.
    Basic {
        /// The user name.
        username: String,
        /// The password, or what the registry gives out in place of one.
        password: SecretString,
    },
    /// With a token that stands for a login and is exchanged for others by
    /// OAuth2 (`identitytoken` of `containers-auth.json(5)`).
    IdentityToken {
        /// The token.
        token: SecretString,
    },
    /// With a token that the registry itself accepts.
    Bearer {
        /// The token.
        token: SecretString,
    },
}

impl Credentials {
    /// Whether this is a login at all.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

/// Credentials for any number of registries, namespaces and repositories.
#[derive(Debug, Clone, Default)]
pub struct CredentialStore {
    /// One map from scope to credentials for each file, the first one first.
    files: Vec<BTreeMap<String, Entry>>,
}

#[derive(Debug, Clone)]
enum Entry {
    Usable(Credentials),
    /// Stands for a login that is kept where this program cannot get at it.
    Elsewhere(String),
}

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
    /// The `auth` of an entry is not base64 of `user:password`.
    #[error("the entry for {scope} does not hold base64 of user:password")]
    BadEntry {
        /// The registry or namespace.
        scope: String,
    },
}

impl CredentialStore {
    /// Reads the text of an auth file.
    ///
    /// # Errors
    /// When it is not JSON of the form expected, or an entry cannot be decoded.
    pub fn from_auth_json(text: &str) -> Result<Self, AuthFileError> {
        // The text of a serde error may quote the file: only the place is kept.
        let file: AuthFile = serde_json::from_str(text).map_err(|e| AuthFileError::Syntax {
            line: e.line(),
            column: e.column(),
        })?;
        let mut entries = BTreeMap::new();
        if let Some(helper) = file.creds_store {
            for key in file.auths.keys() {
                entries.insert(scope_of(key), Entry::helper(&helper));
            }
        }
        for (key, entry) in file.auths {
            let scope = scope_of(&key);
            if let Some(entry) = entry.read(&scope)? {
                entries.insert(scope, entry);
            }
        }
        for (host, helper) in file.cred_helpers {
            entries.insert(scope_of(&host), Entry::helper(&helper));
        }
        Ok(Self {
            files: vec![entries],
        })
    }

    /// Adds credentials for a scope, `host[:port][/namespace[/repository]]`,
    /// before all others.
    pub fn insert(&mut self, scope: &str, credentials: Credentials) {
        let entry = BTreeMap::from([(scope_of(scope), Entry::Usable(credentials))]);
        self.files.insert(0, entry);
    }

    /// Adds those of `other`, to be asked after all that are here already.
    pub fn append(&mut self, other: Self) {
        self.files.extend(other.files);
    }

    /// The credentials for an image: of the first file that has any, those with
    /// the most specific scope.
    pub fn lookup(&self, reference: &Reference) -> Credentials {
        for file in &self.files {
            let mut scope = reference.name();
            loop {
                match file.get(&scope) {
                    Some(Entry::Usable(credentials)) => return credentials.clone(),
                    Some(Entry::Elsewhere(place)) => {
                        tracing::warn!(%scope, place, "a login is kept where it cannot be read");
                        break;
                    }
                    None => {}
                }
                match scope.rfind('/') {
                    Some(end) => scope.truncate(end),
                    None => break,
                }
            }
        }
        Credentials::Anonymous
    }
}

impl Entry {
    fn helper(name: &str) -> Self {
        Self::Elsewhere(format!("credential helper {name}"))
    }
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
    #[serde(default)]
    auths: BTreeMap<String, AuthEntry>,
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
    fn read(self, scope: &str) -> Result<Option<Entry>, AuthFileError> {
        let filled = |s: Option<SecretString>| s.filter(|s| !s.expose_secret().is_empty());
        if let Some(token) = filled(self.registrytoken) {
            return Ok(Some(Entry::Usable(Credentials::Bearer { token })));
        }
        if filled(self.identitytoken).is_some() {
            return Ok(Some(Entry::Elsewhere("identity token".to_owned())));
        }
        let Some(auth) = filled(self.auth) else {
            return Ok(None);
        };
        let bad = || AuthFileError::BadEntry {
            scope: scope.to_owned(),
        };
        let plain = STANDARD
            .decode(auth.expose_secret().trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(SecretString::from)
            .ok_or_else(bad)?;
        let (username, password) = plain.expose_secret().split_once(':').ok_or_else(bad)?;
        Ok(Some(Entry::Usable(Credentials::Basic {
            username: username.to_owned(),
            password: SecretString::from(password.trim_end_matches('\0')),
        })))
    }
}
