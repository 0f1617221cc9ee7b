// SPDX-License-Identifier: MIT OR Apache-2.0
//! `build` with the types of disk images.

use std::path::{Path, PathBuf};

use blueprint::{Blueprint, Format};
use host::cancel::Cancel;
use ignition::Provision;

use super::args::BuildArgs;
use super::image_type::ImageType;
use super::terminal::{on_signals, print};
use crate::config::Distro;
use crate::disk::kind::DiskKind;
use crate::disk::{self, DiskRequest, DiskSteps};
use crate::error::{Code, Error, Result};
use crate::progress::Progress;

/// Makes disk images.
///
/// # Errors
/// Every code of [`Code`].
pub(super) fn build(args: &BuildArgs, kinds: Vec<DiskKind>) -> Result<()> {
    let steps = DiskSteps::of(&request(args, kinds)?)?;
    if args.dry_run {
        return print(steps.describe().as_bytes());
    }
    let stop: Cancel = on_signals()?;
    let mut progress = Progress::new(args.verbose);
    let made = steps.play(&mut progress, &stop);
    match &made {
        Ok(_) => progress.end(),
        Err(_) => progress.abandon(),
    }
    print(disk::summary(&made?, progress.elapsed().as_secs()).as_bytes())
}

/// Refuses options that only disk images have.
///
/// # Errors
/// `USAGE`.
pub(super) fn refuse_options(args: &BuildArgs) -> Result<()> {
    for (option, given) in [
        ("--blueprint", args.blueprint.is_some()),
        ("--ignition", args.ignition.is_some()),
        ("--rootfs", args.rootfs.is_some()),
        ("--size", args.size.is_some()),
        ("--target-imgref", args.target_imgref.is_some()),
    ] {
        if given {
            return Err(usage(format!("{option} is for disk images."))
                .next("Add --type qcow2, raw, vmdk, ami or vhd, or leave it out."));
        }
    }
    Ok(())
}

fn request(args: &BuildArgs, kinds: Vec<DiskKind>) -> Result<DiskRequest> {
    let is_medium = |kind: &ImageType| !matches!(kind, ImageType::Disk(_));
    if let Some(medium) = args.image_types.iter().find(|kind| is_medium(kind)) {
        return Err(
            usage("The ISO and disk images are not made by one command.".into()).next(format!(
                "Run the command twice, with --type {} and with the others.",
                medium.name()
            )),
        );
    }
    for (option, given) in [
        ("--diagnose", args.diagnose),
        ("--no-image-check", args.no_image_check),
        ("--debs", args.debs.is_some()),
        ("--work", args.work.is_some()),
        ("--locked", args.locked.is_some()),
    ] {
        if given {
            return Err(usage(format!("{option} is for the ISO.")).next("Leave it out."));
        }
    }
    let mut once: Vec<DiskKind> = Vec::new();
    for kind in kinds {
        if !once.contains(&kind) {
            once.push(kind);
        }
    }
    let (config, as_blueprint) = config(args)?;
    let image = args.image.as_deref();
    // What is on this machine is no image of a medium, and needs no name there.
    let local = image
        .is_some_and(|image| image.starts_with("oci:") || image.starts_with("containers-storage:"));
    let distro = Distro::load(config.as_deref(), image.filter(|_| !local))?;
    let image = match (local, image, &distro.images.default) {
        (true, Some(image), _) => image.to_owned(),
        (_, _, Some(image)) => image.clone(),
        _ => {
            return Err(usage("No image is named.".into())
                .next("Name it after the options: host/name:tag, oci:DIR[:TAG], or containers-storage:NAME."));
        }
    };
    let path = args.blueprint.clone().or(as_blueprint);
    Ok(DiskRequest {
        distro,
        image,
        target_imgref: args.target_imgref.clone(),
        kinds: once,
        blueprint: path.as_deref().map(read).transpose()?.unwrap_or_default(),
        ignition: args.ignition.as_deref().map(provision).transpose()?,
        filesystem: args.rootfs,
        size: args.size,
        output: args.output.clone(),
        result: args.result.clone(),
        owner: args.chown,
    })
}

/// `--config`, which other builders give a blueprint: distro.yaml and blueprint.
///
/// # Errors
/// `USAGE` for two blueprints.
pub(super) fn config(args: &BuildArgs) -> Result<(Option<PathBuf>, Option<PathBuf>)> {
    let config = args.config.clone();
    let end = config.as_deref().and_then(Path::extension);
    if !end.is_some_and(|end| end == "toml" || end == "json") {
        return Ok((config, None));
    }
    match args.blueprint {
        None => Ok((None, config)),
        Some(_) => Err(usage("Two blueprints are given.".into())
            .next("Give distro.yaml with --config, and the blueprint with --blueprint.")),
    }
}

fn provision(path: &Path) -> Result<Provision> {
    let text = std::fs::read(path).map_err(|err| {
        let what = format!("{} cannot be read.", path.display());
        Error::new(Code::ConfigInvalid, what).detail(err.to_string())
    })?;
    ignition::read(&text).map_err(|wrong| {
        let what = format!("{}: {}", path.display(), wrong.what);
        Error::new(Code::ConfigInvalid, what).next(wrong.next)
    })
}

/// Reads a blueprint.
///
/// # Errors
/// `CONFIG_INVALID`.
pub(super) fn read(path: &Path) -> Result<Blueprint> {
    let text = std::fs::read_to_string(path).map_err(|err| {
        Error::new(
            Code::ConfigInvalid,
            format!("The blueprint {} cannot be read.", path.display()),
        )
        .why("It is missing, not readable, or no UTF-8 text.")
        .next("Check the path.")
        .detail(err.to_string())
    })?;
    blueprint::parse(&text, Format::of(path)).map_err(|wrong| {
        let what = format!("{}, {wrong}.", path.display());
        let error = Error::new(Code::ConfigInvalid, what);
        match wrong.next {
            Some(next) => error.next(next),
            None => error,
        }
    })
}

fn usage(what: String) -> Error {
    Error::new(Code::Usage, what)
}
