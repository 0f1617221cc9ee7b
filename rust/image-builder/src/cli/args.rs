// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be said on the command line.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::image_type::{ImageType, ImageTypeParser};
use super::smoke_args::{SMOKE_HELP, SmokeArgs};

/// Make installation media and disk images of bootable containers
///
/// The medium is a live ISO for amd64 that starts Calamares and installs a
/// bootable container from a registry, or from the medium itself. What is on
/// it, and how it looks, is in one file: distro.yaml.
#[derive(Debug, Parser)]
#[command(
    name = "debian-bootc-image-builder",
    version,
    max_term_width = 80,
    after_long_help = STATUSES,
    after_help = "Begin with `init`, then `build`. `help COMMAND` explains a command."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the ISO, or disk images
    ///
    /// With --type raw, qcow2, vmdk, ami or vhd the image is installed onto a
    /// disk in a file, with what a blueprint says. Else it makes the ISO:
    ///
    /// Checks distro.yaml, the files that it names, this machine, the mirrors
    /// and the images; builds the packages of this project; then lets
    /// live-build make the live system and the ISO. It needs root, a network
    /// and some 15 GB. What was fetched is kept, so that the next build is
    /// shorter.
    #[command(after_long_help = BUILD_HELP)]
    Build(Box<BuildArgs>),
    /// Boot a medium or a disk image in a virtual machine, and judge it
    ///
    /// What FILE is (an ISO, or a raw, qcow2, vmdk or vhd disk) is found in it.
    /// It is booted as it is, and stays so. Seen must be a boot loader, a login
    /// prompt, and no panic or emergency shell; then the system is asked for
    /// failed units and mounts, the booted digest, its origin, open ports and
    /// memory. It needs QEMU, and OVMF for UEFI; no special rights.
    #[command(after_long_help = SMOKE_HELP)]
    Smoke(SmokeArgs),
    /// Write a distro.yaml to begin with
    ///
    /// Every key is in it, commented out, with its default. Beside it comes
    /// distro.schema.json, with which editors complete and check keys.
    #[command(after_long_help = INIT_HELP)]
    Init(InitArgs),
    /// Check distro.yaml and the files that it names
    ///
    /// Unless --offline is given, mirrors and registries are asked as well
    /// whether there are such packages and images. It needs no special rights
    /// and changes nothing.
    #[command(after_long_help = VALIDATE_HELP)]
    Validate(ValidateArgs),
    /// Remove what builds have left in the working directory
    ///
    /// The ISO in the output directory stays. A build that is still running is
    /// not disturbed: the command is then refused.
    #[command(after_long_help = CLEAN_HELP)]
    Clean(CleanArgs),
    /// Print every error code with its meaning and exit status
    Errors,
    /// Print the manual page
    #[command(after_long_help = MAN_HELP)]
    Man,
    /// Print the completions for a shell
    #[command(after_long_help = COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
}

const STATUSES: &str = "Exit statuses:
  0    it is done
  1    the build failed
  2    the command line or distro.yaml is wrong
  3    refused before anything was built: root, tools, network, images
  130  stopped with Ctrl-C

Errors begin with a code, which `errors` explains.

Examples:
  debian-bootc-image-builder init
  debian-bootc-image-builder validate
  sudo debian-bootc-image-builder build";

const BUILD_HELP: &str = "IMAGE is a whole reference, host/name:tag, or a name below `containers`
of distro.yaml, NAME or NAME:VERSION. Without it, and without an
images.default in distro.yaml, the person who installs types one.

Examples:
  Everything as in distro.yaml of this directory; the ISO goes to ./out:
    sudo debian-bootc-image-builder build
  A medium for one image, with the defaults for everything else:
    sudo debian-bootc-image-builder build registry.example/os/debian:13
  The same with Debian's own installer, in text mode, instead of Calamares:
    sudo debian-bootc-image-builder build --type debian-installer
  Can this machine build at all?
    sudo debian-bootc-image-builder build --diagnose
  A disk for QEMU and one for VMware, with the users of config.toml:
    sudo debian-bootc-image-builder build --type qcow2 --type vmdk \\
      -c config.toml registry.example/os/debian:13
  What would be done?
    debian-bootc-image-builder build -n -c distro.yaml

Exit statuses:
  0    it is there (or, with --diagnose, this machine can build)
  1    the build failed; the message names the log
  2    the command line or distro.yaml is wrong
  3    refused before anything was built
  130  stopped with Ctrl-C; nothing is left mounted";

const INIT_HELP: &str = "Examples:
  debian-bootc-image-builder init
  debian-bootc-image-builder init media/example
  debian-bootc-image-builder init media/example/server.yaml

