// SPDX-License-Identifier: MIT OR Apache-2.0
//! What everything that builds stands on: a cache outside git, checked
//! commands, Debian packages of this machine and of archives, Debian root file systems.

pub mod apt;
pub mod archive;
pub mod cache;
pub mod cmd;
pub mod rootfs;
