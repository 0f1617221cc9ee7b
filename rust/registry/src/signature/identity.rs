// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the name that was signed is that of the image which is wanted
//! (`signedIdentity` of containers-policy.json(5)).

use imageref::Reference;

/// Which signed names count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedIdentity {
    /// `matchExact`: the image's whole reference.
    MatchExact,
    /// `matchRepoDigestOrExact`: for an image that is wanted by tag its whole
    /// reference, for one by digest its repository. Either way the signed name
    /// must have a tag or a digest, which cosign's has not.
    MatchRepoDigestOrExact,
    /// `matchRepository`: the image's repository.
    MatchRepository,
    /// `exactReference`: this reference, whatever the image is called.
    ExactReference(Name),
    /// `exactRepository`: this repository, whatever the image is called.
    ExactRepository(String),
    /// `remapIdentity`: as `matchRepoDigestOrExact`, after the image's name
    /// lost one prefix and got another.
    RemapIdentity {
        /// What the image's name begins with.
        prefix: String,
        /// What the signed name begins with.
        signed_prefix: String,
    },
}

/// The name of an image with what makes it exact only where that is written:
/// unlike in a [`Reference`] there is no default tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// `host/repository`.
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Name {
    /// Reads a name as docker does.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let reference = Reference::parse_docker_style(text).ok()?;
        let mut name = Self::of(&reference);
        let before_digest = text.split('@').next().unwrap_or(text);
        let last = before_digest.rsplit('/').next().unwrap_or(before_digest);
        if !last.contains(':') {
            name.tag = None;
        }
        Some(name)
    }

    fn of(reference: &Reference) -> Self {
        Self {
            name: reference.name(),
            tag: reference.tag().map(str::to_owned),
            digest: reference.digest().map(ToString::to_string),
        }
    }

    /// Whether it is more than a repository.
    pub(crate) fn is_exact(&self) -> bool {
        self.tag.is_some() || self.digest.is_some()
    }

    /// The repository, `host/name`.
    pub(crate) fn repository(&self) -> &str {
        &self.name
    }
}

impl SignedIdentity {
    /// Whether `signed`, the reference in a signature, is the right one for
    /// `wanted`.
    pub fn accepts(&self, wanted: &Reference, signed: &str) -> bool {
        let Some(signed) = Name::parse(signed) else {
            return false;
        };
        let wanted = Name::of(wanted);
        match self {
            Self::MatchExact => signed.is_exact() && signed == wanted,
            Self::MatchRepoDigestOrExact => repo_digest_or_exact(&wanted, &signed),
            Self::MatchRepository => signed.name == wanted.name,
            Self::ExactReference(reference) => signed.is_exact() && signed == *reference,
            Self::ExactRepository(repository) => signed.name == *repository,
            Self::RemapIdentity {
                prefix,
                signed_prefix,
            } => {
                let rest = wanted.name.strip_prefix(prefix.as_str());
                let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
                let remapped = match rest {
                    None => wanted,
                    Some(rest) => Name {
                        name: format!("{signed_prefix}{rest}"),
                        ..wanted
                    },
                };
                repo_digest_or_exact(&remapped, &signed)
            }
        }
    }
}

fn repo_digest_or_exact(wanted: &Name, signed: &Name) -> bool {
    if !signed.is_exact() {
        return false;
    }
    if wanted.tag.is_some() {
        signed == wanted
    } else {
        signed.name == wanted.name
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use SignedIdentity::*;

    #[test]
    fn which_names_count() {
        let digest = format!("r.io/a/os@sha256:{}", "0".repeat(64));
        let remap = || RemapIdentity {
            prefix: "mirror.io/vendor".into(),
            signed_prefix: "vendor.io".into(),
        };
        let exact = || ExactReference(Name::parse("r.io/x:9").unwrap());
        for (identity, wanted, signed, accepted) in [
            (MatchExact, "r.io/a/os:1", "r.io/a/os:1", true),
            (MatchExact, "r.io/a/os:1", "r.io/a/os:2", false),
            (MatchExact, "r.io/a/os:1", "r.io/a/os", false),
            // No default tag on the signed side.
            (MatchExact, "r.io/a/os:latest", "r.io/a/os", false),
            (MatchExact, &digest, &digest, true),
            (MatchRepoDigestOrExact, "r.io/a/os:1", "r.io/a/os:1", true),
            (MatchRepoDigestOrExact, "r.io/a/os:1", "r.io/a/os", false),
            (MatchRepoDigestOrExact, &digest, "r.io/a/os", false),
            (MatchRepoDigestOrExact, &digest, "r.io/a/os:7", true),
            (MatchRepoDigestOrExact, &digest, "r.io/b/os:7", false),
            (MatchRepository, "r.io/a/os:1", "r.io/a/os", true),
            (MatchRepository, "r.io/a/os:1", "r.io/a/os:2", true),
            (MatchRepository, "r.io/a/os:1", "r.io/b/os:1", false),
            (MatchRepository, "docker.io/library/os:1", "os", true),
            (MatchRepository, "r.io:5000/os:1", "r.io:5000/os", true),
            (MatchRepository, "r.io/os:1", "r.io:5000/os", false),
            (MatchRepository, "r.io/os:1", "", false),
            (MatchRepository, "r.io/os:1", "R.io/OS!", false),
            (exact(), "r.io/a/os:1", "r.io/x:9", true),
            (exact(), "r.io/a/os:1", "r.io/x:8", false),
            (exact(), "r.io/x:9", "r.io/x", false),
            (
                ExactRepository("r.io/x".into()),
                "r.io/os:1",
                "r.io/x:3",
                true,
            ),
            (
                ExactRepository("r.io/x".into()),
                "r.io/x:1",
                "r.io/y",
                false,
            ),
            (remap(), "mirror.io/vendor/os:1", "vendor.io/os:1", true),
            (
                remap(),
                "mirror.io/vendor/os:1",
                "mirror.io/vendor/os:1",
                false,
            ),
            (
                remap(),
                "mirror.io/vendors/os:1",
                "mirror.io/vendors/os:1",
                true,
            ),
            (remap(), "other.io/os:1", "other.io/os:1", true),
        ] {
            let wanted: Reference = wanted.parse().unwrap();
            assert_eq!(
                identity.accepts(&wanted, signed),
                accepted,
                "{identity:?}: {wanted}, {signed}"
            );
        }
    }
}
