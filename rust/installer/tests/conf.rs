// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf` as it is shipped, its schema and its reader say the same.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use serde_yaml::Value;

fn module(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../calamares-module/bootc")
        .join(file)
}

fn schema() -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(module("bootc.schema.yaml")).unwrap()).unwrap()
}

/// Names of the properties of an object in the schema.
fn properties(schema: &Value, at: &[&str]) -> Vec<String> {
    let object = at.iter().fold(schema, |value, key| &value[*key]);
    object["properties"]
        .as_mapping()
        .unwrap_or_else(|| panic!("{at:?} has no properties"))
        .keys()
        .map(|key| key.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_shipped_file_is_read() {
    let config = conf::read(&module("bootc.conf")).unwrap();
    assert!(config.page.allow_other);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

/// Values of every type, the first of which is a good text for the key.
fn values(key: &str, of: &Value) -> Vec<Value> {
    let word = match (key, &of["enum"][0]) {
        (_, Value::String(word)) => word.clone(),
        ("target_arch" | "targetArch", _) => std::env::consts::ARCH.to_owned(),
        ("reference", _) => "r.example/x".to_owned(),
        _ => "word".to_owned(),
    };
    let mut values = vec![Value::from(word), Value::from("no such word")];
    let yaml = [
        "13", "true", "null", "[]", "[a]", "[1]", "[null]", "{}", "{a: b}", "[{}]",
    ];
    values.extend(yaml.map(|text| serde_yaml::from_str(text).unwrap()));
    values
}

/// What no schema can say is left to the reader.
fn only_the_reader_knows(key: &str, value: &Value) -> bool {
    let text = value.as_str();
    // Whether it can be parsed, and what this machine is.
    let parsed = ["reference", "target_arch", "targetArch"].contains(&key);
    (parsed && text == Some("no such word"))
        // A login without a value is one that is not there; the schema would
        // have to say that of each combination.
        || (["auth", "username"].contains(&key) && value.is_null())
}

#[test]
fn schema_and_reader_take_and_refuse_the_same_values() {
    let schema = schema();
    let (mut taken, mut refused) = (0, 0);
    for (at, inside) in [
        (&[][..], "{}"),
        (&["properties", "page"], "page: {}"),
        (&["properties", "installOptions"], "installOptions: {}"),
        (&["properties", "registryAuth"], "registryAuth: {}"),
        (
            &[
                "properties",
                "registryAuth",
                "properties",
                "registries",
                "additionalProperties",
            ],
            "registryAuth: {registries: {r.example: {}}}",
        ),
        (
            &["properties", "page", "properties", "catalogue", "items"],
            "page: {catalogue: [{name: x, reference: r.example/x}]}",
        ),
    ] {
        for key in properties(&schema, at) {
            let of =
                at.iter().fold(&schema, |value, key| &value[*key])["properties"][&*key].clone();
            for value in values(&key, &of) {
                if only_the_reader_knows(&key, &value) {
                    continue;
                }
                let mut file: Value = serde_yaml::from_str(inside).unwrap();
                let object = match at {
                    [] => &mut file,
                    [_, "page"] => &mut file["page"],
                    [_, "installOptions"] => &mut file["installOptions"],
                    [_, "registryAuth"] => &mut file["registryAuth"],
                    [.., "additionalProperties"] => {
                        &mut file["registryAuth"]["registries"]["r.example"]
                    }
                    _ => &mut file["page"]["catalogue"][0],
                };
                object[&*key] = value;
                // A password needs a name, and a name a password.
                match key.as_str() {
                    "password" | "passwordFile" => object["username"] = "joe".into(),
                    "username" => object["password"] = "secret".into(),
                    _ => {}
                }
                let text = serde_yaml::to_string(&file).unwrap();
                let (read, said) = (reader_takes(&text), Validator(&schema).takes(&text));
                assert_eq!(read.is_ok(), said, "{text}: {read:?}");
                match said {
                    true => taken += 1,
                    false => refused += 1,
                }
            }
        }
    }
    assert!(taken > 100 && refused > 200, "{taken} {refused}");
}

#[test]
fn schema_and_reader_agree_about_what_belongs_together() {
    let schema = schema();
    let login = |keys: &str| format!("registryAuth: {{registries: {{r.example: {{{keys}}}}}}}");
    let options = |keys: &str| format!("installOptions: {{{keys}}}");
    let image = |keys: &str| format!("page: {{catalogue: [{{{keys}}}]}}");
    let table = [
        ("variables: {tag: 13}".to_owned(), true),
        ("variables: {tag: true, b: 1.5}".to_owned(), true),
        ("variables: {tag: [13]}".to_owned(), false),
        ("variables: {tag: }".to_owned(), false),
        ("registryAuth: {registries: {r.example: }}".to_owned(), true),
        (
            "registryAuth: {registries: {r.example: []}}".to_owned(),
            false,
        ),
        (login("auth: a"), true),
        (login("username: a, password: b"), true),
        (login("username: a, passwordFile: b"), true),
        (login("username: a"), false),
        (login("password: b"), false),
        (login("passwordFile: b"), false),
        (login("username: a, password: b, passwordFile: c"), false),
        (login("auth: a, username: a, password: b"), false),
        (login("auth: a, password: b"), false),
        (login("username: a, passwrod: b"), false),
        (options("kargsDelete: [a]"), true),
        (options("kargs_delete: [a]"), true),
        (options("kargs_delete: [a], kargsDelete: [a]"), false),
        (options("target_disk: a, targetDisk: a"), false),
        (options("rootfs_type: xfs, rootfsType: xfs"), false),
        (image("name: x, reference: r.example/x"), true),
        (image("name: x"), false),
        (image("reference: r.example/x"), false),
        (image("name: x, reference: ''"), false),
        (
            image("name: x, reference: r.example/x, 'name[es_419]': y"),
            true,
        ),
        (
            image("name: x, reference: r.example/x, 'name[sr@latin]': y"),
            true,
        ),
        (image("name: x, reference: r.example/x, 'name[]': y"), false),
        (
            image("name: x, reference: r.example/x, 'name[de-AT]': y"),
            false,
        ),
        (
            image("name: x, reference: r.example/x, 'name[de AT]': y"),
            false,
        ),
        (
            image("name: x, reference: r.example/x, 'name[dé]': y"),
            false,
        ),
        (
            image("name: x, reference: r.example/x, 'nam[de]': y"),
            false,
        ),
        (
            image("name: x, reference: r.example/x, 'name[de]': 1"),
            false,
        ),
        (
            image("name: x, reference: r.example/x, 'name[de]': "),
            false,
        ),
        (
            image("name: x, reference: r.example/x, 'icon[de]': y"),
            false,
        ),
    ];
    for (text, expected) in table {
        let read = reader_takes(&text);
        assert_eq!(read.is_ok(), expected, "{text}: {read:?}");
        assert_eq!(Validator(&schema).takes(&text), expected, "{text}");
    }
}

fn reader_takes(text: &str) -> Result<(), String> {
    let path = Path::new("/x/bootc.conf");
    let read = conf::parse(path, Zeroizing::new(text.to_owned()));
    read.map(drop).map_err(|error| error.to_string())
}

/// As much of JSON Schema as the schema uses.
struct Validator<'a>(&'a Value);

impl Validator<'_> {
    fn takes(&self, text: &str) -> bool {
        self.valid(self.0, &serde_yaml::from_str(text).unwrap())
    }

    fn valid(&self, schema: &Value, value: &Value) -> bool {
        let words = schema.as_mapping().unwrap();
        words.iter().all(|(word, of)| {
            let all = || of.as_sequence().unwrap().iter();
            match word.as_str().unwrap() {
                "$schema" | "$id" | "description" | "default" => true,
                // Looked at with additionalProperties.
                "properties" | "patternProperties" => true,
                "additionalProperties" => self.properties(schema, value),
                "type" => match of {
                    Value::Sequence(types) => types.iter().any(|of| is(of, value)),
                    one => is(one, value),
                },
                "enum" => all().any(|of| of == value),
                "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
                "required" => all().all(|key| value.get(key).is_some()),
                "items" => {
                    let items = value.as_sequence();
                    items.is_none_or(|items| items.iter().all(|item| self.valid(of, item)))
                }
                "oneOf" => all().filter(|of| self.valid(of, value)).count() == 1,
                "anyOf" => all().any(|of| self.valid(of, value)),
                "not" => !self.valid(of, value),
                "dependencies" => of.as_mapping().unwrap().iter().all(|(key, of)| {
                    value.get(key).is_none()
                        || match of {
                            Value::Sequence(keys) => keys.iter().all(|k| value.get(k).is_some()),
                            schema => self.valid(schema, value),
                        }
                }),
                other => panic!("{other} is not known here"),
            }
        })
    }

    fn properties(&self, schema: &Value, value: &Value) -> bool {
        let patterns = schema["patternProperties"].as_mapping();
        value
            .as_mapping()
            .into_iter()
            .flatten()
            .all(|(key, value)| {
                let name = key.as_str().unwrap();
                let matches = |pattern| regex::Regex::new(pattern).unwrap().is_match(name);
                let by_pattern = || {
                    let mut all = patterns.into_iter().flatten();
                    Some(all.find(|(p, _)| matches(p.as_str().unwrap()))?.1)
                };
                match schema["properties"].get(name).or_else(by_pattern) {
                    Some(of) => self.valid(of, value),
                    None => match &schema["additionalProperties"] {
                        Value::Bool(allowed) => *allowed,
                        of => self.valid(of, value),
                    },
                }
            })
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_bool(),
        "array" => value.is_sequence(),
        "object" => value.is_mapping(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}

#[test]
fn the_shipped_file_explains_every_key_of_the_schema() {
    let text = std::fs::read_to_string(module("bootc.conf")).unwrap();
    // Accepted for the sake of older files.
    let without_effect = [
        "remote",
        "integration",
        "kickstartOptions",
        "ignitionOptions",
    ];
    let schema = schema();
    for key in properties(&schema, &[]) {
        let explained = text.contains(&format!("{key}:"));
        assert_ne!(explained, without_effect.contains(&key.as_str()), "{key}");
    }
}
