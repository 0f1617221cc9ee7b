// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the welcome page to the finished one, as a person goes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::boots::digest_in;
use test_gui::{Gui, Person, Want};

use crate::live::PATIENCE;
use crate::report::Report;
use crate::room::Room;

/// Writes the least memory that was available so far, in MiB.
const WATCH_MEMORY: &str = "setsid sh -c 'least=; while sleep 2; do
    now=$(awk \"/^MemAvailable/ {print int(\\$2 / 1024)}\" /proc/meminfo)
    [ \"${least:-$now}\" -lt \"$now\" ] || { least=$now; echo $least >/run/least-memory; }
done' </dev/null >/dev/null 2>&1 &";

/// What is entered.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Typed into the system page; nothing when an image is chosen already.
    pub(crate) reference: Option<String>,
    pub(crate) person: Person,
}

/// Goes through all pages and installs. Returns the digest that the page
/// showed.
pub(crate) fn install(
    gui: &mut Gui<Room>,
    choice: &Choice,
    limit: Duration,
    report: &mut Report,
) -> Result<String> {
    let begun = Instant::now();
    gui.next();
    // Where a medium without a time zone of its own starts in American English.
    gui.wait_text("America");
    gui.screenshot("location");
    gui.next();
    gui.wait_text("Keyboard model");
    gui.screenshot("keyboard");
    gui.next();
    let digest = system(gui, choice)?;
    gui.next();
    partitions(gui);
    gui.next();
    let words = gui.words();
    gui.wait(words.full_name);
    gui.enter_person(&choice.person);
    gui.wait_enabled(words.next);
    gui.screenshot("users");
    gui.next();
    gui.wait_enabled(words.install);
    gui.wait_text(&digest);
    gui.screenshot("summary");
    report.seconds("welcome to summary", begun.elapsed());

    gui.around().guest.check(WATCH_MEMORY)?;
    let begun = Instant::now();
    gui.install();
    // File systems are made before anything is downloaded.
    gui.set_patience(limit);
    match choice.reference {
        Some(_) => gui.wait_text("MB"),
        None => gui.wait(Want::default().role("progress bar")),
    };
    gui.screenshot("install");
    gui.wait_installed();
    gui.wait_text("take the installation medium out");
    gui.set_patience(PATIENCE);
    report.seconds("installation", begun.elapsed());
    gui.screenshot("finished");
    let least = gui.around().guest.check("cat /run/least-memory")?;
    report.fact("MiB of memory available at the least", &least);
    Ok(digest)
}

/// The page on which the image is chosen.
fn system(gui: &mut Gui<Room>, choice: &Choice) -> Result<String> {
    gui.wait_text("Which system");
    if let Some(reference) = &choice.reference {
        gui.wait_disabled(gui.words().next);
        gui.type_into(Want::field("Image address"), reference);
        gui.press("Check");
    }
    gui.wait("This image can be installed.");
    let shown = gui.text(Want::containing("sha256:"));
    gui.wait_enabled(gui.words().next);
    gui.screenshot("system");
    digest_in(&shown).with_context(|| format!("no digest in {shown:?}"))
}

/// Erases the disk.
fn partitions(gui: &mut Gui<Room>) {
    let erase = || Want::containing("Erase disk").role("radio button");
    gui.wait(erase());
    gui.press_widget(erase());
    gui.wait(erase().with_state("checked"));
    gui.wait_enabled(gui.words().next);
    gui.screenshot("partitions");
}

/// Chooses to restart and leaves; the machine ends then.
pub(crate) fn restart(mut gui: Gui<Room>) -> Result<()> {
    let restart = || Want::containing("Restart now").role("check box");
    if !gui.wait(restart()).is("checked") {
        gui.press_widget(restart());
        gui.wait(restart().with_state("checked"));
    }
    gui.press(gui.words().done);
    gui.leave()
        .guest
        .wait_off(PATIENCE)
        .context("waiting for the restart")
}

/// Fails when this password is where others could find it.
pub(crate) fn keeps(room: &mut Room, password: &str) -> Result<()> {
    let script = format!(
        "{{ cat /root/.cache/calamares/session.log; journalctl --boot --no-pager; }} \
         | grep -cF -- '{password}' || true"
    );
    let count = room.guest.check(&script)?;
    ensure!(
        count.trim() == "0",
        "the password is {} times in the log of Calamares or of the system",
        count.trim()
    );
    Ok(())
}
