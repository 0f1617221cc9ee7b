// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every text of the plugins and of the engine that a person can meet is there
//! to be translated, and is translated into German.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use contract::error::CODES;

/// Parts of the engine whose precise errors are for whoever writes a
/// configuration or a command line: English, like what they write.
const FOR_AUTHORS: [&str; 2] = ["installer/src/cli/", "conf/src/"];

/// The crates whose texts can reach a person at the screen.
const ROOMS: [&str; 11] = [
    "bridge",
    "conf",
    "contract",
    "frontend",
    "host",
    "imageref",
    "installer",
    "registry",
    "sandbox",
    "source",
    "unpack",
];

/// What Calamares' own buttons answer to: Next, Back, Cancel, Install.
const TAKEN: &str = "nbci";
/// The same in German: Weiter, Zurück, Abbrechen, Installieren.
const TAKEN_DE: &str = "wzai";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn plugins() -> PathBuf {
    workspace().join("calamares-module")
}

/// Texts of the files below `dir` with this extension, by path.
fn files(dir: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The programs' Rust code without its tests.
fn rust() -> Vec<(PathBuf, String)> {
    ROOMS
        .iter()
        .flat_map(|name| files(&workspace().join("rust").join(name).join("src"), "rs"))
        .map(|(path, text)| {
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            (path, code.to_owned())
        })
        .collect()
}

/// The string literal that `text` begins with, and what follows it: what C++,
/// QML and Rust have in common, and Rust's continued lines.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut chars = text.strip_prefix('"')?.chars();
    let mut value = String::new();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => match chars.next()? {
                '\n' => chars = chars.as_str().trim_start().chars(),
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
}

/// Literals that are the first thing after `call`; neighbours are one text.
fn arguments(text: &str, call: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(call)
        .filter(|(at, _)| !(call.starts_with(is_word) && text[..*at].ends_with(is_word)))
        .filter_map(|(at, _)| {
            let (mut value, mut rest) = literal(text[at + call.len()..].trim_start())?;
            while let Some((more, after)) = literal(rest.trim_start()) {
                value.push_str(&more);
                rest = after;
            }
            Some(value)
        })
        .collect()
}

/// What EngineTexts.h names.
fn engine_texts() -> BTreeSet<String> {
    let text = fs::read_to_string(plugins().join("common/EngineTexts.h")).unwrap();
    let found = arguments(&text, "QT_TRANSLATE_NOOP( \"Engine\",");
    assert_eq!(text.matches("QT_TRANSLATE_NOOP(").count(), found.len());
    found.into_iter().collect()
}

/// Texts of the pages in QML, with their contexts.
fn qml_texts() -> BTreeSet<(String, String)> {
    files(&plugins(), "qml")
        .iter()
        .flat_map(|(path, text)| {
            let context = path.file_stem().unwrap().to_str().unwrap().to_owned();
            arguments(text, "qsTr(")
                .into_iter()
                .map(move |source| (context.clone(), source))
        })
        .collect()
}

fn cpp_texts() -> BTreeSet<String> {
    ["cpp", "h"]
        .iter()
        .flat_map(|extension| files(&plugins(), extension))
        .flat_map(|(_, text)| {
            let noop = arguments(&text, "QT_TR_NOOP(");
            arguments(&text, "tr(").into_iter().chain(noop)
        })
        .collect()
}

#[derive(Debug)]
struct Message {
    context: String,
    source: String,
    finished: bool,
    /// One, or one for each plural form.
    translations: Vec<String>,
    numerus: bool,
}

/// What stands between `<name …>` and `</name>`, each time.
fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let end = format!("</{name}>");
    text.split(&format!("<{name}"))
        .skip(1)
        .filter(|rest| rest.starts_with(['>', ' ']))
        .map(|rest| rest.split(&end).next().unwrap())
        .map(|element| element.split_once('>').unwrap().1)
        .collect()
}

