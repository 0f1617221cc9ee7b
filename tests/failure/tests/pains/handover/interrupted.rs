// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hand-over that is cut short, refused, or in the way of the next one.

use super::*;

/// The state in the file, when there is one.
fn state() -> Option<Value> {
    let text = fs::read_to_string(STATE).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn mounts_in(state: &Value) -> usize {
    state["mounts"].as_array().unwrap().len()
}

/// Starts an installation, and waits until so many mounts are made or planned.
fn until_mounts<'w>(world: &'w World, plan: &str, count: usize) -> Running<'w> {
    let mut running = install(world, plan).start();
    running.until_task(Task::Handover);
    // No event tells of a single mount. One that failed makes none.
    let end = Instant::now() + Duration::from_secs(120);
    while state().is_none_or(|state| mounts_in(&state) < count) {
        assert!(Instant::now() < end, "no {count} mounts");
        std::thread::yield_now();
    }
    running
}

#[test]
fn kill_in_the_middle_leaves_what_close_undoes() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    let source = source(&world);
    let mut interrupted = 0;
    for count in 0..14 {
        let plan = plan(&world, disk.path(), &source, &["--bootloader", "none"]);
        let running = until_mounts(&world, &plan, count);
        let run = running.kill();
        let state = state().unwrap();
        interrupted += usize::from(state["complete"] == false);
        eprintln!("{count}: {} mounts, {}", mounts_in(&state), run.status);
        if count % 2 == 0 {
            // Nobody works with it, so the next installation can undo it.
            if state["complete"] == false {
                let before = disk.path().join("probe");
                fs::write(&before, "").unwrap();
                let run = install(&world, &plan).run();
                run.assert_error(Code::TargetNotEmpty, "not empty");
                let texts = run.warnings().join("\n");
                assert!(texts.contains("undone"), "{run}");
                assert_nothing_handed_over();
                fs::remove_file(before).unwrap();
            }
        }
        let run = close(&world).args(["--root"]).arg(disk.path()).run();
        run.assert_closed();
        assert_closed(&world, &disk);
        disk.remake();
    }
    assert!(interrupted > 0, "none was killed in time");
    handed_over(&world, &disk);
    close(&world).run().assert_closed();
    assert_closed(&world, &disk);
}

#[test]
fn stop_in_the_middle_undoes_the_hand_over() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    let source = source(&world);
    for millis in 0..12 {
        let plan = plan(&world, disk.path(), &source, &["--bootloader", "none"]);
        let mut running = install(&world, &plan).start();
        running.until_task(Task::Handover);
        // No event tells of the moments in between.
        std::thread::sleep(Duration::from_millis(millis * 2));
        if state().is_none() || millis % 2 == 0 {
            running.signal(Signal::SIGTERM);
        } else {
            running.close_plan();
        }
        let run = running.finish();
        assert!(disk.is_mounted());
        match run.events.last() {
            Some(Event::Done(summary)) => {
                assert!(summary.hand_over.is_some(), "{run}");
                close(&world).run().assert_closed();
                assert_closed(&world, &disk);
            }
            _ => {
                run.assert_error(Code::Cancelled, "stopped");
                assert_nothing_handed_over();
                world.assert_only_mounted(&[&disk]);
            }
        }
        disk.remake();
    }
}

#[test]
fn another_installation_waits_for_the_owner_and_undoes_it_after_his_death() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let (disk, other) = (world.small_disk(), world.small_disk());
    let source = source(&world);
    let first = plan(&world, disk.path(), &source, &["--bootloader", "none"]);
    let second = plan(&world, other.path(), &source, &["--bootloader", "none"]);

    // The owner is this test, which lives.
    install(&world, &first).run().assert_done();
    let before = other.look();
    let run = install(&world, &second).run();
    run.assert_error(Code::HandoverActive, ROOT);
    before.assert_untouched(&other);
    close(&world).run().assert_closed();
    assert_nothing_handed_over();
    assert!(!disk.is_mounted() && other.is_mounted());

    // The owner is a shell that ends with the installation.
    disk.remake();
    let run = install(&world, &first).with_parent().run();
    assert!(matches!(run.events.last(), Some(Event::Done(_))), "{run}");
    assert_eq!(state().unwrap()["complete"], true);
    let run = install(&world, &second).run();
    run.assert_done();
    let texts = run.warnings().join("\n");
    assert!(texts.contains(disk.path().to_str().unwrap()), "{run}");
    assert_eq!(
        state().unwrap()["physicalRoot"],
        other.path().to_str().unwrap()
    );
    assert!(disk.is_mounted(), "only the hand-over is undone");
    let run = close(&world).arg("--root").arg(disk.path()).run();
    assert_eq!(run.assert_closed().targets, [other.path(), disk.path()]);
    assert_closed(&world, &disk);
}

/// A link in the image must not lead a mount into the live system.
#[test]
fn links_as_mount_points_are_not_followed() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    for (place, fine) in [
        ("tmp", true),
        ("boot", true),
        ("run", false),
        ("var", false),
    ] {
        let disk = world.small_disk();
        let bad = world.new_path("victim");
        fs::create_dir(&bad).unwrap();
        let line = format!(
            "ln -s {} \"$tree/{place}\"\necho \"Installation",
            bad.display()
        );
        let script = bootc::DEPLOYS
            .replace(&format!(" {place}"), "")
            .replace("echo \"Installation", &line);
        let source = Tiny::new(&script).write(&world).reference();
        let plan = plan(&world, disk.path(), &source, &["--bootloader", "none"]);
        let run = install(&world, &plan).run();
        if fine {
            run.assert_done();
            let texts = run.warnings().join("\n");
            assert!(texts.contains(&format!("no directory /{place}")), "{run}");
            close(&world).run().assert_closed();
        } else {
            run.assert_error(Code::HandoverFailed, place);
            assert_nothing_handed_over();
            world.assert_only_mounted(&[&disk]);
        }
        assert_eq!(fs::read_dir(&bad).unwrap().count(), 0);
    }
}

/// bootc's composefs backend keeps no tree that could be handed over.
#[test]
fn composefs_image_is_refused_before_it_is_deployed() {
    let Some(world) = World::enter(&["mkfs.vfat"]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    let esp = disk.path().join("boot");
    let image = world.new_path("esp");
    File::create(&image).unwrap().set_len(64 * MIB).unwrap();
    Command::new("mkfs.vfat").arg(&image).run().unwrap();
    fs::create_dir(&esp).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-o", "loop"]).arg(&image).arg(&esp);
    if let Err(error) = mount.run() {
        eprintln!("skipped: no vfat in this kernel: {error}");
        return;
    }
    let tiny = Tiny::new(bootc::DEPLOYS)
        .with("usr/bin/bootctl", "")
        .with("usr/lib/systemd/boot/efi/systemd-bootx64.efi", "x");
    let source = tiny.write(&world).reference();
    let before = disk.look();
    let plan = plan(&world, disk.path(), &source, &["--bootloader", "systemd"]);
    let run = install(&world, &plan).run();
    run.assert_error(Code::HandoverUnsupported, "composefs");
    assert!(!run.tasks().contains(&Task::Deploy), "{run}");
    before.assert_as_before(&disk);
    unmount(&esp);
}
