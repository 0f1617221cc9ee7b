// SPDX-License-Identifier: MIT OR Apache-2.0
//! The signatures of one digest, as they lie in a store: names, descriptors and
//! content, nothing of it verified.

use std::collections::HashMap;

use imageref::Digest;
use serde::Deserialize;

use super::bundle::{self, Bundle};
use super::store::SignatureStore;
use super::{BUNDLE_MAX, PAYLOAD_MAX, SIGNATURES_MAX};
use crate::error::{ErrorKind, RegistryError};
use crate::store::manifest::{Descriptor, Lenient};

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const PROOF: &str = "dev.sigstore.cosign/bundle";
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// Most entries of a list of referrers that are looked into: most of what
/// refers to an image is something else than its signatures.
const REFERRERS_MAX: usize = 4 * SIGNATURES_MAX;

/// A signature that was found, or what there is in its place.
#[derive(Debug)]
pub(super) enum Candidate {
    /// Of the tag scheme.
    Simple {
        payload: Vec<u8>,
        /// Base64, as in the annotation.
        signature: String,
        /// Made with a certificate.
        keyless: bool,
        /// Proof that it is in a transparency log.
        proof: Option<String>,
    },
    Bundle(Bundle),
    /// Not usable, and why.
    Unusable(String),
}

/// An index, or a manifest of any artifact.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifact {
    artifact_type: Option<String>,
    #[serde(default)]
    pub(super) manifests: Vec<Lenient<Entry>>,
    pub(super) config: Option<Lenient<Entry>>,
    #[serde(default)]
    pub(super) layers: Vec<Lenient<Entry>>,
    #[serde(default)]
    annotations: HashMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    artifact_type: Option<String>,
    #[serde(flatten)]
    pub(super) descriptor: Descriptor,
}

impl Artifact {
    pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<Self, RegistryError> {
        serde_json::from_slice(bytes).map_err(|e| RegistryError::malformed(what, e))
    }

    pub(super) fn lists(&self, digest: &Digest) -> bool {
        let mut entries = self.manifests.iter().filter_map(Lenient::readable);
        entries.any(|entry| entry.descriptor.digest == *digest)
    }
}

impl Entry {
    fn annotation(&self, key: &str) -> Option<&str> {
        let annotations = self.descriptor.annotations.as_ref()?;
        annotations.get(key).map(String::as_str)
    }

    /// Whether a manifest with a bundle may be behind it. Some clients write the
    /// type of the empty configuration in place of the artifact's.
    pub(super) fn may_be_bundle(&self) -> bool {
        match self.artifact_type.as_deref() {
            None | Some("application/vnd.oci.empty.v1+json") => true,
            Some(kind) => kind.starts_with(bundle::MEDIA_TYPE),
        }
    }
}

/// `sha256-<hex>`, the beginning of the tags that are about a digest.
pub(super) fn tag_of(digest: &Digest) -> String {
    format!("{}-{}", digest.algorithm(), digest.hex())
}

/// The signatures of the tag scheme for `digest`.
pub(super) async fn simple(
    store: SignatureStore<'_>,
    digest: &Digest,
) -> Result<Vec<Candidate>, RegistryError> {
    let tag = format!("{}.sig", tag_of(digest));
    let Some(fetched) = store.tagged(&tag).await? else {
        return Ok(Vec::new());
    };
    let manifest = match Artifact::parse(&tag, &fetched.bytes) {
        Ok(manifest) => manifest,
        Err(e) => return Ok(vec![Candidate::Unusable(e.to_string())]),
    };
    let layers = manifest.layers.iter().filter_map(Lenient::readable);
    let mut candidates = Vec::new();
    // Several people sign the same payload.
    let mut payloads: HashMap<Digest, Vec<u8>> = HashMap::new();
    for (number, layer) in layers.enumerate() {
        if number == SIGNATURES_MAX {
            candidates.push(Candidate::Unusable(too_many()));
            break;
        }
        let descriptor = &layer.descriptor;
        let signature = layer.annotation(SIGNATURE);
        let (SIMPLE_SIGNING, Some(signature)) = (descriptor.media_type.as_str(), signature) else {
            let problem = "the layer is no cosign signature";
            candidates.push(Candidate::Unusable(problem.into()));
            continue;
        };
        if !payloads.contains_key(&descriptor.digest) {
            let what = format!("the payload of signature {}", number + 1);
            match store.blob(&what, descriptor, PAYLOAD_MAX).await {
                Ok(bytes) => drop(payloads.insert(descriptor.digest.clone(), bytes)),
                Err(e) => {
                    candidates.push(unusable(e)?);
                    continue;
                }
            }
        }
        if let Some(payload) = payloads.get(&descriptor.digest) {
            candidates.push(Candidate::Simple {
                payload: payload.clone(),
                signature: signature.to_owned(),
                keyless: layer.annotation(CERTIFICATE).is_some_and(|c| !c.is_empty()),
                proof: layer.annotation(PROOF).map(str::to_owned),
            });
        }
    }
    Ok(candidates)
}

