// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output directory: results are made beside their places and get their
//! names when all are whole.

use std::fs;
use std::path::Path;

use buildroot::cache;

use crate::config::Distro;
use crate::error::{Code, Error, Result};

/// A directory in the output directory, which goes away with this value.
#[derive(Debug)]
pub(crate) struct Partial(tempfile::TempDir);

impl Partial {
    /// Makes the directory `place` in `output`. The same name each time: what a
    /// killed build left goes with the next one.
    ///
    /// # Errors
    /// `IO`.
    pub(crate) fn new(output: &Path, place: &Path) -> Result<Self> {
        cache::remove_tree(place).map_err(|err| {
            Error::new(Code::Io, format!("{} cannot be removed.", place.display()))
                .why("An earlier build left it, and something is mounted there or protects it.")
                .next("Remove it by hand.")
                .detail(format!("{err:#}"))
        })?;
        let name = place.file_name().unwrap_or_default();
        let dir = tempfile::Builder::new()
            .prefix(name)
            .rand_bytes(0)
            .tempdir_in(output)
            .map_err(|err| Error::io("Making a directory in", output, &err))?;
        Ok(Self(dir))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives everything in it its place in `output`.
    ///
    /// # Errors
    /// `IO`.
    pub(crate) fn move_out(&self, output: &Path) -> Result<()> {
        let listing = |err: std::io::Error| Error::io("Listing", self.path(), &err);
        for entry in fs::read_dir(self.path()).map_err(listing)? {
            let entry = entry.map_err(listing)?;
            let to = output.join(entry.file_name());
            fs::rename(entry.path(), &to).map_err(|err| Error::io("Writing", &to, &err))?;
        }
        Ok(())
    }
}

/// These parts with `-` between them, as the name of a file; empty ones are left
/// out, and what is no letter, digit, point or hyphen becomes a hyphen.
pub(crate) fn plain_name(parts: &[&str]) -> String {
    let parts = parts.iter().filter(|part| !part.is_empty());
    let plain = |c: char| match c.is_ascii_alphanumeric() || ".-".contains(c) {
        true => c,
        false => '-',
    };
    let parts: Vec<String> = parts.map(|p| p.chars().map(plain).collect()).collect();
    parts.join("-")
}

/// What the results of an image begin with: the product when there is a
/// distro.yaml, else the last part of the image's name and its tag.
pub(crate) fn image_stem(distro: &Distro, image: &str) -> String {
    let arch = "amd64";
    if distro.path.is_some() {
        return plain_name(&[&distro.product.id, &distro.product.version, arch]);
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    let name = last.split_once('@').map_or(last, |(name, _)| name);
    let (name, tag) = name.split_once(':').unwrap_or((name, ""));
    plain_name(&[name, tag, arch])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_results() {
        for (image, expected) in [
            ("r.example/os/debian:13", "debian-13-amd64"),
            ("r.example:5000/debian", "debian-amd64"),
            ("oci:/srv/images/edge:v1", "edge-v1-amd64"),
            ("containers-storage:localhost/edge:v1", "edge-v1-amd64"),
            (
                "r.example/a/b@sha256:7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
                "b-amd64",
            ),
        ] {
            assert_eq!(image_stem(&Distro::default(), image), expected, "{image}");
        }
    }
}
