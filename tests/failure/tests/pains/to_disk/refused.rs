// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disks and files that must not be written to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::error::Code;
use failure::{Raw, Run, Tiny, World};
use testkit::cmd::CommandExt;

use super::{TOOLS, file_of, names};

/// Large enough for everything.
const SIZE: u64 = 3 << 30;

/// A world, and the reference of an image in it.
fn enter() -> Option<(World, String)> {
    let world = World::enter(&TOOLS)?;
    let image = Tiny::working().write(&world).reference();
    Some((world, image))
}

fn onto(world: &World, image: &str, device: &Path, options: &[&str]) -> Run {
    let installer = world.to_disk(image).args(["--bootloader", "none"]);
    installer.arg("--disk").arg(device).args(options).run()
}

/// Asserts that it is refused, named, and not touched.
#[track_caller]
fn refused(world: &World, image: &str, file: &Path, device: &Path, options: &[&str], code: Code) {
    let sum = |file: &Path| {
        // Holes are quick to read.
        let sum = Command::new("sha256sum").arg(file).read().unwrap();
        sum.split(' ').next().unwrap().to_owned()
    };
    Command::new("sync").run().unwrap();
    let before = sum(file);
    let run = onto(world, image, device, options);
    run.assert_error(code, device.to_str().unwrap());
    Command::new("sync").run().unwrap();
    assert_eq!(before, sum(file), "written to: {run}");
}

fn blank(world: &World, size: u64) -> PathBuf {
    let file = world.new_path("blank");
    File::create(&file).unwrap().set_len(size).unwrap();
    file
}

#[test]
fn what_is_on_a_disk_is_not_lost_without_a_word() {
    let Some((world, image)) = enter() else {
        return;
    };
    let file = blank(&world, SIZE);
    let disk = Raw::of(&file, &[]);
    let device = disk.device();
    // A signature, then a table without partitions, then one with some.
    let mut mkfs = Command::new("mkfs.ext4");
    mkfs.args(["-q", "-F"]).arg(device).run().unwrap();
    refused(&world, &image, &file, device, &[], Code::DiskNotEmpty);
    Command::new("wipefs").arg("-aq").arg(device).run().unwrap();
    for table in ["label: gpt\n", "label: dos\nsize=64M\n"] {
        disk.table(&world, table);
        refused(&world, &image, &file, device, &[], Code::DiskNotEmpty);
    }
    onto(&world, &image, device, &["--wipe"]).assert_done();
}

#[test]
fn a_disk_in_use_is_refused_whatever_is_said() {
    let Some((world, image)) = enter() else {
        return;
    };
    let file = blank(&world, SIZE);
    let disk = Raw::of(&file, &[]);
    let device = disk.device();
    disk.table(&world, "label: gpt\nsize=1G\nsize=1G\n");
    let parts = [disk.partition(1), disk.partition(2)];

    let mut mkfs = Command::new("mkfs.btrfs");
    mkfs.args(["-q", "-f"]).arg(&parts[0]).run().unwrap();
    let at = world.new_path("mnt");
    fs::create_dir(&at).unwrap();
    // Read-only, so that nothing changes by itself.
    let mut mount = Command::new("mount");
    mount
        .args(["-o", "ro"])
        .arg(&parts[0])
        .arg(&at)
        .run()
        .unwrap();
    refused(&world, &image, &file, device, &["--wipe"], Code::DiskInUse);
    // In another namespace, so that its list of mounts does not tell.
    let mut hidden = Command::new("unshare");
    let script = "umount \"$0\"; exec \"$@\"";
    let program = failure::program().to_str().unwrap();
    hidden.args(["--mount", "sh", "-c", script]).arg(&at);
    hidden.args([program, "to-disk", "--wipe", "--events", "-"]);
    hidden.args(["--image", &image, "--target-imgref", "r.example/a:1"]);
    let output = hidden.arg("--disk").arg(device).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("DISK_IN_USE") && said.contains("something else"),
        "{said}"
    );
    testkit::unmount(&at).unwrap();

    Command::new("mkswap").arg(&parts[1]).read().unwrap();
    Command::new("swapon").arg(&parts[1]).run().unwrap();
    let run = onto(&world, &image, device, &["--wipe"]);
    Command::new("swapoff").arg(&parts[1]).run().unwrap();
    let error = run.assert_error(Code::DiskInUse, "is swap");
    assert!(error.what.contains(device.to_str().unwrap()), "{error}");

    // A partition is no disk.
    refused(
        &world,
        &image,
        &file,
        &parts[1],
        &["--wipe"],
        Code::DiskUnusable,
    );
    onto(&world, &image, device, &["--wipe"]).assert_done();
}

