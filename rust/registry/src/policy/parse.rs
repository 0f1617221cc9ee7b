// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a policy.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize as Derive;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::{KeySource, Policy, PolicyError, Requirement, SigstoreSigned};
use crate::signature::{Name, SignedIdentity};

#[derive(Derive)]
#[serde(deny_unknown_fields)]
struct Raw {
    default: Vec<RawRequirement>,
    #[serde(default)]
    transports: Unique<Unique<Vec<RawRequirement>>>,
}

#[derive(Derive)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
enum RawRequirement {
    InsecureAcceptAnything {},
    Reject {},
    #[serde(rename_all = "camelCase")]
    SignedBy {
        // Which keys does not matter: see `Requirement::Unsupported`.
        #[allow(dead_code)]
        key_type: serde::de::IgnoredAny,
        #[allow(dead_code)]
        key_path: Option<serde::de::IgnoredAny>,
        #[allow(dead_code)]
        key_paths: Option<serde::de::IgnoredAny>,
        #[allow(dead_code)]
        key_data: Option<serde::de::IgnoredAny>,
        #[allow(dead_code)]
        signed_identity: Option<serde::de::IgnoredAny>,
    },
    #[serde(rename_all = "camelCase")]
    SigstoreSigned(Box<RawSigstore>),
}

#[derive(Derive)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawSigstore {
    key_path: Option<PathBuf>,
    key_data: Option<String>,
    key_paths: Option<Vec<PathBuf>>,
    key_datas: Option<Vec<String>>,
    fulcio: Option<serde::de::IgnoredAny>,
    pki: Option<serde::de::IgnoredAny>,
    rekor_public_key_path: Option<PathBuf>,
    rekor_public_key_paths: Option<Vec<PathBuf>>,
    rekor_public_key_data: Option<String>,
    rekor_public_key_datas: Option<Vec<String>>,
    signed_identity: Option<RawIdentity>,
}

#[derive(Derive)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
enum RawIdentity {
    MatchExact {},
    MatchRepoDigestOrExact {},
    MatchRepository {},
    #[serde(rename_all = "camelCase")]
    ExactReference {
        docker_reference: String,
    },
    #[serde(rename_all = "camelCase")]
    ExactRepository {
        docker_repository: String,
    },
    #[serde(rename_all = "camelCase")]
    RemapIdentity {
        prefix: String,
        signed_prefix: String,
    },
}

pub(super) fn policy(text: &str) -> Result<Policy, PolicyError> {
    let raw: Raw = serde_json::from_str(text).map_err(|e| PolicyError(e.to_string()))?;
    let scopes = |(transport, scopes): (String, Unique<Vec<RawRequirement>>)| {
        let scopes = scopes.0.into_iter().map(|(scope, list)| {
            let list = requirements(list).map_err(|e| {
                PolicyError(format!("transport `{transport}`, scope `{scope}`: {e}"))
            })?;
            Ok((scope, list))
        });
        let scopes = scopes.collect::<Result<_, PolicyError>>()?;
        Ok((transport, scopes))
    };
    Ok(Policy {
        default: requirements(raw.default).map_err(|e| PolicyError(format!("`default`: {e}")))?,
        transports: raw
            .transports
            .0
            .into_iter()
            .map(scopes)
            .collect::<Result<_, PolicyError>>()?,
    })
}

fn requirements(list: Vec<RawRequirement>) -> Result<Vec<Requirement>, String> {
    if list.is_empty() {
        return Err("the list of requirements is empty".into());
    }
    list.into_iter().map(requirement).collect()
}

fn requirement(raw: RawRequirement) -> Result<Requirement, String> {
    Ok(match raw {
        RawRequirement::InsecureAcceptAnything {} => Requirement::InsecureAcceptAnything,
        RawRequirement::Reject {} => Requirement::Reject,
        RawRequirement::SignedBy { .. } => Requirement::Unsupported {
            what: "signedBy",
            why: "GPG signatures are not verified here.",
        },
        RawRequirement::SigstoreSigned(raw) => sigstore(*raw)?,
    })
}

