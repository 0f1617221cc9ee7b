// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which image, from where, with which login, signed by whom: what a plan says
//! of its source, made into what the registry's client takes.

pub mod client;
pub mod coded;
pub mod found;
pub mod keys;
pub mod look_up;
pub mod machine;
pub mod medium;
pub mod secret;
pub mod size;
pub mod trust;
