// SPDX-License-Identifier: MIT OR Apache-2.0
//! `EngineTexts.h`: the sentences of the engine that a person can meet, where
//! Qt's lupdate finds them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use contract::error::{CODES, capital};

use crate::scrape::{arguments, between, files, literals};

/// The crates whose texts can reach a person at the screen, and what they are
/// about.
const ROOMS: [(&str, &str); 11] = [
    ("imageref", "The image's address"),
    ("registry", "The registry"),
    ("source", "The image's place, login and signature"),
    ("contract", "The plan"),
    ("conf", "The configuration"),
    ("host", "The machine"),
    ("unpack", "The image's layers"),
    ("sandbox", "The image's own programs"),
    ("installer", "The installation itself"),
    ("frontend", "Login and start of the engine"),
    ("bridge", "The plugin"),
];

/// Parts of the engine whose precise errors are for whoever writes a
/// configuration or a command line: English, like what they write.
const FOR_AUTHORS: [&str; 3] = ["installer/src/cli/", "conf/src/", "source/src/keys.rs"];

/// What an error is given its cause and its next step with.
const CALLS: [&str; 4] = [".why(", ".next(", ".why =", ".next ="];

/// Where texts reach an error by a variable: a file, and between which marks they
/// are in it. Whole sentences count.
const SENTENCES: [(&str, &str, &str); 6] = [
    // What is refused by the file system has advice of the engine's own.
    ("registry/src/error/hint.rs", "", "Self::Io"),
    ("registry/src/error/hint.rs", "impl TlsProblem", ""),
    ("contract/src/fstab.rs", "", ""),
    ("installer/src/calamares/kargs.rs", "fn unlock", "\n}\n"),
    ("installer/src/check.rs", "fn require_tools", "\n}\n"),
    // What failed is before the next step.
    (
        "installer/src/engine/mod.rs",
        "Error::from(Stopped)",
        "\n    }\n",
    ),
];

/// The same for texts that begin small and without a full stop, since they are
/// parts of a sentence elsewhere. All that name nothing count.
const PARTS: [(&str, &str, &str); 2] = [
    ("imageref/src/error.rs", "pub enum Problem", "\n}\n"),
    (
        "registry/src/error/mod.rs",
        "impl std::fmt::Display for TlsProblem",
        "\n}\n",
    ),
];

const TOP: &str = r#"// SPDX-License-Identifier: GPL-3.0-or-later
// Printed by `make generate` from the engine's sources: do not edit.
#ifndef BOOTC_ENGINETEXTS_H
#define BOOTC_ENGINETEXTS_H

/* Sentences of the engine that a person can meet, for lupdate.
 *
 * They come from the engine as they stand here and are looked up when they are
 * shown (Failure.cpp, Failure.qml). That none is without a translation is tested
 * by tests/generate/tests/texts.rs. One line for each.
 */

#include <QtGlobal>

namespace bootc
{

// clang-format off
"#;

const CODES_TOP: &str = "
/* What failed, by code. English shows the engine's own sentence, which names
 * things; a translation is a whole sentence, as the comment says it.
 */
inline constexpr const char* CODES[] = {
";

const CAUSES_TOP: &str = "
// Usual causes and next steps of the codes.
inline constexpr const char* CAUSES_AND_STEPS[] = {
";

const PRECISE_TOP: &str = "
// More precise ones of single places.
inline constexpr const char* PRECISE[] = {
";

const END: &str = "
// clang-format on

}  // namespace bootc

#endif
";

/// The whole file.
///
/// # Errors
/// When sources cannot be read, or a part that texts are looked for in is gone.
pub(crate) fn text(workspace: &Path) -> Result<String> {
    let rust = workspace.join("rust");
    for (file, _, _) in SENTENCES.iter().chain(&PARTS) {
        ensure!(
            rust.join(file).is_file(),
            "there is no rust/{file} any more"
        );
    }
    let mut text = [TOP, CODES_TOP].concat();
    for row in CODES {
        text += &format!("    //: As a sentence: {}\n", row.sentence.trim());
        text += &entry(row.name);
    }
    text += "};\n";
    // Each text once, where it is met first.
    let mut seen = BTreeSet::new();
    text += CAUSES_TOP;
    for row in CODES {
        for sentence in [row.why, row.next] {
            if seen.insert(sentence.to_owned()) {
                text += &entry(sentence);
            }
        }
    }
    text += "};\n";
    text += PRECISE_TOP;
    for (room, about) in ROOMS {
        let mut new = precise(&rust, room)?;
        new.retain(|sentence| seen.insert(sentence.clone()));
        if !new.is_empty() {
            text += &format!("    // {about}\n");
        }
        for sentence in new {
            text += &entry(&sentence);
        }
    }
    text += "};\n";
    Ok(text + END)
}

fn entry(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("    QT_TRANSLATE_NOOP( \"Engine\", \"{text}\" ),\n")
}

/// The precise causes and steps of one crate, in the order of its files.
fn precise(rust: &Path, room: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, code) in files(&rust.join(room).join("src"), "rs")? {
        let name = path.strip_prefix(rust)?.to_string_lossy();
        if FOR_AUTHORS.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        let code = without_tests(&code);
        let mut said: Vec<_> = CALLS
            .iter()
            .flat_map(|call| arguments(code, call))
            .collect();
        // A cause beside its step.
        said.sort();
        found.extend(said.into_iter().map(|(_, text)| text));
        for (_, from, to) in parts_of(&SENTENCES, &name) {
            let all = literals(part(code, &name, from, to)?);
            found.extend(all.into_iter().filter(|text| is_sentence(text)));
        }
        for (_, from, to) in parts_of(&PARTS, &name) {
            let all = literals(part(code, &name, from, to)?);
            let plain = all.into_iter().filter(|text| !text.contains('{'));
            found.extend(plain.map(|text| format!("{}.", capital(&text))));
        }
    }
    Ok(found)
}

fn parts_of<'a>(
    parts: &'a [(&str, &str, &str)],
    name: &'a str,
) -> impl Iterator<Item = &'a (&'a str, &'a str, &'a str)> {
    parts.iter().filter(move |(file, _, _)| *file == name)
}

/// A part in which there is nothing to be found any more is a mistake here.
fn part<'a>(code: &'a str, name: &str, from: &str, to: &str) -> Result<&'a str> {
    let part = between(code, from, to).with_context(|| format!("looking for texts in {name}"))?;
    let found = literals(part);
    ensure!(!found.is_empty(), "{name} has no texts any more: {from:?}");
    Ok(part)
}

fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(code)
}

/// Whether a person is told this as it stands: nothing is put into it.
fn is_sentence(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.ends_with('.') && !text.contains('{')
}
