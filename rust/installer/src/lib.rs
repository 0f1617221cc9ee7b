// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine of calamares-bootc: from an image reference to a target that
//! boots.
//!
//! An installation is a [`contract::plan::Plan`], played by the engine step by step
//! ([`contract::event::Task`]): check, prepare, pull and unpack side by side, deploy
//! with the image's own bootc, boot loader, configuration of the deployment,
//! finish. It reports [`contract::event::Event`]s and fails with an [`contract::error::Error`]
//! that has a stable code. See `docs/architecture.md`.

pub mod boot;
pub mod bootc;
pub mod calamares;
pub mod check;
pub mod cli;
pub mod close;
pub mod customise;
pub mod deployment;
pub mod disk;
pub mod doctor;
pub mod dump;
pub mod engine;
pub mod finish;
pub mod handover;
pub mod report;
pub mod space;
pub mod target;
