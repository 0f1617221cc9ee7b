// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image that is pulled, made once.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use test_image::oci;
use testkit::cache::{self, Key};

use crate::content;

/// How big.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Size {
    /// About 60 MB.
    Small,
    /// About 300 MB, for which the goals are set.
    Default,
}

/// Counts up when other bytes are made.
const VERSION: &str = "1";
const LAYERS: u64 = 24;
/// As package layers are made.
const LEVEL: u32 = 6;
const CREATED: &str = "2026-01-01T00:00:00Z";
pub(crate) const TAG: &str = "v1";

impl Size {
    /// Uncompressed, which is about twice as much as compressed.
    fn bytes(self) -> u64 {
        match self {
            Size::Small => 130_000_000,
            Size::Default => 650_000_000,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Size::Small => "small",
            Size::Default => "default",
        }
    }
}

/// An OCI layout with one image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Image {
    pub(crate) size: Size,
    #[serde(skip)]
    pub(crate) layout: PathBuf,
    pub(crate) digest: String,
    pub(crate) layers: u64,
    /// Bytes of all blobs as they travel.
    pub(crate) compressed: u64,
}

impl Image {
    /// Finds it in the cache, or makes it.
    pub(crate) fn make(size: Size) -> Result<Self> {
        let key = Key::new()
            .with("version", VERSION)
            .with("size", size.name());
        let layout = cache::entry("bench-pull-image", &key, |dir| write(dir, size))?;
        let blobs = layout.join("blobs/sha256");
        let mut compressed = 0;
        for blob in
            std::fs::read_dir(&blobs).with_context(|| format!("reading {}", blobs.display()))?
        {
            let blob = blob.and_then(|blob| blob.metadata());
            compressed += blob.context("looking at a blob")?.len();
        }
        Ok(Self {
            size,
            digest: oci::manifest_digest(&layout, TAG)?,
            layout,
            layers: LAYERS,
            compressed,
        })
    }
}

fn write(dir: &Path, size: Size) -> Result<()> {
    eprintln!("making the {} image", size.name());
    let layers = (0..LAYERS)
        .map(|number| {
            let bytes = usize::try_from(share(number, size.bytes()))?;
            let tar = content::layer(number, bytes).context("making a layer")?;
            let name = format!("layer-{number}");
            oci::write_layer(dir, &name, &mut tar.as_slice(), LEVEL)
        })
        .collect::<Result<Vec<_>>>()?;
    let image = oci::Image {
        tag: TAG,
        layers,
        labels: vec![("containers.bootc", "1".to_owned())],
        created: CREATED,
    };
    oci::write_layout(dir, &[image])
}

/// Uneven as in real images: most layers are small, some are big.
fn share(number: u64, bytes: u64) -> u64 {
    let weight = |number: u64| 1000 / (number + 3);
    let all: u64 = (0..LAYERS).map(weight).sum();
    // The big ones are neither first nor last.
    bytes * weight((number * 7 + 5) % LAYERS) / all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_make_the_whole() {
        let shares: Vec<u64> = (0..LAYERS).map(|number| share(number, 1_000_000)).collect();
        let all: u64 = shares.iter().sum();
        assert!((990_000..=1_000_000).contains(&all), "{all}");
        assert!(shares.iter().all(|share| *share > 10_000), "{shares:?}");
    }
}
