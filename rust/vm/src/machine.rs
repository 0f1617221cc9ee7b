// SPDX-License-Identifier: MIT OR Apache-2.0
//! A virtual machine as data, and the QEMU command line it becomes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use buildroot::apt;

/// What the machine starts with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Firmware {
    /// SeaBIOS.
    #[default]
    Bios,
    /// OVMF without Secure Boot, with variables of its own that last as long
    /// as the machine.
    Uefi,
}

/// How the guest's instructions run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Accel {
    /// KVM where it is usable, else TCG.
    #[default]
    Auto,
    /// The host's processor.
    Kvm,
    /// Translation in software.
    Tcg,
}

/// The port of the agent in a guest.
pub(crate) const AGENT_PORT: &str = "test-guest.agent";

/// A disk image (or block device) of the machine, raw unless its name ends
/// otherwise. The first disk of a
/// machine is `/dev/vda` in a Linux guest, the second `/dev/vdb`.
#[derive(Clone, Debug)]
pub struct Disk {
    pub(crate) path: PathBuf,
    pub(crate) serial: Option<String>,
    pub(crate) read_only: bool,
    pub(crate) snapshot: bool,
}

impl Disk {
    /// A disk whose changes go to the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            serial: None,
            read_only: false,
            snapshot: false,
        }
    }

    fn format(&self) -> &str {
        let end = self.path.extension().and_then(|end| end.to_str());
        end.filter(|end| ["qcow2", "vmdk"].contains(end))
            .unwrap_or("raw")
    }

    /// Changes are lost when the machine ends; the file stays as it is.
    #[must_use]
    pub fn snapshot(mut self) -> Self {
        self.snapshot = true;
        self
    }

    /// The guest cannot write.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The serial number, 20 characters at most: a guest with udev has
    /// `/dev/disk/by-id/virtio-SERIAL`.
    #[must_use]
    pub fn serial(mut self, serial: &str) -> Self {
        self.serial = Some(serial.to_owned());
        self
    }
}

/// A port to the guest beside its consoles: `/dev/virtio-ports/NAME` in there,
/// a socket here, which takes one client at a time.
#[derive(Clone, Debug)]
pub struct Port {
    /// The port's name in the guest.
    pub name: String,
    /// The socket on the host.
    pub socket: PathBuf,
}

/// The hardware that both kinds of machine share.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Virtual processors.
    pub cpus: u32,
    /// The disks, in the order of their names in the guest.
    pub disks: Vec<Disk>,
    /// BIOS or UEFI.
    pub firmware: Firmware,
    /// KVM or not.
    pub accel: Accel,
    /// A network card in QEMU's user networking: the host's 127.0.0.1 is
    /// 10.0.2.2, and the world is reachable through the host.
    pub network: bool,
    /// A medium in an optical drive, which is then booted before the disks.
    pub medium: Option<PathBuf>,
    /// A screen of 1280x800 pixels that a display server can use, instead of
    /// what every firmware can draw on.
    pub large_screen: bool,
    /// Only for UEFI: firmware that boots what Microsoft signed, and nothing
    /// else.
    pub secure_boot: bool,
    /// More ports.
    pub ports: Vec<Port>,
    /// Names and values of credentials for the guest's systemd (version 256 or
    /// newer), which makes units of some: see systemd.system-credentials(7).
    pub credentials: Vec<(String, String)>,
    /// Where QEMU takes commands; see [`Qmp`](crate::Qmp).
    pub qmp: Option<PathBuf>,
    /// More QEMU arguments.
    pub extra_args: Vec<String>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            memory_mib: 1024,
            cpus: 2,
            disks: Vec::new(),
            firmware: Firmware::Bios,
            accel: Accel::Auto,
            network: true,
            medium: None,
            large_screen: false,
            secure_boot: false,
            ports: Vec::new(),
            credentials: Vec::new(),
            qmp: None,
            extra_args: Vec::new(),
        }
    }
}

