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

// The rooms, lowest first: each may use those before it, which is tested in
// tests/house.
mod error;

mod auth;
mod settings;

mod http;
mod store;

mod pull;

pub mod signature;

pub mod policy;

#[doc(hidden)]
pub mod fuzz;

pub use auth::auth_files::{AuthFile, load_credentials, open_to_others, search_order};
pub use auth::auth_json::{AuthFileError, write_auth_json};
pub use auth::credential_store::CredentialStore;
pub use auth::credentials::Credentials;
pub use error::{ErrorKind, Missing, RegistryError, TlsProblem};
pub use http::retry::RetryPolicy;
pub use imageref::{Platform, PlatformError};
pub use pull::client::{ClientConfig, Registry};
pub use pull::layers::PullReport;
pub use pull::observer::{NoObserver, PullObserver};
pub use settings::certs_d::{CertsDirs, ClientIdentity, HostCerts};
pub use settings::registries_conf::{Endpoint, RegistriesConf};
pub use settings::registries_files::RegistriesFiles;
pub use settings::registries_toml::RegistriesConfError;
pub use settings::registry_entry::{Mirror, PullFromMirror, RegistryEntry};
pub use store::archive::OciArchive;
pub use store::hash::sha256;
pub use store::image::{Compression, ImageConfig, Layer, ResolvedImage};
pub use store::layout::{OciLayout, Selector};
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
