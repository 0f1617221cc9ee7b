// SPDX-License-Identifier: MIT OR Apache-2.0
//! `host/name:tag@digest`, after the grammar in `distribution/reference`
//! (`reference.go`, `normalize.go`).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::digest::Digest;
use crate::error::{ParseError, Problem};

/// The registry that docker adds to a name without a host.
pub const DOCKER_HUB: &str = "docker.io";
/// The tag of a reference that names neither tag nor digest.
pub const DEFAULT_TAG: &str = "latest";

const NAME_MAX: usize = 255;
const TAG_MAX: usize = 128;

/// An image in a registry, in its normalised form: the host is always there,
/// official images of Docker Hub have their `library/`, and there is a tag or
/// a digest or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses as docker does: a name without a host is one on Docker Hub.
    ///
    /// # Errors
    /// When the text is outside the grammar.
    pub fn parse_docker_style(text: &str) -> Result<Self, ParseError> {
        let parts = split(text)?;
        match parts.host {
            Some(host) => Self::build(text, host, &parts),
            None => Self::build(text, DOCKER_HUB, &parts),
        }
    }

    /// The registry, `host[:port]`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry, without a leading slash.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was given or neither tag nor digest was.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the reference is pinned to one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `host/name`, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same image pinned to `digest`; the tag stays as it is.
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.clone()
        }
    }

    fn build(text: &str, host: &str, parts: &Parts<'_>) -> Result<Self, ParseError> {
        let registry = match host {
            "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
            other => other,
        };
        let mut repository = parts.path.to_owned();
        if registry == DOCKER_HUB && !repository.contains('/') {
            repository.insert_str(0, "library/");
        }
        let length = registry.len() + 1 + repository.len();
        if length > NAME_MAX {
            return Err(ParseError::new(text, 0, Problem::NameTooLong { length }));
        }
        let tag = match (parts.tag, &parts.digest) {
            (None, None) => Some(DEFAULT_TAG),
            (tag, _) => tag,
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: parts.digest.clone(),
        })
    }
}

impl FromStr for Reference {
    type Err = ParseError;

    /// Parses strictly: a name without a host is refused.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parts = split(text)?;
        match parts.host {
            Some(host) => Self::build(text, host, &parts),
            None => {
                let qualified = Self::build(text, DOCKER_HUB, &parts)?.to_string();
                Err(ParseError::new(text, 0, Problem::ShortName { qualified }))
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

crate::serde_as_text!(Reference);

/// The checked parts of a reference as written.
struct Parts<'a> {
    host: Option<&'a str>,
    path: &'a str,
    tag: Option<&'a str>,
    digest: Option<Digest>,
}

fn split(text: &str) -> Result<Parts<'_>, ParseError> {
    let error = |at, problem| Err(ParseError::new(text, at, problem));
    if text.is_empty() {
        return error(0, Problem::Empty);
    }
    for scheme in ["https://", "http://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            if rest.split('/').next().is_some_and(|h| h.contains('@')) {
                return error(scheme.len(), Problem::Credentials);
            }
            let without = rest.trim_end_matches('/').to_owned();
            return error(0, Problem::WebAddress { scheme, without });
        }
    }
    let blank = |c: &(usize, char)| c.1.is_whitespace() || c.1.is_control();
    if let Some((at, character)) = text.char_indices().find(blank) {
        return error(at, Problem::Blank { character });
    }

    let (before_digest, digest) = match text.split_once('@') {
        // `user:password@host/name`: what follows is no digest but a path.
        Some((_, rest)) if rest.contains('/') => return error(0, Problem::Credentials),
        Some((name, digest)) => {
            let parsed = digest
                .parse::<Digest>()
                .map_err(|e| e.within(text, name.len() + 1))?;
            (name, Some(parsed))
        }
        None => (text, None),
    };

    let (host, rest) = match before_digest.split_once('/') {
        Some((first, rest)) if is_host(first) => (Some(first), rest),
        _ => (None, before_digest),
    };
    let rest_at = before_digest.len() - rest.len();
    if let Some(host) = host {
        check_host(text, host)?;
    }
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (rest, None),
    };
    if path.is_empty() {
        return error(rest_at, Problem::MissingRepository);
    }
    check_repository(text, rest_at, path)?;
    if let Some(tag) = tag {
        check_tag(text, rest_at + path.len() + 1, tag)?;
    }
    if host.is_none() && path.len() == 64 && path.bytes().all(|b| b.is_ascii_hexdigit()) {
        let id = path.to_owned();
        return error(0, Problem::BareId { id });
    }
    Ok(Parts {
        host,
        path,
        tag,
        digest,
    })
}

/// Whether the part before the first slash is a host and not a directory.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

fn check_host(text: &str, registry: &str) -> Result<(), ParseError> {
    let bad_host = |host: &str| {
        let host = host.to_owned();
        Err(ParseError::new(text, 0, Problem::BadHost { host }))
    };
    let (host, port) = if registry.starts_with('[') {
        let Some(end) = registry.find(']') else {
            return bad_host(registry);
        };
        let (host, after) = registry.split_at(end + 1);
        if host[1..end].parse::<Ipv6Addr>().is_err() {
            return bad_host(host);
        }
        match (after.is_empty(), after.strip_prefix(':')) {
            (true, _) => (host, None),
            (false, Some(port)) => (host, Some(port)),
            (false, None) => return bad_host(registry),
        }
    } else {
        let (host, port) = match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (registry, None),
        };
        if !host.split('.').all(is_domain_component) {
            return bad_host(host);
        }
        (host, port)
    };
    if let Some(port) = port {
        let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if !digits || port.parse::<u16>().map_or(true, |p| p == 0) {
            let port = port.to_owned();
            return Err(ParseError::new(
                text,
                host.len() + 1,
                Problem::BadPort { port },
            ));
        }
    }
    Ok(())
}

fn is_domain_component(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('-')
        && !part.ends_with('-')
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn check_repository(text: &str, start: usize, path: &str) -> Result<(), ParseError> {
    let mut at = start;
    for component in path.split('/') {
        if !is_path_component(component) {
            let lower = path.to_ascii_lowercase();
            let problem = if lower.split('/').all(is_path_component) {
                Problem::UppercaseRepository { lower }
            } else {
                Problem::BadRepository {
                    component: component.to_owned(),
                }
            };
            return Err(ParseError::new(text, at, problem));
        }
        at += component.len() + 1;
    }
    Ok(())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(part: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = |b: Option<&u8>| b.is_some_and(|b| alphanumeric(*b));
    if !ends(bytes.first()) || !ends(bytes.last()) {
        return false;
    }
    bytes
        .split(|b| alphanumeric(*b))
        .all(|separator| match separator {
            b"" | b"." | b"_" | b"__" => true,
            dashes => dashes.iter().all(|b| *b == b'-'),
        })
}

fn check_tag(text: &str, at: usize, tag: &str) -> Result<(), ParseError> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = tag.bytes();
    let good =
        bytes.next().is_some_and(word) && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'));
    let problem = if !good {
        Problem::BadTag {
            tag: tag.to_owned(),
        }
    } else if tag.len() > TAG_MAX {
        Problem::TagTooLong { length: tag.len() }
    } else {
        return Ok(());
    };
    Err(ParseError::new(text, at, problem))
}
