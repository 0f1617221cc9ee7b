// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::case::Case;
use crate::image::Size;

/// Compares pulling an image: this project's puller, skopeo and podman, from
/// a registry on loopback, through networks from perfect to bad.
///
/// The image is made once (about 300 MB compressed, 24 layers, always the same
/// bytes) and kept in the cache. Ends with success also when goals are missed.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Runs of each tool on the clean network; medians are reported
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) runs: u16,

    /// Runs of each tool on the slow networks, each with other random numbers
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) link_runs: u16,

    /// An image of about 60 MB; the goals are set for the default one
    #[arg(long)]
    small: bool,

    /// Seconds after which a run is stopped, and called a hang
    #[arg(long, default_value_t = 150)]
    pub(crate) limit: u64,

    /// Compare with skopeo and podman of this Debian suite, in a root that is
    /// made once [default: this machine's]
    #[arg(long, value_name = "SUITE")]
    pub(crate) peers: Option<String>,

    /// Only these cases
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Case>,

    /// Also write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Args {
    /// What is pulled.
    pub(crate) fn size(&self) -> Size {
        match self.small {
            true => Size::Small,
            false => Size::Default,
        }
    }

    /// The cases to run, in order.
    pub(crate) fn cases(&self) -> Vec<Case> {
        Case::ALL
            .into_iter()
            .filter(|case| self.only.is_empty() || self.only.contains(case))
            .collect()
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
        assert_eq!(Args::parse_from(["bench-pull"]).cases(), Case::ALL);
        let some = Args::parse_from(["bench-pull", "--only", "stalls,clean", "--small"]);
        assert_eq!(some.cases(), [Case::Clean, Case::Stalls]);
        assert!(Args::try_parse_from(["bench-pull", "--runs", "0"]).is_err());
    }
}
