// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer unattended`.

use std::path::PathBuf;

use clap::Args;

use super::EventsTo;
use crate::bootc;

#[derive(Debug, Args)]
pub(in super::super) struct UnattendedCommand {
    /// Configuration file (bootc.conf) [default: the medium's, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(in super::super) config: Option<PathBuf>,

    /// The kernel's command line
    #[arg(long, value_name = "FILE", default_value = "/proc/cmdline")]
    pub(in super::super) cmdline: PathBuf,

    /// Directory of credentials [default: $CREDENTIALS_DIRECTORY]
    #[arg(long, value_name = "DIR")]
    pub(in super::super) credentials: Option<PathBuf>,

    /// Where the medium is mounted
    #[arg(long, value_name = "DIR", default_value = "/run/live/medium")]
    pub(in super::super) medium: PathBuf,

    /// Only say what would be done
    #[arg(long)]
    pub(in super::super) dry_run: bool,

    /// Write events as JSON lines to a descriptor (`-` is standard output)
    #[arg(long, value_name = "FD")]
    pub(in super::super) events: Option<EventsTo>,

    /// Directory for bootc's log
    #[arg(long, value_name = "DIR", default_value = bootc::LOG_DIR)]
    pub(in super::super) log_dir: PathBuf,
}