Exit statuses:
  0    both files are there
  1    they cannot be written
  2    one exists already, and --force is missing";

const VALIDATE_HELP: &str = "Examples:
  debian-bootc-image-builder validate
  debian-bootc-image-builder validate -c media/example/distro.yaml --offline

Exit statuses:
  0    the file is right (there may be warnings)
  2    something in it is wrong; the message has line, key and what to write
  3    a mirror, package or image was not found";

const CLEAN_HELP: &str = "Examples:
  sudo debian-bootc-image-builder clean
  sudo debian-bootc-image-builder clean --all

Exit statuses:
  0    it is removed, or was not there
  1    something cannot be removed
  3    a build is running there";

const MAN_HELP: &str = "Example:
  debian-bootc-image-builder man | man -l -";

const COMPLETIONS_HELP: &str = "Example:
  debian-bootc-image-builder completions bash \\
    > ~/.local/share/bash-completion/completions/debian-bootc-image-builder";

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// What to make (repeatable for disk images) [default: calamares]
    #[arg(long = "type", value_name = "TYPE", value_parser = ImageTypeParser)]
    pub image_types: Vec<ImageType>,

    /// Users, files and sizes of disk images: a blueprint, config.toml or
    /// config.json
    #[arg(long, value_name = "FILE")]
    pub blueprint: Option<PathBuf>,

    /// File system of the root of disk images: ext4, xfs or btrfs
    #[arg(long, value_name = "NAME")]
    pub rootfs: Option<contract::disk_plan::DiskFs>,

    /// Size of disk images, for example "10 GiB" [default: what is needed]
    #[arg(long, value_name = "SIZE", value_parser = disk_size)]
    pub size: Option<u64>,

    /// What the system of a disk image updates from [default: the image]
    #[arg(long, value_name = "REF")]
    pub target_imgref: Option<String>,

    /// What is on the medium [default: distro.yaml or .config/registry.yaml,
    /// when it exists here]
    ///
    /// Without a file everything is the default.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where the ISO goes
    #[arg(short, long, value_name = "DIR", default_value = "out")]
    pub output: PathBuf,

    /// Where it is built [default: a directory in the cache]
    ///
    /// It needs a file system of Linux that is not mounted with nodev or
    /// noexec. Two builds cannot share one.
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,

    /// Take the packages of this project from here, ready made
    ///
    /// Without it they are built from the sources of this program.
    #[arg(long, value_name = "DIR")]
    pub debs: Option<PathBuf>,

    /// Say in this file as well what was made, as JSON
    ///
    /// Its type, and path, size and SHA-256 of each file. The same text is
    /// beside the ISO, as STEM.json.
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,

    /// Give what was made to this user and group
    ///
    /// By their numbers. With sudo it would all belong to root.
    #[arg(long, value_name = "UID:GID", value_parser = owner)]
    pub chown: Option<(u32, u32)>,

    /// Show every line of the programs that run
    #[arg(short, long)]
    pub verbose: bool,

    /// Say whether this machine can build; without an IMAGE, stop there
    #[arg(long, conflicts_with = "dry_run")]
    pub diagnose: bool,

    /// Say what would be done, and stop
    ///
    /// Neither root nor a network is needed for it.
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Do not ask registries whether the images exist and can be installed
    #[arg(long)]
    pub no_image_check: bool,

    /// Image that is chosen already, instead of images.default
    #[arg(value_name = "IMAGE")]
    pub image: Option<String>,
}

/// Reads `1000:1000`.
fn owner(text: &str) -> Result<(u32, u32), String> {
    text.split_once(':')
        .and_then(|(user, group)| Some((user.parse().ok()?, group.parse().ok()?)))
        .ok_or_else(|| "two numbers are meant, as in 1000:1000; `id` tells yours".to_owned())
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Overwrite files that exist
    #[arg(long)]
    pub force: bool,

    /// Directory for distro.yaml, or a file name that ends in .yaml or .yml
    #[arg(value_name = "DIR or FILE", default_value = ".")]
    pub place: PathBuf,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The file to check
    #[arg(short, long, value_name = "FILE", default_value = "distro.yaml")]
    pub config: PathBuf,

    /// Ask neither mirrors nor registries
    #[arg(long)]
    pub offline: bool,
}

/// Arguments of `clean`.
#[derive(Debug, Args)]
pub struct CleanArgs {
    /// The working directory [default: the same one as of `build`]
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,

