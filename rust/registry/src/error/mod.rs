// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong, by cause.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use imageref::{Digest, ParseError};

use imageref::Platform;

mod hint;
mod kind;

pub use kind::ErrorKind;

/// The error behind an error.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why an image could not be resolved or pulled.
///
/// The text of each says what failed and why; [`RegistryError::hint`] says what
/// to do about it, and [`RegistryError::kind`] is for programs. None of them
/// holds a password, a token or a signed URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The reference cannot be parsed.
    #[error(transparent)]
    InvalidReference(#[from] ParseError),
    /// The client cannot be set up as asked.
    #[error("the registry client cannot be set up: {what}")]
    Config {
        /// What is wrong with the configuration.
        what: String,
    },
    /// `registries.conf` forbids the image.
    #[error("pulls of {name} are blocked by the entry {prefix} in {origin}")]
    Blocked {
        /// `host/repository` as asked for.
        name: String,
        /// The prefix of the entry.
        prefix: String,
        /// The file that has it.
        origin: String,
    },
    /// A credential helper failed, so that it is not known how to log in.
    #[error("the credential helper {program} gave no answer for {server}: {problem}")]
    CredentialHelper {
        /// The program, `docker-credential-<name>`.
        program: String,
        /// The registry that it was asked about.
        server: String,
        /// What went wrong. Nothing that it printed.
        problem: String,
    },
    /// An entry of an auth file cannot be decoded.
    #[error("the entry for {scope} in an auth file does not hold base64 of user:password")]
    AuthEntry {
        /// The registry or namespace.
        scope: String,
    },
    /// The name of the registry does not resolve.
    #[error("the registry host {host} cannot be found: {source}")]
    HostUnknown {
        /// `host[:port]` as asked for.
        host: String,
        /// What the resolver said.
        source: Cause,
    },
    /// Nothing listens on the registry's port.
    #[error("{host} refused the connection: {source}")]
    ConnectionRefused {
        /// `host[:port]` as asked for.
        host: String,
        /// What the kernel said.
        source: Cause,
    },
    /// There is no route to the registry.
    #[error("{host} cannot be reached: {source}")]
    Unreachable {
        /// `host[:port]` as asked for.
        host: String,
        /// What the kernel said.
        source: Cause,
    },
    /// The registry did not answer the connection attempt.
    #[error("{host} did not answer within {seconds} s")]
    ConnectTimeout {
        /// `host[:port]` as asked for.
        host: String,
        /// The timeout that passed.
        seconds: f64,
    },
    /// No trusted connection could be made.
    #[error("no trusted connection to {host}: {problem}: {source}{}", not_used(.skipped))]
    Tls {
        /// `host[:port]` as asked for.
        host: String,
        /// What was wrong.
        problem: TlsProblem,
        /// What the TLS library said.
        source: Cause,
        /// Files of authorities that were to count here and could not be used.
        skipped: Vec<String>,
    },
    /// The registry wants credentials and none are configured for it.
    #[error("{host} wants a login for {repository} and no credentials are configured for it")]
    AuthRequired {
        /// `host[:port]`.
        host: String,
        /// The repository asked for.
        repository: String,
    },
    /// The registry does not accept the configured credentials.
    #[error("{host} rejected the configured credentials for {repository}{}", said(.detail))]
    AuthRejected {
        /// `host[:port]`.
        host: String,
        /// The repository asked for.
        repository: String,
        /// What the registry said, may be empty.
        detail: String,
    },
    /// The registry does not have what was asked for.
    #[error("{missing} not found: {name}")]
    NotFound {
        /// What kind of thing is missing.
        missing: Missing,
        /// Its name.
        name: String,
    },
    /// The registry limits the number of pulls.
    #[error("{host} refuses more pulls for now{}{}", wait(.retry_after), said(.detail))]
    RateLimited {
        /// `host[:port]`.
        host: String,
        /// What the registry said, may be empty.
        detail: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
        /// Whether the limit is that of an account and not of an address.
        logged_in: bool,
    },
    /// The registry has what was asked for and does not give it out, whoever
    /// asks: the statuses of 400 to 499 that have no meaning of their own.
    #[error("{host} refuses {what} (HTTP status {status}){}", said(.detail))]
    Refused {
        /// `host[:port]`, of the registry or of a storage host that it led to.
        host: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// What the registry said, shortened, may be empty.
        detail: String,
    },
    /// An HTTP status or a web page that no registry answers with, but a proxy,
    /// the login page of a network or another server does.
    #[error("{host} answered {what} with {}", no_registry(*.status, *.web_page))]
    NoRegistry {
        /// `host[:port]` as asked for.
        host: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// Whether the answer is a web page.
        web_page: bool,
    },
    /// The registry, or what stands before it, is in trouble.
    #[error("{host} answered {status}{}{}", wait(.retry_after), said(.detail))]
    Server {
        /// `host[:port]`, of the registry or of a storage host that it led to.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What the registry said, shortened, may be empty.
        detail: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The registry leads to where a login or an image would not be safe.
    #[error("{host} cannot be trusted: {problem}")]
    Insecure {
        /// `host[:port]` as asked for.
        host: String,
        /// What it wanted, without the address.
        problem: String,
    },
    /// The image does not exist for the wanted platform.
    #[error("the image is not made for {wanted}, only for {}", list(.offered))]
    NoPlatform {
        /// The platform asked for.
        wanted: Platform,
        /// The platforms that the image has.
        offered: Vec<Platform>,
    },
    /// Content is not what its digest says.
    #[error("{what} is not what was asked for: expected {expected}, got {got}")]
    DigestMismatch {
        /// What was read, and where from.
        what: String,
        /// The digest of the descriptor or reference.
        expected: Digest,
        /// The digest of the bytes.
        got: Digest,
    },
    /// Content is shorter or longer than its descriptor says.
    #[error("{what} should have {expected} bytes and has {got}")]
    SizeMismatch {
        /// What was read, and where from.
        what: String,
        /// Bytes in the descriptor.
        expected: u64,
        /// Bytes found; for a body that is too long, those read so far.
        got: u64,
    },
    /// A manifest or configuration is larger than any honest one.
    #[error("{what} is larger than the {limit} bytes that are accepted")]
    TooLarge {
        /// What was read, and where from.
        what: String,
        /// Largest size accepted, in bytes.
        limit: u64,
    },
    /// A document does not have the form that its specification demands.
    #[error("{what} cannot be understood: {problem}")]
    Malformed {
        /// What was read, and where from.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What the name leads to is no container image.
    #[error("{what} is no image of an operating system, but of the type {media_type}")]
    NotAnImage {
        /// The name that was asked for.
        what: String,
        /// What it is, shortened.
        media_type: String,
    },
    /// A media type that cannot be handled.
    #[error("{what} has the unsupported media type `{media_type}`")]
    Unsupported {
        /// What has it.
        what: String,
        /// The media type.
        media_type: String,
    },
    /// The connection stayed open and brought no data, more often than the
    /// retry policy allows.
    #[error("{host} sent nothing for {seconds} s while reading {what}")]
    Stalled {
        /// `host[:port]`.
        host: String,
        /// What was being read.
        what: String,
        /// The timeout that passed.
        seconds: f64,
    },
    /// The connection broke, more often than the retry policy allows.
    #[error("the connection to {host} broke while reading {what}: {source}")]
    Interrupted {
        /// `host[:port]`.
        host: String,
        /// What was being read.
        what: String,
        /// The last break.
        source: Cause,
    },
    /// The registry failed, and its mirrors before it. Kind and hint are those
    /// of the registry's error.
    #[error("{error} ({})", .failures.join("; "))]
    Mirrors {
        /// What the registry itself failed with.
        error: Box<RegistryError>,
        /// One text for each mirror, with its name and the code of its error.
        failures: Vec<String>,
    },
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// What the registry or layout does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The whole repository.
    Repository,
    /// This tag or digest in an existing repository.
    Manifest,
    /// A layer or configuration that the manifest names.
    Blob,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Repository => "repository",
            Self::Manifest => "image",
            Self::Blob => "layer or configuration",
        })
    }
}

