// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn line(machine: &Machine, launch: &Launch) -> String {
    format!(" {} ", machine.arguments(launch).join(" "))
}

fn disk_boot() -> Launch {
    Launch {
        kernel: None,
        wiring: Wiring::ConsoleOnStdio,
        kvm: false,
        uefi: None,
    }
}

fn live_boot() -> Launch {
    Launch {
        kernel: Some(DirectKernel {
            kernel: "/c/vmlinuz".into(),
            initramfs: "/c/initramfs".into(),
            command_line: "console=ttyS0 panic=-1".into(),
        }),
        wiring: Wiring::AgentOnStdio {
            console_log: "/t/a,b.log".into(),
        },
        ..disk_boot()
    }
}

#[test]
fn arguments_follow_the_machine() {
    let plain = Machine::default;
    let with_disk = |disk: Disk| Machine {
        disks: vec![disk],
        ..plain()
    };
    let uefi = Launch {
        uefi: Some(("/o/CODE.fd".into(), "/t/vars.fd".into())),
        ..disk_boot()
    };
    let kvm = Launch {
        kvm: true,
        ..disk_boot()
    };
    let no_net = Machine {
        network: false,
        ..plain()
    };
    let isolated = Machine {
        isolated: true,
        ..plain()
    };
    let secure = Machine {
        firmware: Firmware::Secure,
        ..plain()
    };
    let medium = Machine {
        medium: Some("/a.iso".into()),
        large_screen: true,
        ..with_disk(Disk::new("/d"))
    };
    let told = Machine {
        ports: vec![Port {
            name: "e2e".to_owned(),
            socket: "/s".into(),
        }],
        credentials: vec![Credential::new("a.b", "c,d"), Credential::new("e", "f")],
        firmware_log: Some("/f".into()),
        qmp: Some("/q".into()),
        ..plain()
    };
    let big = Machine {
        memory_mib: 2048,
        cpus: 1,
        ..plain()
    };
    let cases = [
        (plain(), disk_boot(), " -accel tcg,thread=multi -cpu max "),
        (plain(), kvm, " -accel kvm -cpu host "),
        (secure.clone(), uefi.clone(), " -machine q35,smm=on "),
        (
            secure,
            uefi.clone(),
            " -global driver=cfi.pflash01,property=secure,value=on ",
        ),
        (medium.clone(), disk_boot(), " -device virtio-vga "),
        (medium.clone(), disk_boot(), "drive=disk0,bootindex=1 "),
        (
            medium.clone(),
            live_boot(),
            " -device scsi-cd,drive=medium ",
        ),
        (
            medium,
            disk_boot(),
            "file=/a.iso -device virtio-scsi-pci -device scsi-cd,drive=medium,bootindex=0 ",
        ),
        (
            told.clone(),
            disk_boot(),
            " -chardev socket,id=port0,path=/s,server=on,wait=off -device virtserialport,chardev=port0,name=e2e ",
        ),
        (
            told.clone(),
            disk_boot(),
            " -smbios type=11,path=/dev/fd/30 -smbios type=11,path=/dev/fd/31 ",
        ),
        (
            told.clone(),
            disk_boot(),
            " -chardev file,id=firmware,path=/f -device isa-debugcon,iobase=0x402,chardev=firmware ",
        ),
        (told, disk_boot(), " -qmp unix:/q,server=on,wait=off "),
        (isolated, disk_boot(), " -netdev user,id=net0,restrict=on "),
        (
            with_disk(Disk::new("/d.vhd")),
            disk_boot(),
            " -drive id=disk0,if=none,format=vpc,",
        ),
        (
            with_disk(Disk::new("/d.raw").format(Format::Vmdk)),
            disk_boot(),
            " -drive id=disk0,if=none,format=vmdk,",
        ),
        (big, disk_boot(), " -smp 1 -m 2048 "),
        (no_net, disk_boot(), " -nic none "),
        (plain(), disk_boot(), " -netdev user,id=net0 "),
        (
            plain(),
            disk_boot(),
            " -chardev stdio,id=console,signal=off -serial chardev:console ",
        ),
        (
            plain(),
            live_boot(),
            " -kernel /c/vmlinuz -initrd /c/initramfs -append console=ttyS0 panic=-1 ",
        ),
        (
            plain(),
            live_boot(),
            " -chardev file,id=console,append=on,path=/t/a,,b.log ",
        ),
        (
            plain(),
            uefi,
            " -drive if=pflash,format=raw,unit=0,readonly=on,file=/o/CODE.fd \
             -drive if=pflash,format=raw,unit=1,file=/t/vars.fd ",
        ),
        (
            with_disk(Disk::new("/d")),
            disk_boot(),
            " -drive id=disk0,if=none,format=raw,cache=unsafe,file=/d,discard=unmap,detect-zeroes=unmap \
             -device virtio-blk-pci,drive=disk0,bootindex=0 ",
        ),
        (
            with_disk(Disk::new("/d,e").snapshot()),
            disk_boot(),
            ",file=/d,,e,discard=unmap,detect-zeroes=unmap,snapshot=on ",
        ),
        (
            with_disk(Disk::new("/d").read_only().serial("live-root")),
            live_boot(),
            ",file=/d,readonly=on -device virtio-blk-pci,drive=disk0,serial=live-root ",
        ),
    ];
    for (machine, launch, expected) in cases {
        let line = line(&machine, &launch);
        assert!(line.contains(expected), "{expected}\nis not in\n{line}");
    }
}

#[test]
fn disks_keep_their_order() {
    let machine = Machine {
        disks: vec![Disk::new("/first"), Disk::new("/second")],
        ..Machine::default()
    };
    let line = line(&machine, &disk_boot());
    assert!(
        line.find("file=/first") < line.find("file=/second"),
        "{line}"
    );
}

#[test]
fn credentials_are_in_no_argument_and_no_debug_output() {
    let machine = Machine {
        credentials: vec![Credential::new("installer.recipe", "password: hunter2")],
        ..Machine::default()
    };
    for text in [line(&machine, &disk_boot()), format!("{machine:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
