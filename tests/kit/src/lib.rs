// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every test, the demo and the benchmark share: a registry, a proxy with
//! faults, and what [`buildroot`] has.

pub use buildroot::{apt, cache, cmd, rootfs};
pub use proptest;

pub mod cosign;
pub mod fault_proxy;
pub mod lossy_proxy;
pub mod program;
pub mod refusing;
pub mod registry;
mod registry_log;
mod served;
mod unmount;

pub use unmount::unmount;
