// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measures a pull: ours against skopeo and podman, side by side, on a good
//! network and on bad ones.
//!
//! `bench` prepares and runs the cases of `case` in turn; `image` and `content`
//! make what is pulled; `tools` are the commands, of which ours is this program
//! itself (`own`) and the others are the `peers`, and `measure` is the process around each that counts;
//! `report` and `goals` tell.

mod bench;
mod case;
mod cli;
mod content;
mod goals;
mod image;
mod measure;
mod own;
mod peers;
mod report;
mod tools;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some(measure::NAME) => measure::main().map(|()| ExitCode::SUCCESS),
        Some(own::NAME) => own::main().map(|()| ExitCode::SUCCESS),
        _ => compare(),
    }
}

fn compare() -> Result<ExitCode> {
    let args = cli::Args::parse();
    let report = bench::bench(&args)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}{}", report.markdown(), goals::markdown(&report))
        .and_then(|()| out.flush())
        .context("printing the report")?;
    if let Some(path) = &args.json {
        let json = serde_json::to_vec_pretty(&report).context("writing the report as JSON")?;
        std::fs::write(path, json).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
