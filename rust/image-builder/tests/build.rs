// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program on bad input and bad days: what it says, how it ends, and that
//! it leaves nothing behind.
//!
//! ```text
//! cargo test -p debian-bootc-image-builder --test build
//! CALAMARES_BOOTC_DEBS=/path/to/debs cargo test ...     # with these packages
//! ```
//!
//! What builds for real needs root, a network and packages; the rest has a
//! mirror of its own on the loopback interface.
#![allow(clippy::unwrap_used)]

#[path = "build/bench.rs"]
mod bench;
#[path = "build/commands.rs"]
mod commands;
#[path = "build/disks.rs"]
mod disks;
#[path = "build/full.rs"]
mod full;
#[path = "build/mirror.rs"]
mod mirror;
#[path = "build/refused.rs"]
mod refused;
#[path = "build/smoke.rs"]
mod smoke;
#[path = "build/stopped.rs"]
mod stopped;
#[path = "build/traces.rs"]
mod traces;
