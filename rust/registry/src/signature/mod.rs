// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signatures of images, verified before a byte of a layer is used.
//!
//! Read are cosign's signatures by keys, in both places where cosign puts them:
//!
//! - the tag scheme (`SIGNATURE_SPEC.md` of cosign): a manifest tagged
//!   `sha256-<hex>.sig`, each of whose layers is a payload in *simple signing*
//!   form ([`payload`]), with the signature in an annotation;
//! - sigstore bundles ([`bundle`]) that refer to the image (distribution-spec
//!   1.1, *Listing Referrers*, or its fallback tag `sha256-<hex>`).
//!
//! A signature counts for the image's manifest, and for the index that it was
//! chosen from: what an index lists is fixed by its digest.
//!
//! The order of things: [`Demands`] says what must hold and needs no network;
//! [`Registry::verify`](crate::Registry::verify) and
//! [`OciLayout::verify`](crate::OciLayout::verify) look for signatures that
//! fulfil it. Everything read from a registry is limited in size and number, and
//! nothing of it counts before a signature over it is right.

pub mod bundle;
mod copy;
mod find;
mod identity;
pub mod key;
pub mod payload;
pub mod rekor;
mod store;
mod verify;

use imageref::{Digest, Reference};

pub use identity::{Name, SignedIdentity};
pub use key::{Fingerprint, KeyError, PublicKey};

use crate::error::RegistryError;

/// Most signatures in one place that are tried.
pub const SIGNATURES_MAX: usize = 64;
/// Largest payload of a signature, in bytes.
pub const PAYLOAD_MAX: u64 = 128 * 1024;
/// Largest bundle, in bytes.
pub const BUNDLE_MAX: u64 = 1024 * 1024;
/// Most reasons that an error lists.
const REASONS_MAX: usize = 5;

/// What must hold of an image's signatures; empty when nothing must.
#[derive(Debug, Clone, Default)]
pub struct Demands(Vec<Demand>);

/// One signature that must be there.
#[derive(Debug, Clone)]
pub(crate) struct Demand {
    /// Who wants it, for messages.
    pub(crate) by: String,
    /// Any of them.
    pub(crate) keys: Vec<PublicKey>,
    /// Logs in one of which the signature must be; none: it need not be in any.
    pub(crate) logs: Vec<PublicKey>,
    /// The name that must be signed.
    pub(crate) identity: SignedIdentity,
    /// Whether a bundle is enough, which names no image but its digest.
    pub(crate) bundles: bool,
}

impl Demands {
    /// Adds: a signature by one of `keys`. A signature of the tag scheme must be
    /// for the image's repository. `by` names who wants it, such as a file.
    pub fn add_keys(&mut self, by: &str, keys: Vec<PublicKey>) {
        self.add(Demand {
            by: by.to_owned(),
            keys,
            logs: Vec::new(),
            identity: SignedIdentity::MatchRepository,
            bundles: true,
        });
    }

    pub(crate) fn add(&mut self, demand: Demand) {
        self.0.push(demand);
    }

    /// Whether any image will do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The image whose signatures are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What it is called, whatever place it is fetched from.
    pub name: &'a Reference,
    /// The digest of its manifest.
    pub manifest_digest: &'a Digest,
    /// Its manifest, byte for byte; verified again.
    pub manifest: &'a [u8],
    /// The index that the manifest was chosen from; looked at again, so that it
    /// counts only when it lists the manifest.
    pub index: Option<&'a Digest>,
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The keys whose signatures were found, one for each demand.
    pub keys: Vec<Fingerprint>,
    /// The name that was signed; a bundle has none.
    pub signed_name: Option<String>,
    /// What was signed: the manifest or its index.
    pub digest: Digest,
    /// Every demand was fulfilled by a signature of the tag scheme, which is
    /// what the containers tools and thereby bootc can verify.
    pub tag_scheme: bool,
}

/// Why an image does not have the signatures that are demanded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The policy forbids it.
    #[error("{by} rejects this image")]
    Rejected {
        /// Who does.
        by: String,
    },
    /// The policy asks for what cannot be verified here.
    #[error("{by} demands `{what}`, which cannot be verified: {why}")]
    Unsupported {
        /// Who does.
        by: String,
        /// The requirement.
        what: &'static str,
        /// What is missing, one sentence.
        why: &'static str,
    },
    /// The policy or one of its keys cannot be used.
    #[error("{by} cannot be used: {problem}")]
    Policy {
        /// The policy.
        by: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no signature at all.
    #[error("{name} is not signed, and {by} demands a signature")]
    NotSigned {
        /// The image.
        name: String,
        /// Who demands it.
        by: String,
    },
    /// There are signatures, and none is right.
    #[error("no signature of {name} is the one that {by} demands")]
    Invalid {
        /// The image.
        name: String,
        /// Who demands it.
        by: String,
        /// What is wrong with each signature that was looked at, one line each.
        reasons: Vec<String>,
    },
    /// The signatures could not be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

#[cfg(test)]
mod tests;
