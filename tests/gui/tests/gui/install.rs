// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole way: from the first page to a system on the disk.

#![allow(clippy::unwrap_used)]

use serde_json::json;
use test_gui::{Disk, Fs, Installed, Person, Sequence, Served, Tiny, bootc};

use crate::steps::{SMALL, enter, to_page, to_summary};

const TARGET: u64 = 8 << 30;

#[test]
fn from_welcome_to_a_system_with_the_persons_settings() {
    let Some(world) = enter("install") else {
        return;
    };
    let Some(served) = Served::standard(&world) else {
        return;
    };
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, TARGET);
    let person = Person::default();
    let live = live
        .language("de_DE.UTF-8")
        .target(&disk, Fs::Ext4)
        .module("bootc", &served.conf());
    let mut session = live.start();
    session.wait_text("einige Fragen");
    session.screenshot("1-welcome");
    session.next();
    session.wait_text("Europe");
    session.screenshot("2-locale");
    session.next();
    session.wait_text("Tastaturmodell");
    session.screenshot("3-keyboard");
    session.next();
    session.wait_text(served.digest());
    session.screenshot("4-system");
    session.wait_enabled(session.words().next);
    session.next();
    session.wait(session.words().full_name);
    session.enter_person(&person);
    session.screenshot("5-users");
    session.next();
    session.wait_enabled(session.words().install);
    session.wait_text(served.digest());
    session.screenshot("6-summary");
    session.install();
    session.wait_text("MB");
    session.screenshot("7-download");
    let calm = session.responsiveness();
    session.wait_installed();
    session.wait_text("entfernen Sie das Installationsmedium");
    session.screenshot("8-finished");
    eprintln!("while installing, answers of the GUI: {calm:?}");
    session.press(session.words().done);
    let ended = session.wait_exit();
    ended.assert_clean();
    ended.assert_keeps(&person.password);

    let system = Installed::on_disk(&disk);
    let account = system.account(&person.login).expect("no account");
    assert_eq!(account[2], "1000", "{account:?}");
    assert!(account[4].starts_with(&person.full_name), "{account:?}");
    assert!(system.has_password(&person.login, &person.password));
    assert_eq!(system.hostname(), person.hostname);
    assert_eq!(system.locale().as_deref(), Some("de_DE.UTF-8"));
    assert_eq!(system.formats().as_deref(), Some("de_DE.UTF-8"));
    assert_eq!(system.layout().as_deref(), Some("de"));
    assert_eq!(system.timezone().as_deref(), Some("Europe/Berlin"));
    let home = disk
        .path()
        .join("ostree/deploy/default/var/home")
        .join(&person.login);
    assert!(home.is_dir(), "{}", home.display());
    for line in system.fstab() {
        assert_ne!(line[1], "/", "{line:?}");
    }
    assert!(!disk.path().join(".bootc-scratch").exists());
}

#[test]
fn a_failure_of_a_stock_module_closes_the_target() {
    let Some(world) = enter("stock-failure") else {
        return;
    };
    let Some(served) = Served::tiny(&world, &Tiny::new(bootc::DEPLOYS)) else {
        return;
    };
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    let live = live
        .target(&disk, Fs::Ext4)
        .module("bootc", &served.conf())
        .settings(|s| s.after(Sequence::Exec, "bootc", "failing"));
    let mut session = to_page(live);
    to_summary(&mut session, &Person::default());
    session.install();
    let told = session.wait_failed();
    session.screenshot("failed");
    assert!(told.contains("The test wants this to fail."), "{told}");
    session.press(session.words().close);
    session.wait_exit().assert_clean();
    // What the engine installed is on the disk nevertheless.
    assert!(Installed::on_disk(&disk).path().is_dir());
}

/// `/home` and swap of their own, and a partition of somebody else's.
#[test]
fn partitions_become_fstab() {
    let Some(world) = enter("fstab") else { return };
    let Some(served) = Served::tiny(&world, &Tiny::new(bootc::DEPLOYS)) else {
        return;
    };
    let live = world.plugin();
    let root = world.disk(Fs::Ext4, SMALL);
    let home = world.disk(Fs::Ext4, 1 << 30);
    let partition = |disk: &Disk, mount_point: &str| {
        json!({
            "device": disk.device(), "mountPoint": mount_point, "fsName": "ext4", "fs": "ext4",
            "uuid": disk.uuid(), "partuuid": "", "claimed": true,
        })
    };
    let storage = json!({
        "firmwareType": "bios",
        "bootLoader": {"installPath": root.device()},
        "partitionChoices": {"install": "manual", "swap": "none"},
        "partitions": [
            partition(&root, "/"),
            partition(&home, "/home"),
            {"device": "/dev/nonexistent1", "mountPoint": "", "fsName": "ntfs", "fs": "ntfs",
             "uuid": "AB-CD", "claimed": false},
        ],
    });
    let live = live
        .disk(&root)
        .disk(&home)
        .storage(&storage)
        .module("bootc", &served.conf())
        // The tiny image has no tools for them.
        .settings(|s| s.exec(&["presetpartitions", "mount", "bootc", "bootccleanup"]));
    let mut session = to_page(live);
    to_summary(&mut session, &Person::default());
    session.install();
    session.wait_installed();
    session.wait_text("take the installation medium out");
    session.press(session.words().done);
    session.wait_exit().assert_clean();
    let system = Installed::on_disk(&root);
    let entry = system
        .fstab()
        .into_iter()
        .find(|line| line[1] == "/var/home");
    let entry = entry.unwrap_or_else(|| panic!("{:?}", system.fstab()));
    assert_eq!(entry[0], format!("UUID={}", home.uuid()));
}
