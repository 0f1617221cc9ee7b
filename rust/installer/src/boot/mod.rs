// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boot loader: who installs which one, decided before bootc writes
//! anything, because bootc itself finds out only after a whole deployment.
//!
//! | the image has | bootc is told | the boot loader comes from |
//! |---|---|---|
//! | bootupd | `--bootloader grub` | bootc, through bootupd |
//! | a UKI, or systemd-boot and no GRUB | `--composefs-backend --bootloader systemd` | bootc |
//! | GRUB 2.14 or later, or the live system has it | `--bootloader none` | [`grub`] |

pub mod entries;
pub mod grub;
pub mod grubcfg;
mod names;
pub mod table;

use std::path::Path;

use contract::error::{Code, Error, Result};
use contract::firmware::Firmware;
use contract::plan::{BootloaderChoice, Plan};
use host::mountinfo::{self, Mount};

use crate::disk::BootPlaces;
use crate::doctor::RootFacts;
use crate::target::Target;

/// What bootc is told to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootcBootloader {
    /// Nothing.
    None,
    /// GRUB, through bootupd.
    Grub,
    /// systemd-boot.
    Systemd,
}

impl BootcBootloader {
    /// The value of bootc's `--bootloader`.
    pub fn option(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Grub => "grub",
            Self::Systemd => "systemd",
        }
    }
}

/// How bootc stores the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// An ostree repository.
    Ostree,
    /// bootc's own composefs store.
    Composefs,
}

/// How this machine was started.
pub fn firmware_of_this_machine() -> Firmware {
    if Path::new("/sys/firmware/efi").is_dir() {
        Firmware::Uefi
    } else {
        Firmware::Bios
    }
}

/// The firmware that is to start the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirmwareNeed {
    /// Which one.
    pub firmware: Firmware,
    /// A target that it cannot start is refused, not only warned of.
    pub required: bool,
}

impl FirmwareNeed {
    /// What `plan` says, else `here`, the firmware of this machine with the
    /// processor `arch`. The latter is no more than a guess where disks for
    /// other machines are made: into a file, or with a boot loader chosen by
    /// name.
    pub fn of(plan: &Plan, places: &BootPlaces, here: Firmware, arch: &str) -> Self {
        let for_here = plan.bootc.bootloader == BootloaderChoice::Auto
            && !places.in_file
            // Boards without UEFI that start by other means than a BIOS.
            && here.grub_platform(arch).is_some();
        Self {
            firmware: plan.target.firmware.unwrap_or(here),
            required: plan.target.firmware.is_some() || for_here,
        }
    }

    /// Refuses places in which this firmware looks for no boot loader, or says
    /// so when it is not required. `systemd`: the boot loader is systemd-boot.
    pub fn check(self, places: &BootPlaces, systemd: bool) -> Result<Option<String>> {
        let Some(error) = self.unserved(places, systemd) else {
            return Ok(None);
        };
        if self.required {
            return Err(error);
        }
        Ok(Some(format!(
            "{} {} A machine that starts in {} mode will not start this disk.",
            error.what, error.why, self.firmware
        )))
    }

    fn unserved(self, places: &BootPlaces, systemd: bool) -> Option<Error> {
        let error = |what: &str, why: &str, next: &str| {
            Some(Error::new(Code::BootNoPlace, what).why(why).next(next))
        };
        match self.firmware {
            Firmware::Uefi if places.esp.is_none() => error(
                "The target has no EFI system partition.",
                "UEFI starts boot loaders from there, and no vfat file system is mounted at \
                 boot/efi, efi or boot below the target.",
                "Add an EFI system partition (FAT32, 512 MiB) with the mount point /boot/efi, \
                 or start the machine in BIOS mode.",
            ),
            Firmware::Bios if systemd => error(
                "systemd-boot starts under UEFI only.",
                "The target is to start in BIOS mode.",
                "Start the machine in UEFI mode, or choose an image with GRUB.",
            ),
            Firmware::Bios if places.bios.is_empty() => error(
                "The target's disk has no place for a BIOS boot loader.",
                "A GPT needs a BIOS boot partition for it, an msdos table 1 MiB before the first \
                 partition.",
                "Add a BIOS boot partition of 8 MiB, unformatted and with the flag bios_grub, \
                 or start the machine in UEFI mode.",
            ),
            _ => None,
        }
    }
}

/// Whose GRUB is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The image's.
    Image,
    /// The live system's.
    Host,
}

/// One GRUB to install by ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrubStep {
    /// For which firmware.
    pub firmware: Firmware,
    /// GRUB's name of the platform.
    pub platform: &'static str,
    /// Whose tools and modules.
    pub origin: Origin,
    /// `grub-install` or `grub2-install`, as a path from its root.
    pub command: String,
}

impl GrubStep {
    /// GRUB's directory below `/boot`, which follows its name in the
    /// distribution.
    pub fn directory(&self) -> &'static str {
        if self.command.ends_with("grub2-install") {
            "grub2"
        } else {
            "grub"
        }
    }
}

