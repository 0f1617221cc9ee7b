// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our own GRUB step, for images that bring no bootupd.
//!
//! `grub-install` finds the file system of `/boot` by itself and puts its UUID
//! and path into the core image, on both firmwares. On UEFI the removable path
//! (`EFI/BOOT/BOOTX64.EFI`) is written, so that the disk starts in any machine, and
//! a named entry in this machine's firmware comes on top and may fail. Where another
//! system has the removable path, it keeps it, and the named entry is what starts us.

pub(crate) mod unmounted;

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use contract::firmware::Firmware;
use host::cancel::Cancel;
use host::cmd::{self, Tool};
use host::write::Root;
use sandbox::{Sandbox, TARGET};

use crate::boot::grubcfg::{self, Serial};
use crate::boot::names::Neighbours;
use crate::boot::{GrubStep, Origin};
use crate::disk::BootPlaces;

/// Modules in the core image, besides those that grub-install adds for the
/// disk: all that grub.cfg needs on any of the supported file systems.
const MODULES: &str = "part_gpt part_msdos ext2 xfs btrfs fat search_fs_uuid blsuki";

/// Debian's grub-install prefers a signed image, which cannot read boot loader
/// entries; this option, which others do not have, prevents that.
const UNSIGNED: &str = "--no-uefi-secure-boot";
/// Leaves the firmware's entries alone.
const NO_NVRAM: &str = "--no-nvram";

/// How many of a failed command's last lines go into the error.
const STDERR_LINES: usize = 10;

/// What the step works on.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// Root of the target on the live system.
    pub target: &'a Path,
    /// Where boot loaders fit.
    pub places: &'a BootPlaces,
    /// Sandbox in the image's root with the target at [`TARGET`].
    pub image: &'a Sandbox,
    /// os-release's `ID`, from which names on the EFI system partition are made.
    pub os_id: &'a str,
    /// This machine's firmware gets an entry.
    pub firmware_entry: bool,
    /// UUID of the file system that holds `/boot`.
    pub boot_uuid: &'a str,
    /// It is a file system of its own.
    pub boot_is_own: bool,
    /// Serial console of the installed kernel.
    pub serial: Option<Serial>,
    /// Directory that is `/var/tmp` in the sandbox.
    pub temporary: &'a Path,
}

/// Installs each step's GRUB and the one configuration file; gives warnings.
pub fn install(job: Job<'_>, steps: &[GrubStep], cancel: &Cancel) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let mut directory = None;
    for step in steps {
        if step.firmware == Firmware::Uefi && job.places.esp_is_unmounted() {
            unmounted::make(job, step, cancel)?;
            continue;
        }
        let places = Places::of(job, step)?;
        match step.firmware {
            Firmware::Bios => {
                for disk in &places.disks {
                    run(job, step, &places.onto(step, disk), cancel)?;
                }
            }
            Firmware::Uefi => {
                let (name, warning) = into_esp(job, step, &places, cancel)?;
                directory = name;
                warnings.extend(warning);
            }
        }
    }
    let text = grubcfg::text(
        job.boot_uuid,
        job.boot_is_own,
        directory.as_deref(),
        job.serial,
    );
    let mut directories: Vec<&str> = steps.iter().map(GrubStep::directory).collect();
    directories.dedup();
    let boot = Root::open(&job.target.join("boot"))?;
    for directory in directories {
        let file = Path::new(directory).join("grub.cfg");
        boot.write(&file, text.as_bytes(), 0o644)?;
    }
    Ok(warnings)
}

/// Puts GRUB onto a mounted EFI system partition, beside what is there. Gives the name
/// of a directory that was made, and what the person should know.
fn into_esp(
    job: Job<'_>,
    step: &GrubStep,
    places: &Places,
    cancel: &Cancel,
) -> Result<(Option<String>, Option<String>)> {
    let mount_point = (job.places.esp.as_ref()).and_then(|esp| esp.mount_point.as_deref());
    let neighbours = match mount_point {
        Some(esp) => Neighbours::look(esp, unmounted::removable(step.platform))?,
        None => Neighbours::default(),
    };
    if !neighbours.fallback {
        run(job, step, &places.removable(step), cancel)?;
    }
    if !job.firmware_entry && !neighbours.fallback {
        return Ok((None, None));
    }
    let name = neighbours.name_for(job.os_id);
    let mut args = places.named(step, &name);
    let named = args.clone();
    args.push(NO_NVRAM.to_owned());
    if neighbours.fallback {
        // The only loader of ours: without it nothing starts.
        run(job, step, &args, cancel)?;
    }
    let why = if job.firmware_entry {
        match run(job, step, &named, cancel) {
            Ok(()) => return Ok((Some(name), None)),
            Err(error) => error.details.join("; "),
        }
    } else {
        "this machine's firmware is not that of the disk".to_owned()
    };
    cancel.check()?;
    let warning = if neighbours.fallback {
        format!(
            "No boot entry was written into a firmware ({why}), and the loader that firmware starts \
             without one belongs to another system and was left: add an entry for \
             \\EFI\\{name}\\ in the firmware's settings"
        )
    } else {
        format!(
            "No boot entry was written into this machine's firmware; it starts the disk by the \
             removable path instead ({why})"
        )
    };
    Ok((Some(name), Some(warning)))
}

/// The places as the program that runs sees them.
struct Places {
    boot: PathBuf,
    disks: Vec<PathBuf>,
    esp: Option<PathBuf>,
}

