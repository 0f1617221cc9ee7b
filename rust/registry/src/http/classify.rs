// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the HTTP and TLS libraries say to what it means.
//!
//! The cause is taken from the types in the chain of sources, not from texts,
//! with the one exception of a failed name lookup, for which there is no type.

use std::error::Error;
use std::io;
use std::time::Duration;

use oci_client::errors::OciErrorCode;
use rustls::{CertificateError, InvalidMessage};
use serde::{Deserialize, Deserializer};

use crate::error::{Cause, Missing, RegistryError, TlsProblem};

/// How long something may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// Until there is a connection.
    pub(crate) connect: Duration,
    /// Until the next bytes on it.
    pub(crate) stall: Duration,
}

/// The request that failed.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// `host[:port]` of the registry.
    pub(crate) host: String,
    pub(crate) repository: String,
    /// What was being read.
    pub(crate) what: String,
    /// What is missing when the registry says 404.
    pub(crate) missing: Missing,
    pub(crate) has_credentials: bool,
    pub(crate) timeouts: Timeouts,
}

impl Context {
    pub(crate) fn stalled(&self) -> RegistryError {
        RegistryError::Stalled {
            host: self.host.clone(),
            what: self.what.clone(),
            seconds: self.timeouts.stall.as_secs_f64(),
        }
    }

    pub(crate) fn interrupted(&self, source: impl Into<Cause>) -> RegistryError {
        RegistryError::Interrupted {
            host: self.host.clone(),
            what: self.what.clone(),
            source: source.into(),
        }
    }

    /// A request that brought no usable answer.
    pub(crate) fn request(&self, error: reqwest::Error) -> RegistryError {
        // The URL of a redirect may be signed, and is noise otherwise.
        let error = error.without_url();
        let (connect, timeout) = (error.is_connect(), error.is_timeout());
        let host = || self.host.clone();
        let found = walk(&error);
        match found {
            FoundCode::Tls(problem, text) => RegistryError::Tls {
                host: host(),
                problem,
                source: text.into(),
                skipped: Vec::new(),
            },
            _ if timeout && connect => self.connect_timeout(),
            _ if timeout => self.stalled(),
            FoundCode::Io(io::ErrorKind::TimedOut, _) if connect => self.connect_timeout(),
            FoundCode::Io(io::ErrorKind::ConnectionRefused, text) => {
                RegistryError::ConnectionRefused {
                    host: host(),
                    source: text.into(),
                }
            }
            FoundCode::Io(
                io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown,
                text,
            ) => RegistryError::Unreachable {
                host: host(),
                source: text.into(),
            },
            FoundCode::Lookup(text) => RegistryError::HostUnknown {
                host: host(),
                source: text.into(),
            },
            FoundCode::Io(_, text) | FoundCode::Other(text) => self.interrupted(text),
        }
    }

    /// The same request, at another host that it was led to.
    pub(crate) fn at(&self, host: String) -> Self {
        Self {
            host,
            ..self.clone()
        }
    }

    /// An HTTP status other than success, with the body that came along.
    pub(crate) fn answer(
        &self,
        status: u16,
        body: &[u8],
        retry_after: Option<Duration>,
    ) -> RegistryError {
        match serde_json::from_slice::<Envelope>(body) {
            Ok(envelope) if !matches!(status, 401 | 429) && !envelope.errors.is_empty() => {
                self.envelope(status, &envelope, retry_after)
            }
            _ => self.status(status, &detail_of(body), retry_after),
        }
    }

    /// An HTTP status other than success from a storage host that the registry
    /// led to. Its 401 and 403 are about the address and not about a login. Its
    /// text may repeat the signed address, and is not kept.
    pub(crate) fn storage_answer(
        &self,
        status: u16,
        retry_after: Option<Duration>,
    ) -> RegistryError {
        match status {
            401 | 403 => self.server(status, "", retry_after),
            _ => self.status(status, "", retry_after),
        }
    }

    fn envelope(
        &self,
        status: u16,
        envelope: &Envelope,
        retry_after: Option<Duration>,
    ) -> RegistryError {
        let detail = messages(envelope);
        for error in &envelope.errors {
            let Some(code) = &error.code else { continue };
            return match code {
                OciErrorCode::NameUnknown => self.not_found(Missing::Repository),
                OciErrorCode::ManifestUnknown
                | OciErrorCode::BlobUnknown
                | OciErrorCode::ManifestBlobUnknown
                | OciErrorCode::NotFound => self.not_found(self.missing),
                OciErrorCode::Unauthorized | OciErrorCode::Denied => self.denied(&detail),
                OciErrorCode::Toomanyrequests => self.status(429, &detail, retry_after),
                _ => continue,
            };
        }
        self.status(status, &detail, retry_after)
    }

    fn status(&self, status: u16, detail: &str, retry_after: Option<Duration>) -> RegistryError {
        match status {
            401 | 403 => self.denied(detail),
            404 | 410 => self.not_found(self.missing),
            429 => RegistryError::RateLimited {
                host: self.host.clone(),
                detail: detail.to_owned(),
                retry_after,
                logged_in: self.has_credentials,
            },
            // A proxy's login, a network's login page, and what is neither a
            // success nor a failure.
            407 | 511 | ..400 => self.no_registry(status, false),
            // Too slow, and too early.
            408 | 425 | 500.. => self.server(status, detail, retry_after),
            400.. => RegistryError::Refused {
                host: self.host.clone(),
                what: self.what.clone(),
                status,
                detail: detail.to_owned(),
            },
        }
    }