/// A kernel that QEMU loads by itself.
#[derive(Clone, Debug)]
pub struct DirectKernel {
    /// The kernel's file.
    pub kernel: PathBuf,
    /// The file of its initramfs.
    pub initramfs: PathBuf,
    /// Its arguments.
    pub command_line: String,
}

/// Where the serial console and the agent's port end on the host.
#[derive(Clone, Debug)]
pub(crate) enum Wiring {
    /// The console on QEMU's stdin and stdout.
    ConsoleOnStdio,
    /// The console in a file, the agent's port on stdin and stdout.
    AgentOnStdio { console_log: PathBuf },
    /// The console on a person's terminal; Ctrl-A x ends QEMU.
    Terminal,
}

/// What decides the command line besides the machine itself.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) kernel: Option<DirectKernel>,
    pub(crate) wiring: Wiring,
    /// KVM, as [`Accel::Auto`] was decided.
    pub(crate) kvm: bool,
    /// For UEFI: the code, and this machine's copy of the variables.
    pub(crate) uefi: Option<(PathBuf, PathBuf)>,
}

impl Machine {
    /// QEMU's arguments.
    pub(crate) fn arguments(&self, launch: &Launch) -> Vec<String> {
        let mut args: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| args.extend(words.iter().map(|w| (*w).to_owned()));
        add(&["-nodefaults", "-no-user-config", "-no-reboot"]);
        // Without it the guest could write to the firmware's variables.
        let machine = match self.secure_boot {
            true => "q35,smm=on",
            false => "q35",
        };
        add(&["-display", "none", "-rtc", "base=utc", "-machine", machine]);
        if launch.kvm {
            add(&["-accel", "kvm", "-cpu", "host"]);
        } else {
            add(&["-accel", "tcg,thread=multi", "-cpu", "max"]);
        }
        add(&["-smp", &self.cpus.to_string()]);
        add(&["-m", &self.memory_mib.to_string()]);
        if let Some((code, variables)) = &launch.uefi {
            let code = option_path(code);
            let variables = option_path(variables);
            add(&[
                "-drive",
                &format!("if=pflash,format=raw,unit=0,readonly=on,file={code}"),
                "-drive",
                &format!("if=pflash,format=raw,unit=1,file={variables}"),
            ]);
            if self.secure_boot {
                add(&["-global", "driver=cfi.pflash01,property=secure,value=on"]);
            }
        }
        match &launch.kernel {
            Some(direct) => add(&[
                "-kernel",
                &direct.kernel.to_string_lossy(),
                "-initrd",
                &direct.initramfs.to_string_lossy(),
                "-append",
                &direct.command_line,
            ]),
            // What boots by itself gets what a usual machine has: GRUB wants
            // to draw, and systemd wants random numbers early.
            None => {
                let screen = if self.large_screen {
                    "virtio-vga"
                } else {
                    "VGA"
                };
                add(&["-device", screen, "-device", "virtio-rng-pci"]);
            }
        }
        match &launch.wiring {
            Wiring::ConsoleOnStdio => add(&["-chardev", "stdio,id=console,signal=off"]),
            Wiring::AgentOnStdio { console_log } => add(&[
                "-chardev",
                &format!("file,id=console,path={}", option_path(console_log)),
                "-chardev",
                "stdio,id=agent,signal=off",
                "-device",
                "virtio-serial-pci",
                "-device",
                &format!("virtserialport,chardev=agent,name={AGENT_PORT}"),
            ]),
            Wiring::Terminal => add(&[
                "-chardev",
                "stdio,id=console,mux=on,signal=off",
                "-mon",
                "chardev=console",
            ]),
        }
        add(&["-serial", "chardev:console"]);
        for (n, disk) in self.disks.iter().enumerate() {
            // cache=unsafe: a flush costs much on a busy host, and what it
            // protects from is a crash of the host, not of the guest.
            let mut drive = format!(
                "id=disk{n},if=none,format={},cache=unsafe,file={}",
                disk.format(),
                option_path(&disk.path)
            );
            drive.push_str(if disk.read_only {
                ",readonly=on"
            } else {
                ",discard=unmap,detect-zeroes=unmap"
            });
            if disk.snapshot {
                drive.push_str(",snapshot=on");
            }
            let mut device = format!("virtio-blk-pci,drive=disk{n}");
            if let Some(serial) = &disk.serial {
                device.push_str(&format!(",serial={}", serial.replace(',', ",,")));
            }
            // -kernel takes the first place in the boot order.
            if launch.kernel.is_none() {
                let before = usize::from(self.medium.is_some());
                device.push_str(&format!(",bootindex={}", n + before));
            }
            add(&["-drive", &drive, "-device", &device]);
        }
        if let Some(medium) = &self.medium {
            // Not IDE, which is slow in emulation.
            let device = match launch.kernel {
                Some(_) => "scsi-cd,drive=medium",
                None => "scsi-cd,drive=medium,bootindex=0",
            };
            add(&[
                "-drive",
                &format!(
                    "id=medium,if=none,media=cdrom,readonly=on,format=raw,file={}",
                    option_path(medium)
                ),
                "-device",
                "virtio-scsi-pci",
                "-device",
                device,
            ]);
        }
        if !self.ports.is_empty() {
            add(&["-device", "virtio-serial-pci"]);
        }
        for (n, port) in self.ports.iter().enumerate() {
            let socket = option_path(&port.socket);
            add(&[
                "-chardev",
                &format!("socket,id=port{n},path={socket},server=on,wait=off"),
                "-device",
                &format!("virtserialport,chardev=port{n},name={}", port.name),
            ]);
        }
        for (name, value) in &self.credentials {
            // In base64 nothing has a meaning for QEMU.
            let value = STANDARD.encode(value);
            let string = format!("io.systemd.credential.binary:{name}={value}");
            add(&["-smbios", &format!("type=11,value={string}")]);
        }
        if let Some(socket) = &self.qmp {
            let socket = option_path(socket);
            add(&["-qmp", &format!("unix:{socket},server=on,wait=off")]);
        }
        if self.network {
            add(&[
                "-netdev",
                "user,id=net0",
                "-device",
                "virtio-net-pci,netdev=net0,romfile=",
            ]);
        } else {
            add(&["-nic", "none"]);
        }
        args.extend(self.extra_args.iter().cloned());
        args
    }
}

