// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smoke`: boots a file and tells what came of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::smoke_args::SmokeArgs;
use super::terminal::{on_signals, print};
use crate::error::{Code, Error, Result};
use crate::progress::Progress;
use crate::smoke::case::{Findings, Outcome};
use crate::smoke::{self, SmokeRequest, junit};

/// Boots the file.
///
/// # Errors
/// Those of [`smoke::smoke`]; `SMOKE_FAILED` when something is not as it should be.
pub(super) fn smoke(args: &SmokeArgs) -> Result<()> {
    let request = SmokeRequest {
        file: args.file.clone(),
        firmwares: args.firmware.iter().map(|starts| starts.0).collect(),
        memory_mib: args.memory,
        accel: args.accel.accel(),
        out: args.out.clone(),
        timeout: Duration::from_secs(args.timeout),
        digest: args.expect_digest.clone(),
        recipe: args.recipe.clone(),
    };
    let stop = on_signals()?;
    let mut progress = Progress::new(false);
    let found = smoke::smoke(&request, &mut progress, &stop);
    match &found {
        Ok(_) => progress.end(),
        Err(_) => progress.abandon(),
    }
    let found = found.map_err(stopped)?;
    if let Some(file) = &args.junit {
        write(file, &junit::document(&found))?;
    }
    if let Some(file) = &args.result {
        write(file, &format!("{:#}\n", found.json(&args.out)))?;
    }
    print(summary(&found, &args.out).as_bytes())?;
    match found.is_green() {
        true => Ok(()),
        false => Err(red(&found)),
    }
}

/// What is stopped is no build here.
fn stopped(error: Error) -> Error {
    match error.code {
        Code::Interrupted => Error::new(
            Code::Interrupted,
            "It was stopped, and the virtual machine with it.",
        )
        .next("Run the same command again."),
        _ => error,
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(|err| Error::io("Writing", file, &err))
}

fn summary(found: &Findings, out: &Path) -> String {
    format!(
        "{}{}: {} passed, {} failed, {} skipped ({}); consoles and pictures: {}\n",
        found.table(),
        found.file,
        found.count(Outcome::Passed),
        found.count(Outcome::Failed),
        found.count(Outcome::Skipped),
        found.accel,
        out.display()
    )
}

fn red(found: &Findings) -> Error {
    let failed = found.cases.iter();
    let failed = failed.filter(|case| case.verdict.outcome == Outcome::Failed);
    let names: Vec<String> = failed
        .map(|case| format!("{} ({})", case.name, case.suite))
        .collect();
    Error::new(
        Code::SmokeFailed,
        format!(
            "{} is not as it should be: {}.",
            found.file,
            names.join(", ")
        ),
    )
    .next("The table above says what was found; the consoles have the rest.")
}
