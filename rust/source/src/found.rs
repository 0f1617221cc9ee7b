// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is known of an image once it was looked up.

use contract::plan::Source;
use contract::trust::Trust;
use imageref::Digest;
use registry::{OciLayout, ResolvedImage};

use crate::size::ImageSize;

/// An image that can be installed.
#[derive(Debug, Clone)]
pub struct Found {
    /// The image, its digest pinned. Its `reference` is where to pull it from,
    /// which may be a mirror; what bootc records stays `plan.image.imgref`.
    pub image: ResolvedImage,
    /// Its size.
    pub size: ImageSize,
    /// Where its bytes come from: a layout that has all of it is used in place,
    /// whatever the plan says.
    pub source: Source,
    /// Bytes of its layers that are in a layout on this machine.
    pub medium_bytes: u64,
    /// The registry could not be reached, and a copy stands in for what it
    /// has. Then the first of `warnings` says so.
    pub offline: bool,
    /// Whether the image is known to be from whoever should have made it.
    pub trust: Trust,
    /// What the person should know.
    pub warnings: Vec<String>,
}

impl Found {
    /// The digest of the index that the image was chosen from.
    pub fn index_digest(&self) -> Option<&Digest> {
        self.image.index_digest.as_ref()
    }

    /// Bytes to download.
    pub fn download_bytes(&self) -> u64 {
        match self.source {
            Source::Registry => self.size.compressed.saturating_sub(self.medium_bytes),
            Source::OciLayout { .. } => 0,
        }
    }

    /// One that is used where it lies.
    pub(crate) fn in_place(image: ResolvedImage, layout: &OciLayout) -> Self {
        let size = ImageSize::of_layout(&image, layout);
        Self {
            image,
            size,
            source: Source::OciLayout {
                path: layout.root().to_owned(),
                reference: None,
            },
            medium_bytes: size.compressed,
            offline: false,
            trust: Trust::default(),
            warnings: Vec::new(),
        }
    }
}
