// SPDX-License-Identifier: MIT OR Apache-2.0
//! A directory in the OCI image layout (image-spec `image-layout.md`).
//!
//! All functions here block on the file system.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use imageref::Digest;
use serde::{Deserialize, Serialize};

use crate::MANIFEST_MAX;
use crate::error::{Missing, RegistryError};
use crate::store::hash::Hasher;
use crate::store::image::{Layer, ResolvedImage};
use crate::store::manifest::{self, Descriptor, Document, Fetched, Lenient, OCI_INDEX, Origin};
use imageref::Platform;

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const VERSION: &str = "1.0.0";

/// An OCI image layout in a directory.
#[derive(Debug, Clone)]
pub struct OciLayout {
    root: PathBuf,
}

/// Which image of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The only one there is.
    Only,
    /// The one whose `org.opencontainers.image.ref.name` is this.
    Name(String),
    /// The one whose index or manifest has this digest.
    Digest(Digest),
}

impl Selector {
    /// What the tag of `oci:path[:tag]` means: a name or nothing.
    pub fn from_tag(tag: Option<&str>) -> Self {
        match tag {
            None => Self::Only,
            Some(tag) => Self::Name(tag.to_owned()),
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct LayoutFile {
    image_layout_version: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    manifests: Vec<Lenient<Descriptor>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

impl Index {
    fn readable(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter_map(Lenient::readable)
    }

    fn into_readable(self) -> impl Iterator<Item = Descriptor> {
        self.manifests
            .into_iter()
            .filter_map(Lenient::into_readable)
    }
}

impl OciLayout {
    /// Makes an empty layout, or opens the one that is there already.
    ///
    /// # Errors
    /// When a directory or file cannot be made, or what is there is no layout.
    pub fn create(root: &Path) -> Result<Self, RegistryError> {
        let layout = Self {
            root: root.to_owned(),
        };
        let blobs = root.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(RegistryError::io("create", &blobs))?;
        if !layout.layout_file().exists() {
            layout.write_json(
                &layout.layout_file(),
                &LayoutFile {
                    image_layout_version: VERSION.to_owned(),
                },
            )?;
        }
        if !layout.index_file().exists() {
            layout.write_index(&Index {
                schema_version: 2,
                media_type: Some(OCI_INDEX.to_owned()),
                manifests: Vec::new(),
                annotations: None,
            })?;
        }
        Self::open(root)
    }

    /// Opens a layout.
    ///
    /// # Errors
    /// When the directory is not there, is no layout, or one of a version that
    /// is not known here.
    pub fn open(root: &Path) -> Result<Self, RegistryError> {
        let layout = Self {
            root: root.to_owned(),
        };
        let path = layout.layout_file();
        let what = path.display().to_string();
        let file: LayoutFile = serde_json::from_slice(&read_capped(&path, &what, MANIFEST_MAX)?)
            .map_err(|e| RegistryError::malformed(&what, e))?;
        if file.image_layout_version != VERSION {
            let problem = format!(
                "layout version {} is not {VERSION}",
                file.image_layout_version
            );
            return Err(RegistryError::malformed(&what, problem));
        }
        layout.read_index()?;
        Ok(layout)
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a blob lies, or would.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let mut path = self.root.join("blobs");
        path.push(digest.algorithm().as_str());
        path.push(digest.hex());
        path
    }

    /// Where a blob grows until it is complete and verified.
    pub(crate) fn partial_path(&self, digest: &Digest) -> PathBuf {
        self.blob_path(digest).with_extension("partial")
    }

    /// The names and digests in the index; an image may have no name.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn images(&self) -> Result<Vec<(Option<String>, Digest)>, RegistryError> {
        let index = self.read_index()?;
        let entry = |d: Descriptor| (name_of(&d).map(str::to_owned), d.digest);
        Ok(index.into_readable().map(entry).collect())
    }

    /// The entries of the index with their names.
    pub(crate) fn entries(&self) -> Result<Vec<(Option<String>, Descriptor)>, RegistryError> {
        let index = self.read_index()?;
        let entry = |d: Descriptor| (name_of(&d).map(str::to_owned), d);
        Ok(index.into_readable().map(entry).collect())
    }

    /// Finds an image and checks all but the content of its layers, which must
    /// be there with their right sizes. [`OciLayout::verify_layer`] checks the
    /// rest.
    ///
    /// # Errors
    /// When there is no such image, none for the platform, or something is
    /// missing, damaged or malformed.
    pub fn resolve(
        &self,
        selector: &Selector,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let name = match selector {
            Selector::Only => format!("oci:{}", self.root.display()),
            Selector::Name(name) => format!("oci:{}:{name}", self.root.display()),
            Selector::Digest(digest) => format!("oci:{}@{digest}", self.root.display()),
        };
        let index = self.read_index()?;
        let entry = self.select(&name, &index, selector, platform)?;
        let mut fetched = self.document(&name, &entry)?;
        let mut index_digest = None;
        let manifest = match manifest::parse(&name, &fetched)? {
            Document::Manifest(manifest) => *manifest,
            Document::Index(entries) => {
                let chosen = manifest::choose(&entries, platform)?;
                index_digest = Some(fetched.digest);
                fetched = self.document(&name, chosen)?;
                match manifest::parse(&name, &fetched)? {
                    Document::Manifest(manifest) => *manifest,
                    Document::Index(_) => {
                        return Err(RegistryError::malformed(&name, "an index within an index"));
                    }
                }
            }
        };
        let config = self.read_blob(&format!("the configuration of {name}"), &manifest.config)?;
        let origin = Origin {
            name: &name,
            reference: None,
            index_digest,
        };
        let image = manifest::assemble(origin, fetched, manifest, config, platform)?;
        for layer in &image.layers {
            self.check_layer_size(layer)?;
        }
        Ok(image)
    }

    /// Whether a layer is here in its full size. Only reading it tells whether
    /// it is right.
    pub fn has_layer(&self, layer: &Layer) -> bool {
        self.check_layer_size(layer).is_ok()
    }

    /// Whether all of `image` is here: its manifest and configuration byte for
    /// byte, its layers in their full sizes. The index need not name it.
    pub fn holds(&self, image: &ResolvedImage) -> bool {
        let same = |digest: &Digest, bytes: &[u8]| {
            let limit = bytes.len() as u64;
            read_capped(&self.blob_path(digest), "", limit).is_ok_and(|found| found == bytes)
        };
        same(&image.manifest_digest, &image.manifest_bytes)
            && same(&image.config_digest, &image.config_bytes)
            && image.layers.iter().all(|layer| self.has_layer(layer))
    }

    /// Reads a layer and checks size and digest; gives its path.
    ///
    /// # Errors
    /// When it is missing, cannot be read, or is not what it should be.
    pub fn verify_layer(&self, layer: &Layer) -> Result<PathBuf, RegistryError> {
        self.check_layer_size(layer)?;
        let path = self.blob_path(&layer.digest);
        let got = hash_file(&path, &layer.digest)?;
        if got != layer.digest {
            return Err(RegistryError::DigestMismatch {
                what: path.display().to_string(),
                expected: layer.digest.clone(),
                got,
            });
        }
        Ok(path)
    }

    /// Enters a manifest and its configuration and names the image. An image
    /// that had this name loses it and its entry.
    pub(crate) fn add(&self, image: &ResolvedImage, name: &str) -> Result<(), RegistryError> {
        self.write_blob(&image.config_digest, &image.config_bytes)?;
        self.write_blob(&image.manifest_digest, &image.manifest_bytes)?;
        self.enter(
            &image.manifest_media_type,
            &image.manifest_digest,
            image.manifest_bytes.len() as u64,
            name,
        )
    }

    /// Writes what is no image, such as a list of signatures, and names it.
    pub(crate) fn name_document(
        &self,
        document: &Fetched,
        media_type: &str,
        name: &str,
    ) -> Result<(), RegistryError> {
        self.write_blob(&document.digest, &document.bytes)?;
        let media_type = document.media_type.as_deref().unwrap_or(media_type);
        self.enter(
            media_type,
            &document.digest,
            document.bytes.len() as u64,
            name,
        )
    }

    fn enter(
        &self,
        media_type: &str,
        digest: &Digest,
        size: u64,
        name: &str,
    ) -> Result<(), RegistryError> {
        let mut index = self.read_index()?;
        let named = |d: &Descriptor| name_of(d) == Some(name);
        let old = |entry: &Lenient<Descriptor>| entry.readable().is_some_and(named);
        index.manifests.retain(|entry| !old(entry));
        let new = Descriptor {
            media_type: media_type.to_owned(),
            digest: digest.clone(),
            size,
            annotations: Some(BTreeMap::from([(REF_NAME.to_owned(), name.to_owned())])),
            platform: None,
        };
        index.manifests.push(Lenient::Readable(Box::new(new)));
        self.write_index(&index)
    }

    /// Makes the directory that holds the blobs of this algorithm.
    pub(crate) fn make_blob_dir(&self, digest: &Digest) -> Result<(), RegistryError> {
        let dir = self.root.join("blobs").join(digest.algorithm().as_str());
        fs::create_dir_all(&dir).map_err(RegistryError::io("create", &dir))
    }

    pub(crate) fn write_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        self.make_blob_dir(digest)?;
        write_then_rename(&self.partial_path(digest), &self.blob_path(digest), bytes)
    }

    fn select(
        &self,
        name: &str,
        index: &Index,
        selector: &Selector,
        platform: &Platform,
    ) -> Result<Descriptor, RegistryError> {
        let wanted = |d: &&Descriptor| match selector {
            Selector::Only => true,
            Selector::Name(name) => name_of(d) == Some(name),
            Selector::Digest(digest) => d.digest == *digest,
        };
        let found: Vec<Descriptor> = index.readable().filter(wanted).cloned().collect();
        let not_found = |name: String| RegistryError::NotFound {
            missing: Missing::Manifest,
            name,
        };
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] if index.manifests.is_empty() => Err(not_found(format!("{name} (it is empty)"))),
            [] => Err(not_found(format!("{name} (it holds {})", contents(index)))),
            // One name for several platforms.
            many if many.iter().all(|d| d.platform.is_some()) => {
                manifest::choose(many, platform).cloned()
            }
            _ => {
                let names = contents(index);
                Err(not_found(format!(
                    "{name} (name one of those it holds: {names})"
                )))
            }
        }
    }

