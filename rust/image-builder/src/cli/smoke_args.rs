// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be said to `smoke`.

use std::path::PathBuf;

use clap::builder::{EnumValueParser, PossibleValue};
use clap::{Args, ValueEnum};
use imageref::Digest;

pub(super) const SMOKE_HELP: &str =
    "What could not be asked is skipped, with the reason; it is not passed.
Consoles, pictures and logs of each boot are in --out afterwards.

Examples:
  A disk image, under BIOS and UEFI:
    debian-bootc-image-builder smoke out/debian-13-amd64.qcow2
  The medium with Secure Boot, for a CI system:
    debian-bootc-image-builder smoke --firmware secure --junit smoke.xml \\
      out/debian-bootc-trixie-amd64.iso
  Let the medium install by a recipe, and boot the disk:
    debian-bootc-image-builder smoke --recipe recipe.yaml --firmware uefi \\
      out/debian-bootc-trixie-amd64.iso

Exit statuses:
  0    everything that could be asked is as it should be
  1    something is not; the table says what
  2    FILE is nothing that boots
  3    no virtual machine can run here: QEMU, firmware, KVM
  130  stopped with Ctrl-C";

/// Arguments of `smoke`.
#[derive(Debug, Args)]
pub struct SmokeArgs {
    /// With what the machine starts, one after the other
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "bios,uefi",
        value_parser = EnumValueParser::<Starts>::new()
    )]
    pub firmware: Vec<Starts>,

    /// Memory of the machine in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(256..))]
    pub memory: u32,

    /// How its instructions run: auto takes KVM where it runs a kernel
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = EnumValueParser::<Runs>::new())]
    pub accel: Runs,

    /// Where consoles, pictures and logs go
    #[arg(long, value_name = "DIR", default_value = "out/smoke")]
    pub out: PathBuf,

    /// Write the cases to this file as well, as JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Write them to this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,

    /// Seconds that a boot may take; an installation may take four times that
    #[arg(long, value_name = "S", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,

    /// Digest of the manifest that is to be booted [default: what the build
    /// told beside FILE]
    #[arg(long, value_name = "sha256:…", value_parser = digest)]
    pub expect_digest: Option<String>,

    /// Let a medium install by this recipe, and boot what it installed
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,

    /// The medium or disk image
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// With what a machine starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Starts(pub vm::Firmware);

impl ValueEnum for Starts {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Starts; 3] = [
            Starts(vm::Firmware::Bios),
            Starts(vm::Firmware::Uefi),
            Starts(vm::Firmware::Secure),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            vm::Firmware::Bios => "SeaBIOS",
            vm::Firmware::Uefi => "OVMF",
            vm::Firmware::Secure => "OVMF with Secure Boot",
        };
        Some(PossibleValue::new(self.0.name()).help(help))
    }
}

/// How a machine's instructions run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Runs {
    /// KVM where it runs a kernel, else TCG
    Auto,
    /// The processor of this machine
    Kvm,
    /// Emulated, which is slow
    Tcg,
}

impl Runs {
    /// As machines know it.
    pub fn accel(self) -> vm::Accel {
        match self {
            Self::Auto => vm::Accel::Auto,
            Self::Kvm => vm::Accel::Kvm,
            Self::Tcg => vm::Accel::Tcg,
        }
    }
}

fn digest(text: &str) -> Result<String, String> {
    let digest = text.parse::<Digest>().map_err(|err| err.to_string())?;
    Ok(digest.to_string())
}
