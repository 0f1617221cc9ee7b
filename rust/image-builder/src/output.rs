// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output directory: results are made beside their places and get their
//! names when all are whole.

use std::fs;
use std::path::Path;

use buildroot::cache;

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
