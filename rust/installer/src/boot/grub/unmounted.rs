// SPDX-License-Identifier: MIT OR Apache-2.0
//! What grub-install does for UEFI, where the EFI system partition cannot be
//! mounted: a core image that finds `/boot` by its UUID, and the modules there.
//!
//! grub-install itself refuses a directory that is not on a FAT. The core image
//! has the same modules and the same first lines as the one that it makes; it is
//! left in a directory ([`directory`]) whose contents go onto the partition.

use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::write::Root;
use sandbox::TARGET;

use super::{Job, MODULES, program};
use crate::boot::{GrubStep, Origin};

/// The directory, in the sandbox's `/var/tmp`.
const NAME: &str = "esp";
/// Where the temporary directory is inside.
const INSIDE: &str = "/var/tmp";

/// Contents of the EFI system partition, in the directory `temporary`.
pub(crate) fn directory(temporary: &Path) -> PathBuf {
    temporary.join(NAME)
}

/// Makes the core image and copies the modules.
pub(super) fn make(job: Job<'_>, step: &GrubStep, cancel: &Cancel) -> Result<()> {
    let Some(name) = removable(step.platform) else {
        return Err(Error::new(
            Code::BootloaderFailed,
            format!("There is no name for a boot loader of {}.", step.platform),
        ));
    };
    let place = Path::new(NAME).join("EFI/BOOT");
    let files = Root::open(job.temporary)?;
    files.make_dir(&place, 0o755)?;
    let config = Path::new("grub-early.cfg");
    files.write(config, early(job, step).as_bytes(), 0o644)?;
    let (temporary, boot) = match step.origin {
        Origin::Host => (job.temporary.to_owned(), job.target.join("boot")),
        Origin::Image => (PathBuf::from(INSIDE), Path::new(TARGET).join("boot")),
    };
    let prefix = prefix(job, step);
    let tool = match step.directory() {
        "grub2" => "grub2-mkimage",
        _ => "grub-mkimage",
    };
    let mut args = vec![
        format!("--format={}", step.platform),
        format!("--output={}", temporary.join(place).join(name).display()),
        format!("--prefix={prefix}"),
        format!("--config={}", temporary.join(config).display()),
    ];
    args.extend(MODULES.split(' ').map(str::to_owned));
    program(job, step, tool, &args, cancel)?;
    let directory = Path::new(step.directory());
    Root::open(&job.target.join("boot"))?.make_dir(directory, 0o755)?;
    let copied = [
        "-R".to_owned(),
        "--".to_owned(),
        format!("/usr/lib/grub/{}", step.platform),
        boot.join(directory).display().to_string(),
    ];
    program(job, step, "cp", &copied, cancel).map(drop)
}

/// GRUB's directory on the file system that holds `/boot`.
fn prefix(job: Job<'_>, step: &GrubStep) -> String {
    let boot = if job.boot_is_own { "" } else { "/boot" };
    format!("{boot}/{}", step.directory())
}

/// What the core image does first, as grub-install has it.
fn early(job: Job<'_>, step: &GrubStep) -> String {
    format!(
        "search.fs_uuid {} root\nset prefix=($root)'{}'\n",
        job.boot_uuid,
        prefix(job, step)
    )
}

/// The name under which firmware starts it from any disk (UEFI specification,
/// 3.5.1.1).
pub(super) fn removable(platform: &str) -> Option<&'static str> {
    Some(match platform {
        "x86_64-efi" => "BOOTX64.EFI",
        "i386-efi" => "BOOTIA32.EFI",
        "arm64-efi" => "BOOTAA64.EFI",
        "riscv64-efi" => "BOOTRISCV64.EFI",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_boot_loaders() {
        assert_eq!(removable("x86_64-efi"), Some("BOOTX64.EFI"));
        assert_eq!(removable("arm64-efi"), Some("BOOTAA64.EFI"));
        assert_eq!(removable("i386-pc"), None);
    }
}
