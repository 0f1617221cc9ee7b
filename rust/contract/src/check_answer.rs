// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `bootc-installer check` answers.

use imageref::{Digest, Reference};
use serde::{Deserialize, Serialize};

use crate::trust::Trust;

/// What a check found out about an image: the JSON object that the engine prints,
/// a front end reads and its page shows. Sizes are bytes. A field that an older
/// engine does not tell has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckAnswer {
    /// The reference that the installed system updates from.
    pub imgref: Reference,
    /// Digest of the manifest.
    pub digest: Digest,
    /// Digest of the index that the manifest was chosen from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_digest: Option<Digest>,
    /// Whether its signature was verified.
    #[serde(default)]
    pub signature: Trust,
    /// The image's own name for itself.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// When it was built, RFC 3339.
    pub created: Option<String>,
    /// For example `linux/amd64`.
    #[serde(default)]
    pub architecture: String,
    /// Number of layers.
    #[serde(default)]
    pub layers: usize,
    /// To download.
    #[serde(default)]
    pub download_bytes: u64,
    /// Layers that are on the medium, in layouts.
    #[serde(default)]
    pub medium_bytes: u64,
    /// The registry cannot be reached, and a copy on the medium stands in. Then
    /// the first of the warnings says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// The unpacked size, an estimate.
    #[serde(default)]
    pub unpacked_bytes: u64,
    /// The smallest file system that the installation fits on, an estimate.
    #[serde(default)]
    pub space_bytes: u64,
    /// Peak use of the target, when one was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_bytes_needed: Option<u64>,
    /// What is free on the target, when one was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_bytes_free: Option<u64>,
    /// What the person should know.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// The answer of `check --on-medium`, which asks no registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnMedium {
    /// A layout that the configuration names has an image of this name.
    pub on_medium: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::trust::Unverified;
    use serde_json::{Value, json};

    /// What older engines told, and what the newest reader makes of it.
    #[test]
    fn what_is_not_told_has_a_default() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let told = json!({ "imgref": "r.example/os:1", "digest": digest, "news": 1 });
        let answer: CheckAnswer = serde_json::from_value(told).unwrap();
        // Whoever does not say that it is verified has not verified it.
        let why = Unverified::NoKey;
        assert_eq!(answer.signature, Trust::NotVerified { why });
        let written = serde_json::to_value(&answer).unwrap();
        assert_eq!(
            written,
            json!({
                "imgref": "r.example/os:1", "digest": digest,
                "signature": { "state": "not-verified", "why": "no-key" },
                "name": Value::Null, "version": Value::Null, "created": Value::Null,
                "architecture": "", "layers": 0, "downloadBytes": 0, "mediumBytes": 0,
                "unpackedBytes": 0, "spaceBytes": 0, "warnings": [],
            })
        );
        let again: CheckAnswer = serde_json::from_value(written).unwrap();
        assert_eq!(again, answer);
    }
}
