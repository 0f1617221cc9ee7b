// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf` as it is shipped, its schema and its reader say the same.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use serde_yaml::Value;

fn module(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../calamares-module/bootc")
        .join(file)
}

fn schema() -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(module("bootc.schema.yaml")).unwrap()).unwrap()
}

/// Names of the properties of an object in the schema.
fn properties(schema: &Value, at: &[&str]) -> Vec<String> {
    let object = at.iter().fold(schema, |value, key| &value[*key]);
    object["properties"]
        .as_mapping()
        .unwrap_or_else(|| panic!("{at:?} has no properties"))
        .keys()
        .map(|key| key.as_str().unwrap().to_owned())
        .collect()
}

/// Whether the reader knows a key, whatever it thinks of the value.
fn known(text: &str) -> bool {
    match conf::parse(Path::new("/x/bootc.conf"), Zeroizing::new(text.to_owned())) {
        Ok(_) => true,
        Err(error) => !error.to_string().contains("not known"),
    }
}

#[test]
fn the_shipped_file_is_read() {
    let config = conf::read(&module("bootc.conf")).unwrap();
    assert!(config.page.allow_other);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn the_reader_knows_every_key_of_the_schema() {
    let schema = schema();
    let top = properties(&schema, &[]);
    assert!(top.len() > 15, "{top:?}");
    for (at, before, after) in [
        (&[][..], "", ": 1"),
        (&["properties", "page"], "page: {", ": 1}"),
        (
            &["properties", "installOptions"],
            "installOptions: {",
            ": 1}",
        ),
        (
            &["definitions", "registry"],
            "registryAuth: {registries: {r.example: {",
            ": 1}}}",
        ),
        (
            &["definitions", "image"],
            "page: {catalogue: [{name: x, reference: r.example/x, ",
            ": 1}]}",
        ),
    ] {
        for key in properties(&schema, at) {
            let text = format!("{before}{key}{after}");
            assert!(known(&text), "{text}");
        }
        assert!(!known(&format!("{before}noSuchKey{after}")), "{at:?}");
    }
}

#[test]
fn the_shipped_file_explains_every_key_of_the_schema() {
    let text = std::fs::read_to_string(module("bootc.conf")).unwrap();
    // Accepted for the sake of older files.
    let without_effect = [
        "remote",
        "integration",
        "kickstartOptions",
        "ignitionOptions",
    ];
    let schema = schema();
    for key in properties(&schema, &[]) {
        let explained = text.contains(&format!("{key}:"));
        assert_ne!(explained, without_effect.contains(&key.as_str()), "{key}");
    }
}
