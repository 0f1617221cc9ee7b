// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the image comes from: its manifest, configuration and layers.
//!
//! An `oci:` layout is read in place, when the image's skopeo lets it be read. Everything else goes through skopeo,
//! whose `dir:` form keeps the manifest byte for byte.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::imgref::{ImageReference, Transport};
use crate::process::CommandExt;
use crate::proxy;

/// A descriptor (OCI image spec, descriptor.md), as far as needed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Descriptor {
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default)]
    annotations: serde_json::Map<String, serde_json::Value>,
    platform: Option<Platform>,
}

#[derive(Clone, Debug, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// An image manifest.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

/// An image whose manifest was read.
#[derive(Debug)]
pub(crate) struct Image {
    reference: ImageReference,
    /// `sha256:…` of the manifest.
    pub(crate) digest: String,
    pub(crate) raw_manifest: Vec<u8>,
    pub(crate) manifest: Manifest,
    /// The layout's directory, when the source is one.
    layout: Option<PathBuf>,
}

/// An image whose blobs lie in a directory.
#[derive(Debug)]
pub(crate) struct Fetched {
    blobs: PathBuf,
    pub(crate) config: serde_json::Value,
    pub(crate) layers: Vec<Descriptor>,
}

/// The auth files that bootc looks for, in its own root.
const AUTH_FILES: [&str; 3] = [
    "/run/ostree/auth.json",
    "/etc/ostree/auth.json",
    "/usr/lib/ostree/auth.json",
];

/// skopeo's options for credentials: one of bootc's own files or none at all,
/// so that no other file is found by default.
fn auth_options(prefix: &str) -> Vec<String> {
    match AUTH_FILES.iter().find(|file| Path::new(file).exists()) {
        Some(file) => vec![format!("--{prefix}authfile={file}")],
        None => vec![format!("--{prefix}no-creds")],
    }
}

impl Image {
    /// Reads the manifest; nothing else is fetched.
    pub(crate) fn inspect(reference: &ImageReference) -> Result<Self> {
        let opened = match reference.transport {
            Transport::OciDir => proxy::writable_configuration()
                .and_then(|()| proxy::open_image(&reference.skopeo()))
                .and_then(|()| Self::inspect_layout(reference)),
            _ => Self::inspect_by_skopeo(reference),
        };
        opened.map_err(|error| anyhow!("failed to invoke method OpenImage: {error:#}"))
    }

    fn inspect_layout(reference: &ImageReference) -> Result<Self> {
        let (dir, tag) = split_layout_name(&reference.name);
        let dir = PathBuf::from(dir);
        let index = fs::read(dir.join("index.json"))
            .with_context(|| format!("open {}/index.json", dir.display()))?;
        let index: Index = serde_json::from_slice(&index).context("parsing index.json")?;
        let blobs = dir.join("blobs/sha256");
        let (digest, raw_manifest) = {
            let chosen = choose_tag(&index, tag).ok_or_else(|| {
                anyhow!("no descriptor found for reference {:?}", tag.unwrap_or(""))
            })?;
            resolve(chosen.digest.clone(), |digest| read_blob(&blobs, digest))?
        };
        let manifest = serde_json::from_slice(&raw_manifest).context("parsing the manifest")?;
        Ok(Self {
            reference: reference.clone(),
            digest,
            raw_manifest,
            manifest,
            layout: Some(blobs),
        })
    }

    fn inspect_by_skopeo(reference: &ImageReference) -> Result<Self> {
        let raw = |name: String| {
            let mut command = Command::new("skopeo");
            command.args(["inspect", "--raw"]);
            if reference.transport == Transport::Registry {
                command.args(auth_options(""));
            }
            command.arg(name).read_bytes()
        };
        let first = raw(reference.skopeo())?;
        let (digest, raw_manifest) = match choose_platform(&first)? {
            None => (digest_of(&first), first),
            Some(digest) => {
                let name = format!("docker://{}@{digest}", repository(&reference.name));
                (digest, raw(name)?)
            }
        };
        let manifest = serde_json::from_slice(&raw_manifest).context("parsing the manifest")?;
        Ok(Self {
            reference: reference.clone(),
            digest,
            raw_manifest,
            manifest,
            layout: None,
        })
    }

    /// Compressed size of all layers, in bytes.
    pub(crate) fn layers_size(&self) -> u64 {
        self.manifest.layers.iter().map(|layer| layer.size).sum()
    }

    /// Brings the blobs into reach; `stage` (which must not exist) is used
    /// when the source is not a layout.
    pub(crate) fn fetch(&self, stage: &Path) -> Result<Fetched> {
        let (blobs, manifest) = match &self.layout {
            Some(blobs) => (blobs.clone(), self.manifest.clone()),
            None => (stage.to_owned(), self.copy_to(stage)?),
        };
        let config = read_blob(&blobs, &manifest.config.digest)?;
        let config = serde_json::from_slice(&config).context("parsing the image configuration")?;
        Ok(Fetched {
            blobs,
            config,
            layers: manifest.layers,
        })
    }

