// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measures an installation: the engine against podman, same image, same disk.
//!
//! `bench` prepares and reports; `run` is one measured run in namespaces of
//! its own, on the mounts of `stage`; `ways` are the commands compared;
//! `cgroup`, `proc` and `sample` get the figures.

mod bench;
mod cgroup;
mod cli;
mod goals;
mod image;
mod report;
mod run;
mod sample;
mod source;
mod stage;
mod ways;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [first] if first == run::STAGE => run::stage_main(),
        [first, dashes, argv @ ..] if first == run::JOIN && dashes == "--" => run::join_main(argv),
        _ => compare(),
    }
}

fn compare() -> Result<()> {
    let args = cli::Args::parse();
    // The tables first: a wrong --json path must not cost them.
    let reports = bench::bench(&args, |report| {
        let mut out = std::io::stdout();
        writeln!(out, "{}{}", report.markdown(), goals::markdown(report))
            .and_then(|()| out.flush())
            .context("printing the report")
    })?;
    match &args.json {
        Some(path) => bench::write_json(&reports, path),
        None => Ok(()),
    }
}
