// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who to log in as: the text of auth files, where such files are, credential
//! helpers, and the store that all of them fill. Secrets are in types that are
//! wiped on drop and that `Debug` shows nothing of. No network.

pub(crate) mod auth_files;
pub(crate) mod auth_json;
pub(crate) mod credential_helper;
pub(crate) mod credential_store;
pub(crate) mod credentials;
