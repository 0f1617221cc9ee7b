// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stable codes of the errors.

use super::RegistryError;

/// The cause in a form that programs may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // each is the variant of RegistryError with its name
pub enum ErrorKind {
    InvalidReference,
    Config,
    Blocked,
    CredentialHelper,
    AuthEntry,
    HostUnknown,
    ConnectionRefused,
    Unreachable,
    ConnectTimeout,
    Tls,
    AuthRequired,
    AuthRejected,
    NotFound,
    RateLimited,
    Refused,
    NoRegistry,
    Server,
    Insecure,
    NoPlatform,
    DigestMismatch,
    SizeMismatch,
    TooLarge,
    Malformed,
    NotAnImage,
    Unsupported,
    Stalled,
    Interrupted,
    Cancelled,
    Io,
}

impl ErrorKind {
    /// A stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidReference => "REFERENCE_INVALID",
            Self::Config => "REGISTRY_CONFIG",
            Self::Blocked => "REGISTRY_BLOCKED",
            Self::CredentialHelper => "CREDENTIAL_HELPER",
            Self::AuthEntry => "AUTH_ENTRY",
            Self::HostUnknown => "REGISTRY_HOST_UNKNOWN",
            Self::ConnectionRefused => "REGISTRY_CONNECTION_REFUSED",
            Self::Unreachable => "REGISTRY_UNREACHABLE",
            Self::ConnectTimeout => "REGISTRY_CONNECT_TIMEOUT",
            Self::Tls => "REGISTRY_TLS",
            Self::AuthRequired => "REGISTRY_AUTH_REQUIRED",
            Self::AuthRejected => "REGISTRY_AUTH_REJECTED",
            Self::NotFound => "IMAGE_NOT_FOUND",
            Self::RateLimited => "REGISTRY_RATE_LIMITED",
            Self::Refused => "REGISTRY_REFUSED",
            Self::NoRegistry => "NO_REGISTRY",
            Self::Server => "REGISTRY_SERVER",
            Self::Insecure => "REGISTRY_INSECURE",
            Self::NoPlatform => "IMAGE_NO_PLATFORM",
            Self::DigestMismatch => "IMAGE_DIGEST_MISMATCH",
            Self::SizeMismatch => "IMAGE_SIZE_MISMATCH",
            Self::TooLarge => "IMAGE_TOO_LARGE",
            Self::Malformed => "IMAGE_MALFORMED",
            Self::NotAnImage => "NOT_AN_IMAGE",
            Self::Unsupported => "IMAGE_UNSUPPORTED",
            Self::Stalled => "REGISTRY_STALLED",
            Self::Interrupted => "REGISTRY_INTERRUPTED",
            Self::Cancelled => "CANCELLED",
            Self::Io => "PULL_IO",
        }
    }
}

impl RegistryError {
    /// The cause, for programs.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidReference(_) => ErrorKind::InvalidReference,
            Self::Config { .. } => ErrorKind::Config,
            Self::Blocked { .. } => ErrorKind::Blocked,
            Self::CredentialHelper { .. } => ErrorKind::CredentialHelper,
            Self::AuthEntry { .. } => ErrorKind::AuthEntry,
            Self::HostUnknown { .. } => ErrorKind::HostUnknown,
            Self::ConnectionRefused { .. } => ErrorKind::ConnectionRefused,
            Self::Unreachable { .. } => ErrorKind::Unreachable,
            Self::ConnectTimeout { .. } => ErrorKind::ConnectTimeout,
            Self::Tls { .. } => ErrorKind::Tls,
            Self::AuthRequired { .. } => ErrorKind::AuthRequired,
            Self::AuthRejected { .. } => ErrorKind::AuthRejected,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::RateLimited { .. } => ErrorKind::RateLimited,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::NoRegistry { .. } => ErrorKind::NoRegistry,
            Self::Server { .. } => ErrorKind::Server,
            Self::Insecure { .. } => ErrorKind::Insecure,
            Self::NoPlatform { .. } => ErrorKind::NoPlatform,
            Self::DigestMismatch { .. } => ErrorKind::DigestMismatch,
            Self::SizeMismatch { .. } => ErrorKind::SizeMismatch,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Malformed { .. } => ErrorKind::Malformed,
            Self::NotAnImage { .. } => ErrorKind::NotAnImage,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Stalled { .. } => ErrorKind::Stalled,
            Self::Interrupted { .. } => ErrorKind::Interrupted,
            Self::Mirrors { error, .. } => error.kind(),
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Io { .. } => ErrorKind::Io,
        }
    }
}
