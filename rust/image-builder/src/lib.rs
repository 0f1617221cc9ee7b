// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes what carries a bootable container: the live ISO that installs it, and
//! disk images; boots them to see.

pub mod build;
pub mod cli;
pub mod config;
pub mod disk;
pub mod error;
pub mod mirror;
mod output;
pub mod preflight;
pub mod progress;
pub mod sbom;
pub mod smoke;
