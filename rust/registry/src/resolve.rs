// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a reference in a registry to a checked manifest and configuration.

use std::future::Future;

use futures_util::StreamExt as _;
use imageref::{Algorithm, Digest, Reference};
use oci_client::client::BlobResponse;

use crate::classify::Context;
use crate::client::{Registry, Session};
use crate::error::{Missing, RegistryError};
use crate::hash::digest_of;
use crate::image::ResolvedImage;
use crate::manifest::{self, Descriptor, Document, Fetched, Origin};
use crate::platform::Platform;
use crate::MANIFEST_MAX;

impl Registry {
    /// Asks the registry what `reference` is for `platform`. Reads manifest and
    /// configuration, no layers; writes nothing.
    ///
    /// # Errors
    /// Any but [`RegistryError::Io`]; see there.
    pub async fn resolve(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let name = reference.to_string();
        let session = self.new_session(reference).await?;
        let pinned = reference.digest();
        let mut fetched = match pinned {
            Some(digest) => self.document(&session, &name, digest).await?,
            None => {
                let tag = reference.tag().unwrap_or(imageref::DEFAULT_TAG);
                self.retrying(|| get_manifest(&session, &name, tag)).await?
            }
        };
        let mut index_digest = None;
        let manifest = match manifest::parse(&name, &fetched)? {
            Document::Manifest(manifest) => *manifest,
            Document::Index(entries) => {
                let chosen = manifest::choose(&entries, platform)?;
                let what = format!("{name} for {platform}");
                manifest::check_manifest_size(&what, chosen)?;
                index_digest = Some(fetched.digest);
                fetched = self.document(&session, &what, &chosen.digest).await?;
                match manifest::parse(&what, &fetched)? {
                    Document::Manifest(manifest) => *manifest,
                    Document::Index(_) => {
                        return Err(RegistryError::malformed(&what, "an index within an index"))
                    }
                }
            }
        };
        let what = format!("the configuration of {name}");
        let config = self
            .retrying(|| get_small_blob(&session, &what, &manifest.config))
            .await?;
        let origin = Origin {
            name: &name,
            reference: Some(reference),
            index_digest,
        };
        manifest::assemble(origin, fetched, manifest, config, platform)
    }

    /// Fetches a manifest or index by digest and verifies it.
    async fn document(
        &self,
        session: &Session,
        what: &str,
        digest: &Digest,
    ) -> Result<Fetched, RegistryError> {
        let text = digest.to_string();
        let mut fetched = self.retrying(|| get_manifest(session, what, &text)).await?;
        manifest::verify(
            &format!("the manifest of {what}"),
            &fetched.bytes,
            None,
            digest,
        )?;
        fetched.digest = digest.clone();
        Ok(fetched)
    }

    /// Runs a short request again while its failure may be a passing one.
    pub(crate) async fn retrying<T, F>(
        &self,
        mut request: impl FnMut() -> F,
    ) -> Result<T, RegistryError>
    where
        F: Future<Output = Result<T, RegistryError>>,
    {
        // A person waits for the answer: few attempts, whatever a pull may do.
        let policy = self.config.retry;
        let mut failures = 0;
        loop {
            match request().await {
                Err(e) if e.is_transient() && failures < policy.max_failures.min(3) => {
                    failures += 1;
                    let delay = policy.delay(failures);
                    tracing::debug!(error = %e, ?delay, "trying again");
                    tokio::time::sleep(delay).await;
                }
                done => return done,
            }
        }
    }
}

/// Fetches a manifest; checks its digest against what the registry says it is.
pub(crate) async fn get_manifest(
    session: &Session,
    what: &str,
    reference: &str,
) -> Result<Fetched, RegistryError> {
    get_document(session, what, session.manifest_request(reference)).await
}

/// Fetches what is as large as a manifest at most.
pub(crate) async fn get_document(
    session: &Session,
    what: &str,
    request: reqwest::RequestBuilder,
) -> Result<Fetched, RegistryError> {
    let context = session.context(what, Missing::Manifest);
    let answer = request.send();
    let mut response = answered(&context, answer)
        .await?
        .map_err(|e| context.request(e))?;
    let status = response.status();
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned()).filter(|v| !v.is_empty())
    };
    let media_type =
        header("content-type").and_then(|v| v.split(';').next().map(|v| v.trim().to_owned()));
    let said = header("docker-content-digest");
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(&context, response.chunk())
        .await?
        .map_err(|e| context.request(e))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > MANIFEST_MAX {
            return Err(RegistryError::TooLarge {
                what: format!("the manifest of {what}"),
                limit: MANIFEST_MAX,
            });
        }
    }
    if status.as_u16() != 200 {
        return Err(context.answer(status.as_u16(), &bytes));
    }
    let digest = match said.map(|s| s.parse::<Digest>()) {
        Some(Ok(digest)) => {
            manifest::verify(&format!("the manifest of {what}"), &bytes, None, &digest)?;
            digest
        }
        // No header, or an algorithm that is not known here.
        _ => digest_of(Algorithm::Sha256, &bytes),
    };
    Ok(Fetched {
        bytes,
        digest,
        media_type,
    })
}

/// Fetches a blob of a few megabytes at most into memory and verifies it.
pub(crate) async fn get_small_blob(
    session: &Session,
    what: &str,
    descriptor: &Descriptor,
) -> Result<Vec<u8>, RegistryError> {
    let context = session.context(what, Missing::Blob);
    let digest = descriptor.digest.to_string();
    if descriptor.size == 0 {
        manifest::verify(what, &[], Some(0), &descriptor.digest)?;
        return Ok(Vec::new());
    }
    let request =
        session
            .oci
            .pull_blob_stream_partial(&session.oci_reference, digest.as_str(), 0, None);
    let response = answered(&context, request)
        .await?
        .map_err(|e| context.oci(e))?;
    let mut stream = match response {
        BlobResponse::Full(stream) | BlobResponse::Partial(stream) => stream.stream,
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(&context, stream.next()).await? {
        bytes.extend_from_slice(&chunk.map_err(|e| context.body(e))?);
        if bytes.len() as u64 > descriptor.size {
            break;
        }
    }
    manifest::verify(what, &bytes, Some(descriptor.size), &descriptor.digest)?;
    Ok(bytes)
}

/// Waits for the next bytes, but not for ever.
pub(crate) async fn in_time<T>(
    context: &Context,
    bytes: impl Future<Output = T>,
) -> Result<T, RegistryError> {
    tokio::time::timeout(context.stall_timeout, bytes)
        .await
        .map_err(|_| context.stalled())
}

/// Waits for an answer, for which a connection may have to be made first.
pub(crate) async fn answered<T>(
    context: &Context,
    answer: impl Future<Output = T>,
) -> Result<T, RegistryError> {
    tokio::time::timeout(context.connect_timeout + context.stall_timeout, answer)
        .await
        .map_err(|_| context.stalled())
}
