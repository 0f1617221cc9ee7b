// SPDX-License-Identifier: MIT OR Apache-2.0
//! An installation under UEFI beside a system like Windows, on its disk and its EFI
//! system partition, with firmware that keeps its entries. Nothing of the other system
//! changes, and it still starts.
//!
//! Minutes under TCG, so only when asked for:
//! `cargo test -p e2e --test neighbours -- --ignored`.
#![allow(clippy::unwrap_used)]

use std::fs::File;

use test_guest::{Guest, GuestConfig};
use testkit::cmd;
use vm::{Configure as _, Disk, DiskConfig, Firmware, boot_until};

/// What the other system's loader says on the serial line.
const GREETING: &str = "the other system starts";

/// A disk as another installer leaves it: a place for GRUB under BIOS (with something
/// in it), an EFI system partition with a vendor's loader and its copy in the fallback's
/// place, data, and room for us.
const OTHERS: &str = "set -e
    sgdisk -n1:0:+1M -t1:ef02 -n2:0:+128M -t2:ef00 -n3:0:+16M -t3:0700 \
        -n4:0:+768M -t4:8300 -n5:0:0 -t5:8304 /dev/vda >/dev/null
    udevadm settle
    head -c 440 /dev/urandom | dd of=/dev/vda conv=notrunc status=none
    head -c 1M /dev/urandom >/dev/vda1
    head -c 16M /dev/urandom >/dev/vda3
    mkfs.vfat -F32 -n SYSTEM /dev/vda2 >/dev/null
    mkdir -p /mnt/esp
    mount /dev/vda2 /mnt/esp
    mkdir -p /mnt/esp/EFI/Microsoft/Boot /mnt/esp/EFI/Boot
    printf 'serial --unit=0 --speed=115200\\nterminal_output serial\\necho %s\\nsleep 600\\n' \
        'GREETING' >/tmp/other.cfg
    grub-mkimage -O x86_64-efi -p /none -c /tmp/other.cfg \
        -o /mnt/esp/EFI/Microsoft/Boot/bootmgfw.efi serial terminal echo sleep normal
    cp /mnt/esp/EFI/Microsoft/Boot/bootmgfw.efi /mnt/esp/EFI/Boot/bootx64.efi
    echo theirs >/mnt/esp/EFI/Microsoft/Boot/BCD
    modprobe -q efivarfs || true
    mountpoint -q /sys/firmware/efi/efivars ||
        mount -t efivarfs efivarfs /sys/firmware/efi/efivars
    efibootmgr -q -c -d /dev/vda -p 2 -L 'Windows Boot Manager' \
        -l '\\EFI\\Microsoft\\Boot\\bootmgfw.efi'
    efibootmgr -q -c -d /dev/vda -p 2 -L debian -l '\\EFI\\debian\\shimx64.efi'
    umount /mnt/esp";

const TARGET: &str = "set -e
    mkfs.ext4 -q /dev/vda4
    mkfs.ext4 -q -O verity /dev/vda5
    mkdir -p /mnt/target
    mount /dev/vda5 /mnt/target
    mkdir /mnt/target/boot
    mount /dev/vda4 /mnt/target/boot
    mkdir /mnt/target/boot/efi
    mount /dev/vda2 /mnt/target/boot/efi";

/// Everything of the other system, one line each.
const RECEIPT: &str = "set -e
    mkdir -p /mnt/esp
    mount -o ro /dev/vda2 /mnt/esp
    cd /mnt/esp
    find . -type f ! -path './EFI/debian-bootc*' -exec sha256sum {} + | sort -k 2
    cd /
    umount /mnt/esp
    head -c 440 /dev/vda | sha256sum
    sha256sum /dev/vda1 /dev/vda3
    sfdisk --dump /dev/vda
    efibootmgr | grep -e '^Boot[0-9]' | grep -v bootc";

#[test]
#[ignore = "minutes under TCG"]
fn another_system_is_untouched_and_starts() {
    if !cmd::is_root() {
        eprintln!("skipped: the guest's root needs root to be made");
        return;
    }
    let dir = tempfile::Builder::new().tempdir_in("/var/tmp").unwrap();
    let disk = dir.path().join("disk.raw");
    File::create(&disk).unwrap().set_len(6 << 30).unwrap();
    let image = test_image::standard().unwrap();
    let layout = image.layout.file_name().unwrap().to_str().unwrap();
    let config = GuestConfig::new()
        .memory_mib(2048)
        .firmware(Firmware::Uefi)
        .network(false)
        .disk(Disk::new(&disk))
        .share(failure::program())
        .share(&image.layout);
    let mut guest = Guest::start(&config).unwrap();
    guest.check(&OTHERS.replace("GREETING", GREETING)).unwrap();
    let before = guest.check(RECEIPT).unwrap();
    assert!(before.contains("Windows Boot Manager"), "{before}");
    guest.check(TARGET).unwrap();

    let install = format!(
        "bootc-installer install --image r.example/os/debian:v1 \
         --source oci:/host/{layout}:{} --root /mnt/target --unmount --events - \
         >/tmp/events || {{ tail -n 5 /tmp/events >&2; exit 1; }}; \
         grep -e Message -e Done /tmp/events",
        image.tag
    );
    eprintln!("{}", guest.check(&install).unwrap());

    let after = guest.check(RECEIPT).unwrap();
    eprintln!("{after}");
    assert_eq!(after, before);
    let ours = guest
        .check("mount -o ro /dev/vda2 /mnt/esp; ls /mnt/esp/EFI /mnt/esp/EFI/debian-bootc; efibootmgr; umount /mnt/esp")
        .unwrap();
    eprintln!("{ours}");
    assert!(ours.contains("grubx64.efi"), "{ours}");
    assert!(ours.contains("* debian-bootc"), "{ours}");
    guest.power_off().unwrap();

    // A machine that has forgotten its entries starts what it started before.
    let uefi = DiskConfig::new(Disk::new(&disk).snapshot())
        .firmware(Firmware::Uefi)
        .network(false);
    assert!(boot_until(&uefi, GREETING).unwrap().contains(GREETING));
}
