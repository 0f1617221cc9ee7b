// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bridge between the Calamares plugin (C++, Qt) and the front end (Rust).
//!
//! Thin: Qt in, Qt out. What is decided is decided in `frontend` and in the
//! engine. No panic crosses the border: every entry goes through [`guard`].

mod ffi;
mod guard;
mod jobs;
mod page;
