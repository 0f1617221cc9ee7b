// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a layer's blob to its tar stream, hashed on the way.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use imageref::{Algorithm, Digest};
use registry::Compression;
use ring::digest;

use super::guard::Bounded;

/// Size of the buffers before and behind the decoder, bytes.
const BUFFER: usize = 256 * 1024;

/// Is told how many more bytes of the blob were read.
pub type OnBytes<'a> = &'a dyn Fn(u64);

/// Hashes what is read through it and counts it.
struct Tap<'a, R> {
    inner: R,
    hash: Option<Hash>,
    on_bytes: Option<OnBytes<'a>>,
}

/// A running hash that can be asked for while a reader feeds it.
#[derive(Clone)]
pub(super) struct Hash {
    algorithm: Algorithm,
    context: Arc<Mutex<digest::Context>>,
}

impl Hash {
    pub(super) fn like(digest: &Digest) -> Self {
        let algorithm = digest.algorithm();
        let context = digest::Context::new(match algorithm {
            Algorithm::Sha512 => &digest::SHA512,
            _ => &digest::SHA256,
        });
        Self {
            algorithm,
            context: Arc::new(Mutex::new(context)),
        }
    }

    fn update(&self, bytes: &[u8]) {
        self.context
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .update(bytes);
    }

    /// The digest of everything so far.
    pub(super) fn digest(&self) -> Option<Digest> {
        let context = self
            .context
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Digest::from_bytes(self.algorithm, context.finish().as_ref()).ok()
    }
}

impl<R: Read> Read for Tap<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        if let Some(hash) = &self.hash {
            hash.update(&buf[..n]);
        }
        if let Some(on_bytes) = self.on_bytes {
            on_bytes(n as u64);
        }
        Ok(n)
    }
}

/// Opens a blob. `blob` hashes the file as it is, `tar` what is inside, of which
/// `floor` bytes are accepted however small the blob is (see [`Bounded`]).
pub(super) fn open<'a>(
    path: &Path,
    compression: Compression,
    blob: Option<Hash>,
    tar: Option<Hash>,
    on_bytes: Option<OnBytes<'a>>,
    floor: u64,
) -> io::Result<Box<dyn Read + 'a>> {
    let file = File::open(path)?;
    let compressed = file.metadata()?.len();
    let file = BufReader::with_capacity(
        BUFFER,
        Tap {
            inner: file,
            hash: blob,
            on_bytes,
        },
    );
    let plain: Box<dyn Read + 'a> = match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
    };
    let hashed = Tap {
        inner: Bounded::new(plain, compressed, floor),
        hash: tar,
        on_bytes: None,
    };
    // Headers are read in pieces of 512 bytes.
    Ok(Box::new(BufReader::with_capacity(BUFFER, hashed)))
}