/// Who installs which boot loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootDecision {
    /// What bootc is told.
    pub bootc: BootcBootloader,
    /// How bootc stores the deployment.
    pub backend: Backend,
    /// What we install after bootc.
    pub grub: Vec<GrubStep>,
    /// What the person should know.
    pub warnings: Vec<String>,
}

impl BootDecision {
    /// Whether the target gets a boot loader for BIOS. bootupd installs one
    /// wherever there is a place.
    pub fn starts_bios(&self) -> bool {
        self.bootc == BootcBootloader::Grub
            || self.grub.iter().any(|step| step.firmware == Firmware::Bios)
    }

    fn by_bootc(bootc: BootcBootloader, backend: Backend) -> Self {
        Self {
            bootc,
            backend,
            grub: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// The file system that holds `/boot`, as GRUB finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootFs {
    /// Its UUID.
    pub uuid: Option<String>,
    /// It is a file system of its own, not a directory of the root's.
    pub own: bool,
    /// It is mounted from a directory or a btrfs subvolume of the file system.
    pub subvolume: bool,
}

impl BootFs {
    /// Of a target, given the mounts of this system.
    pub fn of(target: &Target, mounts: &[Mount]) -> Self {
        let (mount_point, uuid) = match &target.boot {
            Some(boot) => (&boot.mount_point, &boot.uuid),
            None => (&target.root, &target.uuid),
        };
        Self {
            uuid: uuid.clone(),
            own: target.boot.is_some(),
            subvolume: mountinfo::at(mounts, mount_point).is_some_and(|m| m.root != Path::new("/")),
        }
    }
}

/// Everything the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What the image has.
    pub image: &'a RootFacts,
    /// What the live system has.
    pub host: &'a RootFacts,
    /// Where boot loaders fit.
    pub places: &'a BootPlaces,
    /// Where `/boot` is.
    pub boot_fs: &'a BootFs,
    /// Which firmware is to start it.
    pub need: FirmwareNeed,
    /// The processor in Rust's spelling.
    pub arch: &'a str,
}

/// Why there is no place at all.
pub(crate) const NEITHER_PLACE: &str =
    "The disk has neither a mounted EFI system partition nor a BIOS boot partition.";

/// Decides, or refuses with `BOOT_NO_PLACE` or `TOOL_MISSING` and the reasons.
pub fn decide(choice: BootloaderChoice, now: Situation<'_>) -> Result<BootDecision> {
    if choice == BootloaderChoice::None {
        return Ok(BootDecision::by_bootc(
            BootcBootloader::None,
            Backend::Ostree,
        ));
    }
    if now.places.bios.is_empty() && now.places.esp.is_none() {
        return Err(Error::new(
            Code::BootNoPlace,
            "There is no place for a boot loader on the target's disk.",
        )
        .why(NEITHER_PLACE));
    }
    let mut decision = match choice {
        BootloaderChoice::Systemd => by_systemd(now),
        BootloaderChoice::Grub if now.image.bootupd() => Ok(by_bootupd()),
        BootloaderChoice::Grub => by_grub(now),
        BootloaderChoice::Auto | BootloaderChoice::None => automatic(now),
    }?;
    refuse_unmountable(decision.bootc, now.places)?;
    refuse_elsewhere(decision.bootc, now.places)?;
    let systemd = decision.bootc == BootcBootloader::Systemd;
    decision
        .warnings
        .extend(now.need.check(now.places, systemd)?);
    Ok(decision)
}

/// bootupd and bootctl write to a mounted partition.
pub(crate) fn refuse_unmountable(bootc: BootcBootloader, places: &BootPlaces) -> Result<()> {
    if bootc == BootcBootloader::None || !places.esp_is_unmounted() {
        return Ok(());
    }
    Err(Error::new(
        Code::BootNoPlace,
        "The EFI system partition cannot be mounted here.",
    )
    .why("This kernel has no vfat, and the image's own boot loader is written to a mounted partition.")
    .next("Install it on a machine whose kernel has vfat."))
}

/// bootupd finds the disk by itself: that of the root.
fn refuse_elsewhere(bootc: BootcBootloader, places: &BootPlaces) -> Result<()> {
    if bootc != BootcBootloader::Grub || !places.bios_elsewhere {
        return Ok(());
    }
    Err(Error::new(
        Code::BootNoPlace,
        "The boot loader cannot be written to the disk that was chosen for it.",
    )
    .why("This image's own boot loader goes onto the disk with the root file system, and would replace what starts from there.")
    .next("Choose the disk with the root file system for the boot loader, or install the root on the other disk."))
}

fn automatic(now: Situation<'_>) -> Result<BootDecision> {
    if now.image.bootupd() {
        return Ok(by_bootupd());
    }
    let only_systemd = has_systemd_boot(now.image) && now.image.grub_install().is_none();
    if !now.image.ukis.is_empty() || only_systemd {
        return by_systemd(now);
    }
    by_grub(now)
}

fn has_systemd_boot(image: &RootFacts) -> bool {
    image.systemd_boot && image.has("bootctl")
}

fn by_bootupd() -> BootDecision {
    BootDecision::by_bootc(BootcBootloader::Grub, Backend::Ostree)
}

fn by_systemd(now: Situation<'_>) -> Result<BootDecision> {
    if !has_systemd_boot(now.image) {
        return Err(Error::new(
            Code::ToolMissing,
            "The image has no systemd-boot that could start it.",
        )
        .why("systemd-boot is installed from the image itself, by its bootctl.")
        .next("Choose GRUB as the boot loader, or an image with systemd-boot."));
    }
    if now.places.esp.is_none() {
        return Err(Error::new(
            Code::BootNoPlace,
            "There is no EFI system partition for systemd-boot.",
        )
        .why("systemd-boot starts from a mounted EFI system partition only.")
        .next("Add an EFI system partition to the partition layout."));
    }
    Ok(BootDecision::by_bootc(
        BootcBootloader::Systemd,
        Backend::Composefs,
    ))
}

fn by_grub(now: Situation<'_>) -> Result<BootDecision> {
    refuse_unreadable_boot(now.boot_fs)?;
    let (bios, uefi) = (!now.places.bios.is_empty(), now.places.esp.is_some());
    let beside = |firmware| now.places.take_both() || now.need.firmware == firmware;
    let wanted = [
        (bios && (beside(Firmware::Bios) || !uefi)).then_some(Firmware::Bios),
        (uefi && (beside(Firmware::Uefi) || !bios)).then_some(Firmware::Uefi),
    ];
    let mut steps: Vec<GrubStep> = Vec::new();
    let mut missing = Vec::new();
    for firmware in wanted.into_iter().flatten() {
        match grub_for(firmware, now) {
            Ok(step) => steps.push(step),
            Err(reason) => missing.push((firmware, reason)),
        }
    }
    let needed = missing.iter().find(|(f, _)| *f == now.need.firmware);
    if let Some((firmware, _)) = needed.or(missing.first().filter(|_| steps.is_empty())) {
        let mut error = Error::new(
            Code::ToolMissing,
            format!("Neither the image nor the live system has a GRUB for {firmware} that can start the image."),
        )
        .why("GRUB must be version 2.14 or later, which reads boot loader entries.")
        .next("Choose an image with such a GRUB (Debian: grub-pc-bin, grub-efi-amd64-bin, grub2-common), or install it in the live system.");
        error.details = missing.into_iter().map(|(_, reason)| reason).collect();
        return Err(error);
    }
    Ok(BootDecision {
        grub: steps,
        warnings: missing.into_iter().map(|(_, reason)| reason).collect(),
        ..BootDecision::by_bootc(BootcBootloader::None, Backend::Ostree)
    })
}

/// The image's GRUB, else the live system's, else why there is none.
fn grub_for(firmware: Firmware, now: Situation<'_>) -> std::result::Result<GrubStep, String> {
    let Some(platform) = firmware.grub_platform(now.arch) else {
        return Err(format!("GRUB does not start {} on {firmware}", now.arch));
    };
    let candidates = [(Origin::Image, now.image), (Origin::Host, now.host)];
    let mut reasons = Vec::new();
    for (origin, facts) in candidates {
        let whose = match origin {
            Origin::Image => "the image",
            Origin::Host => "the live system",
        };
        match (facts.grub_install(), facts.grub_platform(platform)) {
            (Some(command), Some(modules)) if modules.blsuki => {
                return Ok(GrubStep {
                    firmware,
                    platform,
                    origin,
                    command: Path::new("/").join(command).display().to_string(),
                });
            }
            (None, _) => reasons.push(format!("{whose} has no grub-install")),
            (_, None) => reasons.push(format!("{whose} has no modules for it")),
            (_, Some(_)) => reasons.push(format!("that of {whose} is older than 2.14")),
        }
    }
    Err(format!(
        "No GRUB for {firmware} ({platform}): {}",
        reasons.join(", ")
    ))
}

fn refuse_unreadable_boot(boot: &BootFs) -> Result<()> {
    if boot.subvolume {
        return Err(Error::new(
            Code::BootNoPlace,
            "GRUB cannot start the image from a btrfs subvolume.",
        )
        .why("The paths in boot loader entries are those of the file system's top level.")
        .next("Add a file system of its own for /boot, for example ext4 with 1 GiB, or do not use a subvolume for the root."));
    }
    if boot.uuid.is_none() {
        return Err(Error::new(
            Code::BootNoPlace,
            "The file system that holds /boot has no UUID.",
        )
        .why("GRUB finds it by its UUID.")
        .next("Make a new file system on it."));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
