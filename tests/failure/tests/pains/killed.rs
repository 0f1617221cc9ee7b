// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kill -9` of the engine at random moments of each stage: nothing is left,
//! and another installation works.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::Duration;

use contract::event::{Event, Task};
use failure::{Disk, Fs, GIB, Run, Running, Tiny, World, bootc};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use testkit::cmd::CommandExt;

/// Moments that differ and are the same in each run, so that a failure can be
/// had again.
struct Moments(u64);

impl Moments {
    fn within(&mut self, limit: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        limit.mul_f64((self.0 % 1000) as f64 / 1000.0)
    }
}

/// Starts an installation, and kills it so long after the start of `task`.
fn killed(world: &World, disk: &Disk, image: &str, host: &str, task: Task, after: Duration) -> Run {
    let mut running = world
        .install(image, disk.path())
        .args(["--bootloader", "none"])
        .plain_http(host)
        .start();
    running.until_task(task);
    // The one thing for which there is no event: a random moment.
    std::thread::sleep(after);
    let run = running.kill();
    let place = format!("{task:?} + {after:?}");
    eprintln!("{place}: {}", run.status);
    assert!(
        !disk.path().join(".bootc-scratch").exists(),
        "scratch after {place}"
    );
    assert!(disk.is_mounted(), "{place}");
    disk.assert_not_frozen();
    run
}

/// Kills at each of `stages` and installs at the end.
fn kills(world: &World, disk: &Disk, image: &str, host: &str, stages: &[(Task, u64, usize)]) {
    let mut moments = Moments(0x2545_f491_4f6c_dd1d);
    let mut interrupted = 0;
    for &(task, limit, times) in stages {
        for _ in 0..times {
            let before = disk.look();
            let after = moments.within(Duration::from_millis(limit));
            let run = killed(world, disk, image, host, task, after);
            // A stage can be over sooner than that; most are not.
            interrupted += usize::from(run.status.code().is_none());
            if !run.tasks().contains(&Task::Deploy) {
                before.assert_as_before(disk);
            }
            disk.remake();
        }
    }
    let all: usize = stages.iter().map(|(_, _, times)| times).sum();
    assert!(
        interrupted * 2 > all,
        "only {interrupted} of {all} were killed in time"
    );
    let installer = world
        .install(image, disk.path())
        .args(["--bootloader", "none"]);
    installer.plain_http(host).run().assert_done();
}

/// The stages that take time, with the real image.
#[test]
fn kill_at_random_moments_of_the_long_stages_leaves_nothing() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let Some((registry, image)) = crate::standard::serve() else {
        return;
    };
    let disk = world.disk(Fs::Ext4, 4 * GIB);
    let stages = [
        (Task::Pull, 1000, 4),
        (Task::Unpack, 2500, 4),
        (Task::Deploy, 5000, 4),
    ];
    kills(&world, &disk, &image, &registry.host(), &stages);
}

/// The stages that are over in a moment, with a tiny image.
#[test]
fn kill_at_random_moments_of_the_short_stages_leaves_nothing() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = world.serve(&Tiny::working()) else {
        return;
    };
    let disk = world.small_disk();
    let stages = [
        (Task::Check, 15, 2),
        (Task::Prepare, 3, 2),
        (Task::Configure, 2, 2),
        (Task::Finish, 60, 6),
    ];
    kills(&world, &disk, &image, &registry.host(), &stages);
}

/// For a moment the target's file system is frozen, so that its journal is
/// written to its place. Whoever is stopped or killed in that moment must not
/// leave it so: everything that writes to it would hang.
#[test]
fn target_does_not_stay_frozen() {
    // Says that it has frozen, and goes on when it is told.
    const SLOWLY: &str = r#"
"$real" "$@" || exit
case $1 in -f|--freeze) echo frozen > "${0%/*}/frozen"; read -r go < "${0%/*}/go";; esac
"#;
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::working().write(&world).reference();
    let disk = world.small_disk();
    let pipes = ["frozen", "go"].map(|name| {
        let path = world.dir().join(name);
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        // For both directions, so that nobody waits for another end.
        File::options().read(true).write(true).open(path).unwrap()
    });
    let [frozen, mut go] = pipes;
    let script = SLOWLY.replace("${0%/*}", world.dir().to_str().unwrap());
    let cover = world.replace("fsfreeze", &script);
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
        let running = world
            .install("r.example/os/tiny:v1", disk.path())
            .args(["--source", &source, "--bootloader", "none"])
            .start();
        let mut ready = [PollFd::new(frozen.as_fd(), PollFlags::POLLIN)];
        let limit = PollTimeout::try_from(Duration::from_secs(60)).unwrap();
        // Without fsfreeze the moment must be found in another way.
        assert_eq!(poll(&mut ready, limit), Ok(1), "fsfreeze was not run");
        let mut line = String::new();
        BufReader::new(&frozen).read_line(&mut line).unwrap();
        match signal {
            Signal::SIGINT => running.signal_group(signal),
            _ => running.signal(signal),
        }
        go.write_all(b"go\n").unwrap();
        let run = running.finish();
        disk.assert_not_frozen();
        assert!(!disk.path().join(".bootc-scratch").exists(), "{run}");
        disk.remake();
    }
    drop(cover);
}

/// Runs until the image's bootc does, which then never ends.
fn hanging<'w>(world: &'w World, disk: &Disk, options: &[&str]) -> Running<'w> {
    let source = Tiny::new(bootc::HANGS).write(world).reference();
    let mut running = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &source, "--bootloader", "none"])
        .args(options)
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
    running
}

/// The tests above would be worth nothing if they could not see a process.
#[test]
fn what_could_be_left_is_seen_while_it_is_there() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let running = hanging(&world, &disk, &[]);
    let seen = running.processes();
    let engine = running.pid().to_string();
    for part in [
        &engine,
        "scratch-janitor",
        "sandbox-init",
        "install to-filesystem",
    ] {
        assert!(
            seen.iter().any(|process| process.contains(part)),
            "{part}: {seen:#?}"
        );
    }
    assert!(disk.path().join(".bootc-scratch/rootfs").is_dir());
    running.kill().assert_killed();
    assert!(!disk.path().join(".bootc-scratch").exists());
}

#[test]
fn kill_frees_the_loop_device_of_a_squashfs() {
    let Some(world) = World::enter(&["mksquashfs"]) else {
        return;
    };
    let root = Tiny::new(bootc::HANGS).unpack(&world);
    let file = world.new_path("root.squashfs");
    let mut make = Command::new("mksquashfs");
    make.arg(root)
        .arg(&file)
        .args(["-quiet", "-no-progress"])
        .run()
        .unwrap();
    let disk = world.small_disk();
    let running = hanging(&world, &disk, &["--runtime-root", file.to_str().unwrap()]);
    assert_eq!(world.loops_of(&file).len(), 1);
    running.kill().assert_killed();
    world.wait_for_no_loop_of(&file);
}
