// SPDX-License-Identifier: MIT OR Apache-2.0
//! The targets, by what they read.

pub(crate) mod layer;
pub(crate) mod manifest;
pub(crate) mod signature;
pub(crate) mod text;
pub(crate) mod unpack;
