// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole disks: what is on them afterwards.

mod provisioned;
mod recipe;
mod refused;
mod stopped;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::error::Code;
use contract::event::Task;
use failure::{Raw, Tiny, World, bootc};
use testkit::cmd::CommandExt;

/// Programs that the tests here need.
const TOOLS: [&str; 5] = ["sfdisk", "mkfs.vfat", "mcopy", "mdir", "mkfs.xfs"];

/// Of `openssl passwd -6`.
const HASH: &str = "$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1";

/// Files, people and units in the words of Ignition: text, base64 and gzip.
const IGNITION: &str = r##"{"ignition":{"version":"3.4.0"},
"passwd":{"groups":[{"name":"shop","gid":900}],
  "users":[{"name":"bob","groups":["shop"],"sshAuthorizedKeys":["ssh-ed25519 AAAA bob"]}]},
"storage":{
  "directories":[{"path":"/var/lib/shop","mode":488,"group":{"name":"shop"}}],
  "files":[
    {"path":"/etc/shop/plain","contents":{"source":"data:,till%20%3D%203%0A"}},
    {"path":"/var/lib/shop/base64","mode":384,"user":{"name":"bob"},
     "contents":{"source":"data:;base64,aGVsbG8K"}},
    {"path":"/etc/shop/gzip","contents":{"compression":"gzip",
     "source":"data:;base64,H4sIAAAAAAAAA8tIzcnJ5wIAIDA6NgYAAAA="}}],
  "links":[{"path":"/etc/localtime","target":"/usr/share/zoneinfo/Europe/Berlin","overwrite":true}]},
"systemd":{"units":[
  {"name":"shop.service","enabled":true,
   "contents":"[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
   "dropins":[{"name":"10-nice.conf","contents":"[Service]\nNice=5\n"}]},
  {"name":"systemd-timesyncd.service","mask":true}]}}"##;

/// Numbers of the partitions of the standard layout.
const ESP: usize = 2;
const ROOT: usize = 3;

