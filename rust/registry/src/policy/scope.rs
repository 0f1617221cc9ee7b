// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scopes of a policy that an image is in, the most specific first
//! (containers-policy.json(5), section *SUPPORTED TRANSPORTS AND THEIR SCOPES*).

use std::path::Path;

use imageref::Reference;

use super::Subject;

impl Subject<'_> {
    pub(super) fn transport(&self) -> &'static str {
        match self {
            Self::Docker(_) => "docker",
            Self::Oci { .. } => "oci",
        }
    }

    /// All but the scope of the transport itself.
    pub(super) fn scopes(&self) -> Vec<String> {
        match self {
            Self::Docker(reference) => docker(reference),
            Self::Oci { path, name } => oci(path, *name),
        }
    }
}

/// The image, its repository, the namespaces above, the host, the domains.
fn docker(reference: &Reference) -> Vec<String> {
    let name = reference.name();
    let mut scopes = Vec::new();
    if let Some(tag) = reference.tag() {
        scopes.push(format!("{name}:{tag}"));
    }
    if let Some(digest) = reference.digest() {
        scopes.push(format!("{name}@{digest}"));
    }
    let mut rest = name.as_str();
    scopes.push(rest.to_owned());
    while let Some((above, _)) = rest.rsplit_once('/') {
        scopes.push(above.to_owned());
        rest = above;
    }
    let mut domain = rest.split(':').next().unwrap_or(rest);
    while let Some((_, above)) = domain.split_once('.') {
        scopes.push(format!("*.{above}"));
        domain = above;
    }
    scopes
}

/// The image, its directory, the directories above.
fn oci(path: &Path, name: Option<&str>) -> Vec<String> {
    let image = name.map(|name| format!("{}:{name}", path.display()));
    image
        .into_iter()
        .chain(path.ancestors().map(|p| p.display().to_string()))
        .collect()
}
