// SPDX-License-Identifier: MIT OR Apache-2.0
//! The OCI layouts and archives that come with an installer medium, or that
//! somebody has plugged in.
//!
//! In the indices of layouts images go by their whole normalised references
//! (`org.opencontainers.image.ref.name` is `host/name:tag`), so that one layout
//! serves every image that a person can choose, and no other image is ever taken
//! for it. That is for layouts that the configuration names: what was merely
//! found on some medium, and what is in an archive, only saves downloads, layer
//! by layer, each by its digest.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use host::mountinfo::{self, Mount};
use imageref::{Digest, Reference};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use registry::{
    ErrorKind, Missing, OciArchive, OciLayout, Platform, RegistryError, ResolvedImage, Selector,
};

use contract::plan::{LayoutPlace, Plan};

mod scan;

/// How names of archives end, on media that are full of other files.
const ARCHIVE: &str = ".oci.tar";
/// The same in a directory that is named for them.
const ANY_ARCHIVE: &str = ".tar";

/// The layouts and archives of a plan that can be used.
#[derive(Debug, Default)]
pub struct Medium {
    /// Layouts that were named, and are there, in the plan's order.
    pub layouts: Vec<OciLayout>,
    /// Layouts on media that happen to be mounted. Whoever made them, what is
    /// taken from them is verified: layers, never an image by its name.
    pub found: Vec<OciLayout>,
    /// Archives, named or found. They, too, have layers only.
    pub archives: Vec<OciArchive>,
    /// What is wrong with others, one sentence each.
    pub warnings: Vec<String>,
}

/// A copy that stands in for the image in its registry.
#[derive(Debug)]
pub struct Copy {
    /// The layout that holds it.
    pub layout: OciLayout,
    /// The image in it.
    pub image: ResolvedImage,
}

impl Medium {
    /// Opens the layouts of `plan`. One that is not there is passed over: the
    /// same configuration serves media with and without images.
    pub fn of(plan: &Plan) -> Self {
        // Without the list there are no media to look at.
        Self::open(&plan.layouts, &mountinfo::read().unwrap_or_default())
    }

    /// Opens what is at these places; mounted are `mounts`.
    pub fn open(places: &[LayoutPlace], mounts: &[Mount]) -> Self {
        let mut medium = Self::default();
        for path in places.iter().filter_map(LayoutPlace::path) {
            medium.named(path);
        }
        if places.contains(&LayoutPlace::Auto) {
            for at in scan::media(mounts) {
                medium.plugged_in(&at);
            }
        }
        medium
    }

    /// A layout, an archive, or a directory that has such in it.
    fn named(&mut self, path: &Path) {
        if path.is_file() {
            self.archive(path);
        } else if !path.is_dir() || path.join("oci-layout").exists() {
            self.layout(path);
        } else {
            let found = scan::scan(path, 1, ANY_ARCHIVE);
            for path in &found.layouts {
                self.layout(path);
            }
            for path in &found.archives {
                self.archive(path);
            }
        }
    }

    fn layout(&mut self, path: &Path) {
        match OciLayout::open(path) {
            Ok(layout) => self.layouts.push(layout),
            Err(RegistryError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                tracing::debug!(path = %path.display(), "no layout there");
            }
            Err(error) => self.warnings.push(format!(
                "The OCI layout {} is not used: {error}.",
                path.display()
            )),
        }
    }

    fn archive(&mut self, path: &Path) {
        match OciArchive::open(path) {
            Ok(archive) => self.archives.push(archive),
            Err(error) => self.warnings.push(format!(
                "The archive {} is not used: {error}.",
                path.display()
            )),
        }
    }

    /// What is on a medium: at its top, or one level down. Nobody has asked for
    /// these in particular, so one that cannot be used is no warning.
    fn plugged_in(&mut self, at: &Path) {
        let mut found = scan::scan(at, 2, ARCHIVE);
        if scan::is_layout(at) {
            found.layouts.insert(0, at.to_owned());
        }
        for path in found.layouts {
            if self.layouts.iter().any(|named| named.root() == path) {
                continue;
            }
            match OciLayout::open(&path) {
                Ok(layout) => self.found.push(layout),
                Err(error) => tracing::debug!(path = %path.display(), %error, "not used"),
            }
        }
        for path in found.archives {
            if self.archives.iter().any(|named| named.path() == path) {
                continue;
            }
            match OciArchive::open(&path) {
                Ok(archive) => self.archives.push(archive),
                Err(error) => tracing::debug!(path = %path.display(), %error, "not used"),
            }
        }
    }

    /// All layouts that layers can be copied from.
    pub fn layer_layouts(&self) -> impl Iterator<Item = &OciLayout> {
        self.layouts.iter().chain(&self.found)
    }

