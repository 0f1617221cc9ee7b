// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stopped or killed at every step: no file, no loop device, no mount.

use std::fs;
use std::path::Path;
use std::time::Duration;

use contract::error::Code;
use contract::event::Task;
use failure::{Running, Tiny, World, bootc};
use nix::sys::signal::Signal;

use super::{TOOLS, file_of, names};

/// The steps, and by how many milliseconds the kills after their start differ.
const STEPS: [(Task, u64); 7] = [
    (Task::Check, 20),
    (Task::Partition, 400),
    (Task::Prepare, 5),
    (Task::Unpack, 50),
    (Task::Deploy, 50),
    (Task::Configure, 20),
    (Task::Finish, 300),
];

fn start<'w>(world: &'w World, image: &str, file: &Path) -> Running<'w> {
    let installer = world.to_disk(image).args(["--bootloader", "none"]);
    let installer = installer.args(["--size", "2G", "--overwrite", "--file"]);
    installer.arg(file).start()
}

#[test]
fn kill_at_every_step_leaves_nothing() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let file = file_of(&world);
    let dir = file.parent().unwrap();
    fs::write(&file, "old").unwrap();
    let mut killed = 0;
    for (task, limit) in STEPS {
        for part in 0..4 {
            let mut running = start(&world, &image, &file);
            running.until_task(task);
            // The one thing for which there is no event: a moment in between.
            std::thread::sleep(Duration::from_millis(limit * part / 4));
            let run = running.kill();
            killed += usize::from(run.status.code().is_none());
            world.wait_for_no_loop();
            assert_eq!(names(dir), ["disk.raw"], "{task:?} {part}");
            // A run can be over sooner than the kill.
            let whole = fs::metadata(&file).unwrap().len() == 2 << 30;
            assert!(whole || fs::read(&file).unwrap() == b"old", "{task:?}");
            if whole {
                fs::write(&file, "old").unwrap();
            }
        }
    }
    assert!(
        killed > STEPS.len() * 2,
        "only {killed} were killed in time"
    );
    start(&world, &image, &file).finish().assert_done();
    world.assert_only_mounted(&[]);
}

#[test]
fn stop_removes_the_file_and_says_so() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::new(bootc::HANGS_AT_WORK).write(&world).reference();
    let file = file_of(&world);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut running = start(&world, &image, &file);
        running.until_task(Task::Deploy);
        assert_eq!(names(file.parent().unwrap()).len(), 1);
        match signal {
            Signal::SIGINT => running.signal_group(signal),
            _ => running.signal(signal),
        }
        let run = running.finish();
        let error = run.assert_error(Code::Cancelled, "stopped");
        assert!(
            error.next.contains("Nothing is left of the file"),
            "{error}"
        );
        assert!(names(file.parent().unwrap()).is_empty());
        world.wait_for_no_loop();
    }
}
