// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing OCI image layouts (OCI image spec, image-layout.md).

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A layer whose blob lies in a layout.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// What it holds, for messages and the image history.
    pub name: String,
    /// Digest of the compressed blob.
    pub digest: String,
    /// Compressed size in bytes.
    pub size: u64,
    /// Digest of the uncompressed tar.
    pub diff_id: String,
    /// Uncompressed size in bytes.
    pub unpacked: u64,
}

/// One tag of a layout.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// The tag.
    pub tag: &'a str,
    /// Layers, lowest first.
    pub layers: Vec<Layer>,
    /// Labels of the configuration.
    pub labels: Vec<(&'a str, String)>,
    /// RFC 3339; a constant, so that the same content has the same digest.
    pub created: &'a str,
}

/// Compresses a tar stream into a blob of the layout `dir`, each byte hashed
/// on its way. `level` is gzip's.
pub fn write_layer(dir: &Path, name: &str, tar: &mut dyn Read, level: u32) -> Result<Layer> {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).with_context(|| format!("making {}", blobs.display()))?;
    let partial = blobs.join(format!(".{name}.partial"));
    let file = File::create(&partial).with_context(|| format!("creating {}", partial.display()))?;
    let mut tar = Hashing::new(tar);
    let blob = Hashing::new(BufWriter::with_capacity(1 << 20, file));
    let mut gzip = GzEncoder::new(blob, Compression::new(level));
    let mut buffer = vec![0; 1 << 17];
    loop {
        let count = tar
            .read(&mut buffer)
            .with_context(|| format!("reading the layer {name}"))?;
        if count == 0 {
            break;
        }
        gzip.write_all(&buffer[..count])
            .with_context(|| format!("writing the layer {name}"))?;
    }
    let mut blob = gzip
        .finish()
        .with_context(|| format!("writing the layer {name}"))?;
    blob.inner
        .flush()
        .with_context(|| format!("writing the layer {name}"))?;
    let (diff_id, unpacked) = tar.digest();
    let (digest, size) = blob.digest();
    let path = blobs.join(hex_of(&digest));
    fs::rename(&partial, &path).with_context(|| format!("naming {}", path.display()))?;
    Ok(Layer {
        name: name.to_owned(),
        digest,
        size,
        diff_id,
        unpacked,
    })
}

/// Writes configurations, manifests and index for images whose layer blobs
/// are in place.
pub fn write_layout(dir: &Path, images: &[Image<'_>]) -> Result<()> {
    let manifests = images
        .iter()
        .map(|image| {
            let config = write_json(dir, CONFIG_TYPE, &config_json(image))?;
            let mut manifest = write_json(dir, MANIFEST_TYPE, &manifest_json(image, &config))?;
            manifest["annotations"] = json!({ REF_NAME: image.tag });
            manifest["platform"] = json!({"architecture": architecture(), "os": "linux"});
            Ok(manifest)
        })
        .collect::<Result<Vec<_>>>()?;
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    });
    write(
        &dir.join("index.json"),
        &serde_json::to_vec(&index).context("index.json")?,
    )?;
    write(
        &dir.join("oci-layout"),
        b"{\"imageLayoutVersion\":\"1.0.0\"}",
    )
}

/// The manifest digest that a layout's index gives for `tag`.
pub fn manifest_digest(dir: &Path, tag: &str) -> Result<String> {
    let path = dir.join("index.json");
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let index: Value =
        serde_json::from_slice(&text).with_context(|| format!("parsing {}", path.display()))?;
    let manifests = index["manifests"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    manifests
        .iter()
        .find(|manifest| manifest["annotations"][REF_NAME] == tag)
        .and_then(|manifest| manifest["digest"].as_str())
        .map(str::to_owned)
        .with_context(|| format!("{} has no tag {tag}", path.display()))
}

/// All tags of a layout, in the index's order.
pub fn tags(dir: &Path) -> Result<Vec<String>> {
    let path = dir.join("index.json");
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let index: Value =
        serde_json::from_slice(&text).with_context(|| format!("parsing {}", path.display()))?;
    let manifests = index["manifests"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let tag = |manifest: &Value| {
        manifest["annotations"][REF_NAME]
            .as_str()
            .map(str::to_owned)
    };
    Ok(manifests.iter().filter_map(tag).collect())
}

fn config_json(image: &Image<'_>) -> Value {
    let labels: serde_json::Map<_, _> = image
        .labels
        .iter()
        .map(|(k, v)| ((*k).to_owned(), json!(v)))
        .collect();
    let history: Vec<_> = image
        .layers
        .iter()
        .map(|layer| json!({"created": image.created, "created_by": layer.name}))
        .collect();
    json!({
        "created": image.created,
        "architecture": architecture(),
        "os": "linux",
        "config": {"Cmd": ["/sbin/init"], "Labels": labels},
        "rootfs": {
            "type": "layers",
            "diff_ids": image.layers.iter().map(|layer| &layer.diff_id).collect::<Vec<_>>(),
        },
        "history": history,
    })
}

fn manifest_json(image: &Image<'_>, config: &Value) -> Value {
    let layers: Vec<_> = image
        .layers
        .iter()
        .map(|layer| json!({"mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.size}))
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config,
        "layers": layers,
    })
}

fn write_json(dir: &Path, media_type: &str, value: &Value) -> Result<Value> {
    let bytes = serde_json::to_vec(value).context("writing JSON")?;
    let digest = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
    write(&dir.join("blobs/sha256").join(hex_of(&digest)), &bytes)?;
    Ok(json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// This machine's architecture, as OCI spells it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The hex part of a `sha256:` digest that this crate made.
pub(crate) fn hex_of(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes and counts what passes through.
struct Hashing<T> {
    inner: T,
    hash: Sha256,
    count: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            count: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.count += bytes.len() as u64;
    }

    fn digest(self) -> (String, u64) {
        (format!("sha256:{}", hex(&self.hash.finalize())), self.count)
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.take(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.take(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn image<'a>(tag: &'a str, layers: &[Layer]) -> Image<'a> {
        Image {
            tag,
            layers: layers.to_vec(),
            labels: vec![("containers.bootc", "1".to_owned())],
            created: "2026-01-01T00:00:00Z",
        }
    }

    #[test]
    fn a_layout_is_consistent_and_reproducible() {
        let digests: Vec<_> = (0..2)
            .map(|_| {
                let dir = tempfile::tempdir().unwrap();
                let layer = write_layer(dir.path(), "one", &mut &b"content"[..], 6).unwrap();
                assert_eq!(layer.unpacked, 7);
                let blob = fs::read(dir.path().join("blobs/sha256").join(hex_of(&layer.digest)));
                let blob = blob.unwrap();
                assert_eq!(blob.len() as u64, layer.size);
                assert_eq!(
                    format!("sha256:{}", hex(&Sha256::digest(&blob))),
                    layer.digest
                );
                let layers = [layer];
                write_layout(dir.path(), &[image("v1", &layers), image("v2", &layers)]).unwrap();
                assert_eq!(tags(dir.path()).unwrap(), ["v1", "v2"]);
                assert!(manifest_digest(dir.path(), "v3").is_err());
                // Nothing but blobs named by their digest is left.
                for entry in fs::read_dir(dir.path().join("blobs/sha256")).unwrap() {
                    let path = entry.unwrap().path();
                    let digest = hex(&Sha256::digest(fs::read(&path).unwrap()));
                    assert_eq!(path.file_name().unwrap().to_str().unwrap(), digest);
                }
                manifest_digest(dir.path(), "v1").unwrap()
            })
            .collect();
        assert_eq!(digests[0], digests[1]);
    }
}
