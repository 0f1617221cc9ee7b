// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be said on the command line.

mod to_disk;
mod unattended;

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::error::EXITS;
use contract::plan::BootloaderChoice;

use crate::bootc;
pub(super) use to_disk::{TableName, ToDiskCommand};
pub(super) use unattended::UnattendedCommand;

/// Put a bootable container on a mounted target
///
/// Takes an image in a registry, or in a local OCI layout, checks and downloads
/// it, has the image's own bootc(8) write it to a mounted target, and installs a
/// boot loader where the image does not bring a program for that. Partitions, file
/// systems and mounts are made beforehand by whoever calls it, or by `to-disk`.
#[derive(Debug, Parser)]
#[command(
    name = "bootc-installer",
    version,
    max_term_width = 80,
    after_help = "`help COMMAND` explains a command.",
    after_long_help = prose()
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Install an image onto a mounted target
    ///
    /// Partition the disk, make an ext4, xfs or btrfs file system, mount it (and
    /// /boot and the EFI system partition below it), then name the image. At a
    /// terminal progress is drawn; elsewhere each event is a line of JSON.
    #[command(after_help = EXAMPLES)]
    Install(InstallCommand),
    /// Partition a disk, or make a disk in a file, and install an image onto it
    ///
    /// Makes the partition table, file systems, boot loaders for BIOS and UEFI, and
    /// a system that somebody can log in to. A disk with anything on it is refused
    /// unless --wipe is said, and one that is in use always is.
    #[command(after_help = TO_DISK_EXAMPLES)]
    ToDisk(Box<ToDiskCommand>),
    /// Install by the recipe that this machine was started with
    ///
    /// For the service of an installation medium. The recipe is named by the
    /// kernel argument `installer.recipe=` (a path on the medium, or an address
    /// with `installer.recipe.sha256=` beside it); else it is the credential
    /// `installer.recipe` of the machine, or installer/recipe.yaml on the medium.
    /// Events go to standard output and to every console as lines of text. Ends
    /// as the recipe or `installer.after=` says.
    Unattended(UnattendedCommand),
    /// Print as JSON everything that an installation would do
    Plan(PlanCommand),
    /// Do all that can be refused before the target is touched
    ///
    /// Without --root only the image is looked up: version, digest, size, and
    /// whether it can be booted at all. That needs no special rights.
    Check(CheckCommand),
    /// Close a target that was handed over, or left open
    ///
    /// Undoes the hand-over, writes everything to the disk, and unmounts the
    /// target. What is closed already stays so: it can be run at any time.
    Close(CloseCommand),
    /// Print every error code with its cause and next step
    Errors,
    /// Print the version
    Version,
}

/// What the manual page, and the long help, say at their end.
fn prose() -> String {
    let mut text = String::from("Exit status:\n  0    it is done\n");
    for (exit, meaning) in EXITS {
        text += &format!("  {exit:<4} {meaning}\n");
    }
    text + &format!(
        "\n  Errors begin with a code, which `errors` explains.\n\n\
         Environment:\n  \
           RUST_LOG  what is logged on standard error, for example debug;\n            \
                     secrets never are\n\n\
         Files:\n  \
           /etc/containers/registries.conf  mirrors, blocked and insecure registries\n  \
           /etc/containers/certs.d          certificate authorities of registries\n  \
           /etc/containers/policy.json      which images must be signed, and how\n  \
           {:<31}  what bootc said\n\n\
         Examples:\n  \
           bootc-installer check --image registry.example/os/debian:13\n  \
           bootc-installer install --image registry.example/os/debian:13 --root /mnt\n\n\
         See also:\n  \
           bootc(8), containers-auth.json(5), containers-registries.conf(5),\n  \
           containers-certs.d(5), containers-policy.json(5)",
        bootc::LOG_DIR
    )
}

const EXAMPLES: &str = "Examples:
  bootc-installer install --image registry.example/os/debian:13 --root /mnt
  bootc-installer plan --image … --root /mnt > plan.json
  bootc-installer install --plan plan.json --events -";

#[derive(Debug, Args)]
pub(super) struct InstallCommand {
    #[command(flatten)]
    pub(super) image: ImageArgs,

    /// Directory where the target's root file system is mounted
    #[arg(long, value_name = "DIR", required_unless_present_any = ["plan", "plan_fd"], conflicts_with_all = ["plan", "plan_fd"])]
    pub(super) root: Option<PathBuf>,

