// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer check`.

use std::io::IsTerminal;

use contract::check_answer::{CheckAnswer, OnMedium};
use contract::error::Result;
use contract::size::human;
use host::cancel::Cancel;
use serde::Serialize;
use source::look_up;
use source::medium;
use source::secret::Secrets;

use super::args::{CheckCommand, Format};
use super::build::{self, Place};
use super::{json, print, stop};
use crate::check;
use crate::space;

pub(super) fn run(args: &CheckCommand) -> Result<()> {
    if args.on_medium {
        let built = build::plan(&args.image, Place::Nowhere, false)?;
        let on_medium = medium::is_named(&built.plan);
        return show(args, &OnMedium { on_medium }, |answer| {
            let answer = if answer.on_medium { "yes" } else { "no" };
            line("on medium", answer)
        });
    }
    show(args, &answer(args)?, text)
}

fn answer(args: &CheckCommand) -> Result<CheckAnswer> {
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
    Ok(CheckAnswer {
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

fn show<T: Serialize>(
    args: &CheckCommand,
    answer: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<()> {
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

fn text(answer: &CheckAnswer) -> String {
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
        .map(|(key, value)| line(key, &value))
        .collect()
}

fn line(key: &str, value: &str) -> String {
    format!("{key:9} {value}\n")
}
