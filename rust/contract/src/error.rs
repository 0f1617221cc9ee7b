// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors as a part of the product: a stable code, what failed, why, and what
//! to do next.
//!
//! Every failure of the engine is an [`Error`]: a [`Fault`] with one of its own
//! codes. A [`Code`] never changes its meaning once released, because scripts, the Calamares page and
//! the translations key on it. The table behind [`Code::info`] is also what
//! `docs/error-codes.md`, the manual page and the plugin's list of texts are
//! printed from (`make generate`).

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use crate::fault::{Codes, Fault, Stopped};

/// A failure of the engine.
pub type Error = Fault<Code>;

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a code means in general; an [`Error`] may say it more precisely.
#[derive(Debug, Clone, Copy)]
pub struct CodeInfo {
    /// The code itself.
    pub code: Code,
    /// Its stable spelling, as in events and documentation.
    pub name: &'static str,
    /// What happened, in a sentence that names nothing: for translators.
    pub sentence: &'static str,
    /// Exit status of `bootc-installer` for it; see [`EXITS`].
    pub exit: u8,
    /// The usual cause, one sentence.
    pub why: &'static str,
    /// The next step for the person, one sentence.
    pub next: &'static str,
}

macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $name:literal, $exit:literal, $why:literal, $next:literal; )+) => {
        /// Stable error codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $( $(#[doc = $doc])+ #[serde(rename = $name)] $variant, )+
        }

        /// All codes in the order of the documentation.
        pub const CODES: &[CodeInfo] = &[
            $( CodeInfo { code: Code::$variant, name: $name, sentence: concat!($($doc),+), exit: $exit, why: $why, next: $next }, )+
        ];
    };
}

/// The exit statuses of `bootc-installer`, and what they tell.
pub const EXITS: &[(u8, &str)] = &[
    (1, "the installation failed"),
    (2, "wrong usage or input"),
    (3, "refused before the target was touched"),
    (4, "registry or network"),
    (130, "stopped on request"),
];