    /// The layout that has all of `image`.
    pub fn holding(&self, image: &ResolvedImage) -> Option<&OciLayout> {
        self.layouts.iter().find(|layout| layout.holds(image))
    }

    /// Bytes of the layers of `image` that are in one of the layouts or archives,
    /// a layer that occurs twice counted once.
    pub fn bytes_of(&self, image: &ResolvedImage) -> u64 {
        let here = |layer: &registry::Layer| {
            self.layer_layouts().any(|l| l.has_layer(layer))
                || self.archives.iter().any(|a| a.has_layer(layer))
        };
        let mut part = image.clone();
        part.layers.retain(here);
        part.compressed_size()
    }

    /// The copy of `reference` that is also what `pinned` and the reference's
    /// own digest say, where they are given.
    ///
    /// # Errors
    /// Why there is none, a line for each layout.
    pub fn stand_in(
        &self,
        reference: &Reference,
        pinned: Option<&Digest>,
        platform: &Platform,
    ) -> Result<Copy, Vec<String>> {
        let mut problems = Vec::new();
        let wanted: Vec<&Digest> = pinned.into_iter().chain(reference.digest()).collect();
        for layout in &self.layouts {
            let at = layout.root().display();
            let mut problem = format!("no copy of {reference} in {at}");
            for selector in selectors(reference, &wanted) {
                match layout.resolve(&selector, platform) {
                    Ok(image) if wanted.iter().all(|digest| is(&image, digest)) => {
                        let layout = layout.clone();
                        return Ok(Copy { layout, image });
                    }
                    Ok(image) => {
                        problem = format!("{at} has another one, {}", image.manifest_digest);
                    }
                    // As a rule it is simply not there.
                    Err(
                        e @ RegistryError::NotFound {
                            missing: Missing::Manifest,
                            ..
                        },
                    ) => tracing::debug!(error = %e, "no copy there"),
                    Err(e) => problem = format!("the copy in {at} cannot be used: {e}"),
                }
            }
            problems.push(problem);
        }
        Err(problems)
    }
}

/// Whether a layout that the plan names has an image of its name, which may be
/// another one by now in the registry.
pub fn is_named(plan: &Plan) -> bool {
    let name = plan.image.imgref.to_string();
    // What is on other media has no images by their names.
    let named = plan.layouts.iter().filter(|place| place.path().is_some());
    let medium = Medium::open(&named.cloned().collect::<Vec<_>>(), &[]);
    medium.layouts.iter().any(|layout| {
        layout
            .images()
            .is_ok_and(|images| images.iter().any(|(is, _)| is.as_deref() == Some(&name)))
    })
}

/// How a copy is looked for: by the names that it can have, then by what it is.
fn selectors(reference: &Reference, wanted: &[&Digest]) -> Vec<Selector> {
    let mut names = vec![reference.to_string()];
    if let (Some(tag), Some(_)) = (reference.tag(), reference.digest()) {
        names.push(format!("{}:{tag}", reference.name()));
    }
    names
        .into_iter()
        .map(Selector::Name)
        .chain(
            wanted
                .iter()
                .map(|digest| Selector::Digest((*digest).clone())),
        )
        .collect()
}

/// Whether `digest` is that of the image's manifest or index.
fn is(image: &ResolvedImage, digest: &Digest) -> bool {
    image.manifest_digest == *digest || image.index_digest.as_ref() == Some(digest)
}

/// Whether a registry could not be reached at all. Whatever it has said, even
/// wrongly, is no reason to go on without it: a refused login, a missing image
/// or a wrong certificate are to be put right.
pub fn is_out_of_reach(error: &RegistryError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::HostUnknown
            | ErrorKind::ConnectionRefused
            | ErrorKind::Unreachable
            | ErrorKind::ConnectTimeout
            | ErrorKind::Stalled
    )
}

/// How old an image is, by the `created` of its configuration (RFC 3339).
pub fn age(created: Option<&str>, now: SystemTime) -> String {
    let Some(day) = created.and_then(day_of) else {
        return "it does not tell when it was built".into();
    };
    let now = Timestamp::try_from(now).unwrap_or_default();
    let today = Offset::UTC.to_datetime(now).date();
    match day.duration_until(today).as_hours() / 24 {
        0 => format!("built on {day}, today"),
        1 => format!("built on {day}, yesterday"),
        days @ 2.. => format!("built on {day}, {days} days ago"),
        // This machine's clock is wrong, which is usual without a network.
        _ => format!("built on {day}"),
    }
}

/// The date of a time in RFC 3339, as it stands there. Nothing for the dates that
/// mean "not said": 1970 and before.
fn day_of(time: &str) -> Option<Date> {
    let date: Date = time.get(..10)?.parse().ok()?;
    (date.year() > 1970).then_some(date)
}

#[cfg(test)]
mod tests;
