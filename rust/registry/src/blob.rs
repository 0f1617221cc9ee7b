// SPDX-License-Identifier: MIT OR Apache-2.0
//! One blob from a registry into a file: resumed where it broke, hashed once,
//! named only when it is right. [`crate::copy`] writes the same way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use imageref::Digest;
use oci_client::client::BlobResponse;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::classify::Context;
use crate::client::{Registry, Session};
use crate::error::{Missing, RegistryError};
use crate::hash::Hasher;
use crate::layout::OciLayout;
use crate::resolve::{answered, in_time};

/// Bytes that are collected before they go to a thread that may block.
pub(crate) const BATCH: usize = 512 * 1024;

/// Which blob to fetch.
pub(crate) struct Wanted<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) size: u64,
    /// Its name in errors.
    pub(crate) what: String,
}

/// Is told what happens to one blob.
pub(crate) trait Watch: Sync {
    fn bytes(&self, n: u64);
    fn rewound(&self, n: u64);
    fn retry(&self, attempt: u32, error: &RegistryError, delay: Duration);
}

/// What was moved for one blob.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Moved {
    /// Bytes that came over the network, those fetched twice counted twice.
    pub(crate) received: u64,
    /// Bytes that an earlier pull had left.
    pub(crate) resumed: u64,
    pub(crate) retries: u32,
}

impl Registry {
    /// Fetches a blob of at least one byte into `layout`.
    pub(crate) async fn fetch_blob(
        &self,
        reference: &imageref::Reference,
        wanted: &Wanted<'_>,
        layout: &OciLayout,
        watch: &dyn Watch,
        cancel: &CancellationToken,
    ) -> Result<Moved, RegistryError> {
        let partial = layout.partial_path(wanted.digest);
        let mut moved = Moved::default();
        let mut session = self.session(reference).await?;
        let mut context = session.context(&wanted.what, Missing::Blob);
        let mut writer = Writer::open(partial.clone(), wanted).await?;
        moved.resumed = writer.position;
        watch.bytes(writer.position);

        let policy = self.config.retry;
        let mut failures = 0;
        let mut furthest = writer.position;
        let mut joined = writer.position > 0;
        let mut logged_in_again = false;
        loop {
            let read = read_rest(&session, &context, wanted, &mut writer, watch, &mut moved);
            let result = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RegistryError::Cancelled),
                result = read => result,
            };
            let error = match result {
                Ok(()) => match writer.finish(wanted).await {
                    Ok(()) => break,
                    // Put together from pieces: one of them may be to blame,
                    // so that a fresh start can help. Otherwise it cannot.
                    Err(e @ RegistryError::DigestMismatch { .. }) if joined => {
                        joined = false;
                        tracing::warn!(error = %e, "starting the blob afresh");
                        watch.rewound(writer.restart().await?);
                        continue;
                    }
                    Err(e) => {
                        fs::remove_file(&partial).ok();
                        return Err(e);
                    }
                },
                Err(e) => e,
            };
            match &error {
                RegistryError::AuthRequired { .. } | RegistryError::AuthRejected { .. }
                    if !logged_in_again =>
                {
                    // A token may have expired; a refused login says so here.
                    logged_in_again = true;
                    session = self.new_session(reference).await?;
                    context = session.context(&wanted.what, Missing::Blob);
                    continue;
                }
                RegistryError::DigestMismatch { .. } | RegistryError::SizeMismatch { .. } => {
                    drop(writer);
                    fs::remove_file(&partial).ok();
                    return Err(error);
                }
                e if e.is_transient() || e.is_outage() => {}
                _ => return Err(error),
            }
            // Only bytes that no attempt had reached before are progress:
            // otherwise a server without resumption could go on for ever.
            if writer.position >= furthest.saturating_add(policy.progress) {
                failures = 0;
                logged_in_again = false;
            }
            furthest = furthest.max(writer.position);
            failures += 1;
            if failures > policy.max_failures {
                return Err(error);
            }
            moved.retries += 1;
            let delay = policy.delay(failures);
            watch.retry(failures, &error, delay);
            tracing::debug!(%error, ?delay, position = writer.position, "reading on");
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RegistryError::Cancelled),
                () = tokio::time::sleep(delay) => {}
            }
            if writer.foreign_hash {
                // The bytes so far went into a hash that is gone.
                watch.rewound(writer.restart().await?);
            }
            joined |= writer.position > 0;
        }
        let path = layout.blob_path(wanted.digest);
        fs::rename(&partial, &path).map_err(RegistryError::io("rename", &partial))?;
        Ok(moved)
    }
}

