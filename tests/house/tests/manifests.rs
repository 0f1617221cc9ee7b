// SPDX-License-Identifier: MIT OR Apache-2.0
//! Manifests: a crate depends on what its sources name, and on nothing else. A
//! dependency that nobody uses is compiled and audited for nothing, and its
//! features change what others are compiled with.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use house::workspace;
use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;

/// `crate: dependency` of those that only generated code names: what
/// `cxx_qt::bridge` expands to is cxx.
const WITHOUT_A_NAME: &[&str] = &["bridge: cxx"];

fn members() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--no-deps"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array_mut().unwrap().split_off(0)
}

fn names(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                found.insert(name.to_string());
            }
            TokenTree::Group(group) => names(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// All names in the Rust files at or below `place`, comments and texts aside.
fn names_below(place: &Path, found: &mut BTreeSet<String>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            names_below(&entry.unwrap().path(), found);
        }
    } else if place.extension().is_some_and(|e| e == "rs") {
        let text = fs::read_to_string(place).unwrap();
        names(text.parse().unwrap(), found);
    }
}

#[test]
fn every_dependency_is_used() {
    let mut idle = Vec::new();
    for member in members() {
        let package = member["name"].as_str().unwrap();
        let manifest = Path::new(member["manifest_path"].as_str().unwrap());
        let dir = manifest.parent().unwrap();
        let [mut product, mut build, mut all] = [const { BTreeSet::new() }; 3];
        names_below(&dir.join("src"), &mut product);
        if dir.join("build.rs").exists() {
            names_below(&dir.join("build.rs"), &mut build);
        }
        for place in ["src", "tests", "benches"] {
            if dir.join(place).exists() {
                names_below(&dir.join(place), &mut all);
            }
        }
        for dependency in member["dependencies"].as_array().unwrap() {
            let name = dependency["rename"].as_str();
            let name = name.or_else(|| dependency["name"].as_str()).unwrap();
            let named = match dependency["kind"].as_str() {
                Some("build") => &build,
                Some(_) => &all,
                None => &product,
            };
            let entry = format!("{package}: {name}");
            if !named.contains(&name.replace('-', "_")) && !WITHOUT_A_NAME.contains(&&*entry) {
                idle.push(entry);
            }
        }
    }
    assert!(
        idle.is_empty(),
        "no source names these (one that only tests name belongs to [dev-dependencies]):\n{}",
        idle.join("\n")
    );
}
