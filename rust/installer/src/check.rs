// SPDX-License-Identifier: MIT OR Apache-2.0
//! The first step: everything that can be refused before the target is
//! touched is refused here. Nothing is written.

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use contract::firmware::Firmware;
use contract::plan::{BootloaderChoice, LayoutPlace, Plan, RuntimeRoot, Source};
use host::cancel::Cancel;
use host::cmd;
use host::mountinfo;
pub use registry::{Layer, ResolvedImage};
use source::found::Found;
use source::look_up;
use source::secret::Secrets;
use source::trust;

use crate::boot::{self, FirmwareNeed, NEITHER_PLACE};
use crate::disk::{self, BootPlaces, Esp};
use crate::space::{self, SpaceNeed};

use crate::target::{self, SCRATCH_NAME, Target};

/// What the check found out.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The target.
    pub target: Target,
    /// Where boot loaders fit.
    pub places: BootPlaces,
    /// Which firmware is to start the target.
    pub need: FirmwareNeed,
    /// The image, and where its bytes come from.
    pub found: Found,
    /// Room needed.
    pub space: SpaceNeed,
    /// What the person should know although it stops nothing; those of `found`
    /// come first.
    pub warnings: Vec<String>,
}

/// Refuses `plan` with a coded error, or says what the next steps need to know.
/// Writes nothing.
pub fn check(plan: &Plan, secrets: &Secrets, cancel: &Cancel) -> Result<Checked> {
    cancel.check()?;
    // The cheap and local first: nobody should wait for a registry to hear
    // that the target is not mounted.
    require_rights(plan)?;
    require_tools(plan)?;
    let local = Local::look(plan, None)?;
    cancel.check()?;
    let found = look_up::image(plan, secrets, cancel)?;
    local.complete(plan, found)
}

/// The same for a target that was made a moment ago, for an image that was
/// looked up before that. `esp` is one that this kernel cannot mount.
pub(crate) fn check_made(plan: &Plan, esp: Option<Esp>, found: Found) -> Result<Checked> {
    Local::look(plan, esp)?.complete(plan, found)
}

/// Refuses what contradicts itself, and users who may not install.
pub(crate) fn require_rights(plan: &Plan) -> Result<()> {
    plan.validate()?;
    trust::require_keys(plan)?;
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(Error::new(
        Code::NotRoot,
        "This program does not run as root.",
    ))
}

/// The disk that was chosen for the boot loader, where GRUB is put on one.
fn bios_disk(plan: &Plan) -> Option<&Path> {
    let firmware = (plan.target.firmware).unwrap_or_else(boot::firmware_of_this_machine);
    let by_grub = matches!(
        plan.bootc.bootloader,
        BootloaderChoice::Auto | BootloaderChoice::Grub
    );
    (by_grub && firmware == Firmware::Bios)
        .then_some(plan.target.bios_disk.as_deref())
        .flatten()
}

/// What this machine knows of the target.
struct Local {
    target: Target,
    places: BootPlaces,
    need: FirmwareNeed,
    scratch: Option<PathBuf>,
}

impl Local {
    fn look(plan: &Plan, esp: Option<Esp>) -> Result<Self> {
        let target = target::inspect(&plan.target.root)?;
        let mut places = disk::boot_places(&target, bios_disk(plan))?;
        places.own_table |= plan.target.tidy_partition_table;
        places.esp = places.esp.or(esp);
        let here = boot::firmware_of_this_machine();
        let need = FirmwareNeed::of(plan, &places, here, std::env::consts::ARCH);
        require_boot_place(plan.bootc.bootloader, &places, need)?;
        require_boot_space(&target)?;
        require_inputs(plan, &target)?;
        let scratch = scratch_place(plan, &target)?;
        Ok(Self {
            target,
            places,
            need,
            scratch,
        })
    }

