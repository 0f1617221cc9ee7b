// SPDX-License-Identifier: MIT OR Apache-2.0
//! One registry of `containers-registries.conf(5)`: the names that it is for,
//! and what they become at its servers.

use imageref::Reference;

use crate::error::RegistryError;

/// One `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryEntry {
    /// The names that it is for: `host[:port][/namespace[/repository[:tag|@digest]]]`
    /// or `*.domain`.
    pub prefix: String,
    /// What stands in place of the prefix at the server; `None` leaves names
    /// as they are.
    pub location: Option<String>,
    /// Whether plain HTTP and unknown certificates are accepted.
    pub insecure: bool,
    /// Whether nothing may be pulled from there; the mirrors are other places.
    pub blocked: bool,
    /// Whether the mirrors are asked only for images that are named by digest.
    pub mirror_by_digest_only: bool,
    /// The places to ask before the registry itself, in order.
    pub mirrors: Vec<Mirror>,
    /// The file that it is from, for messages.
    pub origin: String,
}

/// One `[[registry.mirror]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// What stands in place of the prefix at the mirror.
    pub location: String,
    /// Whether plain HTTP and unknown certificates are accepted.
    pub insecure: bool,
    /// Which images it is asked for.
    pub pull: PullFromMirror,
}

/// `pull-from-mirror`: which images a mirror is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PullFromMirror {
    /// All.
    #[default]
    All,
    /// Those that are named by digest.
    DigestOnly,
    /// Those that are named by tag.
    TagOnly,
}

impl RegistryEntry {
    /// One that changes nothing yet.
    pub fn new(prefix: &str, origin: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            location: None,
            insecure: false,
            blocked: false,
            mirror_by_digest_only: false,
            mirrors: Vec::new(),
            origin: origin.to_owned(),
        }
    }

    /// The length of the part of `name` that the prefix stands for.
    pub(super) fn matches(&self, name: &str) -> Option<usize> {
        let end = match self.prefix.strip_prefix('*') {
            Some(domain) => {
                let host = name.split(['/', ':']).next().unwrap_or(name);
                host.ends_with(domain).then_some(host.len())?
            }
            None => name
                .starts_with(self.prefix.as_str())
                .then_some(self.prefix.len())?,
        };
        // A colon may also begin a port, as in containers/image.
        let goes_on = name[end..].chars().next();
        matches!(goes_on, None | Some('/' | ':' | '@')).then_some(end)
    }

    pub(super) fn uses(&self, mirror: &Mirror, by_digest: bool) -> bool {
        match mirror.pull {
            PullFromMirror::All => by_digest || !self.mirror_by_digest_only,
            PullFromMirror::DigestOnly => by_digest,
            PullFromMirror::TagOnly => !by_digest,
        }
    }

    fn bad_location(&self, location: &str, problem: impl std::fmt::Display) -> RegistryError {
        RegistryError::Config {
            what: format!(
                "{}: the location `{location}` of {} makes no image name: {problem}",
                self.origin, self.prefix
            ),
        }
    }

    /// `reference`, of which `matched` bytes stand for the prefix, at `location`.
    pub(super) fn moved(
        &self,
        reference: &Reference,
        matched: usize,
        location: &str,
    ) -> Result<Reference, RegistryError> {
        let name = reference.name();
        let whole = reference.to_string();
        let text = match name.get(matched..) {
            Some(_) => format!("{location}{}", &whole[matched..]),
            // The prefix has a tag or digest; the location may have another.
            None if has_tag_or_digest(location) => location.to_owned(),
            None => format!("{location}{}", &whole[name.len()..]),
        };
        let moved: Reference = text
            .parse()
            .map_err(|e: imageref::ParseError| self.bad_location(location, e.problem()))?;
        match (reference.digest(), moved.digest()) {
            (Some(wanted), None) => Ok(moved.with_digest(wanted.clone())),
            (Some(wanted), Some(other)) if wanted != other => {
                Err(self.bad_location(location, format!("it is not {wanted}")))
            }
            _ => Ok(moved),
        }
    }
}

fn has_tag_or_digest(location: &str) -> bool {
    match location.split_once('/') {
        Some((_, path)) => path.contains([':', '@']),
        None => false,
    }
}
