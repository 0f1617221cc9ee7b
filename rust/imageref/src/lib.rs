// SPDX-License-Identifier: MIT OR Apache-2.0
//! Image references, digests and transports, read as the containers tools read
//! them. Nothing here does I/O.
//!
//! - [`Digest`]: `sha256:<hex>`, checked (image-spec, *Digests*).
//! - [`Reference`]: `host/name:tag@digest`, after the grammar of
//!   `distribution/reference`.
//! - [`Platform`]: `os/architecture[/variant]`, and which image runs where.
//! - [`ImageRef`]: a reference behind a transport, after
//!   `containers-transports(5)` and the `registry:` spelling of bootc.
//!
//! Parsing with [`FromStr`](std::str::FromStr) is strict: a short name such as
//! `debian:12` is refused, with the fully qualified name in the error, because
//! what it means differs from machine to machine. The `parse_docker_style`
//! functions give it the one meaning that docker gives it.

mod digest;
mod error;
mod platform;
mod reference;
mod transport;

pub use digest::{Algorithm, Digest};
pub use error::{ParseError, Problem};
pub use platform::{Platform, PlatformError};
pub use reference::{DEFAULT_TAG, DOCKER_HUB, Reference};
pub use transport::{ImageRef, LocalImage, Transport};

/// Serialises a type as its text, through `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use serde_as_text;