// The sentence after `///` is what translators see (`EngineTexts.h`).
codes! {
    /// The command line cannot be carried out as given.
    Usage = "USAGE", 2,
        "The options do not fit together.",
        "See `bootc-installer --help`.";
    /// A configuration file is missing, unreadable or has wrong keys or values.
    ConfigInvalid = "CONFIG_INVALID", 2,
        "The configuration file does not follow the format.",
        "Correct the named key; docs/formats.md explains each one.";
    /// The recipe of the installation cannot be read.
    RecipeUnreadable = "RECIPE_UNREADABLE", 2,
        "It is not where the boot menu, the machine or the medium says, or its server does not answer.",
        "Check the address or path after `installer.recipe=`, and the network.";
    /// The recipe is another one than its hash says.
    RecipeMismatch = "RECIPE_MISMATCH", 3,
        "The recipe was changed after its hash was written down, or on the way.",
        "Compare the recipe with its `sha256sum`, and correct `installer.recipe.sha256=`.";
    /// A plan is not valid JSON, of another version, or contradicts itself.
    PlanInvalid = "PLAN_INVALID", 2,
        "The plan was written by hand or by another version.",
        "Make a new plan with `bootc-installer plan`.";
    /// Calamares' global storage does not have the documented shape.
    CalamaresInvalid = "CALAMARES_INVALID", 2,
        "A module of Calamares left something else than Calamares 3.3 does, or the order of modules is another.",
        "Compare settings.conf with the one that comes with this program, and see Calamares' own log.";
    /// An image reference cannot be parsed.
    ImageRefInvalid = "IMAGE_REF_INVALID", 2,
        "The reference does not have the form host/name:tag.",
        "Write it in full, for example registry.example/os/debian:13.";
    /// A secret cannot be read from where the plan says it is.
    SecretUnreadable = "SECRET_UNREADABLE", 2,
        "The file or descriptor with the credentials is missing or not in the expected form.",
        "Check the path, its permissions and that it is a containers-auth.json(5) file.";
    /// The program needs rights that it does not have.
    NotRoot = "NOT_ROOT", 3,
        "Installing needs the rights of the administrator.",
        "Run it as root, for example with sudo.";
    /// A command that a later step runs is not there.
    ToolMissing = "TOOL_MISSING", 3,
        "The live system or the image lacks a package.",
        "Install the named package and try again.";
    /// The registry's name cannot be resolved.
    RegistryHostUnknown = "REGISTRY_HOST_UNKNOWN", 4,
        "The name is misspelt, or this machine has no working network or DNS.",
        "Check the name and the network connection.";
    /// The registry's machine does not accept the connection.
    RegistryUnreachable = "REGISTRY_UNREACHABLE", 4,
        "The registry is down, the port is wrong, or a firewall is in the way.",
        "Check the address and port, then try again.";
    /// The registry's certificate is not trusted, or it speaks no TLS.
    RegistryTls = "REGISTRY_TLS", 4,
        "The certificate is from an authority that this system does not know, or the registry speaks plain http.",
        "Add the authority's certificate (key `ca`), or allow plain http for this host (key `insecure`).";
    /// This machine's settings forbid the registry or repository.
    RegistryBlocked = "REGISTRY_BLOCKED", 4,
        "An administrator has blocked it in registries.conf.",
        "Choose another image, or ask whoever set up this machine why it is blocked.";
    /// The registry wants credentials and none were given.
    RegistryAuthRequired = "REGISTRY_AUTH_REQUIRED", 4,
        "The image is private, or does not exist and the registry will not say so.",
        "Give a user name and password for this registry.";
    /// The registry refused the given credentials.
    RegistryAuth = "REGISTRY_AUTH", 4,
        "The user name or password is wrong, or the account may not read this image.",
        "Check the credentials and the account's rights.";
    /// The registry limits the number of pulls, and the limit is reached.
    RegistryRateLimited = "REGISTRY_RATE_LIMITED", 4,
        "Too many images were pulled with this account, or without one from this network's address.",
        "Wait, or log in to the registry to raise the limit.";
    /// The registry has the image and does not give it out.
    RegistryRefused = "REGISTRY_REFUSED", 4,
        "A rule of the registry holds the image back, for example one about known weaknesses or missing signatures.",
        "Ask whoever runs the registry; trying again does not change the answer.";
    /// No such repository or tag.
    ImageNotFound = "IMAGE_NOT_FOUND", 4,
        "The name or the tag is misspelt, or was removed.",
        "Check the reference; the registry's web page lists the tags.";
    /// The image exists, but not for this machine's architecture.
    ImageNoPlatform = "IMAGE_NO_PLATFORM", 4,
        "The image was not built for this kind of machine.",
        "Choose an image that offers this architecture.";
    /// Downloaded bytes are not the ones the manifest names.
    DigestMismatch = "DIGEST_MISMATCH", 4,
        "The registry or something on the way altered the data, or storage is faulty.",
        "Try again; if it stays, report it to whoever runs the registry.";
    /// The image has no signature, and one is demanded.
    ImageNotSigned = "IMAGE_NOT_SIGNED", 3,
        "Whoever built the image did not sign it, or the signature was not copied along with it.",
        "Ask whoever builds the image to sign it with cosign, or choose another image.";
    /// The image has signatures, and none is the one that is demanded.
    SignatureInvalid = "SIGNATURE_INVALID", 3,
        "The image was signed with another key or for another name, or was replaced by somebody else.",
        "Do not install it before whoever builds the image has told which key signs it.";
    /// The policy for signatures rejects the image or cannot be applied.
    SignaturePolicy = "SIGNATURE_POLICY", 3,
        "The policy for container images does not let this image through, or cannot be understood.",
        "Choose another image, or ask whoever made this system to correct the policy.";
    /// The connection was lost and retries did not help.
    NetworkInterrupted = "NETWORK_INTERRUPTED", 4,
        "The connection broke or stalled too often.",
        "Check the network connection and start again.";
    /// The registry answered something that is no valid manifest, config or layout.
    RegistryMalformed = "REGISTRY_MALFORMED", 4,
        "The server is no OCI registry, or a proxy answers in its place.",
        "Check the address; a captive portal of the network may be in the way.";
    /// The local OCI layout given as the source is unusable.
    SourceInvalid = "SOURCE_INVALID", 3,
        "The directory is no OCI image layout, or lacks the image.",
        "Check the path and the tag.";
    /// The image cannot be installed with bootc, or would not boot.
    ImageNotBootable = "IMAGE_NOT_BOOTABLE", 3,
        "The image is an ordinary container image, or its build left something out.",
        "Choose a bootable container image, or mend its build as the details say.";
    /// The image's layers cannot be unpacked.
    UnpackFailed = "UNPACK_FAILED", 1,
        "A layer is damaged or uses something that cannot be represented on this file system.",
        "Report it to whoever builds the image.";
    /// The target is not a mount point.
    TargetNotMounted = "TARGET_NOT_MOUNTED", 3,
        "Nothing is mounted there, so the installation would go into the running system.",
        "Mount the target's root file system there first.";
    /// The target is a part of another file system or of the running system.
    TargetNotOwnFilesystem = "TARGET_NOT_OWN_FILESYSTEM", 3,
        "The target is a bind mount, a directory or the running system itself.",
        "Mount a file system of its own, freshly made, as the target.";
    /// The target holds something.
    TargetNotEmpty = "TARGET_NOT_EMPTY", 3,
        "Something was installed or left there before; even an empty directory counts.",
        "Make a new file system on it (this deletes its contents), mount it and start again.";
    /// An installation onto this target ended before its time.
    TargetInterrupted = "TARGET_INTERRUPTED", 3,
        "An earlier installation was cut off, for example by a power loss.",
        "Make a new file system on the target and start again; nothing of the earlier attempt is usable.";
    /// The target's file system type cannot carry a deployment.
    TargetFilesystem = "TARGET_FILESYSTEM", 3,
        "bootc installs onto ext4, xfs and btrfs only.",
        "Make one of these file systems on the target.";
    /// It cannot be told what is on a partition.
    TargetAmbiguous = "TARGET_AMBIGUOUS", 3,
        "Beside its file system it has the marks of something older, and the installed system would not find it.",
        "Remove the old marks with wipefs(8), or clear the partition with it before making the file system.";
    /// The target is too small for the image.
    TargetTooSmall = "TARGET_TOO_SMALL", 3,
        "The download, the unpacked image and the deployment must fit at the same time.",
        "Choose a larger partition or a smaller image.";
    /// The target is mounted read-only or cannot be written.
    TargetReadOnly = "TARGET_READ_ONLY", 3,
        "The file system is mounted read-only, or has errors.",
        "Mount it read-write and start again.";
    /// The disk is in use.
    DiskInUse = "DISK_IN_USE", 3,
        "Something on it is mounted, is swap, or belongs to a volume group, an array or an encrypted volume that is open.",
        "Unmount or close it first, or choose another disk.";
    /// The disk holds something.
    DiskNotEmpty = "DISK_NOT_EMPTY", 3,
        "There are partitions or file systems on it, and nobody has agreed to lose them.",
        "Choose another disk, or agree with --wipe that everything on it is lost.";
    /// What is named is no disk that can be partitioned.
    DiskUnusable = "DISK_UNUSABLE", 3,
        "It is no whole disk, or cannot be written.",
        "Name a whole disk such as /dev/sda; lsblk lists them.";
    /// No disk of this machine fits.
    DiskNotFound = "DISK_NOT_FOUND", 3,
        "The disk is not connected, in use, or another one than the recipe describes.",
        "Compare the disks in the details with the section `disk` of the recipe.";
    /// Several disks of this machine fit, and none is chosen.
    DiskAmbiguous = "DISK_AMBIGUOUS", 3,
        "The recipe describes more than one of the disks of this machine.",
        "Describe the disk more precisely, or name it by its link below /dev/disk/by-id.";
    /// The file that is to be made is there already.
    FileExists = "FILE_EXISTS", 3,
        "An earlier disk image has the same name.",
        "Choose another name, or agree with --overwrite that the file is replaced.";
    /// The disk could not be partitioned, or a file system could not be made.
    PartitionFailed = "PARTITION_FAILED", 1,
        "A tool for disks reported an error.",
        "See the details; what was on the disk is lost.";
    /// There is no place for a boot loader that this machine could start.
    BootNoPlace = "BOOT_NO_PLACE", 3,
        "UEFI needs a mounted EFI system partition, BIOS a BIOS boot partition on a GPT.",
        "Add the one that this machine's firmware needs to the partition layout.";
    /// The boot loader would have to read an encrypted partition.
    BootEncrypted = "BOOT_ENCRYPTED", 3,
        "Kernel and initramfs are on an encrypted file system, which the boot loader cannot open.",
        "Add an unencrypted partition for /boot, for example ext4 with 1 GiB.";
    /// The boot loader could not be installed.
    BootloaderFailed = "BOOTLOADER_FAILED", 1,
        "The boot loader's own tool reported an error.",
        "See the details; the deployment itself is complete.";
    /// The target filled up.
    DiskFull = "DISK_FULL", 1,
        "The image needs more room than was computed, or something else wrote to the target.",
        "Choose a larger partition and start again with a new file system.";
    /// bootc itself failed.
    BootcFailed = "BOOTC_FAILED", 1,
        "bootc's own last error line is in the details.",
        "Read the kept log; then make a new file system on the target and start again.";
    /// The deployment was made but could not be configured.
    DeploymentFailed = "DEPLOYMENT_FAILED", 1,
        "The deployment does not look as expected, or a file in it could not be written.",
        "See the details and report it.";
    /// The image cannot be customised as the plan wants.
    CustomiseUnsupported = "CUSTOMISE_UNSUPPORTED", 3,
        "The image lacks a program for it, or protects its files in a way that needs the running system.",
        "Choose another image, or leave users, files and units to its first boot.";
    /// Users, files or units could not be added to the deployment.
    CustomiseFailed = "CUSTOMISE_FAILED", 1,
        "A program of the image reported an error, or a path leads through a link.",
        "See the details, correct the plan and start again.";
    /// The deployment cannot be handed over to other programs.
    HandoverUnsupported = "HANDOVER_UNSUPPORTED", 3,
        "The image's backend keeps no directory tree that other programs could configure.",
        "Choose an image with the ostree backend, or install without handing over.";
    /// A deployment is handed over already, and its owner is still there.
    HandoverActive = "HANDOVER_ACTIVE", 3,
        "Another installation is being configured.",
        "Let it end, or close it with `bootc-installer close`.";
    /// The deployment was made but could not be handed over.
    HandoverFailed = "HANDOVER_FAILED", 1,
        "A file system could not be mounted into the deployment.",
        "See the details and report it.";
    /// Closing the target failed.
    FinishFailed = "FINISH_FAILED", 1,
        "The target is still in use, or the disk reported an error while writing.",
        "Do not switch the machine off before the disk is idle; see the details.";
    /// Stopped by the person, a signal, or the end of the calling program.
    Cancelled = "CANCELLED", 130,
        "The installation was asked to stop.",
        "To install after all, start again; once the deployment has begun, with a new file system on the target.";
    /// An operation of the operating system failed in a way no other code tells.
    Io = "IO", 1,
        "The operating system refused an operation.",
        "See the details.";
    /// A fault of this program.
    Internal = "INTERNAL", 1,
        "This is a defect of the installer.",
        "Please report it with the log.";
}

