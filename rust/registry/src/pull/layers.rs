// SPDX-License-Identifier: MIT OR Apache-2.0
//! All layers of an image into a layout, several at a time.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::error::RegistryError;
use crate::pull::blob::{Moved, Sources, Watch};
use crate::pull::client::Registry;
use crate::pull::copy::{self, Original};
use crate::pull::observer::PullObserver;
use crate::settings::registries_conf::Endpoint;
use crate::store::image::{Layer, ResolvedImage};
use crate::store::layout::OciLayout;
use crate::store::writer::WantedBlob;

/// What a pull did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullReport {
    /// Bytes of layers that came over the network, those fetched twice counted
    /// twice.
    pub downloaded: u64,
    /// Bytes of layers that were complete in the layout.
    pub present: u64,
    /// Bytes of layers that came from one of [`ClientConfig::layouts`] or
    /// [`ClientConfig::archives`].
    ///
    /// [`ClientConfig::layouts`]: crate::ClientConfig::layouts
    /// [`ClientConfig::archives`]: crate::ClientConfig::archives
    pub copied: u64,
    /// Bytes of incomplete layers that an earlier pull had left.
    pub resumed: u64,
    /// How often a transfer was taken up again.
    pub retries: u32,
}

impl Registry {
    /// Brings the layers of `image` into `layout`, then its manifest and
    /// configuration, and enters it under [`ResolvedImage::layout_name`].
    ///
    /// Layers are started in layer order, so that somebody who is told by
    /// `observer` can unpack the lower ones while the upper ones arrive. Layers
    /// that are in the layout already are verified and kept; those in one of
    /// [`ClientConfig::layouts`](crate::ClientConfig::layouts) are copied, and
    /// fetched after all when the copy is not right. After an error or a
    /// cancellation what has arrived stays, and the next pull goes on there.
    ///
    /// # Errors
    /// See [`RegistryError`]; [`RegistryError::Cancelled`] when `cancel` says so.
    pub async fn pull(
        &self,
        image: &ResolvedImage,
        layout: &OciLayout,
        observer: &dyn PullObserver,
        cancel: &CancellationToken,
    ) -> Result<PullReport, RegistryError> {
        let sources = Sources::new(self.places(image)?);
        let one = |blob: Blob| {
            let job = Job {
                image,
                sources: &sources,
                layout,
                observer,
                cancel,
            };
            async move { self.pull_layer(&job, blob).await }
        };
        let report = futures_util::stream::iter(distinct(&image.layers))
            .map(one)
            .buffer_unordered(self.config.max_concurrent_layers.get())
            .try_fold(PullReport::default(), |sum, part| async move {
                Ok(sum.plus(part))
            })
            .await?;
        if cancel.is_cancelled() {
            return Err(RegistryError::Cancelled);
        }
        let (image, layout) = (image.clone(), layout.clone());
        blocking(move || layout.add(&image, image.layout_name())).await?;
        Ok(report)
    }

    /// Where `image` can be had from: the place that knew it, then those behind
    /// it.
    ///
    /// # Errors
    /// [`RegistryError::Config`] for an image that was resolved in a layout, and
    /// what keeps the registry's configuration from being followed.
    pub fn places(&self, image: &ResolvedImage) -> Result<Vec<Endpoint>, RegistryError> {
        let Some(reference) = &image.reference else {
            return Err(RegistryError::Config {
                what: format!("{} does not come from a registry", image.origin),
            });
        };
        let mut endpoints = self.endpoints(reference)?;
        if let Some(known) = &image.endpoint {
            match endpoints.iter().position(|e| e == known) {
                Some(at) => drop(endpoints.drain(..at)),
                // Another configuration than the one that it was found with.
                None => endpoints.insert(0, known.clone()),
            }
        }
        Ok(endpoints)
    }

