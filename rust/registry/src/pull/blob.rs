// SPDX-License-Identifier: MIT OR Apache-2.0
//! One blob from a registry into a file: resumed where it broke, hashed once,
//! named only when it is right. [`crate::pull::copy`] writes the same way.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, CONTENT_RANGE};
use tokio_util::sync::CancellationToken;

use crate::error::{Missing, RegistryError};
use crate::http::classify::Context;
use crate::http::range;
use crate::http::registry_session::RegistrySession;
use crate::http::transport::{HttpAnswer, in_time};
use crate::pull::client::Registry;
use crate::pull::mirrors::MirrorFailures;
use crate::settings::registries_conf::Endpoint;
use crate::store::layout::OciLayout;
use crate::store::writer::{WantedBlob, Writer};

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

/// The places to fetch from, shared by the blobs of an image.
#[derive(Debug)]
pub(crate) struct Sources {
    endpoints: Vec<Endpoint>,
    /// The first one that is not known to be gone.
    first: AtomicUsize,
}

impl Sources {
    pub(crate) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self {
            endpoints,
            first: AtomicUsize::new(0),
        }
    }

    fn first(&self) -> usize {
        self.first.load(Ordering::Relaxed)
    }

    fn get(&self, index: usize) -> Option<&Endpoint> {
        self.endpoints.get(index)
    }

    /// The place to go on at after `index` has failed for good. When that is
    /// not about one blob, the other blobs need not find it out themselves.
    fn after(&self, index: usize, error: &RegistryError) -> Option<usize> {
        let next = index + 1;
        if matches!(error, RegistryError::Cancelled | RegistryError::Io { .. })
            || next >= self.endpoints.len()
        {
            return None;
        }
        if error.is_transient() || error.is_outage() {
            self.first.fetch_max(next, Ordering::Relaxed);
        }
        Some(next)
    }
}

impl Registry {
    /// Fetches a blob of at least one byte into `layout`: from the first of
    /// `sources`, and when that fails for good from the next one. A blob is the
    /// same everywhere, so that one place goes on where another one has ended.
    pub(crate) async fn fetch_blob(
        &self,
        sources: &Sources,
        wanted: &WantedBlob<'_>,
        layout: &OciLayout,
        watch: &dyn Watch,
        cancel: &CancellationToken,
    ) -> Result<Moved, RegistryError> {
        let partial = layout.partial_path(wanted.digest);
        let writer = Writer::open(partial.clone(), wanted).await?;
        watch.bytes(writer.position);
        let mut fetch = Fetch {
            registry: self,
            wanted,
            watch,
            cancel,
            moved: Moved {
                resumed: writer.position,
                ..Moved::default()
            },
            joined: writer.position > 0,
            writer,
        };
        let mut failures = MirrorFailures::default();
        let mut index = sources.first();
        while let Some(endpoint) = sources.get(index) {
            let last = sources.get(index + 1).is_none();
            let Err(error) = fetch.read_from(endpoint, last).await else {
                let path = layout.blob_path(wanted.digest);
                fs::rename(&partial, &path).map_err(RegistryError::io("rename", &partial))?;
                return Ok(fetch.moved);
            };
            let worthless = matches!(
                error,
                RegistryError::DigestMismatch { .. } | RegistryError::SizeMismatch { .. }
            );
            match sources.after(index, &error) {
                Some(next) => {
                    failures.add(endpoint, &error);
                    watch.retry(1, &error, Duration::ZERO);
                    fetch.moved.retries += 1;
                    fetch.joined = fetch.writer.position > 0;
                    if worthless {
                        fetch.restart().await?;
                    }
                    index = next.max(sources.first());
                }
                None => {
                    drop(fetch);
                    if worthless {
                        fs::remove_file(&partial).ok();
                    }
                    return Err(failures.with(error));
                }
            }
        }
        Err(RegistryError::Config {
            what: format!("no place is configured for {}", wanted.what),
        })
    }
}

/// One blob on its way.
struct Fetch<'a> {
    registry: &'a Registry,
    wanted: &'a WantedBlob<'a>,
    watch: &'a dyn Watch,
    cancel: &'a CancellationToken,
    moved: Moved,
    /// Whether the file was put together from several answers.
    joined: bool,
    writer: Writer,
}

/// Failures in a row after which a mirror is left for the next place.
const MIRROR_FAILURES: u32 = 3;

