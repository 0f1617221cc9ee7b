// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::cgroup::Accounting;
use crate::ways::Way;

/// Compares installing by the engine with the documented podman way: same
/// image, same target, everything each of them starts measured.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Runs of each way; the medians are reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) runs: u16,

    /// Use the big test image (at least 2 GB compressed, 60 layers)
    #[arg(long, conflicts_with = "image")]
    pub(crate) big: bool,

    /// Use this image, an OCI layout DIR[:TAG]
    #[arg(long, value_name = "LAYOUT", env = "BOOTC_TEST_IMAGE")]
    pub(crate) image: Option<String>,

    /// The engine [default: bootc-installer beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) installer: Option<PathBuf>,

    /// Only these ways
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Way>,

    /// Who counts CPU time [default: the best that works]
    #[arg(long, value_enum)]
    pub(crate) accounting: Option<Accounting>,

    /// Also write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Args {
    /// The ways to run, in order.
    pub(crate) fn ways(&self) -> Vec<Way> {
        if self.only.is_empty() {
            vec![Way::Podman, Way::Unpack, Way::InPlace]
        } else {
            self.only.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn three_runs_of_three_ways_are_the_default() {
        let args = Args::parse_from(["bench-install"]);
        assert_eq!(args.runs, 3);
        assert_eq!(args.ways(), [Way::Podman, Way::Unpack, Way::InPlace]);
        let args = Args::parse_from(["bench-install", "--only", "skopeo,in-place", "--runs", "1"]);
        assert_eq!(args.ways(), [Way::Skopeo, Way::InPlace]);
        assert!(Args::try_parse_from(["bench-install", "--runs", "0"]).is_err());
    }
}
