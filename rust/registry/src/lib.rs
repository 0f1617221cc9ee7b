// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verified pulls from container registries into an OCI image layout.
//!
//! The way of an image through this crate:
//!
//! 1. [`Registry::new`] takes a [`ClientConfig`]: credentials, hosts that speak
//!    plain HTTP, extra CA certificates, timeouts.
//! 2. [`Registry::resolve`] turns a reference into a [`ResolvedImage`]: the
//!    manifest for one [`Platform`], its configuration and its layers, all
//!    checked, nothing written yet.
//! 3. [`Registry::pull`] brings the layers into an [`OciLayout`], several at a
//!    time and in layer order, and tells a [`PullObserver`] about it. Layers
//!    that one of [`ClientConfig::layouts`] or [`ClientConfig::archives`] has are
//!    copied from there, verified like those that are fetched.
//!
//! [`OciLayout::resolve`] gives the same [`ResolvedImage`] for an image that is
//! already in a layout.
//!
//! [`Registry::verify`] looks for the image's signatures and verifies them
//! against keys and against containers-policy.json(5): [`signature`],
//! [`policy`].
//!
//! Nothing gets its final name before its size and digest are right. Each byte
//! is hashed once. Nothing is synced to disk: a layout that is used after a
//! power loss is verified again.

mod archive;
mod auth_files;
mod auth_json;
mod authorities;
mod blob;
mod certs_d;
mod challenge;
mod classify;
mod client;
mod copy;
mod credentials;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod hash;
mod helper;
mod image;
mod layout;
mod login;
mod manifest;
mod mirrors;
mod observer;
pub mod policy;
mod pull;
mod range;
mod redirect;
mod registries_conf;
mod registries_files;
mod registries_toml;
mod resolve;
mod retry;
mod retry_after;
mod session;
pub mod signature;
mod token;
mod transport;
mod writer;

pub use archive::OciArchive;
pub use auth_files::{load_credentials, open_to_others, search_order, AuthFile};
pub use certs_d::{CertsDirs, ClientIdentity, HostCerts};
pub use client::{ClientConfig, Registry};
pub use credentials::{AuthFileError, CredentialStore, Credentials};
pub use error::{ErrorKind, Missing, RegistryError, TlsProblem};
pub use image::{Compression, ImageConfig, Layer, ResolvedImage};
pub use imageref::{Platform, PlatformError};
pub use layout::{OciLayout, Selector};
pub use observer::{NoObserver, PullObserver};
pub use pull::PullReport;
pub use registries_conf::{
    Endpoint, Mirror, PullFromMirror, RegistriesConf, RegistriesConfError, RegistryEntry,
};
pub use registries_files::RegistriesFiles;
pub use retry::RetryPolicy;
/// Stops a pull from another task; what is on disk stays for the next one.
pub use tokio_util::sync::CancellationToken;

/// Largest manifest or index that is accepted, in bytes (what registries
/// themselves accept).
pub const MANIFEST_MAX: u64 = 4 * 1024 * 1024;
/// Largest image configuration that is accepted, in bytes.
pub const CONFIG_MAX: u64 = 8 * 1024 * 1024;
/// Most layers of an image that are accepted: as many as Linux can stack in an
/// overlay (`OVL_MAX_STACK`). Docker and Podman themselves stop at 128.
pub const LAYERS_MAX: usize = 500;
/// Most entries of an index that are accepted. Those of Docker's official images
/// have about 30: two for each platform.
pub const INDEX_ENTRIES_MAX: usize = 1000;
