// SPDX-License-Identifier: MIT OR Apache-2.0
//! Indexes, manifests and configurations: image-spec 1.1 and the Docker forms
//! of the same (manifest version 2, schema 2). Nothing here does I/O.

use std::collections::BTreeMap;

use imageref::{Digest, Reference};
use serde::{Deserialize, Serialize};

use crate::error::{RegistryError, shorten};
use crate::store::hash::digest_of;
use crate::store::image::{Compression, ImageConfig, Layer, ResolvedImage};
use crate::{CONFIG_MAX, INDEX_ENTRIES_MAX, LAYERS_MAX, MANIFEST_MAX};
use imageref::Platform;

pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Most bytes of all layers together: image-spec has sizes as `int64`.
const SIZE_MAX: u64 = i64::MAX as u64;

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Most platforms that a message names.
const PLATFORMS_SHOWN: usize = 20;

/// What can be read here, for an `Accept` header.
pub(crate) const ACCEPT: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

/// Points to content (image-spec `descriptor.md`).
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<RawPlatform>,
}

impl Descriptor {
    /// Whether it points to a manifest that may be an image's.
    fn is_image(&self) -> bool {
        [OCI_MANIFEST, DOCKER_MANIFEST].contains(&self.media_type.as_str())
    }
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct RawPlatform {
    pub(crate) architecture: String,
    pub(crate) os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
}

impl From<RawPlatform> for Platform {
    fn from(raw: RawPlatform) -> Self {
        Self {
            os: raw.os,
            architecture: raw.architecture,
            variant: raw.variant.filter(|v| !v.is_empty()),
        }
    }
}

/// An entry of a list. One that cannot be read must not hide the others: it may
/// be about another platform, or of a kind that is newer than this.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Lenient<T> {
    Readable(Box<T>),
    /// As it is, so that who writes the list again loses nothing.
    Other(serde_json::Value),
}

impl<T> Lenient<T> {
    pub(crate) fn readable(&self) -> Option<&T> {
        match self {
            Self::Readable(entry) => Some(entry),
            Self::Other(_) => None,
        }
    }

    pub(crate) fn into_readable(self) -> Option<T> {
        match self {
            Self::Readable(entry) => Some(*entry),
            Self::Other(_) => None,
        }
    }
}

/// An index or a manifest.
#[derive(Debug)]
pub(crate) enum Document {
    Index(Vec<Descriptor>),
    Manifest(Box<Manifest>),
}

/// A manifest: what an image consists of.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) config: Descriptor,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
}

/// A verified document and where it came from.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
    /// What the transport calls it; the document itself goes before.
    pub(crate) media_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDocument {
    schema_version: u32,
    media_type: Option<String>,
    manifests: Option<Vec<Lenient<Descriptor>>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// Reads an index or a manifest. `what` names it in errors.
pub(crate) fn parse(what: &str, fetched: &Fetched) -> Result<Document, RegistryError> {
    let malformed = |problem: &str| Err(RegistryError::malformed(what, problem));
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        schema_version: u32,
    }
    if let Ok(Version { schema_version: 1 }) = serde_json::from_slice(&fetched.bytes) {
        return Err(RegistryError::NotAnImage {
            what: what.to_owned(),
            media_type: "docker manifest schema 1".to_owned(),
        });
    }
    let raw: RawDocument =
        serde_json::from_slice(&fetched.bytes).map_err(|e| RegistryError::malformed(what, e))?;
    if raw.schema_version != 2 {
        return malformed("schemaVersion is not 2");
    }
    let media_type = raw.media_type.or_else(|| {
        let known = |t: &&String| ACCEPT.contains(&t.as_str());
        fetched.media_type.as_ref().filter(known).cloned()
    });
    // A document that is both could mean one image here and another elsewhere.
    match (media_type, raw.manifests, raw.config, raw.layers) {
        (_, Some(_), _, Some(_)) => malformed("it is an index and a manifest at once"),
        (media_type, Some(manifests), _, None) => match media_type.as_deref() {
            None | Some(OCI_INDEX | DOCKER_LIST) => {
                at_most(what, "entries", manifests.len(), INDEX_ENTRIES_MAX)?;
                let readable = manifests.into_iter().filter_map(Lenient::into_readable);
                Ok(Document::Index(readable.collect()))
            }
            Some(other) => Err(not_an_image(what, other)),
        },
        (media_type, None, Some(config), Some(layers)) => {
            let media_type = media_type.unwrap_or_else(|| OCI_MANIFEST.to_owned());
            if media_type != OCI_MANIFEST && media_type != DOCKER_MANIFEST {
                return Err(not_an_image(what, &media_type));
            }
            if config.media_type != OCI_CONFIG && config.media_type != DOCKER_CONFIG {
                return Err(not_an_image(what, &config.media_type));
            }
            at_most(what, "layers", layers.len(), LAYERS_MAX)?;
            if config.size > CONFIG_MAX {
                return Err(RegistryError::TooLarge {
                    what: format!("the configuration of {what}"),
                    limit: CONFIG_MAX,
                });
            }
            Ok(Document::Manifest(Box::new(Manifest {
                media_type,
                config,
                layers,
                annotations: raw.annotations.unwrap_or_default(),
            })))
        }
        (_, None, _, _) => malformed("it is neither an index nor the manifest of an image"),
    }
}

