// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sigstore bundles (`sigstore_bundle.proto`, version 0.3), as cosign attaches
//! them to an image: a DSSE envelope with an in-toto statement about the
//! image's digest, or a bare signature of the manifest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imageref::{Algorithm, Digest};
use serde::Deserialize;

use super::key::PublicKey;
use crate::store::hash::digest_of;

/// The beginning of every bundle's media type and artifact type.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle";
/// The predicate type of a statement that is a signature. Statements of other
/// types say something about an image, not that it is good.
pub(crate) const SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

const V0_3: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];
const IN_TOTO: &str = "application/vnd.in-toto+json";
const STATEMENTS: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];
/// Most signatures of one envelope that are looked at.
const SIGNATURES_MAX: usize = 8;

/// A bundle that was read and not verified yet.
#[derive(Debug, Clone)]
pub struct Bundle {
    content: Content,
    /// Signed with a certificate instead of a key.
    keyless: bool,
}

#[derive(Debug, Clone)]
enum Content {
    Message {
        signature: Vec<u8>,
    },
    Envelope {
        payload_type: String,
        payload: Vec<u8>,
        signatures: Vec<Vec<u8>>,
    },
}

// The whole message may grow with a minor version, so that unknown keys are
// left alone; what counts is only what is signed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: String,
    verification_material: Material,
    message_signature: Option<Message>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<serde::de::IgnoredAny>,
    x509_certificate_chain: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Message {
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: std::collections::BTreeMap<String, String>,
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// What is wrong with it, a part of a sentence.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let raw: Raw = serde_json::from_slice(bytes)
            .map_err(|e| format!("the bundle cannot be understood: {e}"))?;
        if !V0_3.contains(&raw.media_type.as_str()) {
            return Err("the bundle is of another version than 0.3".into());
        }
        let content = match (raw.message_signature, raw.dsse_envelope) {
            (Some(message), None) => Content::Message {
                signature: decode(&message.signature)?,
            },
            (None, Some(envelope)) => {
                if envelope.signatures.len() > SIGNATURES_MAX {
                    return Err("the bundle has too many signatures".into());
                }
                Content::Envelope {
                    payload_type: envelope.payload_type,
                    payload: decode(&envelope.payload)?,
                    signatures: envelope
                        .signatures
                        .iter()
                        .map(|s| decode(&s.sig))
                        .collect::<Result<_, _>>()?,
                }
            }
            _ => return Err("the bundle must hold one signature or one envelope".into()),
        };
        let material = raw.verification_material;
        Ok(Self {
            content,
            keyless: material.certificate.is_some() || material.x509_certificate_chain.is_some(),
        })
    }

    /// Whether it was made with a certificate (keyless), which is not verified
    /// here.
    pub fn is_keyless(&self) -> bool {
        self.keyless
    }

    /// The first of `keys` that has signed `document`, the bytes of an image's
    /// index or manifest.
    ///
    /// # Errors
    /// Why none has, a part of a sentence.
    pub fn signer<'a>(
        &self,
        document: &[u8],
        keys: &'a [PublicKey],
    ) -> Result<&'a PublicKey, String> {
        const OTHER_KEY: &str = "it was made with another key";
        match &self.content {
            Content::Message { signature } => keys
                .iter()
                .find(|key| key.verifies(document, signature))
                .ok_or_else(|| OTHER_KEY.into()),
            Content::Envelope {
                payload_type,
                payload,
                signatures,
            } => {
                let signed = pre_authentication(payload_type, payload);
                let by = |key: &&PublicKey| signatures.iter().any(|s| key.verifies(&signed, s));
                // Only what is signed is read.
                let key = keys.iter().find(by).ok_or(OTHER_KEY)?;
                about(payload_type, payload, document)?;
                Ok(key)
            }
        }
    }
}

/// What DSSE signs (`protocol.md`, *PAE*).
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Whether a statement is a signature of `document`.
fn about(payload_type: &str, payload: &[u8], document: &[u8]) -> Result<(), String> {
    if payload_type != IN_TOTO {
        return Err("its envelope holds no in-toto statement".into());
    }
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|e| format!("its statement cannot be understood: {e}"))?;
    if !STATEMENTS.contains(&statement.kind.as_str()) {
        return Err("its statement is of an unknown version".into());
    }
    if statement.predicate_type != SIGN_PREDICATE {
        return Err("it is a statement about the image and no signature of it".into());
    }
    let is_it = |subject: &Subject| {
        [Algorithm::Sha256, Algorithm::Sha512]
            .into_iter()
            .any(|algorithm| {
                let digest: Digest = digest_of(algorithm, document);
                subject
                    .digest
                    .get(algorithm.as_str())
                    .is_some_and(|hex| hex == digest.hex())
            })
    };
    if statement.subject.iter().any(is_it) {
        Ok(())
    } else {
        Err("it is a signature of another image".into())
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(text)
        .map_err(|_| "the bundle holds what is no base64".into())
}

#[cfg(test)]
mod tests;
