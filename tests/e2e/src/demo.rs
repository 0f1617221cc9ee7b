// SPDX-License-Identifier: MIT OR Apache-2.0
//! The demo, told to a person: from an image in a registry to a disk that
//! boots it under BIOS and UEFI.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use serde_json::Value;
use test_guest::{Guest, GuestConfig};
use test_image::OciImage;
use testkit::{apt, cache};
use vm::{Accel, Configure as _, Disk, Firmware};

use crate::boots::{self, Booted};
use crate::served::Served;
use crate::stage::{Stages, say};
use crate::verdict::{self, firmware_name};
use crate::{disk, install, layout};

/// All that the stages run on this host, so that it is installed at once.
const TOOLS: &[&str] = &[
    apt::OVMF,
    "docker-registry",
    "mksquashfs",
    "mmdebstrap",
    "qemu-system-x86_64",
    "skopeo",
];

/// What the README promises to be enough for an installation.
const GUEST_MEMORY_MIB: u32 = 2048;
/// The blank disk in the guest.
const GUEST_DISK: &str = "/dev/vda";
const GUEST_CONFIG: &str = "/run/bootc.conf";

/// Installs the test image in a QEMU guest and boots the disk alone.
///
/// $BOOTC_BIN puts a real bootc into the test image, $BOOTC_TEST_IMAGE names
/// an OCI layout to install instead of it.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo", version)]
pub struct Options {
    /// Firmware that the installed disk is booted with
    #[arg(long, value_enum, default_value_t = Choice::Both)]
    pub firmware: Choice,
    /// Where serial consoles, plan and events are kept
    #[arg(long, value_name = "DIR", default_value = "out/demo")]
    pub out: PathBuf,
    /// Keep the installed disk (it is kept anyway when something fails)
    #[arg(long)]
    pub keep_disk: bool,
}

/// Firmware to boot with.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Choice {
    /// Only BIOS
    Bios,
    /// Only UEFI
    Uefi,
    /// BIOS, then UEFI
    Both,
}

impl Choice {
    fn firmwares(self) -> &'static [Firmware] {
        match self {
            Self::Bios => &[Firmware::Bios],
            Self::Uefi => &[Firmware::Uefi],
            Self::Both => &[Firmware::Bios, Firmware::Uefi],
        }
    }
}

/// Runs the demo.
///
/// # Errors
/// Names the stage that failed; the serial consoles and the disk are kept
/// then.
pub fn run(options: &Options) -> Result<()> {
    let installer = installer()?;
    let files = Files::new(&options.out)?;
    // Two demos would write to the same disk.
    let _lock = cache::lock(&files.path(".lock"))?;
    files.clear()?;

    let mut stages = Stages::default();
    let outcome = work(options.firmware, &installer, &files, &mut stages);
    say(&format!("\n{}", stages.table()));
    cache::remove_tree(&files.registry())?;
    let disk = files.disk();
    if outcome.is_ok() && !options.keep_disk {
        cache::remove_tree(&disk)?;
    }
    say(&format!("Serial consoles: {}", files.dir.display()));
    if disk.exists() {
        say(&format!(
            "Disk: {0} (look inside: cargo run -p test-guest -- shell --disk {0})",
            disk.display()
        ));
    }
    outcome
}

fn work(firmware: Choice, installer: &Path, files: &Files, stages: &mut Stages) -> Result<()> {
    stages.run("Debian packages", || apt::ensure(TOOLS))?;
    let (image, size) = stages.run("Test image", || {
        let image = test_image::standard()?;
        say(&format!("    {}", image.reference()));
        let size = disk::size_for(disk::layout_size(&image.layout)?);
        Ok((image, size))
    })?;
    let served = stages.run("Local registry", || serve(&image, &files.registry()))?;
    disk::make(&files.disk(), size)?;
    install(installer, &served, files, stages)?;

    let mut booted = Vec::new();
    for firmware in firmware.firmwares() {
        let name = firmware_name(*firmware);
        let log = files.path(&format!("boot-{name}.log"));
        let system = stages.run(&format!("Boot of the disk alone, {name}"), || {
            let system = boots::boot(&files.disk(), *firmware, &log)?;
            show(&system);
            Ok(system)
        })?;
        booted.push((*firmware, system));
    }
    let served = served.digest()?;
    say(&format!("\n{}", verdict::table(&served, &booted)));
    verdict::judge(&served, &booted)?;
    say("The digests are equal: what booted is what the registry serves.");
    Ok(())
}

fn serve(image: &OciImage, storage: &Path) -> Result<Served> {
    fs::create_dir(storage).with_context(|| format!("making {}", storage.display()))?;
    let served = Served::start(image, storage)?;
    say(&format!(
        "    {} serves {} as {}",
        served.address(),
        served.digest()?,
        served.imgref()
    ));
    Ok(served)
}

