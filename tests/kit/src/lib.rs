// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every test, the demo and the benchmark share: a cache outside git,
//! checked commands, Debian packages and root file systems.

pub mod apt;
pub mod cache;
pub mod cmd;
pub mod fault_proxy;
pub mod registry;
pub mod rootfs;
mod served;