fn plain(xml: &str) -> String {
    xml.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// The messages of a .ts file as lupdate writes it.
fn messages(language: &str) -> Vec<Message> {
    let path = plugins().join(format!("bootc/lang/calamares-bootc_{language}.ts"));
    let text = fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    for context in elements(&text, "context") {
        let name = plain(elements(context, "name")[0]);
        for message in elements(context, "message") {
            let translation = elements(message, "translation")[0];
            let forms = elements(translation, "numerusform");
            let numerus = !forms.is_empty();
            let all = if numerus { forms } else { vec![translation] };
            found.push(Message {
                context: name.clone(),
                source: plain(elements(message, "source")[0]),
                // Else `type` is "unfinished", "vanished" or "obsolete".
                finished: message.contains("<translation>"),
                translations: all.into_iter().map(plain).collect(),
                numerus,
            });
        }
    }
    found
}

#[test]
fn texts_of_every_code_are_named() {
    let texts = engine_texts();
    for row in CODES {
        for text in [row.name, row.why, row.next] {
            assert!(texts.contains(text), "EngineTexts.h lacks {text:?}");
        }
    }
}

#[test]
fn precise_causes_and_steps_are_named() {
    let texts = engine_texts();
    let mut seen = 0;
    for (path, code) in rust() {
        let name = path.to_str().unwrap();
        if FOR_AUTHORS.iter().any(|part| name.contains(part)) {
            continue;
        }
        for call in [".why(", ".next("] {
            for text in arguments(&code, call) {
                assert!(
                    texts.contains(&text),
                    "EngineTexts.h lacks {text:?} of {name}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "only {seen} found");
}

#[test]
fn what_the_registry_client_advises_is_named() {
    let path = workspace().join("rust/registry/src/error/hint.rs");
    let code = fs::read_to_string(path).unwrap();
    // Files have advice of the engine's own.
    let (before, io) = code.split_once("Self::Io").unwrap();
    let (_, after) = io.split_once("impl TlsProblem").unwrap();
    let texts = engine_texts();
    let mut seen = 0;
    for part in [before, after] {
        for call in ["=> {", "=>"] {
            for text in arguments(part, call) {
                assert!(texts.contains(&text), "EngineTexts.h lacks {text:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} found");
}

#[test]
fn no_text_of_the_engine_is_out_of_date() {
    let literals: BTreeSet<String> = rust()
        .iter()
        .flat_map(|(_, code)| {
            let starts = code.match_indices('"');
            // Those that begin at a closing quote do no harm.
            starts.filter_map(|(at, _)| Some(literal(&code[at..])?.0))
        })
        .collect();
    for text in engine_texts() {
        // Some begin small and without a full stop, as parts of a sentence.
        let mut part = text.trim_end_matches('.').to_owned();
        part[..1].make_ascii_lowercase();
        assert!(
            literals.contains(&text) || literals.contains(&part),
            "the engine does not say {text:?} any more"
        );
    }
}

#[test]
fn everything_is_translated_into_german() {
    let messages = messages("de");
    let sources: BTreeSet<&str> = messages.iter().map(|m| m.source.as_str()).collect();
    let pairs: BTreeSet<(String, String)> = messages
        .iter()
        .map(|m| (m.context.clone(), m.source.clone()))
        .collect();
    let (engine, qml, cpp) = (engine_texts(), qml_texts(), cpp_texts());
    assert!(qml.len() > 20 && cpp.len() > 20);
    let update = "run `cmake --build build --target bootc_lupdate`";
    for text in &engine {
        assert!(
            pairs.contains(&("Engine".into(), text.clone())),
            "{text:?}: {update}"
        );
    }
    for pair in &qml {
        assert!(pairs.contains(pair), "{pair:?}: {update}");
    }
    for text in &cpp {
        assert!(sources.contains(text.as_str()), "{text:?}: {update}");
    }
    for m in &messages {
        let pair = (m.context.clone(), m.source.clone());
        let known = engine.contains(&m.source) || qml.contains(&pair) || cpp.contains(&m.source);
        assert!(known, "{pair:?} is not in the sources: {update}");
        assert!(m.finished, "{pair:?} is not translated");
        for translation in &m.translations {
            assert!(!translation.trim().is_empty(), "{pair:?} is not translated");
            for place in ["%1", "%2", "%3"] {
                assert_eq!(
                    m.source.contains(place),
                    translation.contains(place),
                    "{pair:?}"
                );
            }
        }
    }
}

/// Without them the page would speak of "12 layer(s)".
#[test]
fn english_has_its_plural_forms() {
    let english = messages("en");
    assert!(english
        .iter()
        .all(|m| m.finished && m.translations.len() == 2));
    let counted = |messages: &[Message]| -> BTreeSet<String> {
        let counted = messages.iter().filter(|m| m.numerus);
        counted.map(|m| m.source.clone()).collect()
    };
    assert_eq!(counted(&english), counted(&messages("de")));
}

#[test]
fn no_two_buttons_answer_to_the_same_key() {
    let key = |text: &str| {
        let (_, after) = text.split_once('&')?;
        after.chars().next().map(|c| c.to_lowercase().to_string())
    };
    let qml = qml_texts();
    let english: Vec<_> = qml.iter().filter_map(|(_, text)| key(text)).collect();
    let german: Vec<_> = messages("de")
        .iter()
        .filter(|m| qml.contains(&(m.context.clone(), m.source.clone())))
        .filter_map(|m| key(&m.translations[0]))
        .collect();
    assert_eq!(english.len(), german.len());
    for (keys, taken) in [(english, TAKEN), (german, TAKEN_DE)] {
        let different: BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "{keys:?}");
        assert!(
            !keys.iter().any(|key| taken.contains(key.as_str())),
            "{keys:?}"
        );
    }
}
