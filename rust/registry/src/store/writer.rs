// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file that a blob grows in, hashed once while it is written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use imageref::Digest;
use tokio::task::JoinHandle;

use crate::error::RegistryError;
use crate::store::hash::Hasher;

/// Bytes that are collected before they go to a thread that may block.
pub(crate) const BATCH: usize = 512 * 1024;

/// Which blob is to be written.
pub(crate) struct WantedBlob<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) size: u64,
    /// Its name in errors.
    pub(crate) what: String,
}

/// The file that a blob grows in. Hashing and writing happen on a thread that
/// may block, one batch at a time, while the next batch arrives: a slow disk
/// slows the reading down, and memory stays bounded.
pub(crate) struct Writer {
    path: PathBuf,
    algorithm: imageref::Algorithm,
    /// `None` while a batch is being written.
    sink: Option<Sink>,
    writing: Option<JoinHandle<io::Result<Sink>>>,
    batch: Vec<Bytes>,
    batch_length: usize,
    /// Bytes taken in, written or not.
    pub(crate) position: u64,
}

struct Sink {
    file: File,
    hasher: Hasher,
}

impl Writer {
    /// Opens the file and takes in what an earlier pull left in it.
    pub(crate) async fn open(
        path: PathBuf,
        wanted: &WantedBlob<'_>,
    ) -> Result<Self, RegistryError> {
        let algorithm = wanted.digest.algorithm();
        let size = wanted.size;
        let file = path.clone();
        let opened = blocking(move || {
            let mut sink = Sink {
                file: open_file(&file)?,
                hasher: Hasher::new(algorithm),
            };
            let position = sink.take_in(algorithm, size)?;
            Ok((sink, position))
        })
        .await;
        let (sink, position) = opened.map_err(RegistryError::io("open", &path))?;
        Ok(Self {
            path,
            algorithm,
            sink: Some(sink),
            writing: None,
            batch: Vec::new(),
            batch_length: 0,
            position,
        })
    }

    pub(crate) async fn push(&mut self, chunk: Bytes) -> Result<(), RegistryError> {
        self.position += chunk.len() as u64;
        self.batch_length += chunk.len();
        self.batch.push(chunk);
        if self.batch_length >= BATCH {
            self.submit().await?;
        }
        Ok(())
    }

    /// Hands the batch over as soon as the one before is written.
    async fn submit(&mut self) -> Result<(), RegistryError> {
        let mut sink = self.settle().await?;
        let batch = std::mem::take(&mut self.batch);
        self.batch_length = 0;
        self.writing = Some(tokio::task::spawn_blocking(move || {
            for chunk in batch {
                sink.hasher.update(&chunk);
                sink.file.write_all(&chunk)?;
            }
            Ok(sink)
        }));
        Ok(())
    }

    /// Waits until nothing is being written.
    async fn settle(&mut self) -> Result<Sink, RegistryError> {
        let sink = match self.writing.take() {
            Some(task) => task
                .await
                .unwrap_or_else(|e| Err(io::Error::other(e)))
                .map_err(RegistryError::io("write", &self.path))?,
            None => match self.sink.take() {
                Some(sink) => sink,
                // A write that failed has taken the file with it.
                None => return Err(self.lost()),
            },
        };
        Ok(sink)
    }

    /// Empties the file; gives the number of bytes that are gone.
    pub(crate) async fn restart(&mut self) -> Result<u64, RegistryError> {
        let mut sink = self.settle().await?;
        self.batch.clear();
        self.batch_length = 0;
        let algorithm = self.algorithm;
        let emptied = blocking(move || {
            sink.clear(algorithm)?;
            Ok(sink)
        })
        .await;
        self.sink = Some(emptied.map_err(RegistryError::io("truncate", &self.path))?);
        Ok(std::mem::take(&mut self.position))
    }

    /// Writes the rest and compares the digest. The file stays open for
    /// [`Writer::restart`].
    pub(crate) async fn finish(&mut self, wanted: &WantedBlob<'_>) -> Result<(), RegistryError> {
        self.submit().await?;
        let sink = self.settle().await?;
        let fresh = Sink {
            file: sink.file,
            hasher: Hasher::new(self.algorithm),
        };
        self.sink = Some(fresh);
        let got = sink.hasher.finish();
        if got != *wanted.digest {
            return Err(RegistryError::DigestMismatch {
                what: wanted.what.clone(),
                expected: wanted.digest.clone(),
                got,
            });
        }
        Ok(())
    }

    fn lost(&self) -> RegistryError {
        RegistryError::io("write", &self.path)(io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Sink {
    /// Hashes what is in the file already; more than `size` bytes are worthless.
    fn take_in(&mut self, algorithm: imageref::Algorithm, size: u64) -> io::Result<u64> {
        if self.file.metadata()?.len() > size {
            self.clear(algorithm)?;
            return Ok(0);
        }
        let mut buffer = vec![0; 256 * 1024];
        let mut position = 0;
        loop {
            match self.file.read(&mut buffer)? {
                0 => return Ok(position),
                n => {
                    self.hasher.update(&buffer[..n]);
                    position += n as u64;
                }
            }
        }
    }

    fn clear(&mut self, algorithm: imageref::Algorithm) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.hasher = Hasher::new(algorithm);
        Ok(())
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    // A link or a device in its place is nothing that a pull has left.
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        std::fs::remove_file(path)?;
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Runs file work on a thread that may block.
pub(crate) async fn blocking<T, F>(work: F) -> io::Result<T>
where
    F: FnOnce() -> io::Result<T> + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(io::Error::other(e)))
}
