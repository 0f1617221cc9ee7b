// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building the medium.
//!
//! ```text
//! look at everything that can be refused          (nothing is written)
//! lists         what the archives have; every package that is named is looked for
//! compilers     a root of the suite, unless our packages are given
//! packages      our .debs, built there or given
//! root          with live-build and what it calls, from the cache or made
//! live system   lb bootstrap, lb chroot           (again only when its key changes)
//! images        pulled into an OCI layout, when embedded
//! layer         names, pictures, settings: a small squashfs
//! medium        lb binary: boot menu, checksums, ISO
//! results       ISO, SBOM, list of packages, SHA256SUMS, moved out as one
//! ```
//!
//! These are the steps of a [`Plan`]: `--dry-run` prints it, a build plays it.

mod branding;
mod di;
pub mod embed;
pub mod files;
pub mod layer;
pub mod lb;
pub mod lists;
mod live;
mod packaged;
mod parts;
pub(crate) mod publish;
pub mod root;
pub mod run;
mod step;
mod steps;
pub mod tree;
pub mod wanted;
pub mod work;

use std::path::PathBuf;

use buildroot::cache;

use contract::fault::Stopped;
use host::cancel::Cancel;

use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::preflight::Places;
use crate::progress::Progress;
pub use publish::{Artefacts, MediumKind};
pub use steps::Plan;

/// What is to be built, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// The distro.
    pub distro: Distro,
    /// Where results go.
    pub output: PathBuf,
    /// The work directory; default one in the cache for each product.
    pub work: Option<PathBuf>,
    /// A directory with our packages, instead of building them.
    pub debs: Option<PathBuf>,
    /// Images are looked up in their registries first.
    pub check_images: bool,
    /// What was made is told in this file as well, beside that in `output`.
    pub result: Option<PathBuf>,
    /// User and group that the results get.
    pub owner: Option<(u32, u32)>,
}

impl Request {
    /// Where it all happens. Nothing is made there yet.
    ///
    /// # Errors
    /// `IO` when there is no place for the cache.
    pub fn places(&self) -> Result<Places> {
        let cache = cache::location().map_err(|err| {
            Error::new(Code::Io, "There is no place for the cache.")
                .next("Set CALAMARES_BOOTC_CACHE to a directory.")
                .detail(format!("{err:#}"))
        })?;
        let distro = &self.distro;
        let name = format!("iso-{}-{}", distro.product.id, distro.suite);
        Ok(Places {
            work: self.work.clone().unwrap_or_else(|| cache.join(name)),
            output: self.output.clone(),
            cache,
        })
    }
}

/// Builds the medium.
///
/// # Errors
/// Every code of [`Code`]; refusals come before anything is built.
pub fn build(request: &Request, progress: &mut Progress, stop: &Cancel) -> Result<Artefacts> {
    play(&Plan::of(request)?, progress, stop)
}

/// Makes what a plan is of.
///
/// # Errors
/// Every code of [`Code`]; refusals come before anything is built.
pub fn play(plan: &Plan, progress: &mut Progress, stop: &Cancel) -> Result<Artefacts> {
    // Ctrl-C reaches the programs of this terminal as well, and what they fail
    // with is not what happened.
    plan.play(progress, stop)
        .map_err(|err| match stop.is_cancelled() {
            true => Stopped.into(),
            false => err,
        })
}
