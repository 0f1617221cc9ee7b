// SPDX-License-Identifier: MIT OR Apache-2.0
//! The media that are installed from, built as `make iso` does.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use e2e::served::Served;
use host::cancel::Cancel;
use image_builder::build::{self, Request};
use image_builder::config::Distro;
use image_builder::progress::Progress;

use crate::options::Options;
use crate::way::Way;

/// A name that never leads anywhere (RFC 2606): the registry of the embedded
/// image, out of reach for whoever installs.
const NOWHERE: &str = "registry.invalid";

/// The media of a run, each built when it is first wanted.
#[derive(Debug)]
pub(crate) struct Media {
    out: PathBuf,
    plain: Option<PathBuf>,
    with_image: Option<PathBuf>,
}

impl Media {
    /// Those that are given, else none yet.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            out: options.media.clone(),
            plain: options.iso.clone(),
            with_image: options.iso.clone(),
        }
    }

    /// The medium for a way.
    ///
    /// # Errors
    /// When its build fails.
    pub(crate) fn of(&mut self, way: Way) -> Result<PathBuf> {
        let (known, built): (_, fn(&Path) -> Result<PathBuf>) = match way {
            Way::Offline => (&mut self.with_image, |out| with_image(&out.join("offline"))),
            _ => (&mut self.plain, |out| build(Distro::default(), out)),
        };
        match known {
            Some(iso) => Ok(iso.clone()),
            None => Ok(known.insert(built(&self.out)?).clone()),
        }
    }
}

/// The medium of the default distro with the test image on it.
fn with_image(out: &Path) -> Result<PathBuf> {
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let storage = tempfile::tempdir_in(out)?;
    let served = Served::start(&test_image::standard()?, storage.path())?;
    let text = distro_yaml(&served.address());
    let distro = Distro::parse(Path::new("distro.yaml"), &text)?;
    build(distro, out)
}

fn build(distro: Distro, output: &Path) -> Result<PathBuf> {
    let request = Request {
        distro,
        output: output.to_owned(),
        work: None,
        debs: None,
        check_images: true,
        result: None,
        owner: None,
    };
    let mut progress = Progress::new(false);
    let built = build::build(&request, &mut progress, &Cancel::new())?;
    progress.end();
    Ok(built.iso)
}

/// While the medium is built, the registry's mirror is here.
pub(crate) fn distro_yaml(here: &str) -> String {
    format!(
        "images: {{default: {NOWHERE}/{}, embed: true}}\n\
         calamares:\n  registry_auth:\n    registries:\n      \
         {NOWHERE}: {{mirrors: ['{here}']}}\n      \
         '{here}': {{insecure: true}}\n",
        Served::NAME
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_image_is_embedded_and_chosen() {
        let text = distro_yaml("127.0.0.1:5000");
        let distro = Distro::parse(Path::new("distro.yaml"), &text).unwrap();
        let default = distro.images.default.unwrap();
        assert_eq!(default, "registry.invalid/os/debian:forky");
        assert_eq!(distro.images.embed, [default]);
    }
}
