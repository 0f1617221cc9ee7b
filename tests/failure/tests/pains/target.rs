// SPDX-License-Identifier: MIT OR Apache-2.0
//! Targets that must not, or cannot, be installed onto.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use contract::error::{Code, Error};
use failure::{Disk, Fs, GIB, Installer, MIB, Run, Tiny, World};
use nix::mount::{MsFlags, mount};
use testkit::cmd::CommandExt;
use testkit::fault_proxy::{Fault, FaultProxy};

/// An installation of an image that is there onto `root`.
fn onto<'w>(world: &'w World, root: &Path) -> Installer<'w> {
    let image = Tiny::working().write(world).reference();
    let source = ["--source", &image];
    world.install("r.example/os/tiny:v1", root).args(source)
}

/// Asserts that the disk's root is refused, and that nothing was written.
#[track_caller]
fn refused(world: &World, disk: &Disk, code: Code) -> Run {
    let before = disk.look();
    let run = onto(world, disk.path())
        .setting("installOptions: { bootloader: none }")
        .run();
    run.assert_error(code, disk.path().to_str().unwrap());
    before.assert_untouched(disk);
    run
}

fn bind(from: &Path, to: &Path) {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}

fn unmount(path: &Path) {
    testkit::unmount(path).unwrap();
}

fn last_error(run: &Run) -> &Error {
    match run.events.last() {
        Some(contract::event::Event::Error(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn target_that_is_no_mount_point_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let dir = world.new_path("directory");
    fs::create_dir(&dir).unwrap();
    let run = onto(&world, &dir).run();
    run.assert_error(Code::TargetNotMounted, dir.to_str().unwrap());
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}

#[test]
fn target_that_does_not_exist_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let dir = world.new_path("directory");
    let run = onto(&world, &dir).run();
    run.assert_error(Code::TargetNotMounted, dir.to_str().unwrap());
    assert!(!dir.exists());
}

#[test]
fn running_system_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let run = onto(&world, Path::new("/")).run();
    run.assert_error(Code::TargetNotOwnFilesystem, "/");
}

#[test]
fn bind_mount_of_the_running_system_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let (root, part) = (world.new_path("bound"), world.new_path("part"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&part).unwrap();
    // The whole of it, and an empty directory of it.
    for from in [Path::new("/"), &part] {
        bind(from, &root);
        let run = onto(&world, &root).run();
        unmount(&root);
        run.assert_error(Code::TargetNotOwnFilesystem, root.to_str().unwrap());
    }
    assert_eq!(fs::read_dir(&part).unwrap().count(), 0);
}

#[test]
fn bind_mount_of_a_part_of_a_file_system_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let (part, root) = (disk.path().join("part"), world.new_path("bound"));
    fs::create_dir(&part).unwrap();
    fs::create_dir(&root).unwrap();
    bind(&part, &root);
    let before = disk.look();
    let run = onto(&world, &root).run();
    run.assert_error(Code::TargetNotOwnFilesystem, root.to_str().unwrap());
    before.assert_untouched(&disk);
    unmount(&root);
}

#[test]
fn target_with_a_file_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    fs::write(disk.path().join("letter"), "do not lose me").unwrap();
    let run = refused(&world, &disk, Code::TargetNotEmpty);
    assert!(last_error(&run).what.contains("letter"), "{run}");
    let kept = fs::read_to_string(disk.path().join("letter")).unwrap();
    assert_eq!(kept, "do not lose me");
}

#[test]
fn target_with_an_empty_directory_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    fs::create_dir_all(disk.path().join("outer/inner")).unwrap();
    let run = refused(&world, &disk, Code::TargetNotEmpty);
    assert!(last_error(&run).what.contains("outer/inner"), "{run}");
}

#[test]
fn boot_file_system_of_another_system_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let mut boot = world.disk(Fs::Ext4, 256 * MIB);
    let place = disk.path().join("boot");
    fs::create_dir(&place).unwrap();
    boot.move_to(&place);
    // The mount point for the EFI system partition is nobody's.
    fs::create_dir(place.join("efi")).unwrap();
    for (dir, file) in [("loader.0/entries", "ostree-1.conf"), ("grub", "grub.cfg")] {
        let dir = place.join(dir);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(file), "theirs").unwrap();
        let before = (disk.look(), boot.look());
        let run = onto(&world, disk.path()).run();
        let error = run.assert_error(Code::TargetNotEmpty, place.to_str().unwrap());
        assert!(error.what.contains(file), "{run}");
        before.0.assert_untouched(&disk);
        before.1.assert_untouched(&boot);
        fs::remove_file(dir.join(file)).unwrap();
    }
    onto(&world, disk.path())
        .setting("installOptions: { bootloader: none }")
        .run()
        .assert_done();
}

