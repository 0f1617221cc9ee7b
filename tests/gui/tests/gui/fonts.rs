// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the medium can show each language that Calamares offers.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;

use test_gui::World;
use testkit::cmd::CommandExt;

/// The least number of languages that there must be, so that a change of how
/// Calamares keeps them is seen here and not taken for none.
const MANY: usize = 40;

/// The languages whose texts are compiled into the program: names of files in
/// Qt's resources, `calamares_LANGUAGE.qm` in UTF-16, big endian.
fn languages(program: &[u8]) -> Vec<String> {
    let wide = |text: &str| -> Vec<u8> { text.bytes().flat_map(|byte| [0, byte]).collect() };
    let (before, after) = (wide("calamares_"), wide(".qm"));
    let mut found = Vec::new();
    for start in 0..program.len() {
        let Some(name) = program[start..].strip_prefix(&before[..]) else {
            continue;
        };
        let pairs = name.chunks_exact(2);
        let name_of = pairs.take_while(|pair| {
            pair[0] == 0 && (pair[1].is_ascii_alphanumeric() || b"_@-".contains(&pair[1]))
        });
        let text: String = name_of.map(|pair| char::from(pair[1])).collect();
        if name[2 * text.len()..].starts_with(&after) {
            found.push(text);
        }
    }
    found.sort();
    found.dedup();
    found
}

/// As fontconfig names it: `zh-cn` for `zh_CN`, `sr` for `sr@latin`.
fn for_fontconfig(language: &str) -> String {
    let (name, _) = language.split_once('@').unwrap_or((language, ""));
    name.replace('_', "-").to_lowercase()
}

#[test]
fn every_language_has_a_font() {
    let Some(world) = World::enter("every_language_has_a_font") else {
        return;
    };
    let root = world.debian();
    let languages = languages(&fs::read(root.join("usr/bin/calamares")).unwrap());
    assert!(languages.len() > MANY, "only {languages:?}");
    let without: Vec<&String> = languages
        .iter()
        .filter(|language| {
            let fonts = Command::new("chroot")
                .arg(root)
                .arg("fc-list")
                .arg(format!(":lang={}", for_fontconfig(language)))
                .read()
                .unwrap();
            fonts.trim().is_empty()
        })
        .collect();
    assert!(
        without.is_empty(),
        "no font of iso/package-lists/desktop.list.chroot has the characters of: {without:?}"
    );
}

#[test]
fn languages_are_found_among_other_bytes() {
    let wide = |text: &str| -> Vec<u8> { text.bytes().flat_map(|byte| [0, byte]).collect() };
    let names = "calamares_sr@latin.qm calamares_zh_CN.qm calamares_x calamares_de.qm";
    let program = [&b"\x01\xffodd"[..], &wide(names)].concat();
    assert_eq!(languages(&program), ["de", "sr@latin", "zh_CN"]);
    assert_eq!(for_fontconfig("zh_CN"), "zh-cn");
    assert_eq!(for_fontconfig("ca@valencia"), "ca");
}
