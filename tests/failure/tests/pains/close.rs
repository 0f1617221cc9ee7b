// SPDX-License-Identifier: MIT OR Apache-2.0
//! Closing targets that were left open without a hand-over.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::error::Code;
use failure::{Disk, Fs, Installer, MIB, Tiny, World};
use testkit::cmd::CommandExt;

fn close(world: &World) -> Installer<'_> {
    world.installer().args(["close", "--events", "-"])
}

/// `--calamares` with this global storage.
fn calamares<'w>(world: &'w World, storage: &serde_json::Value) -> Installer<'w> {
    let file = world.file("storage.json", storage.to_string());
    close(world).arg("--calamares").arg(file)
}

/// A mount point as Calamares makes it; removed when the test fails.
struct Temporary(PathBuf);

impl Temporary {
    fn make() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("calamares-root-")
            .tempdir_in("/tmp")
            .unwrap();
        Self(dir.keep())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.0.exists() && std::thread::panicking() {
            // Fails when something is mounted there.
            fs::remove_dir(&self.0).ok();
        }
    }
}

fn below(world: &World, place: &Path) -> Disk {
    let mut disk = world.disk(Fs::Ext4, 64 * MIB);
    fs::create_dir(place).unwrap();
    disk.move_to(place);
    disk
}

#[test]
fn target_that_was_left_mounted_is_closed() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    let source = Tiny::working().write(&world).reference();
    let run = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &source, "--bootloader", "none"])
        .run();
    run.assert_done();
    let run = close(&world).arg("--root").arg(disk.path()).run();
    let closed = run.assert_closed();
    assert_eq!(closed.targets, [disk.path()]);
    assert!(!closed.hand_over, "{run}");
    assert!(!disk.is_mounted() && disk.path().is_dir());
    let again = close(&world).arg("--root").arg(disk.path()).run();
    assert!(again.assert_closed().is_empty(), "{again}");
}

#[test]
fn running_system_is_never_closed() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    for root in ["/", "/run", "/proc", "/var"] {
        let run = close(&world).args(["--root", root]).run();
        run.assert_error(Code::TargetNotOwnFilesystem, root);
    }
    // The same file system at another place.
    let place = world.new_path("bound");
    fs::create_dir(&place).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["--bind", "/"]).arg(&place).run().unwrap();
    let run = close(&world).arg("--root").arg(&place).run();
    run.assert_error(Code::TargetNotOwnFilesystem, place.to_str().unwrap());
    testkit::unmount(&place).unwrap();
}

/// `rootMountPoint` is set when all is mounted; before that only the devices
/// tell where Calamares was.
#[test]
fn calamares_that_was_stopped_while_it_mounted() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let place = Temporary::make();
    let mut root = world.small_disk();
    root.move_to(&place.0);
    let boot = below(&world, &place.0.join("boot"));
    let other = world.small_disk();
    let partition = |disk: &Disk, mount_point: &str| {
        serde_json::json!({
            "device": disk.device(), "mountPoint": mount_point, "fs": "ext4", "claimed": true,
        })
    };
    let storage = serde_json::json!({
        "partitions": [partition(&root, "/"), partition(&boot, "/boot"), partition(&other, "/home")],
    });
    let run = calamares(&world, &storage).run();
    let closed = run.assert_closed();
    assert_eq!(closed.targets, [place.0.as_path()]);
    assert_eq!(closed.directories, [place.0.as_path()]);
    assert!(!place.0.exists() && !root.is_mounted() && !boot.is_mounted());
    assert!(other.is_mounted(), "it is mounted elsewhere");
}

#[test]
fn calamares_that_mounted_all_is_closed_by_its_roots() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    for key in ["bootcTargetRoot", "rootMountPoint"] {
        let place = Temporary::make();
        let mut root = world.small_disk();
        root.move_to(&place.0);
        let mut storage = serde_json::json!({
            "rootMountPoint": "/run/bootc-installer/deployment",
            "partitions": [],
        });
        storage[key] = place.0.to_str().unwrap().into();
        let run = calamares(&world, &storage).run();
        assert_eq!(run.assert_closed().targets, [place.0.as_path()]);
        assert!(!place.0.exists());
        let again = calamares(&world, &storage).run();
        assert!(again.assert_closed().is_empty(), "{again}");
    }
}

/// What Calamares left besides is closed although its storage is of no use.
#[test]
fn unreadable_storage_does_not_keep_the_rest_open() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    let storage = world.file("storage.json", "{ \"partitions\": 12 }");
    let run = close(&world)
        .arg("--calamares")
        .arg(storage)
        .arg("--root")
        .arg(disk.path())
        .run();
    run.assert_error(Code::CalamaresInvalid, "Calamares");
    assert!(!disk.is_mounted());
}

#[test]
fn one_failure_does_not_keep_the_other_steps_from_their_work() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    let storage = serde_json::json!({
        "rootMountPoint": disk.path(),
        "bootcTargetRoot": "/usr",
    });
    let run = calamares(&world, &storage).run();
    run.assert_error(Code::TargetNotOwnFilesystem, "/usr");
    assert!(!disk.is_mounted());
}

/// Swaps on a disk; ends with this, also when the test fails.
struct Swapping<'d>(&'d Disk);

impl<'d> Swapping<'d> {
    /// `None` where nothing can be swapped to.
    fn on(disk: &'d Disk) -> Option<Self> {
        let started = Command::new("swapon").arg(disk.device()).run();
        started.is_ok().then_some(Self(disk))
    }
}

impl Drop for Swapping<'_> {
    fn drop(&mut self) {
        let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
        if swaps.contains(self.0.device().to_str().unwrap_or("?")) {
            // There is nobody to tell when the test fails already.
            Command::new("swapoff").arg(self.0.device()).run().ok();
        }
    }
}

#[test]
fn swap_of_the_target_is_let_go() {
    let Some(world) = World::enter(&["mkswap", "swapon"]).map(World::with_own_run) else {
        return;
    };
    let disk = world.disk(Fs::Ext4, 64 * MIB);
    disk.unmount();
    Command::new("mkswap").arg(disk.device()).run().unwrap();
    let Some(_swapping) = Swapping::on(&disk) else {
        eprintln!("skipped: no swapping here");
        return;
    };
    let storage = serde_json::json!({
        "partitions": [
            { "device": disk.device(), "mountPoint": "", "fs": "linuxswap", "claimed": 1 },
        ],
    });
    let run = calamares(&world, &storage).run();
    assert_eq!(run.assert_closed().swaps, [disk.device()]);
    let again = calamares(&world, &storage).run();
    assert!(again.assert_closed().is_empty(), "{again}");
}
