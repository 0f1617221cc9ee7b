// SPDX-License-Identifier: MIT OR Apache-2.0
//! `test-image`: makes and names the bootable test images.

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Makes the bootable test images and serves them.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the standard image and its variants in the cache
    Build,
    /// Print the layout's directory, making it when needed
    Path,
}

#[allow(clippy::print_stdout)]
fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Build => {
            let image = test_image::standard()?;
            println!("{} {}", image.reference(), image.digest()?);
        }
        Command::Path => println!("{}", test_image::standard()?.layout.display()),
    }
    Ok(())
}
