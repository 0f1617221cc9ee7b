// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a registry into a layout: the client, what a reference leads to, and
//! the layers, each from the first place that has it.

pub(crate) mod blob;
pub(crate) mod client;
pub(crate) mod copy;
pub(crate) mod file;
pub(crate) mod layers;
pub(crate) mod mirrors;
pub(crate) mod observer;
pub(crate) mod resolve;
