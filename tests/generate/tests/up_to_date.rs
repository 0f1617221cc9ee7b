// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is printed from the code is in the tree as it would be printed.
#![allow(clippy::unwrap_used)]

use std::fs;

use generate::{Printed, files, out_of_date, workspace, write};
use installer::calamares::{PARTITION_KEYS, STORAGE_KEYS};

#[test]
fn every_printed_file_is_up_to_date() {
    let old = out_of_date(&workspace(), &files().unwrap()).unwrap();
    assert!(old.is_empty(), "{}", old.join("\n"));
}

#[test]
fn every_key_that_is_read_from_calamares_is_documented() {
    let formats = fs::read_to_string(workspace().join("docs/formats.md")).unwrap();
    let (_, part) = formats.split_once("### From Calamares").unwrap();
    let (part, _) = part.split_once("\n### ").unwrap();
    for key in STORAGE_KEYS.iter().chain(&PARTITION_KEYS) {
        let named = ['`', '.', '['].map(|end| part.contains(&format!("`{key}{end}")));
        assert!(named.contains(&true), "{key}");
    }
}

#[test]
fn a_file_that_differs_is_named_and_written() {
    let dir = tempfile::tempdir().unwrap();
    let printed = |path, text: &str| Printed {
        path,
        text: text.to_owned(),
    };
    let files = [
        printed("same", "a\n"),
        printed("other", "b\n"),
        printed("missing", "c\n"),
    ];
    for (name, text) in [("same", "a\n"), ("other", "a\n")] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    assert_eq!(
        out_of_date(dir.path(), &files).unwrap(),
        [
            "other is out of date: run `make generate`",
            "missing is out of date: run `make generate`"
        ]
    );
    assert_eq!(write(dir.path(), &files).unwrap(), ["other", "missing"]);
    assert!(out_of_date(dir.path(), &files).unwrap().is_empty());
    assert!(write(dir.path(), &files).unwrap().is_empty());
}
