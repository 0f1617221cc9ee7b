// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images whose signature is demanded: unsigned, signed by somebody else, and
//! signed as they must be by the real cosign.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::registry::signature::PublicKey;
use ::registry::{ClientConfig, OciLayout, Registry as Client};
use contract::error::Code;
use contract::event::Event;
use failure::{Tiny, World};
use serde_json::Value;
use testkit::cmd::CommandExt;
use testkit::cosign::{Cosign, Version};
use testkit::registry::Registry;

use crate::registry::refused;

/// A registry with an image, and somebody who signs.
struct Signed<'w> {
    world: &'w World,
    registry: Registry,
    /// The image's reference.
    image: String,
    cosign: Cosign,
    /// Where the keys are.
    keys: PathBuf,
}

impl<'w> Signed<'w> {
    fn new(world: &'w World, version: Version) -> Option<Self> {
        let cosign = Cosign::available(version)?;
        let (registry, image) = world.serve(&Tiny::working())?;
        let keys = world.dir().join(format!("{version:?}"));
        fs::create_dir(&keys).unwrap();
        Some(Self {
            world,
            registry,
            image,
            cosign,
            keys,
        })
    }

    fn key(&self, name: &str) -> PathBuf {
        self.cosign.make_key(&self.keys, name).unwrap()
    }

    fn sign(&self, name: &str) {
        let digest = self.registry.digest("os/tiny", "v1").unwrap();
        let (repository, _) = self.image.rsplit_once(':').unwrap();
        let image = format!("{repository}@{digest}");
        self.cosign.sign(&self.keys, name, &image, &[]).unwrap();
    }

    /// The entry of the registry in bootc.conf.
    fn entry(&self, key: &Path) -> String {
        format!("insecure: true, signatureKeys: [\"{}\"]", key.display())
    }

    #[track_caller]
    fn refused(&self, key: &Path, code: Code, object: &str) {
        let host = self.registry.host();
        let entry = self.entry(key);
        refused(
            self.world,
            &self.image,
            |i| i.registry(&host, &entry),
            code,
            object,
        );
    }
}

#[test]
fn an_image_without_the_right_signature_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some(signed) = Signed::new(&world, Version::Two) else {
        return;
    };
    let (key, other) = (signed.key("key"), signed.key("other"));
    signed.refused(&key, Code::ImageNotSigned, "os/tiny:v1");
    signed.sign("other");
    signed.refused(&key, Code::SignatureInvalid, "os/tiny:v1");
    let private = signed.keys.join("key.key");
    signed.refused(&private, Code::ConfigInvalid, "key.key");
    assert!(other.exists());
}

#[test]
fn a_signed_image_is_installed_and_its_updates_are_verified() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    for version in [Version::Two, Version::Three] {
        let Some(signed) = Signed::new(&world, version) else {
            return;
        };
        let key = signed.key("key");
        signed.sign("key");
        let host = signed.registry.host();
        let disk = world.small_disk();
        let run = world
            .install(&signed.image, disk.path())
            .args(["--bootloader", "none"])
            .registry(&host, &signed.entry(&key))
            .run();
        let summary = run.assert_done();
        let print = PublicKey::read(&key).unwrap().fingerprint().to_string();
        let told = run.events.iter().any(|event| {
            matches!(event, Event::Message { id, text, .. }
                if id == "signature" && text.contains(&print))
        });
        assert!(told, "{run}");
        let etc = disk.path().join(&summary.deployment).join("etc/containers");
        let warned = run
            .warnings()
            .iter()
            .any(|w| w.contains("kind of signature"));
        assert_eq!(warned, version == Version::Three, "{run}");
        if version == Version::Two {
            let policy = fs::read_to_string(etc.join("policy.json")).unwrap();
            let policy: Value = serde_json::from_str(&policy).unwrap();
            let (repository, _) = signed.image.rsplit_once(':').unwrap();
            let scope = &policy["transports"]["docker"][repository][0];
            let kept = scope["keyPath"].as_str().unwrap();
            let kept = etc.join("keys").join(Path::new(kept).file_name().unwrap());
            let kept = PublicKey::read(&kept).unwrap();
            assert_eq!(kept.fingerprint().to_string(), print);
            assert!(etc.join("registries.d/50-installer.yaml").exists());
        } else {
            assert!(!etc.join("policy.json").exists());
        }
    }
}

