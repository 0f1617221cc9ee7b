// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors of the registry's client as those that a person is told.

use std::path::Path;
use std::time::Duration;

use contract::error::{Code, Error, capital};
use registry::{ErrorKind, RegistryError};

/// An error of a lower room as one that a person is told.
pub trait Coded {
    /// The error with its code.
    fn coded(self) -> Error;
}

impl Coded for RegistryError {
    /// The one place where the registry client's errors get their codes.
    fn coded(self) -> Error {
        let err = self;
        let (err, mirrors) = err.split_mirrors();
        let code = match err.kind() {
            ErrorKind::InvalidReference => Code::ImageRefInvalid,
            ErrorKind::Config => Code::ConfigInvalid,
            ErrorKind::Blocked => Code::RegistryBlocked,
            ErrorKind::CredentialHelper | ErrorKind::AuthEntry => Code::SecretUnreadable,
            ErrorKind::HostUnknown => Code::RegistryHostUnknown,
            ErrorKind::ConnectionRefused | ErrorKind::Unreachable | ErrorKind::ConnectTimeout => {
                Code::RegistryUnreachable
            }
            ErrorKind::Tls | ErrorKind::Insecure => Code::RegistryTls,
            ErrorKind::AuthRequired => Code::RegistryAuthRequired,
            ErrorKind::AuthRejected => Code::RegistryAuth,
            ErrorKind::NotFound => Code::ImageNotFound,
            ErrorKind::NoPlatform => Code::ImageNoPlatform,
            ErrorKind::DigestMismatch | ErrorKind::SizeMismatch => Code::DigestMismatch,
            ErrorKind::RateLimited => Code::RegistryRateLimited,
            ErrorKind::Refused => Code::RegistryRefused,
            // A storage host whose new addresses are refused as well.
            ErrorKind::Server
                if matches!(
                    err,
                    RegistryError::Server {
                        status: 401 | 403,
                        ..
                    }
                ) =>
            {
                Code::RegistryRefused
            }
            ErrorKind::Server | ErrorKind::Stalled | ErrorKind::Interrupted => {
                Code::NetworkInterrupted
            }
            ErrorKind::NoRegistry
            | ErrorKind::TooLarge
            | ErrorKind::Malformed
            | ErrorKind::Unsupported => Code::RegistryMalformed,
            ErrorKind::NotAnImage => Code::ImageNotBootable,
            ErrorKind::Cancelled => Code::Cancelled,
            ErrorKind::Io => match &err {
                RegistryError::Io {
                    action,
                    path,
                    source,
                } => return Error::io(&format!("to {action}"), path, source),
                _ => Code::Io,
            },
            // A kind that is newer than this table.
            _ => Code::Io,
        };
        let text = err.to_string();
        let mut error = Error::new(code, sentence(&text));
        error.next = match err.retry_after().and_then(time) {
            Some(time) => err.hint().replacen("Wait,", &format!("Wait {time},"), 1),
            None => err.hint().into(),
        };
        if let RegistryError::Tls { problem, .. } = &err {
            error.why = format!("{}.", capital(&problem.to_string()));
        }
        if matches!(err.kind(), ErrorKind::CredentialHelper) {
            error.why =
                "The program that keeps the credentials is missing or does not work.".into();
        }
        if matches!(err.kind(), ErrorKind::Insecure) {
            error.why =
                "A password or an image would travel where others can read or change it.".into();
        }
        if matches!(err.kind(), ErrorKind::Server) {
            error.why = "The registry does not serve the image at the moment.".into();
        }
        if matches!(err.kind(), ErrorKind::Unsupported) {
            error.why = "The image has layers of a kind that cannot be installed.".into();
        }
        let mut source = std::error::Error::source(&err);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                error = error.detail(cause_text);
            }
            source = cause.source();
        }
        mirrors.into_iter().fold(error, Error::detail)
    }
}

