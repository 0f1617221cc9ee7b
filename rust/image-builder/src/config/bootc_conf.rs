// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf` of the medium, made from `distro.yaml`.
//!
//! Only what differs from the module's own defaults is written, so that those
//! can change without this file.

use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::{CatalogueEntry, Distro, Icon};
use crate::error::{Error, Result};

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
}

/// The word for layouts and archives on media that are plugged in.
const AUTO: &str = "auto";

/// The configuration of the medium. `layout` is the OCI layout on the medium, as
/// the live system sees it; it is named when there are images in it.
///
/// # Errors
/// Only by a fault of this program.
pub fn bootc_conf(distro: &Distro, layout: &str) -> Result<BootcConf> {
    let mut conf = BootcConf::default();
    let mut top = Mapping::new();
    if let Some(default) = &distro.images.default {
        top.insert("containerUrl".into(), default.as_str().into());
    }
    // What is plugged in saves downloads as well.
    let embedded = (!distro.images.embed.is_empty()).then_some(layout);
    let layouts: Vec<Value> = embedded
        .into_iter()
        .chain([AUTO])
        .map(Value::from)
        .collect();
    top.insert("layouts".into(), layouts.into());
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
            if let Some(Value::Sequence(files)) = keys.get_mut("signatureKeys") {
                for key in files {
                    let file = key.as_str().map(PathBuf::from).unwrap_or_default();
                    *key = conf.copied(&file, "keys").into();
                }
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
    let page = page(distro, &mut conf);
    top.insert("page".into(), page.into());
    conf.text = text(top)?;
    Ok(conf)
}

fn page(distro: &Distro, conf: &mut BootcConf) -> Mapping {
    let mut catalogue: Vec<Value> = Vec::new();
    for entry in &distro.images.catalogue {
        catalogue.push(catalogue_entry(entry, conf).into());
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

fn text(top: Mapping) -> Result<String> {
    // Texts, lists and mappings with texts as keys can always be written; a file
    // without them would be a medium without registries and their keys.
    let yaml = serde_yaml::to_string(&Value::from(top)).map_err(|err| {
        Error::defect("bootc.conf of the medium cannot be written.").detail(err.to_string())
    })?;
    Ok(format!(
        "# Made by debian-bootc-image-builder from distro.yaml.\n---\n{yaml}"
    ))
}
