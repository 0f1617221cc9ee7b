// SPDX-License-Identifier: MIT OR Apache-2.0
//! Virtual machines for tests and the demo, in QEMU, with KVM or without.
//!
//! [`Guest`] is a small Debian live system that runs entirely from RAM and a
//! read-only root: privileged work happens in it, whatever the host's kernel
//! lacks. [`BootedDisk`] boots a disk by itself, as a person's machine would,
//! and drives it over the serial console. [`Guest::of_machine`] gets a
//! root shell into whatever boots.

mod agent;
mod config;
mod console;
mod cpio;
mod deadline;
mod disk_boot;
mod guest;
mod image;
mod injected;
mod kmod;
mod machine;
mod output;
mod process;
mod qmp;
mod serial;
mod stream;
mod unattended;
mod vm;

pub use config::Config;
pub use disk_boot::{BootedDisk, DiskConfig, Installed, boot_until};
pub use guest::{Guest, GuestConfig, Live};
pub use image::LiveImage;
pub use machine::{Accel, DirectKernel, Disk, Firmware, Machine, Port};
pub use output::Output;
pub use qmp::Qmp;
pub use secrecy::SecretString;
pub use unattended::{until_off, until_restart, until_said};
