// SPDX-License-Identifier: MIT OR Apache-2.0
//! Doing what was asked for on the command line.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use buildroot::cache;
use clap::Parser;
use contract::size::human;

use super::args::{BuildArgs, CleanArgs, Cli, Command, InitArgs, ValidateArgs};
use super::image_type::ImageType;
use super::terminal::{on_signals, print};
use super::{disks, documents, smoke};
use host::cancel::Cancel;

use crate::build::work::Work;
use crate::build::{self, Artefacts, MediumKind, Plan, Request, embed, lists, tree, wanted};
use crate::config::{self, Distro};
use crate::disk::kind::DiskKind;
use crate::error::{Code, Error, Result};
use crate::mirror::{self, Reach};
use crate::preflight;
use crate::progress::Progress;

/// Entries of the cache that builds make: beginnings of their names.
const CACHED: [&str; 6] = [
    "iso-",
    "debs-",
    "deb-build-",
    "lists-",
    "rootfs-",
    "vendor-",
];

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => {
            // --help and --version come as errors, too.
            let status = u8::try_from(err.exit_code()).unwrap_or(2);
            // Nobody reads it when this fails.
            drop(err.print());
            return ExitCode::from(status);
        }
    };
    let done = match &cli.command {
        Command::Build(args) => build(args),
        Command::Smoke(args) => smoke::smoke(args),
        Command::Init(args) => init(args),
        Command::Validate(args) => validate(args),
        Command::Clean(args) => clean(args),
        Command::Errors => print(documents::error_codes().as_bytes()),
        Command::Man => documents::man_page()
            .map_err(|err| {
                Error::new(Code::Io, "The manual page cannot be made.").detail(err.to_string())
            })
            .and_then(|page| print(page.as_bytes())),
        Command::Completions(args) => print(&documents::completions(args.shell)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(error.code.exit_status())
        }
    }
}

fn build(args: &BuildArgs) -> Result<()> {
    let kinds: Vec<DiskKind> = args
        .image_types
        .iter()
        .filter_map(|kind| match kind {
            ImageType::Disk(kind) => Some(*kind),
            ImageType::Calamares | ImageType::DebianInstaller => None,
        })
        .collect();
    if !kinds.is_empty() {
        return disks::build(args, kinds);
    }
    disks::refuse_options(args)?;
    let kind = medium_kind(args)?;
    let distro = Distro::load(args.config.as_deref(), args.image.as_deref())?;
    let request = Request {
        distro,
        output: args.output.clone(),
        work: args.work.clone(),
        debs: args.debs.clone(),
        check_images: !args.no_image_check,
        result: args.result.clone(),
        owner: args.chown,
    };
    if args.diagnose {
        diagnose(&request)?;
        if args.image.is_none() {
            return Ok(());
        }
    }
    if args.dry_run {
        return print(plan(&request, kind)?.describe()?.as_bytes());
    }
    let stop = on_signals()?;
    let mut progress = Progress::new(args.verbose);
    let built = plan(&request, kind).and_then(|plan| build::play(&plan, &mut progress, &stop));
    let log = progress.log().map(Path::to_owned);
    match &built {
        Ok(_) => progress.end(),
        Err(_) => progress.abandon(),
    }
    let built = built.map_err(|err| match log {
        Some(log) => err.detail(format!("log: {}", log.display())),
        None => err,
    })?;
    print(summary(&built, progress.elapsed().as_secs()).as_bytes())
}

/// The one medium that is asked for.
fn medium_kind(args: &BuildArgs) -> Result<MediumKind> {
    let di = args.image_types.contains(&ImageType::DebianInstaller);
    match di {
        true if args.image_types.contains(&ImageType::Calamares) => Err(Error::new(
            Code::Usage,
            "The two media are not made by one command.",
        )
        .next("Run the command twice, with one --type each.")),
        true => Ok(MediumKind::DebianInstaller),
        false => Ok(MediumKind::Calamares),
    }
}

fn plan(request: &Request, kind: MediumKind) -> Result<Plan> {
    match kind {
        MediumKind::Calamares => Plan::of(request),
        MediumKind::DebianInstaller => Plan::debian_installer(request),
    }
}

fn summary(built: &Artefacts, seconds: u64) -> String {
    let Artefacts {
        iso,
        iso_bytes,
        iso_sha256,
        sbom,
        packages,
        sums,
        result,
    } = built;
    format!(
        "{}  {} ({iso_bytes} bytes), built in {} min {:02} s\n  sha256    {iso_sha256}\n  \
         SBOM      {}\n  packages  {}\n  sums      {}\n  result    {}\n",
        iso.display(),
        human(*iso_bytes),
        seconds / 60,
        seconds % 60,
        sbom.display(),
        packages.display(),
        sums.display(),
        result.display(),
    )
}