impl Code {
    /// The table row of this code.
    pub fn info(self) -> &'static CodeInfo {
        // The macro lists rows in the order of the variants.
        &CODES[self as usize]
    }

    /// Stable spelling, for example `TARGET_NOT_EMPTY`.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Codes for Code {
    const CONFIGURATION: Self = Self::ConfigInvalid;

    fn name(self) -> &'static str {
        self.info().name
    }

    fn usual(self) -> (&'static str, &'static str) {
        (self.info().why, self.info().next)
    }

    fn stopped() -> Error {
        Error::new(Self::Cancelled, "The installation was stopped.")
    }

    fn defect(what: String) -> Error {
        Error::new(Self::Internal, what)
    }

    fn io(doing: &str, path: &Path, err: &std::io::Error) -> Error {
        let code = match err.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            std::io::ErrorKind::ReadOnlyFilesystem => Self::TargetReadOnly,
            _ => Self::Io,
        };
        Error::new(code, format!("Failed {doing} {}.", path.display())).detail(err.to_string())
    }
}

/// First letter in upper case, for texts that become a sentence.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_the_order_of_the_variants() {
        for (i, row) in CODES.iter().enumerate() {
            assert_eq!(row.code as usize, i, "{}", row.name);
            assert_eq!(row.code.name(), row.name);
        }
    }

    #[test]
    fn every_text_is_a_sentence() {
        for row in CODES {
            for text in [row.why, row.next] {
                assert!(text.ends_with('.'), "{}: {text}", row.name);
                assert!(text.len() > 10, "{}: {text}", row.name);
            }
        }
    }
}
