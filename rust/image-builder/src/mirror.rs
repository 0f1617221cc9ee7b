// SPDX-License-Identifier: MIT OR Apache-2.0
//! The state of the Debian mirror: whether it has the suite, and which state of
//! it a build would use. Looked at before anything is built.
//!
//! The files are fetched by apt's own helper, so that proxies and whatever else
//! this machine's apt is told apply here too. They are not verified here: apt
//! and debootstrap verify what they use.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use buildroot::archive::{Archives, source};
use buildroot::rootfs;
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
pub struct ArchiveState {
    /// A hash over the release files of all archives that are used.
    pub key: String,
    /// The newest of their dates, in seconds after 1970: the time that the
    /// medium is given, so that the same packages make the same medium.
    pub epoch: u64,
}

/// The suite of the root in which live-build runs, and so that of the boot
/// loaders on the medium, whatever the medium's own suite is.
pub const TOOLS_SUITE: &str = "trixie";
/// Components of an archive that are used.
const COMPONENTS: &str = "main non-free-firmware";
/// Where packages of Debian's installer are.
const UDEBS: &str = "main/debian-installer";
/// Whether the date in `Valid-Until` counts (apt.conf(5)).
const CHECK_VALID_UNTIL: &str = "Acquire::Check-Valid-Until";

/// How mirrors are reached and judged: as this machine's apt does it, and as the
/// distro says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// The proxy for http.
    pub proxy: Option<String>,
    /// Lines of apt.conf(5), without their semicolons.
    pub options: Vec<String>,
}

impl Reach {
    /// For the mirrors of a distro.
    ///
    /// # Errors
    /// `TOOL_MISSING` when apt cannot be asked for its settings.
    pub fn of(distro: &Distro) -> Result<Self> {
        let mut options = rootfs::host_apt_options().map_err(|err| {
            Error::new(Code::ToolMissing, "apt-config cannot be run.")
                .why("It belongs to apt: this is no Debian system, or a very small one.")
                .next("Build on Debian 12 or 13.")
                .detail(format!("{err:#}"))
        })?;
        options.extend(Self::said_by(distro).options);
        Ok(Self {
            proxy: value(&options, "Acquire::http::Proxy")
                .filter(|proxy| *proxy != "DIRECT")
                .map(str::to_owned),
            options,
        })
    }

    /// What the distro alone says, whatever the machine.
    pub fn said_by(distro: &Distro) -> Self {
        let lax = distro.mirrors.snapshot.is_some();
        let lax = lax.then(|| format!("{CHECK_VALID_UNTIL} \"false\""));
        Self {
            proxy: None,
            options: lax.into_iter().collect(),
        }
    }

    /// Words for a command line of apt that say how mirrors are judged. Proxies
    /// are not in them: they can have a password.
    pub fn words(&self) -> Vec<String> {
        let judging = self.options.iter().filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            (name.starts_with("Acquire::Check-"))
                .then(|| format!("-o{name}={}", value.trim_matches('"')))
        });
        judging.collect()
    }

    /// Whether a release file that is too old is refused.
    fn refuses_old(&self) -> bool {
        // As apt reads it (StringToBool).
        let off = ["0", "no", "false", "without", "off", "disable"];
        value(&self.options, CHECK_VALID_UNTIL).is_none_or(|value| !off.contains(&value))
    }
}

/// The last value of a setting.
fn value<'a>(options: &'a [String], name: &str) -> Option<&'a str> {
    let mut values = options.iter().filter_map(|line| {
        let (said, value) = line.split_once(' ')?;
        (said == name).then(|| value.trim_matches('"'))
    });
    values.next_back()
}

/// Mirror and suite of every archive of a suite.
fn suites(debian: &str, security: &str, suite: &str) -> Vec<(String, String)> {
    let mut all = vec![(debian.to_owned(), suite.to_owned())];
    if is_released(suite) {
        all.push((debian.to_owned(), format!("{suite}-updates")));
        all.push((security.to_owned(), format!("{suite}-security")));
    }
    all
}

/// The release files of all archives that are used.
fn release_files(distro: &Distro) -> Vec<String> {
    let mirrors = &distro.mirrors;
    suites(&mirrors.debian, &mirrors.security, &distro.suite)
        .iter()
        .map(|(mirror, suite)| format!("{mirror}/dists/{suite}/InRelease"))
        .collect()
}

/// The archives of the live system.
pub fn archives(distro: &Distro, reach: &Reach) -> Archives {
    let mirrors = &distro.mirrors;
    let suites = suites(&mirrors.debian, &mirrors.security, &distro.suite);
    of_suites(&suites, reach)
}

/// The archives of Debian's installer: those of the suite, and its udebs.
pub fn installer_archives(distro: &Distro, reach: &Reach) -> Archives {
    let all = archives(distro, reach);
    let udebs = source(&distro.mirrors.debian, &distro.suite, UDEBS);
    let sources = all.sources().iter().cloned().chain([udebs]).collect();
    Archives::new(sources, all.options().to_vec())
}

