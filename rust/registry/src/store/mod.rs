// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images where they lie: manifests and configurations as text, layouts and
//! archives on disk, and the file that a blob grows in. Nothing here knows
//! where the bytes come from.

pub(crate) mod archive;
pub(crate) mod hash;
pub(crate) mod image;
pub(crate) mod layout;
pub(crate) mod manifest;
pub(crate) mod writer;
