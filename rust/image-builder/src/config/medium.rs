// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the medium is made of: pictures, mirrors, package files, firmware.

use std::collections::BTreeMap;
use std::path::PathBuf;

use conf::yaml::wrong_type;
use serde_yaml::Value;

use super::reader::{Document, Section};
use super::{Branding, Firmware, Mirrors, syntax};
use crate::error::Result;

/// Reads the section `branding`.
pub(super) fn branding(doc: &Document, top: &mut Section, branding: &mut Branding) -> Result<()> {
    let mut section = top.section_or_empty(doc, "branding")?;
    let component = section.path(doc, "component")?;
    // A component has its own of each of these.
    let own = ["logo", "icon", "welcome", "slides", "sidebar"];
    if let (Some(_), Some(key)) = (&component, own.iter().find(|key| section.has(key))) {
        return Err(doc
            .invalid(&section.at(key), "it does not go with `component`")
            .why("A component of Calamares has pictures and colours of its own.")
            .next(format!(
                "Remove `{key}` and change the component, or remove `component`."
            )));
    }
    branding.component = component;
    branding.logo = section.path(doc, "logo")?;
    branding.icon = section.path(doc, "icon")?;
    branding.welcome = section.path(doc, "welcome")?;
    branding.slides = section.paths(doc, "slides")?;
    branding.splash = section.path(doc, "splash")?;
    let mut sidebar = section.section_or_empty(doc, "sidebar")?;
    branding.sidebar_background = colour(doc, &mut sidebar, "background")?;
    branding.sidebar_text = colour(doc, &mut sidebar, "text")?;
    sidebar.finish(doc)?;
    section.finish(doc)
}

fn colour(doc: &Document, section: &mut Section, name: &'static str) -> Result<Option<String>> {
    let written = section.has(name);
    let colour = section.checked(doc, name, syntax::colour)?;
    if written && colour.is_none() {
        return Err(doc
            .invalid(&section.at(name), "the colour is missing")
            .why("Without quotes, the # of a colour begins a comment.")
            .next("Put the value into quotes, for example \"#16222e\"."));
    }
    Ok(colour)
}

/// Where Debian keeps every state of its archives.
const SNAPSHOTS: &str = "http://snapshot.debian.org/archive";

/// Reads the section `mirrors`.
pub(super) fn mirrors(doc: &Document, top: &mut Section, mirrors: &mut Mirrors) -> Result<()> {
    let mut section = top.section_or_empty(doc, "mirrors")?;
    let debian = section.checked(doc, "debian", syntax::mirror)?;
    let security = section.checked(doc, "security", syntax::mirror)?;
    let snapshot = section.checked(doc, "snapshot", syntax::snapshot)?;
    section.finish(doc)?;
    let named = debian.is_some() || security.is_some();
    if let Some(debian) = debian {
        mirrors.debian = debian.trim_end_matches('/').to_owned();
        mirrors.security = beside(&mirrors.debian);
    }
    if let Some(security) = security {
        mirrors.security = security.trim_end_matches('/').to_owned();
    }
    let Some(snapshot) = snapshot else {
        return Ok(());
    };
    if !snapshot.contains("://") {
        if !named {
            let [debian, security] = ["debian", "debian-security"];
            mirrors.debian = format!("{SNAPSHOTS}/{debian}");
            mirrors.security = format!("{SNAPSHOTS}/{security}");
        }
        for mirror in [&mut mirrors.debian, &mut mirrors.security] {
            mirror.push_str(&format!("/{snapshot}"));
        }
    } else if named {
        return Err(doc
            .invalid(
                &["mirrors", "snapshot"],
                "an address goes with neither `debian` nor `security`",
            )
            .why("It is the directory in which both are.")
            .next("Remove them, or write a time such as 20261101T000000Z."));
    } else {
        let base = snapshot.trim_end_matches('/');
        mirrors.debian = format!("{base}/debian");
        mirrors.security = format!("{base}/debian-security");
    }
    mirrors.snapshot = Some(snapshot);
    Ok(())
}

/// Where a mirror has the security updates: in the directory that is called so
/// beside `debian`.
pub(crate) fn beside(debian: &str) -> String {
    let host = debian.find("://").map_or(0, |at| at + 3);
    match debian.rfind('/') {
        Some(slash) if slash >= host => format!("{}/debian-security", &debian[..slash]),
        _ => format!("{debian}/debian-security"),
    }
}

/// Reads `debs`.
pub(super) fn debs(doc: &Document, top: &mut Section) -> Result<Vec<PathBuf>> {
    let texts = top.texts(doc, "debs", syntax::deb)?;
    let debs: Vec<PathBuf> = texts.iter().map(|text| doc.resolve(text)).collect();
    let mut names = BTreeMap::new();
    for (number, deb) in debs.iter().enumerate() {
        // They are put into one directory.
        let first = names.insert(deb.file_name().unwrap_or_default(), number);
        if let Some(first) = first {
            return Err(doc
                .invalid(
                    &["debs", &format!("[{number}]")],
                    &format!("this file has the name of `debs[{first}]`"),
                )
                .why("All of them are put into one directory.")
                .next("Remove one of the two."));
        }
    }
    Ok(debs)
}

/// Reads `firmware`: a list of sets, or `all`, or `none`.
pub(super) fn firmware(doc: &Document, top: &mut Section) -> Result<Option<Vec<Firmware>>> {
    let names = Firmware::ALL.map(Firmware::name);
    let named = |name: &str| Firmware::ALL.into_iter().find(|set| set.name() == name);
    let sets = match top.take("firmware") {
        None => return Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "all" => Firmware::ALL.to_vec(),
            "none" => Vec::new(),
            other => {
                let words = [&["all", "none"][..], &names[..]].concat();
                return match named(other) {
                    // One set of its own is understood as well.
                    Some(set) => Ok(Some(vec![set])),
                    None => Err(doc.one_of(&["firmware"], other, &words)),
                };
            }
        },
        Some(Value::Sequence(items)) => {
            let mut sets = Vec::new();
            for (number, item) in items.into_iter().enumerate() {
                let place = format!("[{number}]");
                let path = ["firmware", place.as_str()];
                let Value::String(word) = item else {
                    return Err(doc
                        .invalid(&path, &wrong_type("the name of a set", &item))
                        .next("Write for example `[wifi, microcode]`."));
                };
                match named(&word) {
                    Some(set) => sets.push(set),
                    None => return Err(doc.one_of(&path, &word, &names)),
                }
            }
            sets.sort_unstable();
            sets.dedup();
            sets
        }
        Some(other) => {
            return Err(doc
                .invalid(
                    &["firmware"],
                    &wrong_type("a list of sets, `all` or `none`", &other),
                )
                .next("Write for example `[wifi, microcode]`."));
        }
    };
    Ok(Some(sets))
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn security_is_beside_debian() {
        for (debian, security) in [
            ("http://a.b/debian", "http://a.b/debian-security"),
            ("http://a.b/x/debian", "http://a.b/x/debian-security"),
            ("http://a.b", "http://a.b/debian-security"),
        ] {
            assert_eq!(beside(debian), security);
        }
    }
}
