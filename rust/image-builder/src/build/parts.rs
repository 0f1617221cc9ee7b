// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a request comes to before anything is looked up: the files of the
//! medium. Made when they are first asked for, and then the same for whoever
//! describes a step and whoever runs it.

use std::cell::OnceCell;

use buildroot::cache::Key;

use super::files::Files;
use super::publish::MediumKind;
use super::{Request, embed, layer, lb, tree};
use crate::config::{Distro, bootc_conf};
use crate::error::Result;
use crate::lock::Decided;
use crate::preflight::Places;

/// A request and its files.
#[derive(Debug)]
pub(super) struct Parts {
    /// What is asked for.
    pub(super) request: Request,
    /// Where it happens.
    pub(super) places: Places,
    /// What is made.
    pub(super) kind: MediumKind,
    tree: OnceCell<Files>,
    layer: OnceCell<Files>,
}

impl Parts {
    /// Those of a request; no file is read yet.
    ///
    /// # Errors
    /// `IO` when there is no place for the cache.
    pub(super) fn of(request: &Request, kind: MediumKind) -> Result<Self> {
        Ok(Self {
            places: request.places()?,
            request: request.clone(),
            kind,
            tree: OnceCell::new(),
            layer: OnceCell::new(),
        })
    }

    /// The live-build tree.
    ///
    /// # Errors
    /// As [`tree::tree`].
    pub(super) fn tree(&self) -> Result<&Files> {
        once(&self.tree, || tree::tree(&self.request.distro))
    }

    /// The product's layer.
    ///
    /// # Errors
    /// As [`layer::layer`].
    pub(super) fn layer(&self) -> Result<&Files> {
        once(&self.layer, || {
            let distro = &self.request.distro;
            layer::layer(distro, &bootc_conf(distro, embed::IN_LIVE)?)
        })
    }

    /// Whether images go onto the medium.
    pub(super) fn has_images(&self) -> bool {
        !self.request.distro.images.embed.is_empty()
    }

    /// What distro.yaml and this program decide.
    ///
    /// # Errors
    /// `IO` when a file that the distro names cannot be read.
    pub(super) fn decided(&self) -> Result<Decided> {
        let distro = &self.request.distro;
        let product = &distro.product;
        Ok(Decided {
            builder: env!("CARGO_PKG_VERSION").to_owned(),
            product: product.id.clone(),
            product_version: product.version.clone(),
            suite: distro.suite.clone(),
            architecture: "amd64".to_owned(),
            snapshot: distro.mirrors.snapshot.clone(),
            options: options(distro),
            tree: self.tree()?.digest(),
            layer: self.layer()?.digest(),
        })
    }
}

fn once(cell: &OnceCell<Files>, make: impl FnOnce() -> Result<Files>) -> Result<&Files> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

/// A hash over the options of live-build, but for mirrors: another mirror of the
/// same archive has the same packages.
fn options(distro: &Distro) -> String {
    let mut key = Key::new();
    let mut is_value_of_mirror = false;
    for word in lb::config_arguments(distro, None) {
        let is_mirror = word.starts_with("--mirror-");
        if !is_mirror && !is_value_of_mirror {
            key = key.with("word", &word);
        }
        is_value_of_mirror = is_mirror;
    }
    key.hex()
}
