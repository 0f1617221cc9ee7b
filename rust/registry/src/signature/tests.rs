// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signatures made here, in layouts made here.
#![allow(clippy::unwrap_used)]
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imageref::Algorithm;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;
use crate::policy::{Policy, Subject};
use crate::store::hash::digest_of;
use crate::store::layout::OciLayout;
use crate::store::manifest::{Fetched, OCI_INDEX, OCI_MANIFEST};

/// A private key.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    pub(crate) fn public(&self) -> PublicKey {
        let algorithm = rustls::pki_types::alg_id::ECDSA_P256;
        let mut bits = vec![3, 66, 0];
        bits.extend_from_slice(self.0.public_key().as_ref());
        let inner = [&[0x30, algorithm.len() as u8][..], &algorithm, &bits].concat();
        let der = [&[0x30, inner.len() as u8][..], &inner].concat();
        PublicKey::from_der(&der).unwrap()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_owned()
    }
}

/// The statement of a signature.
pub(crate) fn statement(sha256: &str) -> String {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": sha256}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    })
    .to_string()
}

/// A bundle with a DSSE envelope.
pub(crate) fn bundle_of(signer: &Signer, payload_type: &str, payload: &str) -> String {
    let signed = format!(
        "DSSEv1 {} {payload_type} {} {payload}",
        payload_type.len(),
        payload.len()
    );
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": STANDARD.encode(signer.sign(signed.as_bytes()))}],
        },
    })
    .to_string()
}

