// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images that would not boot, and images that arrive damaged. What can be seen
//! from the registry is refused before the target is touched; what only the
//! unpacked image shows, before bootc writes to it.

use std::fs;

use contract::error::Code;
use contract::event::Task;
use failure::{Fs, GIB, Installer, Run, Tiny, World};
use test_image::Variant;
use testkit::fault_proxy::{Fault, FaultProxy};

use crate::registry::refused;

/// Installs onto a disk that must hold at the end what it held before.
#[track_caller]
fn cleaned_up<'w>(
    world: &'w World,
    image: &str,
    configured: impl FnOnce(Installer<'w>) -> Installer<'w>,
    code: Code,
    object: &str,
) -> Run {
    let disk = world.disk(Fs::Ext4, 4 * GIB);
    let before = disk.look();
    let installer = world
        .install(image, disk.path())
        .args(["--bootloader", "none"]);
    let run = configured(installer).run();
    run.assert_error(code, object);
    before.assert_as_before(&disk);
    assert!(!run.tasks().contains(&Task::Deploy), "{run}");
    run
}

#[test]
fn ordinary_container_image_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = world.serve(&Tiny::working().without_label()) else {
        return;
    };
    let host = registry.host();
    let run = refused(
        &world,
        &image,
        |i| i.plain_http(&host),
        Code::ImageNotBootable,
        &image,
    );
    assert!(run.stdout.contains("containers.bootc"), "{run}");
}

#[test]
fn image_that_lacks_something_is_refused_by_name() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let kernel = (Tiny::kernel(), "kernel");
    let initramfs = (Tiny::initramfs(), "initramfs");
    let others = [
        ("usr/lib/ostree/prepare-root.conf", "prepare-root.conf"),
        ("proc", "/proc"),
        ("sys", "/sys"),
        ("dev", "/dev"),
        ("usr/bin/bootc", "`bootc`"),
        ("usr/bin/ostree", "`ostree`"),
        ("usr/bin/skopeo", "`skopeo`"),
        ("usr/bin/podman", "`podman`"),
        ("etc/containers/policy.json", "policy.json"),
    ]
    .map(|(path, named)| (path.to_owned(), named));
    for (path, named) in [kernel, initramfs].into_iter().chain(others) {
        let image = Tiny::working().without(&path).write(&world).reference();
        let reference = "r.example/os/tiny:v1";
        cleaned_up(
            &world,
            reference,
            |i| i.args(["--source", &image]),
            Code::ImageNotBootable,
            named,
        );
    }
}

/// A runtime root on the medium is looked at before anything is written.
#[test]
fn broken_runtime_root_is_refused_before_anything_is_written() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let root = Tiny::working().without("proc").unpack(&world);
    refused(
        &world,
        "r.example/os/tiny:v1",
        |i| i.args(["--source", &image, "--runtime-root"]).arg(&root),
        Code::ImageNotBootable,
        "/proc",
    );
}

/// The same with real images.
#[test]
fn broken_variants_of_the_test_image_are_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    for (variant, named) in [
        (Variant::NoKernel, "kernel"),
        (Variant::NoInitramfs, "initramfs"),
        (Variant::NoPrepareRoot, "prepare-root.conf"),
        (Variant::NoMountpoints, "/proc, /sys, /dev"),
    ] {
        let image = test_image::variant(variant).unwrap().reference();
        cleaned_up(
            &world,
            "r.example/os/debian:v1",
            |i| i.args(["--source", &image]),
            Code::ImageNotBootable,
            named,
        );
    }
    let image = test_image::variant(Variant::NoLabel).unwrap().reference();
    refused(
        &world,
        "r.example/os/debian:v1",
        |i| i.args(["--source", &image]),
        Code::ImageNotBootable,
        "r.example/os/debian:v1",
    );
}

#[test]
fn configuration_that_does_not_match_its_digest_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, _)) = world.serve(&Tiny::working()) else {
        return;
    };
    // The first blob is the configuration, and comes no further than that.
    let proxy = FaultProxy::start(registry.address(), |request| match request.is_blob() {
        true => Fault::Flip(20),
        false => Fault::None,
    })
    .unwrap();
    let host = proxy.host();
    let image = format!("{host}/os/tiny:v1");
    refused(
        &world,
        &image,
        |i| i.plain_http(&host),
        Code::DigestMismatch,
        &image,
    );
}

#[test]
fn layer_that_does_not_match_its_digest_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let recipe = Tiny::working();
    let Some((registry, _)) = world.serve(&recipe) else {
        return;
    };
    // A layer is by far larger than the configuration.
    let layout = recipe.write(&world).layout;
    let layers: Vec<String> = fs::read_dir(layout.join("blobs/sha256"))
        .unwrap()
        .flatten()
        .filter(|e| e.metadata().unwrap().len() > 10_000)
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    assert!(!layers.is_empty());
    let proxy = FaultProxy::start(registry.address(), move |request| {
        match layers.iter().any(|layer| request.target.contains(layer)) {
            true => Fault::Flip(5000),
            false => Fault::None,
        }
    })
    .unwrap();
    let host = proxy.host();
    let image = format!("{host}/os/tiny:v1");
    let run = cleaned_up(
        &world,
        &image,
        |i| i.plain_http(&host),
        Code::DigestMismatch,
        "Layer",
    );
    assert!(run.stdout.contains("sha256:"), "{run}");
}

#[test]
fn damaged_medium_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let image = Tiny::working().write(&world);
    for entry in fs::read_dir(image.layout.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if bytes.len() > 10_000 {
            bytes[5000] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    }
    let source = image.reference();
    cleaned_up(
        &world,
        "r.example/os/tiny:v1",
        |i| i.args(["--source", &source]),
        Code::DigestMismatch,
        "ayer",
    );
}

#[test]
fn layer_that_is_no_archive_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let source = Tiny::working().with_garbage().write(&world).reference();
    cleaned_up(
        &world,
        "r.example/os/tiny:v1",
        |i| i.args(["--source", &source]),
        Code::UnpackFailed,
        "ayer",
    );
}