    fn copy_to(&self, stage: &Path) -> Result<Manifest> {
        let mut command = Command::new("skopeo");
        command.args(["copy", "--quiet"]);
        let source = if self.reference.transport == Transport::Registry {
            command.args(auth_options("src-"));
            // By digest, so that a tag that moves meanwhile does no harm.
            format!(
                "docker://{}@{}",
                repository(&self.reference.name),
                self.digest
            )
        } else {
            self.reference.skopeo()
        };
        command
            .arg(source)
            .arg(format!("dir:{}", stage.display()))
            .run()?;
        // containers-storage hands out other layers than its manifest names.
        let manifest =
            fs::read(stage.join("manifest.json")).context("reading the copied manifest")?;
        serde_json::from_slice(&manifest).context("parsing the copied manifest")
    }
}

impl Fetched {
    /// Streams one layer, decompressed, into `take`, and verifies its digest.
    /// `progress` gets the compressed bytes as they are read.
    pub(crate) fn read_layer(
        &self,
        layer: &Descriptor,
        progress: impl FnMut(u64) + Send,
        take: impl FnOnce(&mut dyn Read) -> Result<()>,
    ) -> Result<()> {
        let path = self.path_of(&layer.digest)?;
        let file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
        let mut hashed = Hashed {
            inner: file,
            hash: Sha256::new(),
            progress,
        };
        let mut buffered = BufReader::with_capacity(256 * 1024, &mut hashed);
        let magic = buffered.fill_buf().context("reading the layer")?;
        if magic.starts_with(&[0x1f, 0x8b]) {
            let mut decoder = flate2::bufread::MultiGzDecoder::new(&mut buffered);
            take(&mut decoder)?;
            drain(&mut decoder)?;
        } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            through_zstd(&mut buffered, take)?;
        } else {
            take(&mut buffered)?;
        }
        drain(&mut buffered)?;
        let found = format!("sha256:{}", hex(&hashed.hash.finalize()));
        if found != layer.digest {
            bail!(
                "Digest did not match, expected {}, got {found}",
                layer.digest
            );
        }
        Ok(())
    }

    /// Gives the space of a staged blob back; a layout is left as it is.
    pub(crate) fn drop_staged(&self, layer: &Descriptor, stage: &Path) -> Result<()> {
        if self.blobs != stage {
            return Ok(());
        }
        match fs::remove_file(self.path_of(&layer.digest)?) {
            // The same layer can stand in a manifest twice.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).context("removing a staged layer")
            }
            _ => Ok(()),
        }
    }

    fn path_of(&self, digest: &str) -> Result<PathBuf> {
        Ok(self.blobs.join(hex_of(digest)?))
    }
}

struct Hashed<R, P> {
    inner: R,
    hash: Sha256,
    progress: P,
}

impl<R: Read, P: FnMut(u64)> Read for Hashed<R, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        (self.progress)(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

fn drain(reader: &mut dyn Read) -> Result<()> {
    io::copy(reader, &mut io::sink())
        .map(|_| ())
        .context("reading the layer")
}

/// Decompresses by the image's zstd, fed from a second thread.
fn through_zstd(
    compressed: &mut (dyn Read + Send),
    take: impl FnOnce(&mut dyn Read) -> Result<()>,
) -> Result<()> {
    let mut child = Command::new("zstd")
        .args(["-dc", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("Running zstd")?;
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        bail!("zstd without pipes");
    };
    let taken = std::thread::scope(|scope| {
        let feeder = scope.spawn(move || io::copy(compressed, &mut input).map(drop));
        let taken = take(&mut output).and_then(|()| drain(&mut output));
        // Without a reader zstd ends, and with it the feeder.
        drop(output);
        match (taken, feeder.join()) {
            (Err(error), _) => Err(error),
            (Ok(()), Ok(fed)) => fed.context("feeding zstd"),
            (Ok(()), Err(_)) => Err(anyhow!("the thread that feeds zstd panicked")),
        }
    });
    let status = child.wait().context("waiting for zstd")?;
    taken?;
    if !status.success() {
        bail!("zstd failed ({status})");
    }
    Ok(())
}

/// Directory and tag of an `oci:` name. The tag is what follows the last
/// colon, since a directory name with a colon cannot be written anyway.
fn split_layout_name(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((dir, tag)) if !tag.contains('/') && !tag.is_empty() => (dir, Some(tag)),
        _ => (name.trim_end_matches(':'), None),
    }
}

/// A registry name without tag and digest.
fn repository(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

fn choose_tag<'a>(index: &'a Index, tag: Option<&str>) -> Option<&'a Descriptor> {
    match (tag, index.manifests.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(tag), all) => all.iter().find(|manifest| {
            manifest
                .annotations
                .get("org.opencontainers.image.ref.name")
                .and_then(|v| v.as_str())
                == Some(tag)
        }),
    }
}

