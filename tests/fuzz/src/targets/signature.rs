// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signatures, and the policy that asks for them.

use std::path::Path;
use std::sync::OnceLock;

use registry::policy::{Policy, Subject};
use registry::signature::bundle::Bundle;
use registry::signature::payload::SimpleSigning;
use registry::signature::{PublicKey, SignedIdentity};

/// A key whose owner has signed one document, and not [`OTHER`].
const KEY: &[u8] = include_bytes!("../../corpus/public-key/cosign");
const OTHER: &[u8] = b"{\"schemaVersion\":2}";

pub(crate) fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Policy::parse(text) {
        Ok(policy) => {
            let all = policy.accepts_everything();
            let wanted = reference();
            let subjects = [
                Subject::Docker(&wanted),
                Subject::Oci {
                    path: Path::new("/run/live/images"),
                    name: Some("v1"),
                },
            ];
            for subject in &subjects {
                let requirements = policy.requirements(subject);
                assert!(!requirements.is_empty(), "nothing is required");
                let accepts = registry::policy::Requirement::InsecureAcceptAnything;
                assert!(!all || requirements.iter().all(|r| *r == accepts));
            }
        }
        Err(error) => drop(error.to_string()),
    }
}

/// Payloads of the tag scheme, and bundles.
pub(crate) fn signature(data: &[u8]) {
    let wanted = reference();
    if let Ok(payload) = SimpleSigning::parse(data) {
        for identity in [
            SignedIdentity::MatchExact,
            SignedIdentity::MatchRepoDigestOrExact,
            SignedIdentity::MatchRepository,
        ] {
            if identity.accepts(&wanted, &payload.reference) {
                let signed = payload.reference.split([':', '@']).next();
                assert_eq!(signed, Some("registry.example/os/debian"));
            }
        }
    }
    if let Ok(bundle) = Bundle::parse(data) {
        let keys = std::slice::from_ref(key());
        assert!(bundle.signer(OTHER, keys).is_err(), "nobody has signed it");
    }
}

pub(crate) fn public_key(data: &[u8]) {
    let found = PublicKey::from_pem(data).or_else(|_| PublicKey::from_der(data));
    if let Ok(key) = found {
        let again = PublicKey::from_pem(key.to_pem().as_bytes());
        let again = again.unwrap_or_else(|e| panic!("{e}: {}", key.to_pem()));
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert!(!key.verifies(OTHER, data), "that is no signature");
    }
}

fn key() -> &'static PublicKey {
    static FOUND: OnceLock<PublicKey> = OnceLock::new();
    FOUND.get_or_init(|| PublicKey::from_pem(KEY).unwrap_or_else(|e| panic!("{e}")))
}

fn reference() -> imageref::Reference {
    "registry.example/os/debian:13"
        .parse()
        .unwrap_or_else(|e| panic!("{e}"))
}
