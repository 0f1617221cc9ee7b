// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: the options that bootc has, by their own names.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A stand-in for bootc in tests: the same command line, output and exit
/// codes over a real ostree deployment. It is not bootc.
#[derive(Debug, Parser)]
#[command(
    name = "bootc",
    disable_version_flag = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// Print what this program is
    #[arg(long, short = 'V')]
    pub(crate) version: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install the image
    #[command(subcommand)]
    Install(Install),
    /// Show the booted image
    Status(Status),
    /// Fetch and stage a newer image (refused by the stand-in)
    Upgrade(Anything),
    /// Change to another image (refused by the stand-in)
    Switch(Anything),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Install {
    /// Install to a mounted file system
    ToFilesystem(Box<ToFilesystem>),
    /// Check a target that was installed with --skip-finalize
    Finalize {
        /// The mounted target
        root_path: PathBuf,
    },
    /// Print the image's install configuration as JSON
    PrintConfiguration {
        /// Print everything, not only what the image sets
        #[arg(long)]
        all: bool,
    },
}

/// Arguments of a command that the stand-in refuses.
#[derive(Debug, Args)]
pub(crate) struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) args: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Output format
    #[arg(long)]
    pub(crate) format: Option<StatusFormat>,
    /// Short for --format=json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Only the booted deployment (there is no other here)
    #[arg(long)]
    pub(crate) booted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    Humanreadable,
    Yaml,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Replace {
    Wipe,
    Alongside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bootloader {
    Grub,
    GrubCc,
    Systemd,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BoundImages {
    Stored,
    #[value(hide = true)]
    Skip,
    Pull,
}

/// `install to-filesystem`, as in bootc 1.16.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct ToFilesystem {
    /// The mounted target
    pub(crate) root_path: PathBuf,
    /// Source of the root file system for the kernel; empty for none
    #[arg(long)]
    pub(crate) root_mount_spec: Option<String>,
    /// Source of /boot, for the kernel and fstab
    #[arg(long)]
    pub(crate) boot_mount_spec: Option<String>,
    /// What to do about existing content
    #[arg(long)]
    pub(crate) replace: Option<Replace>,
    /// Do not wait before overwriting the booted host
    #[arg(long)]
    pub(crate) acknowledge_destructive: bool,
    /// Leave the file system writable and untrimmed
    #[arg(long)]
    pub(crate) skip_finalize: bool,
    /// Install this image instead of the running container
    #[arg(long)]
    pub(crate) source_imgref: Option<String>,
    /// Transport of the reference for updates
    #[arg(long, default_value = "registry")]
    pub(crate) target_transport: String,
    /// Reference for updates
    #[arg(long)]
    pub(crate) target_imgref: Option<String>,
    /// Require a signature by policy.json
    #[arg(long)]
    pub(crate) enforce_container_sigpolicy: bool,
    /// Does nothing
    #[arg(long, hide = true)]
    pub(crate) target_no_signature_verification: bool,
    /// Check first that the target reference can be fetched
    #[arg(long)]
    pub(crate) run_fetch_check: bool,
    /// Does nothing: the check is off by default
    #[arg(long, conflicts_with = "run_fetch_check")]
    pub(crate) skip_fetch_check: bool,
    /// Disable SELinux in the target
    #[arg(long)]
    pub(crate) disable_selinux: bool,
    /// Add a kernel argument
    #[arg(long)]
    pub(crate) karg: Vec<String>,
    /// Remove a kernel argument
    #[arg(long)]
    pub(crate) karg_delete: Vec<String>,
    /// Public keys for root
    #[arg(long)]
    pub(crate) root_ssh_authorized_keys: Option<PathBuf>,
    /// All boot loader types, firmware untouched
    #[arg(long)]
    pub(crate) generic_image: bool,
    /// How to find logically bound images
    #[arg(long, default_value = "stored")]
    pub(crate) bound_images: BoundImages,
    /// Name of the stateroot
    #[arg(long)]
    pub(crate) stateroot: Option<String>,
    /// Does nothing here
    #[arg(long)]
    pub(crate) bootupd_skip_boot_uuid: bool,
    /// Boot loader to install
    #[arg(long)]
    pub(crate) bootloader: Option<Bootloader>,
    /// Use the composefs backend (refused by the stand-in)
    #[arg(long)]
    pub(crate) composefs_backend: bool,
    /// Does nothing here
    #[arg(long, requires = "composefs_backend")]
    pub(crate) allow_missing_verity: bool,
    /// Does nothing here
    #[arg(long, requires = "composefs_backend")]
    pub(crate) uki_addon: Vec<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn usage_errors_exit_with_2_in_bootcs_words() {
        let error =
            Cli::try_parse_from(["bootc", "install", "to-filesystem", "--x", "/t"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error
                .to_string()
                .starts_with("error: unexpected argument '--x' found")
        );
    }

    #[test]
    fn every_documented_option_is_accepted() {
        let lines = [
            "--root-mount-spec LABEL=rootfs --boot-mount-spec UUID=1 --replace wipe /t",
            "--replace alongside --acknowledge-destructive --skip-finalize /t",
            "--source-imgref oci:/x:v1 --target-transport registry --target-imgref h/i:v1 /t",
            "--enforce-container-sigpolicy --target-no-signature-verification /t",
            "--run-fetch-check /t",
            "--skip-fetch-check --disable-selinux --karg a --karg b=c --karg-delete d /t",
            "--root-ssh-authorized-keys /k --generic-image --bound-images skip --stateroot s /t",
            "--bootupd-skip-boot-uuid --bootloader grub-cc /t",
            "--composefs-backend --allow-missing-verity --uki-addon a /t",
        ];
        for line in lines {
            let args = ["bootc", "install", "to-filesystem"]
                .into_iter()
                .chain(line.split(' '));
            assert!(Cli::try_parse_from(args).is_ok(), "{line}");
        }
    }
}