fn sigstore(raw: RawSigstore) -> Result<Requirement, String> {
    let keys = key_sources(raw.key_path, raw.key_paths, raw.key_data, raw.key_datas)?;
    let by_certificate = [raw.fulcio.is_some(), raw.pki.is_some()];
    let places = keys.len() + by_certificate.into_iter().filter(|there| *there).count();
    if places != 1 {
        return Err(
            "`sigstoreSigned` needs exactly one of `keyPath`, `keyPaths`, \
             `keyData`, `keyDatas`, `fulcio` and `pki`"
                .into(),
        );
    }
    let mut logs = key_sources(
        raw.rekor_public_key_path,
        raw.rekor_public_key_paths,
        raw.rekor_public_key_data,
        raw.rekor_public_key_datas,
    )?;
    if logs.len() > 1 {
        return Err("`sigstoreSigned` has more than one of the `rekorPublicKey…` keys".into());
    }
    let identity = match raw.signed_identity {
        None => SignedIdentity::MatchRepoDigestOrExact,
        Some(raw) => identity(raw)?,
    };
    let Some(keys) = keys.into_iter().next() else {
        return Ok(Requirement::Unsupported {
            what: "sigstoreSigned with certificates",
            why: "Signatures by certificates (keyless, Fulcio, PKI) are not verified here, only those by keys.",
        });
    };
    Ok(Requirement::SigstoreSigned(SigstoreSigned {
        keys,
        logs: logs.pop().unwrap_or_default(),
        identity,
    }))
}

/// The lists of keys that are given in one of four ways; more than one of them
/// is for the caller to refuse.
fn key_sources(
    path: Option<PathBuf>,
    paths: Option<Vec<PathBuf>>,
    data: Option<String>,
    datas: Option<Vec<String>>,
) -> Result<Vec<Vec<KeySource>>, String> {
    let decode = |text: String| {
        STANDARD
            .decode(text)
            .map(KeySource::Data)
            .map_err(|_| "its key data is no base64".to_owned())
    };
    let mut lists: Vec<Vec<KeySource>> = Vec::new();
    for paths in [path.map(|path| vec![path]), paths].into_iter().flatten() {
        lists.push(paths.into_iter().map(KeySource::Path).collect());
    }
    for datas in [data.map(|data| vec![data]), datas].into_iter().flatten() {
        lists.push(datas.into_iter().map(decode).collect::<Result<_, _>>()?);
    }
    match lists.iter().any(Vec::is_empty) {
        true => Err("`sigstoreSigned` has an empty list of keys".into()),
        false => Ok(lists),
    }
}

fn identity(raw: RawIdentity) -> Result<SignedIdentity, String> {
    let name =
        |text: &str| Name::parse(text).ok_or_else(|| format!("`{text}` is no name of an image"));
    // As much of a name as a prefix can be.
    let prefix = |text: String| match Name::parse(&format!("{text}/x")) {
        Some(name) if name.repository() == format!("{text}/x") => Ok(text),
        _ => Err(format!("`{text}` cannot be the prefix of an image's name")),
    };
    Ok(match raw {
        RawIdentity::MatchExact {} => SignedIdentity::MatchExact,
        RawIdentity::MatchRepoDigestOrExact {} => SignedIdentity::MatchRepoDigestOrExact,
        RawIdentity::MatchRepository {} => SignedIdentity::MatchRepository,
        RawIdentity::ExactReference { docker_reference } => {
            let name = name(&docker_reference)?;
            if !name.is_exact() {
                return Err(format!(
                    "`{docker_reference}` has neither a tag nor a digest"
                ));
            }
            SignedIdentity::ExactReference(name)
        }
        RawIdentity::ExactRepository { docker_repository } => {
            let name = name(&docker_repository)?;
            if name.is_exact() {
                return Err(format!("`{docker_repository}` is more than a repository"));
            }
            SignedIdentity::ExactRepository(name.repository().to_owned())
        }
        RawIdentity::RemapIdentity {
            prefix: from,
            signed_prefix,
        } => SignedIdentity::RemapIdentity {
            prefix: prefix(from)?,
            signed_prefix: prefix(signed_prefix)?,
        },
    })
}

/// A mapping in which no key may be there twice: which of the two holds would
/// be anybody's guess.
struct Unique<T>(BTreeMap<String, T>);

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Unique<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if entries.contains_key(&key) {
                        return Err(A::Error::custom(format!("`{key}` is there twice")));
                    }
                    entries.insert(key, value);
                }
                Ok(Unique(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
