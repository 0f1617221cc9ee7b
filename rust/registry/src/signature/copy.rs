// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signatures into a layout, beside the image that they are of.

use std::collections::BTreeMap;

use imageref::{Digest, Reference};

use super::find::{self, Artifact};
use super::store::SignatureStore;
use super::{BUNDLE_MAX, PAYLOAD_MAX, SIGNATURES_MAX};
use crate::error::RegistryError;
use crate::pull::client::Registry;
use crate::settings::registries_conf::Endpoint;
use crate::store::hash::digest_of;
use crate::store::layout::OciLayout;
use crate::store::manifest::{Descriptor, Fetched, Lenient, OCI_INDEX, OCI_MANIFEST};

impl Registry {
    /// Copies the signatures of `digest` (an index or a manifest) from the
    /// place `at` into `layout`, where [`OciLayout::verify`] finds them
    /// under the image's name `name`. Verifies no signature. Gives the number of
    /// manifests with signatures that were copied.
    ///
    /// # Errors
    /// When they are there and cannot be read or written.
    pub async fn copy_signatures(
        &self,
        at: &Endpoint,
        name: &Reference,
        digest: &Digest,
        layout: &OciLayout,
    ) -> Result<usize, RegistryError> {
        let store = SignatureStore::Registry { registry: self, at };
        let tag = find::tag_of(digest);
        let mut copied = 0;
        if let Some(signed) = store.document(digest).await? {
            // An index is no part of an image in a layout.
            layout.write_blob(digest, &signed.bytes)?;
        }
        if let Some(fetched) = store.tagged(&format!("{tag}.sig")).await? {
            copy_artifact(store, &fetched, layout, PAYLOAD_MAX).await?;
            layout.name_document(
                &fetched,
                OCI_MANIFEST,
                &format!("{}:{tag}.sig", name.name()),
            )?;
            copied += 1;
        }
        let Some(list) = find::referrers(store, digest).await? else {
            return Ok(copied);
        };
        let mut kept = Vec::new();
        let entries = list.manifests.iter().filter_map(Lenient::readable);
        for entry in entries.filter(|e| e.may_be_bundle()).take(SIGNATURES_MAX) {
            let Some(fetched) = store.document(&entry.descriptor.digest).await? else {
                continue;
            };
            copy_artifact(store, &fetched, layout, BUNDLE_MAX).await?;
            layout.write_blob(&fetched.digest, &fetched.bytes)?;
            kept.push(entry.descriptor.clone());
        }
        if !kept.is_empty() {
            copied += kept.len();
            let index = index_of(&kept)?;
            layout.name_document(&index, OCI_INDEX, &format!("{}:{tag}", name.name()))?;
        }
        Ok(copied)
    }
}

/// Configuration and layers of an artifact's manifest.
async fn copy_artifact(
    store: SignatureStore<'_>,
    fetched: &Fetched,
    layout: &OciLayout,
    limit: u64,
) -> Result<(), RegistryError> {
    let artifact = Artifact::parse("the manifest of a signature", &fetched.bytes)?;
    let parts = artifact.config.iter().chain(&artifact.layers);
    // The configuration comes before the signatures.
    for entry in parts.filter_map(Lenient::readable).take(SIGNATURES_MAX + 1) {
        let bytes = store
            .blob("a part of a signature", &entry.descriptor, limit)
            .await?;
        layout.write_blob(&entry.descriptor.digest, &bytes)?;
    }
    Ok(())
}

/// An index as the fallback tag of a registry has it.
fn index_of(entries: &[Descriptor]) -> Result<Fetched, RegistryError> {
    let index = BTreeMap::from([
        ("schemaVersion", serde_json::json!(2)),
        ("mediaType", serde_json::json!(OCI_INDEX)),
        ("manifests", serde_json::json!(entries)),
    ]);
    let bytes = serde_json::to_vec(&index)
        .map_err(|e| RegistryError::malformed("the list of referrers", e))?;
    Ok(Fetched {
        digest: digest_of(imageref::Algorithm::Sha256, &bytes),
        bytes,
        media_type: Some(OCI_INDEX.to_owned()),
    })
}
