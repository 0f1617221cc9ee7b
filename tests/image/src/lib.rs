// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bootable test images: a small Debian that an ostree deployment boots,
//! as an OCI layout in the cache, with broken variants of it.
//!
//! `$BOOTC_BIN` puts a real bootc into the image instead of the stand-in;
//! `$BOOTC_TEST_IMAGE` (an OCI layout directory, optionally with `:tag`)
//! replaces the whole standard image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use testkit::cache::{self, Key};
use testkit::cmd::{self, CommandExt};

mod big;
mod layers;
pub mod oci;
mod recipe;
mod standin;

pub use big::{big, large};
use oci::{Image, Layer};
use standin::Bootc;

const CREATED: &str = "2026-01-01T00:00:00Z";
/// gzip's level for layers that change often or matter little.
const QUICK: u32 = 1;
/// Counts up when the way in which layouts are put together changes.
const LAYOUT_VERSION: &str = "1";

/// An image in an OCI layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciImage {
    /// The layout's directory. It belongs to the cache: do not change it.
    pub layout: PathBuf,
    /// The tag in the layout's index.
    pub tag: String,
}

impl OciImage {
    /// `oci:DIRECTORY:TAG`, as skopeo and bootc take it.
    pub fn reference(&self) -> String {
        format!("oci:{}:{}", self.layout.display(), self.tag)
    }

    /// The manifest's digest, `sha256:…`.
    pub fn digest(&self) -> Result<String> {
        oci::manifest_digest(&self.layout, &self.tag)
    }

    /// Parses `DIRECTORY[:TAG]`; without a tag the layout must have one image.
    pub fn parse(text: &str) -> Result<Self> {
        let given = match text.rsplit_once(':') {
            _ if Path::new(text).is_dir() => (text, None),
            Some((dir, tag)) => (dir, Some(tag.to_owned())),
            None => (text, None),
        };
        let layout = fs::canonicalize(given.0)
            .with_context(|| format!("looking for the OCI layout {}", given.0))?;
        let tags = oci::tags(&layout)?;
        let tag = match (given.1, tags.as_slice()) {
            (Some(tag), _) if tags.contains(&tag) => tag,
            (Some(tag), _) => bail!("{} has no tag {tag}, but {tags:?}", layout.display()),
            (None, [only]) => only.clone(),
            (None, _) => bail!(
                "{} has tags {tags:?}: name one as DIRECTORY:TAG",
                layout.display()
            ),
        };
        Ok(Self { layout, tag })
    }
}

/// The images that are made from the same layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The standard image.
    V1,
    /// An update of it: one small layer differs.
    V2,
    /// No kernel in /usr/lib/modules.
    NoKernel,
    /// No initramfs beside the kernel.
    NoInitramfs,
    /// No /usr/lib/ostree/prepare-root.conf.
    NoPrepareRoot,
    /// No /dev, /proc and /sys: installs, but never boots.
    NoMountpoints,
    /// Complete, but without the label `containers.bootc`.
    NoLabel,
}

impl Variant {
    /// All of them, the standard image first.
    pub const ALL: [Self; 7] = [
        Self::V1,
        Self::V2,
        Self::NoKernel,
        Self::NoInitramfs,
        Self::NoPrepareRoot,
        Self::NoMountpoints,
        Self::NoLabel,
    ];

    /// The tag in the layout.
    pub fn tag(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::NoKernel => "no-kernel",
            Self::NoInitramfs => "no-initramfs",
            Self::NoPrepareRoot => "no-prepare-root",
            Self::NoMountpoints => "no-mountpoints",
            Self::NoLabel => "no-label",
        }
    }

    /// The layer that a broken variant leaves out.
    fn left_out(self) -> Option<&'static str> {
        match self {
            Self::V1 | Self::V2 | Self::NoLabel => None,
            Self::NoKernel => Some("kernel"),
            Self::NoInitramfs => Some("initramfs"),
            Self::NoPrepareRoot => Some("prepare-root"),
            Self::NoMountpoints => Some("mountpoints"),
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            _ => "v1",
        }
    }

    fn labels(self) -> Vec<(&'static str, String)> {
        let mut labels = vec![
            (
                "org.opencontainers.image.version",
                format!("forky.{}", self.version()),
            ),
            ("ostree.bootable", "1".to_owned()),
        ];
        if self != Self::NoLabel {
            labels.push(("containers.bootc", "1".to_owned()));
        }
        labels
    }
}

