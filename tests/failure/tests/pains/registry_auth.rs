// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private registries: without, with wrong and with right credentials, and
//! what the installed system gets of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::error::Code;
use contract::event::{Event, Summary, Task};
use failure::{Disk, Tiny, World, bootc, files_with};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use testkit::registry::{Options, Registry};

use crate::registry::refused;

const USER: &str = "alice";
const PASSWORD: &str = "correct-horse-9";
const WRONG: &str = "battery-staple-7";

/// A registry that wants a login, with the tiny image.
pub(crate) fn private(world: &World) -> Option<(Registry, String)> {
    private_with(world, &Tiny::working())
}

fn private_with(world: &World, image: &Tiny) -> Option<(Registry, String)> {
    if !testkit::registry::available() {
        return None;
    }
    let storage = world.new_path("storage");
    let open = Options::default().storage(&storage).start().unwrap();
    let image = image.write(world);
    open.push(&image.reference(), "os/tiny", "v1").unwrap();
    drop(open);
    let options = Options::default().storage(&storage).login(USER, PASSWORD);
    let registry = options.start().unwrap();
    let image = format!("{}/os/tiny:v1", registry.host());
    Some((registry, image))
}

fn encoded(password: &str) -> String {
    STANDARD.encode(format!("{USER}:{password}"))
}

fn auth_file(world: &World, host: &str, password: &str) -> PathBuf {
    // One entry too much, which is nobody's business.
    let other = STANDARD.encode("bob:unrelated-secret-5");
    let text = json!({"auths": {
        host: {"auth": encoded(password)},
        "other.example": {"auth": other},
    }});
    world.file("auth.json", text.to_string())
}

#[test]
fn private_image_without_credentials_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = private(&world) else {
        return;
    };
    let host = registry.host();
    refused(
        &world,
        &image,
        |i| i.plain_http(&host),
        Code::RegistryAuthRequired,
        &host,
    );
}

#[test]
fn wrong_credentials_are_refused_and_not_printed() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = private(&world) else {
        return;
    };
    let host = registry.host();
    let file = auth_file(&world, &host, WRONG);
    refused(
        &world,
        &image,
        |i| {
            i.plain_http(&host)
                .arg("--authfile")
                .arg(&file)
                .secret(USER, WRONG)
        },
        Code::RegistryAuth,
        &host,
    );
    let entry = format!("insecure: true, username: {USER}, password: {WRONG}");
    refused(
        &world,
        &image,
        |i| i.registry(&host, &entry).secret(USER, WRONG),
        Code::RegistryAuth,
        &host,
    );
}

/// Installs with the right password from an auth file.
fn installed(world: &World, host: &str, image: &str, keep: bool) -> (Disk, Summary) {
    let disk = world.small_disk();
    let file = auth_file(world, host, PASSWORD);
    let run = world
        .install(image, disk.path())
        .args(["--bootloader", "none", "--authfile"])
        .arg(file)
        .plain_http(host)
        .setting(&format!("keepCredentials: {keep}"))
        .secret(USER, PASSWORD)
        .secret("bob", "unrelated-secret-5")
        .run();
    let summary = run.assert_done().clone();
    (disk, summary)
}

#[test]
fn right_credentials_are_kept_only_with_consent() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = private(&world) else {
        return;
    };
    let host = registry.host();
    let (disk, summary) = installed(&world, &host, &image, false);
    let etc = disk.path().join(&summary.deployment).join("etc");
    assert!(!etc.join("ostree").exists());
    let secrets = [PASSWORD, &encoded(PASSWORD)];
    assert_eq!(files_with(&[disk.path()], &secrets), Vec::<PathBuf>::new());
    drop(disk);

    let (disk, summary) = installed(&world, &host, &image, true);
    let file = disk
        .path()
        .join(&summary.deployment)
        .join("etc/ostree/auth.json");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let kept: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let name = format!("{host}/os/tiny");
    assert_eq!(
        kept,
        json!({"auths": { name: {"auth": encoded(PASSWORD)} }})
    );
    assert_eq!(files_with(&[disk.path()], &secrets), [file]);
}

/// Anybody on the machine can see those.
#[test]
fn credentials_are_in_no_command_line_and_no_environment() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = private_with(&world, &Tiny::new(bootc::HANGS)) else {
        return;
    };
    let disk = world.small_disk();
    let entry = format!("insecure: true, username: {USER}, password: {PASSWORD}");
    let mut running = world
        .install(&image, disk.path())
        .args(["--bootloader", "none"])
        .registry(&registry.host(), &entry)
        .setting("keepCredentials: true")
        .secret(USER, PASSWORD)
        .start();
    running.until(|event| {
        matches!(
            event,
            Event::Progress {
                task: Task::Deploy,
                ..
            }
        )
    });
    let processes = running.processes();
    assert!(processes.len() > 3, "{processes:#?}");
    for process in &processes {
        for text in [PASSWORD, &encoded(PASSWORD)] {
            assert!(!process.contains(text), "{process}");
        }
    }
    running.signal(Signal::SIGTERM);
    running.finish().assert_error(Code::Cancelled, "stopped");
}

#[test]
fn credentials_come_from_the_configuration_as_well() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = private(&world) else {
        return;
    };
    let file = world.file("password", format!("{PASSWORD}\n"));
    for login in [
        format!("username: {USER}, password: {PASSWORD}"),
        format!("username: {USER}, passwordFile: {}", file.display()),
        format!("auth: {}", encoded(PASSWORD)),
    ] {
        let disk = world.small_disk();
        let installer = world
            .install(&image, disk.path())
            .args(["--bootloader", "none"]);
        let entry = format!("insecure: true, {login}");
        let installer = installer
            .registry(&registry.host(), &entry)
            .secret(USER, PASSWORD);
        installer.run().assert_done();
    }
}

/// A plan says where the secrets are, never what they are.
#[test]
fn plan_holds_no_secret() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = private(&world) else {
        return;
    };
    let disk = world.small_disk();
    let entry = format!("insecure: true, username: {USER}, password: {PASSWORD}");
    let plan = world
        .installer()
        .args(["plan", "--bootloader", "none", "--image", &image, "--root"])
        .arg(disk.path())
        .registry(&registry.host(), &entry)
        .secret(USER, PASSWORD)
        .output();
    assert!(plan.contains("\"digest\": \"sha256:"), "{plan}");
    let path = world.file("plan.json", plan);
    let installer = world
        .installer()
        .args(["install", "--events", "-", "--plan"]);
    installer
        .arg(path)
        .secret(USER, PASSWORD)
        .run()
        .assert_done();
}
