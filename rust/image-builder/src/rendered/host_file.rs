// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files by which a machine reaches a registry: the same for Anaconda's
//! environment, a live host and the installed system.

use std::fmt::Write as _;

use contract::plan::RegistryPlan;

use crate::error::{Error, Result};

/// A file with its whole contents. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct HostFile {
    /// Absolute.
    pub(super) path: String,
    /// Permissions.
    pub(super) mode: u32,
    /// `user:group`.
    pub(super) owner: String,
    /// What is in it.
    pub(super) contents: Vec<u8>,
}

impl std::fmt::Debug for HostFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostFile")
            .field("path", &self.path)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl HostFile {
    /// One of root.
    pub(super) fn of_root(path: impl Into<String>, mode: u32, contents: Vec<u8>) -> Self {
        Self {
            path: path.into(),
            mode,
            owner: "root:root".into(),
            contents,
        }
    }
}

/// What has to be known of registries: mirrors, plain http, authorities
/// (containers-registries.conf(5), containers-certs.d(5)). Nothing in it is
/// secret.
///
/// # Errors
/// `IO` when a file with authorities cannot be read.
pub(super) fn reaching(registries: &[RegistryPlan]) -> Result<Vec<HostFile>> {
    let mut files = Vec::new();
    let mut text = String::new();
    for registry in registries {
        if registry.insecure || !registry.mirrors.is_empty() {
            let prefix = &registry.prefix;
            write!(text, "\n[[registry]]\nprefix = \"{prefix}\"\n").unwrap_or_default();
            writeln!(text, "location = \"{prefix}\"").unwrap_or_default();
            if registry.insecure {
                text.push_str("insecure = true\n");
            }
            for mirror in &registry.mirrors {
                let line = format!("\n[[registry.mirror]]\nlocation = \"{mirror}\"\n");
                text.push_str(&line);
            }
        }
        if let Some(ca) = &registry.ca {
            let pem = std::fs::read(ca).map_err(|err| Error::io("Reading", ca, &err))?;
            let host = registry.prefix.split('/').next().unwrap_or_default();
            let path = format!("/etc/containers/certs.d/{host}/ca.crt");
            files.push(HostFile::of_root(path, 0o644, pem));
        }
    }
    if !text.is_empty() {
        let path = "/etc/containers/registries.conf.d/50-installer.conf";
        let text = format!("# Written by debian-bootc-image-builder.\n{text}");
        files.push(HostFile::of_root(path, 0o644, text.into_bytes()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_is_special_needs_a_file() {
        let plain = RegistryPlan {
            prefix: "r.example".into(),
            ..RegistryPlan::default()
        };
        assert_eq!(reaching(std::slice::from_ref(&plain)).unwrap(), []);
        let special = RegistryPlan {
            insecure: true,
            mirrors: vec!["m.example/os".into()],
            ..plain
        };
        let files = reaching(&[special]).unwrap();
        let text = String::from_utf8(files[0].contents.clone()).unwrap();
        let text: toml::Table = text.parse().unwrap();
        let entry = &text["registry"][0];
        assert_eq!(entry["prefix"].as_str(), Some("r.example"));
        assert_eq!(entry["insecure"].as_bool(), Some(true));
        assert_eq!(
            entry["mirror"][0]["location"].as_str(),
            Some("m.example/os")
        );
    }
}
