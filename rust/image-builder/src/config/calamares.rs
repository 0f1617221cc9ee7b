// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section `calamares`.

use conf::RegistryEntry;
use contract::customise_plan::UpdatesPlan;
use yaml_doc::{Mistake, Section};

use super::Distro;

type Result<T> = std::result::Result<T, Mistake>;

/// Reads the section.
pub(super) fn read(top: &Section, distro: &mut Distro) -> Result<()> {
    let section = top.section_or_empty("calamares")?;
    if section.flag("enabled")? == Some(false) {
        return Err(section
            .invalid("enabled", "Calamares cannot be left out")
            .why("A medium with Calamares is the only thing that is built today.")
            .next("Write `true`, or remove the key."));
    }
    approach(&section)?;
    container(&section, distro)?;
    let auth = section.section_or_empty("registry_auth")?;
    for (prefix, registry) in auth.named("registries")? {
        let registries = &mut distro.calamares.registries;
        registries.push(one_registry(prefix, &registry)?);
    }
    distro.calamares.updates = match section.text("updates")?.as_deref() {
        None => None,
        Some("manual") => Some(UpdatesPlan::Manual),
        Some("required") => Some(UpdatesPlan::Required),
        Some(_) => Some(UpdatesPlan::Automatic),
    };
    distro.calamares.kernel_arguments = section.texts("kernelArguments")?;
    Ok(())
}

/// Only the direct way exists; both names of it mean the same.
fn approach(section: &Section) -> Result<()> {
    const KEY: &str = "installation_approach";
    let tool = match section.unchecked(KEY)?.as_deref() {
        Some("kickstart") => "Anaconda",
        Some("ignition") => "Ignition",
        _ => return section.text(KEY).map(drop),
    };
    Err(section
        .invalid(KEY, "this approach does not exist here")
        .why(format!(
            "It hands the whole installation to {tool}, which would partition the disk again and is not in a Debian live system."
        ))
        .next("Remove the key, or write `direct`: the image's own bootc then installs it."))
}

fn container(section: &Section, distro: &mut Distro) -> Result<()> {
    let config = section.section_or_empty("container_config")?;
    let stateroot = config.text("stateroot")?;
    if let Some(remote) = config.text("remote")? {
        // The usual value, which other tools write down, asks for nothing.
        if remote != "default" && Some(&remote) != stateroot.as_ref() {
            distro.warnings.push(format!(
                "{}: `calamares.container_config.remote` has no effect: container images have no ostree remote.",
                config.doc().name()
            ));
        }
    }
    config.text("transport").map_err(|mistake| {
        // Something else than a text is told as ever.
        match config.unchecked("transport") {
            Err(other) => other,
            Ok(_) => mistake
                .why("The installed system updates from where the image is named, which must be a registry.")
                .next("Write `registry`; to have images on the medium, use `images.embed`."),
        }
    })?;
    distro.calamares.stateroot = stateroot;
    Ok(())
}

/// One registry, as bootc.conf has it. Logins are refused by the table.
fn one_registry(prefix: String, section: &Section) -> Result<RegistryEntry> {
    Ok(RegistryEntry {
        prefix,
        insecure: section.flag("insecure")?.unwrap_or(false),
        ca: section.path("ca")?,
        mirrors: section.texts("mirrors")?,
        signature_keys: section.paths("signatureKeys")?,
        ..RegistryEntry::default()
    })
}
