// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON schemas of formats, printed from their tables of keys.

use anyhow::{Context, Result};
use contract::error::capital;
use serde_yaml::{Mapping, Value};
use yaml_doc::{Default, Form, Key, Kind, Table};

/// Whether keys without a value are taken: editors of `distro.yaml` say that a
/// value is missing, Calamares takes what the engine takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    Sections,
    Everywhere,
}

/// The schema of a mapping and all that is in it.
///
/// # Errors
/// When a part of the table that is YAML is none.
pub(super) fn object(table: &Table, empty: Empty) -> Result<Mapping> {
    let mut properties = Mapping::new();
    let mut patterns = Mapping::new();
    let mut twice: Vec<Value> = Vec::new();
    for key in table.keys {
        if matches!(key.kind, Kind::Refused(_)) {
            continue;
        }
        let schema = value(key, empty).with_context(|| format!("the key {}", key.name))?;
        for other in key.also {
            let mut schema = schema.clone();
            let meaning = format!("Another spelling of `{}`.", key.name);
            schema.insert("description".into(), meaning.into());
            properties.insert((*other).into(), schema.into());
            let both = list([key.name, other]);
            twice.push(Mapping::from_iter([("required".into(), both)]).into());
        }
        if let Kind::Localized { text, locale } = key.kind {
            let pattern = format!("^{}\\[{}\\]$", key.name, locale.pattern);
            patterns.insert(pattern.into(), string(text, false).into());
        }
        properties.insert(key.name.into(), schema.into());
    }
    let required: Vec<&str> = (table.keys.iter())
        .filter(|key| matches!(key.default, Default::Required))
        .map(|key| key.name)
        .collect();
    let mut schema = Mapping::new();
    schema.insert("additionalProperties".into(), false.into());
    if !required.is_empty() {
        schema.insert("required".into(), list(required));
    }
    schema.insert("properties".into(), properties.into());
    if !patterns.is_empty() {
        schema.insert("patternProperties".into(), patterns.into());
    }
    if !twice.is_empty() {
        let any = Mapping::from_iter([("anyOf".into(), twice.into())]);
        schema.insert("not".into(), any.into());
    }
    schema.extend(yaml(table.together)?);
    Ok(schema)
}

/// The schema of a key.
fn value(key: &Key, empty: Empty) -> Result<Mapping> {
    let null = empty == Empty::Everywhere && key.null && !matches!(key.default, Default::Required);
    let mut schema = Mapping::new();
    schema.insert("description".into(), sentence(key.meaning).into());
    let of = match key.kind {
        Kind::Text(form) | Kind::Localized { text: form, .. } => string(form, null),
        Kind::Texts(form) => array(string(form, false), null),
        Kind::Word(words, also) => {
            let mut of = typed("string", null);
            let words = words.iter().chain(also).map(|word| Value::from(*word));
            let words: Vec<Value> = words.chain(null.then_some(Value::Null)).collect();
            of.insert("enum".into(), words.into());
            of
        }
        Kind::Words(words, alone) => {
            let mut one = typed("string", false);
            one.insert("enum".into(), list(alone.iter().chain(words).copied()));
            let mut item = typed("string", false);
            item.insert("enum".into(), list(words.iter().copied()));
            let either = vec![one.into(), array(item, false).into()];
            Mapping::from_iter([("oneOf".into(), Value::Sequence(either))])
        }
        Kind::Flag => typed("boolean", null),
        Kind::Number(low, high) => {
            let mut of = typed("integer", null);
            of.insert("minimum".into(), low.into());
            of.insert("maximum".into(), high.into());
            of
        }
        Kind::Mapping(table) => merged(typed("object", true), object(table, empty)?),
        Kind::List(table) => {
            let item = merged(typed("object", false), object(table, empty)?);
            array(item, null)
        }
        Kind::Named { names, table, .. } => {
            let inner = object(table, empty)?;
            // One that lacks what it must have is no entry.
            let entry = merged(typed("object", !inner.contains_key("required")), inner);
            named(names, entry)
        }
        Kind::NamedTexts {
            names,
            texts,
            as_written,
            ..
        } => {
            let mut text = string(texts, false);
            if as_written {
                text.insert("type".into(), list(["string", "number", "boolean"]));
            }
            named(names, text)
        }
        Kind::Anything | Kind::Refused(_) => Mapping::new(),
        Kind::Special { schema, .. } => yaml(schema)?,
    };
    schema.extend(of);
    if let Default::Is(text) = key.default {
        schema.insert("default".into(), serde_yaml::from_str(text)?);
    }
    Ok(schema)
}

fn typed(kind: &str, null: bool) -> Mapping {
    let kind = match null {
        true => list([kind, "null"]),
        false => kind.into(),
    };
    Mapping::from_iter([("type".into(), kind)])
}

fn string(form: &Form, null: bool) -> Mapping {
    let mut schema = typed("string", null);
    if !form.pattern.is_empty() {
        schema.insert("pattern".into(), form.pattern.into());
    }
    for (word, limit) in [("minLength", form.min), ("maxLength", form.max)] {
        if limit > 0 {
            schema.insert(word.into(), limit.into());
        }
    }
    schema
}

fn array(item: Mapping, null: bool) -> Mapping {
    let mut schema = typed("array", null);
    schema.insert("items".into(), item.into());
    schema
}

fn named(names: &Form, entry: Mapping) -> Mapping {
    let mut schema = typed("object", true);
    if !names.pattern.is_empty() {
        let pattern = Mapping::from_iter([("pattern".into(), names.pattern.into())]);
        schema.insert("propertyNames".into(), pattern.into());
    }
    schema.insert("additionalProperties".into(), entry.into());
    schema
}

fn merged(mut first: Mapping, second: Mapping) -> Mapping {
    first.extend(second);
    first
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    let words = words.into_iter().map(Value::from);
    Value::Sequence(words.collect())
}

fn yaml(text: &str) -> Result<Mapping> {
    Ok(match serde_yaml::from_str(text)? {
        Value::Null => Mapping::new(),
        value => serde_yaml::from_value(value)?,
    })
}

/// A meaning without the links of Markdown.
pub(super) fn without_links(meaning: &str) -> String {
    let mut text = String::new();
    let mut rest = meaning;
    while let Some((before, behind)) = rest.split_once("](") {
        let (before, words) = before.rsplit_once('[').unwrap_or(("", before));
        text += &format!("{before}{words}");
        rest = behind.split_once(')').map_or("", |(_, behind)| behind);
    }
    text + rest
}

/// A meaning as a sentence without the links of Markdown.
pub(super) fn sentence(meaning: &str) -> String {
    format!("{}.", capital(&without_links(meaning)))
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn sentences() {
        for (meaning, expected) in [
            ("a text", "A text."),
            ("`a[]`: see [b c](d.md), [e](f)", "`a[]`: see b c, e."),
        ] {
            assert_eq!(sentence(meaning), expected);
        }
    }
}
