// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine of calamares-bootc: from an image reference to a target that
//! boots.
//!
//! An installation is a [`plan::Plan`], played by the engine step by step
//! ([`event::Task`]): check, prepare, pull and unpack side by side, deploy
//! with the image's own bootc, boot loader, configuration of the deployment,
//! finish. It reports [`event::Event`]s and fails with an [`error::Error`]
//! that has a stable code. See `docs/architecture.md`.

pub mod blkid;
pub mod boot;
pub mod bootc;
pub mod calamares;
pub mod cancel;
pub mod check;
pub mod cli;
pub mod client;
pub mod close;
pub mod cmd;
pub mod config;
pub mod deployment;
pub mod disk;
pub mod doctor;
pub mod dump;
pub mod engine;
pub mod error;
pub mod event;
pub mod finish;
pub mod handover;
pub mod helper;
mod holders;
mod janitor;
pub mod machine;
pub mod medium;
pub mod mountinfo;
pub mod plan;
mod process;
pub mod report;
mod rmtree;
mod rootdir;
pub mod sandbox;
pub mod scratch;
pub mod secret;
pub mod space;
pub mod target;
pub mod trust;
pub mod umask;
mod unmount;
pub mod unpack;
pub mod write;
pub mod yaml;
