// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the image under test comes from.

use std::path::Path;

use anyhow::Result;

use crate::image::{self, Image};

/// An image to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The test image, or what `$BOOTC_TEST_IMAGE` names.
    Small,
    /// The test image with a desktop's worth of packages on top.
    Big,
    /// An OCI layout `DIR[:TAG]`.
    Named(String),
}

impl Source {
    /// Finds the image, or makes it: that can take minutes the first time.
    pub(crate) fn image(&self) -> Result<Image> {
        let (name, made) = match self {
            Self::Small => ("small", test_image::standard()?),
            Self::Big => ("big", test_image::big()?),
            Self::Named(text) => {
                let (dir, tag) = image::split_tag(text);
                return Image::open("named", Path::new(dir), tag);
            }
        };
        Image::open(name, &made.layout, Some(&made.tag))
    }
}
