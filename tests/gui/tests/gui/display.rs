// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who gets on the medium's screen.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use test_gui::World;
use testkit::cmd::CommandExt;

const SCRIPT: &str = include_str!("display.sh");
const DISPLAY: &str = "../../iso/includes.chroot_after_packages/usr/libexec/installer/display";
/// Of one start.
const TOLD: &str = "\
session: in
session, host renamed: in
another account: annot open display
another account, the file named: annot open display
root without the file: annot open display
file: 600 0
digits: 32, command lines with it: 0
";

#[test]
fn the_screen_is_open_to_the_session_alone() {
    let Some(world) = World::enter("the_screen_is_open_to_the_session_alone") else {
        return;
    };
    let told = Command::new("unshare")
        // X also listens on an abstract socket, which belongs to the network.
        .args([
            "--mount",
            "--pid",
            "--net",
            "--uts",
            "--fork",
            "--kill-child",
        ])
        .args(["sh", "-c", SCRIPT, "display"])
        .arg(world.debian())
        .arg(world.inner().dir())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(DISPLAY))
        .read()
        .unwrap();
    assert_eq!(told, TOLD.repeat(2));
}