    fn document(&self, name: &str, entry: &Descriptor) -> Result<Fetched, RegistryError> {
        manifest::check_manifest_size(name, entry)?;
        Ok(Fetched {
            bytes: self.read_blob(&format!("the manifest of {name}"), entry)?,
            digest: entry.digest.clone(),
            media_type: Some(entry.media_type.clone()),
        })
    }

    /// Reads and verifies a small blob.
    pub(crate) fn read_blob(
        &self,
        what: &str,
        descriptor: &Descriptor,
    ) -> Result<Vec<u8>, RegistryError> {
        let path = self.blob_path(&descriptor.digest);
        let bytes = read_capped(&path, what, descriptor.size)?;
        manifest::verify(what, &bytes, Some(descriptor.size), &descriptor.digest)?;
        Ok(bytes)
    }

    fn check_layer_size(&self, layer: &Layer) -> Result<(), RegistryError> {
        let path = self.blob_path(&layer.digest);
        let metadata = fs::metadata(&path).map_err(|e| missing_or(&path, e))?;
        if !metadata.is_file() {
            return Err(missing_or(&path, io::ErrorKind::NotFound.into()));
        }
        if metadata.len() != layer.size {
            return Err(RegistryError::SizeMismatch {
                what: path.display().to_string(),
                expected: layer.size,
                got: metadata.len(),
            });
        }
        Ok(())
    }