    /// Remove caches as well: what was fetched, and packages that were built
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

impl InitArgs {
    /// Where distro.yaml is written. The schema goes beside it.
    pub fn file(&self) -> PathBuf {
        match self.place.extension().and_then(OsStr::to_str) {
            Some("yaml" | "yml") => self.place.clone(),
            _ => self.place.join(crate::config::FILE_NAME),
        }
    }
}

fn disk_size(text: &str) -> Result<u64, String> {
    const MIB: u64 = 1 << 20;
    let bytes = blueprint::parse_size(text).filter(|bytes| *bytes >= MIB);
    let bytes = bytes.ok_or("a number with MiB, GiB, MB or GB after it is expected")?;
    Ok(bytes.next_multiple_of(MIB))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::disk::kind::DiskKind;
    use clap::CommandFactory;
    use std::path::Path;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    fn build(line: &str) -> BuildArgs {
        match parse(line).unwrap().command {
            Command::Build(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn build_has_defaults() {
        let args = build("x build");
        assert_eq!(args.image_types, []);
        assert_eq!(args.output, Path::new("out"));
        assert_eq!((args.config, args.work, args.debs), (None, None, None));
        assert_eq!(args.image, None);
        let flags = [
            args.verbose,
            args.diagnose,
            args.dry_run,
            args.no_image_check,
        ];
        assert_eq!(flags, [false; 4]);
    }

    #[test]
    fn build_knows_short_forms() {
        let args = build("x build -c a.yaml -o iso -v -n r.example/os:1");
        assert_eq!(args.config.as_deref(), Some(Path::new("a.yaml")));
        assert_eq!(args.output, Path::new("iso"));
        assert!(args.verbose && args.dry_run);
        assert_eq!(args.image.as_deref(), Some("r.example/os:1"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (line, ok) in [
            (
                "x build --type calamares --work w --debs d --no-image-check",
                true,
            ),
            ("x build --diagnose", true),
            ("x build --result r.json --chown 1000:0", true),
            ("x build --chown 1000", false),
            ("x build --chown me:me", false),
            ("x build --diagnose --dry-run", false),
            ("x build --type", false),
            ("x build a b", false),
            ("x init", true),
            ("x init --force dir", true),
            ("x init a b", false),
            ("x validate", true),
            ("x validate -c f --offline", true),
            ("x validate f", false),
            ("x clean --work w --all", true),
            ("x clean w", false),
            ("x errors", true),
            ("x man", true),
            ("x completions bash", true),
            ("x completions dash", false),
            ("x completions", false),
            ("x", false),
        ] {
            assert_eq!(parse(line).is_ok(), ok, "{line}");
        }
    }

    #[test]
    fn disk_images_have_types_and_sizes() {
        let args = build("x build --type qcow2 --type ami --rootfs xfs --size 10GiB r.example/a:1");
        let kinds = [DiskKind::Qcow2, DiskKind::Ami].map(ImageType::Disk);
        assert_eq!(args.image_types, kinds);
        assert_eq!(args.size, Some(10 << 30));
        assert!(parse("x build --size 10").is_err());
        assert!(parse("x build --rootfs zfs").is_err());
    }

    #[test]
    fn init_takes_a_directory_or_a_file() {
        for (line, file) in [
            ("x init", "./distro.yaml"),
            ("x init a", "a/distro.yaml"),
            ("x init a/b.yaml", "a/b.yaml"),
            ("x init b.yml", "b.yml"),
        ] {
            match parse(line).unwrap().command {
                Command::Init(args) => assert_eq!(args.file(), Path::new(file), "{line}"),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Every option has a help text, every command that does something has
    /// examples and exit statuses, and no line is too long.
    #[test]
    fn help_is_complete_and_narrow() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands_mut() {
            let name = command.get_name().to_owned();
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{name} {}", arg.get_id());
            }
            let help = command
                .clone()
                .term_width(80)
                .render_long_help()
                .to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
            let documented = ["build", "smoke", "init", "validate", "clean"];
            let has = help.contains("Examples:") && help.contains("Exit statuses:");
            assert_eq!(has, documented.contains(&name.as_str()), "{name}");
        }
    }

    /// The examples in the help texts are command lines.
    #[test]
    fn examples_can_be_typed() {
        let mut seen = 0;
        for help in [
            STATUSES,
            BUILD_HELP,
            SMOKE_HELP,
            INIT_HELP,
            VALIDATE_HELP,
            CLEAN_HELP,
            MAN_HELP,
        ] {
            for line in help.lines().map(str::trim) {
                let line = line.strip_prefix("sudo ").unwrap_or(line);
                if line.starts_with("debian-bootc-image-builder ") {
                    let line = line.split(" |").next().unwrap();
                    assert!(parse(line).is_ok(), "{line}");
                    seen += 1;
                }
            }
        }
        assert!(seen >= 12, "{seen}");
    }
}
