// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the failure tests share: the real `bootc-installer`, file systems on
//! loop devices in a mount namespace of the test's own, small images, and the
//! question whether anything was left behind.
//!
//! A helper that fails fails its test, so there are panics here and no errors.

#![allow(clippy::unwrap_used)]

mod cover;
mod disk;
mod installer;
mod program;
mod raw;
mod run;
mod tiny;
mod traces;
mod world;

pub use cover::Cover;
pub use disk::{Disk, Fs, Look};
pub use installer::{Installer, Running};
pub use program::path as program;
pub use raw::Raw;
pub use run::Run;
pub use tiny::{Tiny, bootc};
pub use traces::files_with;
pub use world::World;

/// A mebibyte.
pub const MIB: u64 = 1 << 20;
/// A gibibyte.
pub const GIB: u64 = 1 << 30;
