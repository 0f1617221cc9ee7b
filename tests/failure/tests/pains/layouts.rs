// SPDX-License-Identifier: MIT OR Apache-2.0
//! OCI layouts that come with an installer medium: in place of a registry that
//! cannot be reached, and instead of a part of the download.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::registry::{OciLayout, Platform, ResolvedImage, Selector};
use contract::error::Code;
use contract::event::{Summary, Task};
use failure::{Disk, Run, Tiny, World};
use serde_json::Value;
use testkit::cmd::CommandExt;
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::refusing::Refusing;

use crate::registry::refused;
use crate::registry_auth::private;

/// A layout in which `recipe` goes by `name`, made as a medium's maker would.
fn medium(world: &World, recipe: &Tiny, name: &str) -> PathBuf {
    let image = recipe.write(world);
    let layout = world.new_path("medium");
    let mut copy = Command::new("skopeo");
    copy.args(["--insecure-policy", "copy", "--quiet", "--all"])
        .args(["--preserve-digests", &image.reference()])
        .arg(format!("oci:{}:{name}", layout.display()));
    copy.run().unwrap();
    layout
}

/// The image that goes by `name` in a layout.
fn resolved(layout: &Path, name: &str) -> ResolvedImage {
    let selector = Selector::Name(name.to_owned());
    let layout = OciLayout::open(layout).unwrap();
    layout.resolve(&selector, &Platform::host()).unwrap()
}

/// Where a layer lies.
fn blob(layout: &Path, image: &ResolvedImage, index: usize) -> PathBuf {
    let layout = OciLayout::open(layout).unwrap();
    layout.blob_path(&image.layers[index].digest)
}

/// The installed system updates from `image`.
#[track_caller]
fn assert_origin(disk: &Disk, summary: &Summary, image: &str) {
    assert_eq!(summary.imgref, image);
    let origin = format!("{}.origin", disk.path().join(&summary.deployment).display());
    let origin = fs::read_to_string(origin).unwrap();
    let end = format!("registry:{image}");
    assert!(origin.lines().any(|line| line.ends_with(&end)), "{origin}");
}

/// It says that a copy is installed instead, and how old that is.
#[track_caller]
fn assert_warned(run: &Run, host: &str) {
    let warnings = run.warnings();
    let warned = |w: &&str| {
        w.contains(host) && w.contains("is used instead: built on 2026-01-02") && w.ends_with('.')
    };
    assert_eq!(warnings.iter().filter(|w| warned(w)).count(), 1, "{run}");
}

fn check(world: &World, image: &str, layout: &Path) -> Value {
    let host = image.split('/').next().unwrap();
    let answer = world
        .installer()
        .args(["check", "--format", "json", "--image", image, "--layout"])
        .arg(layout)
        .plain_http(host)
        .output();
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn without_a_network_the_copy_is_installed() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let nobody = Refusing::new().unwrap();
    for (recipe, host) in [
        (Tiny::working(), nobody.host()),
        (Tiny::working().in_index(), "registry.invalid".to_owned()),
    ] {
        let image = format!("{host}/os/tiny:v1");
        let layout = medium(&world, &recipe, &image);
        let digest = resolved(&layout, &image).manifest_digest.to_string();
        let absent = world.new_path("absent");
        let disk = world.small_disk();
        let run = world
            .install(&image, disk.path())
            .args(["--bootloader", "none"])
            .setting(&format!(
                "layouts: [\"{}\", \"{}\"]",
                absent.display(),
                layout.display()
            ))
            .plain_http(&host)
            .run();
        let summary = run.assert_done();
        assert_eq!((&summary.digest, summary.bytes_downloaded), (&digest, 0));
        assert_origin(&disk, summary, &image);
        assert_warned(&run, &host);
        let tasks = run.tasks();
        assert!(
            !tasks.contains(&Task::Pull) && tasks.contains(&Task::Unpack),
            "{tasks:?}"
        );

        let facts = check(&world, &image, &layout);
        assert_eq!(facts["offline"], true, "{facts}");
        assert_eq!(facts["downloadBytes"], 0, "{facts}");
        assert!(facts["mediumBytes"].as_u64().unwrap() > 0, "{facts}");
        assert_eq!(facts["digest"], digest, "{facts}");
        let first = facts["warnings"][0].as_str().unwrap();
        assert!(first.contains("built on 2026-01-02"), "{facts}");
    }
}

