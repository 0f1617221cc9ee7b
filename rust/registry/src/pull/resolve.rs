// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a reference in a registry to a checked manifest and configuration.

use std::future::Future;
use std::time::Duration;

use imageref::{Algorithm, Digest, Reference};
use reqwest::header::CONTENT_TYPE;

use crate::MANIFEST_MAX;
use crate::error::{Missing, RegistryError};
use crate::http::classify::Context;
use crate::http::registry_session::RegistrySession;
use crate::http::transport::{HttpAnswer, in_time};
use crate::pull::client::Registry;
use crate::pull::mirrors::MirrorFailures;
use crate::settings::registries_conf::Endpoint;
use crate::store::hash::digest_of;
use crate::store::image::ResolvedImage;
use crate::store::manifest::{self, Descriptor, Document, Fetched, Origin};
use imageref::Platform;

/// Longest wait that a registry may ask for when it is asked what an image is.
const SHORT_WAIT: Duration = Duration::from_secs(5);

impl Registry {
    /// Asks what `reference` is for `platform`: the mirrors of its registry in
    /// their order, then the registry itself unless it is blocked; the first that
    /// has an answer counts. Reads manifest and configuration, no layers; writes nothing.
    ///
    /// # Errors
    /// Any but [`RegistryError::Io`]; see there. When there are mirrors it is
    /// the error of the last place, in a [`RegistryError::Mirrors`].
    pub async fn resolve(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let endpoints = self.endpoints(reference)?;
        let mut failures = MirrorFailures::default();
        let last = endpoints.len().saturating_sub(1);
        for (at, endpoint) in endpoints.into_iter().enumerate() {
            match self.resolve_at(&endpoint, reference, platform).await {
                Ok(mut image) => {
                    image.endpoint = Some(endpoint);
                    image.mirror_failures = failures.into_texts();
                    return Ok(image);
                }
                Err(error) if endpoint.mirror && at < last => failures.add(&endpoint, &error),
                Err(error) => return Err(failures.with(error)),
            }
        }
        Err(RegistryError::Config {
            what: format!("no place is configured for {reference}"),
        })
    }

    /// [`Registry::resolve`] at one place.
    async fn resolve_at(
        &self,
        endpoint: &Endpoint,
        asked: &Reference,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let session = self.new_session(endpoint).await?;
        self.resolve_in(&session, &endpoint.reference, asked, platform)
            .await
            .map_err(|error| session.explained(error))
    }

    async fn resolve_in(
        &self,
        session: &RegistrySession,
        reference: &Reference,
        asked: &Reference,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let name = reference.to_string();
        let pinned = reference.digest();
        let mut fetched = match pinned {
            Some(digest) => self.document(session, &name, digest).await?,
            None => {
                let tag = reference.tag().unwrap_or(imageref::DEFAULT_TAG);
                self.retrying(|| get_manifest(session, &name, tag)).await?
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
                fetched = self.document(session, &what, &chosen.digest).await?;
                match manifest::parse(&what, &fetched)? {
                    Document::Manifest(manifest) => *manifest,
                    Document::Index(_) => {
                        return Err(RegistryError::malformed(&what, "an index within an index"));
                    }
                }
            }
        };
        let what = format!("the configuration of {name}");
        let config = self
            .retrying(|| get_small_blob(session, &what, &manifest.config))
            .await?;
        let origin = Origin {
            name: &name,
            reference: Some(asked),
            index_digest,
        };
        manifest::assemble(origin, fetched, manifest, config, platform)
    }

    /// Fetches a manifest or index by digest and verifies it.
    async fn document(
        &self,
        session: &RegistrySession,
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
        // A person waits for the answer: few attempts and short waits,
        // whatever a pull may do.
        let policy = self.config.retry;
        let mut failures = 0;
        loop {
            match request().await {
                Err(e)
                    if e.is_transient()
                        && failures < policy.max_failures.min(3)
                        && e.retry_after().is_none_or(|wait| wait <= SHORT_WAIT) =>
                {
                    failures += 1;
                    let asked = e.retry_after().unwrap_or_default();
                    let delay = policy.delay(failures).max(asked);
                    tracing::debug!(error = %e, ?delay, "trying again");
                    tokio::time::sleep(delay).await;
                }
                done => return done,
            }
        }
    }
}

/// Fetches a manifest by tag or digest.
pub(crate) async fn get_manifest(
    session: &RegistrySession,
    what: &str,
    reference: &str,
) -> Result<Fetched, RegistryError> {
    get_document(session, what, &format!("manifests/{reference}")).await
}

/// Fetches what is as large as a manifest at most, from a path within the
/// repository; checks its digest against what the registry says it is.
pub(crate) async fn get_document(
    session: &RegistrySession,
    what: &str,
    path: &str,
) -> Result<Fetched, RegistryError> {
    let context = session.context(what, Missing::Manifest);
    let answer = session.document(&context, path, &manifest::ACCEPT).await?;
    if answer.status() != 200 {
        return Err(answer.refusal(&context).await);
    }
    if answer.is_web_page() {
        return Err(context.no_registry(answer.status(), true));
    }
    let media_type = answer
        .header(CONTENT_TYPE)
        .and_then(|v| v.split(';').next().map(|v| v.trim().to_owned()));
    let said = answer.header("docker-content-digest").map(str::to_owned);
    let bytes = read_up_to(answer, &context, MANIFEST_MAX).await?;
    let name = format!("the manifest of {what}");
    if bytes.len() as u64 > MANIFEST_MAX {
        return Err(RegistryError::TooLarge {
            what: name,
            limit: MANIFEST_MAX,
        });
    }
    let digest = match said.map(|s| s.parse::<Digest>()) {
        Some(Ok(digest)) => {
            manifest::verify(&name, &bytes, None, &digest)?;
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
    session: &RegistrySession,
    what: &str,
    descriptor: &Descriptor,
) -> Result<Vec<u8>, RegistryError> {
    let context = session.context(what, Missing::Blob);
    if descriptor.size == 0 {
        manifest::verify(what, &[], Some(0), &descriptor.digest)?;
        return Ok(Vec::new());
    }
    let answer = session.blob(&context, &descriptor.digest, 0).await?;
    if answer.status() != 200 {
        return Err(answer.refusal(&context).await);
    }
    let bytes = read_up_to(answer, &context, descriptor.size).await?;
    manifest::verify(what, &bytes, Some(descriptor.size), &descriptor.digest)?;
    Ok(bytes)
}

/// The body of an answer; stops reading behind `limit` bytes, so that more than
/// those say that it is too long.
async fn read_up_to(
    mut answer: HttpAnswer,
    context: &Context,
    limit: u64,
) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(context, answer.response.chunk())
        .await?
        .map_err(|e| context.request(e))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > limit {
            break;
        }
    }
    Ok(bytes)
}
