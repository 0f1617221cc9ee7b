// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to one repository: TLS, redirects, the login that a registry asks
//! for, and what an answer or a failure means. Knows nothing of images.
//!
//! The headers are parsed by modules without I/O, which the fuzz targets call.

pub(crate) mod challenge;
pub(crate) mod classify;
pub(crate) mod range;
pub(crate) mod redirect;
pub(crate) mod registry_login;
pub(crate) mod registry_session;
pub(crate) mod retry;
pub(crate) mod retry_after;
pub(crate) mod token;
pub(crate) mod transport;
