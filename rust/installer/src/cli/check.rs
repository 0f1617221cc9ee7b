// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer check`.

use std::io::IsTerminal;

use contract::error::Result;
use contract::size::human;
use contract::trust::Trust;
use host::cancel::Cancel;
use imageref::{Digest, Reference};
use serde::Serialize;
use source::look_up;
use source::secret::Secrets;

use super::args::{CheckCommand, Format};
use super::build::{self, Place};
use super::{json, print, stop};
use crate::check;
use crate::space;

/// What a check found out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    imgref: Reference,
    digest: Digest,
    /// Digest of the index that the manifest was chosen from.
    #[serde(skip_serializing_if = "Option::is_none")]
    index_digest: Option<Digest>,
    /// Whether its signature was verified.
    signature: Trust,
    name: Option<String>,
    version: Option<String>,
    created: Option<String>,
    architecture: String,
    layers: usize,
    /// Bytes to download.
    download_bytes: u64,
    /// Bytes of layers that are on the medium, in layouts.
    medium_bytes: u64,
    /// The registry cannot be reached, and a copy on the medium stands in. Then
    /// the first of the warnings says so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    offline: bool,
    /// Estimate of the unpacked size in bytes.
    unpacked_bytes: u64,
    /// Size in bytes of the smallest file system that the installation fits
    /// on, an estimate.
    space_bytes: u64,
    /// Peak bytes on the target, when one was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_bytes_needed: Option<u64>,
    /// Free bytes of the target, when one was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_bytes_free: Option<u64>,
    warnings: Vec<String>,
}

pub(super) fn run(args: &CheckCommand) -> Result<()> {
    show(args, &answer(args)?)
}

fn answer(args: &CheckCommand) -> Result<Answer> {
    let cancel = Cancel::new();
    stop::on_signals(&cancel)?;
    let build::Built { plan, mut warnings } =
        build::plan(&args.image, Place::of(args.root.as_deref()), false)?;
    let secrets = Secrets::read(&plan)?;
    let (found, checked) = if args.root.is_some() {
        let checked = check::check(&plan, &secrets, &cancel)?;
        (checked.found.clone(), Some(checked))
    } else {
        (look_up::image(&plan, &secrets, &cancel)?, None)
    };
    // What was found out comes before what was wrong with the question.
    let found_out = match &checked {
        Some(checked) => &checked.warnings,
        None => &found.warnings,
    };
    warnings.splice(0..0, found_out.iter().cloned());
    let image = &found.image;
    Ok(Answer {
        imgref: plan.image.origin().clone(),
        digest: image.manifest_digest.clone(),
        index_digest: image.index_digest.clone(),
        signature: found.trust.clone(),
        name: image
            .label("org.opencontainers.image.title")
            .map(str::to_owned),
        version: image.version().map(str::to_owned),
        created: image.config.created.clone(),
        architecture: image.config.platform.to_string(),
        layers: image.layers.len(),
        download_bytes: found.download_bytes(),
        medium_bytes: found.medium_bytes,
        offline: found.offline,
        unpacked_bytes: found.size.unpacked,
        space_bytes: space::smallest_target(
            found.size,
            &found.source,
            &plan.runtime_root,
            plan.target.scratch.is_none(),
        ),
        target_bytes_needed: checked.as_ref().map(|c| c.space.target),
        target_bytes_free: checked.as_ref().map(|c| c.target.free_bytes),
        warnings,
    })
}

fn show(args: &CheckCommand, answer: &Answer) -> Result<()> {
    let format = args.format.unwrap_or(if std::io::stdout().is_terminal() {
        Format::Text
    } else {
        Format::Json
    });
    match format {
        Format::Text => print(&text(answer)),
        Format::Json => print(&json(answer)?),
    }
}

fn text(answer: &Answer) -> String {
    let unknown = || "not stated".to_owned();
    let mut lines = vec![
        ("image", answer.imgref.to_string()),
        ("name", answer.name.clone().unwrap_or_else(unknown)),
        ("version", answer.version.clone().unwrap_or_else(unknown)),
        ("created", answer.created.clone().unwrap_or_else(unknown)),
        ("digest", answer.digest.to_string()),
        ("signature", answer.signature.to_string()),
        ("for", answer.architecture.clone()),
        (
            "download",
            format!(
                "{} in {} layers, about {} unpacked",
                human(answer.download_bytes),
                answer.layers,
                human(answer.unpacked_bytes)
            ),
        ),
        (
            "room",
            format!("about {} on the target", human(answer.space_bytes)),
        ),
    ];
    if let (Some(needed), Some(free)) = (answer.target_bytes_needed, answer.target_bytes_free) {
        lines.push((
            "target",
            format!("{} needed, {} free", human(needed), human(free)),
        ));
    }
    if answer.medium_bytes > 0 {
        let medium = format!("{} of the layers are on it", human(answer.medium_bytes));
        lines.push(("medium", medium));
    }
    lines.extend(answer.warnings.iter().map(|w| ("warning", w.clone())));
    lines
        .into_iter()
        .map(|(key, value)| format!("{key:9} {value}\n"))
        .collect()
}