/// Everything that happens in the live guest.
fn install(installer: &Path, served: &Served, files: &Files, stages: &mut Stages) -> Result<()> {
    let mut guest = stages.run("Live guest with a blank disk", || {
        let speed = match vm::uses_kvm(Accel::Auto)? {
            true => "with KVM",
            false => "emulated (no usable KVM), which is slow",
        };
        say(&format!("    {GUEST_MEMORY_MIB} MiB of RAM, {speed}"));
        Guest::start(
            &GuestConfig::new()
                .memory_mib(GUEST_MEMORY_MIB)
                .disk(Disk::new(files.disk()))
                .share(installer)
                .console_log(files.path("install.log")),
        )
    })?;
    stages.run("Partitions", || {
        let listing = guest.check(&layout::script(GUEST_DISK))?;
        say(&indented(&listing));
        Ok(guest.put(GUEST_CONFIG, 0o600, served.config().as_bytes())?)
    })?;

    let what = format!(
        "--image {} --root {} --config {GUEST_CONFIG} --unmount",
        served.imgref(),
        layout::TARGET
    );
    stages.run("bootc-installer plan", || {
        let version = guest.check("bootc-installer version")?;
        say(&indented(&version));
        let plan = guest.check(&format!("bootc-installer plan {what}"))?;
        say(&indented(&plan));
        serde_json::from_str::<Value>(&plan).context("the plan is no JSON")?;
        files.write("plan.json", &plan)
    })?;
    stages.run("bootc-installer install", || {
        let command = format!("bootc-installer install {what} --events -");
        install::run(&mut guest, &command, &files.path("events.jsonl"))?;
        let left = guest.check(&format!(
            "findmnt -rno TARGET | grep '^{0}' || true; ls -A {0}",
            layout::TARGET
        ))?;
        ensure!(left.is_empty(), "the installer left behind: {left}");
        Ok(())
    })?;
    stages.run("Power off", || guest.power_off())
}

fn show(system: &Booted) {
    say(&format!("    bootc: {}", system.bootc));
    for text in [&system.status, &system.cmdline, &system.mounts] {
        say(&indented(text));
    }
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// The installer that was built together with this program.
fn installer() -> Result<PathBuf> {
    let path = std::env::current_exe()
        .context("finding the demo's own program")?
        .with_file_name("bootc-installer");
    ensure!(
        path.is_file(),
        "there is no {}. Next step: make build",
        path.display()
    );
    Ok(path)
}

/// What the demo writes.
#[derive(Debug)]
struct Files {
    dir: PathBuf,
}

impl Files {
    fn new(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn disk(&self) -> PathBuf {
        self.path("disk.raw")
    }

    /// Not in /tmp, which may be RAM.
    fn registry(&self) -> PathBuf {
        self.path("registry")
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }

    /// Removes what an earlier demo wrote, and nothing else: the directory is
    /// the person's choice.
    fn clear(&self) -> Result<()> {
        for name in [
            "boot-bios.log",
            "boot-uefi.log",
            "disk.raw",
            "events.jsonl",
            "install.log",
            "plan.json",
            "registry",
        ] {
            cache::remove_tree(&self.path(name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn options_are_as_the_readme_says() {
        Options::command().debug_assert();
        let plain = Options::parse_from(["demo"]);
        assert_eq!(plain.firmware.firmwares().len(), 2);
        assert_eq!(plain.out, Path::new("out/demo"));
        assert!(!plain.keep_disk);
        let one = Options::parse_from(["demo", "--firmware", "uefi", "--keep-disk"]);
        assert_eq!(one.firmware.firmwares(), [Firmware::Uefi]);
        assert!(one.keep_disk);
        assert!(Options::try_parse_from(["demo", "--firmware", "coreboot"]).is_err());
    }

    #[test]
    fn every_tool_has_a_package() {
        assert_eq!(apt::packages_for(TOOLS).unwrap().len(), TOOLS.len());
    }

    #[test]
    fn clearing_leaves_what_is_not_the_demos() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(&dir.path().join("a/b")).unwrap();
        files.write("plan.json", "{}").unwrap();
        files.write("notes", "mine").unwrap();
        fs::create_dir(files.registry()).unwrap();
        files.clear().unwrap();
        let left: Vec<_> = fs::read_dir(&files.dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["notes"]);
    }

    #[test]
    fn lines_are_indented() {
        assert_eq!(indented("a\n  b\n"), "    a\n      b");
        assert_eq!(indented(""), "");
    }
}
