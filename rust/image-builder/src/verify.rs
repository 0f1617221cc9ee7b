// SPDX-License-Identifier: MIT OR Apache-2.0
//! Comparing an ISO with its lock, without a network and without mounting it: its
//! bytes, and the lists that it carries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use buildroot::apt;
use host::cancel::Cancel;
use host::cmd::Tool;
use serde::Deserialize;

use crate::build::publish;
use crate::error::{Code, Error, Result};
use crate::lock::{self, Lock, Locked, Pinned, file_differences, package_differences};

/// Where media have the list of their packages.
const PACKAGES: &str = "live/filesystem.packages";
/// And of their files.
const SUMS: &str = "sha256sum.txt";
/// And of the images on them.
const IMAGES: &str = "images/index.json";

/// The lock file that a build has left beside an ISO.
pub fn beside(iso: &Path) -> PathBuf {
    iso.with_extension(publish::LOCK)
}

/// Compares; one line for each thing that was looked at.
///
/// # Errors
/// `MEDIUM_DIFFERS` with what is other; `TOOL_MISSING`, `IO`, `INTERRUPTED`.
pub fn verify(iso: &Path, locked: &Locked, stop: &Cancel) -> Result<Vec<String>> {
    let looking = |err: std::io::Error| Error::io("Looking at", iso, &err);
    let bytes = iso.metadata().map_err(looking)?.len();
    apt::ensure(&["xorriso"]).map_err(|err| {
        Error::new(
            Code::ToolMissing,
            "The program that reads media is missing.",
        )
        .detail(format!("{err:#}"))
    })?;
    let lock = &locked.lock;
    let sha256 = publish::sha256(iso)?;
    stop.check()?;
    let mut differences = Vec::new();
    if bytes != lock.iso.bytes {
        differences.push(format!("size: {} bytes then, {bytes} now", lock.iso.bytes));
    }
    if sha256 != lock.iso.sha256 {
        differences.push(format!("sha256: {} then, {sha256} now", lock.iso.sha256));
    }
    let found = match Found::read(iso, lock, stop) {
        Ok(found) => {
            differences.extend(found.differences(lock));
            found
        }
        // Half a medium: its sum says more.
        Err(error) if error.code == Code::MediumDiffers => {
            differences.push(error.what);
            Found::default()
        }
        Err(error) => return Err(error),
    };
    if differences.is_empty() {
        return Ok(vec![
            format!("sha256    {sha256}, {bytes} bytes"),
            format!("packages  {}", found.packages.len()),
            format!("files     {}", found.files.len()),
            format!("images    {}", found.images.len()),
        ]);
    }
    let what = format!(
        "{} is not the medium of {}.",
        iso.display(),
        locked.path.display()
    );
    let error = Error::new(Code::MediumDiffers, what)
        .why("It is damaged, or was made at another time or by somebody else.")
        .next("See what differs; a damaged one is to be fetched again.");
    Err(lock::shown(error, &differences))
}

/// What a medium says of itself.
#[derive(Debug, Default)]
struct Found {
    packages: Vec<Pinned>,
    files: BTreeMap<String, String>,
    /// Reference and digest.
    images: Vec<(String, String)>,
}

impl Found {
    fn read(iso: &Path, lock: &Lock, stop: &Cancel) -> Result<Self> {
        let text = |path: &str| text_of(iso, path, stop);
        let images = match lock.images.is_empty() {
            true => Vec::new(),
            false => images(&text(IMAGES)?),
        };
        Ok(Self {
            packages: lock::listed(&text(PACKAGES)?),
            files: match lock.files.is_empty() {
                true => BTreeMap::new(),
                false => lock::sums(&text(SUMS)?),
            },
            images,
        })
    }

