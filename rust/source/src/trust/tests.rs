// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::json;

const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENmPF4ZwjQgMpWP/FqXXCq3xMlc3l
jvMWJ0czelU4sz8F62cDbBMAg5cx9u1F7ke82w99WsiTAezVXBJnx9d0qQ==
-----END PUBLIC KEY-----
";

fn plan(source: &serde_json::Value, keys: &[&str]) -> Plan {
    serde_json::from_value(json!({
        "version": 1,
        "image": {"imgref": "r.example/team/os:1"},
        "source": source,
        "runtimeRoot": {"type": "unpack"},
        "target": {"root": "/t"},
        "registries": [{"prefix": "r.example", "signatureKeys": keys}],
        "bootc": {"stateroot": "default"},
    }))
    .unwrap()
}

fn with_policy(plan: &Plan, text: &str) -> Result<Demands> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.json");
    std::fs::write(&path, text).unwrap();
    demands(plan, &path)
}

#[test]
fn keys_and_policy_demand_side_by_side() {
    let registry = json!({"type": "registry"});
    let accept = r#"{"default":[{"type":"insecureAcceptAnything"}]}"#;
    let signed = json!({"default": [{"type": "reject"}], "transports": {"docker": {
        "r.example/team": [{"type": "sigstoreSigned", "keyData": base64(KEY)}]
    }}})
    .to_string();
    let none = Path::new("/nonexistent/policy.json");
    let (with, without) = (plan(&registry, &[KEY]), plan(&registry, &[]));
    let mut off = with.clone();
    off.image.no_signature_verification = true;
    assert!(demands(&without, none).unwrap().is_empty());
    assert!(!demands(&with, none).unwrap().is_empty());
    assert!(demands(&off, none).unwrap().is_empty());
    assert!(with_policy(&without, accept).unwrap().is_empty());
    assert!(!with_policy(&without, &signed).unwrap().is_empty());
    // What the file turns off is its own keys, not the system's policy.
    assert!(!with_policy(&off, &signed).unwrap().is_empty());
}

#[test]
fn a_policy_that_lets_nothing_through_needs_no_registry() {
    let registry = json!({"type": "registry"});
    let layout = json!({"type": "oci-layout", "path": "/srv/images"});
    let reject = r#"{"default":[{"type":"reject"}]}"#;
    let only_docker = r#"{"default":[{"type":"reject"}],
        "transports":{"docker":{"":[{"type":"insecureAcceptAnything"}]}}}"#;
    let gpg = r#"{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}]}"#;
    for (source, text, part) in [
        (&registry, reject, "rejects"),
        (&layout, only_docker, "rejects"),
        (&registry, gpg, "signedBy"),
        (&registry, "{", "cannot be used"),
        (
            &registry,
            r#"{"default":[{"type":"sigstoreSigned","keyPath":"/nonexistent"}]}"#,
            "cannot be used",
        ),
    ] {
        let error = with_policy(&plan(source, &[]), text).unwrap_err();
        assert_eq!(error.code, Code::SignaturePolicy, "{error:?}");
        assert!(error.what.contains(part), "{part}: {error:?}");
    }
    assert!(with_policy(&plan(&registry, &[]), only_docker).is_ok());
}

#[test]
fn states_in_json_and_in_words() {
    let verified = Trust::Verified {
        keys: vec!["SHA256:ab".into()],
        signed_name: None,
        updates: true,
    };
    let off = Trust::NotVerified {
        why: Unverified::TurnedOff,
    };
    for (trust, json, words) in [
        (
            verified,
            json!({"state": "verified", "keys": ["SHA256:ab"], "updates": true}),
            "verified (key SHA256:ab)",
        ),
        (
            Trust::default(),
            json!({"state": "not-verified", "why": "no-key"}),
            "not verified",
        ),
        (
            off,
            json!({"state": "not-verified", "why": "turned-off"}),
            "noSignatureVerification",
        ),
    ] {
        assert_eq!(serde_json::to_value(&trust).unwrap(), json);
        assert_eq!(serde_json::from_value::<Trust>(json).unwrap(), trust);
        assert!(trust.to_string().contains(words), "{trust}");
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