/// The image that the main tests install: `$BOOTC_TEST_IMAGE`, else ours.
pub fn standard() -> Result<OciImage> {
    match std::env::var("BOOTC_TEST_IMAGE")
        .ok()
        .filter(|value| !value.is_empty())
    {
        Some(text) => OciImage::parse(&text).context("reading BOOTC_TEST_IMAGE"),
        None => variant(Variant::V1),
    }
}

/// A variant of our own image, whatever `$BOOTC_TEST_IMAGE` says.
pub fn variant(variant: Variant) -> Result<OciImage> {
    Ok(OciImage {
        layout: layout()?,
        tag: variant.tag().to_owned(),
    })
}

/// The layout with all variants, made when it is not in the cache.
pub fn layout() -> Result<PathBuf> {
    let bootc = Bootc::from_env()?;
    let program = bootc.file()?;
    let key = layers_key()
        .with("layout", LAYOUT_VERSION)
        .with_file("bootc", &program)?;
    cache::entry("image", &key, |dir| {
        let base = base_layers()?;
        let layers = read_layers(&base)?;
        link_blobs(&base, dir)?;
        let bootc = write_file_layer(dir, "bootc", "usr/bin/bootc", &Content::Copy(&program))?;
        write_variants(dir, &layers, &bootc)
    })
}

fn layers_key() -> Key {
    recipe::key().with("cuts", layers::key())
}

/// The layers of the shaped tree, without versions and bootc.
fn base_layers() -> Result<PathBuf> {
    cache::entry("image-layers", &layers_key(), |dir| {
        require_root()?;
        let rootfs = recipe::rootfs().build()?;
        fs::create_dir(dir).with_context(|| format!("making {}", dir.display()))?;
        let tree = dir.join("tree");
        eprintln!("making the test image from {}", rootfs.display());
        Command::new("cp")
            .args(["--archive", "--reflink=auto"])
            .arg(&rootfs)
            .arg(&tree)
            .run()?;
        let kernel = recipe::shape(&tree)?;
        let layers = layers::write(&tree, &kernel, dir)?;
        cache::remove_tree(&tree)?;
        let text = serde_json::to_vec_pretty(&layers).context("writing layers.json")?;
        fs::write(dir.join("layers.json"), text).context("writing layers.json")
    })
}

fn read_layers(base: &Path) -> Result<Vec<Layer>> {
    let path = base.join("layers.json");
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("parsing {}", path.display()))
}

fn write_variants(dir: &Path, base: &[Layer], bootc: &Layer) -> Result<()> {
    let version = |version: &str| {
        let content = format!("{version}\n");
        write_file_layer(
            dir,
            "version",
            "usr/lib/test-image/version",
            &Content::Text(&content),
        )
    };
    let versions = [("v1", version("v1")?), ("v2", version("v2")?)];
    let images: Vec<Image<'_>> = Variant::ALL
        .iter()
        .map(|variant| {
            let kept = base
                .iter()
                .filter(|l| variant.left_out() != Some(l.name.as_str()));
            let version = versions
                .iter()
                .filter(|(v, _)| *v == variant.version())
                .map(|(_, l)| l);
            Image {
                tag: variant.tag(),
                layers: kept.chain(version).chain([bootc]).cloned().collect(),
                labels: variant.labels(),
                created: CREATED,
            }
        })
        .collect();
    oci::write_layout(dir, &images)
}