/// As [`Coded::coded`], for an image in a local layout: what would be a matter
/// of the network there is one of the directory here.
pub fn layout_error(path: &Path, err: RegistryError) -> Error {
    let hint = err.hint();
    let text = err.to_string();
    let coded = err.coded();
    match coded.code {
        Code::ImageNotFound | Code::RegistryMalformed | Code::Io | Code::ImageRefInvalid => {
            Error::new(
                Code::SourceInvalid,
                format!(
                    "The OCI layout {} cannot be used as the source.",
                    path.display()
                ),
            )
            .detail(text)
            .detail(hint)
        }
        Code::DigestMismatch => coded
            .why("The medium or the copy of the image is damaged.")
            .next("Check the medium, or make a new copy of the image."),
        _ => coded,
    }
}

/// A wait as a person plans it, rounded up. `None` for none, and for one that
/// nobody can mean.
fn time(wait: Duration) -> Option<String> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = wait.as_secs();
    let (unit, name) = match seconds {
        0 => return None,
        1..=7200 => (MINUTE, "minute"),
        7201..=172_800 => (HOUR, "hour"),
        _ if seconds <= 366 * DAY => (DAY, "day"),
        _ => return None,
    };
    Some(match seconds.div_ceil(unit) {
        1 => format!("1 {name}"),
        many => format!("{many} {name}s"),
    })
}