    fn differences(&self, lock: &Lock) -> Vec<String> {
        // Files may have been given whose packages are not installed.
        let is_there = |own: &&Pinned| self.packages.iter().any(|it| it.name == own.name);
        let own = lock.own.iter().filter(is_there);
        let pinned: Vec<Pinned> = lock.packages.iter().chain(own).cloned().collect();
        let mut found = package_differences("package", &pinned, &self.packages);
        found.extend(file_differences(&lock.files, &self.files));
        for image in &lock.images {
            let here = self
                .images
                .iter()
                .find(|(name, _)| *name == image.reference);
            let here = here.map_or("none", |(_, digest)| digest.as_str());
            if here != image.digest {
                let (name, then) = (&image.reference, &image.digest);
                found.push(format!("image {name}: {then} then, {here} now"));
            }
        }
        found
    }
}

/// Prints a file of a medium.
fn text_of(iso: &Path, path: &str, stop: &Cancel) -> Result<String> {
    let dir = tempfile::tempdir()
        .map_err(|err| Error::io("Making a directory in", &std::env::temp_dir(), &err))?;
    let to = dir.path().join("file");
    let tool = Tool::new("xorriso")
        .args(["-osirrox", "on", "-abort_on", "FATAL", "-indev"])
        .arg(iso)
        .args(["-extract", &format!("/{path}")])
        .arg(&to);
    let ran = tool.run(stop);
    stop.check()?;
    let none = |details: Vec<String>| {
        let what = format!("{} has no file {path}.", iso.display());
        let error = Error::new(Code::MediumDiffers, what)
            .why("It is no medium of this program, or damaged.")
            .next("Compare its SHA-256 with that in SHA256SUMS.");
        details.into_iter().fold(error, Error::detail)
    };
    match ran {
        Err(err) => Err(none(err.details)),
        Ok(_) if !to.exists() => Err(none(Vec::new())),
        Ok(_) => fs::read(&to)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|err| Error::io("Reading", &to, &err)),
    }
}

/// An OCI image index (image-spec, image-index.md), as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// Reference and digest of each image of a layout.
fn images(index: &str) -> Vec<(String, String)> {
    let Ok(index) = serde_json::from_str::<Index>(index) else {
        return Vec::new();
    };
    let one = |mut it: Descriptor| {
        let name = it.annotations.remove("org.opencontainers.image.ref.name")?;
        Some((name, it.digest))
    };
    index.manifests.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lock::PinnedImage;

    #[test]
    fn the_lists_of_a_medium_are_compared() {
        let pinned = |name: &str| Pinned {
            name: name.into(),
            version: "1".into(),
            sha256: "ab".into(),
            ..Pinned::default()
        };
        let mut lock = Lock {
            packages: vec![pinned("a")],
            own: vec![pinned("ours"), pinned("given-only")],
            ..Lock::default()
        };
        lock.files.insert("live/x".into(), "cd".into());
        lock.images.push(PinnedImage {
            reference: "r.example/os:1".into(),
            digest: "sha256:0a".into(),
            index: None,
        });
        let index = r#"{"manifests": [{"digest": "sha256:0a", "size": 1,
            "annotations": {"org.opencontainers.image.ref.name": "r.example/os:1"}}]}"#;
        let mut found = Found {
            packages: lock::listed("a\t1\nours\t1\n"),
            files: lock.files.clone(),
            images: images(index),
        };
        assert_eq!(found.differences(&lock), [""; 0]);
        found.packages = lock::listed("a\t2\nours\t1\n");
        found.files.insert("live/x".into(), "ce".into());
        found.images.clear();
        assert_eq!(
            found.differences(&lock),
            [
                "package a: 1 then, 2 now",
                "file live/x: another one than then",
                "image r.example/os:1: sha256:0a then, none now",
            ]
        );
    }

    #[test]
    fn the_lock_is_beside_the_iso() {
        let iso = Path::new("out/a-13.1-trixie-amd64.iso");
        assert_eq!(beside(iso), Path::new("out/a-13.1-trixie-amd64.lock.json"));
    }
}
