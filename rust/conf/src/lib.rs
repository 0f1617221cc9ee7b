// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf`: the configuration file of the installer and of its Calamares
//! module, in YAML. `docs/formats.md` explains every key.
//!
//! A key that is not known is an error that names the nearest known one,
//! because a misspelt `insecure` or `kargs` must not be ignored silently. Keys
//! that other parts of an installation decide are accepted with a warning.

mod localized;
mod page;
mod reader;
mod template;
pub mod yaml;

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use imageref::Reference;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use contract::plan::AUTO;
use contract::plan::BootloaderChoice;
pub use localized::Localized;
pub use page::{CatalogueEntry, Icon, Page};
use reader::{Document, Section};

/// A configuration file as it was read. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file, for messages and for reading its secrets again.
    pub path: PathBuf,
    /// `containerUrl`, with its variables resolved.
    pub container_url: Option<String>,
    /// `targetImgref`: what the installed system updates from.
    pub target_imgref: Option<String>,
    /// `source`: an OCI layout to use in place.
    pub source: Option<String>,
    /// `layouts`: OCI layouts and archives that may hold the image, or parts of
    /// it, and [`AUTO`](contract::plan::AUTO).
    pub layouts: Vec<PathBuf>,
    /// `runtimeRoot`: where bootc runs from.
    pub runtime_root: Option<PathBuf>,
    /// `transport` of `containerUrl` when that names none itself.
    pub transport: Option<Transport>,
    /// `stateroot`.
    pub stateroot: Option<String>,
    /// `registryAuth.registries`, in the order of the file.
    pub registries: Vec<RegistryEntry>,
    /// `keepCredentials`.
    pub keep_credentials: Option<bool>,
    /// `keepRegistries`.
    pub keep_registries: Option<bool>,
    /// `downloadPath`: the scratch directory.
    pub download_path: Option<PathBuf>,
    /// `noSignatureVerification`: signatures by the keys of `registries` are
    /// not demanded after all.
    pub no_signature_verification: Option<bool>,
    /// `installOptions.bootloader`.
    pub bootloader: Option<BootloaderChoice>,
    /// `installOptions.kargs`.
    pub kargs: Vec<String>,
    /// `installOptions.kargsDelete`.
    pub kargs_delete: Vec<String>,
    /// `installOptions.enforceContainerSigpolicy`.
    pub enforce_sigpolicy: Option<bool>,
    /// `installOptions.disableSelinux`.
    pub disable_selinux: Option<bool>,
    /// `page`: what the page in Calamares offers.
    pub page: Page,
    /// What was accepted without having an effect, one sentence each.
    pub warnings: Vec<String>,
}

/// The transports that `transport` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `containerUrl` is an image in a registry.
    Registry,
    /// `containerUrl` is the path of an OCI layout.
    Oci,
}

/// One entry of `registryAuth.registries`.
#[derive(Debug, Clone, Default)]
pub struct RegistryEntry {
    /// `host[:port][/namespace]`.
    pub prefix: String,
    /// The credentials, if there are any.
    pub login: Option<Login>,
    /// Plain http, or TLS without a check of the certificate.
    pub insecure: bool,
    /// PEM file with certificate authorities.
    pub ca: Option<PathBuf>,
    /// Mirrors in order of preference.
    pub mirrors: Vec<String>,
    /// Files with the public keys that images must be signed by.
    pub signature_keys: Vec<PathBuf>,
    /// The keys in these files, in PEM form, once they were read.
    pub signature_pems: Vec<String>,
}

/// Credentials as a configuration file can give them.
#[derive(Debug, Clone)]
pub enum Login {
    /// `auth`: base64 of `user:password`, as in containers-auth.json(5).
    Encoded(SecretString),
    /// `username` and `password`.
    Password {
        /// User name.
        username: String,
        /// Password.
        password: SecretString,
    },
    /// `username` and `passwordFile`.
    PasswordFile {
        /// User name.
        username: String,
        /// File whose first line is the password.
        path: PathBuf,
    },
}

/// Reads and parses a configuration file. The files of `signatureKeys` are only
/// named.
pub fn read(path: &Path) -> Result<Config> {
    let path = std::path::absolute(path).map_err(|e| Error::io("resolving", path, &e))?;
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Error::new(
            Code::ConfigInvalid,
            format!("The configuration file {} cannot be read.", path.display()),
        )
        .why("It is missing, not readable, or no UTF-8 text.")
        .next("Check the path and its permissions.")
        .detail(e.to_string())
    })?;
    parse(&path, Zeroizing::new(text))
}

