// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that can be refused is looked at. Only when all of it is right
//! are the work directory taken and the output directory made.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::build::embed::{self, Image};
use crate::build::parts::Parts;
use crate::build::publish;
use crate::build::step::{Context, Description, Found, Step};
use crate::build::work::Work;
use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::mirror::{self, Reach};
use crate::preflight;

/// The first step.
#[derive(Debug)]
pub(super) struct Checking(pub(super) Rc<Parts>);

impl Step for Checking {
    fn describe(&self) -> Result<Description> {
        Ok(Description::new(
            "look at this machine, the mirror and the images",
        ))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let Parts {
            request, places, ..
        } = &*self.0;
        let distro = &request.distro;
        at.progress.stage("checking");
        preflight::require(places)?;
        distro.check_files()?;
        request.result.as_deref().map_or(Ok(()), place_for)?;
        let given = request.debs.as_deref().map(given_debs).transpose()?;
        let epoch = source_date_epoch()?;
        let mirror = mirror::state(distro, at.stop)?;
        at.stop.check()?;
        let images = embedded_of(distro, self.looked_up(at)?);
        let (all, missing) = embed::layer_bytes(&images, &places.work.join(embed::ON_MEDIUM));
        preflight::require_images(places, all, missing)?;
        // What these cannot read is refused here.
        self.0.tree()?;
        self.0.layer()?;
        let work = Work::take(&places.work)?;
        let made = !places.output.exists();
        publish::prepare(&places.output)?;
        let log = publish::log_path(distro, self.0.kind, &places.output);
        at.progress.log_to(&log)?;
        if let Some(owner) = request.owner {
            // Also when the build fails.
            let output = made.then_some(places.output.as_path());
            publish::give(output.into_iter().chain([log.as_path()]), owner)?;
        }
        for warning in &distro.warnings {
            at.progress.note(&format!("warning: {warning}"));
        }
        buildroot::apt::ensure(&["mmdebstrap", "dpkg-deb", "unshare"]).map_err(|err| {
            Error::new(Code::ToolMissing, "A program of this machine is missing.")
                .detail(format!("{err:#}"))
        })?;
        at.found.set(Found {
            given,
            epoch: epoch.unwrap_or(mirror.epoch),
            mirror,
            reach: Reach::of(distro)?,
            embedded: images,
            work,
        });
        Ok(())
    }
}

impl Checking {
    /// Looks all images up; those that are embedded need it in any case.
    fn looked_up(&self, at: &mut Context<'_>) -> Result<Vec<Image>> {
        let request = &self.0.request;
        let distro = &request.distro;
        let mut found = Vec::new();
        for reference in embed::references(distro) {
            at.stop.check()?;
            if request.check_images || distro.images.embed.contains(&reference) {
                at.progress.at(&reference);
                found.push(embed::look_up(distro, &reference, at.stop)?);
            }
        }
        Ok(found)
    }
}

fn embedded_of(distro: &Distro, mut images: Vec<Image>) -> Vec<Image> {
    images.retain(|image| distro.images.embed.contains(&image.reference));
    images
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

/// Refuses a result that could not be written after all that work.
fn place_for(result: &Path) -> Result<()> {
    let dir = match result.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    if dir.is_dir() && !result.is_dir() {
        return Ok(());
    }
    Err(Error::new(
        Code::Usage,
        format!("{} cannot be written.", result.display()),
    )
    .why("Its directory does not exist, or it is a directory itself.")
    .next("Name a file in a directory that exists with --result."))
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