/// The tag moves to an unsigned image after the plan was made.
#[test]
fn what_was_planned_is_verified_and_installed() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some(signed) = Signed::new(&world, Version::Two) else {
        return;
    };
    let key = signed.key("key");
    signed.sign("key");
    let host = signed.registry.host();
    let disk = world.small_disk();
    let plan = world
        .installer()
        .args([
            "plan",
            "--image",
            &signed.image,
            "--bootloader",
            "none",
            "--root",
        ])
        .arg(disk.path())
        .registry(&host, &signed.entry(&key))
        .output();
    let planned: Value = serde_json::from_str(&plan).unwrap();
    let next = Tiny::working().with("usr/next", "next").write(&world);
    signed
        .registry
        .push(&next.reference(), "os/tiny", "v1")
        .unwrap();
    let moved = signed.registry.digest("os/tiny", "v1").unwrap();
    assert_ne!(planned["image"]["digest"], moved);
    signed.refused(&key, Code::ImageNotSigned, "os/tiny:v1");
    let path = world.file("plan.json", &plan);
    let installer = world
        .installer()
        .args(["install", "--events", "-", "--plan"]);
    let run = installer.arg(path).run();
    assert_eq!(planned["image"]["digest"], run.assert_done().digest);
}

#[test]
fn verification_can_be_turned_off_with_a_warning() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some(signed) = Signed::new(&world, Version::Two) else {
        return;
    };
    let key = signed.key("key");
    let host = signed.registry.host();
    let answer = world
        .installer()
        .args(["check", "--format", "json", "--image", &signed.image])
        .registry(&host, &signed.entry(&key))
        .setting("noSignatureVerification: true")
        .output();
    let facts: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(facts["signature"]["state"], "not-verified", "{facts}");
    assert_eq!(facts["signature"]["why"], "turned-off", "{facts}");
    let warning = facts["warnings"][0].as_str().unwrap();
    assert!(warning.contains("noSignatureVerification"), "{facts}");
}

/// Offline only what lies beside the image can be verified.
#[test]
fn without_a_network_the_medium_needs_the_signature_too() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    for version in [Version::Two, Version::Three] {
        let Some(signed) = Signed::new(&world, version) else {
            return;
        };
        let key = signed.key("key");
        signed.sign("key");
        let host = signed.registry.host();
        let reference: imageref::Reference = signed.image.parse().unwrap();
        let digest = signed.registry.digest("os/tiny", "v1").unwrap();
        let media = [world.new_path("unsigned"), world.new_path("signed")];
        for medium in &media {
            let mut copy = Command::new("skopeo");
            copy.args(["--insecure-policy", "copy", "--quiet", "--all"])
                .args(["--preserve-digests", "--src-tls-verify=false"])
                .arg(format!("docker://{}", signed.image))
                .arg(format!("oci:{}:{}", medium.display(), signed.image));
            copy.run().unwrap();
        }
        let config = ClientConfig {
            insecure_hosts: [host.clone()].into(),
            ..ClientConfig::default()
        };
        let client = Client::new(config).unwrap();
        let layout = OciLayout::open(&media[1]).unwrap();
        let digest = digest.parse().unwrap();
        let at = registry::Endpoint {
            reference: reference.clone(),
            insecure: true,
            mirror: false,
        };
        let copy = client.copy_signatures(&at, &reference, &digest, &layout);
        let copied = source::client::runtime().unwrap().block_on(copy);
        assert_eq!(copied.unwrap(), 1);
        let entry = signed.entry(&key);
        let image = signed.image.clone();
        drop(signed);

        let run = refused(
            &world,
            &image,
            |i| i.arg("--layout").arg(&media[0]).registry(&host, &entry),
            Code::ImageNotSigned,
            "os/tiny:v1",
        );
        assert!(run.to_string().contains("Connect to the network"), "{run}");
        let disk = world.small_disk();
        let run = world
            .install(&image, disk.path())
            .args(["--bootloader", "none", "--layout"])
            .arg(&media[1])
            .registry(&host, &entry)
            .run();
        assert_eq!(run.assert_done().bytes_downloaded, 0);
    }
}
