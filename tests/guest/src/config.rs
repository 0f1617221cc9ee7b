// SPDX-License-Identifier: MIT OR Apache-2.0
//! How to start a virtual machine: what every kind of guest is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::machine::{Accel, Disk, Firmware, Machine};

/// How to start a guest; `K` is what only its kind has.
#[derive(Clone, Debug)]
pub struct Config<K> {
    pub(crate) machine: Machine,
    pub(crate) console_log: Option<PathBuf>,
    pub(crate) boot_limit: Duration,
    pub(crate) command_limit: Duration,
    pub(crate) special: K,
}

impl<K> Config<K> {
    /// `limits` are those of a boot and of a command.
    pub(crate) fn of(machine: Machine, limits: (Duration, Duration), special: K) -> Self {
        Self {
            machine,
            console_log: None,
            boot_limit: limits.0,
            command_limit: limits.1,
            special,
        }
    }

    /// Memory in MiB.
    #[must_use]
    pub fn memory_mib(mut self, mib: u32) -> Self {
        self.machine.memory_mib = mib;
        self
    }

    /// Number of virtual processors.
    #[must_use]
    pub fn cpus(mut self, cpus: u32) -> Self {
        self.machine.cpus = cpus;
        self
    }

    /// One more disk, after those that are there: the first is `/dev/vda`.
    #[must_use]
    pub fn disk(mut self, disk: Disk) -> Self {
        self.machine.disks.push(disk);
        self
    }

    /// BIOS (the default) or UEFI.
    #[must_use]
    pub fn firmware(mut self, firmware: Firmware) -> Self {
        self.machine.firmware = firmware;
        self
    }

    /// KVM or not; by itself it finds out.
    #[must_use]
    pub fn accel(mut self, accel: Accel) -> Self {
        self.machine.accel = accel;
        self
    }

    /// Whether there is a network (there is by default); setting it up is the
    /// business of a system that boots from its disk.
    #[must_use]
    pub fn network(mut self, network: bool) -> Self {
        self.machine.network = network;
        self
    }

    /// More QEMU arguments.
    #[must_use]
    pub fn qemu_args(mut self, args: &[&str]) -> Self {
        let args = args.iter().map(|a| (*a).to_owned());
        self.machine.extra_args.extend(args);
        self
    }

    /// Where QEMU takes commands; see [`Qmp`](crate::Qmp).
    #[must_use]
    pub fn qmp(mut self, socket: impl Into<PathBuf>) -> Self {
        self.machine.qmp = Some(socket.into());
        self
    }

    /// A file to whose end the serial console's text goes.
    #[must_use]
    pub fn console_log(mut self, path: impl Into<PathBuf>) -> Self {
        self.console_log = Some(path.into());
        self
    }

    /// How long firmware, boot loader, boot and login may take together.
    #[must_use]
    pub fn boot_limit(mut self, limit: Duration) -> Self {
        self.boot_limit = limit;
        self
    }

    /// How long a command may take.
    #[must_use]
    pub fn command_limit(mut self, limit: Duration) -> Self {
        self.command_limit = limit;
        self
    }
}
