// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `bootc.conf` says for installations that somebody else carries out:
//! Anaconda after a kickstart, a live host after an Ignition configuration.
//!
//! The installer accepts these keys whatever is in them, since they have no
//! effect on it. Here each has one, so that what is not known is an error.

use std::path::{Path, PathBuf};

use contract::disk_plan::DiskFs;
use yaml_doc::{Document, Mistake, Section, Value, wrong_type};

use crate::keys::BOOTC_CONF;

type Found<T> = std::result::Result<T, Mistake>;

/// The keys that a rendered installation has beside those of [`Config`](crate::Config).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendering {
    /// `installOptions.target_disk`: a whole disk.
    pub target_disk: Option<String>,
    /// `installOptions.rootfs_type`.
    pub rootfs_type: Option<DiskFs>,
    /// `remote`: of ostree, which `ostreecontainer` of a kickstart can name.
    pub remote: Option<String>,
    /// `kickstartOptions`.
    pub kickstart: KickstartOptions,
    /// `ignitionOptions`.
    pub ignition: IgnitionOptions,
}

/// `kickstartOptions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KickstartOptions {
    /// `network_config`; default by DHCP.
    pub network: KickstartNetwork,
    /// `partitioning`; default a root, and what the firmware needs.
    pub partitioning: Partitioning,
    /// `services`: units that are enabled.
    pub services: Vec<String>,
}

/// `kickstartOptions.network_config`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KickstartNetwork {
    /// `dhcp`: the first device with a link.
    #[default]
    Dhcp,
    /// `none`: left to the command line of Anaconda.
    None,
}

/// `kickstartOptions.partitioning`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Partitioning {
    /// `plain`: a root, a `/boot`, and what the firmware needs.
    #[default]
    Plain,
    /// `autopart`: as Anaconda would by itself.
    Autopart,
}

/// `ignitionOptions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnitionOptions {
    /// `version` of the specification, as it is written.
    pub version: Option<String>,
    /// `network_units`: files for the network of the live host.
    pub network_units: Vec<PathBuf>,
    /// `additional_units`: files with units that the live host starts.
    pub additional_units: Vec<PathBuf>,
}

/// Reads the text of the file `path`; pure. Paths start at its directory.
pub(super) fn rendering(path: &Path, text: &str) -> Found<Rendering> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    let doc = Document::new(path, dir, text);
    let variables = Section::root(&doc, &BOOTC_CONF)?.named_texts("variables")?;
    let doc = doc.with_variables(variables);
    let top = Section::root(&doc, &BOOTC_CONF)?;
    let options = top.section_or_empty("installOptions")?;
    let rootfs = options.text("rootfs_type")?;
    Ok(Rendering {
        target_disk: options.text("target_disk")?,
        // The table knows the same words.
        rootfs_type: rootfs.and_then(|name| name.parse().ok()),
        remote: top.text("remote")?,
        kickstart: kickstart(&top)?,
        ignition: ignition(&top)?,
    })
}

fn kickstart(top: &Section) -> Found<KickstartOptions> {
    const KEY: &str = "kickstartOptions";
    let mut options = KickstartOptions::default();
    for (name, value) in entries(top, KEY)? {
        let at = [KEY, name];
        match name {
            "network_config" | "networkConfig" => {
                options.network = match text(top, &at, value)? {
                    "dhcp" => KickstartNetwork::Dhcp,
                    "none" => KickstartNetwork::None,
                    other => return Err(top.doc().one_of(&at, other, &["dhcp", "none"])),
                }
            }
            "partitioning" => {
                options.partitioning = match text(top, &at, value)? {
                    "plain" => Partitioning::Plain,
                    "autopart" => Partitioning::Autopart,
                    other => return Err(top.doc().one_of(&at, other, &["plain", "autopart"])),
                }
            }
            "services" => options.services = texts(top, &at, value)?,
            _ => {
                let known = ["network_config", "partitioning", "services"];
                return Err(top.doc().one_of(&at, name, &known));
            }
        }
    }
    Ok(options)
}

