// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages that a medium wants, where each is named, and whether there are
//! such. Pure, but for the text of the files in which they are named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use buildroot::archive::Indexed;
use yaml_doc::nearest;

use super::files::{Entry, Files};
use crate::config::Distro;
use crate::error::{Code, Error, Result};

/// Ours, which are in no archive.
const OURS: [&str; 2] = ["bootc-installer", "calamares-bootc"];
/// How many names that are like an unknown one are shown.
const NEAR: usize = 3;

/// Package, and where it is named: `distro.yaml, line 7`.
type Wanted = (String, String);

/// Refuses names that are of no package.
///
/// # Errors
/// `PACKAGE_UNKNOWN` with every such name, where it stands, and what is like it.
pub fn check(distro: &Distro, tree: &Files, there: &[Indexed]) -> Result<()> {
    let mut names: BTreeSet<&str> = there
        .iter()
        .flat_map(|package| {
            let provides = package.provides.iter().map(String::as_str);
            provides.chain([package.name.as_str()])
        })
        .collect();
    names.extend(OURS);
    names.extend(distro.debs.iter().filter_map(|deb| of_file(deb)));
    let wanted = wanted(distro, tree);
    let unknown: Vec<&Wanted> = wanted
        .iter()
        .filter(|(name, _)| !names.contains(name.as_str()))
        .collect();
    let Some((first, place)) = unknown.first() else {
        return Ok(());
    };
    let near = |name: &str| {
        let near = nearest_of(name, &names);
        match near.is_empty() {
            true => "no name there is like it".to_owned(),
            false => format!("near it are {}", near.join(", ")),
        }
    };
    let error = Error::new(
        Code::PackageUnknown,
        format!("{place}: {} has no package {first}.", distro.suite),
    )
    .why(format!(
        "The name is misspelt, or not in this suite: {}.",
        near(first)
    ))
    .next("Correct it; https://packages.debian.org tells what each suite has.");
    let others = unknown.iter().skip(1);
    Err(others.fold(error, |error, (name, place)| {
        error.detail(format!("{place}: no package {name}; {}", near(name)))
    }))
}

/// The package in a file `NAME_VERSION_ARCH.deb`.
fn of_file(deb: &Path) -> Option<&str> {
    deb.file_name()?.to_str()?.split('_').next()
}

/// Every package that is named, each once, with the first place.
fn wanted(distro: &Distro, tree: &Files) -> Vec<Wanted> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |name: &str, place: String| {
        if seen.insert(name.to_owned()) {
            found.push((name.to_owned(), place));
        }
    };
    let file = distro.path.as_deref().unwrap_or(Path::new("distro.yaml"));
    let text = fs::read_to_string(file).unwrap_or_default();
    for name in &distro.packages {
        let place = match line_of_package(&text, name) {
            Some(line) => format!("{}, line {line}", file.display()),
            None => format!("{}: `packages`", file.display()),
        };
        add(name, place);
    }
    for (path, entry) in tree.iter() {
        let Entry::File { content, .. } = entry else {
            continue;
        };
        let text = String::from_utf8_lossy(content);
        let is_list = path.starts_with("package-lists")
            && path.extension().is_some_and(|ext| ext == "chroot");
        // Lists with conditions are for live-build to read.
        if !is_list || text.lines().any(|line| line.starts_with("#if ")) {
            continue;
        }
        let own = distro.tree.as_ref().map(|dir| dir.join(path));
        let shown = match own.filter(|own| own.exists()) {
            Some(own) => own.display().to_string(),
            None => format!("iso/{}", path.display()),
        };
        for (number, line) in text.lines().enumerate() {
            for name in names(line) {
                let place = format!("{shown}, line {}", number + 1);
                add(name, place);
            }
        }
    }
    found
}

/// The names in a line of a list, without versions, suites and architectures.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let words = match line.starts_with(['#', '!']) {
        true => "",
        false => line,
    };
    words.split_whitespace().filter_map(|word| {
        let name = word.split(['=', '/', ':']).next()?;
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        begins.then_some(name)
    })
}

/// The line at or below the key `packages` that has this name as a word.
fn line_of_package(text: &str, name: &str) -> Option<usize> {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.lines()
        .enumerate()
        .skip_while(|(_, line)| !line.trim_start_matches('"').starts_with("packages"))
        .find(|(_, line)| {
            let code = line.split(" #").next().unwrap_or_default();
            !code.trim_start().starts_with('#')
                && code.split(|c| !part_of_name(c)).any(|word| word == name)
        })
        .map(|(number, _)| number + 1)
}

fn nearest_of(name: &str, names: &BTreeSet<&str>) -> Vec<String> {
    let mut left: Vec<&str> = names.iter().copied().collect();
    let mut found = Vec::new();
    while let (true, Some(near)) = (found.len() < NEAR, nearest(name, &left)) {
        found.push(format!("`{near}`"));
        left.retain(|name| *name != near);
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn index(names: &[&str]) -> Vec<Indexed> {
        let package = |name: &&str| Indexed {
            name: (*name).to_owned(),
            provides: vec![format!("{name}-virtual")],
            ..Indexed::default()
        };
        names.iter().map(package).collect()
    }

    #[test]
    fn an_unknown_package_is_told_with_its_place_and_what_is_like_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("distro.yaml");
        let text =
            "# vimm\nsuite: trixie\npackages:\n  - htop\n  # tmxu\n  - vimm # vim?\n  - tmxu\n";
        fs::write(&file, text).unwrap();
        let distro = Distro::read(&file).unwrap();
        let there = index(&["htop", "vim", "tmux", "nano"]);
        let error = check(&distro, &Files::new(), &there).unwrap_err();
        assert_eq!(error.code, Code::PackageUnknown);
        let text = format!("{error}\n{}", error.details.join("\n"));
        assert!(
            text.contains("distro.yaml, line 6: trixie has no package vimm."),
            "{text}"
        );
        assert!(text.contains("`vim`"), "{text}");
        assert!(
            text.contains("distro.yaml, line 7: no package tmxu; near it are `tmux`"),
            "{text}"
        );
        let there = index(&["htop", "vimm", "tmxu"]);
        assert!(check(&distro, &Files::new(), &there).is_ok());
    }

    #[test]
    fn lists_of_the_tree_and_package_files_count() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("package-lists")).unwrap();
        let list = dir.path().join("package-lists/mine.list.chroot");
        fs::write(&list, "# no-such\na-virtual b/trixie\nc=1 own\n").unwrap();
        let distro = Distro {
            tree: Some(dir.path().to_owned()),
            debs: vec!["/x/own_1_all.deb".into()],
            ..Distro::default()
        };
        let mut tree = Files::new();
        tree.add_tree(dir.path(), Path::new("")).unwrap();
        assert!(check(&distro, &tree, &index(&["a", "b", "c"])).is_ok());
        let error = check(&distro, &tree, &index(&["a", "c"])).unwrap_err();
        let place = format!("{}, line 2: ", list.display());
        assert!(error.what.starts_with(&place), "{error}");
    }
}