    /// Do exactly what this plan says (`-` is standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ImageArgs::ALL)]
    pub(super) plan: Option<PathBuf>,

    /// Read the plan from this descriptor; stop when its other end closes
    ///
    /// For a program that starts this one: the plan is one JSON document, after
    /// which the pipe stays open. When it closes, or the parent dies, the
    /// installation is stopped and cleaned up.
    #[arg(long, value_name = "FD", value_parser = inherited_fd, conflicts_with = "plan", conflicts_with_all = ImageArgs::ALL)]
    pub(super) plan_fd: Option<RawFd>,

    /// Write events as JSON lines to a descriptor (`-` is standard output)
    #[arg(long, value_name = "FD")]
    pub(super) events: Option<EventsTo>,

    /// Directory for bootc's log
    #[arg(long, value_name = "DIR", default_value = bootc::LOG_DIR)]
    pub(super) log_dir: PathBuf,
}

const TO_DISK_EXAMPLES: &str = "Examples:
  bootc-installer to-disk --image registry.example/os/debian:13 --file disk.raw
  bootc-installer to-disk --image … --disk /dev/sda --wipe --customise people.yaml
  bootc-installer to-disk --image … --file disk.raw --dry-run > plan.json
  bootc-installer to-disk --recipe shop.yaml --dry-run";

#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    #[command(flatten)]
    pub(super) image: ImageArgs,

    /// Directory where the target's root file system is mounted
    #[arg(long, value_name = "DIR", required_unless_present = "calamares")]
    pub(super) root: Option<PathBuf>,

    /// Calamares' global storage as JSON (`-` is standard input)
    ///
    /// The target, its mounts, swap and encrypted partitions are taken from it,
    /// and the plan hands the deployment over to the modules that follow.
    #[arg(long, value_name = "FILE", conflicts_with = "root")]
    pub(super) calamares: Option<PathBuf>,

    /// Do not ask the registry for the image's digest
    #[arg(long)]
    pub(super) no_lookup: bool,

    /// Tell of a failure on standard output, as JSON
    #[arg(long)]
    pub(super) json_errors: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckCommand {
    #[command(flatten)]
    pub(super) image: ImageArgs,

    /// Check the target that is mounted here as well
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,

    /// Say only whether an image of this name is in a layout that is named
    ///
    /// Asks no registry, which may have a newer one by now: the answer is there at
    /// once.
    #[arg(long, conflicts_with = "root")]
    pub(super) on_medium: bool,

    /// How to answer [default: text at a terminal, json elsewhere]
    ///
    /// With `json` a failure is an answer, too: {"error": {…}}.
    #[arg(long)]
    pub(super) format: Option<Format>,
}

#[derive(Debug, Args)]
pub(super) struct CloseCommand {
    /// Directory where the target's root file system is mounted, when there
    /// was no hand-over
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,

    /// Calamares' global storage as JSON (`-` is standard input)
    ///
    /// The target, its swap and its encrypted partitions are taken from it.
    #[arg(long, value_name = "FILE")]
    pub(super) calamares: Option<PathBuf>,

    /// First wait for the end of this process
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(2..))]
    pub(super) after_pid: Option<i32>,

    /// Write events as JSON lines to a descriptor (`-` is standard output)
    #[arg(long, value_name = "FD")]
    pub(super) events: Option<EventsTo>,

    /// Do not trim the target's file systems
    #[arg(long)]
    pub(super) no_trim: bool,
}

impl CheckCommand {
    /// Whether a program asked.
    pub(super) fn json(&self) -> bool {
        self.format == Some(Format::Json)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person
    Text,
    /// For a program
    Json,
}

/// The image and how it is installed; everything else comes from the
/// configuration file.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ImageArgs {
    /// Image to install: host/name:tag, or oci:DIR[:TAG] for a local layout
    #[arg(long, value_name = "REF")]
    pub(super) image: Option<String>,

    /// Configuration file (bootc.conf); options win over it
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Take the image's bytes from this layout: oci:DIR[:TAG]
    #[arg(long, value_name = "REF")]
    pub(super) source: Option<String>,

    /// OCI layout or archive that may have the image, or parts of it (repeatable)
    ///
    /// Layers that are in it are not downloaded, and what is in a layout under
    /// the image's whole reference is installed when the registry cannot be
    /// reached. One that is not there is passed over. A directory may also have
    /// layouts and archives (*.tar) in it, and `auto` is what is on media that
    /// are mounted.
    #[arg(long, value_name = "PATH")]
    pub(super) layout: Vec<PathBuf>,

