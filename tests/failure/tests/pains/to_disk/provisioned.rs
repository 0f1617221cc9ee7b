// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ignition configurations as input, and who looks for updates.

use std::fs;

use contract::error::Code;
use failure::{Raw, Tiny, World};

use super::{ROOT, TOOLS, file_of};

const TIMER: &str = "usr/lib/systemd/system/bootc-fetch-apply-updates.timer";
/// Writes down what it is told, where a test finds it.
const SYSTEMCTL: &str = "#!/bin/sh\necho \"$*\" >> /var/systemctl\n";

/// One whose updates can be switched.
fn switched() -> Tiny {
    Tiny::working()
        .with(TIMER, "[Timer]\n")
        .with_program("usr/bin/systemctl", SYSTEMCTL)
}

#[test]
fn updates_are_switched_by_bootcs_own_timer() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = switched().write(&world).reference();
    for (updates, said) in [
        ("automatic", "enable -- bootc-fetch-apply-updates.timer\n"),
        ("required", "enable -- bootc-fetch-apply-updates.timer\n"),
        ("manual", "disable -- bootc-fetch-apply-updates.timer\n"),
    ] {
        let file = file_of(&world);
        let run = world
            .to_disk(&image)
            .setting(&format!("updates: {updates}"))
            .args(["--bootloader", "none", "--size", "2G", "--file"])
            .arg(&file)
            .run();
        run.assert_done();
        assert_eq!(run.warnings(), [""; 0], "{updates}");
        let disk = Raw::of(&file, &["--read-only"]);
        disk.mounted(&world, ROOT, |root| {
            let told = root.join("ostree/deploy/default/var/systemctl");
            assert_eq!(fs::read_to_string(told).unwrap(), said);
        });
    }
}

#[test]
fn an_image_without_the_timer_is_told_of_or_refused() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let run = |updates: &str| {
        let file = file_of(&world);
        let installer = world
            .to_disk(&image)
            .setting(&format!("updates: {updates}"));
        let installer = installer.args(["--bootloader", "none", "--size", "2G", "--file"]);
        (installer.arg(&file).run(), file)
    };
    let (done, _) = run("automatic");
    done.assert_done();
    let warnings = done.warnings().join("\n");
    assert!(
        warnings.contains("no bootc-fetch-apply-updates.timer"),
        "{warnings}"
    );
    let (done, _) = run("manual");
    done.assert_done();
    assert_eq!(done.warnings(), [""; 0]);
    let (refused, file) = run("required");
    refused.assert_error(
        Code::CustomiseUnsupported,
        "bootc-fetch-apply-updates.timer",
    );
    assert!(!file.exists());
}

#[test]
fn what_ignition_cannot_do_here_is_refused_before_anything_is_written() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let config = |rest: &str| format!(r#"{{"ignition":{{"version":"3.3.0"}},{rest}}}"#);
    for (text, part) in [
        ("{".to_owned(), "no Ignition configuration"),
        (
            config(r#""storage":{"disks":[{"device":"/dev/sda"}]}"#),
            "storage.disks",
        ),
        (
            config(r#""storage":{"luks":[{"name":"a"}]}"#),
            "storage.luks",
        ),
        (
            config(
                r#""storage":{"files":[{"path":"/etc/a","contents":{"source":"https://a/b"}}]}"#,
            ),
            "/etc/a",
        ),
        (config(r#""networkd":{}"#), "networkd"),
    ] {
        let ignition = world.file("config.ign", &text);
        let file = file_of(&world);
        let run = world
            .to_disk(&image)
            .args(["--bootloader", "none", "--file"])
            .arg(&file)
            .arg("--ignition")
            .arg(ignition)
            .run();
        run.assert_error(Code::ConfigInvalid, part);
        assert!(!file.exists());
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 0);
    }
}
