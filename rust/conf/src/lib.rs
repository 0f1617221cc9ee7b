// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf`: the configuration file of the installer and of its Calamares
//! module, in YAML. `docs/formats.md` explains every key.
//!
//! A key that is not known is an error that names the nearest known one,
//! because a misspelt `insecure` or `kargs` must not be ignored silently. Keys
//! that other parts of an installation decide are accepted with a warning.

mod keys;
mod localized;
mod page;
mod parse;
mod rendering;
mod write;

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use contract::customise_plan::UpdatesPlan;
use contract::plan::BootloaderChoice;
pub use keys::BOOTC_CONF;
pub use localized::Localized;
pub use page::{CatalogueEntry, Icon, Page};
pub use rendering::{IgnitionOptions, KickstartNetwork, KickstartOptions, Partitioning, Rendering};
pub use write::write;

/// A configuration file as it was read. `Debug` shows no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// `updates`: whether the installed system updates itself.
    pub updates: Option<UpdatesPlan>,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// In the time that it takes: no stranger can have files compared.
impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &SecretString, b: &SecretString| a.expose_secret() == b.expose_secret();
        match (self, other) {
            (Self::Encoded(a), Self::Encoded(b)) => same(a, b),
            (
                Self::Password { username, password },
                Self::Password {
                    username: other_name,
                    password: other_password,
                },
            ) => username == other_name && same(password, other_password),
            (
                Self::PasswordFile { username, path },
                Self::PasswordFile {
                    username: other_name,
                    path: other_path,
                },
            ) => username == other_name && path == other_path,
            _ => false,
        }
    }
}

impl Eq for Login {}

/// Reads and parses a configuration file. The files of `signatureKeys` are only
/// named.
pub fn read(path: &Path) -> Result<Config> {
    let (path, text) = text_of(path)?;
    parse(&path, text)
}

/// Reads from a configuration file what it says for installations that somebody
/// else carries out.
///
/// # Errors
/// As [`read`]; and `CONFIG_INVALID` for what the installer passes over and a
/// rendered installation cannot have.
pub fn read_rendering(path: &Path) -> Result<Rendering> {
    let (path, text) = text_of(path)?;
    Ok(rendering::rendering(&path, &text)?)
}

fn text_of(path: &Path) -> Result<(PathBuf, Zeroizing<String>)> {
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
    Ok((path, Zeroizing::new(text)))
}

/// Parses the text of the configuration file `path`; pure.
pub fn parse(path: &Path, text: Zeroizing<String>) -> Result<Config> {
    Ok(parse::config(path, &text)?)
}

#[cfg(test)]
mod tests;