/// What was wrong with a TLS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsProblem {
    /// The certificate comes from an authority that is not trusted here.
    NotTrusted,
    /// The certificate is for another host name.
    WrongHost,
    /// The certificate is expired or not valid yet: often a wrong clock.
    NotInForce,
    /// The server does not speak TLS at all.
    PlainHttp,
    /// Anything else.
    Other,
}

impl std::fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotTrusted => "its certificate is not trusted",
            Self::WrongHost => "its certificate is for another host",
            Self::NotInForce => "its certificate is expired or not valid yet",
            Self::PlainHttp => "the server speaks plain HTTP",
            Self::Other => "the TLS handshake failed",
        })
    }
}

impl RegistryError {
    /// The registry's own error and what its mirrors failed with, if there is
    /// such a thing.
    pub fn split_mirrors(self) -> (Self, Vec<String>) {
        match self {
            Self::Mirrors { error, failures } => (*error, failures),
            other => (other, Vec::new()),
        }
    }

    /// Makes a closure for `map_err` on file operations.
    pub(crate) fn io<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn malformed(what: &str, problem: impl std::fmt::Display) -> Self {
        Self::Malformed {
            what: what.to_owned(),
            problem: shorten(&problem.to_string()),
        }
    }

    /// Whether the same request may succeed a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Stalled { .. } | Self::Interrupted { .. } | Self::RateLimited { .. } => true,
            // Of a storage host this may be 401 or 403: its address was good for
            // some time only, and the registry gives a new one.
            Self::Server { .. } => true,
            _ => false,
        }
    }

    /// How long the server asks to be left alone, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// Whether the network is gone: worth waiting for within a pull, where the
    /// registry has answered before, but not at first contact.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::HostUnknown { .. }
                | Self::ConnectionRefused { .. }
                | Self::Unreachable { .. }
                | Self::ConnectTimeout { .. }
        )
    }
}

/// Text of somebody else for a message: one line of at most 200 characters,
/// nothing that a terminal would obey.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

fn said(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(": {detail}")
    }
}

fn not_used(skipped: &[String]) -> String {
    match skipped {
        [] => String::new(),
        some => format!("; not used: {}", some.join("; ")),
    }
}

fn no_registry(status: u16, web_page: bool) -> String {
    match web_page {
        true => format!("a web page (HTTP status {status}), as no registry does"),
        false => format!("HTTP status {status}, as no registry does"),
    }
}

fn wait(retry_after: &Option<Duration>) -> String {
    match retry_after {
        Some(wait) if !wait.is_zero() => format!(" and asks to wait {} s", wait.as_secs().max(1)),
        _ => String::new(),
    }
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "no platform that it names".to_owned();
    }
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.join(", ")
}