fn payload(reference: &str, digest: &Digest) -> Vec<u8> {
    json!({
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": digest.to_string()},
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
    .into_bytes()
}

/// An image in a repository, and room for its signatures.
struct Fixture {
    _dir: tempfile::TempDir,
    layout: OciLayout,
    name: Reference,
    manifest: Vec<u8>,
    digest: Digest,
    index: Digest,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let layout = OciLayout::create(&dir.path().join("oci")).unwrap();
        let manifest = json!({"schemaVersion": 2, "layers": []})
            .to_string()
            .into_bytes();
        let digest = sha256(&manifest);
        let index = json!({"schemaVersion": 2, "manifests": [
            {"mediaType": OCI_MANIFEST, "digest": digest, "size": manifest.len()}
        ]})
        .to_string()
        .into_bytes();
        layout.write_blob(&sha256(&index), &index).unwrap();
        Self {
            _dir: dir,
            layout,
            name: "r.io/team/os:1".parse().unwrap(),
            manifest,
            digest,
            index: sha256(&index),
        }
    }

    fn blob(&self, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        self.layout.write_blob(&digest, bytes).unwrap();
        json!({"mediaType": "x", "digest": digest, "size": bytes.len()})
    }

    fn document(&self, json: &Value, media_type: &str, tag: &str) {
        let bytes = json.to_string().into_bytes();
        let document = Fetched {
            digest: sha256(&bytes),
            bytes,
            media_type: None,
        };
        let name = format!("{}:{tag}", self.name.name());
        self.layout
            .name_document(&document, media_type, &name)
            .unwrap();
    }

    fn layer(&self, payload: &[u8], signature: &[u8]) -> Value {
        let mut layer = self.blob(payload);
        layer["mediaType"] = "application/vnd.dev.cosign.simplesigning.v1+json".into();
        layer["annotations"] = json!({
            "dev.cosignproject.cosign/signature": STANDARD.encode(signature),
        });
        layer
    }

    fn signed(&self, signer: &Signer, payload: &[u8]) -> Value {
        self.layer(payload, &signer.sign(payload))
    }

    /// Signatures of the tag scheme for `of`.
    fn attach(&self, of: &Digest, layers: &[Value]) {
        let json = json!({"schemaVersion": 2, "config": self.blob(b"{}"), "layers": layers});
        self.document(&json, OCI_MANIFEST, &format!("sha256-{}.sig", of.hex()));
    }

    /// Bundles that refer to `of`.
    fn refer(&self, of: &Digest, bundles: &[String]) {
        let entry = |bundle: &String| {
            let mut layer = self.blob(bundle.as_bytes());
            layer["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.3+json".into();
            let manifest = json!({"schemaVersion": 2, "layers": [layer]});
            let mut entry = self.blob(manifest.to_string().as_bytes());
            entry["mediaType"] = OCI_MANIFEST.into();
            entry
        };
        let entries: Vec<Value> = bundles.iter().map(entry).collect();
        let json = json!({"schemaVersion": 2, "manifests": entries});
        self.document(&json, OCI_INDEX, &format!("sha256-{}", of.hex()));
    }

    fn verify(&self, demands: &Demands) -> Result<Option<Verification>, SignatureError> {
        let wanted = Wanted {
            name: &self.name,
            manifest_digest: &self.digest,
            manifest: &self.manifest,
            index: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.layout.verify(wanted, demands))
    }

    fn reasons(&self, demands: &Demands) -> Vec<String> {
        match self.verify(demands) {
            Err(SignatureError::Invalid { reasons, .. }) => reasons,
            other => panic!("{other:?}"),
        }
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, bytes)
}

fn demands(signers: &[&Signer]) -> Demands {
    let mut demands = Demands::default();
    for signer in signers {
        demands.add_keys("test.conf", vec![signer.public()]);
    }
    demands
}

fn policy(signer: &Signer, identity: &str, name: &Reference) -> Demands {
    let data = STANDARD.encode(signer.public().to_pem());
    let text =
        format!(r#"{{"default":[{{"type":"sigstoreSigned","keyData":"{data}"{identity}}}]}}"#);
    let policy = Policy::parse(&text).unwrap();
    let mut demands = Demands::default();
    demands
        .add_policy("policy.json", &policy, &Subject::Docker(name))
        .unwrap();
    demands
}

#[test]
fn without_demands_nothing_is_verified() {
    let fixture = Fixture::new();
    assert_eq!(fixture.verify(&Demands::default()).unwrap(), None);
}

#[test]
fn a_signature_of_manifest_or_index_counts() {
    let signer = Signer::new();
    for bundle in [false, true] {
        for index in [false, true] {
            let fixture = Fixture::new();
            let of = if index {
                &fixture.index
            } else {
                &fixture.digest
            };
            if bundle {
                let text = bundle_of(
                    &signer,
                    "application/vnd.in-toto+json",
                    &statement(of.hex()),
                );
                fixture.refer(of, &[text]);
            } else {
                let payload = payload("r.io/team/os", of);
                fixture.attach(of, &[fixture.signed(&signer, &payload)]);
            }
            let found = fixture.verify(&demands(&[&signer])).unwrap().unwrap();
            assert_eq!(found.keys, [signer.public().fingerprint()]);
            assert_eq!(found.digest, *of, "bundle {bundle}, index {index}");
            assert_eq!(found.tag_scheme, !bundle);
            assert_eq!(found.signed_name.is_none(), bundle);
        }
    }
}

#[test]
fn an_index_that_does_not_list_the_manifest_does_not_count() {
    let signer = Signer::new();
    let fixture = Fixture::new();
    let other = json!({"schemaVersion": 2, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": sha256(b"other"), "size": 5}
    ]})
    .to_string();
    fixture.blob(other.as_bytes());
    let of = sha256(other.as_bytes());
    fixture.attach(
        &of,
        &[fixture.signed(&signer, &payload("r.io/team/os", &of))],
    );
    let error = fixture.verify(&demands(&[&signer])).unwrap_err();
    assert!(
        matches!(error, SignatureError::NotSigned { .. }),
        "{error:?}"
    );
}

#[test]
fn what_is_wrong_with_a_signature_is_said() {
    let (signer, other) = (Signer::new(), Signer::new());
    type Layer = fn(&Fixture, &Signer) -> Value;
    let cases: [(&str, Layer); 6] = [
        ("another image", |f, s| {
            f.signed(s, &payload("r.io/team/os", &f.index))
        }),
        ("`r.io/team/other`", |f, s| {
            f.signed(s, &payload("r.io/team/other", &f.digest))
        }),
        ("another key", |f, s| {
            let good = payload("r.io/team/os", &f.digest);
            f.layer(&payload("r.io/team/os:2", &f.digest), &s.sign(&good))
        }),
        ("cannot be understood", |f, s| f.signed(s, b"{}")),
        ("no base64", |f, s| {
            let mut layer = f.signed(s, &payload("r.io/team/os", &f.digest));
            layer["annotations"]["dev.cosignproject.cosign/signature"] = "%".into();
            layer
        }),
        ("larger than", |f, s| {
            let mut layer = f.signed(s, &payload("r.io/team/os", &f.digest));
            layer["size"] = (PAYLOAD_MAX + 1).into();
            layer
        }),
    ];
    for (reason, layer) in cases {
        let fixture = Fixture::new();
        fixture.attach(&fixture.digest, &[layer(&fixture, &signer)]);
        let reasons = fixture.reasons(&demands(&[&signer]));
        assert!(reasons[0].contains(reason), "{reason}: {reasons:?}");
    }
    let fixture = Fixture::new();
    let good = payload("r.io/team/os", &fixture.digest);
    fixture.attach(&fixture.digest, &[fixture.signed(&other, &good)]);
    assert_eq!(
        fixture.reasons(&demands(&[&signer])),
        ["it was made with another key"]
    );
    // One bad signature does not spoil the good one.
    let both = [
        json!({"x": 1}),
        fixture.signed(&other, &good),
        fixture.signed(&signer, &good),
    ];
    fixture.attach(&fixture.digest, &both);
    assert!(fixture.verify(&demands(&[&signer])).is_ok());
}

#[test]
fn each_demand_needs_its_signature() {
    let (one, two) = (Signer::new(), Signer::new());
    let fixture = Fixture::new();
    let good = payload("r.io/team/os", &fixture.digest);
    fixture.attach(&fixture.digest, &[fixture.signed(&one, &good)]);
    assert!(fixture.verify(&demands(&[&one])).is_ok());
    assert!(fixture.verify(&demands(&[&one, &two])).is_err());
    fixture.attach(
        &fixture.digest,
        &[fixture.signed(&one, &good), fixture.signed(&two, &good)],
    );
    let found = fixture.verify(&demands(&[&one, &two])).unwrap().unwrap();
    assert_eq!(found.keys.len(), 2);
    // Of the keys of one demand any will do.
    let mut any = Demands::default();
    any.add_keys("x", vec![Signer::new().public(), one.public()]);
    assert!(fixture.verify(&any).is_ok());
}

#[test]
fn signatures_beyond_the_limit_are_not_tried() {
    let (signer, other) = (Signer::new(), Signer::new());
    let fixture = Fixture::new();
    let good = payload("r.io/team/os", &fixture.digest);
    let mut layers = vec![fixture.signed(&other, &good); 10_000];
    layers.push(fixture.signed(&signer, &good));
    fixture.attach(&fixture.digest, &layers);
    let reasons = fixture.reasons(&demands(&[&signer]));
    assert!(
        reasons.last().unwrap().contains("more than 64"),
        "{reasons:?}"
    );
    layers.swap(0, 10_000);
    fixture.attach(&fixture.digest, &layers);
    assert!(fixture.verify(&demands(&[&signer])).is_ok());
}

#[test]
fn a_policy_asks_for_a_name() {
    let signer = Signer::new();
    let repository = r#","signedIdentity":{"type":"matchRepository"}"#;
    let fixture = Fixture::new();
    let of = &fixture.digest;
    fixture.attach(of, &[fixture.signed(&signer, &payload("r.io/team/os", of))]);
    assert!(
        fixture
            .verify(&policy(&signer, repository, &fixture.name))
            .is_ok()
    );
    // The default asks for the whole reference, which cosign does not sign.
    let reasons = fixture.reasons(&policy(&signer, "", &fixture.name));
    assert!(
        reasons[0].contains("signature of `r.io/team/os`"),
        "{reasons:?}"
    );
    fixture.attach(
        of,
        &[fixture.signed(&signer, &payload("r.io/team/os:1", of))],
    );
    assert!(fixture.verify(&policy(&signer, "", &fixture.name)).is_ok());

    let fixture = Fixture::new();
    let text = bundle_of(
        &signer,
        "application/vnd.in-toto+json",
        &statement(fixture.digest.hex()),
    );
    fixture.refer(&fixture.digest, &[text]);
    let reasons = fixture.reasons(&policy(&signer, repository, &fixture.name));
    assert!(reasons[0].contains("names no image"), "{reasons:?}");
}

#[test]
fn policies_that_no_signature_can_fulfil() {
    let name: Reference = "r.io/team/os:1".parse().unwrap();
    let add = |text: &str| {
        let policy = Policy::parse(&format!(r#"{{"default":[{text}]}}"#)).unwrap();
        Demands::default().add_policy("p", &policy, &Subject::Docker(&name))
    };
    assert!(add(r#"{"type":"insecureAcceptAnything"}"#).is_ok());
    let error = add(r#"{"type":"insecureAcceptAnything"},{"type":"reject"}"#).unwrap_err();
    assert!(matches!(error, SignatureError::Rejected { .. }));
    let error = add(r#"{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}"#).unwrap_err();
    assert!(matches!(
        error,
        SignatureError::Unsupported {
            what: "signedBy",
            ..
        }
    ));
    let error = add(r#"{"type":"sigstoreSigned","keyPath":"/nonexistent/k"}"#).unwrap_err();
    assert!(matches!(error, SignatureError::Policy { .. }));
}

#[test]
fn a_policy_can_ask_for_a_transparency_log() {
    let (signer, log) = (Signer::new(), Signer::new());
    let data = STANDARD.encode(log.public().to_pem());
    let more =
        format!(r#","rekorPublicKeyData":"{data}","signedIdentity":{{"type":"matchRepository"}}"#);
    let fixture = Fixture::new();
    let of = &fixture.digest;
    let demands = policy(&signer, &more, &fixture.name);
    let payload = payload("r.io/team/os", of);
    let mut layer = fixture.signed(&signer, &payload);
    fixture.attach(of, &[layer.clone()]);
    assert_eq!(fixture.reasons(&demands), ["it is in no transparency log"]);
    let signature = layer["annotations"]["dev.cosignproject.cosign/signature"].clone();
    let signature = signature.as_str().unwrap();
    for (by, accepted) in [(&signer, false), (&log, true)] {
        let body = super::rekor::tests::body(&payload, &signer.public(), signature);
        let proof = super::rekor::tests::proof(by, &body).to_string();
        layer["annotations"]["dev.sigstore.cosign/bundle"] = proof.into();
        fixture.attach(of, &[layer.clone()]);
        assert_eq!(fixture.verify(&demands).is_ok(), accepted);
    }
}
