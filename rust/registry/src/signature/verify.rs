// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the signatures that were found to the demands that they fulfil.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imageref::{Digest, Reference};

use super::find::{self, Artifact, Candidate};
use super::payload::SimpleSigning;
use super::rekor::{self, Logged};
use super::store::SignatureStore;
use super::{Demand, Demands, Fingerprint, REASONS_MAX, SignatureError, Verification, Wanted};
use crate::pull::client::Registry;
use crate::settings::registries_conf::Endpoint;
use crate::store::layout::OciLayout;
use crate::store::manifest;

impl Registry {
    /// Looks for signatures of `image` at the place `at`, which may be a
    /// mirror, and verifies them. With no demands nothing is looked for.
    ///
    /// # Errors
    /// [`SignatureError::NotSigned`] and [`SignatureError::Invalid`] when one of
    /// the demands is not fulfilled, and whatever keeps the signatures from
    /// being read.
    pub async fn verify(
        &self,
        at: &Endpoint,
        image: Wanted<'_>,
        demands: &Demands,
    ) -> Result<Option<Verification>, SignatureError> {
        let store = SignatureStore::Registry { registry: self, at };
        verify(store, image, demands).await
    }
}

impl OciLayout {
    /// As [`Registry::verify`], with the signatures that lie beside the image in
    /// this layout: under the names that they have in the registry, after the
    /// name of the repository (`host/name:sha256-<hex>.sig`). Blocks.
    ///
    /// # Errors
    /// As there.
    pub async fn verify(
        &self,
        image: Wanted<'_>,
        demands: &Demands,
    ) -> Result<Option<Verification>, SignatureError> {
        let repository = image.name.name();
        let store = SignatureStore::Layout {
            layout: self,
            repository: &repository,
        };
        verify(store, image, demands).await
    }
}

/// What a signature can be of: the index or the manifest.
struct Signable {
    digest: Digest,
    bytes: Vec<u8>,
}

/// A demand that is fulfilled, and how.
struct Fulfilled {
    key: Fingerprint,
    name: Option<String>,
    digest: Digest,
}

async fn verify(
    store: SignatureStore<'_>,
    image: Wanted<'_>,
    demands: &Demands,
) -> Result<Option<Verification>, SignatureError> {
    if demands.is_empty() {
        return Ok(None);
    }
    let mut state = VerifyState::new(demands);
    for signable in signables(store, image).await? {
        let found = find::simple(store, &signable.digest).await?;
        state.try_all(image.name, &signable, &found);
        if state.is_done() {
            break;
        }
        let found = find::bundles(store, &signable.digest).await?;
        state.try_all(image.name, &signable, &found);
        if state.is_done() {
            break;
        }
    }
    state.result(image.name).map(Some)
}

/// The index first: it is what a tag leads to and what cosign signs.
async fn signables(
    store: SignatureStore<'_>,
    image: Wanted<'_>,
) -> Result<Vec<Signable>, SignatureError> {
    manifest::verify("the manifest", image.manifest, None, image.manifest_digest)?;
    let mut signables = Vec::new();
    // A layout knows its images by their manifests alone.
    let mut indices = store.signed_digests()?;
    indices.extend(image.index.cloned());
    indices.sort();
    indices.dedup();
    for digest in indices.into_iter().filter(|d| d != image.manifest_digest) {
        let Some(fetched) = store.document(&digest).await? else {
            tracing::debug!(%digest, "the index is not there");
            continue;
        };
        match Artifact::parse("the index", &fetched.bytes) {
            Ok(index) if index.lists(image.manifest_digest) => signables.push(Signable {
                digest,
                bytes: fetched.bytes,
            }),
            Ok(_) => tracing::debug!(%digest, "it does not list the manifest"),
            Err(error) => tracing::debug!(%error, "no index"),
        }
    }
    signables.push(Signable {
        digest: image.manifest_digest.clone(),
        bytes: image.manifest.to_owned(),
    });
    Ok(signables)
}

/// What is fulfilled so far.
struct VerifyState<'a> {
    demands: &'a [Demand],
    fulfilled: Vec<Option<Fulfilled>>,
    /// For each demand.
    reasons: Vec<Vec<String>>,
    /// Signatures looked at.
    seen: usize,
}

