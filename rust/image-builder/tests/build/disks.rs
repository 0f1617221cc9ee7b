// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disk images: made of a blueprint, looked at by the tools that use them, and
//! booted.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::process::Command;

use serde_json::Value;
use testkit::cmd::CommandExt as _;
use vm::{BootedDisk, Configure as _, Disk, DiskConfig, Firmware, SecretString};

use crate::bench::{Bench, Ended, root};

const BLUEPRINT: &str = r#"
[customizations]
hostname = "shop-1"
kernel = { append = "console=ttyS0,115200" }
[[customizations.user]]
name = "alice"
password = "sesame"
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAlice alice@example"
groups = ["users"]
[[customizations.directories]]
path = "/var/lib/shop"
mode = "0750"
group = "users"
[[customizations.files]]
path = "/etc/shop.conf"
data = "till = 3\n"
[[customizations.filesystem]]
mountpoint = "/"
minsize = "5 GiB"
"#;

fn qemu_img(words: &[&str]) -> String {
    Command::new("qemu-img").args(words).read().unwrap()
}

#[test]
fn disk_images_of_a_blueprint_are_whole_and_boot() {
    if !root() {
        eprintln!("skipped: loop devices need root");
        return;
    }
    let bench = Bench::new();
    let image = test_image::standard().unwrap();
    fs::write(bench.path("config.toml"), BLUEPRINT).unwrap();
    let mut command = bench.program(&["build", "--config", "config.toml", "--output", "out"]);
    command
        .args(["--type", "qcow2", "--type", "raw", "--type", "vhd"])
        .args(["--target-imgref", "r.example/os/debian:v1"])
        .args(["--result", "result.json", "--chown", "65534:65534"])
        .arg(image.reference());
    let ended = Ended::of(&mut command);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    // Three disks, their sums, and what tells of them.
    assert_eq!(fs::read_dir(bench.output()).unwrap().count(), 5);

    let told: Value =
        serde_json::from_slice(&fs::read(bench.path("result.json")).unwrap()).unwrap();
    assert_eq!(told["images"][0]["digest"], image.digest().unwrap());
    let path = |place: usize| {
        told["artefacts"][place]["path"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let [qcow2, raw, vhd] = [0, 1, 2].map(path);
    qemu_img(&["check", &qcow2]);
    for (file, format) in [(&qcow2, "qcow2"), (&raw, "raw"), (&vhd, "vpc")] {
        let info: Value =
            serde_json::from_str(&qemu_img(&["info", "--output", "json", "-f", format, file]))
                .unwrap();
        // The root alone has five of them.
        assert!(info["virtual-size"].as_u64().unwrap() > 5 << 30, "{info}");
        // The same disk in other words.
        qemu_img(&["compare", "-f", format, "-F", "raw", file, &raw]);
    }
    // By this footer Azure knows one (Virtual Hard Disk specification); QEMU does
    // not look for it.
    let footer = fs::File::open(&vhd).unwrap();
    let (mut cookie, end) = ([0; 8], footer.metadata().unwrap().len() - 512);
    footer.read_exact_at(&mut cookie, end).unwrap();
    assert_eq!(&cookie, b"conectix");
    let sums = qcow2.replace(".qcow2", ".sha256sums");
    Command::new("sha256sum")
        .args(["--check", "--strict", &sums])
        .current_dir(bench.output())
        .run()
        .unwrap();

    // The person of the blueprint logs in with what was typed there.
    let config = DiskConfig::new(Disk::new(&qcow2).snapshot())
        .firmware(Firmware::Uefi)
        .network(false)
        .login("alice", Some(SecretString::from("sesame")));
    let mut system = BootedDisk::start(&config).unwrap();
    let script = "[ -d /sys/firmware/efi ] && id -un && hostname && cat /etc/shop.conf && \
                  stat -c %a:%G /var/lib/shop && cat .ssh/authorized_keys";
    assert_eq!(
        system.check(script).unwrap(),
        "alice\nshop-1\ntill = 3\n750:users\n\
         ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAlice alice@example\n"
    );
}

#[test]
fn what_cannot_be_made_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    let image = test_image::standard().unwrap().reference();
    fs::write(
        bench.path("typo.toml"),
        "[customizations]\nhostnam = \"a\"\n",
    )
    .unwrap();
    fs::write(
        bench.path("swap.toml"),
        "[[customizations.disk.partitions]]\nminsize = 1\nfs_type = \"swap\"\n",
    )
    .unwrap();
    let both = ["--type", "calamares", "--type", "raw"];
    let small = [
        "--type",
        "raw",
        "--size",
        "300 MiB",
        "--target-imgref",
        "r.example/a:1",
    ];
    let table: &[(&[&str], &str, i32, &str)] = &[
        (
            &["--type", "raw", "-c", "typo.toml"],
            "CONFIG_INVALID",
            2,
            "line 2, column 1",
        ),
        (
            &["--type", "raw", "-c", "swap.toml"],
            "CONFIG_INVALID",
            2,
            "swap",
        ),
        (
            &["--type", "raw", "-c", "none.toml"],
            "CONFIG_INVALID",
            2,
            "cannot be read",
        ),
        (&both, "USAGE", 2, "one command"),
        (&["--rootfs", "xfs"], "USAGE", 2, "--rootfs"),
        (&["--type", "raw", "--work", "w"], "USAGE", 2, "--work"),
        (&small, "BUILD_FAILED", 1, "TARGET_TOO_SMALL"),
    ];
    for (words, code, status, part) in table {
        let needs_root = *code == "BUILD_FAILED";
        if needs_root && !root() {
            continue;
        }
        let mut command = bench.program(&["build", "--output", "out"]);
        let ended = Ended::of(command.args(*words).arg(&image));
        assert!(ended.message().contains(part), "{words:?}: {ended:?}");
        ended.assert(code, *status, &[]);
        bench.assert_nothing_left();
    }
}
