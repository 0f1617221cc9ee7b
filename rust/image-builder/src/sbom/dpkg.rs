// SPDX-License-Identifier: MIT OR Apache-2.0
//! dpkg's own list of what is installed. Pure.

use std::collections::BTreeMap;

/// One installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// `Package`.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// `Architecture`.
    pub architecture: String,
    /// `Source`, without its version; the name where there is none.
    pub source: String,
    /// `Homepage`.
    pub homepage: Option<String>,
    /// First line of `Description`.
    pub description: String,
    /// `Pre-Depends` and `Depends`: for each the names of its alternatives.
    pub depends: Vec<Vec<String>>,
    /// `Provides`: names.
    pub provides: Vec<String>,
}

/// Reads dpkg's `status` file (deb822(5)): installed packages, sorted.
pub fn packages(status: &str) -> Vec<Package> {
    let mut found: Vec<Package> = status.split("\n\n").filter_map(package).collect();
    found.sort();
    found
}

fn package(paragraph: &str) -> Option<Package> {
    let fields: BTreeMap<&str, &str> = paragraph
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(": "))
        .collect();
    if *fields.get("Status")? != "install ok installed" {
        return None;
    }
    let name = (*fields.get("Package")?).to_owned();
    let source = fields
        .get("Source")
        .and_then(|source| source.split(' ').next())
        .unwrap_or(&name)
        .to_owned();
    let relations = |field: &str| relations(fields.get(field).copied().unwrap_or_default());
    Some(Package {
        version: (*fields.get("Version")?).to_owned(),
        architecture: (*fields.get("Architecture")?).to_owned(),
        source,
        homepage: fields.get("Homepage").map(|url| (*url).to_owned()),
        description: fields
            .get("Description")
            .copied()
            .unwrap_or_default()
            .to_owned(),
        depends: [relations("Pre-Depends"), relations("Depends")].concat(),
        provides: relations("Provides").concat(),
        name,
    })
}

/// Names in a field such as `a (>= 1) | b:any, c`.
fn relations(field: &str) -> Vec<Vec<String>> {
    let name = |text: &str| {
        let end = |c: char| c.is_whitespace() || "(:[<".contains(c);
        text.trim().split(end).next().unwrap_or_default().to_owned()
    };
    let one = |relation: &str| -> Vec<String> { relation.split('|').map(name).collect() };
    let all = field
        .split(',')
        .filter(|relation| !relation.trim().is_empty());
    all.map(one).collect()
}

/// For each package the places of those in the list that satisfy its relations,
/// sorted: the first alternative that is installed.
pub(super) fn dependencies(packages: &[Package]) -> Vec<Vec<usize>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, package) in packages.iter().enumerate() {
        for name in &package.provides {
            places.entry(name).or_insert(place);
        }
    }
    for (place, package) in packages.iter().enumerate() {
        places.insert(&package.name, place);
    }
    let of_one = |(own, package): (usize, &Package)| {
        let found = package.depends.iter().filter_map(|alternatives| {
            let mut there = alternatives
                .iter()
                .filter_map(|name| places.get(name.as_str()));
            there.next().copied()
        });
        let mut found: Vec<usize> = found.filter(|place| *place != own).collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    packages.iter().enumerate().map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_lead_to_what_is_installed() {
        let package = |name: &str, depends: &str, provides: &str| Package {
            name: name.into(),
            depends: relations(depends),
            provides: relations(provides).concat(),
            ..Package::default()
        };
        let list = [
            package("a", "gone | b (>= 1), virtual:any, missing, a", ""),
            package("b", "c [amd64], c", "virtual (= 1), other"),
            package("c", "other", ""),
        ];
        assert_eq!(dependencies(&list), [vec![1], vec![2], vec![1]]);
    }
}
