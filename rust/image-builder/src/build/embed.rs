// SPDX-License-Identifier: MIT OR Apache-2.0
//! The images of a distro: looked at before anything is built, and pulled when
//! they go onto the medium.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use conf::Config;
use contract::size::human;
use host::cancel::Cancel;
use installer::cli::image_plan;
use registry::{OciLayout, PullObserver, Registry, RegistryError, ResolvedImage};
use serde_json::json;
use source::client;
use source::coded::Coded;
use source::secret::Secrets;

use crate::config::{Distro, FILE_NAME};
use crate::error::{Code, Error, Result};
use crate::progress::Progress;

/// Where embedded images are on the medium, and before that in the work
/// directory.
pub const ON_MEDIUM: &str = "images";
/// Where they are once it has booted.
pub const IN_LIVE: &str = "/run/live/medium/images";
/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);

/// An image that was looked at.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its whole reference.
    pub reference: String,
    /// What the registry has.
    pub resolved: ResolvedImage,
}

/// Every reference that a distro names, each once: the default first.
pub fn references(distro: &Distro) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let named = distro.images.default.iter().chain(&distro.images.embed);
    let offered = distro.images.catalogue.iter().map(|entry| &entry.reference);
    named
        .chain(offered)
        .filter(|reference| seen.insert((*reference).clone()))
        .cloned()
        .collect()
}

/// Looks an image up: it exists, and it can be installed.
///
/// # Errors
/// `IMAGE_REFUSED` with what the engine says about it, also when `stop` fires.
pub fn look_up(distro: &Distro, reference: &str, stop: &Cancel) -> Result<Image> {
    let resolved = plan(distro, reference)
        .and_then(|plan| {
            let secrets = Secrets::read(&plan)?;
            source::look_up::image(&plan, &secrets, stop)
        })
        .map_err(|err| refused(reference, err))?
        .image;
    Ok(Image {
        reference: reference.to_owned(),
        resolved,
    })
}

/// The bytes of the images' layers, each counted once: all, and those that are
/// not in the layout at `dir` yet.
pub fn layer_bytes(images: &[Image], dir: &Path) -> (u64, u64) {
    let layers = images.iter().flat_map(|image| &image.resolved.layers);
    let sizes: BTreeMap<&str, u64> = layers
        .map(|layer| (layer.digest.hex(), layer.size))
        .collect();
    sizes.iter().fold((0, 0), |(all, missing), (hex, size)| {
        let there = dir.join("blobs/sha256").join(hex).exists();
        let more = if there { 0 } else { *size };
        (size.saturating_add(all), more.saturating_add(missing))
    })
}

fn plan(distro: &Distro, reference: &str) -> contract::error::Result<contract::plan::Plan> {
    image_plan(reference, None, engine_config(distro))
}

/// How registries are reached, as the distro says; credentials are those of this
/// machine.
pub(crate) fn engine_config(distro: &Distro) -> Config {
    Config {
        path: distro.path.clone().unwrap_or_else(|| FILE_NAME.into()),
        registries: distro.calamares.registries.clone(),
        updates: distro.calamares.updates,
        ..Config::default()
    }
}

fn refused(reference: &str, err: contract::error::Error) -> Error {
    let mut error = Error::new(
        Code::ImageRefused,
        format!("The image {reference} cannot be offered: {}", err.what),
    )
    .why(err.why)
    .next(if err.next.is_empty() {
        "Correct `images` in distro.yaml; --no-image-check builds without looking.".to_owned()
    } else {
        err.next
    })
    .detail(format!("code of the installer: {}", err.code.name()));
    error.details.extend(err.details);
    error
}

/// Brings the images into the layout at `dir`, each under its whole reference,
/// and removes what is of no image any more. What is there already is not
/// downloaded again.
///
/// # Errors
/// `IMAGE_REFUSED`, `INTERRUPTED`, `IO`, `DISK_FULL`.
pub fn pull(
    distro: &Distro,
    images: &[Image],
    dir: &Path,
    progress: &mut Progress,
    stop: &Cancel,
) -> Result<()> {
    let layout = OciLayout::create(dir).map_err(|err| layout_failed(dir, &err))?;
    for image in images {
        pull_one(distro, image, &layout, progress, stop)?;
    }
    write_index(dir, images)?;
    prune(dir, images)?;
    for image in images {
        copy_signatures(distro, image, &layout)?;
        stop.check()?;
    }
    Ok(())
}

