// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image in a local registry, as host and guest see it.

use std::path::Path;

use anyhow::Result;
use test_image::OciImage;
use testkit::registry::{Options, Registry};

/// The host's loopback interface, seen from a guest in user networking.
const HOST: &str = "10.0.2.2";
const NAME: &str = "os/debian";
const TAG: &str = "forky";

/// A registry on this host's loopback interface with one image in it; it ends
/// when dropped.
#[derive(Debug)]
pub struct Served {
    registry: Registry,
}

impl Served {
    /// Repository and tag of the image.
    pub const NAME: &str = "os/debian:forky";

    /// Starts a registry that keeps its blobs in `storage`, and pushes the
    /// image there.
    ///
    /// # Errors
    /// When the registry does not start or the push fails.
    pub fn start(image: &OciImage, storage: &Path) -> Result<Self> {
        let registry = Options::default().storage(storage).start()?;
        registry.push(&image.reference(), NAME, TAG)?;
        Ok(Self { registry })
    }

    /// Where the registry listens on this host.
    pub fn address(&self) -> String {
        self.registry.host()
    }

    /// The image's reference in the guest.
    pub fn imgref(&self) -> String {
        format!("{HOST}:{}/{NAME}:{TAG}", self.registry.address().port())
    }

    /// A `bootc.conf` for this registry: plain HTTP, and the installed system
    /// keeps that setting, since it updates from there.
    pub fn config(&self) -> String {
        config(self.registry.address().port())
    }

    /// The digest of the image's tag, by the registry's own word.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub fn digest(&self) -> Result<String> {
        self.registry.digest(NAME, TAG)
    }
}

fn config(port: u16) -> String {
    format!(
        "registryAuth:\n  registries:\n    \"{HOST}:{port}\":\n      insecure: true\n\
         keepRegistries: true\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_the_host_as_the_guest_does() {
        assert_eq!(
            config(5000),
            r#"registryAuth:
  registries:
    "10.0.2.2:5000":
      insecure: true
keepRegistries: true
"#
        );
    }
}
