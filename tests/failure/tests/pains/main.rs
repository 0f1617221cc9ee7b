// SPDX-License-Identifier: MIT OR Apache-2.0
//! One test for each known pain. The names say which; the code that each one
//! ends with is in the test.
//!
//! Everything runs the real `bootc-installer` against a real registry and real
//! file systems on loop devices, and needs root; elsewhere the tests say so
//! and are skipped.

#![allow(clippy::unwrap_used)]

mod bootc;
mod close;
mod disk_full;
mod handover;
mod image;
mod input;
mod installed;
mod killed;
mod layouts;
mod neighbours;
mod registry;
mod registry_auth;
mod registry_settings;
mod secrets;
mod signatures;
mod standard;
mod stopped;
mod target;
mod to_disk;
