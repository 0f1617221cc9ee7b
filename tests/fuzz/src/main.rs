// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the targets with libFuzzer and runs them, some at a time.

mod build;
mod round;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use fuzz::Target;

use round::{Round, Settings};

/// Runs the fuzz targets, from the corpus in the source tree and what earlier
/// runs have found to be worth keeping.
///
/// Needs a C++ compiler. The targets that make files run as root only, in a
/// mount namespace in which everything but their own directories is read-only.
#[derive(Debug, Parser)]
struct Args {
    /// For each target
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,

    /// Targets at a time [default: one for each processor]
    #[arg(long)]
    jobs: Option<usize>,

    /// Only list the targets
    #[arg(long)]
    list: bool,

    /// Afterwards put the smallest set of inputs that covers as much, those of
    /// the source tree first, into `merged` in the work directory
    #[arg(long)]
    merge: bool,

    /// Only these targets
    targets: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was found.
fn run(args: &Args) -> Result<bool> {
    let targets = targets(&args.targets)?;
    let mut out = std::io::stdout();
    if args.list {
        for target in targets {
            writeln!(out, "{:<16}{}", target.name, target.about)?;
        }
        return Ok(true);
    }
    let work = work_directory()?;
    let settings = Settings {
        program: build::build(&work)?,
        seconds: args.seconds,
        merge: args.merge,
        work,
    };
    let jobs = match args.jobs {
        Some(jobs) => jobs.max(1),
        None => std::thread::available_parallelism()?.get(),
    };
    let rounds = round::all(&settings, &targets, jobs)?;
    writeln!(out, "{}", Round::HEAD)?;
    for round in &rounds {
        writeln!(out, "{round}")?;
    }
    let found: Vec<&Round> = rounds.iter().filter(|r| r.failed()).collect();
    for round in &found {
        writeln!(out, "\n{}", round.report())?;
    }
    Ok(found.is_empty())
}

fn targets(names: &[String]) -> Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(fuzz::TARGETS.iter().collect());
    }
    let mut found = Vec::new();
    for name in names {
        match fuzz::find(name) {
            Some(target) => found.push(target),
            None => bail!("there is no target {name}. Next step: --list shows them"),
        }
    }
    Ok(found)
}

/// `fuzz` in the directory that cargo builds in.
fn work_directory() -> Result<PathBuf> {
    let own = std::env::current_exe().context("finding the own program")?;
    // target/PROFILE/fuzz
    let target = own.parent().and_then(|profile| profile.parent());
    let work = target
        .context("the own program has no directory")?
        .join("fuzz");
    std::fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
    Ok(work)
}
