// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every file says under which licence it is.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// What cannot have a comment, is made by a program, or is prose.
const WITHOUT: &[&str] = &[
    ".gitignore",
    ".json",
    ".md",
    ".png",
    ".ts",
    "Cargo.lock",
    "DEBIAN/control",
    "DEBIAN/templates",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-GPL",
    "LICENSE-MIT",
    "debian/calamares-bootc.README.Debian",
    "debian/changelog",
    "debian/copyright",
    "debian/source/format",
    "etc/motd",
    "example-keyring_1.0_all.deb",
    "example.list.chroot",
    "iso/rootfs/excludes",
    "registry-ca.pem",
];

/// What becomes part of Calamares' process, its configuration and its pictures.
fn is_of_the_plugin(name: &str) -> bool {
    let below = ["branding/", "calamares-module/"];
    name == "CMakeLists.txt" || below.iter().any(|dir| name.starts_with(dir))
}

/// Inputs of the fuzz targets: any byte of them may matter.
fn is_of_the_corpus(name: &str) -> bool {
    name.starts_with("tests/fuzz/corpus/")
}

fn header(path: &Path) -> Option<String> {
    let bytes = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let line = text
        .lines()
        .take(8)
        .find_map(|line| line.split_once("SPDX-License-Identifier: "))?;
    let end = |c: char| !(c.is_ascii_alphanumeric() || " .-".contains(c));
    let licence = line.1.split(end).next().unwrap_or_default();
    Some(licence.trim().trim_end_matches(" --").to_owned())
}

#[test]
fn every_file_has_the_header_of_its_part() {
    let source = debs::workspace().unwrap();
    let mut wrong = Vec::new();
    for path in debs::files(&source).unwrap() {
        let name = path.to_string_lossy();
        if is_of_the_corpus(&name) {
            continue;
        }
        let expected = match is_of_the_plugin(&name) {
            true => ["GPL-3.0-or-later"].as_slice(),
            false => &["MIT OR Apache-2.0", "Apache-2.0 OR MIT", "GPL-3.0-or-later"],
        };
        match header(&source.join(&path)) {
            Some(licence) if expected.contains(&licence.as_str()) => {}
            None if WITHOUT.iter().any(|end| name.ends_with(end)) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_exceptions_are_all_there() {
    let files = debs::files(&debs::workspace().unwrap()).unwrap();
    for end in WITHOUT {
        let some = files.iter().any(|f| f.to_string_lossy().ends_with(end));
        assert!(some, "nothing ends with {end}: take it off the list");
    }
}