/// The image's signatures, without which it could not be verified offline.
fn copy_signatures(distro: &Distro, image: &Image, layout: &OciLayout) -> Result<()> {
    let copy = || -> contract::error::Result<()> {
        let plan = plan(distro, &image.reference)?;
        let secrets = Secrets::read(&plan)?;
        let registry =
            Registry::new(client::client_config(&plan, &secrets)?).map_err(Coded::coded)?;
        let name = &plan.image.imgref;
        let resolved = &image.resolved;
        // A mirror may be without the signatures.
        let places = registry.places(resolved).map_err(Coded::coded)?;
        let runtime = client::runtime()?;
        let signable = [
            Some(&resolved.manifest_digest),
            resolved.index_digest.as_ref(),
        ];
        for digest in signable.into_iter().flatten() {
            // One that cannot be reached matters only when no other answers.
            let (mut answered, mut failure) = (false, Ok(()));
            for at in &places {
                let copy = registry.copy_signatures(at, name, digest, layout);
                match runtime.block_on(copy) {
                    Ok(copied) => {
                        answered = true;
                        if copied > 0 {
                            break;
                        }
                    }
                    Err(error) => failure = Err(error.coded()),
                }
            }
            if !answered {
                failure?;
            }
        }
        Ok(())
    };
    copy().map_err(|err| refused(&image.reference, err))
}

fn pull_one(
    distro: &Distro,
    image: &Image,
    layout: &OciLayout,
    progress: &mut Progress,
    stop: &Cancel,
) -> Result<()> {
    let total = human(image.resolved.compressed_size());
    let counter = Counter::default();
    let failed = |err: contract::error::Error| refused(&image.reference, err);
    let plan = plan(distro, &image.reference).map_err(failed)?;
    let secrets = Secrets::read(&plan).map_err(failed)?;
    let registry = client::client_config(&plan, &secrets)
        .and_then(|config| Registry::new(config).map_err(Coded::coded))
        .map_err(failed)?;
    let pulled = client::runtime().map_err(failed)?.block_on(async {
        let pull = registry.pull(&image.resolved, layout, &counter, stop.token());
        let mut pull = std::pin::pin!(pull);
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                biased;
                done = &mut pull => return done,
                _ = tick.tick() => {
                    let done = human(counter.0.load(Ordering::Relaxed));
                    progress.at(&format!("{} ({done} of {total})", image.reference));
                }
            }
        }
    });
    stop.check()?;
    pulled.map(drop).map_err(|err| failed(err.coded()))
}

/// Counts bytes.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl PullObserver for Counter {
    fn bytes(&self, _layer: usize, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn rewound(&self, _layer: usize, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    fn layer_done(&self, _layer: usize, _path: &Path) {}

    fn retry(&self, _layer: usize, _attempt: u32, _error: &RegistryError, _delay: Duration) {}
}

/// The index of the medium: names are whole references, in the order of the
/// distro.
fn write_index(dir: &Path, images: &[Image]) -> Result<()> {
    let manifests: Vec<_> = images
        .iter()
        .map(|image| {
            json!({
                "mediaType": image.resolved.manifest_media_type,
                "digest": image.resolved.manifest_digest.to_string(),
                "size": image.resolved.manifest_bytes.len(),
                "annotations": { "org.opencontainers.image.ref.name": image.reference },
            })
        })
        .collect();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    });
    let path = dir.join("index.json");
    fs::write(&path, index.to_string()).map_err(|err| Error::io("Writing", &path, &err))
}

