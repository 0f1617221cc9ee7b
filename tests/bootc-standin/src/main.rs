// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-standin`: a stand-in for bootc in tests.
//!
//! It honours bootc's command line, output lines, order of checks and exit
//! codes, and makes a real ostree deployment through the ostree tools of the
//! image it runs in, so that the disk boots. It shares no code with bootc.

mod cli;
mod config;
mod deploy;
mod finish;
mod imgref;
mod install;
mod layer;
mod process;
mod progress;
mod proxy;
mod source;
mod status;
mod target;
mod text;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;

use cli::{Cli, Command, Install};

/// What `--version` prints.
const VERSION: &str = "bootc-standin 0.1 (a test stand-in, not bootc)";

/// Prints one line to stdout, as everything that a caller may parse.
#[allow(clippy::print_stdout)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    // Before anything else, even --version: bootc looks at pid 1's namespaces.
    fs::read_link("/proc/1/ns/ipc").context("reading /proc/1/ns/ipc")?;
    let cli = Cli::parse();
    if cli.version {
        say(VERSION);
        return Ok(());
    }
    match cli.command {
        None => bail!("no command given; see --help"),
        Some(Command::Install(Install::ToFilesystem(options))) => {
            install::to_filesystem(&options).context("Installing to filesystem")
        }
        Some(Command::Install(Install::Finalize { root_path })) => finalize(&root_path),
        Some(Command::Install(Install::PrintConfiguration { all: _ })) => {
            let config = config::install_config(Path::new("/"))?;
            say(&serde_json::to_string(&config).context("Serializing configuration")?);
            Ok(())
        }
        Some(Command::Status(options)) => status::status(&options).context("Status"),
        Some(Command::Upgrade(_) | Command::Switch(_)) => {
            bail!("the stand-in cannot update an installed system; only a real bootc can")
        }
    }
}

/// Only tests that there is something to boot.
fn finalize(root: &Path) -> Result<()> {
    if !deploy::Sysroot::has_deployment(root).context("Finalizing")? {
        bail!("Finalizing: no deployments found in {}", root.display());
    }
    Ok(())
}
