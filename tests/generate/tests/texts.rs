// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every text of the plugins and of the engine that a person can meet is there
//! to be translated, and is translated into German.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use generate::scrape::{arguments, files};
use generate::workspace;

/// What Calamares' own buttons answer to: Next, Back, Cancel, Install.
const TAKEN: &str = "nbci";
/// The same in German: Weiter, Zurück, Abbrechen, Installieren.
const TAKEN_DE: &str = "wzai";

fn plugins() -> PathBuf {
    workspace().join("calamares-module")
}

fn texts_after(text: &str, call: &str) -> Vec<String> {
    let found = arguments(text, call).into_iter();
    found.map(|(_, text)| text).collect()
}

/// What EngineTexts.h names.
fn engine_texts() -> BTreeSet<String> {
    let text = fs::read_to_string(plugins().join("common/EngineTexts.h")).unwrap();
    let found = texts_after(&text, "QT_TRANSLATE_NOOP( \"Engine\",");
    assert_eq!(text.matches("QT_TRANSLATE_NOOP(").count(), found.len());
    found.into_iter().collect()
}

/// Texts of the pages in QML, with their contexts.
fn qml_texts() -> BTreeSet<(String, String)> {
    files(&plugins(), "qml")
        .unwrap()
        .iter()
        .flat_map(|(path, text)| {
            let context = path.file_stem().unwrap().to_str().unwrap().to_owned();
            texts_after(text, "qsTr(")
                .into_iter()
                .map(move |source| (context.clone(), source))
        })
        .collect()
}

fn cpp_texts() -> BTreeSet<String> {
    ["cpp", "h"]
        .iter()
        .flat_map(|extension| files(&plugins(), extension).unwrap())
        .flat_map(|(_, text)| {
            let noop = texts_after(&text, "QT_TR_NOOP(");
            texts_after(&text, "tr(").into_iter().chain(noop)
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
    assert!(
        english
            .iter()
            .all(|m| m.finished && m.translations.len() == 2)
    );
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
