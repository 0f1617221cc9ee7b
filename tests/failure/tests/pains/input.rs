// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wrong command lines, configurations and plans, and machines that lack
//! something. All of it is refused before the target is touched.

use std::fs;

use contract::error::{Code, Error};
use failure::{Disk, Installer, Run, Tiny, World};

const IMAGE: &str = "r.example/os/tiny:v1";

/// Runs `installer`, which is to install onto `disk`, and gives its error.
#[track_caller]
fn refused(disk: &Disk, installer: Installer<'_>, code: Code, object: &str) -> (Run, Error) {
    let before = disk.look();
    let run = installer.run();
    let error = run.assert_error(code, object).clone();
    before.assert_untouched(disk);
    (run, error)
}

/// An installation that would work.
fn good<'w>(world: &'w World, disk: &Disk) -> Installer<'w> {
    let source = Tiny::working().write(world).reference();
    world
        .install(IMAGE, disk.path())
        .args(["--source", &source, "--bootloader", "none"])
}

#[test]
fn unparsable_reference_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    for text in [
        "r.example/Upper/Case:v1",
        "r.example/os tiny",
        "r.example/os:",
        "https://r.example/os",
        "",
    ] {
        let installer = world.install(text, disk.path());
        refused(
            &disk,
            installer,
            Code::ImageRefInvalid,
            &format!("`{text}`"),
        );
    }
}

#[test]
fn no_image_at_all_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let config = world.file("bootc.conf", "stateroot: default\n");
    let installer = world
        .installer()
        .args(["install", "--events", "-", "--root"]);
    let installer = installer.arg(disk.path()).arg("--config").arg(config);
    refused(&disk, installer, Code::Usage, "image");
}

#[test]
fn options_that_do_not_exist_are_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let before = disk.look();
    let run = good(&world, &disk).arg("--bootlader").arg("none").run();
    assert_eq!(run.status.code(), Some(2), "{run}");
    assert!(
        run.stderr.contains("--bootlader") && run.stderr.contains("--bootloader"),
        "{run}"
    );
    before.assert_untouched(&disk);
}

#[test]
fn unknown_key_of_the_configuration_names_the_nearest() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    for (setting, wrong, near) in [
        ("statroot: default", "statroot", "stateroot"),
        ("installOptions: { kargz: [quiet] }", "kargz", "kargs"),
        (
            "registryAuth: { registries: { r.example: { insecur: true } } }",
            "insecur",
            "insecure",
        ),
    ] {
        let installer = good(&world, &disk).setting(setting);
        let (run, error) = refused(&disk, installer, Code::ConfigInvalid, wrong);
        let text = error.to_string();
        assert!(
            text.contains(&format!("`{near}`")) && text.contains("bootc.conf"),
            "{run}"
        );
    }
}

#[test]
fn wrong_values_of_the_configuration_are_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    for (setting, key) in [
        ("stateroot: [a, b]", "stateroot"),
        ("installOptions: { bootloader: lilo }", "bootloader"),
        ("installationApproach: kickstart", "installationApproach"),
        ("containerUrl: \"{{ registry }}/os\"", "containerUrl"),
        ("keepCredentials: perhaps", "keepCredentials"),
        ("stateroot: \"unfinished", "bootc.conf"),
    ] {
        refused(
            &disk,
            good(&world, &disk).setting(setting),
            Code::ConfigInvalid,
            key,
        );
    }
}

#[test]
fn missing_configuration_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let path = world.new_path("absent");
    let installer = good(&world, &disk).arg("--config").arg(&path);
    refused(
        &disk,
        installer,
        Code::ConfigInvalid,
        path.to_str().unwrap(),
    );
}

/// A message about a mistake must not quote the line that has the password.
#[test]
fn mistake_beside_a_password_does_not_print_it() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    for entry in [
        "username: alice, pasword: hunter-22",
        "username: alice, password: [hunter-22]",
        "username: alice, password: hunter-22, auth: eA==",
        "auth: hunter-22",
    ] {
        let installer = good(&world, &disk)
            .registry("r.example", entry)
            .secret("alice", "hunter-22");
        let before = disk.look();
        let run = installer.run();
        assert_eq!(run.status.code(), Some(2), "{run}");
        before.assert_untouched(&disk);
    }
}

