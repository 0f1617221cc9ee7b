// SPDX-License-Identifier: MIT OR Apache-2.0
//! What crosses a process border: the engine's plans, events and errors. Everything
//! here is data; nothing here reads or writes a file.

pub mod check_answer;
pub mod error;
pub mod event;
pub mod fault;
pub mod firmware;
pub mod fstab;
pub mod layout_place;
pub mod octal;
pub mod plan;
pub mod size;
pub mod stateroot;
pub mod trust;