/// The archives of the root in which live-build runs: `own` is the mirror that
/// this machine's owner names for roots, if any.
pub fn tools_archives(distro: &Distro, own: Option<&str>, reach: &Reach) -> Archives {
    let mirrors = &distro.mirrors;
    let (debian, security) = match own {
        Some(own) => (own, crate::config::beside(own)),
        None => (mirrors.debian.as_str(), mirrors.security.clone()),
    };
    of_suites(&suites(debian, &security, TOOLS_SUITE), reach)
}

fn of_suites(suites: &[(String, String)], reach: &Reach) -> Archives {
    let sources = suites
        .iter()
        .map(|(mirror, suite)| source(mirror, suite, COMPONENTS));
    Archives::new(sources.collect(), reach.options.clone())
}

/// Looks at the mirrors of a distro.
///
/// # Errors
/// `MIRROR_UNREACHABLE`, `SUITE_UNKNOWN`, `SUITE_EXPIRED`, `TOOL_MISSING`;
/// `INTERRUPTED` when `stop` fires.
pub fn state(distro: &Distro, stop: &Cancel) -> Result<ArchiveState> {
    let reach = Reach::of(distro)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
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
        if reach.refuses_old() {
            refuse_old(&url, &text, now)?;
        }
        epoch = epoch.max(date);
        hash.update(&bytes);
    }
    let key = hash
        .finalize()
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect();
    Ok(ArchiveState { key, epoch })
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

/// Refuses what apt would refuse in the middle of a build.
fn refuse_old(url: &str, release: &str, now: u64) -> Result<()> {
    let Some(until) = field(release, "Valid-Until") else {
        return Ok(());
    };
    if parse_date(until).is_none_or(|until| now <= until) {
        return Ok(());
    }
    Err(Error::new(
        Code::SuiteExpired,
        format!("{url} was valid until {}.", until.trim()),
    )
    .why("The mirror has stopped following Debian, or has a snapshot of it; or this machine's clock is wrong.")
    .next(
        "Name another mirror; or say on purpose which state is meant, with `mirrors.snapshot`; \
         or set Acquire::Check-Valid-Until \"false\" in this machine's /etc/apt/apt.conf.d.",
    ))
}

/// The `Date` of a release file, in seconds after 1970.
fn date_of(release: &str) -> Option<u64> {
    parse_date(field(release, "Date")?)
}

fn field<'a>(release: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = release.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
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
    fn what_has_expired_is_refused_with_its_date() {
        let release = "Date: Fri, 30 Oct 2026 08:08:01 UTC\n\
                       Valid-Until: Fri, 06 Nov 2026 08:08:01 UTC\n";
        let until = parse_date("Fri, 06 Nov 2026 08:08:01 UTC").unwrap();
        assert!(refuse_old("u", release, until).is_ok());
        let error = refuse_old("u", release, until + 1).unwrap_err();
        assert_eq!(error.code, Code::SuiteExpired);
        assert!(error.what.contains("06 Nov 2026"), "{error}");
        assert!(error.next.contains("mirrors.snapshot"), "{error}");
        // trixie itself has none.
        assert!(refuse_old("u", "Date: Fri, 30 Oct 2026 08:08:01 UTC\n", u64::MAX).is_ok());
    }

    #[test]
    fn this_machines_word_counts_everywhere() {
        let reach = |lines: &[&str]| Reach {
            proxy: None,
            options: lines.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert!(reach(&[]).refuses_old());
        assert!(reach(&["Acquire::Check-Valid-Until \"true\""]).refuses_old());
        let lax = reach(&[
            "Acquire::http::Proxy \"http://me:secret@p:1\"",
            "Acquire::Check-Valid-Until \"false\"",
        ]);
        assert!(!lax.refuses_old());
        assert_eq!(lax.words(), ["-oAcquire::Check-Valid-Until=false"]);
        let distro = Distro::default();
        assert_eq!(archives(&distro, &lax).options(), lax.options);

        // And that of a distro, whatever the machine says.
        let mut distro = distro;
        distro.mirrors.snapshot = Some("20261101T000000Z".into());
        assert!(!Reach::of(&distro).unwrap().refuses_old());
    }

    #[test]
    fn tools_have_security_updates_from_where_they_are_told() {
        let mut distro = Distro {
            suite: "forky".into(),
            ..Distro::default()
        };
        distro.mirrors.security = "http://s.example/x".into();
        let lines = |own| {
            tools_archives(&distro, own, &Reach::default())
                .sources()
                .to_vec()
        };
        let end = |line: &String| line.split_once("] ").unwrap().1.to_owned();
        let theirs: Vec<String> = lines(None).iter().map(end).collect();
        assert_eq!(
            theirs,
            [
                "http://deb.debian.org/debian trixie main non-free-firmware",
                "http://deb.debian.org/debian trixie-updates main non-free-firmware",
                "http://s.example/x trixie-security main non-free-firmware",
            ]
        );
        let own: Vec<String> = lines(Some("http://m.example/debian"))
            .iter()
            .map(end)
            .collect();
        assert_eq!(
            own[2],
            "http://m.example/debian-security trixie-security main non-free-firmware"
        );
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
