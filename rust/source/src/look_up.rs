// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image of a plan: what it is, and where its bytes will come from.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use contract::error::{Code, Error, Result};
use contract::fault::Stopped;
use contract::plan::{Plan, Source};
use contract::trust::Trust;
use host::cancel::Cancel;
use registry::policy::policy_path;
use registry::{OciLayout, Platform, Registry, ResolvedImage, Selector};

use crate::client;
use crate::coded::Coded;
use crate::found::Found;
use crate::medium::{self, Copy, Medium};
use crate::secret::Secrets;
use crate::size::ImageSize;
use crate::trust;

/// The part of a check that is about the image alone: it
/// exists, can be read, is for this machine, says that it can be booted, and
/// has the signatures that are demanded. Needs no rights and no target.
pub fn image(plan: &Plan, secrets: &Secrets, cancel: &Cancel) -> Result<Found> {
    let policy = policy_path(|name| std::env::var_os(name));
    image_by(plan, secrets, cancel, &policy)
}

/// As [`image`], with the policy for signatures in this file.
pub fn image_by(plan: &Plan, secrets: &Secrets, cancel: &Cancel, policy: &Path) -> Result<Found> {
    // What is rejected whatever its signatures is not even looked up.
    let demands = trust::demands(plan, policy)?;
    let mut found = match &plan.source {
        Source::Registry => in_registry(plan, secrets, cancel)?,
        Source::OciLayout { path, reference } => in_layout(plan, path, reference.as_deref())?,
    };
    require_bootable(plan, &found.image)?;
    found.warnings.extend_from_slice(secrets.warnings());
    if found.image.index_digest.is_none() {
        // Looked up by the digest of the manifest, which tells of no index.
        found
            .image
            .index_digest
            .clone_from(&plan.image.index_digest);
    }
    found.trust = trust::verify(plan, secrets, &found, &demands, cancel)?;
    found.warnings.extend(trust::warning(plan, &found.trust));
    Ok(found)
}

fn in_registry(plan: &Plan, secrets: &Secrets, cancel: &Cancel) -> Result<Found> {
    let mut medium = Medium::of(plan);
    let mut found = match ask_registry(plan, secrets, cancel) {
        Ok((image, skipped)) => {
            let skipped = skipped.iter();
            medium
                .warnings
                .extend(skipped.map(|file| format!("This certificate is not used: {file}.")));
            let mirrors = image.mirror_failures.iter();
            medium
                .warnings
                .extend(mirrors.map(|failure| format!("Not used: {failure}.")));
            match medium.holding(&image) {
                Some(layout) => Found::in_place(image, layout),
                None => Found {
                    size: ImageSize::estimate(&image),
                    medium_bytes: medium.bytes_of(&image),
                    image,
                    source: Source::Registry,
                    offline: false,
                    trust: Trust::default(),
                    warnings: Vec::new(),
                },
            }
        }
        Err(Unanswered::OutOfReach(error)) => {
            let copy = stand_in(plan, &medium, error.clone())?;
            let warning = format!(
                "{} The copy of the image on this medium is used instead: {}.",
                error.what,
                medium::age(copy.image.config.created.as_deref(), SystemTime::now())
            );
            Found {
                offline: true,
                warnings: vec![warning],
                ..Found::in_place(copy.image, &copy.layout)
            }
        }
        Err(Unanswered::Other(error)) => return Err(error),
    };
    found.warnings.append(&mut medium.warnings);
    Ok(found)
}

/// The copy of the plan's image; without one `error` stands.
fn stand_in(plan: &Plan, medium: &Medium, error: Error) -> Result<Copy> {
    let pinned = plan.image.digest.as_ref();
    medium
        .stand_in(&plan.image.imgref, pinned, &Platform::host())
        .map_err(|problems| problems.into_iter().fold(error, Error::detail))
}

/// Why there is no answer from the registry.
enum Unanswered {
    /// Nothing came from it.
    OutOfReach(Error),
    /// Anything else.
    Other(Error),
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The image, and the machine's certificate files that could not be used.
fn ask_registry(
    plan: &Plan,
    secrets: &Secrets,
    cancel: &Cancel,
) -> std::result::Result<(ResolvedImage, Vec<String>), Unanswered> {
    let client = client::client_config(plan, secrets)?;
    let registry = Registry::new(client).map_err(Coded::coded)?;
    let reference = plan.image.pinned();
    let runtime = client::runtime()?;
    let platform = Platform::host();
    let image = runtime.block_on(async {
        tokio::select! {
            () = cancel.token().cancelled() => Err(Unanswered::Other(Stopped.into())),
            resolved = registry.resolve(&reference, &platform) => resolved.map_err(|error| {
                match medium::is_out_of_reach(&error) {
                    true => Unanswered::OutOfReach(error.coded()),
                    false => Unanswered::Other(error.coded()),
                }
            }),
        }
    })?;
    Ok((image, registry.skipped_certificates()))
}

fn in_layout(plan: &Plan, path: &Path, tag: Option<&str>) -> Result<Found> {
    let coded = |e| crate::coded::layout_error(path, e);
    let layout = OciLayout::open(path).map_err(coded)?;
    let image = layout
        .resolve(&Selector::from_tag(tag), &Platform::host())
        .map_err(coded)?;
    let digests = [Some(&image.manifest_digest), image.index_digest.as_ref()];
    if let Some(pinned) = &plan.image.digest
        && !digests.contains(&Some(pinned))
    {
        return Err(Error::new(
            Code::SourceInvalid,
            format!(
                "The OCI layout {} holds another image than the plan names.",
                path.display()
            ),
        )
        .why("The layout was made anew after the plan, or is another one.")
        .next("Make a new plan with `bootc-installer plan`.")
        .detail(format!("planned {pinned}, found {}", image.manifest_digest)));
    }
    Ok(Found::in_place(image, &layout))
}

fn require_bootable(plan: &Plan, image: &ResolvedImage) -> Result<()> {
    if has_bootc_label(&image.config.labels) {
        return Ok(());
    }
    Err(Error::new(
        Code::ImageNotBootable,
        format!("The image {} is not made to be booted.", plan.image.imgref),
    )
    .why("It does not have the label `containers.bootc=1`, so it is an ordinary container image.")
    .detail(format!(
        "looked at {} ({})",
        image.origin, image.manifest_digest
    )))
}

/// Whether an image's labels say that bootc can install it.
pub fn has_bootc_label(labels: &BTreeMap<String, String>) -> bool {
    labels
        .get("containers.bootc")
        .is_some_and(|value| value == "1")
}
