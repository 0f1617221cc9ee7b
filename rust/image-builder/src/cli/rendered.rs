// SPDX-License-Identifier: MIT OR Apache-2.0
//! `build` with the types that are rendered.

use super::args::BuildArgs;
use super::disks;
use super::image_type::ImageType;
use super::terminal::{on_signals, print};
use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::rendered::{self, KsVersion, RenderKind, RenderRequest, Rendered};

/// Renders what was asked for, one file after the other.
///
/// # Errors
/// Those of [`rendered::render`].
pub(super) fn build(args: &BuildArgs) -> Result<()> {
    let requests = requests(args)?;
    if args.dry_run {
        for (number, request) in requests.iter().enumerate() {
            let path = request.path()?;
            let line = format!("{}. render\n     > {}\n", number + 1, path.display());
            print(line.as_bytes())?;
        }
        return Ok(());
    }
    let stop = on_signals()?;
    for request in &requests {
        print(summary(&rendered::render(request, &stop)?).as_bytes())?;
    }
    Ok(())
}

/// Refuses options that only these types have.
///
/// # Errors
/// `USAGE`.
pub(super) fn refuse_options(args: &BuildArgs) -> Result<()> {
    let render = &args.render;
    for (option, given) in [
        ("--ks-version", render.ks_version.is_some()),
        ("--ignition-version", render.ignition_version.is_some()),
        ("--disk", render.disk.is_some()),
        ("--bootc-conf", render.bootc_conf.is_some()),
        ("--with-credentials", render.with_credentials),
    ] {
        if given {
            return Err(usage(format!("{option} is for what is rendered."))
                .next("Add --type kickstart or ignition, or leave it out."));
        }
    }
    Ok(())
}

fn requests(args: &BuildArgs) -> Result<Vec<RenderRequest>> {
    let mut kinds = Vec::new();
    for kind in &args.image_types {
        let kind = match kind {
            ImageType::Kickstart => {
                let version = args.render.ks_version.as_deref();
                RenderKind::Kickstart(KsVersion::parse(version.unwrap_or(KsVersion::USUAL))?)
            }
            ImageType::Ignition => {
                let version = args.render.ignition_version.as_deref();
                RenderKind::Ignition(version.map(rendered::ignition_version).transpose()?)
            }
            other => {
                return Err(usage(format!(
                    "{} is not made by one command with what is rendered.",
                    other.name()
                ))
                .next("Run the command twice."));
            }
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for (option, given) in [
        ("--diagnose", args.diagnose),
        ("--debs", args.debs.is_some()),
        ("--work", args.work.is_some()),
        ("--ignition", args.ignition.is_some()),
        ("--size", args.size.is_some()),
    ] {
        if given {
            return Err(
                usage(format!("{option} is not for what is rendered.")).next("Leave it out.")
            );
        }
    }
    let (config, as_blueprint) = disks::config(args)?;
    let distro = Distro::load(config.as_deref(), args.image.as_deref())?;
    let path = args.blueprint.clone().or(as_blueprint);
    let blueprint = path.as_deref().map(disks::read).transpose()?;
    let blueprint = blueprint.unwrap_or_default();
    let request = |kind| RenderRequest {
        kind,
        image: args
            .image
            .as_ref()
            .and_then(|_| distro.images.default.clone()),
        distro: distro.clone(),
        conf: args.render.bootc_conf.clone(),
        target_imgref: args.target_imgref.clone(),
        blueprint: blueprint.clone(),
        filesystem: args.rootfs,
        disk: args.render.disk.clone(),
        with_credentials: args.render.with_credentials,
        check_image: !args.no_image_check,
        output: args.output.clone(),
        result: args.result.clone(),
        owner: args.chown,
    };
    Ok(kinds.into_iter().map(request).collect())
}

fn summary(made: &Rendered) -> String {
    let mut text = String::new();
    for warning in &made.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text.push_str(&format!(
        "{}\n  sha256    {}\n",
        made.path.display(),
        made.sha256
    ));
    if made.secret {
        text.push_str("  Only you can read it: there are logins or hashes of passwords in it.\n");
    }
    text
}

fn usage(what: String) -> Error {
    Error::new(Code::Usage, what)
}
