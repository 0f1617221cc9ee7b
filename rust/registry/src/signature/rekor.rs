// SPDX-License-Identifier: MIT OR Apache-2.0
//! Proof that a signature is in a transparency log (Rekor): the entry and the
//! log's *signed entry timestamp* over it, which cosign keeps beside the
//! signature. What the log shows today is not asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imageref::Algorithm;
use serde::Deserialize;

use super::key::PublicKey;
use crate::store::hash::digest_of;

/// A signature that must be in the log.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'a> {
    /// What was signed.
    pub payload: &'a [u8],
    /// The signature in base64, as it is written beside it.
    pub signature: &'a str,
    /// The key that it is by.
    pub key: &'a PublicKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Proof {
    signed_entry_timestamp: String,
    payload: RekorEntry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RekorEntry {
    body: String,
    integrated_time: u64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    api_version: String,
    kind: String,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    data: Data,
    signature: Signature,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    hash: Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hash {
    algorithm: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Signature {
    content: String,
    public_key: Content,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    content: String,
}

/// Checks the proof (the JSON of `dev.sigstore.cosign/bundle`): one of the `logs`
/// has signed an entry, and that is the one of `wanted`.
///
/// # Errors
/// What is wrong with it, a part of a sentence.
pub fn check(proof: &str, logs: &[PublicKey], wanted: Logged<'_>) -> Result<(), String> {
    let proof: Proof = serde_json::from_str(proof)
        .map_err(|e| format!("the proof of its log entry cannot be understood: {e}"))?;
    let signed = proof.payload.canonical()?;
    let timestamp = decode(&proof.signed_entry_timestamp)?;
    if !logs.iter().any(|log| log.verifies(&signed, &timestamp)) {
        return Err("the proof of its log entry is by another log".into());
    }
    // Only what is signed is read.
    let body: Body = serde_json::from_slice(&decode(&proof.payload.body)?)
        .map_err(|e| format!("its log entry cannot be understood: {e}"))?;
    if body.kind != "hashedrekord" || body.api_version != "0.0.1" {
        return Err("its log entry is of an unknown kind".into());
    }
    let key = decode(&body.spec.signature.public_key.content)?;
    let hash = body.spec.data.hash;
    let is_it = body.spec.signature.content == wanted.signature
        && PublicKey::from_pem(&key).is_ok_and(|key| key == *wanted.key)
        && hash.algorithm == "sha256"
        && hash.value == digest_of(Algorithm::Sha256, wanted.payload).hex();
    match is_it {
        true => Ok(()),
        false => Err("its log entry is that of another signature".into()),
    }
}

impl RekorEntry {
    /// Canonical JSON (RFC 8785), which is what the log signs. The texts of an
    /// honest entry have no characters that would have to be escaped.
    fn canonical(&self) -> Result<Vec<u8>, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        if !self.body.chars().chain(self.log_id.chars()).all(plain) {
            return Err("its log entry cannot be understood".into());
        }
        let Self {
            body,
            integrated_time,
            log_index,
            log_id,
        } = self;
        // Larger numbers have no exact form in it.
        if *integrated_time.max(log_index) > 1 << 53 {
            return Err("its log entry cannot be understood".into());
        }
        Ok(format!(
            r#"{{"body":"{body}","integratedTime":{integrated_time},"logID":"{log_id}","logIndex":{log_index}}}"#
        )
        .into_bytes())
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(text)
        .map_err(|_| "its log entry holds what is no base64".into())
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::signature::tests::Signer;
    use serde_json::{Value, json};

    const PAYLOAD: &[u8] = b"{}";

    pub(crate) fn body(payload: &[u8], signer: &PublicKey, signature: &str) -> Value {
        json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {
                    "algorithm": "sha256",
                    "value": digest_of(Algorithm::Sha256, payload).hex(),
                }},
                "signature": {
                    "content": signature,
                    "publicKey": {"content": STANDARD.encode(signer.to_pem())},
                },
            },
        })
    }

    /// As the log writes it.
    pub(crate) fn proof(log: &Signer, body: &Value) -> Value {
        let body = STANDARD.encode(body.to_string());
        let signed =
            format!(r#"{{"body":"{body}","integratedTime":17,"logID":"c0d2","logIndex":4}}"#);
        json!({
            "SignedEntryTimestamp": STANDARD.encode(log.sign(signed.as_bytes())),
            "Payload": {"body": body, "integratedTime": 17, "logIndex": 4, "logID": "c0d2"},
        })
    }

    #[test]
    fn only_the_entry_of_this_signature_by_this_log_counts() {
        let (log, signer) = (Signer::new(), Signer::new());
        let (logs, key) = ([Signer::new().public(), log.public()], signer.public());
        let signature = STANDARD.encode(signer.sign(PAYLOAD));
        let good = body(PAYLOAD, &key, &signature);
        let check = |proof: &Value| {
            let wanted = Logged {
                payload: PAYLOAD,
                signature: &signature,
                key: &key,
            };
            check(&proof.to_string(), &logs, wanted)
        };
        assert_eq!(check(&proof(&log, &good)), Ok(()));
        let edited = |edit: fn(&mut Value)| {
            let mut body = good.clone();
            edit(&mut body);
            proof(&log, &body)
        };
        let changed = |edit: fn(&mut Value)| {
            let mut proof = proof(&log, &good);
            edit(&mut proof);
            proof
        };
        for (proof, reason) in [
            (proof(&signer, &good), "another log"),
            (
                proof(&log, &body(PAYLOAD, &log.public(), &signature)),
                "another signature",
            ),
            (
                proof(&log, &body(PAYLOAD, &key, "AAAA")),
                "another signature",
            ),
            (
                edited(|b| b["spec"]["data"]["hash"]["value"] = "00".into()),
                "another signature",
            ),
            (
                edited(|b| b["spec"]["data"]["hash"]["algorithm"] = "md5".into()),
                "another signature",
            ),
            (edited(|b| b["kind"] = "intoto".into()), "unknown kind"),
            (edited(|b| b["more"] = 1.into()), "cannot be understood"),
            (
                changed(|p| p["Payload"]["integratedTime"] = 18.into()),
                "another log",
            ),
            (
                changed(|p| p["Payload"]["integratedTime"] = u64::MAX.into()),
                "cannot be understood",
            ),
            (
                changed(|p| p["Payload"]["logID"] = "\",\"x\":\"".into()),
                "cannot be understood",
            ),
            (
                changed(|p| p["SignedEntryTimestamp"] = "%".into()),
                "base64",
            ),
            (json!({}), "cannot be understood"),
        ] {
            let error = check(&proof).unwrap_err();
            assert!(error.contains(reason), "{proof}: {error}");
        }
    }
}
