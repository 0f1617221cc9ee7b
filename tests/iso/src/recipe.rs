// SPDX-License-Identifier: MIT OR Apache-2.0
//! An installation without a person: the recipe is a credential of the machine, and
//! the only thing that is pressed is a key of the boot menu, for the entry with a
//! console on the serial port, where all of it can be read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use test_gui::Person;
use vm::{Credential, Disk, Machine, Qmp, until_off, until_said};

use crate::report::Report;
use crate::way::Way;

/// The entry "Terminal on the serial port".
const KEY: &str = "p";
/// Between two presses of the key, and two pictures.
const INTERVAL: Duration = Duration::from_millis(700);
/// Firmware and menu are over after this; a kernel needs as long again to a terminal.
const MENU: Duration = Duration::from_secs(45);
/// A boot, and the refusal.
const REFUSAL: Duration = Duration::from_secs(900);
/// Of the disk that is meant; udev makes a link of it.
const SERIAL: &str = "target";
/// Of [`Person::default`]'s password.
const HASH: &str = "$6$saltsalt$v3HMrok4p5IDJ.dNW8r/JKLSauqr8nJSnP7rtX07TCH./Dijdjd8KA/L0.7TaZ/vBgKE6w0P3AKI.rtOESvBZ0";

/// What is said about a machine with two disks that fit.
const AMBIGUOUS: &str = "Error DISK_AMBIGUOUS: 2 disks fit the rule `largest-empty`.";

/// The recipe of the installation.
fn recipe(reference: &str, person: &Person) -> String {
    let Person {
        login, hostname, ..
    } = person;
    format!(
        "image: {reference}
registry: {{ insecure: true }}
disk: {{ id: /dev/disk/by-id/virtio-{SERIAL} }}
users: [{{ name: {login}, passwordHash: \"{HASH}\", groups: [users] }}]
hostname: {hostname}
locale: C.UTF-8
keyboard: {{ layout: de, variant: nodeadkeys }}
timezone: Europe/Berlin
kargs: [installed.by=recipe]
files: [{{ path: /etc/issue.d/shop.issue, contents: \"shop\\n\" }}]
"
    )
}

/// The machine, which starts from the medium, with its recipe.
fn machine(iso: &Path, disks: Vec<Disk>, recipe: String, qmp: PathBuf) -> Machine {
    Machine {
        memory_mib: Way::Unattended.memory_mib(),
        disks,
        medium: Some(iso.to_owned()),
        credentials: vec![Credential::new("installer.recipe", recipe)],
        qmp: Some(qmp),
        ..Machine::default()
    }
}

/// Two disks of one size, and a recipe that wants the largest: neither is touched.
pub(crate) fn refused(iso: &Path, scratch: &Path, out: &Path, report: &mut Report) -> Result<()> {
    let disks = [out.join("one.raw"), out.join("two.raw")];
    for disk in &disks {
        e2e::disk::make(disk, 4 << 30)?;
    }
    let text = "disk: { rule: largest-empty }\nimage: registry.invalid/os/debian:13\n";
    let qmp = scratch.join("qmp-refused");
    let log = out.join("refused-console.log");
    let machine = machine(
        iso,
        disks.iter().map(Disk::new).collect(),
        text.to_owned(),
        qmp.clone(),
    );
    let begun = Instant::now();
    let said = with_key(&qmp, &out.join("01-refused.png"), || {
        Ok(until_said(&machine, None, AMBIGUOUS, REFUSAL, &log)?)
    })?;
    report.seconds("two disks that fit refused after", begun.elapsed());
    let line = said.lines().find(|line| line.contains("DISK_AMBIGUOUS"));
    report.fact("said", line.unwrap_or_default());
    for disk in &disks {
        let used = fs::metadata(disk).context("looking at a disk")?.blocks();
        ensure!(used == 0, "{} was written to", disk.display());
        fs::remove_file(disk).context("removing a disk")?;
    }
    report.fact("disks", "untouched");
    Ok(())
}

/// Installs and switches itself off. Gives the digest that it told.
pub(crate) fn install(
    iso: &Path,
    disk: &Path,
    reference: &str,
    person: &Person,
    (scratch, out): (&Path, &Path),
    limit: Duration,
    report: &mut Report,
) -> Result<String> {
    let recipe = recipe(reference, person);
    fs::write(out.join("recipe.yaml"), &recipe).context("keeping the recipe")?;
    let qmp = scratch.join("qmp-unattended");
    let log = out.join("medium-console.log");
    let disk = Disk::new(disk).serial(SERIAL);
    let machine = machine(iso, vec![disk], recipe, qmp.clone());
    let begun = Instant::now();
    let said = with_key(&qmp, &out.join("02-unattended.png"), || {
        Ok(until_off(&machine, limit, &log)?)
    })?;
    report.seconds("from power on to power off", begun.elapsed());
    ensure!(!said.contains(HASH), "the hash is on the console");
    let told = ["TaskEnd ", "Message info plan: "];
    for line in said.lines() {
        if told.iter().any(|kind| line.contains(kind)) {
            report.fact("said", line.trim());
        }
    }
    let done = said.lines().find(|line| line.contains("Done "));
    let done = done.context("it was not done")?;
    let digest = e2e::boots::digest_in(done);
    report.fact("said", done.trim());
    digest.with_context(|| format!("no digest in {done:?}"))
}

/// Presses the key for as long as there is a menu, and does `work` meanwhile. The last
/// picture stays.
fn with_key<T: Send>(qmp: &Path, picture: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut begun = None;
            let mut hands = None;
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                // A machine that is gone, or not there yet, has no keys.
                hands = match hands.take() {
                    None => Qmp::connect(qmp, Duration::ZERO).ok(),
                    Some(mut hands) => {
                        let since: &Instant = begun.get_or_insert_with(Instant::now);
                        // Later it would be typed into a terminal.
                        let menu = since.elapsed() < MENU;
                        step(&mut hands, menu, picture).ok().map(|()| hands)
                    }
                };
            }
        });
        let done = work();
        drop(stop);
        done
    })
}

fn step(hands: &mut Qmp, menu: bool, picture: &Path) -> Result<()> {
    if menu {
        hands.press(KEY)?;
    }
    Ok(hands.screenshot(picture)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_is_one() {
        let person = Person::default();
        let text = recipe("10.0.2.2:5000/os/debian:forky", &person);
        let (name, dir) = (Path::new("r"), Path::new("/"));
        let read = ::recipe::parse(name, dir, &text).expect("a recipe");
        assert_eq!(read.users[0].name, person.login);
        assert!(!text.contains(&person.password));
    }
}
