// SPDX-License-Identifier: MIT OR Apache-2.0
//! Installations that somebody stops, and readers and parents that go away.

use std::time::Duration;

use contract::error::Code;
use contract::event::{Event, Task};
use failure::{Disk, Fs, GIB, Run, Running, Tiny, World, bootc};
use nix::sys::signal::Signal;
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::registry::Registry;

const IMAGE: &str = "r.example/os/tiny:v1";

/// Asserts a clean end on request.
#[track_caller]
fn assert_stopped(run: &Run, disk: &Disk) {
    run.assert_error(Code::Cancelled, "stopped");
    assert_eq!(run.status.code(), Some(130));
    assert!(!disk.path().join(".bootc-scratch").exists(), "{run}");
    assert!(disk.is_mounted());
}

/// The ways in which a person or a program stops an installation.
fn ways() -> [fn(&mut Running<'_>); 3] {
    [
        |running| running.signal_group(Signal::SIGINT),
        |running| running.signal(Signal::SIGTERM),
        |running| running.signal(Signal::SIGHUP),
    ]
}

/// A proxy in front of a registry with the tiny image that holds its layers
/// back for ever.
fn stalling(world: &World) -> Option<(FaultProxy, Registry)> {
    let (registry, _) = world.serve(&Tiny::working())?;
    let proxy = FaultProxy::start(registry.address(), |request| {
        // The configuration is the first blob, and small.
        match request.is_blob() && request.header("accept-encoding").is_none() {
            true => Fault::Stall(1000),
            false => Fault::None,
        }
    });
    Some((proxy.unwrap(), registry))
}

#[test]
fn stop_while_the_registry_is_asked() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, _)) = world.serve(&Tiny::working()) else {
        return;
    };
    let proxy = FaultProxy::start(registry.address(), |_| Fault::Stall(0)).unwrap();
    let disk = world.small_disk();
    let before = disk.look();
    for stop in ways() {
        let mut running = world
            .install(&format!("{}/os/tiny:v1", proxy.host()), disk.path())
            .args(["--bootloader", "none"])
            .plain_http(&proxy.host())
            .start();
        running.until_task(Task::Check);
        stop(&mut running);
        assert_stopped(&running.finish(), &disk);
        before.assert_untouched(&disk);
    }
}

#[test]
fn stop_while_pulling() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((proxy, _registry)) = stalling(&world) else {
        return;
    };
    let disk = world.small_disk();
    let before = disk.look();
    for stop in ways() {
        let mut running = world
            .install(&format!("{}/os/tiny:v1", proxy.host()), disk.path())
            .args(["--bootloader", "none"])
            .plain_http(&proxy.host())
            .start();
        running.until_progress(Task::Pull);
        stop(&mut running);
        assert_stopped(&running.finish(), &disk);
        before.assert_as_before(&disk);
    }
}

#[test]
fn stop_while_unpacking() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let image = test_image::standard().unwrap();
    let disk = world.disk(Fs::Ext4, 4 * GIB);
    let before = disk.look();
    for stop in ways() {
        let mut running = world
            .install("r.example/os/debian:v1", disk.path())
            .args(["--source", &image.reference(), "--bootloader", "none"])
            .start();
        running.until_progress(Task::Unpack);
        stop(&mut running);
        let run = running.finish();
        assert_stopped(&run, &disk);
        assert!(!run.tasks().contains(&Task::Deploy), "{run}");
        before.assert_as_before(&disk);
    }
}

/// A bootc that takes no notice of signals ends all the same.
#[test]
fn stop_while_bootc_runs() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::new(bootc::HANGS).write(&world).reference();
    let disk = world.small_disk();
    for stop in ways() {
        let mut running = world
            .install(IMAGE, disk.path())
            .args(["--source", &source, "--bootloader", "none"])
            .start();
        running.until(is_deploying);
        stop(&mut running);
        assert_stopped(&running.finish(), &disk);
        disk.remake();
    }
}

fn is_deploying(event: &Event) -> bool {
    matches!(
        event,
        Event::Progress {
            task: Task::Deploy,
            ..
        }
    )
}

