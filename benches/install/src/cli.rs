// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::cgroup::Accounting;
use crate::source::Source;
use crate::ways::Way;

/// Compares installing by the engine with the documented podman way: same
/// image, same target, everything each of them starts measured.
///
/// By default with two images, one after the other: the small test image and a
/// big one (at least 2 GB compressed, 60 layers), for which 25 GB of disk and
/// 12 GB of memory should be free. `--small` and `--big` choose one of them,
/// `--image` names another one instead.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Runs of each way; the medians are reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) runs: u16,

    /// Only the small test image ($BOOTC_TEST_IMAGE replaces it)
    #[arg(long, conflicts_with = "image")]
    small: bool,

    /// Only the big test image
    #[arg(long, conflicts_with = "image")]
    big: bool,

    /// Only this image, an OCI layout DIR[:TAG]
    #[arg(long, value_name = "LAYOUT")]
    image: Option<String>,

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
    /// The images to install, in order.
    pub(crate) fn sources(&self) -> Vec<Source> {
        match (&self.image, self.small, self.big) {
            (Some(image), ..) => vec![Source::Named(image.clone())],
            (None, true, false) => vec![Source::Small],
            (None, false, true) => vec![Source::Big],
            (None, ..) => vec![Source::Small, Source::Big],
        }
    }

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

    #[test]
    fn both_images_are_the_default() {
        let both = [Source::Small, Source::Big];
        for (words, sources) in [
            ("", &both[..]),
            ("--small", &both[..1]),
            ("--big", &both[1..]),
            ("--small --big", &both[..]),
            ("--image /d:v1", &[Source::Named("/d:v1".to_owned())]),
        ] {
            let words = ["bench-install"]
                .into_iter()
                .chain(words.split_whitespace());
            assert_eq!(Args::parse_from(words).sources(), sources);
        }
        for other in ["--small", "--big"] {
            assert!(Args::try_parse_from(["bench-install", "--image", "/d", other]).is_err());
        }
    }
}