/// The entry of an index that fits the platform best; of equals the first. An
/// entry that names no platform is taken when no other fits, as containers/image
/// does it: its configuration says what it is for.
pub(crate) fn choose<'a>(
    entries: &'a [Descriptor],
    wanted: &Platform,
) -> Result<&'a Descriptor, RegistryError> {
    let platform_of = |entry: &Descriptor| entry.platform.clone().map(Platform::from);
    entries
        .iter()
        .filter_map(|e| Some((wanted.distance(&platform_of(e)?)?, e)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, entry)| entry)
        .or_else(|| {
            entries
                .iter()
                .find(|e| e.platform.is_none() && e.is_image())
        })
        .ok_or_else(|| RegistryError::NoPlatform {
            wanted: wanted.clone(),
            offered: entries
                .iter()
                .filter_map(platform_of)
                // build tools mark attestations like this
                .filter(|p| p.os != "unknown")
                .map(shown_platform)
                .take(PLATFORMS_SHOWN)
                .collect(),
        })
}

/// Refuses an entry of an index that claims more bytes than are accepted.
pub(crate) fn check_manifest_size(what: &str, entry: &Descriptor) -> Result<(), RegistryError> {
    if entry.size > MANIFEST_MAX {
        return Err(RegistryError::TooLarge {
            what: what.to_owned(),
            limit: MANIFEST_MAX,
        });
    }
    Ok(())
}

/// Checks bytes against size and digest.
pub(crate) fn verify(
    what: &str,
    bytes: &[u8],
    size: Option<u64>,
    expected: &Digest,
) -> Result<(), RegistryError> {
    let got = bytes.len() as u64;
    if let Some(expected) = size.filter(|s| *s != got) {
        return Err(RegistryError::SizeMismatch {
            what: what.to_owned(),
            expected,
            got,
        });
    }
    let digest = digest_of(expected.algorithm(), bytes);
    if digest != *expected {
        return Err(RegistryError::DigestMismatch {
            what: what.to_owned(),
            expected: expected.clone(),
            got: digest,
        });
    }
    Ok(())
}

/// Where an image comes from.
pub(crate) struct Origin<'a> {
    pub(crate) name: &'a str,
    pub(crate) reference: Option<&'a Reference>,
    pub(crate) index_digest: Option<Digest>,
}

