// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building the medium.
//!
//! ```text
//! look at everything that can be refused          (nothing is written)
//! packages      our .debs, built in a root of their suite or given
//! live system   lb bootstrap, lb chroot           (again only when its key changes)
//! images        pulled into an OCI layout, when embedded
//! layer         names, pictures, settings: a small squashfs
//! medium        lb binary: boot menu, checksums, ISO
//! results       ISO, SBOM, list of packages, SHA256SUMS, moved out as one
//! ```

mod branding;
pub mod embed;
pub mod files;
pub mod layer;
pub mod lb;
mod live;
pub mod plan;
mod publish;
pub mod root;
pub mod run;
pub mod tree;
pub mod work;

use std::path::{Path, PathBuf};

use buildroot::cache;

use crate::config::{bootc_conf, Distro};
use crate::error::{Code, Error, Result};
use crate::mirror;
use crate::preflight::{self, Places};
use crate::progress::Progress;
use crate::stop::Stop;
pub use plan::Plan;
pub use publish::Artefacts;
use root::Root;
use work::Work;

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
pub fn build(request: &Request, progress: &mut Progress, stop: &Stop) -> Result<Artefacts> {
    // Ctrl-C reaches the programs of this terminal as well, and what they fail
    // with is not what happened.
    run(request, progress, stop).map_err(|err| match stop.is_stopped() {
        true => Stop::interrupted(),
        false => err,
    })
}

fn run(request: &Request, progress: &mut Progress, stop: &Stop) -> Result<Artefacts> {
    let distro = &request.distro;
    let places = request.places()?;

    progress.stage("checking");
    preflight::require(&places)?;
    distro.check_files()?;
    let given = request.debs.as_deref().map(given_debs).transpose()?;
    let epoch = source_date_epoch()?;
    let mirror = mirror::state(distro)?;
    stop.check()?;
    let images = looked_up(request, progress, stop)?;
    let embedded = embedded_of(distro, &images);
    let tree = tree::tree(distro)?;
    let conf = bootc_conf(distro, embed::IN_LIVE);
    let layer = layer::layer(distro, &conf)?;
    let work = Work::take(&places.work)?;
    publish::prepare(&places.output)?;
    progress.log_to(&publish::log_path(distro, &places.output))?;
    for warning in &distro.warnings {
        progress.note(&format!("warning: {warning}"));
    }

    buildroot::apt::ensure(&["mmdebstrap", "dpkg-deb", "unshare"]).map_err(|err| {
        Error::new(Code::ToolMissing, "A program of this machine is missing.")
            .detail(format!("{err:#}"))
    })?;
    progress.stage("packages of the installer");
    let mut debs = match given {
        Some(debs) => debs,
        None => our_debs(&distro.suite, progress)?,
    };
    debs.extend(distro.debs.iter().cloned());
    stop.check()?;
    progress.stage("root for live-build");
    let root = Root::make()?;

    let epoch = epoch.unwrap_or(mirror.epoch);
    let inputs = live::Inputs {
        distro,
        tree: &tree,
        debs: &debs,
        mirror: &mirror,
        epoch,
        proxy: apt_proxy(),
    };
    let bench = live::Bench {
        root: &root,
        work: &work,
        stop,
    };
    bench.live_system(&inputs, progress)?;
    if !embedded.is_empty() {
        progress.stage("images for the medium");
        embed::pull(distro, &embedded, &work.path("images"), progress, stop)?;
    }
    bench.layer(&inputs, &layer, progress)?;
    bench.medium(&inputs, !embedded.is_empty(), progress)?;
    progress.stage("results");
    publish::publish(&inputs, &work, &embedded, &places.output)
}

/// Looks all images up; those that are embedded need it in any case.
fn looked_up(request: &Request, progress: &mut Progress, stop: &Stop) -> Result<Vec<embed::Image>> {
    let distro = &request.distro;
    let mut found = Vec::new();
    for reference in embed::references(distro) {
        stop.check()?;
        if request.check_images || distro.images.embed.contains(&reference) {
            progress.at(&reference);
            found.push(embed::look_up(distro, &reference)?);
        }
    }
    Ok(found)
}

fn embedded_of(distro: &Distro, images: &[embed::Image]) -> Vec<embed::Image> {
    let embedded = |image: &&embed::Image| distro.images.embed.contains(&image.reference);
    images.iter().filter(embedded).cloned().collect()
}

/// Our packages, built from the work tree that this program was compiled in.
fn our_debs(suite: &str, progress: &Progress) -> Result<Vec<PathBuf>> {
    let output = progress
        .log_file()
        .map_or(debs::Output::Inherited, debs::Output::File);
    debs::build(suite, output).map_err(|err| {
        Error::new(
            Code::BuildFailed,
            "The installer's packages cannot be built.",
        )
        .why("The compiler or the mirror made trouble, or there is no source tree here.")
        .next("See the details; --debs names a directory with packages that are built.")
        .detail(format!("{err:#}"))
    })
}

/// Our packages, and what else is in a directory.
fn given_debs(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let failed = |err: std::io::Error| Error::io("Listing", dir, &err);
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ext| ext == "deb") {
            found.push(path);
        }
    }
    found.sort();
    for name in ["bootc-installer", "calamares-bootc"] {
        let is_it = |path: &PathBuf| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.starts_with(&format!("{name}_"))
        };
        if !found.iter().any(is_it) {
            return Err(Error::new(
                Code::Usage,
                format!("There is no package {name} in {}.", dir.display()),
            )
            .next("`make deb` makes both in out/debs."));
        }
    }
    Ok(found)
}

/// `$SOURCE_DATE_EPOCH` (<https://reproducible-builds.org/specs/source-date-epoch/>).
fn source_date_epoch() -> Result<Option<u64>> {
    let Some(text) = std::env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let text = text.to_string_lossy();
    text.parse().map(Some).map_err(|_| {
        Error::new(Code::Usage, format!("SOURCE_DATE_EPOCH is `{text}`."))
            .next("It is a number of seconds after 1970, or not set.")
    })
}

/// The proxy that this machine's apt uses.
fn apt_proxy() -> Option<String> {
    let output = std::process::Command::new("apt-config")
        .args(["shell", "PROXY", "Acquire::http::Proxy"])
        .output()
        .ok()?;
    // PROXY='http://proxy:3142'
    let text = String::from_utf8(output.stdout).ok()?;
    let value = text.trim().strip_prefix("PROXY='")?.strip_suffix('\'')?;
    (!value.is_empty() && value != "DIRECT").then(|| value.to_owned())
}