impl<'a> VerifyState<'a> {
    fn new(demands: &'a Demands) -> Self {
        let demands = demands.0.as_slice();
        Self {
            demands,
            fulfilled: demands.iter().map(|_| None).collect(),
            reasons: demands.iter().map(|_| Vec::new()).collect(),
            seen: 0,
        }
    }

    fn try_all(&mut self, wanted: &Reference, signable: &Signable, found: &[Candidate]) {
        self.seen += found.len();
        for (at, demand) in self.demands.iter().enumerate() {
            for candidate in found {
                if self.fulfilled[at].is_some() {
                    break;
                }
                match demand.accepts(wanted, signable, candidate) {
                    Ok(fulfilled) => self.fulfilled[at] = Some(fulfilled),
                    Err(reason) => {
                        if !self.reasons[at].contains(&reason) {
                            self.reasons[at].push(reason);
                        }
                    }
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.fulfilled.iter().all(Option::is_some)
    }

    fn result(self, name: &Reference) -> Result<Verification, SignatureError> {
        let mut all = Vec::new();
        for ((fulfilled, demand), mut reasons) in self
            .fulfilled
            .into_iter()
            .zip(self.demands)
            .zip(self.reasons)
        {
            let name = name.to_string();
            let by = demand.by.clone();
            match fulfilled {
                Some(fulfilled) => all.push(fulfilled),
                None if self.seen == 0 => return Err(SignatureError::NotSigned { name, by }),
                None => {
                    // That there are more than were tried is always last.
                    let last = reasons.pop();
                    reasons.truncate(REASONS_MAX - 1);
                    reasons.extend(last);
                    return Err(SignatureError::Invalid { name, by, reasons });
                }
            }
        }
        let tag_scheme = all.iter().all(|f| f.name.is_some());
        let keys = all.iter().map(|f| f.key.clone()).collect();
        // There is one, or there would have been nothing to verify.
        let Some(first) = all.into_iter().next() else {
            return Err(SignatureError::NotSigned {
                name: name.to_string(),
                by: String::new(),
            });
        };
        Ok(Verification {
            keys,
            signed_name: first.name,
            digest: first.digest,
            tag_scheme,
        })
    }
}

impl Demand {
    /// Whether one signature fulfils this; else why it does not.
    fn accepts(
        &self,
        wanted: &Reference,
        signable: &Signable,
        candidate: &Candidate,
    ) -> Result<Fulfilled, String> {
        const KEYLESS: &str =
            "it was made with a certificate (keyless), which is not verified here";
        let fulfilled = |key: &super::PublicKey, name| Fulfilled {
            key: key.fingerprint(),
            name,
            digest: signable.digest.clone(),
        };
        match candidate {
            Candidate::Unusable(problem) => Err(problem.clone()),
            Candidate::Simple {
                payload,
                signature,
                keyless,
                proof,
            } => {
                let text = signature;
                let signature = STANDARD
                    .decode(text)
                    .map_err(|_| "the signature is no base64")?;
                let key = self
                    .keys
                    .iter()
                    .find(|key| key.verifies(payload, &signature));
                let key = key.ok_or(match keyless {
                    true => KEYLESS,
                    false => "it was made with another key",
                })?;
                let signed = SimpleSigning::parse(payload)?;
                if signed.digest != signable.digest.to_string() {
                    return Err("it is a signature of another image".into());
                }
                if !self.identity.accepts(wanted, &signed.reference) {
                    return Err(format!(
                        "it is a signature of `{}`",
                        shown(&signed.reference)
                    ));
                }
                if !self.logs.is_empty() {
                    let proof = proof.as_deref().ok_or("it is in no transparency log")?;
                    let wanted = Logged {
                        payload,
                        signature: text,
                        key,
                    };
                    rekor::check(proof, &self.logs, wanted)?;
                }
                Ok(fulfilled(key, Some(signed.reference)))
            }
            Candidate::Bundle(bundle) => {
                if bundle.is_keyless() {
                    return Err(KEYLESS.into());
                }
                let key = bundle.signer(&signable.bytes, &self.keys)?;
                if !self.bundles {
                    return Err(
                        "it is a bundle, which names no image, and a policy asks for the name"
                            .into(),
                    );
                }
                Ok(fulfilled(key, None))
            }
        }
    }
}

/// A text from elsewhere, fit for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
