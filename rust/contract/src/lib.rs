// SPDX-License-Identifier: MIT OR Apache-2.0
//! What crosses a process border: the engine's errors and events. Everything
//! here is data; nothing here reads or writes a file.

pub mod error;
pub mod event;
