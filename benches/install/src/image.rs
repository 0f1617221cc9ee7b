// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image under test: an OCI layout, and the same image unpacked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use testkit::cache;
use testkit::cmd::CommandExt;

/// What is installed in every run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Image {
    /// What it is called in the report and in the bench's directory.
    pub(crate) name: &'static str,
    /// Directory of the OCI layout.
    pub(crate) layout: PathBuf,
    /// Its tag there.
    pub(crate) tag: String,
    /// Digest of the manifest.
    pub(crate) digest: String,
    /// How many layers.
    pub(crate) layers: usize,
    /// Bytes of the layers as they travel.
    pub(crate) compressed: u64,
}

#[derive(Debug, Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
}

impl Image {
    /// Opens a layout: the image called `tag`, else the first one.
    pub(crate) fn open(name: &'static str, layout: &Path, tag: Option<&str>) -> Result<Self> {
        let index = read(&layout.join("index.json"))?;
        let (tag, digest) =
            choose(&index, tag).with_context(|| format!("the index of {}", layout.display()))?;
        let blob = digest.strip_prefix("sha256:").unwrap_or(&digest);
        let manifest = read(&layout.join("blobs/sha256").join(blob))?;
        let (layers, compressed) =
            weigh(&manifest).with_context(|| format!("the manifest {digest}"))?;
        Ok(Self {
            name,
            layout: fs::canonicalize(layout)
                .with_context(|| format!("resolving {}", layout.display()))?,
            tag,
            digest,
            layers,
            compressed,
        })
    }

    /// The image unpacked, below `work`, which nobody else uses. It stays for
    /// the next time; only one of each name, since they are big.
    pub(crate) fn unpacked(&self, work: &Path) -> Result<PathBuf> {
        let dir = work.join(format!("root-{}", self.name));
        // Written last, so that half a root has none.
        let stamp = dir.with_extension("digest");
        if fs::read_to_string(&stamp).is_ok_and(|digest| digest == self.digest) {
            return Ok(dir);
        }
        for old in [&stamp, &dir] {
            cache::remove_tree(old)?;
        }
        eprintln!("unpacking the image");
        let image = format!("{}:{}", self.layout.display(), self.tag);
        Command::new("umoci")
            .args(["raw", "unpack", "--image", &image])
            .arg(&dir)
            .run()?;
        fs::write(&stamp, &self.digest).with_context(|| format!("writing {}", stamp.display()))?;
        Ok(dir)
    }
}

/// What `bootc --version` says in the unpacked image. It wants `/proc`.
pub(crate) fn bootc_version(root: &Path) -> Result<String> {
    const SCRIPT: &str = r#"mount -t proc proc "$1/proc"; exec chroot "$1" bootc --version"#;
    let text = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--pid", "--fork"])
        .args(["--kill-child", "sh", "-ec", SCRIPT, "version"])
        .arg(root)
        .read()
        .context("asking the image's bootc for its version")?;
    Ok(text.lines().next().unwrap_or("").trim().to_owned())
}

/// The stand-in says so in its version.
pub(crate) fn is_standin(version: &str) -> bool {
    version.contains("standin") || version.contains("stand-in")
}

/// Splits `DIR[:TAG]`; a tag has no slash.
pub(crate) fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((dir, tag)) if !tag.contains('/') && !dir.is_empty() => (dir, Some(tag)),
        _ => (text, None),
    }
}

/// Tag and digest of the wanted image in an `index.json`.
fn choose(index: &str, wanted: Option<&str>) -> Result<(String, String)> {
    const REF_NAME: &str = "org.opencontainers.image.ref.name";
    let index: Index = serde_json::from_str(index).context("not an OCI index")?;
    let tags: Vec<(&str, &str)> = index
        .manifests
        .iter()
        .filter_map(|m| Some((m.annotations.get(REF_NAME)?.as_str(), m.digest.as_str())))
        .collect();
    let found = tags
        .iter()
        .find(|(tag, _)| wanted.is_none_or(|wanted| wanted == *tag));
    match found {
        Some((tag, digest)) => Ok(((*tag).to_owned(), (*digest).to_owned())),
        None => bail!(
            "no image {} in it; there are: {}",
            wanted.unwrap_or("with a tag"),
            tags.iter().map(|t| t.0).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Number and compressed bytes of the layers of an image manifest.
fn weigh(manifest: &str) -> Result<(usize, u64)> {
    let manifest: Manifest =
        serde_json::from_str(manifest).context("not an image manifest of one platform")?;
    let bytes = manifest.layers.iter().map(|l| l.size).sum();
    Ok((manifest.layers.len(), bytes))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const INDEX: &str = r#"{"schemaVersion":2,"manifests":[
        {"digest":"sha256:00","size":1},
        {"digest":"sha256:aa","size":1,"annotations":{"org.opencontainers.image.ref.name":"v1"}},
        {"digest":"sha256:bb","size":1,"annotations":{"org.opencontainers.image.ref.name":"v2"}}]}"#;

    #[test]
    fn the_wanted_or_the_first_tag_is_chosen() {
        for (wanted, tag, digest) in [
            (None, "v1", "sha256:aa"),
            (Some("v1"), "v1", "sha256:aa"),
            (Some("v2"), "v2", "sha256:bb"),
        ] {
            let expected = (tag.to_owned(), digest.to_owned());
            assert_eq!(choose(INDEX, wanted).unwrap(), expected);
        }
        let error = choose(INDEX, Some("v3")).unwrap_err().to_string();
        assert!(error.contains("v3") && error.contains("v1, v2"), "{error}");
        assert!(choose("{}", None).is_err());
    }

    #[test]
    fn layers_are_weighed() {
        let text = r#"{"config":{"digest":"sha256:c","size":9},
            "layers":[{"digest":"sha256:a","size":10},{"digest":"sha256:b","size":5}]}"#;
        assert_eq!(weigh(text).unwrap(), (2, 15));
        assert!(weigh(INDEX).is_err());
    }

    #[test]
    fn a_layout_may_carry_a_tag() {
        for (text, dir, tag) in [
            ("/a/b", "/a/b", None),
            ("/a/b:v1", "/a/b", Some("v1")),
            ("/a:b/c", "/a:b/c", None),
            ("a:v1", "a", Some("v1")),
        ] {
            assert_eq!(split_tag(text), (dir, tag), "{text}");
        }
    }

    #[test]
    fn the_stand_in_is_known_by_its_version() {
        for (version, standin) in [
            ("bootc 1.16.9", false),
            ("bootc-standin 0.1.0 (not bootc)", true),
            ("bootc 1.16 (stand-in)", true),
        ] {
            assert_eq!(is_standin(version), standin, "{version}");
        }
    }
}