fn ignition(top: &Section) -> Found<IgnitionOptions> {
    const KEY: &str = "ignitionOptions";
    let mut options = IgnitionOptions::default();
    for (name, value) in entries(top, KEY)? {
        let at = [KEY, name];
        let files = |names: Vec<String>| names.iter().map(|name| top.doc().resolve(name)).collect();
        match name {
            "version" => options.version = Some(text(top, &at, value)?.to_owned()),
            "network_units" | "networkUnits" => {
                options.network_units = files(texts(top, &at, value)?);
            }
            "additional_units" | "additionalUnits" => {
                options.additional_units = files(texts(top, &at, value)?);
            }
            _ => {
                let known = ["version", "network_units", "additional_units"];
                return Err(top.doc().one_of(&at, name, &known));
            }
        }
    }
    Ok(options)
}

/// The entries of a mapping that the table lets pass as it is.
fn entries<'d>(top: &Section<'d>, key: &'static str) -> Found<Vec<(&'d str, &'d Value)>> {
    match top.special(key) {
        None | Some((_, Value::Null)) => Ok(Vec::new()),
        Some((_, Value::Mapping(all))) => {
            let all = all.iter();
            Ok(all
                .map(|(name, node)| (name.text.as_str(), &node.value))
                .collect())
        }
        Some((at, other)) => Err(top.doc().invalid(&at, &wrong_type("a mapping", other))),
    }
}

fn text<'d>(top: &Section<'d>, at: &[&str], value: &'d Value) -> Found<&'d str> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(top.doc().invalid(at, &wrong_type("a text", other))),
    }
}

fn texts(top: &Section, at: &[&str], value: &Value) -> Found<Vec<String>> {
    let wrong = |other| top.doc().invalid(at, &wrong_type("a list of texts", other));
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) => items
            .iter()
            .map(|(_, node)| match &node.value {
                Value::Text(text) => Ok(text.to_string()),
                other => Err(wrong(other)),
            })
            .collect(),
        other => Err(wrong(other)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Found<Rendering> {
        rendering(Path::new("/srv/bootc.conf"), text)
    }

    #[test]
    fn what_is_said_for_others() {
        let text = r#"
variables: { disk: /dev/vda }
remote: edge
installOptions: { target_disk: "{{ disk }}", rootfs_type: xfs }
kickstartOptions:
  network_config: "dhcp"
  partitioning: "autopart"
  services: ["sshd"]
ignitionOptions:
  version: "3.4.0"
  network_units: ["00-eth0.network"]
  additional_units: []
"#;
        assert_eq!(
            read(text).unwrap(),
            Rendering {
                target_disk: Some("/dev/vda".into()),
                rootfs_type: Some(DiskFs::Xfs),
                remote: Some("edge".into()),
                kickstart: KickstartOptions {
                    network: KickstartNetwork::Dhcp,
                    partitioning: Partitioning::Autopart,
                    services: vec!["sshd".into()],
                },
                ignition: IgnitionOptions {
                    version: Some("3.4.0".into()),
                    network_units: vec!["/srv/00-eth0.network".into()],
                    additional_units: Vec::new(),
                },
            }
        );
        assert_eq!(read("").unwrap(), Rendering::default());
        assert_eq!(read("kickstartOptions:\n").unwrap(), Rendering::default());
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        for (text, part) in [
            ("kickstartOptions: { servces: [a] }", "servces"),
            ("kickstartOptions: { network_config: static }", "static"),
            ("kickstartOptions: { partitioning: lvm }", "lvm"),
            ("kickstartOptions: { services: sshd }", "a list of texts"),
            ("kickstartOptions: [a]", "a mapping"),
            ("ignitionOptions: { version: 3.4 }", "a text"),
            ("ignitionOptions: { disks: [] }", "disks"),
        ] {
            let wrong = read(text).unwrap_err();
            assert!(wrong.what.contains(part), "{text}: {wrong:?}");
            // The installer passes it over.
            let parsed = crate::parse(Path::new("/a"), text.to_owned().into()).unwrap();
            assert_eq!(parsed.warnings.len(), 1, "{text}");
        }
    }
}
