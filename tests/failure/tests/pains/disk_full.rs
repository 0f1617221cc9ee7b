// SPDX-License-Identifier: MIT OR Apache-2.0
//! Targets that fill up half-way, because something else writes to them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use contract::error::Code;
use contract::event::Task;
use failure::{Disk, Fs, GIB, Run, Tiny, World};
use nix::fcntl::{FallocateFlags, fallocate};
use testkit::fault_proxy::{Fault, FaultProxy};

const FILLER: &str = "lost+found/filler";

/// Takes all that is free. Where it lies, neither the engine nor bootc minds a
/// file.
fn fill(root: &Path) -> PathBuf {
    let path = root.join(FILLER);
    let file = File::create(&path).unwrap();
    let mut end = 0;
    // Smaller and smaller pieces, the last one a block.
    for size in [1 << 28, 1 << 24, 1 << 20, 1 << 16, 1 << 12] {
        while fallocate(&file, FallocateFlags::empty(), end, size).is_ok() {
            end += size;
        }
    }
    path
}

#[track_caller]
fn assert_full(run: &Run, disk: &Disk) {
    run.assert_error(Code::DiskFull, "");
    assert!(disk.is_mounted());
    assert!(!disk.path().join(".bootc-scratch").exists(), "{run}");
}

#[test]
fn disk_that_fills_up_during_the_download_is_told() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let image = Tiny::working().with("usr/share/noise", noise(8 << 20));
    let Some((registry, _)) = world.serve(&image) else {
        return;
    };
    let disk = world.small_disk();
    let root = disk.path().to_owned();
    let full = OnceLock::new();
    let proxy = FaultProxy::start(registry.address(), move |request| {
        // The first layers: they arrive on a disk that was full before.
        if request.is_blob() && root.join(".bootc-scratch").exists() {
            full.get_or_init(|| fill(&root));
        }
        Fault::None
    })
    .unwrap();
    let before = disk.look();
    let run = world
        .install(&format!("{}/os/tiny:v1", proxy.host()), disk.path())
        .args(["--bootloader", "none"])
        .plain_http(&proxy.host())
        .run();
    assert_full(&run, &disk);
    fs::remove_file(disk.path().join(FILLER)).unwrap();
    before.assert_as_before(&disk);
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

/// Fills the disk at the start of a task of an installation of the real image.
fn full_at(task: Task) {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let image = test_image::standard().unwrap();
    let disk = world.disk(Fs::Ext4, 4 * GIB);
    let before = disk.look();
    let mut running = world
        .install("r.example/os/debian:v1", disk.path())
        .args(["--source", &image.reference(), "--bootloader", "none"])
        .start();
    running.until_task(task);
    let filler = fill(disk.path());
    let run = running.finish();
    assert_full(&run, &disk);
    fs::remove_file(filler).unwrap();
    if task == Task::Unpack {
        before.assert_as_before(&disk);
    } else {
        // bootc's own words; whose they are is in front.
        assert!(run.stdout.contains("\"bootc: "), "{run}");
        let error = run.assert_error(Code::DiskFull, "target");
        assert!(error.next.contains("new file system"), "{error}");
    }
}

#[test]
fn disk_that_fills_up_while_unpacking_is_told() {
    full_at(Task::Unpack);
}

#[test]
fn disk_that_fills_up_while_bootc_writes_is_told() {
    full_at(Task::Deploy);
}
