// SPDX-License-Identifier: MIT OR Apache-2.0
//! The state of the Debian mirror: whether it has the suite, and which state of
//! it a build would use. Looked at before anything is built.
//!
//! The files are fetched by apt's own helper, so that proxies and whatever else
//! this machine's apt is told apply here too. They are not verified here: apt
//! and debootstrap verify what they use.

use std::path::Path;

use host::cancel::Cancel;
use host::cmd::Tool;
use sha2::{Digest, Sha256};

use crate::config::Distro;
use crate::error::{Code, Error, Result};

const APT_HELPER: &str = "/usr/lib/apt/apt-helper";
/// How long a mirror may stay silent, seconds.
const TIMEOUT: &str = "-oAcquire::http::Timeout=20";

/// What a mirror has at this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// A hash over the release files of all archives that are used.
    pub key: String,
    /// The newest of their dates, in seconds after 1970: the time that the
    /// medium is given, so that the same packages make the same medium.
    pub epoch: u64,
}

/// One archive of Debian: a release file's address.
fn release_files(distro: &Distro) -> Vec<String> {
    let suite = &distro.suite;
    let debian = &distro.mirrors.debian;
    let mut files = vec![format!("{debian}/dists/{suite}/InRelease")];
    if is_released(suite) {
        files.push(format!("{debian}/dists/{suite}-updates/InRelease"));
        let security = &distro.mirrors.security;
        files.push(format!("{security}/dists/{suite}-security/InRelease"));
    }
    files
}

/// Looks at the mirrors of a distro.
///
/// # Errors
/// `MIRROR_UNREACHABLE`, `SUITE_UNKNOWN`, `TOOL_MISSING`; `INTERRUPTED` when
/// `stop` fires.
pub fn state(distro: &Distro, stop: &Cancel) -> Result<State> {
    let dir = tempfile::tempdir()
        .map_err(|err| Error::io("Making a directory in", &std::env::temp_dir(), &err))?;
    let mut hash = Sha256::new();
    let mut epoch = 0;
    for url in release_files(distro) {
        let file = dir.path().join("InRelease");
        fetch(&url, &file, stop)?;
        // Whatever answers there may send anything.
        let bytes = std::fs::read(&file).map_err(|err| Error::io("Reading", &file, &err))?;
        let text = String::from_utf8_lossy(&bytes);
        let date = date_of(&text).ok_or_else(|| {
            Error::new(
                Code::MirrorUnreachable,
                format!("{url} is no release file of Debian."),
            )
            .why("Something else answers there, for example a login page of the network.")
            .next("Correct `mirrors` in distro.yaml, or log in to the network.")
        })?;
        epoch = epoch.max(date);
        hash.update(&bytes);
    }
    let key = hash
        .finalize()
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect();
    Ok(State { key, epoch })
}

fn fetch(url: &str, to: &Path, stop: &Cancel) -> Result<()> {
    let fetched = Tool::new(APT_HELPER)
        .args([TIMEOUT, "-oAcquire::Retries=1", "download-file", url])
        .arg(to)
        .run(stop);
    stop.check()?;
    match fetched {
        Ok(_) => Ok(()),
        Err(error) if error.code == contract::error::Code::ToolMissing => Err(Error::new(
            Code::ToolMissing,
            format!("{APT_HELPER} cannot be run."),
        )
        .why("It belongs to apt: this is no Debian system, or a very small one.")
        .next("Build on Debian 12 or 13.")),
        Err(error) => Err(not_fetched(url, &error.details.join("\n"))),
    }
}

fn not_fetched(url: &str, said: &str) -> Error {
    let missing = said.contains(" 404 ") || said.contains("404  Not Found");
    let error = if missing {
        Error::new(Code::SuiteUnknown, format!("The mirror has no {url}."))
            .why("The suite or the path of the mirror is misspelt.")
            .next("Correct `suite` or `mirrors` in distro.yaml.")
    } else {
        Error::new(Code::MirrorUnreachable, format!("{url} cannot be fetched."))
            .why("The mirror does not answer: its name is misspelt, or the network is down.")
            .next("Correct `mirrors` in distro.yaml, or try again later.")
    };
    said.lines()
        .map(str::trim)
        .filter(|line| line.starts_with("E:") || line.starts_with("Err:"))
        .fold(error, |error, line| error.detail(line))
}

/// The `Date` of a release file, in seconds after 1970.
fn date_of(release: &str) -> Option<u64> {
    let date = release
        .lines()
        .find_map(|line| line.strip_prefix("Date: "))?;
    parse_date(date)
}

/// Reads `Sat, 15 Nov 2026 10:11:12 UTC`.
fn parse_date(date: &str) -> Option<u64> {
    // RFC 2822 has no zone of this name, but Debian does.
    let date = date.trim().replace(" UTC", " +0000");
    let time = jiff::fmt::rfc2822::parse(&date).ok()?;
    u64::try_from(time.timestamp().as_second()).ok()
}

/// Whether a suite has updates and security updates of its own.
pub fn is_released(suite: &str) -> bool {
    suite == "trixie"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dates_are_read() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 UTC", Some(0)),
            ("Wed, 25 Nov 2026 02:49:29 UTC", Some(1_795_574_969)),
            ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
            ("Fri, 01 Mar 2024 00:00:00 +0000", Some(1_709_251_200)),
            ("Fri, 01 Foo 2024 00:00:00 UTC", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse_date(text), expected, "{text}");
        }
    }

    #[test]
    fn the_date_of_a_release_file_counts() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\nOrigin: Debian\n\
                    Date: Thu, 01 Jan 1970 00:01:00 UTC\nValid-Until: never\n";
        assert_eq!(date_of(text), Some(60));
        assert_eq!(date_of("<html>Date: today"), None);
    }

    #[test]
    fn answers_of_apt_are_told_apart() {
        for (said, code) in [
            (
                "Err:1 http://m/dists/x/InRelease\n  404  Not Found [IP: 1.2.3.4 80]\n",
                Code::SuiteUnknown,
            ),
            (
                "E: Failed to fetch http://m/x  Temporary failure resolving 'm'\n",
                Code::MirrorUnreachable,
            ),
            (
                "E: Could not connect to m:80 (1.2.3.4). - connect (111: Connection refused)\n",
                Code::MirrorUnreachable,
            ),
        ] {
            assert_eq!(not_fetched("http://m/x", said).code, code, "{said}");
        }
    }

    #[test]
    fn a_suite_that_is_not_released_has_one_archive() {
        let mut distro = Distro::default();
        assert_eq!(release_files(&distro).len(), 3);
        distro.suite = "forky".into();
        assert_eq!(
            release_files(&distro),
            ["http://deb.debian.org/debian/dists/forky/InRelease"]
        );
    }
}
