// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calamares with its stock modules only: what the harness can do and see.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use test_gui::{Exit, Fs, Person, Session, Want, World};

const GIB: u64 = 1 << 30;

/// Goes from the first page to the summary.
fn walk(session: &mut Session<'_>, person: &Person) {
    session.screenshot("welcome");
    session.next();
    session.wait("America");
    session.screenshot("locale");
    session.next();
    session.screenshot("keyboard");
    session.next();
    let words = session.words();
    session.wait(words.full_name);
    assert!(!session.is_enabled(words.next), "nothing was entered yet");
    session.enter_person(person);
    session.screenshot("users");
    session.next();
    session.wait_enabled(words.install);
    session.screenshot("summary");
}

fn walk_and_install(test: &str, language: &str) {
    let Some(world) = World::enter(test) else {
        return;
    };
    let disk = world.disk(Fs::Ext4, GIB);
    let person = Person {
        full_name: "Jörg <b>„Ü“</b> 😀".to_owned(),
        ..Person::default()
    };
    let mut session = world
        .stock()
        .language(language)
        .target(&disk, Fs::Ext4)
        .start();
    walk(&mut session, &person);
    session.install();
    session.wait_installed();
    session.screenshot("finished");
    let storage = session.storage().pop().unwrap();
    assert_eq!(storage["fullname"], person.full_name.as_str());
    assert_eq!(storage["username"], "ada");
    assert_eq!(
        storage["partitions"][0]["device"],
        disk.device().to_str().unwrap()
    );
    assert_eq!(storage["password"], "(hidden)");
    let root = storage["rootMountPoint"].as_str().unwrap();
    let log = session.log();
    assert!(log.contains(root), "{root} is not in the log");

    let gui = session.responsiveness();
    assert!(
        gui.count > 10 && gui.max < Duration::from_secs(5),
        "{gui:?}"
    );
    eprintln!("{language}: window after {:?}, {gui:?}", session.start_up());
    session.press(session.words().done);
    let ended = session.wait_exit();
    ended.assert_clean();
    ended.assert_keeps(&person.password);
}

#[test]
fn a_walk_through_all_pages_in_english() {
    walk_and_install("walk-english", "C.UTF-8");
}

#[test]
fn a_walk_through_all_pages_in_german() {
    walk_and_install("walk-german", "de_DE.UTF-8");
}

#[test]
fn closing_the_window_asks_and_then_leaves_nothing() {
    let Some(world) = World::enter("close") else {
        return;
    };
    let mut session = world.stock().start();
    session.close_window();
    session.wait(Want::dialog());
    session.screenshot("question");
    session.press(session.words().no);
    session.wait_gone(Want::dialog());
    session.close_window();
    session.confirm_cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn cancel_asks_and_then_leaves_nothing() {
    let Some(world) = World::enter("cancel") else {
        return;
    };
    let mut session = world.stock().start();
    session.next();
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn a_failure_is_told_and_emergency_jobs_clean_up() {
    let Some(world) = World::enter("failure") else {
        return;
    };
    let disk = world.disk(Fs::Ext4, GIB);
    let jobs = [
        "presetpartitions",
        "mount",
        "failing",
        "dumpstorage",
        "umount",
    ];
    let mut session = world
        .stock()
        .target(&disk, Fs::Ext4)
        .settings(|settings| settings.exec(&jobs))
        .start();
    walk(&mut session, &Person::default());
    session.install();
    let told = session.wait_failed();
    session.screenshot("failed");
    assert!(told.contains("The test wants this to fail."), "{told}");
    assert!(
        told.contains("These are the details of the failure."),
        "{told}"
    );
    // dumpstorage is an emergency module here, and ran after the failure.
    assert_eq!(session.storage().len(), 1);
    // Its answer ends Calamares too.
    session.press(session.words().no);
    session.wait_exit().assert_clean();
}

/// Calamares ends the thread of a stock job and runs no emergency job: what is
/// left then is seen.
#[test]
fn what_a_cancelled_stock_job_leaves_is_seen() {
    let Some(world) = World::enter("cancel-job") else {
        return;
    };
    let disk = world.disk(Fs::Ext4, GIB);
    let mut session = world
        .stock()
        .target(&disk, Fs::Ext4)
        .settings(|settings| settings.exec(&["presetpartitions", "mount", "slow", "umount"]))
        .start();
    walk(&mut session, &Person::default());
    session.install();
    session.wait_text("Taking its time");
    assert!(session.progress() > 0.0);
    session.screenshot("job");
    session.cancel();
    let ended = session.wait_exit();
    let device = disk.device().to_str().unwrap();
    eprintln!("cancelled in a stock job: {:?}", ended.exit);
    assert!(
        ended.mounts.iter().any(|line| line.contains(device)),
        "{ended:?}"
    );
}

#[test]
fn a_killed_calamares_is_told_from_one_that_ended() {
    let Some(world) = World::enter("killed") else {
        return;
    };
    let mut session = world.stock().start();
    session.signal("SIGABRT");
    let ended = session.wait_exit();
    assert_eq!(ended.exit, Exit::Signal(6));
    ended.assert_nothing_left();
}