/// Parses the text of the configuration file `path`; pure.
pub fn parse(path: &Path, text: Zeroizing<String>) -> Result<Config> {
    let mut doc = Document::new(path, text);
    let mut top = doc.root()?;
    // Variables first: every other text may use them.
    let variables = variables(&doc, &mut top)?;
    doc.set_variables(variables);

    let mut config = Config {
        path: path.to_owned(),
        ..Config::default()
    };
    approach(&doc, &mut top, &mut config)?;
    config.container_url = top.text(&doc, &["containerUrl"])?;
    config.target_imgref = top.text(&doc, &["targetImgref"])?;
    config.source = top.text(&doc, &["source"])?;
    config.layouts = top.paths_or_word(&doc, &["layouts"], AUTO)?;
    config.runtime_root = top.path(&doc, &["runtimeRoot"])?;
    config.transport = transport(&doc, &mut top)?;
    config.stateroot = top.text(&doc, &["stateroot"])?;
    config.keep_credentials = top.flag(&doc, &["keepCredentials"])?;
    config.keep_registries = top.flag(&doc, &["keepRegistries"])?;
    config.no_signature_verification = top.flag(&doc, &["noSignatureVerification"])?;
    config.download_path = top.path(&doc, &["downloadPath"])?;
    without_effect(&doc, &mut top, &mut config)?;
    if let Some(mut auth) = top.section(&doc, &["registryAuth"])? {
        if let Some(registries) = auth.section(&doc, &["registries"])? {
            for (prefix, section) in registries.into_sections(&doc)? {
                config.registries.push(registry(&doc, prefix, section)?);
            }
        }
        auth.finish(&doc)?;
    }
    if let Some(options) = top.section(&doc, &["installOptions"])? {
        install_options(&doc, options, &mut config)?;
    }
    config.page = page::page(&doc, &mut top)?;
    something_to_choose(&doc, &config)?;
    top.finish(&doc)?;
    Ok(config)
}

/// A page that neither has an image nor lets one be named leads nowhere.
fn something_to_choose(doc: &Document, config: &Config) -> Result<()> {
    let page = &config.page;
    if page.allow_other || !page.catalogue.is_empty() || config.container_url.is_some() {
        return Ok(());
    }
    Err(doc
        .invalid(&["page", "allowOther"], "there is no image to choose")
        .why("No other image may be named, the catalogue is empty, and `containerUrl` is missing.")
        .next("Add images to `page.catalogue`, or a `containerUrl`."))
}

fn variables(doc: &Document, top: &mut Section) -> Result<Vec<(String, String)>> {
    // They are read before any is defined, so that none can use another, which
    // also rules out loops.
    match top.section(doc, &["variables"])? {
        Some(section) => section.into_texts(doc),
        None => Ok(Vec::new()),
    }
}

/// Calamares plays the part of the kickstart: only the direct way exists.
fn approach(doc: &Document, top: &mut Section, config: &mut Config) -> Result<()> {
    match top.text(doc, &["installationApproach"])?.as_deref() {
        None | Some("systemd" | "direct") => {}
        Some(other @ ("kickstart" | "ignition")) => {
            let tool = match other {
                "kickstart" => "Anaconda",
                _ => "Ignition",
            };
            return Err(doc
                .invalid(&["installationApproach"], &format!("the approach `{other}` does not exist here"))
                .why(format!(
                    "It hands the whole installation to {tool}, which would partition the disk again and is not in a Debian live system."
                ))
                .next("Remove the key, or write `direct`: the image's own bootc then installs it."));
        }
        Some(other) => {
            return Err(doc.one_of(&["installationApproach"], other, &["direct", "systemd"]));
        }
    }
    for key in ["kickstartOptions", "ignitionOptions"] {
        if top.anything(key).is_some() {
            config.warnings.push(format!(
                "{}: `{key}` has no effect, since the image's own bootc installs it.",
                doc.name()
            ));
        }
    }
    Ok(())
}

fn transport(doc: &Document, top: &mut Section) -> Result<Option<Transport>> {
    let Some(name) = top.text(doc, &["transport"])? else {
        return Ok(None);
    };
    match name.as_str() {
        "registry" | "docker" => Ok(Some(Transport::Registry)),
        "oci" => Ok(Some(Transport::Oci)),
        "oci-archive" | "docker-archive" | "containers-storage" | "dir" => Err(doc
            .invalid(&["transport"], &format!("images cannot be installed from `{name}`"))
            .why("It would need a second copy of the whole image in memory.")
            .next("Push the image to a registry, or copy it to an OCI layout directory (skopeo copy … oci:DIR:TAG) and use `oci`.")),
        other => Err(doc.one_of(&["transport"], other, &["registry", "oci"])),
    }
}

