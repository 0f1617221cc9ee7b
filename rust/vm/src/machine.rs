// SPDX-License-Identifier: MIT OR Apache-2.0
//! A virtual machine as data, and the QEMU command line it becomes.

use std::fs;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};

use buildroot::apt;
use secrecy::SecretString;

use crate::accel::Accel;
use crate::error::{Code, Error, Result};

/// What the machine starts with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Firmware {
    /// SeaBIOS.
    #[default]
    Bios,
    /// OVMF without Secure Boot, with variables of its own that last as long
    /// as the machine.
    Uefi,
    /// OVMF that boots what Microsoft signed, and nothing else.
    Secure,
}

impl Firmware {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bios, Self::Uefi, Self::Secure];

    /// A short name, as on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
            Self::Secure => "secure",
        }
    }

    /// Whether a system that it boots finds UEFI.
    pub const fn is_uefi(self) -> bool {
        matches!(self, Self::Uefi | Self::Secure)
    }
}

/// How the contents of a disk are in its file; the names are QEMU's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Byte by byte.
    Raw,
    /// QEMU's own.
    Qcow2,
    /// VMware's.
    Vmdk,
    /// A VHD of Azure and Hyper-V.
    Vpc,
}

impl Format {
    /// QEMU's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vpc => "vpc",
        }
    }

    /// By the end of the file's name; raw when that says nothing.
    fn of(path: &Path) -> Self {
        match path.extension().and_then(|end| end.to_str()) {
            Some("qcow2") => Self::Qcow2,
            Some("vmdk") => Self::Vmdk,
            Some("vhd") => Self::Vpc,
            _ => Self::Raw,
        }
    }
}

/// The port of the agent in a guest.
pub(crate) const AGENT_PORT: &str = "vm-agent";
/// Where QEMU finds the first credential, among its open files; the others
/// follow.
pub(crate) const FIRST_CREDENTIAL: RawFd = 30;

/// A disk image (or block device) of the machine, raw unless its name ends
/// otherwise. The first disk of a
/// machine is `/dev/vda` in a Linux guest, the second `/dev/vdb`.
#[derive(Clone, Debug)]
pub struct Disk {
    pub(crate) path: PathBuf,
    format: Format,
    pub(crate) serial: Option<String>,
    pub(crate) read_only: bool,
    pub(crate) snapshot: bool,
}

impl Disk {
    /// A disk whose changes go to the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            format: Format::of(&path),
            path,
            serial: None,
            read_only: false,
            snapshot: false,
        }
    }

    /// Whatever the file's name says.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
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

/// A credential for the guest's systemd (version 256 or newer), which makes
/// units of some: see systemd.system-credentials(7).
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name.
    pub name: String,
    /// Its value, which is in no command line, file or debug output.
    pub value: SecretString,
}

impl Credential {
    /// A credential of this name and value.
    pub fn new(name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
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
    /// The network ends at this machine: the guest gets an address, and reaches
    /// neither the host nor the world.
    pub isolated: bool,
    /// A medium in an optical drive, which is then booted before the disks.
    pub medium: Option<PathBuf>,
    /// A screen of 1280x800 pixels that a display server can use, instead of
    /// what every firmware can draw on.
    pub large_screen: bool,
    /// More ports.
    pub ports: Vec<Port>,
    /// Credentials for the guest's systemd.
    pub credentials: Vec<Credential>,
    /// Where SeaBIOS writes what it does; OVMF writes to the serial console.
    pub firmware_log: Option<PathBuf>,
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
            isolated: false,
            medium: None,
            large_screen: false,
            ports: Vec::new(),
            credentials: Vec::new(),
            firmware_log: None,
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
        let machine = match self.firmware {
            Firmware::Secure => "q35,smm=on",
            Firmware::Bios | Firmware::Uefi => "q35",
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
            if self.firmware == Firmware::Secure {
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
                &format!(
                    "file,id=console,append=on,path={}",
                    option_path(console_log)
                ),
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
                disk.format.name(),
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
        for (_, file) in self.credentials.iter().zip(FIRST_CREDENTIAL..) {
            add(&["-smbios", &format!("type=11,path=/dev/fd/{file}")]);
        }
        if let Some(log) = &self.firmware_log {
            // The port of its debug messages.
            add(&[
                "-chardev",
                &format!("file,id=firmware,path={}", option_path(log)),
                "-device",
                "isa-debugcon,iobase=0x402,chardev=firmware",
            ]);
        }
        if let Some(socket) = &self.qmp {
            let socket = option_path(socket);
            add(&["-qmp", &format!("unix:{socket},server=on,wait=off")]);
        }
        if self.network {
            let netdev = match self.isolated {
                true => "user,id=net0,restrict=on",
                false => "user,id=net0",
            };
            add(&[
                "-netdev",
                netdev,
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

/// The empty variables that belong to [`apt::OVMF`].
const OVMF_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";
/// Firmware that insists on signatures, and variables with Microsoft's keys.
const SECURE: (&str, &str) = (
    "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
    "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
);

/// For UEFI: the code, and a copy of its first variables in `dir`.
pub(crate) fn uefi_files(dir: &Path, firmware: Firmware) -> Result<Option<(PathBuf, PathBuf)>> {
    let (code, variables) = match firmware {
        Firmware::Bios => return Ok(None),
        Firmware::Uefi => (apt::OVMF, OVMF_VARIABLES),
        Firmware::Secure => SECURE,
    };
    // They are all in one package.
    apt::ensure(&[apt::OVMF])
        .map_err(|err| Error::new(Code::FirmwareMissing, format!("{err:#}")))?;
    for file in [code, variables] {
        if !Path::new(file).is_file() {
            let what = format!("the firmware {file} is missing (package ovmf)");
            return Err(Error::new(Code::FirmwareMissing, what));
        }
    }
    let copy = dir.join("uefi-variables.fd");
    fs::copy(variables, &copy).map_err(Error::io(format_args!("copying {variables}")))?;
    Ok(Some((code.into(), copy)))
}

#[cfg(test)]
mod tests;
