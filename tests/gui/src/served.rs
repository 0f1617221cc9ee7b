// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images in a registry of the test's own, and `bootc.conf` for them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{json, Value};
use test_image::OciImage;
use testkit::cmd::CommandExt;
use testkit::registry::{Options, Registry};

use crate::world::World;

const NAME: &str = "os/system";
const TAG: &str = "v1";

/// A registry on the loopback interface, which live systems share, with an
/// image in it.
#[derive(Debug)]
pub struct Served {
    registry: Registry,
    storage: PathBuf,
    digest: String,
}

impl Served {
    /// Serves the image that the main tests install. `None`, with a message,
    /// where there can be no registry.
    pub fn standard(world: &World) -> Option<Self> {
        Self::image(world, &test_image::standard().unwrap(), None)
    }

    /// Serves a tiny image, which is quickly made and pulled.
    pub fn tiny(world: &World, image: &failure::Tiny) -> Option<Self> {
        Self::image(world, &image.write(world.inner()), None)
    }

    /// Serves an image; with `login` (user and password) only to who knows it.
    pub fn image(world: &World, image: &OciImage, login: Option<(&str, &str)>) -> Option<Self> {
        if !testkit::registry::available() {
            return None;
        }
        testkit::apt::ensure(&["skopeo"]).unwrap();
        let storage = world.inner().new_path("registry");
        let mut options = Options::default().storage(&storage);
        if let Some((user, password)) = login {
            options = options.login(user, password);
        }
        let registry = options.start().unwrap();
        let mut copy = Command::new("skopeo");
        copy.args(["--insecure-policy", "copy", "--quiet", "--all"])
            .args(["--preserve-digests", "--dest-tls-verify=false"]);
        if let Some((user, password)) = login {
            // A login that was made for this test only.
            copy.arg(format!("--dest-creds={user}:{password}"));
        }
        copy.arg(image.reference())
            .arg(format!("docker://{}/{NAME}:{TAG}", registry.host()))
            .run()
            .unwrap();
        let digest = image.digest().unwrap();
        Some(Self {
            registry,
            storage,
            digest,
        })
    }

    /// The image's reference.
    pub fn reference(&self) -> String {
        format!("{}/{NAME}:{TAG}", self.registry.host())
    }

    /// The image's digest.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The registry: to know its address, or to stop it by dropping it.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Ends the registry; gives its storage, for another one.
    pub fn stop(self) -> PathBuf {
        drop(self.registry);
        self.storage
    }

    /// A `bootc.conf` that installs this image.
    pub fn conf(&self) -> Value {
        bootc_conf(&self.reference(), &self.registry.host())
    }
}

/// A `bootc.conf` for an image of a registry without TLS. Without a boot
/// loader, since a loop device has no partition table to put it before.
pub fn bootc_conf(reference: &str, host: &str) -> Value {
    json!({
        "qmlSearch": "both",
        "containerUrl": reference,
        "registryAuth": {"registries": {host: {"insecure": true}}},
        "installOptions": {"bootloader": "none"},
    })
}