    fn layout_file(&self) -> PathBuf {
        self.root.join("oci-layout")
    }

    fn index_file(&self) -> PathBuf {
        self.root.join("index.json")
    }

    fn read_index(&self) -> Result<Index, RegistryError> {
        let path = self.index_file();
        let what = path.display().to_string();
        let bytes = read_capped(&path, &what, MANIFEST_MAX)?;
        serde_json::from_slice(&bytes).map_err(|e| RegistryError::malformed(&what, e))
    }

    fn write_index(&self, index: &Index) -> Result<(), RegistryError> {
        self.write_json(&self.index_file(), index)
    }

    fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<(), RegistryError> {
        let bytes = serde_json::to_vec(value)
            .map_err(|e| RegistryError::malformed(&path.display().to_string(), e))?;
        write_then_rename(&path.with_extension("partial"), path, &bytes)
    }
}

/// The digest of a file's content, by the algorithm of `like`.
pub(crate) fn hash_file(path: &Path, like: &Digest) -> Result<Digest, RegistryError> {
    let read = || -> io::Result<Digest> {
        let mut file = File::open(path)?;
        let mut hasher = Hasher::new(like.algorithm());
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finish()),
                n => hasher.update(&buffer[..n]),
            }
        }
    };
    read().map_err(RegistryError::io("read", path))
}

fn name_of(descriptor: &Descriptor) -> Option<&str> {
    descriptor
        .annotations
        .as_ref()?
        .get(REF_NAME)
        .map(String::as_str)
}

fn contents(index: &Index) -> String {
    let name = |d: &Descriptor| match name_of(d) {
        Some(name) => name.to_owned(),
        None => d.digest.to_string(),
    };
    let names: Vec<String> = index.readable().map(name).collect();
    names.join(", ")
}

pub(crate) fn read_capped(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>, RegistryError> {
    // To open a pipe would wait for somebody to write into it.
    let kind = fs::metadata(path).map_err(|e| missing_or(path, e))?;
    if !kind.is_file() {
        return Err(RegistryError::malformed(what, "it is no file"));
    }
    let file = File::open(path).map_err(|e| missing_or(path, e))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(RegistryError::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(RegistryError::TooLarge {
            what: what.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

fn missing_or(path: &Path, error: io::Error) -> RegistryError {
    let blob = path
        .parent()
        .and_then(Path::parent)
        .is_some_and(|p| p.ends_with("blobs"));
    if blob && error.kind() == io::ErrorKind::NotFound {
        return RegistryError::NotFound {
            missing: Missing::Blob,
            name: path.display().to_string(),
        };
    }
    RegistryError::io("read", path)(error)
}

fn write_then_rename(partial: &Path, path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    fs::write(partial, bytes).map_err(RegistryError::io("write", partial))?;
    fs::rename(partial, path).map_err(RegistryError::io("rename", partial))
}
