// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf` of the medium, made from `distro.yaml`.
//!
//! Only what differs from the module's own defaults is written, so that those
//! can change without this file.

use std::path::{Path, PathBuf};

use conf::{Config, Icon, Page, RegistryEntry};
use contract::plan::AUTO;

use super::Distro;
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

/// The configuration of the medium. `layout` is the OCI layout on the medium, as
/// the live system sees it; it is named when there are images in it.
///
/// # Errors
/// Only by a fault of this program.
pub fn bootc_conf(distro: &Distro, layout: &str) -> Result<BootcConf> {
    let mut made = BootcConf::default();
    // What is plugged in saves downloads as well.
    let embedded = (!distro.images.embed.is_empty()).then_some(layout);
    let config = Config {
        container_url: distro.images.default.clone(),
        layouts: embedded.into_iter().chain([AUTO]).map(Into::into).collect(),
        stateroot: distro.calamares.stateroot.clone(),
        registries: registries(distro, &mut made),
        updates: distro.calamares.updates,
        kargs: distro.calamares.kernel_arguments.clone(),
        page: page(distro, &mut made),
        ..Config::default()
    };
    let yaml = conf::write(&config).map_err(|err| {
        Error::defect("bootc.conf of the medium cannot be written.").detail(err.to_string())
    })?;
    made.text = format!("# Made by debian-bootc-image-builder from distro.yaml.\n---\n{yaml}");
    Ok(made)
}

fn registries(distro: &Distro, made: &mut BootcConf) -> Vec<RegistryEntry> {
    let mut registries = distro.calamares.registries.clone();
    for registry in &mut registries {
        if let Some(ca) = &mut registry.ca {
            *ca = made.copied(ca, "ca").into();
        }
        for key in &mut registry.signature_keys {
            *key = made.copied(key, "keys").into();
        }
    }
    registries
}

fn page(distro: &Distro, made: &mut BootcConf) -> Page {
    let mut catalogue = distro.images.catalogue.clone();
    for entry in &mut catalogue {
        if let Some(Icon::File(file)) = &mut entry.icon {
            *file = made.copied(file, "icons").into();
        }
    }
    Page {
        catalogue,
        allow_other: distro.images.allow_other,
        ..Page::default()
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