    /// Brings a layer from the first layout or archive at hand that has a good
    /// copy.
    async fn copy_blob(
        &self,
        layer: &Layer,
        wanted: &WantedBlob<'_>,
        job: &Job<'_>,
        watch: &dyn Watch,
    ) -> Result<bool, RegistryError> {
        let layouts = self.config.layouts.iter().filter(|s| s.has_layer(layer));
        let whole = layouts.map(|layout| Original::file(layout.blob_path(&layer.digest)));
        let archives = self.config.archives.iter();
        let parts = archives.filter_map(|archive| Original::archive(archive, layer));
        for from in whole.chain(parts) {
            if copy::copy_blob(&from, wanted, job.layout, watch, job.cancel).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn pull_layer(&self, job: &Job<'_>, blob: Blob) -> Result<PullReport, RegistryError> {
        if job.cancel.is_cancelled() {
            return Err(RegistryError::Cancelled);
        }
        let layer = &job.image.layers[blob.first()];
        let path = job.layout.blob_path(&layer.digest);
        let mut report = PullReport::default();
        if verified(job.layout, layer).await? {
            report.present = layer.size;
            job.observer.bytes(blob.first(), layer.size);
        } else {
            let wanted = WantedBlob {
                digest: &layer.digest,
                size: layer.size,
                what: format!("layer {} of {}", blob.first() + 1, job.image.origin),
            };
            let watch = LayerWatch {
                index: blob.first(),
                observer: job.observer,
            };
            if self.copy_blob(layer, &wanted, job, &watch).await? {
                report.copied = layer.size;
            } else {
                let moved = self
                    .fetch_blob(job.sources, &wanted, job.layout, &watch, job.cancel)
                    .await?;
                report = PullReport::from(moved);
            }
        }
        for index in blob.places {
            job.observer.layer_done(index, &path);
        }
        Ok(report)
    }
}

struct Job<'a> {
    image: &'a ResolvedImage,
    sources: &'a Sources,
    layout: &'a OciLayout,
    observer: &'a dyn PullObserver,
    cancel: &'a CancellationToken,
}

/// One blob and the places that it has among the layers, at least one.
struct Blob {
    places: Vec<usize>,
}

impl Blob {
    fn first(&self) -> usize {
        self.places[0]
    }
}

/// The blobs to fetch, in layer order, each once.
fn distinct(layers: &[Layer]) -> Vec<Blob> {
    let mut blobs: Vec<Blob> = Vec::new();
    let mut known = HashMap::new();
    for (index, layer) in layers.iter().enumerate() {
        let at = *known.entry(&layer.digest).or_insert(blobs.len());
        match blobs.get_mut(at) {
            Some(blob) => blob.places.push(index),
            None => blobs.push(Blob {
                places: vec![index],
            }),
        }
    }
    blobs
}

/// Whether a layer is in the layout, complete and right. One that is there and
/// wrong is left for the fetched one to replace.
async fn verified(layout: &OciLayout, layer: &Layer) -> Result<bool, RegistryError> {
    let (layout, layer) = (layout.clone(), layer.clone());
    blocking(move || {
        layout.make_blob_dir(&layer.digest)?;
        match layout.verify_layer(&layer) {
            Ok(_) => Ok(true),
            Err(
                RegistryError::NotFound { .. }
                | RegistryError::SizeMismatch { .. }
                | RegistryError::DigestMismatch { .. },
            ) => Ok(false),
            Err(other) => Err(other),
        }
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, RegistryError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => Err(RegistryError::Config {
            what: format!("a worker thread is gone: {e}"),
        }),
    }
}

struct LayerWatch<'a> {
    index: usize,
    observer: &'a dyn PullObserver,
}

impl Watch for LayerWatch<'_> {
    fn bytes(&self, n: u64) {
        if n > 0 {
            self.observer.bytes(self.index, n);
        }
    }

    fn rewound(&self, n: u64) {
        if n > 0 {
            self.observer.rewound(self.index, n);
        }
    }

    fn retry(&self, attempt: u32, error: &RegistryError, delay: Duration) {
        self.observer.retry(self.index, attempt, error, delay);
    }
}

impl PullReport {
    fn plus(self, other: Self) -> Self {
        Self {
            downloaded: self.downloaded + other.downloaded,
            present: self.present + other.present,
            copied: self.copied + other.copied,
            resumed: self.resumed + other.resumed,
            retries: self.retries + other.retries,
        }
    }
}

impl From<Moved> for PullReport {
    fn from(moved: Moved) -> Self {
        Self {
            downloaded: moved.received,
            present: 0,
            copied: 0,
            resumed: moved.resumed,
            retries: moved.retries,
        }
    }
}