/// Puts together what was fetched and verified.
pub(crate) fn assemble(
    origin: Origin<'_>,
    fetched: Fetched,
    manifest: Manifest,
    config_bytes: Vec<u8>,
    wanted: &Platform,
) -> Result<ResolvedImage, RegistryError> {
    let what = format!("the configuration of {}", origin.name);
    let config = parse_config(&what, &config_bytes)?;
    if wanted.distance(&config.platform).is_none() {
        return Err(RegistryError::NoPlatform {
            wanted: wanted.clone(),
            offered: vec![shown_platform(config.platform)],
        });
    }
    let layers = layers(origin.name, manifest.layers, &config.diff_ids)?;
    Ok(ResolvedImage {
        origin: origin.name.to_owned(),
        reference: origin.reference.cloned(),
        endpoint: None,
        mirror_failures: Vec::new(),
        index_digest: origin.index_digest,
        manifest_digest: fetched.digest,
        manifest_media_type: manifest.media_type,
        manifest_bytes: fetched.bytes,
        annotations: manifest.annotations,
        config_digest: manifest.config.digest,
        config_bytes,
        config,
        layers,
    })
}

fn layers(
    what: &str,
    descriptors: Vec<Descriptor>,
    diff_ids: &[Digest],
) -> Result<Vec<Layer>, RegistryError> {
    if descriptors.len() != diff_ids.len() {
        let problem = format!(
            "{} layers in the manifest, {} in the configuration",
            descriptors.len(),
            diff_ids.len()
        );
        return Err(RegistryError::malformed(what, problem));
    }
    let total = descriptors
        .iter()
        .try_fold(0, |sum: u64, layer| sum.checked_add(layer.size));
    if total.is_none_or(|total| total > SIZE_MAX) {
        return Err(RegistryError::malformed(what, "the sizes of its layers"));
    }
    let mut sizes = BTreeMap::new();
    let layer = |(index, (descriptor, diff_id)): (usize, (Descriptor, &Digest))| {
        let name = format!("layer {} of {what}", index + 1);
        let Some(compression) = Compression::from_media_type(&descriptor.media_type) else {
            return Err(unsupported(&name, &descriptor.media_type));
        };
        let known = *sizes
            .entry(descriptor.digest.clone())
            .or_insert(descriptor.size);
        if known != descriptor.size {
            return Err(RegistryError::malformed(&name, "one layer with two sizes"));
        }
        Ok(Layer {
            digest: descriptor.digest,
            size: descriptor.size,
            media_type: descriptor.media_type,
            compression,
            diff_id: diff_id.clone(),
        })
    };
    descriptors
        .into_iter()
        .zip(diff_ids)
        .enumerate()
        .map(layer)
        .collect()
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(flatten)]
    platform: RawPlatform,
    created: Option<String>,
    config: Option<RawContainerConfig>,
    rootfs: RawRootfs,
}

#[derive(Deserialize)]
struct RawContainerConfig {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct RawRootfs {
    diff_ids: Option<Vec<Digest>>,
}

fn parse_config(what: &str, bytes: &[u8]) -> Result<ImageConfig, RegistryError> {
    let raw: RawConfig =
        serde_json::from_slice(bytes).map_err(|e| RegistryError::malformed(what, e))?;
    Ok(ImageConfig {
        platform: raw.platform.into(),
        created: raw.created,
        labels: raw.config.and_then(|c| c.labels).unwrap_or_default(),
        diff_ids: raw.rootfs.diff_ids.unwrap_or_default(),
    })
}

fn not_an_image(what: &str, media_type: &str) -> RegistryError {
    RegistryError::NotAnImage {
        what: what.to_owned(),
        media_type: shorten(media_type),
    }
}

fn unsupported(what: &str, media_type: &str) -> RegistryError {
    RegistryError::Unsupported {
        what: what.to_owned(),
        media_type: shorten(media_type),
    }
}

/// Refuses a list that is longer than any honest one.
fn at_most(what: &str, of: &str, count: usize, most: usize) -> Result<(), RegistryError> {
    if count <= most {
        return Ok(());
    }
    let problem = format!("it has {count} {of}, and at most {most} are accepted");
    Err(RegistryError::malformed(what, problem))
}

/// A platform for a message: its names are an image's own, and can be anything.
fn shown_platform(platform: Platform) -> Platform {
    Platform {
        os: shorten(&platform.os),
        architecture: shorten(&platform.architecture),
        variant: platform.variant.as_deref().map(shorten),
    }
}

#[cfg(test)]
mod tests;
