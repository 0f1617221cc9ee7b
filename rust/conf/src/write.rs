// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing `bootc.conf`: what [`parse`](crate::parse) reads as the same again.
//!
//! What is as it would be without a key is left out, so that defaults can change.

use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};

use crate::{CatalogueEntry, Config, Icon, Localized, Login, Page, RegistryEntry, Transport};

/// The file as text.
///
/// # Errors
/// When it holds a secret, which does not belong into a file that others can
/// read; `{{`, which would be a variable; one of Unicode's line separators, which
/// end a line for the writer and not for readers of YAML 1.2; or a path that is no
/// UTF-8.
pub fn write(config: &Config) -> Result<String, serde_yaml::Error> {
    let text = serde_yaml::to_string(config)?;
    if text.contains("{{") {
        return Err(serde_yaml::Error::custom("`{{` would begin a variable"));
    }
    if text.contains(SEPARATORS) {
        return Err(serde_yaml::Error::custom("a line separator of Unicode"));
    }
    Ok(text)
}

/// LS and PS: line breaks in YAML 1.1.
const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];

/// A mapping in which nothing that is left out stands.
struct Keys<M>(M);

impl<M: SerializeMap> Keys<M> {
    fn some(
        &mut self,
        key: &str,
        value: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<(), M::Error> {
        match value {
            Some(value) => self.0.serialize_entry(key, value),
            None => Ok(()),
        }
    }

    fn list(&mut self, key: &str, values: &[impl Serialize]) -> Result<(), M::Error> {
        self.some(key, Some(values).filter(|values| !values.is_empty()))
    }

    /// Whatever is not the default.
    fn other<T: Serialize + PartialEq>(
        &mut self,
        key: &str,
        value: &T,
        default: &T,
    ) -> Result<(), M::Error> {
        self.some(key, Some(value).filter(|value| *value != default))
    }

    fn localized(&mut self, key: &str, text: &Localized) -> Result<(), M::Error> {
        self.0.serialize_entry(key, &text.default)?;
        text.translations.iter().try_for_each(|(locale, text)| {
            self.0.serialize_entry(&format!("{key}[{locale}]"), text)
        })
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys = Keys(serializer.serialize_map(None)?);
        keys.some("containerUrl", self.container_url.as_ref())?;
        keys.some("targetImgref", self.target_imgref.as_ref())?;
        keys.some("transport", self.transport.as_ref())?;
        keys.some("source", self.source.as_ref())?;
        keys.list("layouts", &self.layouts)?;
        keys.some("runtimeRoot", self.runtime_root.as_ref())?;
        keys.some("stateroot", self.stateroot.as_ref())?;
        keys.some("downloadPath", self.download_path.as_ref())?;
        keys.some("keepCredentials", self.keep_credentials.as_ref())?;
        keys.some("keepRegistries", self.keep_registries.as_ref())?;
        keys.some(
            "noSignatureVerification",
            self.no_signature_verification.as_ref(),
        )?;
        keys.some("updates", self.updates.as_ref())?;
        keys.other("registryAuth", &Auth(&self.registries), &Auth(&[]))?;
        keys.some(
            "installOptions",
            Some(&Options(self)).filter(|options| options.any()),
        )?;
        keys.other("page", &self.page, &Page::default())?;
        keys.0.end()
    }
}

/// The section `installOptions`.
struct Options<'a>(&'a Config);

impl Options<'_> {
    fn any(&self) -> bool {
        let config = self.0;
        let lists = [&config.kargs, &config.kargs_delete];
        let flags = [config.enforce_sigpolicy, config.disable_selinux];
        config.bootloader.is_some()
            || lists.iter().any(|list| !list.is_empty())
            || flags.iter().any(Option::is_some)
    }
}

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let config = self.0;
        let mut keys = Keys(serializer.serialize_map(None)?);
        keys.some("bootloader", config.bootloader.as_ref())?;
        keys.list("kargs", &config.kargs)?;
        keys.list("kargsDelete", &config.kargs_delete)?;
        keys.some(
            "enforceContainerSigpolicy",
            config.enforce_sigpolicy.as_ref(),
        )?;
        keys.some("disableSelinux", config.disable_selinux.as_ref())?;
        keys.0.end()
    }
}

/// The section `registryAuth`.
#[derive(PartialEq)]
struct Auth<'a>(&'a [RegistryEntry]);

impl Serialize for Auth<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Registries<'a>(&'a [RegistryEntry]);
        impl Serialize for Registries<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|entry| (&entry.prefix, entry)))
            }
        }
        serializer.collect_map([("registries", Registries(self.0))])
    }
}

/// The keys of the entry; its prefix is the key that it stands behind.
impl Serialize for RegistryEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys = Keys(serializer.serialize_map(None)?);
        match &self.login {
            None => {}
            Some(Login::PasswordFile { username, path }) => {
                keys.0.serialize_entry("username", username)?;
                keys.0.serialize_entry("passwordFile", path)?;
            }
            Some(Login::Encoded(_) | Login::Password { .. }) => {
                return Err(S::Error::custom("a login would be written"));
            }
        }
        keys.other("insecure", &self.insecure, &false)?;
        keys.some("ca", self.ca.as_ref())?;
        keys.list("mirrors", &self.mirrors)?;
        keys.list("signatureKeys", &self.signature_keys)?;
        keys.0.end()
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let usual = Self::default();
        let mut keys = Keys(serializer.serialize_map(None)?);
        keys.list("catalogue", &self.catalogue)?;
        keys.other("allowOther", &self.allow_other, &usual.allow_other)?;
        keys.other(
            "skipWhenValid",
            &self.skip_when_valid,
            &usual.skip_when_valid,
        )?;
        keys.0.end()
    }
}

impl Serialize for CatalogueEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys = Keys(serializer.serialize_map(None)?);
        keys.localized("name", &self.name)?;
        if let Some(description) = &self.description {
            keys.localized("description", description)?;
        }
        keys.some("icon", self.icon.as_ref())?;
        keys.some("reference", Some(&self.reference))?;
        keys.0.end()
    }
}

impl Serialize for Icon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::File(path) => path.serialize(serializer),
            Self::Theme(name) => serializer.serialize_str(name),
        }
    }
}

impl Serialize for Transport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Registry => "registry",
            Self::Oci => "oci",
        })
    }
}

#[cfg(test)]
mod tests;
