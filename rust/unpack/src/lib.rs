// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unpacks the layers of an image into a directory, after image-spec
//! `layer.md`.
//!
//! This runs as root on archives that somebody else made, so nothing in them is
//! trusted: whatever the names and links say, only the given root is written
//! to (`tree`), and sizes, counts and names have limits. What an entry says
//! about itself (owner, mode, attributes, devices) is an image's right, and is
//! done as it says.
//!
//! From the blob to the files: `decode` decompresses and hashes, `entries`
//! and `pax` read the archive, `name` tells entries from whiteouts,
//! `writer` makes the entries (`meta`: all but their data), `whiteout`
//! removes, `done` remembers what a later entry, layer or the end needs,
//! `filter` with `lean` leaves out what a runtime root can do without, and
//! `guard` keeps all of it within bounds.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use imageref::Digest;
use nix::fcntl::OFlag;
use registry::{Compression, Layer};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;

mod decode;
mod done;
mod entries;
mod filter;
mod guard;
mod lean;
mod meta;
mod name;
mod pax;
#[cfg(test)]
mod tests;
mod tree;
mod whiteout;
mod writer;

#[doc(hidden)]
pub mod fuzz;

pub use decode::OnBytes;
pub use filter::UnpackFilter;

use decode::Hash;
use entries::Archive;
use lean::Source;
use tree::Tree;
use writer::Writer;

/// Longest path in a message, in characters.
const SHOWN_MAX: usize = 200;
/// Longest text of an error of the archive, in characters.
const DETAIL_MAX: usize = 1000;

/// Unpacks layers, lowest first, into one root.
///
/// After an error the root is in no defined state; it is to be thrown away.
#[derive(Debug)]
pub struct Unpacker {
    root: PathBuf,
    writer: Writer,
    /// The layers so far.
    blobs: Vec<Blob>,
    /// See [`guard::RATIO_FLOOR`].
    ratio_floor: u64,
}

/// A layer to read, possibly again.
#[derive(Debug, Clone)]
struct Blob {
    path: PathBuf,
    compression: Compression,
    digest: Digest,
    ratio_floor: u64,
}

/// Ends a stream when a stop is asked for. Whoever reads through it (copying
/// a large file, skipping one, looking for the end) stops within a buffer.
struct Stoppable<'a, R> {
    inner: R,
    cancel: &'a Cancel,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        self.inner.read(buf)
    }
}

impl Unpacker {
    /// Begins with `root`, an existing directory, which should be empty.
    ///
    /// # Errors
    /// `NOT_ROOT` without the rights to give files away, or whatever keeps the
    /// directory from being opened.
    pub fn create(root: &Path, filter: UnpackFilter) -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            let what = "Unpacking an image needs the rights of the administrator.";
            return Err(Error::new(Code::NotRoot, what));
        }
        let tree = Tree::open(root).map_err(|err| Error::io("opening", root, &err))?;
        Ok(Self {
            root: root.to_owned(),
            writer: Writer::new(tree, filter),
            blobs: Vec::new(),
            ratio_floor: guard::RATIO_FLOOR,
        })
    }

    /// Ends with `DISK_FULL` before less than `bytes` are free where the root
    /// is. Without it only a full disk ends the unpacking.
    #[must_use]
    pub fn keep_free(mut self, bytes: u64) -> Self {
        self.writer.guard.keep_free = bytes;
        self
    }

    /// Applies one layer.
    ///
    /// `blob` is the layer's file; with `verify_blob` its digest is checked on
    /// the way, otherwise somebody has done so. The digest of the archive in it
    /// is always checked. `on_bytes` is told how many more bytes of the blob
    /// were read.
    ///
    /// With [`UnpackFilter::Lean`] the blobs of all layers must stay where they
    /// are until the last is applied: a hard link can need data of a file that
    /// was left out.
    ///
    /// # Errors
    /// `DIGEST_MISMATCH`, `UNPACK_FAILED` for a layer that is damaged or cannot
    /// be represented, `DISK_FULL`, `CANCELLED`.
    pub fn apply(
        &mut self,
        layer: &Layer,
        blob: &Path,
        verify_blob: bool,
        on_bytes: OnBytes<'_>,
        cancel: &Cancel,
    ) -> Result<()> {
        cancel.check()?;
        let blob = Blob {
            path: blob.to_owned(),
            compression: layer.compression,
            digest: layer.digest.clone(),
            ratio_floor: self.ratio_floor,
        };
        self.blobs.push(blob.clone());
        self.writer.done.next_layer();
        let blob_hash = verify_blob.then(|| Hash::like(&layer.digest));
        let tar_hash = Hash::like(&layer.diff_id);
        let hashes = (blob_hash.clone(), Some(tar_hash.clone()));
        if let Err(err) = self.entries(&blob, hashes, on_bytes, cancel) {
            if verify_blob && err.code == Code::UnpackFailed {
                // Damage on the way is not the fault of whoever built the image.
                blob.verify(cancel)?;
            }
            return Err(err);
        }
        if let Some(hash) = blob_hash {
            expect_blob(&layer.digest, &hash)?;
        }
        if tar_hash.digest().as_ref() != Some(&layer.diff_id) {
            let what = format!(
                "The archive in layer {} is not the one that the image's configuration names.",
                layer.digest.short()
            );
            return Err(mismatch(what, &layer.diff_id, &tar_hash));
        }
        self.late_links(cancel)
    }

    /// After the last layer: gives directories their modes and times, deepest
    /// first.
    ///
    /// # Errors
    /// `UNPACK_FAILED`, `DISK_FULL`.
    pub fn finish(self) -> Result<()> {
        for (path, directory) in self.writer.done.deepest_first() {
            let complete = || -> io::Result<()> {
                let fd = self.writer.tree.directory(path, OFlag::O_RDONLY)?;
                let acl = directory.default_acl.as_deref();
                meta::directory_end(fd, directory.mode, directory.mtime, acl)
            };
            complete().map_err(|err| {
                let path = shown(self.root.join(path).as_os_str().as_encoded_bytes());
                failed(format!("The directory {path} cannot be completed."), &err)
            })?;
        }
        Ok(())
    }

    /// Makes all entries of a layer.
    fn entries(
        &mut self,
        blob: &Blob,
        (blob_hash, tar_hash): (Option<Hash>, Option<Hash>),
        on_bytes: OnBytes<'_>,
        cancel: &Cancel,
    ) -> Result<()> {
        let mut source = Source {
            layer: self.blobs.len() - 1,
            entry: 0,
        };
        let mut archive = blob
            .open(blob_hash, tar_hash, Some(on_bytes), cancel)
            .map_err(|err| blob.unreadable(&err, cancel))?;
        loop {
            let next = archive.next();
            let Some(entry) = next.map_err(|err| blob.unreadable(&err, cancel))? else {
                break;
            };
            self.writer
                .entry(&entry, source, &mut archive)
                .map_err(|err| blob.entry_failed(&entry.path, &err, cancel))?;
            source.entry += 1;
        }
        archive.drain().map_err(|err| blob.unreadable(&err, cancel))
    }

    /// Makes the links whose data was left out; see [`lean`].
    fn late_links(&mut self, cancel: &Cancel) -> Result<()> {
        let mut wanted = self.writer.lean.take_later();
        while let Some(layer) = wanted.first_key_value().map(|(source, _)| source.layer) {
            let blob = self.blobs[layer].clone();
            tracing::debug!("reading layer {} again for hard links", blob.digest.short());
            let mut archive = blob
                .open(None, None, None, cancel)
                .map_err(|err| blob.unreadable(&err, cancel))?;
            let mut source = Source { layer, entry: 0 };
            while wanted
                .keys()
                .next()
                .is_some_and(|first| first.layer == layer)
            {
                let entry = archive
                    .next()
                    .and_then(|entry| entry.ok_or(io::ErrorKind::UnexpectedEof.into()))
                    .map_err(|err| blob.unreadable(&err, cancel))?;
                if let Some(links) = wanted.remove(&source) {
                    self.writer
                        .late(&entry, &links, &mut archive)
                        .map_err(|err| blob.entry_failed(&entry.path, &err, cancel))?;
                }
                source.entry += 1;
            }
        }
        Ok(())
    }
}