/// A plan made without a network names the copy, and only that is installed.
#[test]
fn a_plan_is_for_one_copy_alone() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let nobody = Refusing::new().unwrap();
    let host = nobody.host();
    let image = format!("{host}/os/tiny:v1");
    let layout = medium(&world, &Tiny::working(), &image);
    let disk = world.small_disk();
    let plan = world
        .installer()
        .args(["plan", "--bootloader", "none", "--image", &image, "--root"])
        .arg(disk.path())
        .arg("--layout")
        .arg(&layout)
        .plain_http(&host)
        .output();
    let digest = resolved(&layout, &image).manifest_digest.to_string();
    assert!(plan.contains(&digest), "{plan}");
    let play = || {
        let path = world.file("plan.json", &plan);
        let installer = world.installer().args(["install", "--events", "-"]);
        installer.arg("--plan").arg(path).run()
    };
    // Another image under the same name.
    let other = medium(&world, &Tiny::working().with("usr/other", "x"), &image);
    fs::rename(&layout, world.new_path("first")).unwrap();
    fs::rename(other, &layout).unwrap();
    let before = disk.look();
    let run = play();
    let error = run.assert_error(Code::RegistryUnreachable, &host);
    assert!(
        error.details.iter().any(|d| d.contains("another one")),
        "{run}"
    );
    before.assert_untouched(&disk);

    fs::remove_dir_all(&layout).unwrap();
    let again = medium(&world, &Tiny::working(), &image);
    fs::rename(again, &layout).unwrap();
    let run = play();
    assert_origin(&disk, run.assert_done(), &image);
    assert_warned(&run, &host);
}

#[test]
fn without_a_network_nothing_else_is_installed() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let nobody = Refusing::new().unwrap();
    let host = nobody.host();
    let image = format!("{host}/os/tiny:v1");
    let layout = medium(&world, &Tiny::working(), &image);
    let absent = world.new_path("absent");
    let foreign = medium(&world, &Tiny::working().architecture("s390x"), &image);
    let damaged = medium(&world, &Tiny::working(), &image);
    fs::remove_file(blob(&damaged, &resolved(&layout, &image), 0)).unwrap();
    let nobodys = format!("@sha256:{}", "0".repeat(64));
    for (image, layout) in [
        (format!("{host}/os/tiny:v2"), &layout),
        (format!("{host}/tiny:v1"), &layout),
        (format!("{image}{nobodys}"), &layout),
        (image.clone(), &absent),
        (image.clone(), &foreign),
        (image.clone(), &damaged),
    ] {
        refused(
            &world,
            &image,
            |i| i.arg("--layout").arg(layout).plain_http(&host),
            Code::RegistryUnreachable,
            &host,
        );
    }
}

/// A registry that answers has the last word.
#[test]
fn what_a_registry_says_is_not_passed_over() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let Some((registry, _)) = world.serve(&Tiny::working()) else {
        return;
    };
    let Some((locked, private)) = private(&world) else {
        return;
    };
    let broken = FaultProxy::start(registry.address(), |_| {
        Fault::Answer("503 Service Unavailable", String::new(), Vec::new())
    })
    .unwrap();
    for (image, http, code) in [
        (private, true, Code::RegistryAuthRequired),
        (
            format!("{}/os/tiny:v2", registry.host()),
            true,
            Code::ImageNotFound,
        ),
        (
            format!("{}/os/tiny:v1", broken.host()),
            true,
            Code::NetworkInterrupted,
        ),
        // Without leave for plain http.
        (
            format!("{}/os/tiny:v1", registry.host()),
            false,
            Code::RegistryTls,
        ),
    ] {
        let host = image.split('/').next().unwrap();
        let layout = medium(&world, &Tiny::working(), &image);
        let entry = format!("insecure: {http}");
        refused(
            &world,
            &image,
            |i| i.arg("--layout").arg(&layout).registry(host, &entry),
            code,
            host,
        );
    }
    drop(locked);
}

