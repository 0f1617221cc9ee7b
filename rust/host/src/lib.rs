// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system that the engine runs on: its programs, mounts, processes and
//! files. Knows nothing of images and plans.

pub mod blkid;
pub mod cancel;
pub mod cmd;
pub mod holders;
pub mod mountinfo;
pub mod process;
pub mod rmtree;
pub mod rootdir;
pub mod signals;
pub mod umask;
pub mod unmount;
pub mod write;
