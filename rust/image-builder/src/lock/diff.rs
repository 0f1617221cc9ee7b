// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages and files of two media, compared. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A package.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pinned {
    /// `Package`.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// `Architecture`; empty when it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    /// SHA-256 of its file; empty when the archive does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// Which packages are others here, of which only some may be known: `locked` are those
/// of the lock, `here` those that are here. An architecture or a sum that is not
/// known is none that differs.
pub fn package_differences(kind: &str, locked: &[Pinned], here: &[Pinned]) -> Vec<String> {
    let mut found = Vec::new();
    let by_name = |all: &[Pinned]| -> BTreeMap<String, Vec<Pinned>> {
        let mut map: BTreeMap<String, Vec<Pinned>> = BTreeMap::new();
        for package in all {
            map.entry(package.name.clone())
                .or_default()
                .push(package.clone());
        }
        map
    };
    let (locked, here) = (by_name(locked), by_name(here));
    let names: BTreeSet<&String> = locked.keys().chain(here.keys()).collect();
    for name in names {
        match (locked.get(name), here.get(name)) {
            (Some(locked), Some(here)) => {
                let fits = |one: &&Pinned| !here.iter().any(|other| is_same(one, other));
                for one in locked.iter().filter(fits) {
                    let other = here.first().map_or("", |other| other.version.as_str());
                    found.push(match one.version == other {
                        true => format!("{kind} {name} {other}: another file than then"),
                        false => format!("{kind} {name}: {} then, {other} now", one.version),
                    });
                }
            }
            (Some(locked), None) => {
                let version = locked.first().map_or("", |one| one.version.as_str());
                found.push(format!("{kind} {name}: {version} then, none now"));
            }
            (None, Some(here)) => {
                let version = here.first().map_or("", |one| one.version.as_str());
                found.push(format!("{kind} {name}: none then, {version} now"));
            }
            (None, None) => {}
        }
    }
    found
}

fn is_same(one: &Pinned, other: &Pinned) -> bool {
    let known = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
    one.version == other.version
        && known(&one.architecture, &other.architecture)
        && known(&one.sha256, &other.sha256)
}

/// Which files of a medium are others here.
pub fn file_differences(
    locked: &BTreeMap<String, String>,
    here: &BTreeMap<String, String>,
) -> Vec<String> {
    let names: BTreeSet<&String> = locked.keys().chain(here.keys()).collect();
    let others = names
        .into_iter()
        .filter(|name| locked.get(*name) != here.get(*name));
    others
        .map(
            |name| match (locked.contains_key(name), here.contains_key(name)) {
                (true, true) => format!("file {name}: another one than then"),
                (true, false) => format!("file {name}: is missing"),
                _ => format!("file {name}: was not there then"),
            },
        )
        .collect()
}

/// Reads what sha256sum(1) has written, for paths below `./`.
pub fn sums(text: &str) -> BTreeMap<String, String> {
    let one = |line: &str| {
        let (sum, path) = line.split_once("  ")?;
        Some((path.trim_start_matches("./").to_owned(), sum.to_owned()))
    };
    text.lines().filter_map(one).collect()
}

/// Reads a list of packages as dpkg-query(1) prints it: name, tabulator, version.
pub fn listed(text: &str) -> Vec<Pinned> {
    let one = |line: &str| {
        let (name, version) = line.split_once('\t')?;
        Some(Pinned {
            // Some have their architecture behind a colon.
            name: name.split(':').next()?.to_owned(),
            version: version.trim().to_owned(),
            ..Pinned::default()
        })
    };
    text.lines().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, sha256: &str) -> Pinned {
        Pinned {
            name: name.into(),
            version: version.into(),
            architecture: "amd64".into(),
            sha256: sha256.into(),
        }
    }

    #[test]
    fn packages_are_compared_by_version_and_file() {
        let locked = [
            package("same", "1", "aa"),
            package("newer", "1", "aa"),
            package("swapped", "1", "aa"),
            package("gone", "1", "aa"),
            package("both", "1", "aa"),
            package("both", "2", "bb"),
        ];
        let here = [
            package("same", "1", ""),
            package("newer", "2", "bb"),
            package("swapped", "1", "bb"),
            package("come", "3", "aa"),
            package("both", "1", "aa"),
            package("both", "2", "bb"),
        ];
        assert_eq!(
            package_differences("package", &locked, &here),
            [
                "package come: none then, 3 now",
                "package gone: 1 then, none now",
                "package newer: 1 then, 2 now",
                "package swapped 1: another file than then",
            ]
        );
    }

    #[test]
    fn lists_of_media_are_read() {
        let sums = sums("ab  ./live/vmlinuz\ncd  ./a  b\n");
        assert_eq!(sums["live/vmlinuz"], "ab");
        assert_eq!(sums["a  b"], "cd");
        let other = [
            ("a  b".to_owned(), "cd".to_owned()),
            ("n".into(), "0".into()),
        ];
        assert_eq!(
            file_differences(&sums, &other.into()),
            [
                "file live/vmlinuz: is missing",
                "file n: was not there then"
            ]
        );
        let packages = listed("adduser\t3.152\nlibc6:amd64\t2.41-12\n");
        assert_eq!(packages[1].name, "libc6");
        assert_eq!(packages[1].version, "2.41-12");
    }
}
