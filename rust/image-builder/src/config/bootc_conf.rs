// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf` of the medium, made from `distro.yaml`.
//!
//! Only what differs from the module's own defaults is written, so that those
//! can change without this file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::{CatalogueEntry, Distro, Icon};

/// Where the files that `bootc.conf` names are on the medium.
const DIR: &str = "/etc/calamares-bootc";

/// The text, and what must be on the medium for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootcConf {
    /// The text of the file.
    pub text: String,
    /// Files of this machine and the absolute paths that they have in the live
    /// system. Nothing in them is secret: they must be readable by all.
    pub files: Vec<(PathBuf, String)>,
    /// What the text cannot express, one sentence each.
    pub warnings: Vec<String>,
}

/// What the installer on the medium understands about images that are on the
/// medium as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// `source` counts for the image of `containerUrl` only. Without this it
    /// counts for whatever the person picks, and would install the wrong image.
    pub source_of_default_only: bool,
    /// An entry of `page.catalogue` can have a `source`.
    pub catalogue_source: bool,
}

impl Abilities {
    /// What the installer of this version understands.
    pub const TODAY: Self = Self {
        source_of_default_only: false,
        catalogue_source: false,
    };
}

/// The configuration for the installer of this version. `embedded` has the
/// images on the medium: reference to `oci:DIR:TAG`, as the live system sees it.
pub fn bootc_conf(distro: &Distro, embedded: &BTreeMap<String, String>) -> BootcConf {
    bootc_conf_for(distro, embedded, Abilities::TODAY)
}

/// As [`bootc_conf`], for an installer with certain abilities.
pub fn bootc_conf_for(
    distro: &Distro,
    embedded: &BTreeMap<String, String>,
    abilities: Abilities,
) -> BootcConf {
    let mut conf = BootcConf::default();
    let mut top = Mapping::new();
    if let Some(default) = &distro.images.default {
        top.insert("containerUrl".into(), default.as_str().into());
        if let Some(layout) = embedded.get(default) {
            // `containerUrl` stays the image in the registry, so that updates
            // come from there without a `targetImgref`.
            if abilities.source_of_default_only || only_choice(distro, default) {
                top.insert("source".into(), layout.as_str().into());
            } else {
                conf.warnings.push(format!(
                    "{default} is on the medium, but is downloaded all the same: the installer would take what is on the medium for every other image, too. With `images.allowOther: false` and no other image in the catalogue it is taken from the medium."
                ));
            }
        }
    }
    if let Some(stateroot) = &distro.calamares.stateroot {
        top.insert("stateroot".into(), stateroot.as_str().into());
    }
    if !distro.calamares.registries.is_empty() {
        let mut registries = distro.calamares.registries.clone();
        for (_, keys) in registries.iter_mut() {
            if let Some(ca) = keys.get_mut("ca") {
                let file = ca.as_str().map(PathBuf::from).unwrap_or_default();
                *ca = conf.copied(&file, "ca").into();
            }
        }
        top.insert(
            "registryAuth".into(),
            one("registries", registries.into()).into(),
        );
    }
    let kargs = &distro.calamares.kernel_arguments;
    if !kargs.is_empty() {
        let kargs: Vec<Value> = kargs.iter().map(|karg| karg.as_str().into()).collect();
        top.insert("installOptions".into(), one("kargs", kargs.into()).into());
    }
    let page = page(distro, embedded, abilities, &mut conf);
    top.insert("page".into(), page.into());
    conf.text = text(top);
    conf
}

/// Whether nothing but the default can be picked.
fn only_choice(distro: &Distro, default: &str) -> bool {
    let images = &distro.images;
    !images.allow_other && images.catalogue.iter().all(|e| e.reference == default)
}

fn page(
    distro: &Distro,
    embedded: &BTreeMap<String, String>,
    abilities: Abilities,
    conf: &mut BootcConf,
) -> Mapping {
    let mut catalogue: Vec<Value> = Vec::new();
    for entry in &distro.images.catalogue {
        let mut keys = catalogue_entry(entry, conf);
        if let Some(layout) = embedded.get(&entry.reference) {
            entry_source(distro, entry, layout, abilities, &mut keys, conf);
        }
        catalogue.push(keys.into());
    }
    let mut page = Mapping::new();
    if !catalogue.is_empty() {
        page.insert("catalogue".into(), catalogue.into());
    }
    page.insert("allowOther".into(), distro.images.allow_other.into());
    page
}

fn catalogue_entry(entry: &CatalogueEntry, conf: &mut BootcConf) -> Mapping {
    let mut keys = Mapping::new();
    for (key, texts) in [("name", &entry.name), ("description", &entry.description)] {
        for (locale, text) in texts {
            let key = match locale.as_str() {
                "" => key.to_owned(),
                locale => format!("{key}[{locale}]"),
            };
            keys.insert(key.into(), text.as_str().into());
        }
    }
    if let Some(icon) = &entry.icon {
        let icon = match icon {
            Icon::File(file) => conf.copied(file, "icons"),
            Icon::Theme(name) => name.clone(),
        };
        keys.insert("icon".into(), icon.into());
    }
    keys.insert("reference".into(), entry.reference.as_str().into());
    keys
}

/// Adds `source` to an entry whose image is on the medium, when the installer
/// knows that key.
///
/// `reference: oci:DIR:TAG` is no way round: it does not tell what the
/// installed system updates from, and `targetImgref` counts for all images.
fn entry_source(
    distro: &Distro,
    entry: &CatalogueEntry,
    layout: &str,
    abilities: Abilities,
    keys: &mut Mapping,
    conf: &mut BootcConf,
) {
    if abilities.catalogue_source {
        keys.insert("source".into(), layout.into());
    } else if distro.images.default.as_ref() != Some(&entry.reference) {
        conf.warnings.push(format!(
            "{} is on the medium, but is downloaded all the same: the installer takes only the default image from the medium.",
            entry.reference
        ));
    }
}

impl BootcConf {
    /// The path on the medium of a file of this machine. The number keeps
    /// files with one name apart.
    fn copied(&mut self, file: &Path, kind: &str) -> String {
        let prefix = format!("{DIR}/{kind}/");
        let same = |(from, to): &&(PathBuf, String)| from == file && to.starts_with(&prefix);
        if let Some((_, to)) = self.files.iter().find(same) {
            return to.clone();
        }
        let number = 1 + self
            .files
            .iter()
            .filter(|(_, to)| to.starts_with(&prefix))
            .count();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // Braces would be a variable in bootc.conf.
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let name = name.replace(|c| !plain(c), "_");
        let to = format!("{prefix}{number}-{name}");
        self.files.push((file.to_owned(), to.clone()));
        to
    }
}

fn one(key: &str, value: Value) -> Mapping {
    Mapping::from_iter([(Value::from(key), value)])
}

fn text(top: Mapping) -> String {
    // Texts, lists and mappings with texts as keys can always be written.
    let yaml = serde_yaml::to_string(&Value::from(top)).unwrap_or_default();
    format!("# Made by debian-bootc-image-builder from distro.yaml.\n---\n{yaml}")
}
