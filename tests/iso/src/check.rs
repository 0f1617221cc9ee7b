// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boot menu's check of the medium: a good one passes, and one with a
//! single wrong bit does not.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use testkit::cmd::CommandExt;
use vm::{DirectKernel, Machine, Qmp, until_restart, until_said};

use crate::report::Report;
use crate::way::Way;

/// Reading and hashing half a gigabyte, in emulation.
const LIMIT: Duration = Duration::from_secs(900);
/// Between two presses of the key, and two pictures.
const INTERVAL: Duration = Duration::from_millis(700);
/// The entry's key in the boot menu. GRUB keeps `c` and `e` for itself.
const KEY: &str = "m";
/// What makes the entry what it is.
const WORD: &str = "verify-checksums";
const FAILED: &str = "Verification failed";

/// Checks both; pictures, consoles and the damaged medium go to `out`.
pub(crate) fn check(iso: &Path, out: &Path, report: &mut Report) -> Result<()> {
    good(iso, out, report)?;
    damaged(iso, out, report)
}

/// By the key in the real menu. The machine starts again when all is well.
fn good(iso: &Path, out: &Path, report: &mut Report) -> Result<()> {
    let scratch = tempfile::Builder::new().prefix("iso-check-").tempdir()?;
    let socket = scratch.path().join("qmp");
    let machine = Machine {
        qmp: Some(socket.clone()),
        ..machine(iso)
    };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        let picture = out.join("01-check.png");
        scope.spawn(move || {
            let mut qmp = None;
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                // A machine that is gone, or not there yet, has no keys.
                qmp = match qmp.take() {
                    None => Qmp::connect(&socket, Duration::ZERO).ok(),
                    Some(mut qmp) => step(&mut qmp, &picture).ok().map(|()| qmp),
                };
            }
        });
        let ended = until_restart(&machine, LIMIT);
        drop(stop);
        ended
    })
    .context("the check of the good medium")?;
    report.seconds("check of the good medium", begun.elapsed());
    Ok(())
}

/// The key does nothing once the menu is left; the last picture stays.
fn step(qmp: &mut Qmp, picture: &Path) -> Result<()> {
    qmp.press(KEY)?;
    Ok(qmp.screenshot(picture)?)
}

/// The same entry, loaded by QEMU with a console that can be read.
fn damaged(iso: &Path, out: &Path, report: &mut Report) -> Result<()> {
    let copy = out.join("damaged.iso");
    fs::copy(iso, &copy).context("copying the medium")?;
    let at = flip(&copy)?;
    let kernel = entry(iso, out)?;
    let begun = Instant::now();
    let log = out.join("damaged-console.log");
    let said = until_said(&machine(&copy), Some(kernel), FAILED, LIMIT, &log)?;
    ensure!(!said.contains("successful"), "the damaged medium passed");
    report.seconds(&format!("damage at byte {at} found after"), begun.elapsed());
    fs::remove_file(&copy).context("removing the damaged medium")
}

fn machine(iso: &Path) -> Machine {
    Machine {
        memory_mib: Way::Check.memory_mib(),
        network: false,
        medium: Some(iso.to_owned()),
        ..Machine::default()
    }
}

/// Makes one bit wrong in the middle, where the live system is. Tells where.
fn flip(iso: &Path) -> Result<u64> {
    let file = File::options()
        .read(true)
        .write(true)
        .open(iso)
        .context("opening the copy of the medium")?;
    let at = file.metadata()?.len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)
        .and_then(|()| file.write_all_at(&[byte[0] ^ 1], at))
        .context("changing the copy of the medium")?;
    Ok(at)
}

/// The menu's entry, with its files taken out of the medium.
fn entry(iso: &Path, out: &Path) -> Result<DirectKernel> {
    let take = |from: &str, name: &str| -> Result<PathBuf> {
        let to = out.join(name);
        Command::new("xorriso")
            .args(["-osirrox", "on", "-indev"])
            .arg(iso)
            .args(["-extract", from])
            .arg(&to)
            .run()?;
        Ok(to)
    };
    let menu = take("/boot/grub/grub.cfg", "grub.cfg")?;
    let menu = fs::read_to_string(menu).context("reading the boot menu")?;
    let entry = parse(&menu)?;
    Ok(DirectKernel {
        kernel: take(&entry.kernel, "vmlinuz")?,
        initramfs: take(&entry.initramfs, "initrd")?,
        command_line: format!("{} console=ttyS0", entry.words),
    })
}

#[derive(Debug, PartialEq)]
struct Entry {
    kernel: String,
    words: String,
    initramfs: String,
}

/// The entry of a GRUB menu that checks the medium.
fn parse(menu: &str) -> Result<Entry> {
    let mut lines = menu.lines().map(str::trim);
    let line = lines
        .find(|line| line.starts_with("linux") && line.split(' ').any(|word| word == WORD))
        .with_context(|| format!("no entry with {WORD} in the boot menu"))?;
    // A variable that GRUB has only when it started from a file on a disk.
    let line = line.replace("${iso_path}", "");
    let mut words = line.split_whitespace().skip(1);
    let kernel = words.next().context("the entry has no kernel")?;
    let initramfs = lines
        .next()
        .and_then(|line| line.strip_prefix("initrd"))
        .context("no initrd after the entry's kernel")?;
    Ok(Entry {
        kernel: kernel.to_owned(),
        words: words.collect::<Vec<_>>().join(" "),
        initramfs: initramfs.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_entry_that_checks() {
        let menu = "menuentry \"Install\" {\n linux /live/vmlinuz boot=live\n initrd /a\n}\n\
            menuentry \"Check\" {\n    linux /live/vmlinuz boot=live findiso=${iso_path} verify-checksums\n    \
            initrd /live/initrd.img\n}\n";
        let entry = Entry {
            kernel: "/live/vmlinuz".to_owned(),
            words: "boot=live findiso= verify-checksums".to_owned(),
            initramfs: "/live/initrd.img".to_owned(),
        };
        assert_eq!(parse(menu).unwrap(), entry);
        assert!(parse("linux /live/vmlinuz boot=live\ninitrd /a\n").is_err());
    }
}
