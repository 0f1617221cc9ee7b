// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer to-disk`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use contract::disk_plan::{DiskFs, parse_size as size};

use super::{EventsTo, ImageArgs};
use crate::bootc;

#[derive(Debug, Args)]
pub(in super::super) struct ToDiskCommand {
    #[command(flatten)]
    pub(in super::super) image: ImageArgs,

    /// Recipe (YAML) that says everything: disk, image, people
    ///
    /// A disk in it has a name for good, or a rule leaves one; docs/unattended.md
    /// explains each key. With --dry-run it says in words what would be done.
    #[arg(long, value_name = "FILE", conflicts_with_all = ToDiskCommand::IN_RECIPE)]
    pub(in super::super) recipe: Option<PathBuf>,

    /// Whole disk to install onto, for example /dev/sda
    #[arg(
        long,
        value_name = "DEV",
        required_unless_present_any = ["file", "recipe"],
        conflicts_with = "file"
    )]
    pub(in super::super) disk: Option<PathBuf>,

    /// File to make, sparse, with a whole disk in it
    #[arg(long, value_name = "FILE")]
    pub(in super::super) file: Option<PathBuf>,

    /// Size of the file, for example 10G [default: twice what the image needs]
    #[arg(long, value_name = "SIZE", value_parser = size, conflicts_with = "disk")]
    pub(in super::super) size: Option<u64>,

    /// Everything on the disk may be lost
    #[arg(long, conflicts_with = "file")]
    pub(in super::super) wipe: bool,

    /// A file of this name may be replaced
    #[arg(long, conflicts_with = "disk")]
    pub(in super::super) overwrite: bool,

    /// Partition table
    #[arg(long, value_name = "NAME", default_value = "gpt")]
    pub(in super::super) table: TableName,

    /// File system of the root: ext4, xfs or btrfs
    #[arg(long, value_name = "NAME", default_value = "ext4")]
    pub(in super::super) filesystem: DiskFs,

    /// Make a partition of this size for /boot, for example 1G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(in super::super) boot_size: Option<u64>,

    /// Users, keys, host name, files and units, as a plan has them (YAML or JSON)
    #[arg(long, value_name = "FILE")]
    pub(in super::super) customise: Option<PathBuf>,

    /// The same as an Ignition configuration, whose contents are data: URLs
    #[arg(long, value_name = "FILE")]
    pub(in super::super) ignition: Option<PathBuf>,

    /// Name of the machine
    #[arg(long, value_name = "NAME")]
    pub(in super::super) hostname: Option<String>,

    /// Public keys with which root may log in (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(in super::super) root_ssh_key: Vec<PathBuf>,

    /// Only print the plan, as JSON
    #[arg(long)]
    pub(in super::super) dry_run: bool,

    /// Write events as JSON lines to a descriptor (`-` is standard output)
    #[arg(long, value_name = "FD")]
    pub(in super::super) events: Option<EventsTo>,

    /// Directory for bootc's log
    #[arg(long, value_name = "DIR", default_value = bootc::LOG_DIR)]
    pub(in super::super) log_dir: PathBuf,
}

impl ToDiskCommand {
    /// Ids of the arguments that a recipe says itself.
    const IN_RECIPE: [&'static str; 13] = [
        "disk",
        "file",
        "size",
        "wipe",
        "overwrite",
        "table",
        "filesystem",
        "boot_size",
        "customise",
        "ignition",
        "hostname",
        "root_ssh_key",
        "image",
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum TableName {
    /// GUID partition table
    Gpt,
    /// Master boot record
    Mbr,
}
