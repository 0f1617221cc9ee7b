// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `debian-bootc-image-builder`.

pub mod args;
pub mod documents;
mod run;

pub use run::main;