impl Blob {
    fn open<'a>(
        &self,
        blob: Option<Hash>,
        tar: Option<Hash>,
        on_bytes: Option<OnBytes<'a>>,
        cancel: &'a Cancel,
    ) -> io::Result<Archive<impl Read + use<'a>>> {
        let inner = decode::open(
            &self.path,
            self.compression,
            blob,
            tar,
            on_bytes,
            self.ratio_floor,
        )?;
        Ok(Archive::new(Stoppable { inner, cancel }))
    }

    /// Reads all of it and compares its digest.
    fn verify(&self, cancel: &Cancel) -> Result<()> {
        let hash = Hash::like(&self.digest);
        decode::open(
            &self.path,
            Compression::None,
            Some(hash.clone()),
            None,
            None,
            self.ratio_floor,
        )
        .and_then(|inner| io::copy(&mut Stoppable { inner, cancel }, &mut io::sink()))
        .map_err(|err| self.unreadable(&err, cancel))?;
        expect_blob(&self.digest, &hash)
    }

    fn unreadable(&self, err: &io::Error, cancel: &Cancel) -> Error {
        let what = format!("Layer {} cannot be read.", self.digest.short());
        stopped(cancel).unwrap_or_else(|| failed(what, err))
    }

    fn entry_failed(&self, path: &[u8], err: &io::Error, cancel: &Cancel) -> Error {
        let (path, layer) = (shown(path), self.digest.short());
        let what = format!("The entry {path} of layer {layer} cannot be unpacked.");
        stopped(cancel).unwrap_or_else(|| failed(what, err))
    }
}

fn stopped(cancel: &Cancel) -> Option<Error> {
    cancel.check().err().map(Error::from)
}

/// An error of the operating system or the archive, with a code of its own
/// where that says more.
fn failed(what: String, err: &io::Error) -> Error {
    let code = match Error::io("", Path::new(""), err).code {
        Code::Io => Code::UnpackFailed,
        code => code,
    };
    // Some name an entry, as it is.
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let detail = err
        .to_string()
        .chars()
        .take(DETAIL_MAX)
        .map(plain)
        .collect::<String>();
    let error = Error::new(code, what).detail(detail);
    if guard::is_bomb(err) {
        return error.why("It unpacks to more than any real layer of its size.");
    }
    error
}

fn expect_blob(digest: &Digest, hash: &Hash) -> Result<()> {
    if hash.digest().as_ref() == Some(digest) {
        return Ok(());
    }
    let what = format!("Layer {} is damaged.", digest.short());
    Err(mismatch(what, digest, hash))
}

fn mismatch(what: String, expected: &Digest, found: &Hash) -> Error {
    let found = found
        .digest()
        .map_or_else(String::new, |found| found.to_string());
    Error::new(Code::DigestMismatch, what)
        .detail(format!("expected {expected}"))
        .detail(format!("found {found}"))
}

/// A name from an archive, for people: it may hold anything, and any amount.
fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut chars = text.escape_debug();
    let mut shown: String = chars.by_ref().take(SHOWN_MAX).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}
