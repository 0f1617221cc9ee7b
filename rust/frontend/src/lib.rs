// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a graphical front end needs of the engine, without any toolkit.
//!
//! The engine is another process ([`program::Program`]): what it does to a
//! disk never depends on the health of a window, and a window never waits for
//! the engine. A [`session::Session`] holds what the person chose;
//! [`check`] asks the engine about an image, [`run::Run`] follows an
//! installation.

pub mod check;
pub mod login;
pub mod program;
pub mod progress;
pub mod run;
pub mod session;