    /// An HTTP status that makes no sense where it came.
    pub(crate) fn no_registry(&self, status: u16, web_page: bool) -> RegistryError {
        RegistryError::NoRegistry {
            host: self.host.clone(),
            what: self.what.clone(),
            status,
            web_page,
        }
    }

    fn server(&self, status: u16, detail: &str, retry_after: Option<Duration>) -> RegistryError {
        RegistryError::Server {
            host: self.host.clone(),
            status,
            detail: detail.to_owned(),
            retry_after,
        }
    }

    fn denied(&self, detail: &str) -> RegistryError {
        let host = self.host.clone();
        let repository = self.repository.clone();
        if self.has_credentials {
            RegistryError::AuthRejected {
                host,
                repository,
                detail: detail.to_owned(),
            }
        } else {
            RegistryError::AuthRequired { host, repository }
        }
    }

    fn not_found(&self, missing: Missing) -> RegistryError {
        let name = match missing {
            Missing::Repository => format!("{}/{}", self.host, self.repository),
            Missing::Manifest | Missing::Blob => self.what.clone(),
        };
        RegistryError::NotFound { missing, name }
    }

    fn connect_timeout(&self) -> RegistryError {
        RegistryError::ConnectTimeout {
            host: self.host.clone(),
            seconds: self.timeouts.connect.as_secs_f64(),
        }
    }
}

/// The deepest thing in a chain of sources that says what happened.
enum FoundCode {
    Tls(TlsProblem, String),
    Io(io::ErrorKind, String),
    Lookup(String),
    Other(String),
}

fn walk(error: &(dyn Error + 'static)) -> FoundCode {
    let mut lookup = false;
    let mut io_error = None;
    let mut deepest = error.to_string();
    let mut next = Some(error);
    while let Some(error) = next {
        deepest = error.to_string();
        // hyper-util's error for a failed lookup is private; this is its text.
        lookup |= deepest == "dns error";
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return FoundCode::Tls(tls_problem(tls), deepest);
        }
        next = match error.downcast_ref::<io::Error>() {
            Some(e) => {
                io_error = Some((e.kind(), deepest.clone()));
                // The source of an io::Error is that of the error within it.
                e.get_ref().map(|inner| inner as &(dyn Error + 'static))
            }
            None => error.source(),
        };
    }
    match io_error {
        _ if lookup => FoundCode::Lookup(deepest),
        Some((kind, text)) => FoundCode::Io(kind, text),
        None => FoundCode::Other(deepest),
    }
}

fn tls_problem(error: &rustls::Error) -> TlsProblem {
    use CertificateError as C;
    use rustls::Error as E;
    match error {
        E::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        ) => TlsProblem::NotInForce,
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            TlsProblem::WrongHost
        }
        E::InvalidCertificate(_) => TlsProblem::NotTrusted,
        E::InvalidMessage(InvalidMessage::InvalidContentType) => TlsProblem::PlainHttp,
        _ => TlsProblem::Other,
    }
}

/// What a registry says besides the status (distribution-spec, *Error Codes*).
/// Registries have codes of their own, such as Harbor's `PROJECTPOLICYVIOLATION`,
/// which make none of it unreadable.
#[derive(Debug, Deserialize)]
struct Envelope {
    errors: Vec<EnvelopeError>,
}

#[derive(Debug, Deserialize)]
struct EnvelopeError {
    /// One of the specification's.
    #[serde(default, deserialize_with = "known_code")]
    code: Option<OciErrorCode>,
    #[serde(default)]
    message: Option<String>,
}

fn known_code<'de, D: Deserializer<'de>>(code: D) -> Result<Option<OciErrorCode>, D::Error> {
    let code = serde_json::Value::deserialize(code)?;
    Ok(OciErrorCode::deserialize(code).ok())
}

fn detail_of(body: &[u8]) -> String {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) => messages(&envelope),
        Err(_) => shorten(&String::from_utf8_lossy(body)),
    }
}

fn messages(envelope: &Envelope) -> String {
    let errors = envelope.errors.iter();
    let texts: Vec<&str> = errors.filter_map(|e| e.message.as_deref()).collect();
    shorten(&texts.join("; "))
}

/// One line of at most 200 characters; nothing of a web page.
fn shorten(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('<') {
        return String::new();
    }
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_says_is_read_whatever_its_codes() {
        let table = [
            (
                r#"{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"12 vulnerabilities"}]}"#,
                "12 vulnerabilities",
            ),
            (
                r#"{"errors":[{"code":"DENIED","message":"no","detail":[1]},{"code":7}]}"#,
                "no",
            ),
            (r#"{"errors":[{"message":"a"},{"message":"b"}]}"#, "a; b"),
            (r#"{"errors":[{"code":"DENIED","message":null}]}"#, ""),
            ("<html>busy</html>", ""),
            ("plain text", "plain text"),
        ];
        for (body, want) in table {
            assert_eq!(detail_of(body.as_bytes()), want, "{body}");
        }
    }
}
