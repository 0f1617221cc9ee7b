// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a request comes to before anything is looked up: the files of the
//! medium. Made when they are first asked for, and then the same for whoever
//! describes a step and whoever runs it.

use std::cell::OnceCell;

use super::files::Files;
use super::publish::MediumKind;
use super::{Request, embed, layer, tree};
use crate::config::bootc_conf;
use crate::error::Result;
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
}

fn once(cell: &OnceCell<Files>, make: impl FnOnce() -> Result<Files>) -> Result<&Files> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}