#[test]
fn unreadable_credentials_are_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let absent = world.new_path("auth.json");
    let broken = world.file(
        "auth.json",
        r#"{"auths": {"r.example": {"auth": "hunter-22"#,
    );
    for path in [absent, broken] {
        let installer = good(&world, &disk)
            .arg("--authfile")
            .arg(&path)
            .secret("x", "hunter-22");
        refused(
            &disk,
            installer,
            Code::SecretUnreadable,
            path.to_str().unwrap(),
        );
    }
}

/// The plan of an installation that would work.
fn plan(world: &World, disk: &Disk) -> String {
    let source = Tiny::working().write(world).reference();
    let installer = world
        .installer()
        .args(["plan", "--no-lookup", "--image", IMAGE, "--root"]);
    let installer = installer.arg(disk.path()).args(["--source", &source]);
    installer.args(["--bootloader", "none"]).output()
}

fn play<'w>(world: &'w World, plan: &str) -> Installer<'w> {
    let path = world.file("plan.json", plan);
    world
        .installer()
        .args(["install", "--events", "-", "--plan"])
        .arg(path)
}

#[test]
fn wrong_plans_are_refused_and_the_right_one_works() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let good = plan(&world, &disk);
    let edited = |from: &str, to: &str| {
        assert!(good.contains(from), "{good}");
        good.replacen(from, to, 1)
    };
    for (text, object, part) in [
        (
            edited("\"version\": 1", "\"version\": 2"),
            "version 2",
            "bootc-installer plan",
        ),
        (edited("\"stateroot\"", "\"statroot\""), "plan", "statroot"),
        (edited("\"trim\"", "\"trimm\""), "plan", "trimm"),
        (
            edited("\"root\": \"/", "\"root\": \""),
            "target.root",
            "absolute",
        ),
        ("{}".to_owned(), "plan", "version"),
        ("no plan at all".to_owned(), "plan", "line 1"),
    ] {
        let (_, error) = refused(&disk, play(&world, &text), Code::PlanInvalid, object);
        let all = format!("{error} {}", error.details.join(" "));
        assert!(all.contains(part), "{part}: {all}");
    }
    let absent = world.new_path("absent");
    let installer = world
        .installer()
        .args(["install", "--events", "-", "--plan"])
        .arg(&absent);
    refused(
        &disk,
        installer,
        Code::PlanInvalid,
        absent.to_str().unwrap(),
    );

    play(&world, &good).run().assert_done();
}

#[test]
fn missing_tools_of_the_machine_are_named() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    for tool in ["blkid", "fstrim"] {
        let hidden = world.hide(tool);
        let installer = good(&world, &disk);
        let (_, error) = refused(&disk, installer, Code::ToolMissing, &format!("`{tool}`"));
        assert!(error.next.contains("util-linux"), "{error}");
        drop(hidden);
    }
    // Who does not want to trim needs no fstrim.
    let hidden = world.hide("fstrim");
    good(&world, &disk).arg("--no-trim").run().assert_done();
    drop(hidden);
}

#[test]
fn ordinary_user_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    // Nobody: the layout is readable, the target is not writable.
    let installer = good(&world, &disk).user(65534);
    refused(&disk, installer, Code::NotRoot, "root");
}

#[test]
fn unusable_sources_are_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let layout = Tiny::working().write(&world).layout;
    let absent = world.new_path("absent");
    let empty = world.new_path("empty");
    fs::create_dir(&empty).unwrap();
    for (path, tag) in [(&absent, "v1"), (&empty, "v1"), (&layout, "v9")] {
        let source = format!("oci:{}:{tag}", path.display());
        let installer = world
            .install(IMAGE, disk.path())
            .args(["--source", &source]);
        let installer = installer.args(["--bootloader", "none"]);
        refused(
            &disk,
            installer,
            Code::SourceInvalid,
            path.to_str().unwrap(),
        );
    }
    for path in [&absent, &world.file("root.squashfs", "not a file system")] {
        let installer = good(&world, &disk).arg("--runtime-root").arg(path);
        refused(
            &disk,
            installer,
            Code::SourceInvalid,
            path.to_str().unwrap(),
        );
    }
}
