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
//! results       ISO, SBOM, list of packages, lock, SHA256SUMS, moved out as one
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
mod locking;
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

use buildroot::cache::{self, Key};

use contract::fault::Stopped;
use host::cancel::Cancel;

use crate::config::{Distro, Mirrors};
use crate::error::{Code, Error, Result};
use crate::lock::Locked;
use crate::preflight::Places;
use crate::progress::Progress;
pub use publish::{Artefacts, MediumKind};
pub use steps::Plan;

/// Where the package calamares-bootc-media has our packages, by suites.
const MEDIA_DEBS: &str = "/usr/share/calamares-bootc/debs";

/// The directory of our packages for a suite where this program is of a package
/// itself; elsewhere they are built from its sources.
pub fn ready_debs(suite: &str) -> Option<PathBuf> {
    debs::is_packaged().then(|| PathBuf::from(MEDIA_DEBS).join(suite))
}

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
    /// The lock of the medium that it has to be.
    pub locked: Option<Locked>,
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
        let name = format!("{}-{}", of_product(&self.distro), decisive(&self.distro));
        Ok(Places {
            work: self.work.clone().unwrap_or_else(|| cache.join(name)),
            output: self.output.clone(),
            cache,
        })
    }

    /// The work directory as it was called when all products of one id had the same
    /// one; none when one is named.
    pub fn former_work(&self, places: &Places) -> Option<PathBuf> {
        let unnamed = self.work.is_none();
        unnamed.then(|| places.cache.join(of_product(&self.distro)))
    }
}

/// What work directories of a product are called.
fn of_product(distro: &Distro) -> String {
    format!("iso-{}-{}", distro.product.id, distro.suite)
}

/// What tells products of one id apart: all in distro.yaml that decides the live
/// system, which two of them would take turns to make anew. Of what it names only
/// the names: a tree that is edited keeps its directory.
fn decisive(distro: &Distro) -> String {
    let Mirrors {
        debian,
        security,
        snapshot,
    } = &distro.mirrors;
    let mut key = Key::new()
        .with("debian", debian)
        .with("security", security)
        .with("snapshot", snapshot.as_deref().unwrap_or_default())
        .with("compression", format!("{:?}", distro.compression))
        .with("firmware", format!("{:?}", distro.firmware));
    for name in &distro.packages {
        key = key.with("package", name);
    }
    for path in distro.debs.iter().chain(&distro.tree) {
        key = key.with("path", path.as_os_str().as_encoded_bytes());
    }
    key.hex()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn products_of_one_id_work_in_different_places() {
        let one = Distro::default();
        let place = |distro: &Distro| {
            let request = Request {
                distro: distro.clone(),
                output: "out".into(),
                work: None,
                debs: None,
                check_images: false,
                result: None,
                owner: None,
                locked: None,
            };
            let places = request.places().unwrap();
            let former = request.former_work(&places).unwrap();
            assert!(former.ends_with("iso-debian-bootc-trixie"));
            places.work
        };
        let mut others = vec![one.clone(), one.clone(), one.clone(), one.clone()];
        others[0].packages.push("vim".into());
        others[1].mirrors.snapshot = Some("20261101T000000Z".into());
        others[2].tree = Some("/x".into());
        others[3].debs.push("/x".into());
        for other in &others {
            assert_ne!(place(other), place(&one), "{other:?}");
        }
        // What is in the product's layer decides nothing there.
        let mut same = one.clone();
        same.product.name = "Other".into();
        same.images.default = Some("r.example/os:1".into());
        assert_eq!(place(&same), place(&one));
    }
}
