// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bootc that fails: its own words are shown, and its log is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use contract::error::{Code, Error};
use failure::{Disk, Run, Tiny, World, bootc};

/// Installs an image with this script as its bootc; the run, its error and
/// bootc's log.
fn failed(world: &World, disk: &Disk, script: &str) -> (Run, Error, PathBuf) {
    let source = Tiny::new(script).write(world).reference();
    let run = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &source, "--bootloader", "none"])
        .run();
    let error = run.assert_error(Code::BootcFailed, "bootc").clone();
    assert!(!disk.path().join(".bootc-scratch").exists());
    let log = error
        .details
        .iter()
        .find_map(|d| d.strip_prefix("bootc's log: "));
    let log = PathBuf::from(log.unwrap());
    (run, error, log)
}

#[test]
fn failing_bootc_is_quoted_and_its_log_is_kept_private() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let (_, error, log) = failed(&world, &disk, bootc::FAILS);
    // The last one, and nothing of those before.
    let expected = "bootc: Installing to filesystem: Bending the widget: It is broken already";
    assert_eq!(error.details[0], expected);
    assert!(
        error.next.contains("log") && error.next.contains("new file system"),
        "{error}"
    );
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(log.clone()), 0o600);
    assert_eq!(mode(log.parent().unwrap().to_owned()), 0o700);
    let text = fs::read_to_string(log).unwrap();
    for line in [
        "Installing image: docker://some/image",
        "error: an earlier one",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn bootc_that_says_nothing_is_told_by_its_status() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let (_, error, _) = failed(&world, &disk, bootc::IS_SILENT);
    assert!(error.details[0].contains("status 7"), "{error:?}");
}

#[test]
fn bootc_that_dies_is_told_by_its_signal() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    // Pid 1 of a namespace takes no signal from inside, so its child does.
    let script = "sh -c 'kill -SEGV $$'; exit $?\n";
    let (_, error, _) = failed(&world, &disk, script);
    assert!(error.details[0].contains("139"), "{error:?}");
}

#[test]
fn bootc_that_cannot_be_executed_is_told() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let source = Tiny::working()
        .with("usr/bin/bootc", "#!/no/such/shell\n")
        .write(&world);
    let run = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &source.reference(), "--bootloader", "none"])
        .run();
    let Some(contract::event::Event::Error(error)) = run.events.last() else {
        panic!("{run}");
    };
    assert!(error.what.contains("`bootc`"), "{run}");
    assert_ne!(error.code, Code::Internal, "{run}");
    assert!(!disk.path().join(".bootc-scratch").exists());
}

/// A bootc that reports success and leaves no deployment.
#[test]
fn bootc_that_lies_is_found_out() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let source = Tiny::new("echo 'Installation complete!'\n")
        .write(&world)
        .reference();
    let run = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &source, "--bootloader", "none"])
        .run();
    run.assert_error(Code::DeploymentFailed, "deployment");
    assert!(!disk.path().join(".bootc-scratch").exists());
}

/// A person who reads the message and does what it says gets a system.
#[test]
fn new_file_system_after_a_failure_works() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let script = format!("mkdir /run/target/ostree\n{}", bootc::FAILS);
    failed(&world, &disk, &script);
    let install = |source: &str| {
        let installer = world.install("r.example/os/tiny:v1", disk.path());
        installer
            .args(["--source", source, "--bootloader", "none"])
            .run()
    };
    let source = Tiny::working().write(&world).reference();
    install(&source).assert_error(Code::TargetNotEmpty, "ostree");
    disk.remake();
    install(&source).assert_done();
}
