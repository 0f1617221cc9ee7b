// SPDX-License-Identifier: MIT OR Apache-2.0
//! Good days: what is on the disk after an installation, whatever file system
//! it has and wherever the image came from.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::error::Code;
use contract::event::{Summary, Task};
use contract::plan::Plan;
use failure::{Disk, Fs, GIB, MIB, Tiny, World, bootc};
use testkit::cmd::CommandExt;

use crate::standard;

/// Asserts what is true after each installation of the real image; gives the
/// deployment's directory.
#[track_caller]
fn assert_installed(disk: &Disk, summary: &Summary, imgref: &str, digest: &str) -> PathBuf {
    assert_eq!(summary.imgref, imgref);
    assert_eq!(summary.digest, digest);
    assert_eq!(summary.stateroot, "default");
    assert!(!disk.path().join(".bootc-scratch").exists());
    let deployment = disk.path().join(&summary.deployment);
    assert!(deployment.join("usr/lib/modules").is_dir());
    let origin = fs::read_to_string(format!("{}.origin", deployment.display())).unwrap();
    assert!(
        origin.lines().any(|line| line.ends_with(imgref)),
        "{origin}"
    );
    let entries = fs::read_dir(disk.path().join("boot/loader/entries")).unwrap();
    let entries: Vec<_> = entries
        .flatten()
        .map(|e| fs::read_to_string(e.path()).unwrap())
        .collect();
    assert_eq!(entries.len(), 1);
    assert!(entries[0].contains(&disk.uuid()), "{entries:?}");
    deployment
}

/// From a registry onto a file system, then once more.
fn from_a_registry(fs: Fs) {
    let Some(world) = World::enter(&[fs.tool(), "skopeo"]) else {
        return;
    };
    let Some((registry, image)) = standard::serve() else {
        return;
    };
    let disk = world.disk(fs, 4 * GIB);
    let install = || {
        let installer = world.install(&image, disk.path());
        installer
            .setting("installOptions: { bootloader: none }")
            .plain_http(&registry.host())
            .run()
    };
    let run = install();
    let summary = run.assert_done();
    let digest = registry.digest("os/debian", "v1").unwrap();
    let deployment = assert_installed(&disk, summary, &image, &digest);
    assert!(summary.bytes_downloaded > 1_000_000, "{summary:?}");
    let tasks = [
        Task::Check,
        Task::Prepare,
        Task::Pull,
        Task::Unpack,
        Task::Deploy,
        Task::Boot,
        Task::Configure,
        Task::Finish,
    ];
    let mut seen = run.tasks();
    // These two run side by side.
    seen.sort();
    assert_eq!(seen, tasks);

    // Updates come from the same registry in the same way.
    let path = deployment.join("etc/containers/registries.conf.d/50-installer.conf");
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.contains(&registry.host()) && text.contains("insecure = true"),
        "{text}"
    );
    assert!(!deployment.join("etc/ostree/auth.json").exists());

    let before = disk.look();
    install().assert_error(Code::TargetNotEmpty, disk.path().to_str().unwrap());
    before.assert_untouched(&disk);
    if fs == Fs::Ext4 {
        disk.remake();
        let run = install();
        assert_installed(&disk, run.assert_done(), &image, &digest);
    }
}

#[test]
fn ext4_from_a_registry() {
    from_a_registry(Fs::Ext4);
}

#[test]
fn xfs_from_a_registry() {
    from_a_registry(Fs::Xfs);
}

#[test]
fn btrfs_from_a_registry() {
    from_a_registry(Fs::Btrfs);
}

/// Directories and files as ostree makes them, with what the umask leaves.
const BOOT_FILES: &str = r#"
mkdir -p "$1/boot/ostree" "$1/boot/loader.0/entries"
echo "options quiet" > "$1/boot/loader.0/entries/ostree-1.conf"
ln -s loader.0 "$1/boot/loader"
"#;

/// Who may get in is decided by the image and by bootc, and not by whoever
/// starts the program.
#[test]
fn the_callers_umask_does_not_get_into_the_system() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let bootc = format!("{}{BOOT_FILES}", bootc::WORKS);
    let image = Tiny::new(&bootc).write(&world).reference();
    let disk = world.small_disk();
    let installer = world.install("r.example/os/tiny:v1", disk.path());
    let run = installer
        .args(["--source", &image])
        .setting("installOptions: { bootloader: none }")
        .umask("077")
        .run();
    let summary = run.assert_done();
    for (place, expected) in [
        ("ostree", 0o755),
        ("ostree/deploy/default", 0o755),
        ("ostree/deploy/default/var", 0o755),
        ("ostree/deploy/default/var/home", 0o755),
        (&summary.deployment, 0o755),
        (&format!("{}/etc", summary.deployment), 0o755),
        (&format!("{}.origin", summary.deployment), 0o644),
        ("boot", 0o755),
        ("boot/ostree", 0o755),
        ("boot/loader.0", 0o755),
        ("boot/loader/entries", 0o755),
        ("boot/loader/entries/ostree-1.conf", 0o644),
    ] {
        let path = disk.path().join(place);
        let mode = fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode, expected, "{place}: {mode:o}");
    }
}

