// SPDX-License-Identifier: MIT OR Apache-2.0
//! `verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use host::cancel::Cancel;

use super::terminal::{on_signals, print};
use crate::build::{self, Request};
use crate::config::Distro;
use crate::error::{Error, Result};
use crate::lock::Locked;
use crate::progress::Progress;
use crate::verify::{beside, verify};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The lock file [default: the one beside the ISO]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,

    /// Build it once more, as the lock says; it has to become the same bytes
    #[arg(long)]
    pub rebuild: bool,

    /// What the ISO was made of, for --rebuild [default: as of `build`]
    #[arg(short, long, value_name = "FILE", requires = "rebuild")]
    pub config: Option<PathBuf>,

    /// The packages of this project, for --rebuild [default: as of `build`]
    #[arg(long, value_name = "DIR", requires = "rebuild")]
    pub debs: Option<PathBuf>,

    /// Where it is built, for --rebuild [default: as of `build`]
    #[arg(long, value_name = "DIR", requires = "rebuild")]
    pub work: Option<PathBuf>,

    /// The ISO
    #[arg(value_name = "ISO")]
    pub iso: PathBuf,
}

pub(super) const VERIFY_HELP: &str = "Examples:
  debian-bootc-image-builder verify out/example-13-trixie-amd64.iso
  debian-bootc-image-builder verify download.iso --lock example.lock.json
  sudo debian-bootc-image-builder verify out/a.iso --rebuild -c distro.yaml

Exit statuses:
  0    it is the medium of the lock
  1    it is another one; what differs is told
  2    the command line or the lock file is wrong
  3    it cannot be built here as the lock says";

/// Compares, and builds again when that is asked for.
///
/// # Errors
/// `MEDIUM_DIFFERS`, `LOCK_MISMATCH`, and those of a build.
pub(super) fn run(args: &VerifyArgs) -> Result<()> {
    let path = args.lock.clone().unwrap_or_else(|| beside(&args.iso));
    let locked = Locked::read(&path)?;
    let stop = on_signals()?;
    for line in verify(&args.iso, &locked, &stop)? {
        print(format!("{line}\n").as_bytes())?;
    }
    if args.rebuild {
        rebuild(args, locked, &stop)?;
        print(b"rebuilt   the same bytes\n")?;
    }
    print(
        format!(
            "{} is the medium of {}.\n",
            args.iso.display(),
            path.display()
        )
        .as_bytes(),
    )
}

/// A build from a lock succeeds with the same bytes only.
fn rebuild(args: &VerifyArgs, locked: Locked, stop: &Cancel) -> Result<()> {
    let distro = Distro::load(args.config.as_deref(), None)?;
    let beside = args.iso.parent().filter(|dir| !dir.as_os_str().is_empty());
    let beside = beside.unwrap_or(Path::new("."));
    // Beside the ISO there is room for one.
    let output = tempfile::Builder::new()
        .prefix(".rebuilt-")
        .tempdir_in(beside)
        .map_err(|err| Error::io("Making a directory in", beside, &err))?;
    let ready = || build::ready_debs(&distro.suite);
    let request = Request {
        debs: args.debs.clone().or_else(ready),
        distro,
        output: output.path().to_owned(),
        work: args.work.clone(),
        check_images: true,
        result: None,
        owner: None,
        locked: Some(locked),
    };
    let mut progress = Progress::new(false);
    let built = build::build(&request, &mut progress, stop);
    match &built {
        Ok(_) => progress.end(),
        Err(_) => progress.abandon(),
    }
    built.map(drop)
}
