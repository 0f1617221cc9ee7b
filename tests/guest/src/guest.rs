// SPDX-License-Identifier: MIT OR Apache-2.0
//! The live guest: our own root, and a shell in it.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use testkit::apt;
use testkit::cmd::CommandExt;
use vm::{Common, Configure, DirectKernel, Disk, Machine, Shell};

use crate::image::LiveImage;

/// Under TCG on a host with other work a boot takes minutes.
const BOOT_LIMIT: Duration = Duration::from_secs(420);
const COMMAND_LIMIT: Duration = Duration::from_secs(600);

/// Speed over safety: nothing secret lives in the guest, and under TCG both
/// mitigations and the timer's self-test cost (the latter can even hang).
const KERNEL_COMMAND_LINE: &str = "console=ttyS0 panic=-1 loglevel=5 no_timer_check \
    mitigations=off nokaslr random.trust_cpu=on audit=0 apparmor=0 net.ifnames=0";

/// How to start a [`Guest`].
#[derive(Clone, Debug)]
pub struct GuestConfig {
    common: Common,
    shares: Vec<PathBuf>,
    kernel_args: String,
}

impl Default for GuestConfig {
    fn default() -> Self {
        Self {
            common: Common {
                machine: Machine::default(),
                console_log: None,
                boot_limit: BOOT_LIMIT,
                command_limit: COMMAND_LIMIT,
            },
            shares: Vec::new(),
            kernel_args: String::new(),
        }
    }
}

impl Configure for GuestConfig {
    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

impl GuestConfig {
    /// 1 GiB of memory, 2 processors, BIOS, network, no disk. Half of the memory
    /// is what the root's overlay can hold; the host's 127.0.0.1 is 10.0.2.2. A
    /// boot may take 7 minutes, a command 10.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file or directory of the host, read-only at `/host/<its name>` as it
    /// is at the start. `/host` is in the guest's `PATH`, so a shared program
    /// is called by its name.
    #[must_use]
    pub fn share(mut self, path: impl Into<PathBuf>) -> Self {
        self.shares.push(path.into());
        self
    }

    /// More words for the kernel's command line.
    #[must_use]
    pub fn kernel_args(mut self, words: &str) -> Self {
        self.kernel_args.push(' ');
        self.kernel_args.push_str(words);
        self
    }

    /// The machine with the live root and the shares as its last disks.
    fn machine_in(&self, dir: &Path, image: &LiveImage) -> Result<Machine> {
        let mut machine = self.common.machine.clone();
        let root = Disk::new(&image.root).read_only().serial("live-root");
        machine.disks.push(root);
        if !self.shares.is_empty() {
            let file = dir.join("host-share.squashfs");
            pack_shares(&self.shares, &file)?;
            let share = Disk::new(file).read_only().serial("host-share");
            machine.disks.push(share);
        }
        Ok(machine)
    }

    fn kernel(&self, image: &LiveImage) -> DirectKernel {
        DirectKernel {
            kernel: image.kernel.clone(),
            initramfs: image.initramfs.clone(),
            command_line: format!("{KERNEL_COMMAND_LINE}{}", self.kernel_args),
        }
    }
}

/// Packs the shared paths into one squashfs, each under its own name. Not
/// compressed: it is read once, by a slow processor.
fn pack_shares(paths: &[PathBuf], file: &Path) -> Result<()> {
    apt::ensure(&["mksquashfs"])?;
    let mut names = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .with_context(|| format!("{} has no name to be shared under", path.display()))?;
        if names.contains(&name) {
            bail!("two shared paths have the name {}", name.to_string_lossy());
        }
        if !path.exists() {
            bail!(
                "{}, to be shared with the guest, is not there",
                path.display()
            );
        }
        names.push(name);
    }
    let mut command = Command::new("mksquashfs");
    command.args(paths).arg(file);
    command.args(["-noappend", "-no-progress", "-quiet", "-all-root"]);
    command.args([
        "-noI",
        "-noD",
        "-noF",
        "-noX",
        "-keep-as-directory",
        "-root-mode",
        "755",
    ]);
    command.run().context("packing the files for the guest")
}

/// A running live guest, with a shell for root. Dropping it ends the virtual
/// machine at once; [`Guest::power_off`] ends it in an orderly way.
#[derive(Debug)]
pub struct Guest(Shell);

impl Deref for Guest {
    type Target = Shell;

    fn deref(&self) -> &Shell {
        &self.0
    }
}

impl DerefMut for Guest {
    fn deref_mut(&mut self) -> &mut Shell {
        &mut self.0
    }
}

impl Guest {
    /// Boots the live root (made first when the cache lacks it) and returns
    /// when it takes commands.
    ///
    /// # Errors
    /// When the root cannot be made, or does not boot.
    pub fn start(config: &GuestConfig) -> Result<Self> {
        let image = LiveImage::build()?;
        let shell = Shell::of_kernel(&config.common, |dir| {
            anyhow::Ok((config.machine_in(dir, &image)?, config.kernel(&image)))
        })?;
        Ok(Self(shell))
    }

    /// Boots the live root on the terminal of this process and returns when
    /// it is powered off. Ctrl-A x ends it at once.
    ///
    /// # Errors
    /// As [`Guest::start`].
    pub fn interactive(config: &GuestConfig) -> Result<()> {
        let image = LiveImage::build()?;
        let dir = vm::directory()?;
        let machine = config.machine_in(dir.path(), &image)?;
        Ok(vm::interactive(
            &dir,
            &machine,
            Some(config.kernel(&image)),
        )?)
    }

    /// Unmounts the disks, powers off and waits for the end.
    ///
    /// # Errors
    /// When a command still runs, or the machine does not end.
    pub fn power_off(self) -> Result<()> {
        Ok(self.0.power_off()?)
    }
}
