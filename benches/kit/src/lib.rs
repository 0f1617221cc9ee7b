// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the benchmarks share: medians, CPU time, the machine, the tables.

pub mod cpu;
pub mod machine;
pub mod proc;
pub mod report;
pub mod stats;
