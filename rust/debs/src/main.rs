// SPDX-License-Identifier: MIT OR Apache-2.0
//! `debs`: builds and checks the Debian packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use buildroot::apt;
use buildroot::cmd::CommandExt;
use clap::{Args, Parser, Subcommand};

/// Builds and checks the Debian packages, in a root of their suite.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Build the packages and print what is in them
    Build {
        #[command(flatten)]
        suite: Suite,
        /// Where the packages are copied to
        #[arg(long, value_name = "DIR", default_value = "out/debs")]
        output: PathBuf,
    },
    /// Run lintian over them, building them when needed
    Lint(Suite),
    /// Compile the workspace with the suite's rustc, and lint the bridge to Qt
    Rust(Suite),
    /// Build the Calamares plugin and the programs, without packages, as the tree
    /// that they install
    Plugin {
        #[command(flatten)]
        suite: Suite,
        /// The directory that becomes the tree (DESTDIR)
        #[arg(long, value_name = "DIR", default_value = "out/plugin")]
        output: PathBuf,
    },
    /// What `plugin` runs in the root
    #[command(hide = true, name = debs::INSTALL_PLUGIN)]
    InstallPlugin,
    /// Make (or find) the root for builds and print its path
    Root(Suite),
}

#[derive(Debug, Args)]
struct Suite {
    /// Debian's code name
    #[arg(long, default_value = "trixie")]
    suite: String,
}

fn main() -> Result<()> {
    match Cli::parse().action {
        Action::Build { suite, output } => build(&suite.suite, &output),
        Action::Lint(suite) => debs::lint(&suite.suite),
        Action::Rust(suite) => debs::check_rust(&suite.suite),
        Action::Plugin { suite, output } => {
            debs::plugin(&suite.suite, &output)?;
            say(&output.display().to_string());
            Ok(())
        }
        Action::InstallPlugin => debs::install_plugin(),
        Action::Root(suite) => {
            say(&debs::build_root(&suite.suite)?.display().to_string());
            Ok(())
        }
    }
}

fn build(suite: &str, output: &Path) -> Result<()> {
    apt::ensure(&["dpkg-deb"])?;
    let debs = debs::build_all(suite, debs::Output::Inherited)?;
    fs::create_dir_all(output).with_context(|| format!("making {}", output.display()))?;
    for deb in debs {
        let copy = output.join(deb.file_name().unwrap_or_default());
        fs::copy(&deb, &copy).with_context(|| format!("writing {}", copy.display()))?;
        let size = copy
            .metadata()
            .with_context(|| format!("looking at {}", copy.display()))?
            .len();
        say(&format!("\n{}  {} kB", copy.display(), size / 1000));
        for option in ["--field", "--contents"] {
            let mut command = Command::new("dpkg-deb");
            command.arg(option).arg(&copy);
            if option == "--field" {
                command.args(["Version", "Depends", "Recommends"]);
            }
            say(&command.read()?);
        }
    }
    Ok(())
}

#[allow(clippy::print_stdout)] // what this program is for
fn say(text: &str) {
    println!("{}", text.trim_end());
}
