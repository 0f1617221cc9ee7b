// SPDX-License-Identifier: MIT OR Apache-2.0
//! containers-policy.json(5): which images may be used, and which signatures
//! they must have. Parsing and choosing are pure; only [`SigstoreSigned::keys`]
//! reads files.
//!
//! As strict as the containers tools: a key that is not known, a key that is
//! there twice or an empty list of requirements is an error, because a policy
//! that is only half understood would let images through.

mod demand;
mod parse;
mod scope;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::signature::SignedIdentity;
use crate::signature::key::{KEY_MAX, KeyError, PublicKey};

/// Where the policy of a system is.
pub const POLICY_PATH: &str = "/etc/containers/policy.json";
/// Where a person's own is, below the home directory; it counts in place of the
/// system's.
const OWN_POLICY: &str = ".config/containers/policy.json";

/// The policy that counts here, in the order of containers-policy.json(5): the
/// person's own, where there is one, or else the system's. `env` looks up an
/// environment variable.
pub fn policy_path(env: impl Fn(&str) -> Option<std::ffi::OsString>) -> PathBuf {
    env("HOME")
        .filter(|home| !home.is_empty())
        .map(|home| Path::new(&home).join(OWN_POLICY))
        .filter(|own| own.exists())
        .unwrap_or_else(|| PathBuf::from(POLICY_PATH))
}

/// A policy as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    default: Vec<Requirement>,
    /// Transport, scope, requirements.
    transports: BTreeMap<String, BTreeMap<String, Vec<Requirement>>>,
}

/// One requirement; all of a scope's must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// `insecureAcceptAnything`.
    InsecureAcceptAnything,
    /// `reject`.
    Reject,
    /// `sigstoreSigned` by a key.
    SigstoreSigned(SigstoreSigned),
    /// Known, and not supported here: never holds.
    Unsupported {
        /// Its name, for example ``signedBy``.
        what: &'static str,
        /// What is missing, one sentence.
        why: &'static str,
    },
}

/// `sigstoreSigned`: a cosign signature by one of some keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigstoreSigned {
    /// Where the keys are; one signature by any of them is enough.
    pub keys: Vec<KeySource>,
    /// Where the keys of transparency logs are (`rekorPublicKey…`): when there
    /// are any, the signature must be in one of these logs.
    pub logs: Vec<KeySource>,
    /// Which signed names count.
    pub identity: SignedIdentity,
}

/// Where a public key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a PEM file.
    Path(PathBuf),
    /// In the policy itself: PEM.
    Data(Vec<u8>),
}

/// What is wrong with a policy or one of its keys; a part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(pub(crate) String);

/// What the scopes of a policy are looked up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject<'a> {
    /// An image in a registry: transport `docker`.
    Docker(&'a imageref::Reference),
    /// An image in an OCI layout: transport `oci`.
    Oci {
        /// The directory, absolute.
        path: &'a Path,
        /// Its `org.opencontainers.image.ref.name`.
        name: Option<&'a str>,
    },
}

impl Policy {
    /// Reads the text of a `policy.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::policy(text)
    }

    /// What must hold of an image: the requirements of the most specific scope
    /// that there are some for, else the transport's (scope ``""``), else the
    /// default.
    pub fn requirements(&self, subject: &Subject<'_>) -> &[Requirement] {
        let scopes = self.transports.get(subject.transport());
        scopes
            .and_then(|scopes| {
                subject
                    .scopes()
                    .iter()
                    .map(String::as_str)
                    .chain([""])
                    .find_map(|scope| scopes.get(scope))
            })
            .unwrap_or(&self.default)
    }

    /// Whether it is what distributions ship: everything is accepted, wherever
    /// it comes from.
    pub fn accepts_everything(&self) -> bool {
        self.default
            .iter()
            .chain(
                self.transports
                    .values()
                    .flat_map(BTreeMap::values)
                    .flatten(),
            )
            .all(|r| *r == Requirement::InsecureAcceptAnything)
    }
}

impl SigstoreSigned {
    /// Reads the keys.
    ///
    /// # Errors
    /// When one is missing or is no key: then nobody knows who else would do.
    pub fn keys(&self) -> Result<Vec<PublicKey>, PolicyError> {
        self.keys.iter().map(KeySource::read).collect()
    }

    /// Reads the keys of the logs.
    ///
    /// # Errors
    /// As [`SigstoreSigned::keys`].
    pub fn logs(&self) -> Result<Vec<PublicKey>, PolicyError> {
        self.logs.iter().map(KeySource::read).collect()
    }
}

impl KeySource {
    fn read(&self) -> Result<PublicKey, PolicyError> {
        let of = |place: String| move |e: KeyError| PolicyError(format!("the key {place}: {e}"));
        match self {
            Self::Data(pem) => PublicKey::from_pem(pem).map_err(of("in it".into())),
            Self::Path(path) => PublicKey::read(path).map_err(of(path.display().to_string())),
        }
    }
}

impl PublicKey {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// When it cannot be read or is no key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        use std::io::Read as _;
        let mut pem = Vec::new();
        std::fs::File::open(path)
            // One byte more, so that what is too large is seen to be.
            .and_then(|file| file.take(KEY_MAX + 1).read_to_end(&mut pem))
            .map_err(|e| KeyError::new(format!("it cannot be read: {e}")))?;
        Self::from_pem(&pem)
    }
}

#[cfg(test)]
mod tests;
