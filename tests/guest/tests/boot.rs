// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guest in earnest. Boots are dear under TCG, so one guest serves all
//! checks, and the disk that it writes is then booted by itself.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use test_guest::{Guest, GuestConfig, LiveImage};
use vm::{BootedDisk, Configure as _, Disk, DiskConfig, Firmware, SecretString, boot_until};

/// What the boot sector of the test's disk says on the serial line.
const GREETING: &str = "hello from the disk";

#[test]
fn a_guest_does_privileged_work_and_its_disk_boots() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk.img");
    File::create(&disk).unwrap().set_len(256 << 20).unwrap();
    let shared = dir.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(shared.join("file"), "from the host\n").unwrap();

    let image = LiveImage::build().unwrap();
    let started = Instant::now();
    let mut guest = Guest::start(
        &GuestConfig::new()
            .disk(Disk::new(&disk).serial("target"))
            .share(&shared)
            .share(&image.kernel)
            .share(&image.initramfs),
    )
    .unwrap();
    eprintln!("guest up after {:.1} s", started.elapsed().as_secs_f64());

    output_comes_through(&mut guest);
    files_go_both_ways(&mut guest);
    the_host_is_reachable(&mut guest);
    disks_work(&mut guest);
    encryption_works(&mut guest);
    grub_makes_it_bootable(&mut guest, &image);
    a_missed_deadline_says_so(&mut guest);
    // Like a power cut: what was unmounted is on the disk all the same.
    drop(guest);

    // The disk's kernel finds its root on the second disk.
    let config = DiskConfig::new(Disk::new(&disk).snapshot())
        .disk(Disk::new(&image.root).read_only().serial("live-root"))
        .memory_mib(512)
        .login("root", Some(SecretString::from("sesame")));
    let uefi = config.clone().firmware(Firmware::Uefi);
    let started = Instant::now();
    let said = boot_until(&uefi, GREETING).unwrap();
    eprintln!(
        "UEFI greeting after {:.1} s",
        started.elapsed().as_secs_f64()
    );
    assert!(said.contains(GREETING));
    a_login_runs_commands(&config);
}

fn a_login_runs_commands(config: &DiskConfig) {
    let started = Instant::now();
    let mut booted = BootedDisk::start(config).unwrap();
    eprintln!("logged in after {:.1} s", started.elapsed().as_secs_f64());
    for (script, status, stdout, stderr) in COMMANDS {
        let output = booted.run(script).unwrap();
        assert_eq!(output.status, *status, "{script}");
        assert_eq!(output.stdout, *stdout, "{script}");
        assert_eq!(output.stderr, *stderr, "{script}");
    }
    // Longer than a terminal's line, both ways.
    let long = "0123456789".repeat(600);
    let echoed = booted.check(&format!("echo {long}")).unwrap();
    assert_eq!(echoed.trim(), long);
    booted.power_off().unwrap();
}

#[test]
fn what_cannot_start_says_why() {
    let missing = DiskConfig::new(Disk::new("/no/such.img"));
    let error = boot_until(&missing, "x").unwrap_err();
    assert_eq!(error.to_string(), "no disk image /no/such.img");

    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk.img");
    File::create(&disk).unwrap().set_len(1 << 20).unwrap();
    let blank = DiskConfig::new(Disk::new(&disk))
        .network(false)
        .firmware(Firmware::Uefi);
    let error = boot_until(&blank, GREETING).unwrap_err().to_string();
    assert!(error.contains("found nothing to boot"), "{error}");
    let wrong = DiskConfig::new(Disk::new(&disk)).qemu_args(&["-device", "no-such-device"]);
    let error = boot_until(&wrong, "x").unwrap_err().to_string();
    assert!(error.contains("the virtual machine ended"), "{error}");
    assert!(error.contains("no-such-device"), "{error}");
}

/// Script, exit status, standard output, standard error.
type Case = (&'static str, i32, &'static [u8], &'static [u8]);

const COMMANDS: &[Case] = &[
    ("true", 0, b"", b""),
    ("exit 200", 200, b"", b""),
    ("kill -9 $$", 137, b"", b""),
    ("echo out; echo err >&2; exit 3", 3, b"out\n", b"err\n"),
    ("printf 'no newline'", 0, b"no newline", b""),
    (
        "printf '\\0\\1\\377\\r\\n\\033[31m@@E'",
        0,
        b"\0\x01\xff\r\n\x1b[31m@@E",
        b"",
    ),
    (
        "printf '%s\\n' 'é \"quoted\" $HOME \\n'",
        0,
        "é \"quoted\" $HOME \\n\n".as_bytes(),
        b"",
    ),
    ("cat", 0, b"", b""),
    ("echo noise >/dev/kmsg; pwd; id -u", 0, b"/root\n0\n", b""),
];

fn output_comes_through(guest: &mut Guest) {
    for (script, status, stdout, stderr) in COMMANDS {
        let output = guest.run(script).unwrap();
        assert_eq!(output.status, *status, "{script}");
        assert_eq!(output.stdout, *stdout, "{script}");
        assert_eq!(output.stderr, *stderr, "{script}");
    }
    let long = guest.check("seq 1 20000").unwrap();
    assert_eq!(long.lines().count(), 20000);
    let error = guest.check("echo why; exit 4").unwrap_err().to_string();
    assert!(
        error.contains("exit status 4") && error.ends_with("why"),
        "{error}"
    );
    let kernel = guest.check("uname -sr").unwrap();
    assert!(kernel.starts_with("Linux "), "{kernel}");
}

fn files_go_both_ways(guest: &mut Guest) {
    let content: Vec<u8> = (0..200_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    guest.put("/tmp/a dir/b'c", 0o755, &content).unwrap();
    assert_eq!(guest.get("/tmp/a dir/b'c").unwrap(), content);
    let mode = guest.check("stat -c %a \"/tmp/a dir/b'c\"").unwrap();
    assert_eq!(mode, "755\n");
    assert!(guest.put("/proc/none", 0o644, b"").is_err());
    assert!(guest.get("/no/such/file").is_err());
    assert_eq!(
        guest.check("cat /host/shared/file").unwrap(),
        "from the host\n"
    );
}

fn the_host_is_reachable(guest: &mut Guest) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"greetings\n").unwrap();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        let mut said = String::new();
        peer.read_to_string(&mut said).unwrap();
        said
    });
    let heard = guest
        .check(&format!(
            "bash -c 'exec 5<>/dev/tcp/10.0.2.2/{port}; echo thanks >&5; cat <&5'"
        ))
        .unwrap();
    assert_eq!(heard, "greetings\n");
    assert_eq!(server.join().unwrap(), "thanks\n");
}

