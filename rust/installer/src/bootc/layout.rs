// SPDX-License-Identifier: MIT OR Apache-2.0
//! The OCI layout as bootc is shown it: exactly one image, the pinned one.
//!
//! containers-transports(5) names an image in a layout by its tag, so a layout
//! with several images, without tags or with an index per architecture cannot
//! be addressed by a digest. Inside of the sandbox an `index.json` of our own
//! covers the layout's: it names the manifest that was checked, and nothing
//! else. What is installed is then exactly that, and a layout on a read-only
//! medium needs no change.

use std::path::Path;

use serde_json::json;

use contract::error::{Code, Error, Result};

/// Tag of the one image.
pub(super) const TAG: &str = "source";

/// Media type of a manifest that does not say its own (image-spec 1.0).
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The covering `index.json` for the manifest with this digest in `layout`.
///
/// # Errors
/// `SOURCE_INVALID` when the manifest is not in the layout.
pub(super) fn index_of_one(layout: &Path, digest: &str) -> Result<Vec<u8>> {
    let invalid = |what: String| Error::new(Code::SourceInvalid, what);
    let (algorithm, hex) = digest
        .split_once(':')
        .ok_or_else(|| invalid(format!("{digest} is no digest.")))?;
    let blob = layout.join("blobs").join(algorithm).join(hex);
    let manifest = std::fs::read(&blob).map_err(|err| {
        invalid(format!(
            "The image {digest} is not in the layout {}.",
            layout.display()
        ))
        .detail(format!("{}: {err}", blob.display()))
    })?;
    index(digest, &manifest).map_err(|err| {
        invalid(format!("{} is no image manifest.", blob.display())).detail(err.to_string())
    })
}

fn index(digest: &str, manifest: &[u8]) -> serde_json::Result<Vec<u8>> {
    let parsed: serde_json::Value = serde_json::from_slice(manifest)?;
    let media_type = parsed
        .get("mediaType")
        .and_then(|v| v.as_str())
        .unwrap_or(OCI_MANIFEST);
    serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": media_type,
            "digest": digest,
            "size": manifest.len(),
            "annotations": { "org.opencontainers.image.ref.name": TAG },
        }],
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_the_pinned_manifest_alone() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = dir.path().join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        std::fs::write(blobs.join("aa"), r#"{"mediaType":"application/x"}"#).unwrap();
        std::fs::write(blobs.join("bb"), "{}").unwrap();
        for (digest, media_type, size) in [
            ("sha256:aa", "application/x", 29),
            ("sha256:bb", OCI_MANIFEST, 2),
        ] {
            let bytes = index_of_one(dir.path(), digest).unwrap();
            let index: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let manifests = index["manifests"].as_array().unwrap();
            assert_eq!(manifests.len(), 1);
            assert_eq!(manifests[0]["digest"], digest);
            assert_eq!(manifests[0]["mediaType"], media_type);
            assert_eq!(manifests[0]["size"], size);
        }
        let missing = index_of_one(dir.path(), "sha256:cc").unwrap_err();
        assert_eq!(missing.code, Code::SourceInvalid);
    }
}