/// Removes blobs that belong to none of the images.
fn prune(dir: &Path, images: &[Image]) -> Result<()> {
    let wanted: BTreeSet<String> = images
        .iter()
        .flat_map(|image| {
            let resolved = &image.resolved;
            let layers = resolved.layers.iter().map(|layer| &layer.digest);
            layers.chain([&resolved.manifest_digest, &resolved.config_digest])
        })
        .map(|digest| digest.hex().to_owned())
        .collect();
    let blobs = dir.join("blobs/sha256");
    let failed = |err: std::io::Error| Error::io("Cleaning", &blobs, &err);
    for entry in fs::read_dir(&blobs).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !wanted.contains(entry.file_name().to_string_lossy().as_ref()) {
            fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

fn layout_failed(dir: &Path, err: &RegistryError) -> Error {
    Error::new(
        Code::Io,
        format!("The layout {} cannot be used.", dir.display()),
    )
    .next("Run `debian-bootc-image-builder clean` and build again.")
    .detail(err.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use conf::{CatalogueEntry, Localized};

    #[test]
    fn every_image_is_looked_at_once() {
        let entry = |reference: &str| CatalogueEntry {
            name: Localized {
                default: "n".to_owned(),
                translations: Default::default(),
            },
            description: None,
            icon: None,
            reference: reference.to_owned(),
        };
        let mut distro = Distro::default();
        assert!(references(&distro).is_empty());
        distro.images.default = Some("r.example/a:1".into());
        distro.images.embed = vec!["r.example/a:1".into(), "r.example/b:1".into()];
        distro.images.catalogue = vec![entry("r.example/b:1"), entry("r.example/c:1")];
        assert_eq!(
            references(&distro),
            ["r.example/a:1", "r.example/b:1", "r.example/c:1"]
        );
    }

    /// An image without layers that says that it can be booted.
    fn image(dir: &Path) {
        let config = json!({
            "architecture": registry::Platform::host().architecture,
            "os": "linux",
            "config": {"Labels": {"containers.bootc": "1"}},
            "rootfs": {"type": "layers", "diff_ids": []},
        });
        let blobs = dir.join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let put = |kind: &str, value: &serde_json::Value| {
            use sha2::Digest as _;
            let bytes = value.to_string().into_bytes();
            let hex: String = sha2::Sha256::digest(&bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            let size = bytes.len();
            fs::write(blobs.join(&hex), bytes).unwrap();
            let media_type = format!("application/vnd.oci.image.{kind}.v1+json");
            json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": size})
        };
        let config = put("config", &config);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": [],
        });
        let index = json!({"schemaVersion": 2, "manifests": [put("manifest", &manifest)]});
        fs::write(dir.join("index.json"), index.to_string()).unwrap();
        fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
    }

    /// What the builder puts onto the medium can be verified without a network.
    #[test]
    fn signatures_come_along_with_the_image() {
        use testkit::cosign::{Cosign, Version};
        if !testkit::registry::available() {
            return;
        }
        for version in [Version::Two, Version::Three] {
            let Some(cosign) = Cosign::available(version) else {
                return;
            };
            let dir = tempfile::tempdir().unwrap();
            let server = testkit::registry::Registry::start().unwrap();
            let host = server.host();
            image(&dir.path().join("image"));
            let source = format!("oci:{}", dir.path().join("image").display());
            server.push(&source, "os/a", "1").unwrap();
            let reference = format!("{host}/os/a:1");
            let key = cosign.make_key(dir.path(), "key").unwrap();
            let text = format!(
                "calamares: {{registry_auth: {{registries: {{\"{host}\": {{insecure: true, signatureKeys: [\"{}\"]}}}}}}}}\n",
                key.display()
            );
            let file = dir.path().join("distro.yaml");
            fs::write(&file, text).unwrap();
            let distro = Distro::read(&file).unwrap();
            let refusal = look_up(&distro, &reference, &Cancel::new()).unwrap_err();
            assert!(refusal.to_string().contains("not signed"), "{refusal}");

            let digest = server.digest("os/a", "1").unwrap();
            let signed = format!("{host}/os/a@{digest}");
            cosign.sign(dir.path(), "key", &signed, &[]).unwrap();
            let images = [look_up(&distro, &reference, &Cancel::new()).unwrap()];
            let medium = dir.path().join("medium");
            for _ in 0..2 {
                let mut progress = Progress::new(false);
                pull(&distro, &images, &medium, &mut progress, &Cancel::default()).unwrap();
            }
            drop(server);
            let mut plan = plan(&distro, &reference).unwrap();
            plan.layouts = vec![medium.clone().into()];
            let check = |plan| source::look_up::image(plan, &Secrets::default(), &Cancel::new());
            let found = check(&plan).unwrap();
            assert!(found.offline);
            let trust = found.trust.to_string();
            assert!(trust.starts_with("verified"), "{trust}");
            // And without them it could not.
            write_index(&medium, &images).unwrap();
            let error = check(&plan).unwrap_err();
            assert_eq!(error.code.name(), "IMAGE_NOT_SIGNED", "{error}");
        }
    }
}
