// SPDX-License-Identifier: MIT OR Apache-2.0
//! The next step that each error calls for.

use std::io;

use super::{RegistryError, TlsProblem};

impl RegistryError {
    /// What to do about it, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::InvalidReference(_) => "Correct the image reference.",
            Self::Config { .. } => "Correct the registry configuration.",
            Self::Blocked { .. } => {
                "Choose another image, or ask whoever set up this machine why it is blocked."
            }
            Self::CredentialHelper { .. } => {
                "Run the helper by hand, or give the credentials in an auth file."
            }
            Self::AuthEntry { .. } => {
                "Log in to that registry again, or remove the entry from the auth file."
            }
            Self::HostUnknown { .. } => {
                "Check the spelling of the host and that the network and its DNS server are up."
            }
            Self::ConnectionRefused { .. } => {
                "Check host and port, and that the registry is running."
            }
            Self::Unreachable { .. } => "Check that this machine is connected to the network.",
            Self::ConnectTimeout { .. } => {
                "Check the network and that no firewall or proxy stands in between."
            }
            Self::Tls { skipped, .. } if !skipped.is_empty() => {
                "Mend the certificate file that is named, or add the certificate of the \
                 authority that signed it to the configuration (ca)."
            }
            Self::Tls { problem, .. } => problem.hint(),
            Self::AuthRequired { .. } => {
                "Configure credentials for this registry, or check the spelling: \
                 many registries ask for a login when a repository does not exist."
            }
            Self::AuthRejected { .. } => {
                "Check user name and password or token, and that they may read this repository."
            }
            Self::NotFound { .. } => "Check the spelling of the repository and of the tag.",
            Self::RateLimited {
                logged_in: false, ..
            } => "Wait, or log in to the registry to raise the limit.",
            Self::RateLimited {
                logged_in: true, ..
            } => "Wait, or log in with an account that has a higher limit.",
            Self::Refused { .. } => {
                "Ask whoever runs the registry; trying again does not change the answer."
            }
            Self::NoRegistry { .. } => {
                "Check the address; a proxy or a login page of the network may be in the way."
            }
            Self::Server { .. } => "Try again later, or ask whoever runs the registry.",
            Self::Insecure { .. } => {
                "Tell whoever runs the registry; a proxy or a login page of the network \
                 may also be answering in its place."
            }
            Self::NoPlatform { .. } => "Choose an image that is made for this machine.",
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } => {
                "The content was damaged or replaced on its way. Try again; \
                 if it stays, tell whoever runs the registry."
            }
            Self::TooLarge { .. } | Self::Malformed { .. } => {
                "Tell whoever made the image: it does not follow the image specification."
            }
            Self::NotAnImage { .. } => {
                "Check the name: it leads to something else, such as a Helm chart, an artifact \
                 or an image of docker's oldest form."
            }
            Self::Unsupported { .. } => {
                "Build the image with plain, gzip or zstd compressed layers."
            }
            // Whether what has arrived stays is the caller's matter, whose layout
            // it is.
            Self::Stalled { .. } | Self::Interrupted { .. } => {
                "Check the network connection and start again."
            }
            Self::Mirrors { error, .. } => error.hint(),
            Self::Cancelled => "Start again when ready.",
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "Free some space or choose a larger disk."
                }
                _ => "Check the file system and its permissions.",
            },
        }
    }
}

impl TlsProblem {
    fn hint(self) -> &'static str {
        match self {
            Self::NotTrusted => {
                "Add the certificate of the authority that signed it to the configuration (ca)."
            }
            Self::WrongHost => "Use the host name that the certificate was made for.",
            Self::NotInForce => "Check the date and time of this machine.",
            Self::PlainHttp => {
                "If this registry is meant to be used without encryption, \
                 mark it as insecure in the configuration."
            }
            Self::Other => {
                "Check that the address is that of a registry and not of something else."
            }
        }
    }
}
