// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reader, schema, template and documentation say the same.

use super::*;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Every mapping of the file: how to write it around a key, and where the
/// schema has it.
const MAPPINGS: [(&str, &str, &str); 15] = [
    ("", "", ""),
    ("product: {", "}", "/properties/product"),
    ("branding: {", "}", "/properties/branding"),
    (
        "branding: {sidebar: {",
        "}}",
        "/properties/branding/properties/sidebar",
    ),
    ("mirrors: {", "}", "/properties/mirrors"),
    ("registries: {r: {", "}}", "/$defs/registry"),
    ("images: {", "}", "/properties/images"),
    ("images: {catalogue: [{", "}]}", "/$defs/catalogueEntry"),
    ("calamares: {", "}", "/properties/calamares"),
    (
        "calamares: {container_config: {",
        "}}",
        "/properties/calamares/properties/container_config",
    ),
    (
        "calamares: {registry_auth: {",
        "}}",
        "/properties/calamares/properties/registry_auth",
    ),
    (
        "calamares: {registry_auth: {registries: {r.example: {",
        "}}}}",
        "/$defs/registryAuth",
    ),
    ("live: {", "}", "/properties/live"),
    (
        "live: {keyboard: {",
        "}}",
        "/properties/live/properties/keyboard",
    ),
    // Free names, which have no list.
    ("containers: {", "}", "/properties/containers"),
];

/// The keys that the reader knows in a mapping: it lists them when it meets
/// one that is like none of them.
fn known(before: &str, after: &str) -> BTreeSet<String> {
    let error = parse(&format!("{before}\"%%\": 1{after}")).unwrap_err();
    let (_, list) = error
        .next
        .split_once("known here are ")
        .unwrap_or_else(|| panic!("{before}: {error}"));
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn properties(schema: &Value, at: &str) -> BTreeSet<String> {
    let object = schema
        .pointer(at)
        .unwrap_or_else(|| panic!("{at} is missing"));
    let keys = object["properties"]
        .as_object()
        .map(|map| map.keys().cloned());
    keys.into_iter().flatten().collect()
}

#[test]
fn the_schema_has_the_keys_of_the_reader() {
    let schema = schema();
    let mut all = 0;
    for (before, after, at) in MAPPINGS {
        if at == "/properties/containers" {
            continue;
        }
        let keys = known(before, after);
        assert_eq!(properties(&schema, at), keys, "{before}");
        let object = schema.pointer(at).unwrap();
        assert_eq!(object["additionalProperties"], Value::Bool(false), "{at}");
        all += keys.len();
    }
    assert!(all > 50, "{all}");
}

/// No mapping of the schema is missing in the list above.
#[test]
fn every_mapping_of_the_schema_is_compared() {
    fn walk(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        if let Some(map) = value.as_object() {
            if map.get("properties").is_some_and(Value::is_object)
                && !at.contains("dependentSchemas")
            {
                found.insert(at.to_owned());
            }
            for (key, inner) in map {
                walk(inner, &format!("{at}/{key}"), found);
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&schema(), "", &mut found);
    let compared = MAPPINGS.map(|(_, _, at)| at.to_owned());
    let mut compared: BTreeSet<String> = compared.into();
    assert!(compared.remove("/properties/containers"));
    assert_eq!(found, compared);
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

/// Words of the schema are those of the reader, one by one.
#[test]
fn the_schema_has_the_words_of_the_reader() {
    let schema = schema();
    let mut seen = 0;
    for (at, before, after) in [
        ("/properties/suite/enum", "suite: ", ""),
        ("/properties/compression/enum", "compression: ", ""),
        ("/properties/firmware/oneOf/0/enum", "firmware: ", ""),
        (
            "/properties/firmware/oneOf/1/items/enum",
            "firmware: [",
            "]",
        ),
        (
            "/properties/calamares/properties/installation_approach/enum",
            "calamares: {installation_approach: ",
            "}",
        ),
        (
            "/properties/calamares/properties/container_config/properties/transport/enum",
            "calamares: {container_config: {transport: ",
            "}}",
        ),
    ] {
        let words = schema.pointer(at).unwrap().as_array().unwrap();
        let words: BTreeSet<String> = words
            .iter()
            .map(|w| w.as_str().unwrap().to_owned())
            .collect();
        let error = parse(&format!("{before}\"%%\"{after}")).unwrap_err();
        let list = error.next.split(';').next().unwrap();
        let told: BTreeSet<String> = list
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert_eq!(words, told, "{at}");
        seen += words.len();
    }
    assert_eq!(seen, 19);
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
        catalogue[0].description["de"],
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

/// All keys of the schema, each with its mapping.
fn all_keys() -> Vec<(String, String)> {
    let schema = schema();
    let mut all = Vec::new();
    for (_, _, at) in MAPPINGS {
        for key in properties(&schema, at) {
            all.push((at.to_owned(), key));
        }
    }
    all
}

#[test]
fn the_template_explains_every_key() {
    let keys = all_keys();
    assert!(keys.len() > 50);
    for (at, key) in keys {
        assert!(TEMPLATE.contains(&format!("{key}:")), "{at} {key}");
    }
}

const DOCUMENT: &str = include_str!("../../../../docs/distro-yaml.md");

/// The rows of the documentation's tables: key, type, default, meaning.
fn rows() -> Vec<Vec<String>> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells = line.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

#[test]
fn the_documentation_has_every_key_with_its_default() {
    let schema = schema();
    let mut documented: BTreeMap<String, String> = BTreeMap::new();
    for row in rows() {
        assert_eq!(row.len(), 4, "{row:?}");
        let twice = documented.insert(row[0].trim_matches('`').to_owned(), row[2].clone());
        assert!(twice.is_none(), "{row:?}");
    }
    let mut expected = BTreeSet::new();
    for (_, _, at) in MAPPINGS {
        let prefix = match at {
            "/$defs/registry" => "registries.NAME.".to_owned(),
            "/$defs/catalogueEntry" => "images.catalogue[].".to_owned(),
            "/$defs/registryAuth" => "calamares.registry_auth.registries.HOST.".to_owned(),
            other => {
                other
                    .replace("/properties/", ".")
                    .trim_start_matches('.')
                    .to_owned()
                    + "."
            }
        };
        for key in properties(&schema, at) {
            let value = schema.pointer(&format!("{at}/properties/{key}")).unwrap();
            let name = format!("{prefix}{key}").trim_start_matches('.').to_owned();
            // Mappings have tables of their own.
            let mapping = value.get("properties").is_some() || value["type"][0] == "object";
            if mapping
                && value
                    .get("additionalProperties")
                    .is_none_or(|v| !v.is_object())
            {
                continue;
            }
            if let Some(default) = value.get("default") {
                let shown = match default {
                    Value::String(text) if text.is_empty() => "empty".to_owned(),
                    Value::String(text) => format!("`{text}`"),
                    Value::Array(items) if items.is_empty() => "none".to_owned(),
                    other => format!("`{other}`"),
                };
                assert_eq!(documented.get(&name), Some(&shown), "{name}");
            }
            expected.insert(name);
        }
    }
    let documented: BTreeSet<String> = documented.into_keys().collect();
    let own = [
        "containers.NAME",
        "images.catalogue[].name[LANGUAGE]",
        "images.catalogue[].description[LANGUAGE]",
    ];
    expected.remove("registries");
    expected.remove("containers");
    expected.remove("calamares.registry_auth.registries");
    expected.extend(own.map(str::to_owned));
    assert_eq!(documented, expected);
}

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
