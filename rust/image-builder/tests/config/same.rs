// SPDX-License-Identifier: MIT OR Apache-2.0
//! Template and documentation are read, and mean what they say. That schema and
//! tables are those of the reader is in tests/generate.

use super::*;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// The schema's defaults as a file, section by section.
fn defaults(schema: &Value) -> serde_json::Map<String, Value> {
    let mut map = serde_json::Map::new();
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(default) = value.get("default") {
            map.insert(key.clone(), default.clone());
        } else {
            let inner = defaults(value);
            if !inner.is_empty() {
                map.insert(key.clone(), inner.into());
            }
        }
    }
    map
}

#[test]
fn the_schema_has_the_defaults_of_the_reader() {
    let mut file = defaults(&schema());
    let read = |file: &serde_json::Map<String, Value>| {
        let distro = good(&serde_json::to_string(file).unwrap());
        Distro {
            path: None,
            ..distro
        }
    };
    assert_eq!(read(&file), Distro::default());
    // Each key with a text or number as default is among them.
    let leaves = [
        ("product", 7),
        ("mirrors", 2),
        ("images", 3),
        ("calamares", 4),
        ("live", 5),
    ];
    for (section, count) in leaves {
        assert_eq!(file[section].as_object().unwrap().len(), count, "{section}");
    }
    for key in [
        "suite",
        "firmware",
        "secureBoot",
        "compression",
        "packages",
        "debs",
    ] {
        assert!(file.contains_key(key), "{key}");
    }
    // And the comparison can fail.
    file["product"]["name"] = "Another".into();
    assert_ne!(read(&file), Distro::default());
}

#[test]
fn the_template_is_the_default() {
    let read = good(TEMPLATE);
    assert_eq!(Distro { path: None, ..read }, Distro::default());
}

/// A line without the `#` that stands directly before a key or an entry.
fn uncommented(line: &str) -> String {
    let text = line.trim_start();
    match text.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| !c.is_whitespace() && c != '#') => {
            format!("{}{rest}", &line[..line.len() - text.len()])
        }
        _ => line.to_owned(),
    }
}

fn full_template() -> String {
    let lines: Vec<String> = TEMPLATE.lines().map(uncommented).collect();
    lines.join("\n") + "\n"
}

#[test]
fn the_template_can_be_uncommented() {
    let text = full_template();
    let distro = good(&text);
    assert_eq!(distro.warnings, [""; 0]);
    assert_eq!(distro.product.version, "13");
    assert_eq!(distro.branding.slides.len(), 2);
    assert_eq!(
        distro.images.default.as_deref(),
        Some("quay.io/example/debian-bootc:13")
    );
    let catalogue = &distro.images.catalogue;
    assert_eq!(catalogue.len(), 2);
    assert_eq!(
        catalogue[0].description.as_ref().unwrap().get("de"),
        "Ein kleines System ohne grafische Oberfläche."
    );
    assert_eq!(catalogue[1].reference, "quay.io/example/debian-desktop:13");
    assert_eq!(distro.calamares.registries.len(), 1);
    assert_eq!(distro.packages.len(), 2);
    // Values that the template shows as defaults are the defaults.
    let default = Distro::default();
    let snapshot = distro.mirrors.snapshot.as_deref().unwrap();
    let moved = format!("{}/{snapshot}", default.mirrors.debian);
    assert_eq!(distro.mirrors.debian, moved);
    assert_eq!(distro.firmware, default.firmware);
    assert_eq!(distro.live.locale, default.live.locale);
    assert_eq!(distro.live.boot_timeout, default.live.boot_timeout);
    let product = Product {
        version: String::new(),
        ..distro.product
    };
    assert_eq!(product, default.product);
}

/// Each key alone can be set, where it depends on no other.
#[test]
fn the_template_can_be_uncommented_line_by_line() {
    let lines: Vec<&str> = TEMPLATE.lines().collect();
    let mut tried = 0;
    for (number, line) in lines.iter().enumerate() {
        // Parts of the catalogue and of a registry go together, and so do
        // names with what they name.
        let alone = uncommented(line) != *line
            && ![
                "- ",
                "name[de]",
                "description",
                "icon: n",
                "icon: computer",
                "reference",
                "insecure",
                "ca:",
                "mirrors: [",
                "signatureKeys: [",
                "registry: ",
                "default: ",
                "catalogue",
            ]
            .iter()
            .any(|start| line.trim_start().trim_start_matches('#').starts_with(start));
        if !alone {
            continue;
        }
        let mut text: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        text[number] = uncommented(line);
        let read = parse(&(text.join("\n") + "\n"));
        assert!(read.is_ok(), "{line}\n{}", read.unwrap_err());
        tried += 1;
    }
    assert!(tried > 35, "{tried}");
}

/// The names of all keys.
fn names(table: &Table, found: &mut BTreeSet<&'static str>) {
    for key in table.keys {
        match key.kind {
            Kind::Refused(_) => continue,
            Kind::Mapping(table) | Kind::List(table) | Kind::Named { table, .. } => {
                names(table, found);
            }
            _ => {}
        }
        found.insert(key.name);
    }
}

#[test]
fn the_template_explains_every_key() {
    let mut keys = BTreeSet::new();
    names(&DISTRO_YAML, &mut keys);
    assert!(keys.len() > 50, "{}", keys.len());
    for key in keys {
        assert!(TEMPLATE.contains(&format!("{key}:")), "{key}");
    }
}

const DOCUMENT: &str = include_str!("../../../../docs/distro-yaml.md");

/// The examples of the documentation are files.
#[test]
fn the_examples_of_the_documentation_are_read() {
    let examples: Vec<&str> = DOCUMENT
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() >= 8, "{}", examples.len());
    for example in examples {
        assert_eq!(good(example).warnings, [""; 0], "{example}");
    }
}

/// A file with everything, as a maintainer would write it, and its files.
#[test]
fn the_complete_example() {
    let distro = Distro::read(Path::new("tests/fixtures/complete/distro.yaml")).unwrap();
    distro.check_files().unwrap();
    assert_eq!(distro.images.embed, ["quay.io/example/debian-bootc:13"]);
    // It is the one of the documentation.
    let text = include_str!("../fixtures/complete/distro.yaml");
    let (_, without_header) = text.split_once("\n").unwrap();
    assert!(
        DOCUMENT.contains(without_header),
        "the example in docs/distro-yaml.md is another"
    );
}
