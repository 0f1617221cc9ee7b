// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unpacking into real directories. All of it needs root, as unpacking does.
#![allow(clippy::unwrap_used)]

mod archive;
mod escapes;
mod hostile;
mod layers;
mod lean;
mod metadata;
mod snapshot;
mod stream;
mod umoci;

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use imageref::Digest;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use registry::{Compression, Layer};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{UnpackFilter, Unpacker};

/// A root, and beside it a directory that nothing may reach.
struct Fixture {
    temp: TempDir,
    unpacker: Unpacker,
    layers: usize,
}

/// A fixture, or `None` (and a message) where it cannot work.
fn fixture(filter: UnpackFilter) -> Option<Fixture> {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let outside = temp.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    match Unpacker::create(&root, filter) {
        Ok(unpacker) => Some(Fixture {
            temp,
            unpacker,
            layers: 0,
        }),
        Err(err) => {
            assert_eq!(err.code, Code::NotRoot, "{err}");
            eprintln!("skipped: {err}");
            None
        }
    }
}

/// Something mounted for a test, and unmounted even when the test fails.
struct Mounted(PathBuf);

impl Mounted {
    fn new(source: &Path, at: &Path, kind: Option<&str>, options: Option<&str>) -> Option<Self> {
        let flags = match kind {
            None => MsFlags::MS_BIND,
            Some(_) => MsFlags::empty(),
        };
        match mount(Some(source), at, kind, flags, options) {
            Ok(()) => Some(Self(at.to_owned())),
            Err(errno) => {
                eprintln!("skipped: no mounts here: {errno}");
                None
            }
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(errno) = umount2(&self.0, MntFlags::MNT_DETACH) {
            eprintln!("{} stays mounted: {errno}", self.0.display());
        }
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest::from_bytes(imageref::Algorithm::Sha256, &Sha256::digest(bytes)).unwrap()
}

impl Fixture {
    fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    fn outside(&self) -> PathBuf {
        self.temp.path().join("outside")
    }

    /// Writes a blob and describes it.
    fn blob(&mut self, tar: &[u8], compression: Compression) -> (Layer, PathBuf) {
        let blob = archive::compress(tar, compression);
        self.layers += 1;
        let path = self.temp.path().join(format!("layer-{}", self.layers));
        std::fs::write(&path, &blob).unwrap();
        let layer = Layer {
            digest: sha256(&blob),
            size: blob.len() as u64,
            media_type: String::new(),
            compression,
            diff_id: sha256(tar),
        };
        (layer, path)
    }

    fn apply(&mut self, tar: &[u8]) -> Result<()> {
        let (layer, path) = self.blob(tar, Compression::None);
        self.apply_blob(&layer, &path)
    }

    fn apply_blob(&mut self, layer: &Layer, path: &Path) -> Result<()> {
        let result = self
            .unpacker
            .apply(layer, path, true, &|_| {}, &Cancel::new());
        self.nothing_outside();
        result
    }

    /// Applies one that must fail, naming the entry.
    fn refused(&mut self, tar: &[u8], entry: &str) -> Error {
        let err = self.apply(tar).expect_err(entry);
        assert_eq!(err.code, Code::UnpackFailed, "{err} {:?}", err.details);
        assert!(err.what.contains(entry), "{entry}: {err}");
        err
    }

    fn nothing_outside(&self) {
        assert_eq!(snapshot::brief(&self.outside()), ["secret=secret"]);
        let mut names = snapshot::names(self.temp.path());
        names.retain(|name| !name.starts_with("layer-"));
        assert_eq!(names, ["outside", "root"]);
    }

    fn brief(&self) -> Vec<String> {
        snapshot::brief(&self.root())
    }

    /// Ends it and gives the directory back, to be looked at.
    fn finish(self) -> TempDir {
        self.nothing_outside();
        self.unpacker.finish().unwrap();
        self.temp
    }
}
