// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer to-disk` into a file, and the file boots under BIOS with the
//! people of the plan. Under UEFI the builder's disk images are booted.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use testkit::apt;
use testkit::cmd::{self, CommandExt};
use vm::{BootedDisk, Configure as _, Disk, DiskConfig, Firmware};

/// `openssl passwd -6 -salt saltsalt sesame`
const HASH: &str = "$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1";
const CUSTOMISE: &str = "
hostname: server-7
rootSshKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIRoot root@example]
files:
  - { path: /etc/issue.d/mine.issue, contents: \"mine\\n\" }
  - { path: /etc/systemd/system/mine.service, contents: \"[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n\" }
units:
  - { name: mine.service, enabled: true }
users:
  - name: ann
    groups: [users]
    sshAuthorizedKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn ann@example]
    shell: /bin/bash
    passwordHash: ";

/// Makes the disk; gives the digest of its image.
fn make(dir: &Path, disk: &Path) -> String {
    let image = test_image::standard().unwrap();
    let customise = dir.join("customise.yaml");
    std::fs::write(&customise, format!("{CUSTOMISE}\"{HASH}\"\n")).unwrap();
    Command::new(failure::program())
        .args(["to-disk", "--target-imgref", "r.example/os/debian:v1"])
        .args(["--karg", "console=ttyS0,115200", "--events", "-"])
        .args(["--image", &image.reference()])
        .arg("--file")
        .arg(disk)
        .arg("--customise")
        .arg(customise)
        .arg("--log-dir")
        .arg(dir.join("logs"))
        .run()
        .unwrap();
    image.digest().unwrap()
}

#[test]
fn a_file_becomes_a_disk_that_boots() {
    if !cmd::is_root() {
        eprintln!("skipped: loop devices need root");
        return;
    }
    apt::ensure(&["qemu-system-x86_64", "mkfs.vfat", "mcopy", "sfdisk"]).unwrap();
    let dir = tempfile::Builder::new().tempdir_in("/var/tmp").unwrap();
    let disk = dir.path().join("disk.raw");
    let digest = make(dir.path(), &disk);
    let config = DiskConfig::new(Disk::new(&disk).snapshot())
        .firmware(Firmware::Bios)
        .network(false);
    let mut system = BootedDisk::start(&config).unwrap();
    let mut is = |script: &str, expected: &str| {
        let found = system.check(script).unwrap();
        assert_eq!(found.trim(), expected, "{script}");
    };
    is("[ -d /sys/firmware/efi ] || echo bios", "bios");
    is("hostname", "server-7");
    is("id -un 1000; id -Gn ann", "ann\nann users");
    is("getent shadow ann | cut -d: -f2", HASH);
    is("stat -c %U:%a /home/ann/.ssh/authorized_keys", "ann:600");
    is("stat -c %U:%a /root/.ssh/authorized_keys", "root:600");
    is("systemctl is-active mine.service", "active");
    is("cat /etc/issue.d/mine.issue", "mine");
    is("grep -c . /etc/machine-id", "1");
    is(
        "bootc status | grep -o 'sha256:[0-9a-f]*' | head -n 1",
        &digest,
    );
    system.power_off().unwrap();
}