#[test]
fn what_is_no_disk_is_refused() {
    let Some((world, image)) = enter() else {
        return;
    };
    let file = blank(&world, SIZE);
    let read_only = Raw::of(&file, &["--read-only"]);
    refused(
        &world,
        &image,
        &file,
        read_only.device(),
        &["--wipe"],
        Code::TargetReadOnly,
    );
    for path in [
        &file,
        Path::new("/dev/null"),
        Path::new("/dev/no-such-disk"),
    ] {
        let run = onto(&world, &image, path, &["--wipe"]);
        run.assert_error(Code::DiskUnusable, path.to_str().unwrap());
    }
    let file = blank(&world, 700 << 20);
    let small = Raw::of(&file, &[]);
    let run = onto(&world, &image, small.device(), &[]);
    run.assert_error(Code::TargetTooSmall, "734.0 MB");
    let file = blank(&world, 800 << 20);
    let smallish = Raw::of(&file, &[]);
    refused(
        &world,
        &image,
        &file,
        smallish.device(),
        &[],
        Code::TargetTooSmall,
    );
}

#[test]
fn files_that_are_there_stay() {
    let Some((world, image)) = enter() else {
        return;
    };
    let file = file_of(&world);
    let dir = file.parent().unwrap();
    let make = |path: &Path, options: &[&str]| {
        let installer = world.to_disk(&image).args(["--bootloader", "none"]);
        installer.arg("--file").arg(path).args(options).run()
    };
    fs::write(&file, "old").unwrap();
    let run = make(&file, &[]);
    run.assert_error(Code::FileExists, file.to_str().unwrap());
    assert_eq!(fs::read(&file).unwrap(), b"old");
    for (path, options) in [
        (dir.join("none/disk.raw"), &[][..]),
        (dir.to_owned(), &["--overwrite"]),
        ("/dev/sdx9".into(), &[]),
    ] {
        let run = make(&path, options);
        run.assert_error(Code::DiskUnusable, path.to_str().unwrap());
    }
    assert!(!Path::new("/dev/sdx9").exists());
    let run = make(&dir.join("small"), &["--size", "600M"]);
    run.assert_error(Code::TargetTooSmall, "629.1 MB");
    assert_eq!(names(dir), ["disk.raw"]);
    make(&file, &["--overwrite"]).assert_done();
    assert_eq!(fs::metadata(&file).unwrap().len(), 4 << 30);
}

#[test]
fn what_nobody_could_log_in_with_is_refused_before_the_disk() {
    let Some((world, image)) = enter() else {
        return;
    };
    let file = file_of(&world);
    for (text, code, object) in [
        (
            "users: [{ name: ann, passwordHash: sesame }]",
            Code::PlanInvalid,
            "no hashed",
        ),
        ("users: [{ name: Ann }]", Code::PlanInvalid, "Ann"),
        (
            "files: [{ path: /usr/lib/x }]",
            Code::PlanInvalid,
            "/usr/lib/x",
        ),
        ("hostname: -a", Code::PlanInvalid, "-a"),
        ("people: []", Code::ConfigInvalid, "customise"),
        (
            "units: [{ name: a.service, enabled: true }]",
            Code::CustomiseUnsupported,
            "systemctl",
        ),
        (
            "users: [{ name: ann }]",
            Code::CustomiseUnsupported,
            "useradd",
        ),
    ] {
        let customise = world.file("customise", text);
        let installer = world.to_disk(&image).args(["--bootloader", "none"]);
        let installer = installer.arg("--file").arg(&file).arg("--customise");
        let run = installer.arg(customise).secret("ann", "sesame").run();
        run.assert_error(code, object);
        assert!(names(file.parent().unwrap()).is_empty(), "{text}");
    }
}
