// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be said of a kickstart and of an Ignition configuration.

use std::path::PathBuf;

use clap::Args;

/// Options of `build` for what is rendered.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Options of kickstarts and Ignition")]
pub struct RenderArgs {
    /// For which Anaconda: F38 to F45, RHEL9, RHEL10 [default: F43]
    #[arg(long, value_name = "VERSION")]
    pub ks_version: Option<String>,

    /// Version of the specification: 3.0.0 to 3.6.0 [default: 3.3.0]
    #[arg(long, value_name = "VERSION")]
    pub ignition_version: Option<String>,

    /// Disk that is overwritten, for example /dev/sda; without it a kickstart
    /// lets Anaconda ask
    #[arg(long, value_name = "DEV")]
    pub disk: Option<String>,

    /// A bootc.conf: image, registries, and what it says for others
    #[arg(long, value_name = "FILE")]
    pub bootc_conf: Option<PathBuf>,

    /// Write the login of the registry into the file, which only you may read
    #[arg(long)]
    pub with_credentials: bool,
}