/// The list of what refers to `digest`, from the registry itself or from the
/// fallback tag.
pub(super) async fn referrers(
    store: SignatureStore<'_>,
    digest: &Digest,
) -> Result<Option<Artifact>, RegistryError> {
    let what = "the list of referrers";
    if let Some(fetched) = store.referrers(digest).await? {
        match Artifact::parse(what, &fetched.bytes) {
            Ok(list) if !list.manifests.is_empty() => return Ok(Some(list)),
            // A registry that learned of referrers later has only the tag.
            Ok(_) => {}
            Err(e) => tracing::debug!(error = %e, "no list of referrers"),
        }
    }
    let Some(fetched) = store.tagged(&tag_of(digest)).await? else {
        return Ok(None);
    };
    Artifact::parse(what, &fetched.bytes).map(Some)
}

/// The bundles that refer to `digest` and are signatures.
pub(super) async fn bundles(
    store: SignatureStore<'_>,
    digest: &Digest,
) -> Result<Vec<Candidate>, RegistryError> {
    let list = match referrers(store, digest).await {
        Ok(Some(list)) => list,
        Ok(None) => return Ok(Vec::new()),
        Err(e) => return Ok(vec![unusable(e)?]),
    };
    let entries = list.manifests.iter().filter_map(Lenient::readable);
    let mut candidates = Vec::new();
    for (number, entry) in entries.filter(|e| e.may_be_bundle()).enumerate() {
        if candidates.len() >= SIGNATURES_MAX || number == REFERRERS_MAX {
            candidates.push(Candidate::Unusable(too_many()));
            break;
        }
        match bundle(store, entry).await {
            Ok(Some(candidate)) => candidates.push(candidate),
            Ok(None) => {}
            Err(e) => candidates.push(unusable(e)?),
        }
    }
    Ok(candidates)
}

/// The bundle behind one entry of the list; `None` when it is something else.
async fn bundle(
    store: SignatureStore<'_>,
    entry: &Entry,
) -> Result<Option<Candidate>, RegistryError> {
    let is_other = |predicate: Option<&str>| predicate.is_some_and(|p| p != bundle::SIGN_PREDICATE);
    if is_other(entry.annotation(PREDICATE)) {
        return Ok(None);
    }
    let Some(fetched) = store.document(&entry.descriptor.digest).await? else {
        return Ok(Some(Candidate::Unusable("a bundle is missing".into())));
    };
    let manifest = Artifact::parse("the manifest of a bundle", &fetched.bytes)?;
    let layer = manifest.layers.first().and_then(Lenient::readable);
    let layer = layer.filter(|l| l.descriptor.media_type.starts_with(bundle::MEDIA_TYPE));
    let (Some(layer), false) = (
        layer,
        is_other(manifest.annotations.get(PREDICATE).map(String::as_str)),
    ) else {
        tracing::debug!(
            kind = manifest.artifact_type,
            "refers to the image, no bundle"
        );
        return Ok(None);
    };
    let bytes = store
        .blob("a bundle", &layer.descriptor, BUNDLE_MAX)
        .await?;
    Ok(Some(match Bundle::parse(&bytes) {
        Ok(bundle) => Candidate::Bundle(bundle),
        Err(problem) => Candidate::Unusable(problem),
    }))
}

/// What is wrong with a signature that is not what it should be; a failure of
/// the network is one of everything.
fn unusable(error: RegistryError) -> Result<Candidate, RegistryError> {
    match error.kind() {
        ErrorKind::DigestMismatch
        | ErrorKind::SizeMismatch
        | ErrorKind::TooLarge
        | ErrorKind::Malformed
        | ErrorKind::NotAnImage
        | ErrorKind::Unsupported
        | ErrorKind::NotFound => Ok(Candidate::Unusable(error.to_string())),
        _ => Err(error),
    }
}

fn too_many() -> String {
    format!("there are more than {SIGNATURES_MAX} signatures, and the others were not tried")
}