/// Prints what was found, and fails with the first thing that will not do.
fn diagnose(request: &Request) -> Result<()> {
    let mut failed = None;
    for finding in preflight::findings(&request.distro, &request.places()?) {
        let line = match &finding.state {
            Ok(state) => format!("ok    {}: {state}\n", finding.name),
            Err(error) => format!(
                "FAIL  {}: {}\n      {}\n",
                finding.name, error.what, error.next
            ),
        };
        print(line.as_bytes())?;
        failed = failed.or(finding.state.err());
    }
    match failed {
        Some(error) => Err(error),
        None => print(b"This machine can build.\n"),
    }
}

fn init(args: &InitArgs) -> Result<()> {
    let file = args.file();
    let dir = match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let schema = dir.join(config::SCHEMA_NAME);
    if !args.force
        && let Some(there) = [&file, &schema].into_iter().find(|path| path.exists())
    {
        return Err(
            Error::new(Code::Usage, format!("{} exists already.", there.display()))
                .next("Name another place, or overwrite it with --force."),
        );
    }
    fs::create_dir_all(dir).map_err(|err| Error::io("Making", dir, &err))?;
    for (path, text) in [(&file, config::TEMPLATE), (&schema, config::SCHEMA)] {
        fs::write(path, text).map_err(|err| Error::io("Writing", path, &err))?;
    }
    let text = format!(
        "{} and {} are there. Edit the first one, then run\n  sudo debian-bootc-image-builder build --config {0}\n",
        file.display(),
        schema.display()
    );
    print(text.as_bytes())
}

fn validate(args: &ValidateArgs) -> Result<()> {
    let distro = Distro::read(&args.config)?;
    distro.check_files()?;
    for warning in &distro.warnings {
        print(format!("warning: {warning}\n").as_bytes())?;
    }
    if !args.offline {
        mirror::state(&distro, &Cancel::new())?;
        let there = lists::live(&distro, &Reach::of(&distro)?)?;
        wanted::check(&distro, &tree::tree(&distro)?, &there)?;
        for reference in embed::references(&distro) {
            let image = embed::look_up(&distro, &reference, &Cancel::new())?;
            let line = format!("{reference} is {}\n", image.resolved.reference_digest());
            print(line.as_bytes())?;
        }
    }
    print(format!("{} is right.\n", args.config.display()).as_bytes())
}

fn clean(args: &CleanArgs) -> Result<()> {
    let distro = Distro::load(None, None).unwrap_or_default();
    let request = Request {
        distro,
        output: ".".into(),
        work: args.work.clone(),
        debs: None,
        check_images: false,
        result: None,
        owner: None,
    };
    let places = request.places()?;
    remove_work(&places.work)?;
    if !args.all {
        return Ok(());
    }
    let failed = |err: std::io::Error| Error::io("Listing", &places.cache, &err);
    for entry in fs::read_dir(&places.cache).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("iso-") {
            remove_work(&path)?;
        } else if CACHED.iter().any(|start| name.starts_with(start)) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a work directory that no build has.
fn remove_work(dir: &Path) -> Result<()> {
    if !dir.join("lock").exists() {
        // Not there, or no work directory: then it is not ours to remove.
        return Ok(());
    }
    let work = Work::take(dir)?;
    for name in [
        "di",
        "lb",
        "images",
        "layer",
        "layer.squashfs",
        "state.json",
        "state.json.partial",
    ] {
        work.remove(name)?;
    }
    let kept = work.path("lock");
    fs::remove_file(&kept).map_err(|err| Error::io("Removing", &kept, &err))?;
    // Something of another's may be in there.
    drop(fs::remove_dir(work.dir()));
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    cache::remove_tree(path).map_err(|err| {
        Error::new(Code::Io, format!("{} cannot be removed.", path.display()))
            .detail(format!("{err:#}"))
    })
}

fn complain(error: &Error) {
    // The exit status tells it, too, when nobody listens.
    drop(writeln!(
        std::io::stderr(),
        "debian-bootc-image-builder: {}",
        told(error)
    ));
}

/// An error as lines for a terminal.
fn told(error: &Error) -> String {
    let mut lines = vec![format!("{}: {}", error.code.name(), error.what)];
    for (label, text) in [("why", &error.why), ("next", &error.next)] {
        if !text.is_empty() {
            lines.push(format!("  {label}: {text}"));
        }
    }
    lines.extend(error.details.iter().map(|line| format!("  | {line}")));
    lines.join("\n")
}