/// Only updates from one registry are let in, and nothing that comes from
/// elsewhere, as public images say it.
const STRICT_POLICY: &str = r#"{"default":[{"type":"reject"}],"transports":{
    "docker":{"r.example/os":[{"type":"sigstoreSigned","keyPath":"/etc/pki/os.pub",
        "signedIdentity":{"type":"matchRepository"}}]},
    "oci":{"":[{"type":"reject"}]}}}"#;

/// As from an installer medium: the layout is used in place, and bootc runs
/// from a directory and from a squashfs file. The image's policy rejects layouts,
/// which the image's skopeo obeys.
#[test]
fn from_a_medium() {
    let Some(world) = World::enter(&["mksquashfs"]) else {
        return;
    };
    let image = test_image::standard().unwrap();
    let root = standard::unpacked(&world);
    let policy = root.join("etc/containers/policy.json");
    fs::write(&policy, STRICT_POLICY).unwrap();
    let squashfs = world.new_path("root.squashfs");
    // Not compressed: it is read once.
    let mut make = Command::new("mksquashfs");
    make.arg(&root)
        .arg(&squashfs)
        .args(["-quiet", "-no-progress", "-noI", "-noD", "-noF", "-noX"]);
    make.run().unwrap();
    let disk = world.disk(Fs::Ext4, 4 * GIB);
    for runtime_root in [&root, &squashfs] {
        disk.remake();
        let run = world
            .install("r.example/os/debian:v1", disk.path())
            .args([
                "--source",
                &image.reference(),
                "--bootloader",
                "none",
                "--runtime-root",
            ])
            .arg(runtime_root)
            .run();
        let summary = run.assert_done();
        assert_eq!(summary.bytes_downloaded, 0);
        let digest = image.digest().unwrap();
        assert_installed(&disk, summary, "r.example/os/debian:v1", &digest);
        let tasks = run.tasks();
        assert!(
            !tasks.contains(&Task::Pull) && !tasks.contains(&Task::Unpack),
            "{tasks:?}"
        );
    }
    // Neither was written to.
    assert!(!root.join("run/target").exists());
    assert_eq!(fs::read_to_string(&policy).unwrap(), STRICT_POLICY);
}

#[test]
fn updates_come_from_another_reference_when_told() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = world.serve(&Tiny::working()) else {
        return;
    };
    let disk = world.small_disk();
    let run = world
        .install(&image, disk.path())
        .args([
            "--bootloader",
            "none",
            "--target-imgref",
            "public.example/os/tiny:stable",
        ])
        .plain_http(&registry.host())
        .run();
    let summary = run.assert_done();
    assert_eq!(summary.imgref, "public.example/os/tiny:stable");
    let origin = format!("{}.origin", disk.path().join(&summary.deployment).display());
    let origin = fs::read_to_string(origin).unwrap();
    assert!(origin.contains("public.example/os/tiny:stable"), "{origin}");
    assert!(!origin.contains("127.0.0.1"), "{origin}");
}

/// What is mounted below the target becomes a line in fstab, and is unmounted
/// with it when that is asked for.
#[test]
fn other_file_systems_of_the_target_get_into_fstab() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let disk = world.small_disk();
    let mut home = world.disk(Fs::Ext4, 64 * MIB);
    let mut odd = world.disk(Fs::Ext4, 64 * MIB);
    for (part, place) in [(&mut home, "home"), (&mut odd, "var/My Disk")] {
        let place = disk.path().join(place);
        fs::create_dir_all(&place).unwrap();
        part.move_to(&place);
    }
    let source = Tiny::working().write(&world).reference();
    let plan = world
        .installer()
        .args(["plan", "--image", "r.example/os/tiny:v1", "--root"])
        .arg(disk.path())
        .args(["--source", &source])
        .output();
    let plan = Plan::from_json(&plan).unwrap();
    let planned: Vec<_> = plan
        .deployment
        .fstab
        .iter()
        .map(|e| &e.mount_point)
        .collect();
    // What it is, and not how it is written.
    assert_eq!(planned, ["/home", "/var/My Disk"]);

    let run = world
        .install("r.example/os/tiny:v1", disk.path())
        .args(["--source", &source, "--bootloader", "none", "--unmount"])
        .run();
    let summary = run.assert_done().clone();
    for part in [&home, &odd, &disk] {
        assert!(!part.is_mounted(), "{run}");
    }

    disk.mount("ro");
    let deployment = disk.path().join(&summary.deployment);
    let fstab = fs::read_to_string(deployment.join("etc/fstab")).unwrap();
    let lines: Vec<_> = fstab.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(
        lines,
        [
            format!("UUID={} /var/home ext4 defaults 0 2", home.uuid()),
            format!(r"UUID={} /var/My\040Disk ext4 defaults 0 2", odd.uuid()),
        ]
    );
    let var = disk.path().join("ostree/deploy/default/var");
    assert!(var.join("home").is_dir());
}

#[test]
fn scratch_elsewhere_is_used_and_removed() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = world.serve(&Tiny::working()) else {
        return;
    };
    let scratch = world.new_path("scratch");
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join("mine"), "").unwrap();
    let disk = world.small_disk();
    let run = world
        .install(&image, disk.path())
        .args(["--bootloader", "none", "--scratch"])
        .arg(&scratch)
        .plain_http(&registry.host())
        .run();
    run.assert_done();
    let names = |dir: &Path| -> Vec<_> {
        fs::read_dir(dir)
            .unwrap()
            .flatten()
            .map(|e| e.file_name())
            .collect()
    };
    assert_eq!(names(&scratch), ["mine"]);
}
