// SPDX-License-Identifier: MIT OR Apache-2.0
//! Crates of others: what `deny.toml` says of licences, bans and duplicates.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use house::workspace;
use serde_json::Value;
use spdx::{Expression, Licensee};

fn deny() -> toml::Table {
    let text = fs::read_to_string(workspace().join("deny.toml")).unwrap();
    text.parse().unwrap()
}

/// Names in a list of tables such as `{ crate = "…", reason = "…" }`.
fn named(list: &toml::Value) -> BTreeSet<String> {
    let entries = list.as_array().unwrap().iter();
    entries
        .map(|entry| entry["crate"].as_str().unwrap().to_owned())
        .collect()
}

/// Each crate of others that the lock file names.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = metadata["packages"].as_array_mut().unwrap();
    all.retain(|package| !package["source"].is_null());
    assert!(all.len() > 100);
    std::mem::take(all)
}

#[test]
fn every_licence_is_allowed() {
    let deny = deny();
    let allowed: Vec<Licensee> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| Licensee::parse(licence.as_str().unwrap()).unwrap())
        .collect();
    for package in packages() {
        let name = &package["name"];
        let text = package["license"].as_str();
        // The old way to write OR.
        let text = text.unwrap_or_else(|| panic!("{name} names no licence"));
        let licence = Expression::parse(&text.replace('/', " OR ")).unwrap();
        assert!(
            licence.evaluate(|wanted| allowed.iter().any(|have| have.satisfies(wanted))),
            "{name}: {text} is not among the licences in deny.toml"
        );
    }
}

#[test]
fn two_versions_of_a_crate_are_known_of() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let version = package["version"].as_str().unwrap();
        let known = versions.entry(name.to_owned()).or_default();
        known.insert(version.to_owned());
    }
    let twice: BTreeSet<String> = versions
        .iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(
        twice,
        named(&deny()["bans"]["skip"]),
        "see [bans] in deny.toml"
    );
    let banned = named(&deny()["bans"]["deny"]);
    let found: Vec<&String> = banned
        .iter()
        .filter(|name| versions.contains_key(*name))
        .collect();
    assert!(found.is_empty(), "banned in deny.toml: {found:?}");
}
