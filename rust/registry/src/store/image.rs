// SPDX-License-Identifier: MIT OR Apache-2.0
//! An image whose manifest and configuration are known and checked.

use std::collections::BTreeMap;

use imageref::Digest;

use crate::settings::registries_conf::Endpoint;
use imageref::Platform;

/// One image for one platform: its manifest, its configuration and what its
/// layers are. Manifest and configuration are verified; the layers may be
/// anywhere.
#[derive(Debug, Clone)]
pub struct ResolvedImage {
    /// Where the image came from, for messages.
    pub origin: String,
    /// The reference that was resolved; `None` for an image in a layout.
    pub reference: Option<imageref::Reference>,
    /// The place that answered, which may be a mirror; `None` for an image in a
    /// layout.
    pub endpoint: Option<Endpoint>,
    /// Why mirrors before that place did not answer, one text for each.
    pub mirror_failures: Vec<String>,
    /// The digest of the index that the manifest was chosen from, if the
    /// reference leads to one.
    pub index_digest: Option<Digest>,
    /// The digest of the manifest.
    pub manifest_digest: Digest,
    /// The media type of the manifest.
    pub manifest_media_type: String,
    /// The manifest, byte for byte.
    pub manifest_bytes: Vec<u8>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The digest of the configuration.
    pub config_digest: Digest,
    /// The configuration, byte for byte.
    pub config_bytes: Vec<u8>,
    /// What the configuration says.
    pub config: ImageConfig,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

impl ResolvedImage {
    /// The digest that the reference led to: that of the index, or of the
    /// manifest where there is no index. This is what a registry shows for the tag.
    pub fn reference_digest(&self) -> &Digest {
        self.index_digest.as_ref().unwrap_or(&self.manifest_digest)
    }

    /// Bytes to transfer for all layers, a layer that occurs twice counted once.
    pub fn compressed_size(&self) -> u64 {
        let sizes: BTreeMap<&Digest, u64> =
            self.layers.iter().map(|l| (&l.digest, l.size)).collect();
        sizes
            .values()
            .fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// The value of a label of the configuration.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.config.labels.get(key).map(String::as_str)
    }

    /// The version that the image's maker gave it
    /// (`org.opencontainers.image.version`).
    pub fn version(&self) -> Option<&str> {
        self.label("org.opencontainers.image.version")
    }

    /// The name that a pull gives the image in a layout: its tag, or `latest`.
    pub fn layout_name(&self) -> &str {
        self.reference
            .as_ref()
            .and_then(|r| r.tag())
            .unwrap_or(imageref::DEFAULT_TAG)
    }
}

/// The parts of an image configuration (image-spec `config.md`) that an
/// installer needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageConfig {
    /// What the image is made for.
    pub platform: Platform,
    /// When it was made, RFC 3339, as written.
    pub created: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Digests of the uncompressed layers, lowest first; as many as layers.
    pub diff_ids: Vec<Digest>,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of the blob as it lies in registry and layout.
    pub digest: Digest,
    /// The size of the blob in bytes.
    pub size: u64,
    /// The media type of the blob.
    pub media_type: String,
    /// How the tar archive within is compressed.
    pub compression: Compression,
    /// The digest of the tar archive within.
    pub diff_id: Digest,
}

/// How the tar archive of a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, possibly of several members.
    Gzip,
    /// Zstandard, possibly of several frames.
    Zstd,
}

impl Compression {
    /// The compression that a layer's media type names; `None` for a media
    /// type that is no layer of a file system.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar" => Some(Self::None),
            "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(Self::Gzip),
            "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}
