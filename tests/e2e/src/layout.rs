// SPDX-License-Identifier: MIT OR Apache-2.0
//! The partition layout of the demo: what the installer's partitioning page
//! would make for a disk that is to boot under both firmwares.

/// Where the target is mounted in the guest.
pub const TARGET: &str = "/mnt/target";

/// A shell script that makes a GPT with BIOS boot partition, ESP, /boot and
/// root on `disk` (for example `/dev/vda`) and mounts them below [`TARGET`].
///
/// The type codes are sgdisk's: ef02 BIOS boot, ef00 ESP, ea00 XBOOTLDR, 8304
/// Linux root (x86-64) of the Discoverable Partitions Specification.
pub fn script(disk: &str) -> String {
    format!(
        "set -ex
sgdisk --zap-all {disk} >/dev/null
sgdisk -n1:0:+1M -t1:ef02 -n2:0:+128M -t2:ef00 -n3:0:+768M -t3:ea00 -n4:0:0 -t4:8304 {disk}
blockdev --rereadpt {disk} || true
udevadm settle || true
mkfs.vfat -F32 -n ESP {disk}2
mkfs.ext4 -q -L boot {disk}3
mkfs.ext4 -q -L root -O verity {disk}4
mkdir -p {TARGET}
mount {disk}4 {TARGET}
mkdir {TARGET}/boot
mount {disk}3 {TARGET}/boot
mkdir {TARGET}/boot/efi
mount {disk}2 {TARGET}/boot/efi
lsblk -o NAME,SIZE,FSTYPE,PARTTYPENAME,MOUNTPOINT {disk}
"
    )
}
