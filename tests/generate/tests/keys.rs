// SPDX-License-Identifier: MIT OR Apache-2.0
//! The readers of both formats and their tables of keys know the same.
//!
//! That a reader knows no key that is in no table follows from how it reads: it
//! asks the table. Here is the other direction: what is in a table is read.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use conf::BOOTC_CONF;
use image_builder::config::{DISTRO_YAML, Distro};
use recipe::RECIPE;
use secrecy::zeroize::Zeroizing;
use yaml_doc::{Default, Kind, Table};

/// A key, and how a file with a value of it begins and ends.
struct Place {
    path: String,
    before: String,
    after: String,
    kind: Kind,
}

/// Every key of a table and of all that is in it, in every spelling.
fn places(table: &'static Table, path: &str, before: &str, after: &str) -> Vec<Place> {
    let mut all = Vec::new();
    for key in table.keys {
        // What an entry must have beside it.
        let others = table.keys.iter().filter(|other| other.name != key.name);
        let required: String = others
            .filter(|other| matches!(other.default, Default::Required))
            .map(|other| format!("{}: r.example/x, ", other.name))
            .collect();
        for name in key.names() {
            let path = format!("{path}{name}");
            let before = format!("{before}{required}{name}: ");
            let mut inner = |table, at: &str, open: &str, close: &str| {
                all.extend(places(
                    table,
                    &format!("{path}{at}."),
                    &format!("{before}{open}"),
                    &format!("{close}{after}"),
                ));
            };
            match key.kind {
                Kind::Mapping(table) => inner(table, "", "{", "}"),
                Kind::List(table) => inner(table, "[0]", "[{", "}]"),
                Kind::Named { table, .. } => inner(table, ".r.example", "{r.example: {", "}}"),
                _ => {}
            }
            all.push(Place {
                path,
                before,
                after: after.to_owned(),
                kind: key.kind,
            });
        }
    }
    all
}

/// What a reader says to a text: its warnings, or its error.
type Reader = fn(&str) -> Result<Vec<String>, String>;

fn bootc_conf(text: &str) -> Result<Vec<String>, String> {
    let read = conf::parse(Path::new("/x/f"), Zeroizing::new(text.to_owned()));
    read.map(|config| config.warnings)
        .map_err(|err| err.to_string())
}

fn distro_yaml(text: &str) -> Result<Vec<String>, String> {
    let read = Distro::parse(Path::new("/x/f"), text);
    read.map(|distro| distro.warnings)
        .map_err(|err| err.to_string())
}

/// With the disk that a recipe cannot be without, where there is room for it.
fn recipe_yaml(text: &str) -> Result<Vec<String>, String> {
    let disk = match text.starts_with('{') {
        true => "",
        false => "\ndisk: { rule: only }\n",
    };
    let read = recipe::parse(Path::new("/x/f"), Path::new("/x"), &format!("{text}{disk}"));
    read.map(|_| Vec::new()).map_err(|err| err.to_string())
}

const FORMATS: [(&Table, Reader, usize); 3] = [
    (&BOOTC_CONF, bootc_conf, 40),
    (&DISTRO_YAML, distro_yaml, 60),
    (&RECIPE, recipe_yaml, 40),
];

#[test]
fn every_key_of_a_table_is_read() {
    for (table, read, least) in FORMATS {
        let places = places(table, "", "{", "}");
        assert!(places.len() > least, "{}", places.len());
        for place in places {
            // A list in a list is the value of no key.
            let text = format!("{}[[]]{}", place.before, place.after);
            match (place.kind, read(&text)) {
                (Kind::Anything, Ok(warnings)) => {
                    let told = warnings.iter().any(|line| line.contains(&place.path));
                    assert!(told, "{text} {warnings:?}");
                }
                (_, Err(error)) => {
                    assert!(
                        error.contains(&format!("`{}", place.path)),
                        "{text} {error}"
                    );
                    assert!(!error.contains("is missing"), "{text} {error}");
                }
                (_, Ok(_)) => panic!("nobody looked at {}", place.path),
            }
        }
    }
}

