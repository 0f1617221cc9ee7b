// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use crate::signature::tests::{Signer, bundle_of, statement};

const MANIFEST: &[u8] = b"{\"schemaVersion\":2}";

fn sha256(bytes: &[u8]) -> String {
    digest_of(Algorithm::Sha256, bytes).hex().to_owned()
}

#[test]
fn what_cosign_3_wrote() {
    // A bundle of cosign 3.1.1, and the key that it was made with.
    let text = include_bytes!("../fixtures/bundle.json");
    let key = PublicKey::from_pem(include_bytes!("../fixtures/cosign.pub")).unwrap();
    let manifest = include_bytes!("../fixtures/manifest.json");
    let bundle = Bundle::parse(text).unwrap();
    assert!(!bundle.is_keyless());
    let keys = [Signer::new().public(), key];
    assert_eq!(bundle.signer(manifest, &keys), Ok(&keys[1]));
    assert_eq!(
        bundle.signer(manifest, &keys[..1]),
        Err("it was made with another key".into())
    );
    let other = bundle.signer(MANIFEST, &keys).unwrap_err();
    assert!(other.contains("another image"), "{other}");
}

#[test]
fn only_a_signature_of_this_image_counts() {
    let signer = Signer::new();
    let keys = [signer.public()];
    let good = statement(&sha256(MANIFEST));
    let check = |payload: &str, payload_type: &str| {
        let bundle = bundle_of(&signer, payload_type, payload);
        Bundle::parse(bundle.as_bytes())
            .unwrap()
            .signer(MANIFEST, &keys)
            .map(|_| ())
    };
    assert_eq!(check(&good, IN_TOTO), Ok(()));
    for (payload, payload_type, reason) in [
        (good.clone(), "text/plain", "no in-toto"),
        (
            good.replace("cosign/sign/v1", "slsa/v1"),
            IN_TOTO,
            "no signature",
        ),
        (
            good.replace("Statement/v1", "Statement/v9"),
            IN_TOTO,
            "version",
        ),
        (statement(&sha256(b"")), IN_TOTO, "another image"),
        (good.replace("sha256", "sha1"), IN_TOTO, "another image"),
        ("{}".into(), IN_TOTO, "cannot be understood"),
        (String::new(), IN_TOTO, "cannot be understood"),
    ] {
        let error = check(&payload, payload_type).unwrap_err();
        assert!(error.contains(reason), "{payload}: {error}");
    }
}

#[test]
fn a_changed_payload_is_not_signed() {
    let signer = Signer::new();
    let text = bundle_of(&signer, IN_TOTO, &statement(&sha256(b"")));
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["dsseEnvelope"]["payload"] = STANDARD.encode(statement(&sha256(MANIFEST))).into();
    let bundle = Bundle::parse(json.to_string().as_bytes()).unwrap();
    let error = bundle.signer(MANIFEST, &[signer.public()]).unwrap_err();
    assert!(error.contains("another key"), "{error}");
}

#[test]
fn a_bare_signature_is_one_of_the_manifest() {
    let signer = Signer::new();
    let text = serde_json::json!({
        "mediaType": V0_3[0],
        "verificationMaterial": {"publicKey": {"hint": ""}},
        "messageSignature": {"signature": STANDARD.encode(signer.sign(MANIFEST))},
    })
    .to_string();
    let bundle = Bundle::parse(text.as_bytes()).unwrap();
    let keys = [signer.public()];
    assert_eq!(bundle.signer(MANIFEST, &keys), Ok(&keys[0]));
    assert!(bundle.signer(b"{}", &keys).is_err());
}

#[test]
fn what_is_no_bundle_is_refused() {
    let good = bundle_of(&Signer::new(), IN_TOTO, "{}");
    let edit = |edit: fn(&mut serde_json::Value)| {
        let mut json = serde_json::from_str(&good).unwrap();
        edit(&mut json);
        json.to_string()
    };
    for (text, reason) in [
        (String::new(), "cannot be understood"),
        ("[]".into(), "cannot be understood"),
        ("[".repeat(10_000), "cannot be understood"),
        (
            edit(|j| j["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json".into()),
            "version",
        ),
        (edit(|j| drop(j["dsseEnvelope"].take())), "one signature"),
        (
            edit(|j| j["messageSignature"] = serde_json::json!({"signature": ""})),
            "one signature",
        ),
        (
            edit(|j| j["dsseEnvelope"]["payload"] = "%".into()),
            "base64",
        ),
        (
            edit(|j| j["dsseEnvelope"]["signatures"][0]["sig"] = "%".into()),
            "base64",
        ),
        (
            edit(|j| {
                let one = j["dsseEnvelope"]["signatures"][0].clone();
                j["dsseEnvelope"]["signatures"] = vec![one; SIGNATURES_MAX + 1].into();
            }),
            "too many",
        ),
    ] {
        let error = Bundle::parse(text.as_bytes()).unwrap_err();
        assert!(error.contains(reason), "{text:.200}: {error}");
    }
}