impl Places {
    fn of(job: Job<'_>, step: &GrubStep) -> Result<Self> {
        let seen = |path: &Path| match step.origin {
            Origin::Host => Ok(path.to_owned()),
            Origin::Image => path
                .strip_prefix(job.target)
                .map(|inside| Path::new(TARGET).join(inside))
                .map_err(|_| {
                    Error::new(
                        Code::Internal,
                        format!("{} is not below the target.", path.display()),
                    )
                }),
        };
        Ok(Self {
            boot: seen(&job.target.join("boot"))?,
            disks: job.places.bios.clone(),
            esp: job
                .places
                .esp
                .as_ref()
                .and_then(|esp| esp.mount_point.as_deref())
                .map(seen)
                .transpose()?,
        })
    }

    /// The arguments that make a disk start under BIOS.
    fn onto(&self, step: &GrubStep, disk: &Path) -> Vec<String> {
        let mut words = self.common(step);
        words.push(disk.display().to_string());
        words
    }

    /// The arguments that make the disk start under any UEFI.
    fn removable(&self, step: &GrubStep) -> Vec<String> {
        let mut words = self.common(step);
        words.extend(self.efi_directory());
        words.extend(["--removable", NO_NVRAM].map(str::to_owned));
        words
    }

    /// The arguments that make a directory of our own, and an entry in the firmware.
    fn named(&self, step: &GrubStep, name: &str) -> Vec<String> {
        let mut words = self.common(step);
        words.extend(self.efi_directory());
        words.push(format!("--bootloader-id={name}"));
        words
    }

    fn common(&self, step: &GrubStep) -> Vec<String> {
        vec![
            format!("--target={}", step.platform),
            format!("--boot-directory={}", self.boot.display()),
            format!("--modules={MODULES}"),
        ]
    }

    fn efi_directory(&self) -> Option<String> {
        let esp = self.esp.as_ref()?;
        Some(format!("--efi-directory={}", esp.display()))
    }
}

/// Runs grub-install where its tools are.
fn run(job: Job<'_>, step: &GrubStep, args: &[String], cancel: &Cancel) -> Result<()> {
    let mut args = args.to_vec();
    if step.firmware == Firmware::Uefi && knows_unsigned(job, step, cancel)? {
        args.insert(0, UNSIGNED.into());
    }
    call(job, step, &args, cancel).map(drop)
}

fn knows_unsigned(job: Job<'_>, step: &GrubStep, cancel: &Cancel) -> Result<bool> {
    let help = call(job, step, &["--help".to_owned()], cancel)?;
    Ok(help.contains(UNSIGNED))
}

/// Runs grub-install and gives its standard output.
fn call(job: Job<'_>, step: &GrubStep, args: &[String], cancel: &Cancel) -> Result<String> {
    program(job, step, &step.command, args, cancel)
}

/// Runs a program where the step's tools are, and gives its standard output.
fn program(
    job: Job<'_>,
    step: &GrubStep,
    name: &str,
    args: &[String],
    cancel: &Cancel,
) -> Result<String> {
    match step.origin {
        Origin::Host => Tool::new(name)
            .args(args)
            .failing_as(Code::BootloaderFailed)
            .run(cancel)
            .map(|captured| captured.stdout),
        Origin::Image => {
            let argv: Vec<&str> = std::iter::once(name)
                .chain(args.iter().map(String::as_str))
                .collect();
            let output = job.image.run(&argv, cancel)?;
            if output.exit.success() {
                return Ok(output.stdout_text());
            }
            let mut error = Error::new(
                Code::BootloaderFailed,
                format!("GRUB for {} could not be installed.", step.firmware),
            )
            .detail(format!(
                "`{}` in the image: {}",
                cmd::command_line(&argv),
                output.exit
            ));
            error
                .details
                .extend(cmd::last_lines(&output.stderr_text(), STDERR_LINES));
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(firmware: Firmware, platform: &'static str) -> GrubStep {
        GrubStep {
            firmware,
            platform,
            origin: Origin::Image,
            command: "/usr/sbin/grub-install".into(),
        }
    }

    #[test]
    fn arguments() {
        let places = Places {
            boot: "/run/target/boot".into(),
            disks: vec!["/dev/sda".into(), "/dev/sdb".into()],
            esp: Some("/run/target/boot/efi".into()),
        };
        let common = |platform: &str| {
            format!("--target={platform} --boot-directory=/run/target/boot --modules={MODULES}")
        };
        let bios = step(Firmware::Bios, "i386-pc");
        assert_eq!(
            places.onto(&bios, Path::new("/dev/sdb")).join(" "),
            format!("{} /dev/sdb", common("i386-pc"))
        );
        let uefi = step(Firmware::Uefi, "arm64-efi");
        let efi = format!(
            "{} --efi-directory=/run/target/boot/efi",
            common("arm64-efi")
        );
        assert_eq!(
            places.removable(&uefi).join(" "),
            format!("{efi} --removable --no-nvram")
        );
        assert_eq!(
            places.named(&uefi, "debian-bootc").join(" "),
            format!("{efi} --bootloader-id=debian-bootc")
        );
    }

    #[test]
    fn directories() {
        let mut step = step(Firmware::Bios, "i386-pc");
        assert_eq!(step.directory(), "grub");
        step.command = "/usr/sbin/grub2-install".into();
        assert_eq!(step.directory(), "grub2");
    }
}
