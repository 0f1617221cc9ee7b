// SPDX-License-Identifier: MIT OR Apache-2.0
//! What everything that builds stands on: a cache outside git, checked
//! commands, Debian packages of this machine, Debian root file systems.

pub mod apt;
pub mod cache;
pub mod cmd;
pub mod rootfs;
