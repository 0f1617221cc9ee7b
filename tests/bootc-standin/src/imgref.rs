// SPDX-License-Identifier: MIT OR Apache-2.0
//! Image references as bootc takes and prints them (pure).

use anyhow::{Result, bail};

/// Transports that the containers tools know, as bootc accepts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Registry,
    OciDir,
    OciArchive,
    DockerArchive,
    ContainerStorage,
    Dir,
}

impl Transport {
    /// The prefix that skopeo takes.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Registry => "docker://",
            Self::OciDir => "oci:",
            Self::OciArchive => "oci-archive:",
            Self::DockerArchive => "docker-archive:",
            Self::ContainerStorage => "containers-storage:",
            Self::Dir => "dir:",
        }
    }

    /// Parses a transport by name, without the colon.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "registry" | "docker" => Self::Registry,
            "oci" => Self::OciDir,
            "oci-archive" => Self::OciArchive,
            "docker-archive" => Self::DockerArchive,
            "containers-storage" => Self::ContainerStorage,
            "dir" => Self::Dir,
            other => bail!("Invalid transport: {other}"),
        })
    }
}

/// Transport and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageReference {
    pub(crate) transport: Transport,
    /// What follows the transport, without `//` for a registry.
    pub(crate) name: String,
}

impl ImageReference {
    /// Parses `transport:name`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let Some((transport, name)) = text.split_once(':') else {
            bail!("Missing ':' in {text}");
        };
        let parsed = Transport::parse(transport)?;
        let name = match (transport, name.strip_prefix("//")) {
            ("docker", Some(rest)) => rest,
            ("docker", None) => bail!("Missing // in docker:// in {text}"),
            _ => name,
        };
        if name.is_empty() {
            bail!("Invalid empty name in {text}");
        }
        Ok(Self {
            transport: parsed,
            name: name.to_owned(),
        })
    }

    /// As skopeo takes it and as `Installing image:` prints it.
    pub(crate) fn skopeo(&self) -> String {
        format!("{}{}", self.transport.prefix(), self.name)
    }

    /// As the origin file records it.
    pub(crate) fn origin(&self, signed: bool) -> String {
        match (signed, self.transport) {
            (false, Transport::Registry) => format!("ostree-unverified-registry:{}", self.name),
            (false, _) => format!("ostree-unverified-image:{}", self.skopeo()),
            (true, _) => format!("ostree-image-signed:{}", self.skopeo()),
        }
    }
}

/// The reference of an origin's `container-image-reference`, without its
/// signature and transport words.
pub(crate) fn origin_name(reference: &str) -> &str {
    let prefixes = [
        "ostree-unverified-registry:",
        "ostree-unverified-image:docker://",
        "ostree-image-signed:docker://",
        "ostree-unverified-image:",
        "ostree-image-signed:",
    ];
    prefixes
        .iter()
        .find_map(|p| reference.strip_prefix(p))
        .unwrap_or(reference)
}

/// A name as a part of an ostree ref, as bootc does it: letters, digits and `-`
/// stay, and a `/` between a letter or digit and something else; `_` is doubled,
/// and any other byte becomes `_XX_`.
pub(crate) fn escape_for_ref(name: &str) -> String {
    use std::fmt::Write;
    let bytes = name.as_bytes();
    let mut out = String::new();
    for (i, &byte) in bytes.iter().enumerate() {
        let after_word = i > 0 && bytes[i - 1].is_ascii_alphanumeric();
        let separates = byte == b'/' && after_word && i + 1 < bytes.len();
        if byte.is_ascii_alphanumeric() || byte == b'-' || separates {
            out.push(char::from(byte));
        } else if byte == b'_' {
            out.push_str("__");
        } else {
            // Writing to a String cannot fail.
            write!(out, "_{byte:02X}_").ok();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn references_parse_and_print() {
        let cases = [
            (
                "docker://h:5000/i:v1",
                "docker://h:5000/i:v1",
                "ostree-unverified-registry:h:5000/i:v1",
            ),
            (
                "registry:h/i:v1",
                "docker://h/i:v1",
                "ostree-unverified-registry:h/i:v1",
            ),
            (
                "oci:/run/oci:v1",
                "oci:/run/oci:v1",
                "ostree-unverified-image:oci:/run/oci:v1",
            ),
            (
                "containers-storage:abc",
                "containers-storage:abc",
                "ostree-unverified-image:containers-storage:abc",
            ),
        ];
        for (text, skopeo, origin) in cases {
            let parsed = ImageReference::parse(text).unwrap();
            assert_eq!(
                (parsed.skopeo().as_str(), parsed.origin(false).as_str()),
                (skopeo, origin)
            );
        }
    }

    #[test]
    fn bad_references_are_refused() {
        let cases = [
            ("foo:bar", "Invalid transport: foo"),
            ("nothing", "Missing ':' in nothing"),
            ("docker:h/i", "Missing // in docker:// in docker:h/i"),
            ("oci:", "Invalid empty name in oci:"),
        ];
        for (text, message) in cases {
            assert_eq!(
                ImageReference::parse(text).unwrap_err().to_string(),
                message
            );
        }
    }

    #[test]
    fn a_forgotten_target_shows_as_three_slashes() {
        let reference = ImageReference {
            transport: Transport::Registry,
            name: "/run/oci:v1".to_owned(),
        };
        assert_eq!(reference.skopeo(), "docker:///run/oci:v1");
    }

    #[test]
    fn origins_give_their_name() {
        assert_eq!(origin_name("ostree-unverified-registry:h/i:v1"), "h/i:v1");
        assert_eq!(origin_name("ostree-image-signed:docker://h/i:v1"), "h/i:v1");
        assert_eq!(origin_name("ostree-unverified-image:oci:/x"), "oci:/x");
    }

    #[test]
    fn refs_are_escaped() {
        for (name, escaped) in [
            ("docker://h.x/i:v1", "docker_3A__2F__2F_h_2E_x/i_3A_v1"),
            ("a_b/", "a__b_2F_"),
        ] {
            assert_eq!(escape_for_ref(name), escaped);
        }
    }
}
