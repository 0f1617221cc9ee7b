// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents that want too much.

#![allow(clippy::unwrap_used)]

use imageref::Algorithm;
use serde_json::{Value, json};

use super::*;

fn fetched(document: &Value) -> Fetched {
    let bytes = document.to_string().into_bytes();
    Fetched {
        digest: digest_of(Algorithm::Sha256, &bytes),
        bytes,
        media_type: None,
    }
}

fn descriptor(media_type: &str, size: u64) -> Value {
    let digest = format!("sha256:{}", "a".repeat(64));
    json!({ "mediaType": media_type, "digest": digest, "size": size })
}

/// A manifest with these layers.
fn manifest(layers: &[Value]) -> Fetched {
    let config = descriptor(OCI_CONFIG, 2);
    fetched(&json!({ "schemaVersion": 2, "config": config, "layers": layers }))
}

fn config(layers: usize, os: &str) -> Vec<u8> {
    let diff_ids = vec![format!("sha256:{}", "b".repeat(64)); layers];
    let config = json!({ "architecture": "amd64", "os": os, "rootfs": { "diff_ids": diff_ids } });
    config.to_string().into_bytes()
}

/// What becomes of these layers, by their media types and sizes.
fn assembled(layers: &[(&str, u64)], os: &str) -> Result<ResolvedImage, RegistryError> {
    let descriptors: Vec<Value> = layers
        .iter()
        .map(|(t, size)| descriptor(t, *size))
        .collect();
    let fetched = manifest(&descriptors);
    let Document::Manifest(manifest) = parse("x", &fetched)? else {
        panic!("an index");
    };
    let origin = Origin {
        name: "x",
        reference: None,
        index_digest: None,
    };
    let wanted = "linux/amd64".parse().unwrap();
    assemble(
        origin,
        fetched,
        *manifest,
        config(layers.len(), os),
        &wanted,
    )
}

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

#[test]
fn layers_are_counted() {
    let layers = vec![(TAR, 7); LAYERS_MAX];
    assert_eq!(
        assembled(&layers, "linux").unwrap().layers.len(),
        LAYERS_MAX
    );
    let layers = vec![(TAR, 7); LAYERS_MAX + 1];
    let error = assembled(&layers, "linux").unwrap_err().to_string();
    assert!(error.contains("501 layers"), "{error}");
}

#[test]
fn entries_of_an_index_are_counted() {
    for (count, good) in [(INDEX_ENTRIES_MAX, true), (INDEX_ENTRIES_MAX + 1, false)] {
        let manifests = vec![descriptor(OCI_MANIFEST, 7); count];
        let index = fetched(&json!({ "schemaVersion": 2, "manifests": manifests }));
        match parse("x", &index) {
            Ok(Document::Index(entries)) => assert!(good && entries.len() == count),
            Err(e) => assert!(!good && e.to_string().contains("1001 entries"), "{e}"),
            Ok(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_odd_entry_of_an_index_spoils_nothing() {
    let wanted = "linux/amd64".parse().unwrap();
    let with = |size: u64, key: &str, value: Value| {
        let mut entry = descriptor(OCI_MANIFEST, size);
        entry[key] = value;
        entry
    };
    let platform = |architecture: &str| json!({ "os": "linux", "architecture": architecture });
    let good = || with(1, "platform", platform("amd64"));
    let other = || with(2, "platform", platform("arm64"));
    let bare = || descriptor(OCI_MANIFEST, 3);
    let odd = [
        with(4, "platform", json!({ "architecture": "amd64" })),
        with(4, "digest", json!("md5:d41d8cd98f00b204e9800998ecf8427e")),
        with(4, "digest", json!("sha256:short")),
        with(4, "size", json!(-4)),
        with(4, "mediaType", json!(null)),
        json!("a string"),
    ];
    let chosen = |entries: &[Value]| {
        let index = fetched(&json!({ "schemaVersion": 2, "manifests": entries }));
        match parse("x", &index).unwrap() {
            Document::Index(entries) => choose(&entries, &wanted).ok().map(|e| e.size),
            other => panic!("{other:?}"),
        }
    };
    for odd in odd {
        assert_eq!(chosen(&[odd.clone(), other(), good()]), Some(1), "{odd}");
        assert_eq!(chosen(&[odd.clone(), other()]), None, "{odd}");
        assert_eq!(chosen(std::slice::from_ref(&odd)), None, "{odd}");
    }
    // Whose configuration says what it is for.
    assert_eq!(chosen(&[bare(), good()]), Some(1));
    assert_eq!(chosen(&[other(), bare(), bare()]), Some(3));
    let artifact = descriptor("application/x.example", 5);
    assert_eq!(chosen(&[other(), artifact]), None);
}

#[test]
fn sizes_add_up() {
    let half = SIZE_MAX / 2;
    // One layer twice has one size, so these are of two kinds.
    let error = assembled(&[(TAR, half), (TAR, half), (TAR, half)], "linux").unwrap_err();
    assert!(error.to_string().contains("sizes of its layers"), "{error}");
    for size in [SIZE_MAX + 1, u64::MAX] {
        let error = assembled(&[(TAR, size)], "linux").unwrap_err();
        assert!(error.to_string().contains("sizes of its layers"), "{error}");
    }
    assert!(assembled(&[(TAR, half), (TAR, half)], "linux").is_ok());
    // Not even a number of the specification.
    let mut negative = descriptor(TAR, 1);
    negative["size"] = json!(-1);
    assert!(parse("x", &manifest(&[negative])).is_err());
    let large = descriptor(OCI_CONFIG, CONFIG_MAX + 1);
    let document = fetched(&json!({ "schemaVersion": 2, "config": large, "layers": [] }));
    assert!(matches!(
        parse("x", &document),
        Err(RegistryError::TooLarge { .. })
    ));
}

#[test]
fn messages_stay_short_and_harmless() {
    let nasty = format!("\x1b[2J{}", "x".repeat(100_000));
    let mut platform = descriptor(OCI_MANIFEST, 7);
    platform["platform"] = json!({ "os": nasty, "architecture": nasty, "variant": nasty });
    let index = vec![platform; 100];
    let index: Vec<Descriptor> = serde_json::from_value(json!(index)).unwrap();
    let wrong = json!({ "schemaVersion": nasty });
    for error in [
        assembled(&[(&nasty, 7)], "linux").unwrap_err(),
        assembled(&[(TAR, 7)], &nasty).unwrap_err(),
        choose(&index, &"linux/amd64".parse().unwrap()).unwrap_err(),
        parse("x", &fetched(&wrong)).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.len() < 20_000, "{} characters", text.len());
        assert!(!text.contains('\x1b'), "{text}");
    }
}
