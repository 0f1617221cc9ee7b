// SPDX-License-Identifier: MIT OR Apache-2.0
//! The registry client as a plan wants it, and its errors as coded ones.

use std::path::Path;

use imageref::{Digest, Reference};
use registry::{ClientConfig, ErrorKind, RegistryError};

use crate::error::{Code, Error, Result};
use crate::machine;
use crate::medium::Medium;
use crate::plan::{capital, Plan};
use crate::secret::Secrets;

/// The client's configuration: what this machine and the plan say about
/// registries, credentials, and the layouts and archives that layers are taken
/// from.
pub fn client_config(plan: &Plan, secrets: &Secrets) -> Result<ClientConfig> {
    let medium = Medium::of(plan);
    let mut config = ClientConfig {
        credentials: secrets.credentials().clone(),
        registries: machine::registries(plan)?,
        certs: machine::certs(),
        layouts: medium.layer_layouts().cloned().collect(),
        archives: medium.archives,
        ..ClientConfig::default()
    };
    for registry in &plan.registries {
        if registry.insecure {
            config.insecure_hosts.insert(registry.host().to_owned());
        }
        if let Some(ca) = &registry.ca {
            config.extra_ca_pem.push(read_ca(ca)?);
        }
    }
    Ok(config)
}

/// What a pull or a look-up runs on: one thread, since the network is the limit.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| {
            Error::new(Code::Io, "Failed to start the network client.").detail(e.to_string())
        })
}

fn read_ca(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        Error::new(
            Code::ConfigInvalid,
            format!("The certificate file {} cannot be read.", path.display()),
        )
        .why("The path is misspelt, or its permissions are too strict.")
        .next("Correct the key `ca` or the option --ca.")
        .detail(e.to_string())
    })
}

/// The image of `plan`, pinned when the plan names a digest.
pub fn image(plan: &Plan) -> Result<Reference> {
    let reference = plan.reference()?;
    match &plan.image.digest {
        Some(digest) => Ok(reference.with_digest(self::digest(digest)?)),
        None => Ok(reference),
    }
}

/// The digest that a plan names.
pub(crate) fn digest(text: &str) -> Result<Digest> {
    text.parse().map_err(|e: imageref::ParseError| {
        Error::new(Code::PlanInvalid, format!("`{text}` is no digest.")).detail(e.to_string())
    })
}

impl From<RegistryError> for Error {
    /// The one place where the registry client's errors get their codes.
    fn from(err: RegistryError) -> Self {
        let (err, mirrors) = err.split_mirrors();
        let code = match err.kind() {
            ErrorKind::InvalidReference => Code::ImageRefInvalid,
            ErrorKind::Config => Code::ConfigInvalid,
            ErrorKind::Blocked => Code::RegistryBlocked,
            ErrorKind::CredentialHelper => Code::SecretUnreadable,
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
            ErrorKind::RateLimited
            | ErrorKind::Server
            | ErrorKind::Stalled
            | ErrorKind::Interrupted => Code::NetworkInterrupted,
            ErrorKind::TooLarge | ErrorKind::Malformed | ErrorKind::Unsupported => {
                Code::RegistryMalformed
            }
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
        let hint = err.hint();
        let mut error = Error::new(code, sentence(&text)).next(hint);
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
        if matches!(err.kind(), ErrorKind::RateLimited | ErrorKind::Server) {
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

/// As [`Error::from`], for an image in a local layout: what would be a matter
/// of the network there is one of the directory here.
pub fn layout_error(path: &Path, err: RegistryError) -> Error {
    let hint = err.hint();
    let text = err.to_string();
    let coded = Error::from(err);
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
            let coded = Error::from(err);
            assert_eq!(coded.code, code, "{text}");
            for sentence in [&coded.what, &coded.why, &coded.next] {
                assert!(sentence.ends_with('.'), "{text}: {sentence}");
                // Scratch is removed, and with it what was downloaded.
                assert!(!sentence.contains("kept"), "{text}: {sentence}");
            }
        }
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

    #[test]
    fn an_image_is_pinned_to_the_digest_of_the_plan() {
        let mut plan = Plan::from_json(
            r#"{"version":1,"image":{"imgref":"docker.io/library/os:13"},
            "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
            "target":{"root":"/target"},"bootc":{"stateroot":"default"}}"#,
        )
        .unwrap();
        let text = |plan: &Plan| image(plan).unwrap().to_string();
        assert_eq!(text(&plan), "docker.io/library/os:13");
        let digest = format!("sha256:{}", "a".repeat(64));
        plan.image.digest = Some(digest.clone());
        assert_eq!(text(&plan), format!("docker.io/library/os:13@{digest}"));
        plan.image.digest = Some("v1".into());
        assert_eq!(image(&plan).unwrap_err().code, Code::PlanInvalid);
    }
}
