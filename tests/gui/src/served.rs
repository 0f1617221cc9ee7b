// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images in a registry of the test's own, and `bootc.conf` for them.

use std::net::SocketAddr;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
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
    options: Options,
    registry: Option<Registry>,
    address: SocketAddr,
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
        let registry = options.clone().start().unwrap();
        let mut copy = Command::new("skopeo");
        copy.args(["--insecure-policy", "copy", "--quiet", "--all"])
            .args(["--preserve-digests", "--dest-tls-verify=false"]);
        if let Some((user, password)) = login {
            let auth = STANDARD.encode(format!("{user}:{password}"));
            let auths = json!({"auths": {registry.host(): {"auth": auth}}});
            let file = world.inner().file("auth", auths.to_string());
            copy.arg("--dest-authfile").arg(file);
        }
        copy.arg(image.reference())
            .arg(format!("docker://{}/{NAME}:{TAG}", registry.host()))
            .run()
            .unwrap();
        Some(Self {
            options,
            address: registry.address(),
            registry: Some(registry),
            digest: image.digest().unwrap(),
        })
    }

    /// The registry's address, before which a fault proxy may be put.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The image's reference.
    pub fn reference(&self) -> String {
        self.reference_at(&self.address.to_string())
    }

    /// The image's reference when the registry is reached as `host`.
    pub fn reference_at(&self, host: &str) -> String {
        format!("{host}/{NAME}:{TAG}")
    }

    /// The image's digest.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Stops the registry; its port is closed then.
    pub fn stop(&mut self) {
        self.registry = None;
    }

    /// Starts it again at the same address.
    pub fn start_again(&mut self) {
        let options = self.options.clone().listen(self.address);
        self.registry = Some(options.start().unwrap());
    }

    /// A `bootc.conf` that installs this image.
    pub fn conf(&self) -> Value {
        bootc_conf(&self.reference(), &self.address.to_string())
    }
}

/// A `bootc.conf` for an image of a registry without TLS. Without a boot
/// loader, since a loop device has no partition table to put it before.
pub fn bootc_conf(reference: &str, host: &str) -> Value {
    json!({
        "containerUrl": reference,
        "registryAuth": {"registries": {host: {"insecure": true}}},
        "installOptions": {"bootloader": "none"},
    })
}
