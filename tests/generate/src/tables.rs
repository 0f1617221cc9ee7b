// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tables of keys in the documentation.

use anyhow::{Context, Result, ensure};
use yaml_doc::{Default, Key, Kind, Table};

/// What begins and ends a printed table in a document. The first names the keys at
/// the top of the format, or all of them: `<!-- keys: suite, mirrors -->`.
const BEGIN: &str = "<!-- keys: ";
const END: &str = "<!-- end of keys -->\n";

/// A document with its tables as they are now.
///
/// # Errors
/// When a mark names a key that there is not, or a key has no table.
pub(super) fn printed(document: &str, table: &Table) -> Result<String> {
    let mut text = String::new();
    let mut rest = document;
    let mut left: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
    while let Some((before, behind)) = rest.split_once(BEGIN) {
        let (names, behind) = behind.split_once(" -->\n").context("a mark has no end")?;
        let (_, behind) = behind
            .split_once(END)
            .with_context(|| format!("the table of {names} has no end"))?;
        text += &format!("{before}{BEGIN}{names} -->\n{HEAD}");
        for name in match names {
            "all" => left.clone(),
            names => names.split(", ").collect(),
        } {
            let key = table.keys.iter().find(|key| key.name == name);
            row(
                key.with_context(|| format!("there is no key {name}"))?,
                "",
                &mut text,
            );
            left.retain(|other| *other != name);
        }
        text.push_str(END);
        rest = behind;
    }
    ensure!(left.is_empty(), "no table has {left:?}");
    Ok(text + rest)
}

const HEAD: &str = "| key | type | default | meaning |\n|---|---|---|---|\n";

/// The row of a key, or the rows of what is in it.
fn row(key: &Key, prefix: &str, text: &mut String) {
    let name = format!("{prefix}{}", key.name);
    let mut put = |name: &str, kind: &str, default: &str, meaning: &str| {
        *text += &format!("| `{name}` | {kind} | {default} | {meaning} |\n");
    };
    let (default, meaning) = (default(key), key.meaning);
    let (inside, prefix) = match key.kind {
        Kind::Refused(_) => return,
        Kind::Mapping(table) => (table, format!("{name}.")),
        Kind::Named { called, table, .. } => (table, format!("{name}.{called}.")),
        Kind::List(table) => {
            put(&name, "list of mappings", &default, meaning);
            (table, format!("{name}[]."))
        }
        Kind::NamedTexts { called, texts, .. } => {
            return put(&format!("{name}.{called}"), texts.one, &default, meaning);
        }
        Kind::Localized { text, locale } => {
            put(&name, text.one, &default, meaning);
            let (inner, it) = (format!("{name}[{}]", locale.one.to_uppercase()), key.name);
            let other = format!("its translation: `{it}[de]`, `{it}[pt_BR]`, `{it}[sr@latin]`");
            return put(&inner, text.one, &format!("`{it}`"), &other);
        }
        kind => return put(&name, &called(kind), &default, meaning),
    };
    for key in inside.keys {
        row(key, &prefix, text);
    }
}

/// The type of a value without keys.
fn called(kind: Kind) -> String {
    match kind {
        Kind::Text(form) => form.one.to_owned(),
        Kind::Texts(form) => format!("list of {}", form.many),
        Kind::Word(words, _) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(", ")
        }
        Kind::Words(..) => "list, or one word".to_owned(),
        Kind::Flag => "bool".to_owned(),
        Kind::Number(..) => "number".to_owned(),
        Kind::Special { called, .. } => called.to_owned(),
        _ => "anything".to_owned(),
    }
}

fn default(key: &Key) -> String {
    match key.default {
        Default::Is("''") => "empty".to_owned(),
        Default::Is("[]") => "none".to_owned(),
        Default::Is(value) => format!("`{value}`"),
        Default::Nothing(words) => words.to_owned(),
        Default::Required => "required".to_owned(),
    }
}
