// SPDX-License-Identifier: MIT OR Apache-2.0
//! `make generate`: writes what the tree repeats of its own code, or says
//! what differs.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use generate::{files, out_of_date, workspace, write};

/// Write the files that are printed from the code
#[derive(Debug, Parser)]
struct Cli {
    /// Write nothing; fail when a file differs from what would be written
    #[arg(long)]
    check: bool,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let (root, files) = (workspace(), files()?);
    if cli.check {
        let old = out_of_date(&root, &files)?;
        for line in &old {
            eprintln!("{line}");
        }
        return Ok(ExitCode::from(u8::from(!old.is_empty())));
    }
    for path in write(&root, &files)? {
        println!("{path}");
    }
    Ok(ExitCode::SUCCESS)
}
