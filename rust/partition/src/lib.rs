// SPDX-License-Identifier: MIT OR Apache-2.0
//! A disk from nothing: where its partitions lie, whether it may be written to,
//! its partition table, its file systems and their mounts.
//!
//! [`layout`], [`script`] and [`names`] are pure; [`device`] and [`seek`] only look;
//! [`make`] and [`fat`] write.

pub mod device;
pub mod fat;
pub mod layout;
pub mod make;
pub mod names;
pub mod script;
pub mod seek;