/// A system on it would not be found when it starts.
#[test]
fn remains_of_something_older_are_named_with_their_remedy() {
    let Some(world) = World::enter(&["wipefs"]) else {
        return;
    };
    let disk = world.small_disk();
    // What a ZFS pool leaves at the end of a disk: its uberblocks.
    let device = fs::File::options().write(true).open(disk.device()).unwrap();
    let mut uberblock = Vec::new();
    for number in [0x00ba_b10c_u64, 5000, 100, 123, 1_700_000_000] {
        uberblock.extend(number.to_le_bytes());
    }
    for label in [GIB - (512 << 10), GIB - (256 << 10)] {
        for n in 0..128 {
            let at = label + (128 << 10) + n * 1024;
            device.write_all_at(&uberblock, at).unwrap();
        }
    }
    drop(device);
    let before = disk.look();
    let install = || {
        let installer = onto(&world, disk.path());
        installer
            .setting("installOptions: { bootloader: none }")
            .run()
    };
    let name = disk.device().display().to_string();
    let run = install();
    let error = run.assert_error(Code::TargetAmbiguous, &name);
    let words = ["--all", "--types", "zfs_member", &name];
    let command = format!("`wipefs {}`", words.join(" "));
    assert!(error.next.contains(&command), "{run}");
    before.assert_untouched(&disk);

    disk.unmount();
    Command::new("wipefs").args(words).run().unwrap();
    disk.mount("rw");
    install().assert_done();
}

#[test]
fn other_file_systems_are_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.disk(Fs::Ext2, GIB);
    let run = refused(&world, &disk, Code::TargetFilesystem);
    assert!(last_error(&run).what.contains("ext2"), "{run}");

    let root = world.new_path("memory");
    fs::create_dir(&root).unwrap();
    mount(
        Some("tmpfs"),
        &root,
        Some("tmpfs"),
        MsFlags::empty(),
        None::<&str>,
    )
    .unwrap();
    let run = onto(&world, &root).run();
    unmount(&root);
    let error = run.assert_error(Code::TargetFilesystem, root.to_str().unwrap());
    assert!(error.what.contains("tmpfs"), "{run}");
}

#[test]
fn read_only_target_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    disk.mount("remount,ro");
    refused(&world, &disk, Code::TargetReadOnly);
}

/// The numbers are in the message, and nothing but the description of the image
/// was asked for before.
#[test]
fn target_that_is_too_small_is_refused_before_any_download() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, _)) = world.serve(&Tiny::working()) else {
        return;
    };
    let proxy = FaultProxy::start(registry.address(), |_| Fault::None).unwrap();
    let disk = world.disk(Fs::Ext4, 200 * MIB);
    let before = disk.look();
    let run = world
        .install(&format!("{}/os/tiny:v1", proxy.host()), disk.path())
        .args(["--bootloader", "none"])
        .plain_http(&proxy.host())
        .run();
    let error = run.assert_error(Code::TargetTooSmall, disk.path().to_str().unwrap());
    before.assert_untouched(&disk);
    assert!(
        error.what.contains("MB free") && error.what.contains("needs"),
        "{error}"
    );
    for part in ["download", "unpacked image", "deployment", "together"] {
        assert!(error.why.contains(part), "{error}");
    }
    let numbers: Vec<u64> = error.details[0]
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    assert_eq!(numbers[0], disk.free());
    assert!(numbers[1] > numbers[0], "{numbers:?}");
    // Of the blobs only the small configuration.
    let blobs = proxy.requests().iter().filter(|r| r.is_blob()).count();
    assert_eq!(blobs, 1, "{:?}", proxy.requests());
}

/// As it is when the power fails: nobody is left who could remove anything.
#[test]
fn leftover_of_a_power_loss_is_refused_and_a_new_file_system_works() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let image = Tiny::new(failure::bootc::HANGS).write(&world).reference();
    let disk = world.small_disk();
    let mut running = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &image, "--bootloader", "none"])
        .start();
    running.until_progress(contract::event::Task::Deploy);
    running.kill_janitor();
    running.kill().assert_killed();
    assert!(disk.path().join(".bootc-scratch").exists());

    let run = refused(&world, &disk, Code::TargetInterrupted);
    let error = last_error(&run);
    assert!(error.next.contains("new file system"), "{error}");
    disk.remake();
    onto(&world, disk.path())
        .args(["--bootloader", "none"])
        .run()
        .assert_done();
}

#[test]
fn directory_of_the_target_mounted_in_it_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let place = disk.path().join("lost+found");
    bind(&place, &place);
    refused(&world, &disk, Code::TargetNotEmpty);
    unmount(&place);
}

#[test]
fn source_on_the_target_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let inside = disk.path().join("lost+found/layout");
    let image = Tiny::working().write(&world);
    Command::new("cp")
        .arg("-a")
        .arg(&image.layout)
        .arg(&inside)
        .run()
        .unwrap();
    let before = disk.look();
    let run = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &format!("oci:{}:v1", inside.display())])
        .args(["--bootloader", "none"])
        .run();
    run.assert_error(Code::TargetNotOwnFilesystem, inside.to_str().unwrap());
    before.assert_untouched(&disk);
}

#[test]
fn disk_without_a_place_for_a_boot_loader_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let before = disk.look();
    let run = onto(&world, disk.path()).run();
    run.assert_error(Code::BootNoPlace, "boot loader");
    before.assert_untouched(&disk);
}
