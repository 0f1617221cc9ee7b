// SPDX-License-Identifier: MIT OR Apache-2.0
//! A reference behind a transport, after `containers-transports(5)`, with the
//! `registry:` spelling of bootc and ostree besides `docker://`.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::error::{ParseError, Problem};
use crate::reference::Reference;

/// Where an image is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A registry over HTTP (`docker://`, or `registry:` as bootc writes it).
    Registry,
    /// A directory in the OCI image layout.
    Oci,
    /// A tar archive of an OCI image layout.
    OciArchive,
    /// The image store of podman and buildah.
    ContainersStorage,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Registry,
        Self::Oci,
        Self::OciArchive,
        Self::ContainersStorage,
    ];

    /// The name as bootc's `--source-imgref` and `--target-transport` know it,
    /// without the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Oci => "oci",
            Self::OciArchive => "oci-archive",
            Self::ContainersStorage => "containers-storage",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The supported transports in one line, for an error message.
pub(crate) fn names() -> String {
    Transport::ALL.map(Transport::as_str).join(", ")
}

/// Transports that other tools know; named so that `docker-archive:/x.tar` is
/// not taken for an image `docker-archive` with a strange tag.
const FOREIGN: [&str; 13] = [
    "dir",
    "docker-archive",
    "docker-daemon",
    "ostree",
    "ostree-image-signed",
    "ostree-remote-image",
    "ostree-remote-registry",
    "ostree-unverified-image",
    "ostree-unverified-registry",
    "sif",
    "tarball",
    "atomic",
    "static-delta",
];

/// An image and the transport that it is read through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ImageRef {
    /// An image in a registry.
    Registry(Reference),
    /// An image in an OCI layout directory.
    Oci(LocalImage),
    /// An image in a tar archive of an OCI layout.
    OciArchive(LocalImage),
    /// An image in the containers storage of this machine, by name or ID, as
    /// written (with a `[store]` specifier, if there is one).
    ContainersStorage(String),
}

/// `path[:tag]`. As in the containers tools the first colon ends the path, so
/// that a path cannot hold one and a name behind it can.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocalImage {
    path: String,
    tag: Option<String>,
}

impl LocalImage {
    /// The directory or archive.
    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }

    /// The value of `org.opencontainers.image.ref.name` to look for; without
    /// it the layout must hold one image only.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }
}

impl fmt::Display for LocalImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.tag {
            Some(tag) => write!(f, ":{tag}"),
            None => Ok(()),
        }
    }
}

impl ImageRef {
    /// Parses as docker does: a name without transport and host is one on
    /// Docker Hub.
    ///
    /// # Errors
    /// When the text is outside the grammar or its transport is unknown.
    pub fn parse_docker_style(text: &str) -> Result<Self, ParseError> {
        parse(text, Reference::parse_docker_style)
    }

    /// The transport.
    pub fn transport(&self) -> Transport {
        match self {
            Self::Registry(_) => Transport::Registry,
            Self::Oci(_) => Transport::Oci,
            Self::OciArchive(_) => Transport::OciArchive,
            Self::ContainersStorage(_) => Transport::ContainersStorage,
        }
    }

    /// The reference, when the image is in a registry.
    pub fn registry_reference(&self) -> Option<&Reference> {
        match self {
            Self::Registry(reference) => Some(reference),
            _ => None,
        }
    }
}

impl From<Reference> for ImageRef {
    fn from(reference: Reference) -> Self {
        Self::Registry(reference)
    }
}

impl FromStr for ImageRef {
    type Err = ParseError;

    /// Parses strictly: a name without a host is refused.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text, str::parse)
    }
}

impl fmt::Display for ImageRef {
    /// The form that parses to the same value: a registry image stands without
    /// its transport, as people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => {
                // A host may be called `oci`: with a port it reads as a transport.
                let plain = reference.to_string();
                if names_transport(&plain) {
                    f.write_str("docker://")?;
                }
                f.write_str(&plain)
            }
            Self::Oci(image) | Self::OciArchive(image) => {
                write!(f, "{}:{image}", self.transport())
            }
            Self::ContainersStorage(name) => write!(f, "{}:{name}", self.transport()),
        }
    }
}

crate::serde_as_text!(ImageRef);

fn names_transport(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, _)| {
        Transport::ALL.iter().any(|t| t.as_str() == name) || FOREIGN.contains(&name)
    })
}

type ParseReference = fn(&str) -> Result<Reference, ParseError>;

fn parse(text: &str, parse_reference: ParseReference) -> Result<ImageRef, ParseError> {
    let behind = |rest: &str| {
        let offset = text.len() - rest.len();
        parse_reference(rest)
            .map(ImageRef::Registry)
            .map_err(|e| e.within(text, offset))
    };
    if let Some(rest) = text.strip_prefix("docker://") {
        return behind(rest);
    }
    let Some((name, rest)) = text.split_once(':') else {
        return behind(text);
    };
    match name {
        // bootc writes `registry:host/name`, ostree also `registry://`.
        "registry" => behind(rest.strip_prefix("//").unwrap_or(rest)),
        "oci" => local(text, "oci", rest).map(ImageRef::Oci),
        "oci-archive" => local(text, "oci-archive", rest).map(ImageRef::OciArchive),
        "containers-storage" => {
            if rest.is_empty() {
                let at = text.len();
                return Err(ParseError::new(text, at, Problem::Empty));
            }
            check_blank(text, rest)?;
            Ok(ImageRef::ContainersStorage(rest.to_owned()))
        }
        foreign if FOREIGN.contains(&foreign) => {
            let name = foreign.to_owned();
            Err(ParseError::new(
                text,
                0,
                Problem::UnsupportedTransport { name },
            ))
        }
        _ => behind(text),
    }
}

fn local(text: &str, transport: &'static str, rest: &str) -> Result<LocalImage, ParseError> {
    let start = text.len() - rest.len();
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(ParseError::new(
            text,
            start,
            Problem::MissingPath { transport },
        ));
    }
    if let Some((at, character)) = path.char_indices().find(|c| c.1.is_control()) {
        return Err(ParseError::new(
            text,
            start + at,
            Problem::Blank { character },
        ));
    }
    if let Some(tag) = tag {
        check_blank(text, tag)?;
        // The characters of the image-spec for `org.opencontainers.image.ref.name`.
        let good = |c: char| c.is_ascii_alphanumeric() || "-._:@/+".contains(c);
        if tag.is_empty() || !tag.chars().all(good) {
            let tag = tag.to_owned();
            let at = start + path.len() + 1;
            return Err(ParseError::new(text, at, Problem::BadTag { tag }));
        }
    }
    Ok(LocalImage {
        path: path.to_owned(),
        tag: tag.map(str::to_owned),
    })
}

/// Refuses white space in `part`, a tail of `text`.
fn check_blank(text: &str, part: &str) -> Result<(), ParseError> {
    let blank = |c: &(usize, char)| c.1.is_whitespace() || c.1.is_control();
    match part.char_indices().find(blank) {
        Some((at, character)) => {
            let at = text.len() - part.len() + at;
            Err(ParseError::new(text, at, Problem::Blank { character }))
        }
        None => Ok(()),
    }
}
