// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other systems beside the target: nothing of theirs is written to.

use std::fs;
use std::path::Path;

use contract::error::Code;
use failure::{Disk, MIB, Raw, Run, Tiny, World, bootc};

/// A grub-install that only writes down what it was called with.
const GRUB: &str = r#"#!/bin/sh
for word; do
    case $word in --boot-directory=*) boot=${word#*=};; esac
    last=$word
done
mkdir -p "$boot/grub"
echo "$last" >> "$boot/grub/called-with"
"#;

/// What bootc leaves for the menu.
const ENTRY: &str = r#"
mkdir -p "$1/boot/loader/entries"
echo "options root=UUID=1" > "$1/boot/loader/entries/ostree-1.conf"
"#;

/// A table with a place for GRUB, and something that somebody else has.
const WITH_PLACE: &str = "label: gpt\n\
    size=1MiB, type=21686148-6449-6E6F-744E-656564454649\n\
    size=2MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n";
const WITHOUT_PLACE: &str = "label: gpt\nsize=2MiB\n";
/// GRUB's core image is larger than what is before the partition.
const OLD_GAP: &str = "label: dos\nstart=256, size=2MiB\n";

/// Installs an image with GRUB under BIOS, with `chosen` for the boot loader.
fn install(world: &World, root: &Disk, chosen: &Path) -> Run {
    let image = Tiny::new(&format!("{}{ENTRY}", bootc::WORKS))
        .with_program("usr/sbin/grub-install", GRUB)
        .with("usr/lib/grub/i386-pc/modinfo.sh", "")
        .with("usr/lib/grub/i386-pc/blsuki.mod", "");
    let mut planner = world.installer().args(["plan", "--no-lookup", "--root"]);
    planner = planner.arg(root.path()).args(["--source"]);
    let plan = planner.arg(image.write(world).reference());
    let plan = plan.args(["--image", "r.example/os/tiny:v1"]).output();
    let mut plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    plan["target"]["firmware"] = "bios".into();
    plan["target"]["biosDisk"] = chosen.to_str().unwrap().into();
    let path = world.file("plan.json", plan.to_string());
    let installer = world.installer().args(["install", "--events", "-"]);
    installer.arg("--plan").arg(path).run()
}

#[test]
fn a_boot_place_that_is_none_is_refused_before_anything_is_written() {
    let Some(world) = World::enter(&["sfdisk", "partx"]) else {
        return;
    };
    let other = Raw::blank(&world, 16 * MIB);
    let root = world.small_disk();
    let before = root.look();
    let refused = |chosen: &Path, why: &str| {
        let sectors = fs::read(other.device()).unwrap();
        let run = install(&world, &root, chosen);
        let error = run.assert_error(Code::BootNoPlace, chosen.to_str().unwrap());
        assert!(error.what.contains(why), "{run}");
        before.assert_untouched(&root);
        assert!(fs::read(other.device()).unwrap() == sectors, "{chosen:?}");
    };
    refused(other.device(), "no place");
    for table in [WITHOUT_PLACE, OLD_GAP] {
        other.table(&world, table);
        refused(other.device(), "no place");
    }
    other.table(&world, WITH_PLACE);
    refused(&other.partition(2), "is a partition");
}