fn file_of(world: &World) -> PathBuf {
    let dir = world.new_path("out");
    fs::create_dir(&dir).unwrap();
    dir.join("disk.raw")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The real image, onto a file with this file system: layout, boot loaders,
/// people; and the file systems are clean.
fn real_image(fs: &str, check: &[&str]) {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = test_image::standard().unwrap().reference();
    let customise = world.file(
        "customise.yaml",
        format!(
            "hostname: server-7\n\
             rootSshKeys: [ssh-ed25519 AAAA root]\n\
             files: [{{ path: /var/lib/mine/x, mode: \"4750\", owner: \"ann:users\", contents: y }}]\n\
             units: [{{ name: systemd-networkd.service, enabled: true }}]\n\
             users:\n  - name: ann\n    passwordHash: \"{HASH}\"\n    groups: [users]\n    \
             sshAuthorizedKeys: [ssh-ed25519 AAAA ann]\n  - name: root\n    passwordHash: \"*\"\n"
        ),
    );
    let file = file_of(&world);
    let run = world
        .to_disk(&image)
        .args(["--filesystem", fs, "--file", file.to_str().unwrap()])
        .arg("--customise")
        .arg(customise)
        .arg("--ignition")
        .arg(world.file("shop.ign", IGNITION))
        .secret("ann", HASH)
        .run();
    let summary = run.assert_done();
    assert_eq!(summary.bootloaders, ["grub-bios", "grub-uefi"]);
    assert_eq!(
        run.tasks(),
        [
            Task::Check,
            Task::Partition,
            Task::Prepare,
            Task::Unpack,
            Task::Deploy,
            Task::Boot,
            Task::Configure,
            Task::Finish,
        ]
    );
    // The stand-in knows it, as bootc does.
    assert!(run.logs.contains(" --generic-image "), "{run}");
    assert!(world.loops_of(&file).is_empty());
    assert_eq!(names(file.parent().unwrap()), ["disk.raw"]);
    // Sparse, and nothing of what was temporary.
    let used = fs::metadata(&file).unwrap().blocks() * 512;
    assert!(used < 900 << 20, "{used} bytes are used");

    let disk = Raw::of(&file, &["--read-only"]);
    assert_eq!(disk.tag(ROOT, "TYPE"), fs);
    let root_type = disk.tag(ROOT, "PART_ENTRY_TYPE");
    assert_eq!(root_type, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
    let mut fsck = Command::new(check[0]);
    fsck.args(&check[1..])
        .arg(disk.partition(ROOT))
        .run()
        .unwrap();
    let listing = Command::new("mdir")
        .args(["-b", "-i"])
        .arg(format!("{}@@2M", file.display()))
        .arg("::/EFI/BOOT")
        .read()
        .unwrap();
    assert!(listing.contains("BOOTX64.EFI"), "{listing}");
    disk.mounted(&world, ROOT, |root| {
        let deployment = root.join(&summary.deployment);
        let var = root.join("ostree/deploy/default/var");
        let etc = |name: &str| fs::read_to_string(deployment.join("etc").join(name)).unwrap();
        let owner = |path: &Path| {
            let meta = path.metadata().unwrap();
            (meta.uid(), meta.gid(), meta.mode() & 0o7777)
        };
        assert_eq!(etc("hostname"), "server-7\n");
        assert!(
            etc("passwd").contains("\nann:x:1000:1000::/home/ann:"),
            "{}",
            etc("passwd")
        );
        let shadow = etc("shadow");
        assert!(shadow.contains(&format!("\nann:{HASH}:")));
        assert!(shadow.contains("root:*:"), "{shadow}");
        assert!(
            etc("group")
                .lines()
                .any(|l| l.starts_with("users:") && l.ends_with("ann"))
        );
        let key = var.join("home/ann/.ssh/authorized_keys");
        assert_eq!(fs::read_to_string(&key).unwrap(), "ssh-ed25519 AAAA ann\n");
        assert_eq!(owner(&key), (1000, 1000, 0o600));
        assert_eq!(owner(key.parent().unwrap()), (1000, 1000, 0o700));
        assert!(var.join("home/ann/.profile").exists(), "/etc/skel");
        let key = var.join("roothome/.ssh/authorized_keys");
        assert_eq!(owner(&key), (0, 0, 0o600));
        assert_eq!(owner(&var.join("lib/mine/x")), (1000, 100, 0o4750));
        let wants = "systemd/system/multi-user.target.wants/systemd-networkd.service";
        assert!(deployment.join("etc").join(wants).is_symlink());
        assert_eq!(etc("machine-id").trim(), "");
        provisioned(&deployment, &var);
        assert!(!root.join(".bootc-scratch").exists());
        assert!(root.join("boot/grub/x86_64-efi/normal.mod").exists());
        assert!(root.join("boot/grub/i386-pc/normal.mod").exists());
    });
}

/// What [`IGNITION`] says is there.
fn provisioned(deployment: &Path, var: &Path) {
    let etc = |name: &str| deployment.join("etc").join(name);
    let text = |path: PathBuf| fs::read_to_string(path).unwrap();
    assert!(text(etc("group")).contains("\nshop:x:900:bob\n"));
    let passwd = text(etc("passwd"));
    let bob = passwd
        .lines()
        .find(|line| line.starts_with("bob:"))
        .unwrap();
    let uid: u32 = bob.split(':').nth(2).unwrap().parse().unwrap();
    assert_eq!(text(etc("shop/plain")), "till = 3\n");
    assert_eq!(text(etc("shop/gzip")), "hello\n");
    let meta = var.join("lib/shop").metadata().unwrap();
    assert_eq!(
        (meta.uid(), meta.gid(), meta.mode() & 0o7777),
        (0, 900, 0o750)
    );
    let meta = var.join("lib/shop/base64").metadata().unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o7777), (uid, 0o600));
    let link = fs::read_link(etc("localtime")).unwrap();
    assert_eq!(link, Path::new("/usr/share/zoneinfo/Europe/Berlin"));
    let units = etc("systemd/system");
    assert!(text(units.join("shop.service")).contains("ExecStart=/bin/true"));
    assert!(text(units.join("shop.service.d/10-nice.conf")).contains("Nice=5"));
    assert!(
        units
            .join("multi-user.target.wants/shop.service")
            .is_symlink()
    );
    let mask = fs::read_link(units.join("systemd-timesyncd.service")).unwrap();
    assert_eq!(mask, Path::new("/dev/null"));
    assert!(var.join("home/bob/.ssh/authorized_keys").exists());
}

#[test]
fn a_file_with_ext4() {
    real_image("ext4", &["e2fsck", "-fn"]);
}

#[test]
fn a_file_with_xfs() {
    real_image("xfs", &["xfs_repair", "-n"]);
}

/// UUIDs of table, partitions and file systems.
fn uuids(file: &Path) -> Vec<String> {
    let disk = Raw::of(file, &["--read-only"]);
    let mut found = Vec::new();
    for number in [1, ESP, ROOT] {
        found.push(disk.tag(number, "PART_ENTRY_UUID"));
    }
    for number in [ESP, ROOT] {
        found.push(disk.tag(number, "UUID"));
    }
    found
}

#[test]
fn two_builds_have_the_same_names_and_other_plans_others() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let build = |hostname: &str| {
        let file = file_of(&world);
        let installer = world.to_disk(&image).args(["--bootloader", "none"]);
        installer
            .args(["--size", "2G", "--hostname", hostname, "--file"])
            .arg(&file)
            .run()
            .assert_done();
        uuids(&file)
    };
    let first = build("a");
    assert_eq!(first, build("a"));
    let other = build("b");
    assert!(
        first.iter().all(|uuid| !other.contains(uuid)),
        "{first:?} {other:?}"
    );
}

