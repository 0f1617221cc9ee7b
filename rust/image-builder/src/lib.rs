// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the live ISO that installs a bootable container.

pub mod build;
pub mod cli;
pub mod config;
pub mod error;
pub mod mirror;
pub mod preflight;
pub mod progress;
pub mod sbom;
