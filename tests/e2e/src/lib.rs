// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole way on real parts: a blank disk is partitioned and installed in
//! the test guest, then boots alone. The binary `demo` tells it to a person;
//! later boot tests use the same pieces.

pub mod boots;
pub mod demo;
pub mod disk;
pub mod install;
pub mod layout;
pub mod served;
pub mod stage;
pub mod verdict;