    /// Run bootc from this unpacked image (directory, squashfs or erofs file)
    #[arg(long, value_name = "PATH")]
    pub(super) runtime_root: Option<PathBuf>,

    /// What the installed system updates from [default: the image]
    #[arg(long, value_name = "REF")]
    pub(super) target_imgref: Option<String>,

    /// Directory for temporary files [default: the target]
    #[arg(long, value_name = "DIR")]
    pub(super) scratch: Option<PathBuf>,

    /// Name of the stateroot [default: default]
    #[arg(long, value_name = "NAME")]
    pub(super) stateroot: Option<String>,

    /// Which boot loader to install
    #[arg(long, value_name = "NAME", value_parser = bootloader)]
    pub(super) bootloader: Option<BootloaderChoice>,

    /// Kernel argument to add (repeatable)
    #[arg(long, value_name = "KARG", allow_hyphen_values = true)]
    pub(super) karg: Vec<String>,

    /// Kernel argument of the image to leave out (repeatable)
    #[arg(long, value_name = "KARG", allow_hyphen_values = true)]
    pub(super) karg_delete: Vec<String>,

    /// Credentials: a containers-auth.json(5) file
    #[arg(long, value_name = "FILE")]
    pub(super) authfile: Option<PathBuf>,

    /// Credentials: a descriptor that delivers such a file
    #[arg(long, value_name = "FD", value_parser = inherited_fd, conflicts_with = "authfile")]
    pub(super) auth_fd: Option<RawFd>,

    /// Log in to the image's registry as this user; asks for the password
    #[arg(long, value_name = "NAME", conflicts_with_all = ["authfile", "auth_fd"])]
    pub(super) username: Option<String>,

    /// Take the password of --username from the first line of standard input
    #[arg(long, requires = "username")]
    pub(super) password_stdin: bool,

    /// Certificate authorities to trust for the image's registry (PEM)
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,

    /// The image's registry speaks plain http or has no valid certificate
    #[arg(long)]
    pub(super) insecure: bool,

    /// The image must be signed by this public key (PEM, repeatable)
    ///
    /// A cosign signature by one of these keys, made with a key and not with an
    /// identity (keyless), is demanded before anything is downloaded.
    #[arg(long, value_name = "FILE")]
    pub(super) signature_key: Vec<PathBuf>,

    /// Keep the credentials in the installed system, for updates
    #[arg(long)]
    pub(super) keep_auth: bool,

    /// Do not tell the installed system about mirrors and insecure registries
    #[arg(long)]
    pub(super) no_keep_registries: bool,

    /// Do not trim the target's file systems
    #[arg(long)]
    pub(super) no_trim: bool,

    /// Unmount the target at the end
    #[arg(long)]
    pub(super) unmount: bool,
}

impl ImageArgs {
    /// Ids of all arguments, which a ready plan leaves no room for.
    const ALL: [&'static str; 22] = [
        "image",
        "config",
        "source",
        "layout",
        "runtime_root",
        "target_imgref",
        "scratch",
        "stateroot",
        "bootloader",
        "karg",
        "karg_delete",
        "authfile",
        "auth_fd",
        "username",
        "password_stdin",
        "ca",
        "insecure",
        "signature_key",
        "keep_auth",
        "no_keep_registries",
        "no_trim",
        "unmount",
    ];
}

/// Where events go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventsTo {
    Stdout,
    Fd(RawFd),
}

impl FromStr for EventsTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "-" => Ok(Self::Stdout),
            _ => inherited_fd(text).map(Self::Fd),
        }
    }
}

/// A descriptor that was inherited on purpose, so not one of the standard ones.
fn inherited_fd(text: &str) -> Result<RawFd, String> {
    match text.parse() {
        Ok(fd) if fd >= 3 => Ok(fd),
        _ => Err("it must be the number of an open descriptor, 3 or higher".into()),
    }
}

fn bootloader(text: &str) -> Result<BootloaderChoice, String> {
    match text {
        "auto" => Ok(BootloaderChoice::Auto),
        "grub" => Ok(BootloaderChoice::Grub),
        "systemd" => Ok(BootloaderChoice::Systemd),
        "none" => Ok(BootloaderChoice::None),
        _ => Err("it must be auto, grub, systemd or none".into()),
    }
}

#[cfg(test)]
mod tests;