#[test]
fn a_key_of_no_table_is_told_with_those_that_there_are() {
    for (table, read, _) in FORMATS {
        let mut mappings = BTreeSet::from([(String::new(), "{".to_owned(), "}".to_owned())]);
        for place in places(table, "", "{", "}") {
            let (around, _) = place.before.rsplit_once('{').unwrap();
            let path = place.path.rsplit_once('.').map_or("", |(path, _)| path);
            mappings.insert((path.to_owned(), format!("{around}{{"), place.after));
        }
        assert!(mappings.len() > 5, "{mappings:?}");
        for (path, before, after) in mappings {
            let text = format!("{before}\"%%\": 1{after}");
            let error = read(&text).unwrap_err();
            assert!(
                error.contains("is not a known key"),
                "{path} {text} {error}"
            );
            assert!(error.contains("known here are `"), "{path} {text} {error}");
        }
    }
}

/// What a table calls the default is a value of the key.
#[test]
fn every_default_is_taken() {
    let mut tried = 0;
    for (table, read, _) in FORMATS {
        for key in table.keys {
            if let Default::Is(value) = key.default {
                let text = format!("{}: {value}", key.name);
                assert_eq!(read(&text), Ok(Vec::new()), "{text}");
                tried += 1;
            }
        }
    }
    assert!(tried > 8, "{tried}");
}

/// What is printed for people to fill in.
const TEMPLATES: [(&str, Reader); 2] = [
    ("calamares-module/bootc/bootc.conf", bootc_conf),
    ("rust/image-builder/distro.yaml", distro_yaml),
];

/// A template with every key set: no `#` is left before what is no word.
fn filled(template: &str) -> String {
    let open = |line: &str| {
        let inner = line.trim_start();
        let pad = &line[..line.len() - inner.len()];
        match inner.strip_prefix('#') {
            Some(key) if !key.is_empty() && !key.starts_with([' ', '#']) => format!("{pad}{key}"),
            _ => line.to_owned(),
        }
    };
    let lines: Vec<String> = template.lines().map(open).collect();
    lines.join("\n")
}

#[test]
fn templates_are_read_as_they_are_and_with_every_key() {
    for (path, read) in TEMPLATES {
        let text = std::fs::read_to_string(generate::workspace().join(path)).unwrap();
        assert_eq!(read(&text).unwrap(), Vec::<String>::new(), "{path}");
        let all = filled(&text);
        assert_ne!(all, text, "{path}");
        if let Err(error) = read(&all) {
            panic!("{path}: {error}\n{all}");
        }
    }
}

#[test]
fn lines_below_the_configuration_repeat_no_key_of_it() {
    let path = generate::workspace().join("calamares-module/bootc/bootc.conf");
    let mut text = std::fs::read_to_string(path).unwrap();
    for key in BOOTC_CONF.keys {
        if matches!(
            key.kind,
            Kind::Mapping(_) | Kind::Named { .. } | Kind::List(_)
        ) {
            text += &format!("{}: {{}}\n", key.name).replace("catalogue: {}", "catalogue: []");
        }
    }
    bootc_conf(&text).unwrap();
}

/// A recipe cannot be without a disk.
#[test]
fn the_template_of_a_recipe_is_read_with_every_key() {
    let path = generate::workspace().join("rust/recipe/recipe.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let (name, dir) = (Path::new("recipe.yaml"), Path::new("/x"));
    let recipe = recipe::parse(name, dir, &filled(&text)).unwrap();
    assert_eq!(recipe.users.len(), 1);
    assert_eq!(recipe.network.len(), 1);
    let error = recipe::parse(name, dir, &text).unwrap_err();
    assert!(error.what.contains("`disk` is missing"), "{error}");
}