fn disks_work(guest: &mut Guest) {
    guest
        .check(
            "set -e
            sgdisk -n1:0:+1M -t1:ef02 -n2:0:+64M -t2:ef00 -n3:0:+32M -t3:8300 -n4:0:0 -t4:8309 \
                /dev/vda
            udevadm settle
            mkfs.vfat -n ESP /dev/vda2
            mkfs.ext4 -q -L boot /dev/vda3
            mkdir -p /mnt/esp /mnt/boot
            mount /dev/vda2 /mnt/esp
            mount /dev/vda3 /mnt/boot
            echo data >/mnt/esp/file
            [ -b /dev/disk/by-id/virtio-target ]",
        )
        .unwrap();
    guest.check("udevadm settle").unwrap();
    let types = guest
        .check("lsblk -rno NAME,FSTYPE,MOUNTPOINT /dev/vda")
        .unwrap();
    assert_eq!(
        types,
        "vda  \nvda1  \nvda2 vfat /mnt/esp\nvda3 ext4 /mnt/boot\nvda4  \n"
    );
    assert_eq!(
        guest.check("blkid -s TYPE -o value /dev/vda2").unwrap(),
        "vfat\n"
    );
    let table = guest.check("sfdisk --dump /dev/vda").unwrap();
    assert!(table.starts_with("label: gpt"), "{table}");
    let available = "for m in iso9660 xfs btrfs squashfs overlay; do \
        modprobe -q $m; grep -qw $m /proc/filesystems || echo no $m; done";
    assert_eq!(guest.check(available).unwrap(), "");
    guest
        .check("losetup --show -fP /dev/vda && losetup -D")
        .unwrap();
}

fn encryption_works(guest: &mut Guest) {
    // The cheapest key derivation that cryptsetup takes: not what is tested.
    guest
        .check(
            "set -e
            printf secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
                --pbkdf-force-iterations 1000 --key-file - /dev/vda4
            printf secret | cryptsetup open --key-file - /dev/vda4 crypt
            mkfs.ext4 -q /dev/mapper/crypt
            mkdir -p /mnt/crypt
            mount /dev/mapper/crypt /mnt/crypt
            echo hidden >/mnt/crypt/file",
        )
        .unwrap();
    let tree = guest.check("lsblk -rno NAME,TYPE /dev/vda4").unwrap();
    assert_eq!(tree, "vda4 part\ncrypt crypt\n");
    guest
        .check("umount /mnt/crypt && cryptsetup close crypt && [ ! -e /dev/mapper/crypt ]")
        .unwrap();
}

/// BIOS and UEFI boot loader, with a kernel whose console has a login.
fn grub_makes_it_bootable(guest: &mut Guest, image: &LiveImage) {
    let initramfs = image.initramfs.file_name().unwrap().to_str().unwrap();
    let config = format!(
        "serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\n\
         echo {GREETING}\n\
         linux /vmlinuz console=ttyS0 no_timer_check mitigations=off panic=-1 test-guest.login\n\
         initrd /initramfs\nboot\n"
    );
    guest
        .put("/mnt/boot/grub/grub.cfg", 0o644, config.as_bytes())
        .unwrap();
    let modules =
        "part_gpt ext2 fat serial terminal echo linux normal configfile search search_label";
    guest
        .check(&format!(
            "set -e
            cp /host/vmlinuz /mnt/boot/vmlinuz
            cp /host/{initramfs} /mnt/boot/initramfs
            grub-install --target=i386-pc --boot-directory=/mnt/boot --modules='{modules}' \
                --install-modules='' --locales= --fonts= --themes= /dev/vda
            echo 'search --label boot --set root
                set prefix=($root)/grub
                configfile $prefix/grub.cfg' >/tmp/early.cfg
            mkdir -p /mnt/esp/EFI/BOOT
            grub-mkimage -O x86_64-efi -p /grub -c /tmp/early.cfg \
                -o /mnt/esp/EFI/BOOT/BOOTX64.EFI {modules}
            umount /mnt/esp /mnt/boot"
        ))
        .unwrap();
}

fn a_missed_deadline_says_so(guest: &mut Guest) {
    let limit = Duration::from_millis(200);
    let error = guest
        .run_within(limit, "echo begun; exec sleep infinity")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("sleep infinity") && error.contains("more than 0 s"),
        "{error}"
    );
    let error = guest.run("true").unwrap_err().to_string();
    assert!(error.contains("still busy with"), "{error}");
    assert!(Path::new(&format!("/proc/{}", guest.pid())).exists());
}