    fn complete(self, plan: &Plan, found: Found) -> Result<Checked> {
        let Self {
            target,
            places,
            need,
            scratch,
        } = self;
        let on_target = scratch.is_none();
        let space = space::need(
            found.size,
            &found.source,
            &plan.runtime_root,
            on_target,
            target.total_bytes,
        );
        space::require(&target.root, target.free_bytes, space.target, &space)?;
        if let Some(dir) = &scratch {
            space::require(dir, target::space(dir)?.1, space.scratch, &space)?;
        }
        let mut all = found.warnings.clone();
        all.extend(warnings(scratch.as_deref())?);
        Ok(Checked {
            target,
            places,
            need,
            found,
            space,
            warnings: all,
        })
    }
}

/// The live system's own tools; everything else comes with the image.
fn require_tools(plan: &Plan) -> Result<()> {
    let trim = plan
        .finish
        .trim
        .then_some(("fstrim", "It tells the disk which blocks are unused."));
    let blkid = ("blkid", "It tells what is on the target's disk.");
    for (tool, purpose) in [Some(blkid), trim].into_iter().flatten() {
        if cmd::find(tool).is_none() {
            return Err(Error::new(
                Code::ToolMissing,
                format!("The command `{tool}` is not installed."),
            )
            .why(purpose)
            .next("Install the package util-linux and try again."));
        }
    }
    Ok(())
}

pub(crate) fn require_boot_place(
    choice: BootloaderChoice,
    places: &BootPlaces,
    need: FirmwareNeed,
) -> Result<()> {
    let error = |what: &str| Err(Error::new(Code::BootNoPlace, what));
    match choice {
        BootloaderChoice::None => return Ok(()),
        BootloaderChoice::Auto | BootloaderChoice::Grub => {
            if places.bios.is_empty() && places.esp.is_none() {
                return error("There is no place for a boot loader on the target's disk.").map_err(
                    |e: Error| {
                        e.why(NEITHER_PLACE).next(
                            "Mount the EFI system partition at boot/efi below the target, or add a \
                             BIOS boot partition; without a boot loader of ours choose `none`.",
                        )
                    },
                );
            }
        }
        BootloaderChoice::Systemd => {
            if places.esp.is_none() {
                return error("There is no EFI system partition for systemd-boot.").map_err(|e: Error| {
                    e.why("No vfat file system is mounted at boot/efi, efi or boot below the target.")
                        .next("Mount the EFI system partition there, or choose another boot loader.")
                });
            }
        }
    }
    // What only has to be said is said once the boot loader is known.
    need.check(places, choice == BootloaderChoice::Systemd)?;
    Ok(())
}

fn require_boot_space(target: &Target) -> Result<()> {
    let Some(boot) = &target.boot else {
        return Ok(());
    };
    let (_, free) = target::space(&boot.mount_point)?;
    if free >= space::BOOT_MIN {
        return Ok(());
    }
    Err(Error::new(
        Code::TargetTooSmall,
        format!(
            "{} has {} free, and at least {} are needed there.",
            boot.mount_point.display(),
            contract::size::human(free),
            contract::size::human(space::BOOT_MIN)
        ),
    )
    .why("Kernel, initramfs and boot loader go there.")
    .next("Make that partition larger; 1 GB leaves room for updates."))
}

/// Source and runtime root must exist, and elsewhere than on the target.
fn require_inputs(plan: &Plan, target: &Target) -> Result<()> {
    let mut inputs: Vec<(&str, &Path)> = Vec::new();
    if let Source::OciLayout { path, .. } = &plan.source {
        inputs.push(("source", path));
    }
    let layouts = plan.layouts.iter().filter_map(LayoutPlace::path);
    inputs.extend(layouts.map(|path| ("layout", path)));
    match &plan.runtime_root {
        RuntimeRoot::Unpack => {}
        RuntimeRoot::Directory { path } => {
            if !path.is_dir() {
                return Err(missing_runtime_root(path, "it is no directory"));
            }
            inputs.push(("runtime root", path));
        }
        RuntimeRoot::Image { path } => {
            if !path.is_file() {
                return Err(missing_runtime_root(path, "it is no file"));
            }
            inputs.push(("runtime root", path));
        }
    }
    for (name, path) in inputs {
        // A missing source gets its message where it is opened, a missing
        // layout none.
        if path.exists() && target::st_dev(path)? == target.device {
            return Err(Error::new(
                Code::TargetNotOwnFilesystem,
                format!("The {name} {} is on the target itself.", path.display()),
            )
            .why("Installing would overwrite what it is installed from.")
            .next("Mount another file system as the target."));
        }
    }
    Ok(())
}

