// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the machine says about registries, where the containers tools read it
//! too: `registries.conf` (mirrors, blocked and insecure ones) and `certs.d`
//! (authorities and client certificates of a host).

pub(crate) mod authorities;
pub(crate) mod certs_d;
pub(crate) mod registries_conf;
pub(crate) mod registries_files;
pub(crate) mod registries_toml;
pub(crate) mod registry_entry;