/// A path as a value in one of QEMU's comma-separated options.
fn option_path(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

impl Accel {
    /// Whether this comes to KVM on this host.
    pub fn uses_kvm(self) -> bool {
        match self {
            Self::Kvm => true,
            Self::Tcg => false,
            Self::Auto => {
                let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
                let device = fs::File::options().read(true).write(true).open("/dev/kvm");
                has_virtualisation(&cpuinfo) && device.is_ok()
            }
        }
    }
}

/// `/dev/kvm` alone says little: a KVM without the processor's help opens,
/// makes virtual machines, and then hangs with every ordinary kernel.
fn has_virtualisation(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .flat_map(str::split_whitespace)
        .any(|flag| flag == "vmx" || flag == "svm")
}

/// The empty variables that belong to [`apt::OVMF`].
const OVMF_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";
/// Firmware that insists on signatures, and variables with Microsoft's keys.
const SECURE: (&str, &str) = (
    "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
    "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
);

/// The UEFI code, and a copy of its first variables in `dir`.
pub(crate) fn uefi_files(dir: &Path, secure: bool) -> Result<(PathBuf, PathBuf)> {
    // They are all in one package.
    apt::ensure(&[apt::OVMF])?;
    let (code, variables) = match secure {
        true => SECURE,
        false => (apt::OVMF, OVMF_VARIABLES),
    };
    let copy = dir.join("uefi-variables.fd");
    fs::copy(variables, &copy).with_context(|| format!("copying {variables}"))?;
    Ok((code.into(), copy))
}

#[cfg(test)]
mod tests;