enum Content<'a> {
    Text(&'a str),
    /// A program.
    Copy(&'a Path),
}

/// A layer with one file and its parent directories.
fn write_file_layer(
    dir: &Path,
    name: &'static str,
    path: &str,
    content: &Content<'_>,
) -> Result<Layer> {
    use std::os::unix::fs::PermissionsExt;
    let tree = dir.join(format!(".{name}.tree"));
    let file = tree.join(path);
    let parent = file.parent().context("a path with a parent")?;
    fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    let mode = match content {
        Content::Text(text) => fs::write(&file, text).map(|()| 0o644),
        Content::Copy(from) => fs::copy(from, &file).map(|_| 0o755),
    };
    let mode = mode.with_context(|| format!("writing {}", file.display()))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(mode))
        .with_context(|| format!("setting the mode of {}", file.display()))?;
    let layer = layers::write_all(&tree, name, dir, QUICK)?;
    cache::remove_tree(&tree)?;
    Ok(layer)
}

/// Gives the new layout the blobs of `from`, as hard links where possible.
fn link_blobs(from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (from.join("blobs/sha256"), to.join("blobs/sha256"));
    fs::create_dir_all(&to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(&from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry.with_context(|| format!("reading {}", from.display()))?;
        let target = to.join(entry.file_name());
        fs::hard_link(entry.path(), &target)
            .or_else(|_| fs::copy(entry.path(), &target).map(drop))
            .with_context(|| format!("bringing {} to the layout", entry.path().display()))?;
    }
    Ok(())
}

fn require_root() -> Result<()> {
    if cmd::is_root() {
        return Ok(());
    }
    bail!(
        "making the test image needs root (a Debian root with its owners). Next step: \
         sudo make test-image once, or name an OCI layout in BOOTC_TEST_IMAGE"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn layer(name: &str) -> Layer {
        Layer {
            name: name.to_owned(),
            digest: format!("sha256:{name}"),
            size: 1,
            diff_id: format!("sha256:{name}"),
            unpacked: 1,
        }
    }

    #[test]
    fn variants_share_all_layers_but_one() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "userland",
            "kernel",
            "initramfs",
            "prepare-root",
            "mountpoints",
        ];
        let base: Vec<_> = names.iter().map(|name| layer(name)).collect();
        fs::create_dir_all(dir.path().join("blobs/sha256")).unwrap();
        write_variants(dir.path(), &base, &layer("bootc")).unwrap();
        let manifest = |tag: &str| {
            let digest = oci::manifest_digest(dir.path(), tag).unwrap();
            let path = dir.path().join("blobs/sha256").join(oci::hex_of(&digest));
            let value: serde_json::Value =
                serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let layers = value["layers"].as_array().unwrap().clone();
            layers
                .iter()
                .map(|l| l["digest"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let standard = manifest("v1");
        assert_eq!(standard.len(), names.len() + 2);
        for variant in Variant::ALL {
            let layers = manifest(variant.tag());
            let foreign = layers
                .iter()
                .filter(|digest| !standard.contains(digest))
                .count();
            assert_eq!(foreign, usize::from(variant == Variant::V2), "{variant:?}");
            let missing = standard.len() - (layers.len() - foreign);
            let broken = variant.left_out().is_some() || variant == Variant::V2;
            assert_eq!(missing, usize::from(broken), "{variant:?}");
        }
    }

    #[test]
    fn a_layout_is_named_with_or_without_a_tag() {
        let dir = tempfile::tempdir().unwrap();
        let one = oci::Image {
            tag: "v1",
            layers: vec![],
            labels: vec![],
            created: CREATED,
        };
        fs::create_dir_all(dir.path().join("blobs/sha256")).unwrap();
        oci::write_layout(dir.path(), std::slice::from_ref(&one)).unwrap();
        let path = dir.path().to_str().unwrap();
        assert_eq!(OciImage::parse(path).unwrap().tag, "v1");
        assert_eq!(OciImage::parse(&format!("{path}:v1")).unwrap().tag, "v1");
        assert!(OciImage::parse(&format!("{path}:v2")).is_err());
        let two = oci::Image {
            tag: "v2",
            ..one.clone()
        };
        oci::write_layout(dir.path(), &[one, two]).unwrap();
        assert!(OciImage::parse(path).is_err());
        assert_eq!(OciImage::parse(&format!("{path}:v2")).unwrap().tag, "v2");
    }
}