/// Ends with one full stop; begins in upper case, unless with a host's name.
fn sentence(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let text = if first.contains(['.', ':']) {
        text.to_owned()
    } else {
        capital(text)
    };
    format!("{}.", text.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use registry::{Missing, Platform, TlsProblem};

    #[test]
    fn codes() {
        let cause = || -> Box<dyn std::error::Error + Send + Sync> { "cause".into() };
        let host = || "r.io".to_owned();
        let what = || "a layer".to_owned();
        let table = [
            (
                RegistryError::Blocked {
                    name: "r.io/a".into(),
                    prefix: "r.io".into(),
                    origin: "/etc/containers/registries.conf".into(),
                },
                Code::RegistryBlocked,
            ),
            (
                RegistryError::CredentialHelper {
                    program: "docker-credential-x".into(),
                    server: host(),
                    problem: what(),
                },
                Code::SecretUnreadable,
            ),
            (
                RegistryError::HostUnknown {
                    host: host(),
                    source: cause(),
                },
                Code::RegistryHostUnknown,
            ),
            (
                RegistryError::ConnectionRefused {
                    host: host(),
                    source: cause(),
                },
                Code::RegistryUnreachable,
            ),
            (
                RegistryError::ConnectTimeout {
                    host: host(),
                    seconds: 10.0,
                },
                Code::RegistryUnreachable,
            ),
            (
                RegistryError::Tls {
                    host: host(),
                    problem: TlsProblem::NotTrusted,
                    source: cause(),
                    skipped: vec![],
                },
                Code::RegistryTls,
            ),
            (
                RegistryError::AuthRequired {
                    host: host(),
                    repository: "a".into(),
                },
                Code::RegistryAuthRequired,
            ),
            (
                RegistryError::AuthRejected {
                    host: host(),
                    repository: "a".into(),
                    detail: String::new(),
                },
                Code::RegistryAuth,
            ),
            (
                RegistryError::NotFound {
                    missing: Missing::Manifest,
                    name: "r.io/a:1".into(),
                },
                Code::ImageNotFound,
            ),
            (
                RegistryError::NoPlatform {
                    wanted: Platform::host(),
                    offered: vec![],
                },
                Code::ImageNoPlatform,
            ),
            (
                RegistryError::SizeMismatch {
                    what: what(),
                    expected: 1,
                    got: 2,
                },
                Code::DigestMismatch,
            ),
            (
                RegistryError::Stalled {
                    host: host(),
                    what: what(),
                    seconds: 15.0,
                },
                Code::NetworkInterrupted,
            ),
            (limited(None), Code::RegistryRateLimited),
            (refused(412), Code::RegistryRefused),
            (server(403), Code::RegistryRefused),
            (server(503), Code::NetworkInterrupted),
            (
                RegistryError::NoRegistry {
                    host: host(),
                    what: what(),
                    status: 511,
                    web_page: false,
                },
                Code::RegistryMalformed,
            ),
            (
                RegistryError::Malformed {
                    what: what(),
                    problem: "x".into(),
                },
                Code::RegistryMalformed,
            ),
            (RegistryError::Cancelled, Code::Cancelled),
            (
                RegistryError::Io {
                    action: "write",
                    path: "/t/x".into(),
                    source: std::io::ErrorKind::StorageFull.into(),
                },
                Code::DiskFull,
            ),
        ];
        for (err, code) in table {
            let text = err.to_string();
            let coded = err.coded();
            assert_eq!(coded.code, code, "{text}");
            for sentence in [&coded.what, &coded.why, &coded.next] {
                assert!(sentence.ends_with('.'), "{text}: {sentence}");
                // Scratch is removed, and with it what was downloaded.
                assert!(!sentence.contains("kept"), "{text}: {sentence}");
            }
        }
    }

    fn limited(seconds: Option<u64>) -> RegistryError {
        RegistryError::RateLimited {
            host: "r.io".into(),
            detail: "You have reached your limit".into(),
            retry_after: seconds.map(Duration::from_secs),
            logged_in: false,
        }
    }

    fn refused(status: u16) -> RegistryError {
        RegistryError::Refused {
            host: "r.io".into(),
            what: "r.io/a:1".into(),
            status,
            detail: "12 vulnerabilities".into(),
        }
    }

    fn server(status: u16) -> RegistryError {
        RegistryError::Server {
            host: "r.io".into(),
            status,
            detail: String::new(),
            retry_after: Some(Duration::from_secs(600)),
        }
    }

    #[test]
    fn each_refusal_has_its_own_advice() {
        let limit = "log in to the registry to raise the limit.";
        for (err, why, next) in [
            (
                limited(None),
                "Too many images",
                format!("Wait, or {limit}"),
            ),
            (limited(Some(0)), "Too many", format!("Wait, or {limit}")),
            (
                limited(Some(1)),
                "Too many",
                format!("Wait 1 minute, or {limit}"),
            ),
            (
                limited(Some(3541)),
                "Too",
                format!("Wait 60 minutes, or {limit}"),
            ),
            (
                limited(Some(7201)),
                "Too",
                format!("Wait 3 hours, or {limit}"),
            ),
            (
                limited(Some(172_801)),
                "T",
                format!("Wait 3 days, or {limit}"),
            ),
            (limited(Some(u64::MAX)), "T", format!("Wait, or {limit}")),
            (
                refused(412),
                "A rule of the registry",
                Code::RegistryRefused.info().next.into(),
            ),
            (
                server(503),
                "The registry does not serve",
                "Try again later, or ask whoever runs the registry.".into(),
            ),
            (
                RegistryError::Stalled {
                    host: "r.io".into(),
                    what: "a layer".into(),
                    seconds: 15.0,
                },
                "The connection broke",
                Code::NetworkInterrupted.info().next.into(),
            ),
        ] {
            let text = err.to_string();
            let error = err.coded();
            assert!(error.why.starts_with(why), "{text}: {error}");
            assert_eq!(error.next, next, "{text}");
        }
        assert!(refused(412).coded().what.contains("12 vuln"));
    }

    #[test]
    fn local_sources_have_their_own_code() {
        let path = Path::new("/medium/oci");
        let missing = RegistryError::NotFound {
            missing: Missing::Manifest,
            name: "oci:/medium/oci:v9".into(),
        };
        let err = layout_error(path, missing);
        assert_eq!(err.code, Code::SourceInvalid);
        assert!(err.details[0].contains("v9"), "{err:?}");
    }
}