/// The same with the real image and what its bootc starts.
#[test]
fn stop_while_a_deployment_is_written() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let image = test_image::standard().unwrap();
    let disk = world.disk(Fs::Ext4, 4 * GIB);
    let mut running = world
        .install("r.example/os/debian:v1", disk.path())
        .args(["--source", &image.reference(), "--bootloader", "none"])
        .start();
    running.until_task(Task::Deploy);
    // Until it has written something.
    running.until_progress(Task::Deploy);
    running.signal_group(Signal::SIGINT);
    assert_stopped(&running.finish(), &disk);
}

/// Whatever is asked for in the last moments: there is one answer, and the file
/// system can be used.
#[test]
fn stop_while_finishing() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::working().write(&world).reference();
    let disk = world.small_disk();
    for millis in (0..60).step_by(6) {
        let mut running = world
            .install(IMAGE, disk.path())
            .args(["--source", &source, "--bootloader", "none"])
            .start();
        running.until_task(Task::Finish);
        // No event tells of the moments in between.
        std::thread::sleep(Duration::from_millis(millis));
        running.signal(Signal::SIGTERM);
        let run = running.finish();
        disk.assert_not_frozen();
        match run.events.last() {
            Some(Event::Done(_)) => assert!(run.status.success(), "{run}"),
            _ => assert_stopped(&run, &disk),
        }
        disk.remake();
    }
}

fn plan(world: &World, disk: &Disk, source: &str) -> String {
    let installer = world
        .installer()
        .args(["plan", "--no-lookup", "--image", IMAGE, "--root"]);
    let installer = installer.arg(disk.path()).args(["--source", source]);
    installer.args(["--bootloader", "none"]).output()
}

#[test]
fn closed_plan_pipe_stops() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::new(bootc::HANGS).write(&world).reference();
    let disk = world.small_disk();
    let plan = plan(&world, &disk, &source);
    let installer = world
        .installer()
        .args(["install", "--plan-fd", "3", "--events", "-"]);
    let mut running = installer.plan(&plan).start();
    running.until(is_deploying);
    running.close_plan();
    assert_stopped(&running.finish(), &disk);
}

#[test]
fn open_plan_pipe_lets_it_finish() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::working().write(&world).reference();
    let disk = world.small_disk();
    let plan = plan(&world, &disk, &source);
    let installer = world
        .installer()
        .args(["install", "--plan-fd", "3", "--events", "-"]);
    installer.plan(&plan).run().assert_done();
}

#[test]
fn plan_pipe_closed_too_early_is_no_plan() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::working().write(&world).reference();
    let disk = world.small_disk();
    let before = disk.look();
    let plan = plan(&world, &disk, &source);
    let installer = world
        .installer()
        .args(["install", "--plan-fd", "3", "--events", "-"]);
    let mut running = installer.plan(&plan[..plan.len() / 2]).start();
    running.close_plan();
    running
        .finish()
        .assert_error(Code::PlanInvalid, "descriptor 3");
    before.assert_untouched(&disk);
}

/// The pipe stays open, and only the parent's death tells.
#[test]
fn death_of_the_parent_stops() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::new(bootc::HANGS).write(&world).reference();
    let disk = world.small_disk();
    let plan = plan(&world, &disk, &source);
    let installer = world
        .installer()
        .args(["install", "--plan-fd", "3", "--events", "-"]);
    let mut running = installer.plan(&plan).with_parent().start();
    running.until(is_deploying);
    let run = running.kill();
    // What was killed was the parent; the program itself had time for this.
    let Some(Event::Error(error)) = run.events.last() else {
        panic!("{run}");
    };
    assert_eq!(error.code, Code::Cancelled);
    assert!(!disk.path().join(".bootc-scratch").exists());
}

/// A window that was closed: nobody reads any more, and it goes on.
#[test]
fn reader_that_goes_away_stops_nothing() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::working().write(&world).reference();
    let disk = world.small_disk();
    let run = world
        .install(IMAGE, disk.path())
        .args(["--source", &source, "--bootloader", "none"])
        .read_only(1)
        .run();
    assert!(run.status.success(), "{run}");
    assert_eq!(run.events.len(), 1, "{run}");
    assert!(
        disk.path()
            .join("ostree/deploy/default/deploy/1.0")
            .is_dir()
    );
    assert!(!disk.path().join(".bootc-scratch").exists());
}
