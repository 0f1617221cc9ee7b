// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the signatures of an image lie: in its repository, or in a layout
//! under names that begin with that of its repository.

use imageref::Digest;

use super::SIGNATURES_MAX;
use crate::MANIFEST_MAX;
use crate::error::{ErrorKind, Missing, RegistryError};
use crate::pull::client::Registry;
use crate::pull::resolve::{get_document, get_manifest, get_small_blob};
use crate::settings::registries_conf::Endpoint;
use crate::store::layout::OciLayout;
use crate::store::manifest::{self, Descriptor, Fetched};

/// A place with signatures. What it gives by digest is verified.
#[derive(Debug, Clone, Copy)]
pub(super) enum SignatureStore<'a> {
    Registry {
        registry: &'a Registry,
        at: &'a Endpoint,
    },
    Layout {
        layout: &'a OciLayout,
        /// The repository, `host/name`.
        repository: &'a str,
    },
}

impl SignatureStore<'_> {
    /// The manifest or index with this tag.
    pub(super) async fn tagged(&self, tag: &str) -> Result<Option<Fetched>, RegistryError> {
        found(match self {
            Self::Registry { registry, at } => {
                let what = format!("{}:{tag}", at.reference.name());
                let session = registry.session(at).await?;
                registry
                    .retrying(|| get_manifest(&session, &what, tag))
                    .await
            }
            Self::Layout { layout, repository } => {
                layout.document_named(&format!("{repository}:{tag}"))
            }
        })
    }

    /// The manifest or index with this digest.
    pub(super) async fn document(&self, digest: &Digest) -> Result<Option<Fetched>, RegistryError> {
        let fetched = match self {
            Self::Registry { registry, at } => {
                let what = format!("{}@{digest}", at.reference.name());
                let session = registry.session(at).await?;
                let text = digest.to_string();
                registry
                    .retrying(|| get_manifest(&session, &what, &text))
                    .await
            }
            Self::Layout { layout, .. } => layout.document_by_digest(digest),
        };
        let Some(mut fetched) = found(fetched)? else {
            return Ok(None);
        };
        manifest::verify("a manifest", &fetched.bytes, None, digest)?;
        fetched.digest = digest.clone();
        Ok(Some(fetched))
    }

    /// A blob of at most `limit` bytes.
    pub(super) async fn blob(
        &self,
        what: &str,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        if descriptor.size > limit {
            return Err(RegistryError::TooLarge {
                what: what.to_owned(),
                limit,
            });
        }
        match self {
            Self::Registry { registry, at } => {
                let session = registry.session(at).await?;
                registry
                    .retrying(|| get_small_blob(&session, what, descriptor))
                    .await
            }
            Self::Layout { layout, .. } => layout.read_blob(what, descriptor),
        }
    }

    /// The digests that a layout has signatures of, whatever they are of.
    pub(super) fn signed_digests(&self) -> Result<Vec<Digest>, RegistryError> {
        let Self::Layout { layout, repository } = self else {
            return Ok(Vec::new());
        };
        let entries = layout.entries()?.into_iter();
        let digest = |(name, _): (Option<String>, Descriptor)| {
            let tag = name?
                .strip_prefix(*repository)?
                .strip_prefix(':')?
                .to_owned();
            let tag = tag.strip_suffix(".sig").unwrap_or(&tag);
            tag.replacen('-', ":", 1).parse().ok()
        };
        let mut digests: Vec<Digest> = entries.filter_map(digest).collect();
        digests.dedup();
        digests.truncate(SIGNATURES_MAX);
        Ok(digests)
    }

    /// What refers to `digest`; `None` where that question is not understood.
    pub(super) async fn referrers(
        &self,
        digest: &Digest,
    ) -> Result<Option<Fetched>, RegistryError> {
        let Self::Registry { registry, at } = self else {
            return Ok(None);
        };
        let what = format!("the referrers of {}@{digest}", at.reference.name());
        let session = registry.session(at).await?;
        // distribution-spec 1.1, *Listing Referrers*.
        let path = format!("referrers/{digest}");
        let answer = registry
            .retrying(|| get_document(&session, &what, &path))
            .await;
        match answer {
            // Registries that do not know the question answer it in many ways;
            // the fallback tag decides then.
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::Server
                        | ErrorKind::Refused
                        | ErrorKind::NoRegistry
                        | ErrorKind::AuthRequired
                        | ErrorKind::AuthRejected
                ) =>
            {
                tracing::debug!(error = %e, "no list of referrers");
                Ok(None)
            }
            other => found(other),
        }
    }
}

fn found(answer: Result<Fetched, RegistryError>) -> Result<Option<Fetched>, RegistryError> {
    match answer {
        Ok(fetched) => Ok(Some(fetched)),
        Err(RegistryError::NotFound { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

impl OciLayout {
    fn document_named(&self, name: &str) -> Result<Fetched, RegistryError> {
        let mut entries = self.entries()?.into_iter();
        let entry = entries.find(|(found, _)| found.as_deref() == Some(name));
        let Some((_, entry)) = entry else {
            return Err(RegistryError::NotFound {
                missing: Missing::Manifest,
                name: name.to_owned(),
            });
        };
        manifest::check_manifest_size(name, &entry)?;
        Ok(Fetched {
            bytes: self.read_blob(name, &entry)?,
            digest: entry.digest,
            media_type: Some(entry.media_type),
        })
    }

    fn document_by_digest(&self, digest: &Digest) -> Result<Fetched, RegistryError> {
        let what = format!("oci:{}@{digest}", self.root().display());
        Ok(Fetched {
            bytes: crate::store::layout::read_capped(&self.blob_path(digest), &what, MANIFEST_MAX)?,
            digest: digest.clone(),
            media_type: None,
        })
    }
}