impl Fetch<'_> {
    /// Reads what is missing from one place, as often as the policy allows.
    async fn read_from(&mut self, endpoint: &Endpoint, last: bool) -> Result<(), RegistryError> {
        let policy = self.registry.config.retry;
        let patience = match last {
            true => policy.max_failures,
            false => policy.max_failures.min(MIRROR_FAILURES),
        };
        let mut failures = 0;
        let mut furthest = self.writer.position;
        loop {
            let cancel = self.cancel;
            let result = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RegistryError::Cancelled),
                result = self.read_rest(endpoint) => result,
            };
            let error = match result {
                Ok(()) => match self.writer.finish(self.wanted).await {
                    // Put together from pieces: one of them may be to blame,
                    // so that a fresh start can help. Otherwise it cannot.
                    Err(e @ RegistryError::DigestMismatch { .. }) if self.joined => {
                        tracing::warn!(error = %e, "starting the blob afresh");
                        self.joined = false;
                        self.restart().await?;
                        continue;
                    }
                    done => return done,
                },
                Err(e) if e.is_transient() || e.is_outage() => e,
                Err(e) => return Err(e),
            };
            // Only bytes that no attempt had reached before are progress:
            // otherwise a server without resumption could go on for ever.
            let position = self.writer.position;
            if position >= furthest.saturating_add(policy.progress) {
                failures = 0;
            }
            furthest = furthest.max(position);
            failures += 1;
            // Whoever asks for more than is ever waited would only be asked in vain.
            let too_long = error.retry_after().is_some_and(|w| w > policy.max_wait);
            if failures > patience || too_long {
                return Err(error);
            }
            self.moved.retries += 1;
            let delay = policy.delay_after(failures, &error);
            self.watch.retry(failures, &error, delay);
            tracing::debug!(%error, ?delay, position, "reading on");
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RegistryError::Cancelled),
                () = tokio::time::sleep(delay) => {}
            }
            self.joined |= position > 0;
        }
    }

    async fn restart(&mut self) -> Result<(), RegistryError> {
        self.watch.rewound(self.writer.restart().await?);
        Ok(())
    }

    /// Reads from the writer's position to the end of the blob.
    async fn read_rest(&mut self, endpoint: &Endpoint) -> Result<(), RegistryError> {
        if self.writer.position == self.wanted.size {
            return Ok(());
        }
        let session = self.registry.session(endpoint).await?;
        let context = session.context(&self.wanted.what, Missing::Blob);
        while self.writer.position < self.wanted.size {
            self.read_part(&session, &context).await?;
        }
        Ok(())
    }

    /// Reads one answer to its end, which may be before that of the blob.
    async fn read_part(
        &mut self,
        session: &RegistrySession,
        context: &Context,
    ) -> Result<(), RegistryError> {
        let asked = self.writer.position;
        let mut answer = session.blob(context, self.wanted.digest, asked).await?;
        let end = self.check(&answer, asked, context).await;
        let end = match end {
            Ok(Some(end)) => end,
            Ok(None) => return Err(answer.refusal(context).await),
            Err(problem) => return Err(problem),
        };
        while let Some(chunk) = in_time(context, answer.response.chunk())
            .await?
            .map_err(|e| context.request(e))?
        {
            let length = chunk.len() as u64;
            self.moved.received += length;
            let position = self.writer.position + length;
            if position > self.wanted.size {
                return Err(self.size_mismatch(position));
            }
            self.writer.push(chunk).await?;
            self.watch.bytes(length);
        }
        if self.writer.position < end {
            return Err(context.interrupted(io::Error::from(io::ErrorKind::UnexpectedEof)));
        }
        if end < self.wanted.size {
            self.joined = true;
            // Parts are fine, crumbs are not: each one costs a request, and
            // without a limit a server could keep us busy for ever.
            if end - asked < self.registry.config.retry.progress {
                let part = end - asked;
                let problem = format!("the registry gives no more than {part} bytes at a time");
                return Err(context.interrupted(problem));
            }
        }
        Ok(())
    }

    /// Where the bytes of an answer end that was asked to begin at `asked`;
    /// `None` when it is a refusal. Starts the blob anew when the bytes do not
    /// continue it.
    async fn check(
        &mut self,
        answer: &HttpAnswer,
        asked: u64,
        context: &Context,
    ) -> Result<Option<u64>, RegistryError> {
        let size = self.wanted.size;
        let length = answer.response.content_length();
        let status = answer.status();
        if matches!(status, 200 | 206)
            && let Some(encoding) = answer.header(CONTENT_ENCODING)
            && !encoding.trim().eq_ignore_ascii_case("identity")
        {
            let problem = "it comes compressed although nobody asked for that";
            return Err(RegistryError::malformed(&self.wanted.what, problem));
        }
        match status {
            200 => {
                if let Some(length) = length.filter(|l| *l != size) {
                    return Err(self.size_mismatch(length));
                }
                if asked > 0 {
                    self.restart().await?;
                }
                Ok(Some(size))
            }
            206 => match range::check(answer.header(CONTENT_RANGE), length, asked, size) {
                Ok(range) => Ok(Some(range.last + 1)),
                Err(problem) => {
                    self.restart().await?;
                    let problem =
                        format!("the answer is not the part that was asked for: {problem}");
                    Err(context.interrupted(problem))
                }
            },
            416 if asked > 0 => {
                self.restart().await?;
                Err(context.interrupted("the registry does not have the part that was asked for"))
            }
            _ => Ok(None),
        }
    }

    fn size_mismatch(&self, got: u64) -> RegistryError {
        RegistryError::SizeMismatch {
            what: self.wanted.what.clone(),
            expected: self.wanted.size,
            got,
        }
    }
}
