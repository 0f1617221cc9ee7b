// SPDX-License-Identifier: MIT OR Apache-2.0
//! The list of crates that our packages have in `/usr/share/doc/*/crates`. Pure.

use serde_json::{Value, json};

/// What the name of a crate begins with (purl-spec, `cargo`).
const PURL: &str = "pkg:cargo/";

/// A crate of crates.io.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence: an SPDX expression, or nothing.
    pub licence: String,
}

/// Reads lines such as `serde v1.0.228: MIT OR Apache-2.0`.
pub fn parse(list: &str) -> Vec<Crate> {
    let one = |line: &str| {
        let (package, licence) = line.split_once(':')?;
        let (name, version) = package.split_once(" v")?;
        Some(Crate {
            name: name.to_owned(),
            version: version.split(' ').next()?.to_owned(),
            licence: expression(licence),
        })
    };
    list.lines().filter_map(one).collect()
}

/// Cargo allowed a slash for `OR` once.
fn expression(licence: &str) -> String {
    let words = licence.replace('/', " OR ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether this is the name of a crate in the document.
pub(super) fn is_crate(name: &str) -> bool {
    name.starts_with(PURL)
}

impl Crate {
    /// As a component of the document.
    pub(super) fn component(&self) -> Value {
        let purl = format!("{PURL}{}@{}", self.name, self.version.replace('+', "%2B"));
        let mut component = json!({
            "type": "library",
            "bom-ref": purl,
            "name": self.name,
            "version": self.version,
            "purl": purl,
        });
        if !self.licence.is_empty() {
            component["licenses"] = json!([{ "expression": self.licence }]);
        }
        component
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_are_read() {
        let list = "a-b v1.0.0+x: MIT / Apache-2.0\nc v2.0.0-rc.1: (MIT OR ISC) AND Zlib\nnothing\nd v1.0.0:\n";
        let found: Vec<String> = parse(list)
            .iter()
            .map(|c| format!("{} {} {}", c.name, c.version, c.licence))
            .collect();
        assert_eq!(
            found,
            [
                "a-b 1.0.0+x MIT OR Apache-2.0",
                "c 2.0.0-rc.1 (MIT OR ISC) AND Zlib",
                "d 1.0.0 ",
            ]
        );
        let component = parse(list).remove(0).component();
        assert_eq!(component["purl"], "pkg:cargo/a-b@1.0.0%2Bx");
        assert!(is_crate(component["bom-ref"].as_str().unwrap()));
    }
}