/// Keys of the format that something else decides.
fn without_effect(doc: &Document, top: &mut Section, config: &mut Config) -> Result<()> {
    if let Some(remote) = top.text(doc, &["remote"])?
        && remote != "default"
        && Some(&remote) != config.stateroot.as_ref()
    {
        config.warnings.push(format!(
            "{}: `remote: {remote}` has no effect: container images have no ostree remote.",
            doc.name()
        ));
    }
    if top.anything("integration").is_some() {
        config.warnings.push(format!(
            "{}: `integration` has no effect: the order of modules is in settings.conf.",
            doc.name()
        ));
    }
    Ok(())
}

fn registry(doc: &Document, prefix: String, mut section: Section) -> Result<RegistryEntry> {
    // A prefix is what stands before a repository in a reference.
    if format!("{prefix}/x").parse::<Reference>().is_err() {
        return Err(doc
            .invalid(
                &["registryAuth", "registries", &prefix],
                "this is no registry",
            )
            .why("A registry is written as host, host:port or host/namespace, without https://.")
            .next("Correct the key."));
    }
    let auth = section.secret(doc, &["auth"])?;
    let username = section.text(doc, &["username"])?;
    let password = section.secret(doc, &["password"])?;
    let password_file = section.path(doc, &["passwordFile"])?;
    let login = match (auth, username, password, password_file) {
        (None, None, None, None) => None,
        (Some(auth), None, None, None) => Some(Login::Encoded(auth)),
        (None, Some(username), Some(password), None) => {
            Some(Login::Password { username, password })
        }
        (None, Some(username), None, Some(path)) => Some(Login::PasswordFile { username, path }),
        _ => {
            return Err(doc
                .invalid(
                    &["registryAuth", "registries", &prefix],
                    "the credentials do not fit together",
                )
                .why("There must be `auth` alone, or `username` with one of `password` and `passwordFile`.")
                .next("Remove what is too much, or add what is missing."));
        }
    };
    let entry = RegistryEntry {
        prefix,
        login,
        insecure: section.flag(doc, &["insecure"])?.unwrap_or(false),
        ca: section.path(doc, &["ca"])?,
        mirrors: section.texts(doc, &["mirrors"])?,
        signature_keys: section.paths(doc, &["signatureKeys"])?,
        signature_pems: Vec::new(),
    };
    section.finish(doc)?;
    Ok(entry)
}

fn install_options(doc: &Document, mut options: Section, config: &mut Config) -> Result<()> {
    if options.text(doc, &["target_disk", "targetDisk"])?.is_some() {
        config.warnings.push(format!(
            "{}: `installOptions.target_disk` has no effect: the target is what the partitioning mounted.",
            doc.name()
        ));
    }
    if let Some(arch) = options.text(doc, &["target_arch", "targetArch"])? {
        let (wanted, host) = (imageref::Platform::linux(&arch), imageref::Platform::host());
        if wanted.architecture != host.architecture {
            return Err(doc
                .invalid(
                    &["installOptions", "target_arch"],
                    &format!(
                        "`{arch}` is not the architecture of this machine ({})",
                        host.architecture
                    ),
                )
                .why("The image's own bootc runs during the installation.")
                .next("Install on a machine of that architecture, or remove the key."));
        }
    }
    if let Some(fs) = options.text(doc, &["rootfs_type", "rootfsType"])? {
        let known = ["ext4", "xfs", "btrfs"];
        if !known.contains(&fs.as_str()) {
            return Err(doc.one_of(&["installOptions", "rootfs_type"], &fs, &known));
        }
        config.warnings.push(format!(
            "{}: `installOptions.rootfs_type` has no effect: the file system is the one that the partitioning made.",
            doc.name()
        ));
    }
    if let Some(name) = options.text(doc, &["bootloader"])? {
        config.bootloader = Some(match name.as_str() {
            "auto" => BootloaderChoice::Auto,
            "grub" | "grub2" => BootloaderChoice::Grub,
            "systemd" | "systemd-boot" => BootloaderChoice::Systemd,
            "none" => BootloaderChoice::None,
            other => {
                return Err(doc.one_of(
                    &["installOptions", "bootloader"],
                    other,
                    &["auto", "grub", "systemd", "none"],
                ));
            }
        });
    }
    config.kargs = options.texts(doc, &["kargs"])?;
    config.kargs_delete = options.texts(doc, &["kargsDelete", "kargs_delete"])?;
    config.enforce_sigpolicy = options.flag(doc, &["enforceContainerSigpolicy"])?;
    config.disable_selinux = options.flag(doc, &["disableSelinux"])?;
    options.finish(doc)
}

#[cfg(test)]
mod tests;
