// SPDX-License-Identifier: MIT OR Apache-2.0
//! The payload of a cosign signature of the tag scheme: *simple signing* JSON
//! (containers-signature(5), section *JSON data format*).

use serde::Deserialize;

/// What `critical.type` must be.
const TYPE: &str = "cosign container image signature";

/// What somebody has signed about an image. Nothing of it holds before the
/// signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleSigning {
    /// `critical.image.docker-manifest-digest`, as written.
    pub digest: String,
    /// `critical.identity.docker-reference`, as written; what the image was
    /// called when it was signed.
    pub reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    critical: Critical,
    // Free for the signer's own use: never looked at.
    #[allow(dead_code)]
    optional: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: Identity,
    image: Image,
    r#type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

impl SimpleSigning {
    /// Reads a payload. What is critical must be understood whole, so that an
    /// unknown key is an error; so is a key that is there twice.
    ///
    /// # Errors
    /// What is wrong with it, a part of a sentence.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let raw: Raw = serde_json::from_slice(bytes)
            .map_err(|e| format!("its payload cannot be understood: {e}"))?;
        if raw.critical.r#type != TYPE {
            return Err("its payload is of another type than that of a cosign signature".into());
        }
        Ok(Self {
            digest: raw.critical.image.docker_manifest_digest,
            reference: raw.critical.identity.docker_reference,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn payload(type_: &str, rest: &str) -> String {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"r.io/os"}},
            "image":{{"docker-manifest-digest":"sha256:0"}},"type":"{type_}"{rest}}},"optional":null}}"#
        )
    }

    #[test]
    fn as_cosign_writes_it() {
        let found = SimpleSigning::parse(payload(TYPE, "").as_bytes()).unwrap();
        assert_eq!(found.digest, "sha256:0");
        assert_eq!(found.reference, "r.io/os");
        let creator = payload(TYPE, "").replace("null", r#"{"creator":"x","timestamp":1}"#);
        assert_eq!(SimpleSigning::parse(creator.as_bytes()), Ok(found));
    }

    #[test]
    fn what_else_there_is_is_refused() {
        let twice = payload(TYPE, r#","type":"cosign container image signature""#);
        for text in [
            "",
            "[]",
            "{}",
            &payload("atomic container signature", ""),
            &payload(TYPE, r#","more":1"#),
            &twice,
            &payload(TYPE, "").replace("\"optional\"", "\"other\""),
            &payload(TYPE, "").replace("\"r.io/os\"", "1"),
        ] {
            assert!(SimpleSigning::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
