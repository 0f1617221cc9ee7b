// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin in Calamares: from the first page to an installed system.

use std::time::Duration;

use test_gui::{Fs, Installed, Person, Served, World};

const GIB: u64 = 1 << 30;
/// For a pull and a deployment on a busy machine.
const LONG: Duration = Duration::from_secs(900);

#[test]
fn a_person_installs_the_image() {
    let Some(world) = World::enter("install") else {
        return;
    };
    let Some(live) = world.plugin() else {
        return;
    };
    let Some(served) = Served::standard(&world) else {
        return;
    };
    let disk = world.disk(Fs::Ext4, 8 * GIB);
    let person = Person::default();
    let mut session = live
        .target(&disk, Fs::Ext4)
        .module("bootc", &served.conf())
        .start();
    let words = session.words();
    session.next_until(words.full_name);
    session.enter_person(&person);
    session.next_until(words.summary);
    session.install();
    session.set_patience(LONG);
    session.wait_installed();
    session.screenshot("finished");
    session.press(words.done);
    let ended = session.wait_exit();
    ended.assert_clean();
    ended.assert_keeps(&person.password);
    drop(session);

    let installed = Installed::on_disk(&disk);
    assert_eq!(installed.hostname(), person.hostname);
    assert!(installed.account(&person.login).is_some());
    assert!(installed.has_password(&person.login, &person.password));
    assert_eq!(installed.timezone().as_deref(), Some("America/New_York"));
    assert!(installed.fstab().iter().all(|entry| entry[1] != "/"));
}
