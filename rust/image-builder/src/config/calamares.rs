// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section `calamares`.

use serde_yaml::{Mapping, Value};

use super::reader::{Document, Section};
use super::{Distro, syntax};
use crate::error::Result;

/// Reads the section.
pub(super) fn read(doc: &Document, top: &mut Section, distro: &mut Distro) -> Result<()> {
    let mut section = top.section_or_empty(doc, "calamares")?;
    if section.flag(doc, "enabled")? == Some(false) {
        return Err(doc
            .invalid(&section.at("enabled"), "Calamares cannot be left out")
            .why("A medium with Calamares is the only thing that is built today.")
            .next("Write `true`, or remove the key."));
    }
    approach(doc, &mut section)?;
    container(doc, &mut section, distro)?;
    let mut auth = section.section_or_empty(doc, "registry_auth")?;
    let registries = auth.section_or_empty(doc, "registries")?;
    for (prefix, registry) in registries.into_sections(doc)? {
        let keys = one_registry(doc, &prefix, registry)?;
        let registries = &mut distro.calamares.registries;
        registries.insert(prefix.into(), keys.into());
    }
    auth.finish(doc)?;
    distro.calamares.kernel_arguments = section.texts(doc, "kernelArguments", syntax::karg)?;
    section.finish(doc)
}

/// Only the direct way exists; both names of it mean the same.
fn approach(doc: &Document, section: &mut Section) -> Result<()> {
    const KEY: &str = "installation_approach";
    let tool = match section.text(doc, KEY)?.as_deref() {
        None | Some("direct" | "systemd") => return Ok(()),
        Some("kickstart") => "Anaconda",
        Some("ignition") => "Ignition",
        Some(other) => return Err(doc.one_of(&section.at(KEY), other, &["direct", "systemd"])),
    };
    Err(doc
        .invalid(&section.at(KEY), "this approach does not exist here")
        .why(format!(
            "It hands the whole installation to {tool}, which would partition the disk again and is not in a Debian live system."
        ))
        .next("Remove the key, or write `direct`: the image's own bootc then installs it."))
}

fn container(doc: &Document, section: &mut Section, distro: &mut Distro) -> Result<()> {
    let mut config = section.section_or_empty(doc, "container_config")?;
    let stateroot = config.checked(doc, "stateroot", syntax::stateroot)?;
    if let Some(remote) = config.text(doc, "remote")? {
        // The usual value, which other tools write down, asks for nothing.
        if remote != "default" && Some(&remote) != stateroot.as_ref() {
            distro.warnings.push(format!(
                "{}: `calamares.container_config.remote` has no effect: container images have no ostree remote.",
                doc.name()
            ));
        }
    }
    if let Some(other) = config.text(doc, "transport")?
        && other != "registry"
    {
        return Err(doc
                .one_of(&config.at("transport"), &other, &["registry"])
                .why("The installed system updates from where the image is named, which must be a registry.")
                .next("Write `registry`; to have images on the medium, use `images.embed`."));
    }
    distro.calamares.stateroot = stateroot;
    config.finish(doc)
}

/// One registry, as bootc.conf has it.
fn one_registry(doc: &Document, prefix: &str, mut section: Section) -> Result<Mapping> {
    if let Err(wrong) = syntax::registry(prefix) {
        return Err(doc
            .invalid(&section.at_itself(), "this is no registry")
            .why(wrong.why)
            .next(wrong.next));
    }
    for key in ["auth", "username", "password", "passwordFile"] {
        if section.has(key) {
            return Err(doc
                .invalid(
                    &section.at(key),
                    "a login cannot be put on the medium",
                )
                .why("Whoever holds the medium can read everything on it.")
                .next("Remove it: the page asks for a user name and password when the registry wants them."));
        }
    }
    let mut keys = Mapping::new();
    if let Some(insecure) = section.flag(doc, "insecure")? {
        keys.insert("insecure".into(), insecure.into());
    }
    if let Some(ca) = section.path(doc, "ca")? {
        // YAML has no paths; only a directory above with a name outside of
        // UTF-8 would be changed by this.
        keys.insert("ca".into(), ca.to_string_lossy().as_ref().into());
    }
    let mirrors = section.texts(doc, "mirrors", syntax::registry)?;
    if !mirrors.is_empty() {
        let mirrors = mirrors.into_iter().map(Value::from).collect();
        keys.insert("mirrors".into(), Value::Sequence(mirrors));
    }
    let signature_keys = section.paths(doc, "signatureKeys")?;
    if !signature_keys.is_empty() {
        let paths = signature_keys.iter().map(|key| key.to_string_lossy());
        let paths = paths.map(|path| path.as_ref().into()).collect();
        keys.insert("signatureKeys".into(), Value::Sequence(paths));
    }
    section.finish(doc)?;
    Ok(keys)
}
