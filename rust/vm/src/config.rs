// SPDX-License-Identifier: MIT OR Apache-2.0
//! How to start a virtual machine: what every kind of guest is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::accel::Accel;
use crate::machine::{Disk, Firmware, Machine};

/// What every kind of guest is told.
#[derive(Clone, Debug)]
pub struct Common {
    /// The hardware.
    pub machine: Machine,
    /// A file to whose end the serial console's text goes.
    pub console_log: Option<PathBuf>,
    /// How long a boot may take, up to what is waited for.
    pub boot_limit: Duration,
    /// How long a command may take.
    pub command_limit: Duration,
}

/// Setting what every kind of guest is told, one after the other.
pub trait Configure: Sized {
    /// What is set.
    fn common(&mut self) -> &mut Common;

    /// Memory in MiB.
    #[must_use]
    fn memory_mib(mut self, mib: u32) -> Self {
        self.common().machine.memory_mib = mib;
        self
    }

    /// Number of virtual processors.
    #[must_use]
    fn cpus(mut self, cpus: u32) -> Self {
        self.common().machine.cpus = cpus;
        self
    }

    /// One more disk, after those that are there: the first is `/dev/vda`.
    #[must_use]
    fn disk(mut self, disk: Disk) -> Self {
        self.common().machine.disks.push(disk);
        self
    }

    /// BIOS (the default) or UEFI.
    #[must_use]
    fn firmware(mut self, firmware: Firmware) -> Self {
        self.common().machine.firmware = firmware;
        self
    }

    /// KVM or not; by itself it finds out.
    #[must_use]
    fn accel(mut self, accel: Accel) -> Self {
        self.common().machine.accel = accel;
        self
    }

    /// Whether there is a network (there is by default); setting it up is the
    /// business of a system that boots from its disk.
    #[must_use]
    fn network(mut self, network: bool) -> Self {
        self.common().machine.network = network;
        self
    }

    /// More QEMU arguments.
    #[must_use]
    fn qemu_args(mut self, args: &[&str]) -> Self {
        let args = args.iter().map(|a| (*a).to_owned());
        self.common().machine.extra_args.extend(args);
        self
    }

    /// Where QEMU takes commands; see [`Qmp`](crate::Qmp).
    #[must_use]
    fn qmp(mut self, socket: impl Into<PathBuf>) -> Self {
        self.common().machine.qmp = Some(socket.into());
        self
    }

    /// A file to whose end the serial console's text goes.
    #[must_use]
    fn console_log(mut self, path: impl Into<PathBuf>) -> Self {
        self.common().console_log = Some(path.into());
        self
    }

    /// How long firmware, boot loader, boot and login may take together.
    #[must_use]
    fn boot_limit(mut self, limit: Duration) -> Self {
        self.common().boot_limit = limit;
        self
    }

    /// How long a command may take.
    #[must_use]
    fn command_limit(mut self, limit: Duration) -> Self {
        self.common().command_limit = limit;
        self
    }
}
