// SPDX-License-Identifier: MIT OR Apache-2.0
//! Virtual machines in QEMU, with KVM or without.
//!
//! A [`Machine`] is data. [`BootedDisk`] boots a disk by itself, as a person's
//! machine would, and drives it over the serial console; [`Shell::of_machine`]
//! gets a root shell into whatever boots; [`Qmp`] speaks with QEMU itself. A
//! machine ends with the value that stands for it, and with this process at the
//! latest.

mod accel;
mod agent;
mod camera;
mod config;
pub mod console;
mod deadline;
mod disk_boot;
mod error;
mod injected;
mod machine;
mod output;
mod process;
mod qmp;
mod serial;
mod shell;
mod stream;
mod unattended;
mod vm;

pub use accel::{Accel, uses_kvm};
pub use agent::SCRIPT as AGENT_SCRIPT;
pub use camera::{Camera, Watch};
pub use config::{Common, Configure};
pub use disk_boot::{BootedDisk, DiskConfig, boot_until};
pub use error::{Code, Error, Result};
pub use machine::{Credential, DirectKernel, Disk, Firmware, Format, Machine, Port};
pub use output::Output;
pub use process::directory;
pub use qmp::Qmp;
pub use secrecy::SecretString;
pub use shell::{Boot, Shell, Step};
pub use unattended::{until_off, until_restart, until_said};
pub use vm::interactive;
