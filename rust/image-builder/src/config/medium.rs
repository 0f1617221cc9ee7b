// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the medium is made of: pictures, mirrors, package files, firmware.

use std::collections::BTreeMap;
use std::path::PathBuf;

use yaml_doc::{Mistake, Section, Value, wrong_type};

use super::{Branding, Firmware, Mirrors};

type Result<T> = std::result::Result<T, Mistake>;

/// Reads the section `branding`.
pub(super) fn branding(top: &Section, branding: &mut Branding) -> Result<()> {
    let section = top.section_or_empty("branding")?;
    let component = section.path("component")?;
    // A component has its own of each of these.
    let own = ["logo", "icon", "welcome", "slides", "sidebar"];
    if let (Some(_), Some(key)) = (&component, own.iter().find(|key| section.has(key))) {
        return Err(section
            .invalid(key, "it does not go with `component`")
            .why("A component of Calamares has pictures and colours of its own.")
            .next(format!(
                "Remove `{key}` and change the component, or remove `component`."
            )));
    }
    branding.component = component;
    branding.logo = section.path("logo")?;
    branding.icon = section.path("icon")?;
    branding.welcome = section.path("welcome")?;
    branding.slides = section.paths("slides")?;
    branding.splash = section.path("splash")?;
    let sidebar = section.section_or_empty("sidebar")?;
    branding.sidebar_background = colour(&sidebar, "background")?;
    branding.sidebar_text = colour(&sidebar, "text")?;
    Ok(())
}

fn colour(section: &Section, name: &'static str) -> Result<Option<String>> {
    let colour = section.text(name)?;
    if section.has(name) && colour.is_none() {
        return Err(section
            .invalid(name, "the colour is missing")
            .why("Without quotes, the # of a colour begins a comment.")
            .next("Put the value into quotes, for example \"#16222e\"."));
    }
    Ok(colour)
}

/// Where Debian keeps every state of its archives.
const SNAPSHOTS: &str = "http://snapshot.debian.org/archive";

/// Reads the section `mirrors`.
pub(super) fn mirrors(top: &Section, mirrors: &mut Mirrors) -> Result<()> {
    let section = top.section_or_empty("mirrors")?;
    let named = section.has("debian") || section.has("security");
    let snapshot = section.text("snapshot")?;
    if let Some(debian) = section.text("debian")? {
        mirrors.debian = debian.trim_end_matches('/').to_owned();
        mirrors.security = beside(&mirrors.debian);
    }
    if let Some(security) = section.text("security")? {
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
        return Err(section
            .invalid(
                "snapshot",
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
pub(super) fn debs(top: &Section) -> Result<Vec<PathBuf>> {
    let debs = top.paths("debs")?;
    let mut names = BTreeMap::new();
    for (number, deb) in debs.iter().enumerate() {
        // They are put into one directory.
        let first = names.insert(deb.file_name().unwrap_or_default(), number);
        if let Some(first) = first {
            return Err(top
                .doc()
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
pub(super) fn firmware(top: &Section) -> Result<Option<Vec<Firmware>>> {
    let named = |name: &str| Firmware::ALL.into_iter().find(|set| set.name() == name);
    let Some((path, value)) = top.special("firmware") else {
        return Ok(None);
    };
    let sets = match value {
        Value::Text(word) => match word.as_str() {
            "all" => Firmware::ALL.to_vec(),
            "none" => Vec::new(),
            // One set of its own is understood as well.
            other => match named(other) {
                Some(set) => vec![set],
                None => {
                    let words = [&["all", "none"][..], &Firmware::NAMES[..]].concat();
                    return Err(top.doc().one_of(&path, other, &words));
                }
            },
        },
        Value::List(items) => {
            let mut sets = Vec::new();
            for (number, (_, item)) in items.iter().enumerate() {
                let place = format!("[{number}]");
                let path = ["firmware", place.as_str()];
                let Value::Text(word) = &item.value else {
                    return Err(top
                        .doc()
                        .invalid(&path, &wrong_type("the name of a set", &item.value))
                        .next("Write for example `[wifi, microcode]`."));
                };
                match named(word) {
                    Some(set) => sets.push(set),
                    None => return Err(top.doc().one_of(&path, word, &Firmware::NAMES)),
                }
            }
            sets.sort_unstable();
            sets.dedup();
            sets
        }
        other => {
            return Err(top
                .doc()
                .invalid(&path, &wrong_type("a list of sets, `all` or `none`", other))
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