#[test]
fn only_what_is_not_on_the_medium_is_downloaded() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let recipe = Tiny::working();
    let Some((registry, _)) = world.serve(&recipe) else {
        return;
    };
    let proxy = FaultProxy::start(registry.address(), |_| Fault::None).unwrap();
    let host = proxy.host();
    let image = format!("{host}/os/tiny:v1");
    // An older image with one layer in common.
    let layout = medium(&world, &recipe, "r.example/os/older:v1");
    let copy = resolved(&layout, "r.example/os/older:v1");
    assert_eq!(copy.layers.len(), 2);
    fs::remove_file(blob(&layout, &copy, 1)).unwrap();
    let [first, second] = [&copy.layers[0], &copy.layers[1]];

    let facts = check(&world, &image, &layout);
    assert_eq!(facts["downloadBytes"], second.size, "{facts}");
    assert_eq!(facts["mediumBytes"], first.size, "{facts}");
    assert_eq!(facts.get("offline"), None, "{facts}");

    let disk = world.small_disk();
    let install = || {
        world
            .install(&image, disk.path())
            .args(["--bootloader", "none", "--layout"])
            .arg(&layout)
            .plain_http(&host)
            .run()
    };
    let asked = |digest: &str| proxy.requests().iter().any(|r| r.target.contains(digest));
    let run = install();
    let summary = run.assert_done();
    assert_eq!(summary.bytes_downloaded, second.size);
    assert_origin(&disk, summary, &image);
    assert!(asked(&second.digest.to_string()) && !asked(&first.digest.to_string()));
    assert_eq!(run.warnings(), [""; 0], "{run}");

    // The medium is damaged.
    let path = blob(&layout, &copy, 0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000] ^= 1;
    fs::write(&path, bytes).unwrap();
    disk.remake();
    let run = install();
    let summary = run.assert_done();
    assert_eq!(summary.bytes_downloaded, first.size + second.size);
    assert!(run.stderr.contains("the copy is damaged"), "{run}");
}

#[test]
fn what_is_wholly_on_the_medium_is_used_in_place() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    for recipe in [Tiny::working(), Tiny::working().in_index()] {
        let Some((registry, _)) = world.serve(&recipe) else {
            return;
        };
        let proxy = FaultProxy::start(registry.address(), |_| Fault::None).unwrap();
        let host = proxy.host();
        let image = format!("{host}/os/tiny:v1");
        let layout = medium(&world, &recipe, "r.example/other/name:v7");
        let copy = resolved(&layout, "r.example/other/name:v7");
        let disk = world.small_disk();
        let run = world
            .install(&image, disk.path())
            .args(["--bootloader", "none", "--layout"])
            .arg(&layout)
            .plain_http(&host)
            .run();
        let summary = run.assert_done();
        assert_eq!(summary.bytes_downloaded, 0);
        assert_eq!(summary.digest, copy.manifest_digest.to_string());
        assert_origin(&disk, summary, &image);
        assert!(!run.tasks().contains(&Task::Pull), "{run}");
        for layer in &copy.layers {
            let digest = layer.digest.to_string();
            let requests = proxy.requests();
            assert!(!requests.iter().any(|r| r.target.contains(&digest)));
        }
        let facts = check(&world, &image, &layout);
        assert_eq!(facts["downloadBytes"], 0, "{facts}");
        assert_eq!(facts.get("offline"), None, "{facts}");
    }
}

#[test]
fn a_layout_on_the_target_is_refused() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let nobody = Refusing::new().unwrap();
    let image = format!("{}/os/tiny:v1", nobody.host());
    let layout = medium(&world, &Tiny::working(), &image);
    let disk = world.small_disk();
    let inside = disk.path().join("lost+found/layout");
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(&layout).arg(&inside).run().unwrap();
    let run = world
        .install(&image, disk.path())
        .args(["--bootloader", "none", "--layout"])
        .arg(&inside)
        .run();
    let object = inside.to_str().unwrap();
    run.assert_error(Code::TargetNotOwnFilesystem, object);
}