/// Follows an index to this machine's manifest.
fn resolve(digest: String, read: impl Fn(&str) -> Result<Vec<u8>>) -> Result<(String, Vec<u8>)> {
    let raw = read(&digest)?;
    match choose_platform(&raw)? {
        None => Ok((digest, raw)),
        Some(inner) => {
            let raw = read(&inner)?;
            Ok((inner, raw))
        }
    }
}

/// The digest of this machine's manifest when `raw` is an index.
fn choose_platform(raw: &[u8]) -> Result<Option<String>> {
    let value: serde_json::Value = serde_json::from_slice(raw).context("parsing the manifest")?;
    if value.get("manifests").is_none() {
        return Ok(None);
    }
    let index: Index = serde_json::from_value(value).context("parsing the index")?;
    let here = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let found = index.manifests.iter().find(|m| {
        m.platform
            .as_ref()
            .is_some_and(|p| p.os == "linux" && p.architecture == here)
    });
    match found {
        Some(manifest) => Ok(Some(manifest.digest.clone())),
        None => bail!("no image found in manifest list for architecture {here}, OS linux"),
    }
}

fn read_blob(blobs: &Path, digest: &str) -> Result<Vec<u8>> {
    let path = blobs.join(hex_of(digest)?);
    let bytes = fs::read(&path).with_context(|| format!("open {}", path.display()))?;
    let found = digest_of(&bytes);
    if found != digest {
        bail!("Digest did not match, expected {digest}, got {found}");
    }
    Ok(bytes)
}

fn hex_of(digest: &str) -> Result<&str> {
    match digest.strip_prefix("sha256:") {
        Some(hex) if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(hex),
        _ => bail!("unsupported digest {digest}"),
    }
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_split() {
        let layouts = [
            ("/run/oci:v1", ("/run/oci", Some("v1"))),
            ("/run/oci", ("/run/oci", None)),
            ("/a:b/oci", ("/a:b/oci", None)),
        ];
        for (name, parts) in layouts {
            assert_eq!(split_layout_name(name), parts);
        }
        let names = [
            ("h:5000/i:v1", "h:5000/i"),
            ("h:5000/i", "h:5000/i"),
            ("h/i:v1@sha256:00", "h/i"),
        ];
        for (name, expected) in names {
            assert_eq!(repository(name), expected);
        }
    }

    #[test]
    fn tags_are_found_by_annotation() {
        let index: Index = serde_json::from_value(serde_json::json!({"manifests": [
            {"digest": "sha256:1", "size": 1, "annotations": {"org.opencontainers.image.ref.name": "v1"}},
            {"digest": "sha256:2", "size": 1, "annotations": {"org.opencontainers.image.ref.name": "v2"}},
        ]}))
        .unwrap();
        assert_eq!(choose_tag(&index, Some("v2")).unwrap().digest, "sha256:2");
        assert!(choose_tag(&index, Some("v3")).is_none());
        assert!(choose_tag(&index, None).is_none());
    }

    #[test]
    fn an_index_gives_this_platform_or_an_error() {
        let index = |arch: &str| {
            serde_json::to_vec(&serde_json::json!({"manifests": [
                {"digest": "sha256:a", "size": 1, "platform": {"architecture": arch, "os": "linux"}}
            ]}))
            .unwrap()
        };
        let here = if cfg!(target_arch = "x86_64") {
            "amd64"
        } else {
            "arm64"
        };
        assert_eq!(
            choose_platform(&index(here)).unwrap().as_deref(),
            Some("sha256:a")
        );
        assert!(choose_platform(&index("vax")).is_err());
        assert_eq!(choose_platform(b"{\"layers\": []}").unwrap(), None);
    }

    fn fetched(dir: &Path, bytes: &[u8]) -> (Fetched, Descriptor) {
        let digest = digest_of(bytes);
        fs::write(dir.join(hex_of(&digest).unwrap()), bytes).unwrap();
        let layer = Descriptor {
            digest,
            size: bytes.len() as u64,
            annotations: serde_json::Map::default(),
            platform: None,
        };
        let config = serde_json::Value::Null;
        (
            Fetched {
                blobs: dir.to_owned(),
                config,
                layers: vec![layer.clone()],
            },
            layer,
        )
    }

    #[test]
    fn layers_are_decompressed_and_verified() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"content").unwrap();
        for bytes in [gzip.finish().unwrap(), b"content".to_vec()] {
            let dir = tempfile::tempdir().unwrap();
            let (image, layer) = fetched(dir.path(), &bytes);
            let mut text = String::new();
            let mut seen = 0;
            image
                .read_layer(
                    &layer,
                    |n| seen += n,
                    |r| Ok(r.read_to_string(&mut text).map(drop)?),
                )
                .unwrap();
            assert_eq!((text.as_str(), seen), ("content", layer.size));

            let path = dir.path().join(hex_of(&layer.digest).unwrap());
            let mut changed = bytes.clone();
            // The last bytes: gzip's trailer, or content.
            *changed.last_mut().unwrap() ^= 1;
            fs::write(path, changed).unwrap();
            assert!(image.read_layer(&layer, |_| (), |r| drain(r)).is_err());
        }
    }
}
