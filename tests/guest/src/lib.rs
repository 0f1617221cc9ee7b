// SPDX-License-Identifier: MIT OR Apache-2.0
//! placeholder

mod agent;
mod console;
mod cpio;
mod deadline;
mod disk_boot;
mod guest;
mod image;
mod kmod;
mod machine;
mod output;
mod process;
mod serial;
mod stream;
mod vm;

pub use disk_boot::{boot_until, BootedDisk, DiskConfig};
pub use guest::{Guest, GuestConfig};
pub use image::LiveImage;
pub use machine::{Accel, Disk, Firmware, Machine};
pub use output::Output;
pub use secrecy::SecretString;
