// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `debian-bootc-image-builder`.

pub mod args;
mod disks;
pub mod documents;
pub mod image_type;
mod run;
mod smoke;
pub mod smoke_args;
mod terminal;

pub use run::main;
