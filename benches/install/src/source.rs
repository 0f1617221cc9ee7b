// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the image under test comes from.

use std::path::Path;

use anyhow::{bail, Result};

use crate::cli::Args;
use crate::image::{self, Image};

/// The image that was named, else a test image.
pub(crate) fn image(args: &Args) -> Result<Image> {
    if let Some(named) = &args.image {
        let (dir, tag) = image::split_tag(named);
        return Image::open(Path::new(dir), tag);
    }
    bail!("no image named")
}