#[test]
fn a_disk_of_this_machine() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let disk = Raw::blank(&world, 3 << 30);
    let to_disk = |options: &[&str]| {
        let installer = world
            .to_disk(&image)
            .args(["--bootloader", "none", "--disk"]);
        installer.arg(disk.device()).args(options).run()
    };
    to_disk(&["--boot-size", "512M"]).assert_done();
    assert_eq!(disk.tag(4, "TYPE"), "ext4");
    let boot = disk.tag(3, "PART_ENTRY_TYPE");
    assert_eq!(boot, "bc13c2ff-59e6-4262-a352-b275fd6f7172");
    disk.mounted(&world, 4, |root| {
        assert!(root.join("ostree/deploy/default/deploy/1.0").is_dir());
    });
    let before = disk.tag(ESP, "PART_ENTRY_UUID");

    // Once more, which needs a word; with another table and file system.
    to_disk(&[]).assert_error(Code::DiskNotEmpty, disk.device().to_str().unwrap());
    assert_eq!(disk.tag(ESP, "PART_ENTRY_UUID"), before);
    to_disk(&["--wipe", "--table", "mbr", "--filesystem", "xfs"]).assert_done();
    assert_eq!(disk.tag(2, "TYPE"), "xfs");
    assert_eq!(disk.tag(2, "PART_ENTRY_SCHEME"), "dos");
    assert_eq!(disk.tag(1, "TYPE"), "vfat");
    assert!(!disk.partition(3).exists());
    world.assert_only_mounted(&[]);
}

/// The plan that is printed is the one that is played.
#[test]
fn a_plan_is_played() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let file = file_of(&world);
    let installer = world.installer().args(["to-disk", "--image", &image]);
    let plan = installer
        .args(["--target-imgref", "r.example/os/tiny:v1", "--dry-run"])
        .args(["--bootloader", "none", "--hostname", "a", "--file"])
        .arg(&file)
        .output();
    assert!(!file.exists());
    let value: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(value["disk"]["size"], 4_u64 << 30);
    assert_eq!(value["disk"]["partitions"].as_array().unwrap().len(), 3);
    assert_eq!(value["deployment"]["hostname"], "a");
    let path = world.file("plan.json", &plan);
    let install = world.installer().arg("install").arg("--plan").arg(path);
    install.args(["--events", "-"]).run().assert_done();
    let disk = Raw::of(&file, &["--read-only"]);
    disk.mounted(&world, ROOT, |root| {
        let name = root.join("ostree/deploy/default/deploy/1.0/etc/hostname");
        assert_eq!(fs::read_to_string(name).unwrap(), "a\n");
    });
}

/// In a container `/dev` is a tmpfs with a few nodes in it.
#[test]
fn a_container_has_the_nodes() {
    const FEW: &str = "
set -e
mkdir \"$0\"
mount -t tmpfs tmpfs \"$0\"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/loop-control \"$0\"
mkdir \"$0/pts\"
mount -t devpts -o newinstance,ptmxmode=0666 devpts \"$0/pts\"
ln -s pts/ptmx \"$0/ptmx\"
mount --rbind \"$0\" /dev
exec \"$@\"
";
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let image = Tiny::working().write(&world).reference();
    let file = file_of(&world);
    let mut run = Command::new("unshare");
    run.args(["--mount", "sh", "-c", FEW])
        .arg(world.new_path("dev"));
    run.arg(failure::program());
    run.args([
        "to-disk",
        "--events",
        "-",
        "--bootloader",
        "none",
        "--image",
        &image,
    ]);
    run.args(["--target-imgref", "r.example/os/tiny:v1", "--log-dir"]);
    run.arg(world.new_path("logs")).arg("--file").arg(&file);
    let output = run.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\"type\":\"Done\""), "{said}");
    world.wait_for_no_loop();
    assert_eq!(names(file.parent().unwrap()), ["disk.raw"]);
}

/// What fails late leaves no file.
#[test]
fn a_failure_leaves_no_file() {
    let Some(world) = World::enter(&TOOLS) else {
        return;
    };
    let file = file_of(&world);
    for (image, options, code) in [
        (Tiny::new(bootc::FAILS), &[][..], Code::BootcFailed),
        (Tiny::working(), &["--customise"], Code::CustomiseFailed),
    ] {
        let image = image.write(&world).reference();
        let mut installer = world
            .to_disk(&image)
            .args(["--bootloader", "none", "--file"]);
        installer = installer.arg(&file).args(options);
        if !options.is_empty() {
            // The tiny image has no /etc/passwd with root in it.
            installer = installer.arg(world.file("c", "rootSshKeys: [ssh-ed25519 A]\n"));
        }
        let run = installer.run();
        let Some(contract::event::Event::Error(error)) = run.events.last() else {
            panic!("{run}");
        };
        // Without that file at all it is the operating system's refusal.
        assert!(error.code == code || error.code == Code::Io, "{run}");
        assert!(names(file.parent().unwrap()).is_empty());
        world.wait_for_no_loop();
    }
}