/// Reads from the writer's position to the end of the blob.
async fn read_rest(
    session: &Session,
    context: &Context,
    wanted: &Wanted<'_>,
    writer: &mut Writer,
    watch: &dyn Watch,
    moved: &mut Moved,
) -> Result<(), RegistryError> {
    if writer.position == wanted.size {
        return Ok(());
    }
    let digest = wanted.digest.to_string();
    let request = session.oci.pull_blob_stream_partial(
        &session.oci_reference,
        digest.as_str(),
        writer.position,
        None,
    );
    let mut stream = match answered(context, request)
        .await?
        .map_err(|e| context.oci(e))?
    {
        BlobResponse::Partial(stream) => {
            // oci-client does not show Content-Range. The length of what is
            // left says the same, and the digest in the end decides.
            let left = wanted.size - writer.position;
            if let Some(length) = stream.content_length.filter(|l| *l != left) {
                if writer.position == 0 {
                    return Err(size_mismatch(wanted, length));
                }
                watch.rewound(writer.restart().await?);
                return Err(context.interrupted("the registry sent another range than asked for"));
            }
            stream.stream
        }
        BlobResponse::Full(stream) => {
            if let Some(length) = stream.content_length.filter(|l| *l != wanted.size) {
                return Err(size_mismatch(wanted, length));
            }
            if writer.position > 0 {
                watch.rewound(writer.restart().await?);
            }
            // oci-client hashes a full answer itself: once is enough.
            writer.foreign_hash = true;
            stream.stream
        }
    };
    while let Some(chunk) = in_time(context, stream.next()).await? {
        let chunk = chunk.map_err(|e| context.body(e))?;
        let length = chunk.len() as u64;
        moved.received += length;
        if writer.position + length > wanted.size {
            return Err(size_mismatch(wanted, writer.position + length));
        }
        writer.push(chunk).await?;
        watch.bytes(length);
    }
    if writer.position < wanted.size {
        return Err(context.interrupted(io::Error::from(io::ErrorKind::UnexpectedEof)));
    }
    Ok(())
}

fn size_mismatch(wanted: &Wanted<'_>, got: u64) -> RegistryError {
    RegistryError::SizeMismatch {
        what: wanted.what.clone(),
        expected: wanted.size,
        got,
    }
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
    /// Whether somebody else hashes these bytes.
    foreign_hash: bool,
}

struct Sink {
    file: File,
    hasher: Hasher,
}

impl Writer {
    /// Opens the file and takes in what an earlier pull left in it.
    pub(crate) async fn open(path: PathBuf, wanted: &Wanted<'_>) -> Result<Self, RegistryError> {
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
            foreign_hash: false,
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
        let hash = !self.foreign_hash;
        self.writing = Some(tokio::task::spawn_blocking(move || {
            for chunk in batch {
                if hash {
                    sink.hasher.update(&chunk);
                }
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
        self.foreign_hash = false;
        Ok(std::mem::take(&mut self.position))
    }

    /// Writes the rest and compares the digest. The file stays open for
    /// [`Writer::restart`].
    pub(crate) async fn finish(&mut self, wanted: &Wanted<'_>) -> Result<(), RegistryError> {
        self.submit().await?;
        let sink = self.settle().await?;
        let fresh = Sink {
            file: sink.file,
            hasher: Hasher::new(self.algorithm),
        };
        self.sink = Some(fresh);
        if self.foreign_hash {
            return Ok(());
        }
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