fn missing_runtime_root(path: &Path, reason: &str) -> Error {
    Error::new(
        Code::SourceInvalid,
        format!(
            "The runtime root {} cannot be used: {reason}.",
            path.display()
        ),
    )
    .why("The path is misspelt, or the medium with it is not mounted.")
    .next("Correct the path, or leave it out: the image is then unpacked on the target.")
}

/// The directory that the plan names for scratch, when that is elsewhere than
/// the root of the target.
fn scratch_place(plan: &Plan, target: &Target) -> Result<Option<PathBuf>> {
    let Some(named) = &plan.target.scratch else {
        return Ok(None);
    };
    let invalid = |what: &str| {
        Error::new(
            Code::PlanInvalid,
            format!("The scratch directory {} {what}.", named.display()),
        )
        .next("Choose another directory, or leave it out to use the target.")
    };
    let dir = named
        .canonicalize()
        .ok()
        .filter(|d| d.is_dir())
        .ok_or_else(|| {
            invalid("does not exist")
                .why("It must be a directory; only what is put into it is removed at the end.")
        })?;
    if dir == target.root {
        return Ok(None);
    }
    if dir.starts_with(&target.root) {
        return Err(invalid("cannot lie in the target")
            .why("bootc installs only onto a file system with nothing else on it."));
    }
    nix::unistd::access(&dir, nix::unistd::AccessFlags::W_OK).map_err(|e| {
        invalid("cannot be written")
            .why("It is read-only or belongs to somebody else.")
            .detail(e.to_string())
    })?;
    if dir.join(SCRATCH_NAME).exists() {
        return Err(Error::new(
            Code::TargetInterrupted,
            format!(
                "{} holds the files of an installation that did not end.",
                dir.display()
            ),
        )
        .next(format!(
            "Remove {} and start again.",
            dir.join(SCRATCH_NAME).display()
        )));
    }
    Ok(Some(dir))
}

fn warnings(scratch: Option<&Path>) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    if let Some(dir) = scratch {
        let mounts = mountinfo::read()?;
        if let Some(mount) = mountinfo::covering(&mounts, dir)
            && ["tmpfs", "ramfs", "overlay"].contains(&mount.fs_type.as_str())
        {
            warnings.push(format!(
                "The scratch directory is on a {} and may take memory.",
                mount.fs_type
            ));
        }
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use contract::firmware::Firmware;

    use super::*;

    #[test]
    fn boot_places_by_choice() {
        let none = BootPlaces::default();
        let bios = BootPlaces {
            bios: vec!["/dev/sda".into()],
            ..BootPlaces::default()
        };
        let esp = BootPlaces {
            esp: Some(Esp {
                mount_point: Some("/t/boot/efi".into()),
                device: "/dev/sda1".into(),
            }),
            ..BootPlaces::default()
        };
        let need = |required| FirmwareNeed {
            firmware: Firmware::Uefi,
            required,
        };
        use BootloaderChoice::{Auto, Grub, None as No, Systemd};
        for (choice, places, ok) in [
            (No, &none, true),
            (Auto, &none, false),
            (Grub, &none, false),
            (Systemd, &none, false),
            (Auto, &bios, true),
            (Grub, &bios, true),
            (Systemd, &bios, false),
            (Auto, &esp, true),
            (Grub, &esp, true),
            (Systemd, &esp, true),
        ] {
            // UEFI finds nothing in a BIOS boot partition.
            let uefi = require_boot_place(choice, places, need(true));
            assert_eq!(uefi.is_ok(), ok && (choice == No || places.esp.is_some()));
            match require_boot_place(choice, places, need(false)) {
                Ok(()) => assert!(ok, "{choice:?} {places:?}"),
                Err(e) => assert!(!ok && e.code == Code::BootNoPlace, "{choice:?} {places:?}"),
            }
        }
    }
}
