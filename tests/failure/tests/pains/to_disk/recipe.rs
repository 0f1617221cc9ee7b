// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disks by a recipe: what it means, what is refused, and what is there afterwards.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::error::Code;
use failure::{Raw, Run, Tiny, World};
use testkit::cmd::CommandExt;

use super::TOOLS;

/// A link to a device below `/dev/disk/by-id`, as udev makes them. Removed when
/// dropped.
struct Link(PathBuf);

impl Link {
    fn to(device: &Path) -> Self {
        let dir = Path::new("/dev/disk/by-id");
        fs::create_dir_all(dir).unwrap();
        let name = device.file_name().unwrap().to_str().unwrap();
        let link = dir.join(format!("test-recipe-{}-{name}", std::process::id()));
        symlink(device, &link).unwrap();
        Self(link)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

/// A world, the beginning of a recipe with an image, and a disk with its file.
fn enter() -> Option<(World, String, PathBuf, Raw)> {
    let world = World::enter(&TOOLS)?;
    let image = Tiny::working().write(&world).reference();
    let head = format!("image: \"{image}\"\ntargetImgref: r.example/os/tiny:v1\n");
    let file = world.new_path("blank");
    File::create(&file).unwrap().set_len(3 << 30).unwrap();
    let disk = Raw::of(&file, &[]);
    Some((world, head, file, disk))
}

fn sum(file: &Path) -> String {
    Command::new("sync").run().unwrap();
    Command::new("sha256sum").arg(file).read().unwrap()
}

fn to_disk(world: &World, recipe: &str, options: &[&str]) -> Run {
    let recipe = world.file("recipe.yaml", recipe);
    let installer = world.installer().args(["to-disk", "--bootloader", "none"]);
    installer.args(options).arg("--recipe").arg(recipe).run()
}

#[test]
fn disks_that_a_recipe_does_not_name_for_good() {
    let Some((world, head, file, disk)) = enter() else {
        return;
    };
    let device = disk.device();
    let gone = "/dev/disk/by-id/test-no-such-disk";
    for (wanted, code, object) in [
        // The very disk, wiped with consent, by a name of today.
        (
            format!("{{ id: {}, wipe: true }}", device.display()),
            Code::ConfigInvalid,
            "one disk for good",
        ),
        (format!("{{ id: {gone} }}"), Code::DiskNotFound, gone),
        (
            "{ rule: only, model: \"No Such Model\" }".into(),
            Code::DiskNotFound,
            "`only`",
        ),
        (
            "{ rule: largest-empty, maxSize: 1M }".into(),
            Code::DiskNotFound,
            "`largest-empty`",
        ),
        ("{ wipe: true }".into(), Code::ConfigInvalid, "which disk"),
    ] {
        let recipe = format!("{head}disk: {wanted}\n");
        let run = to_disk(&world, &recipe, &["--events", "-"]);
        let error = run.assert_error(code, object);
        // Every disk of the machine is told of, and this one is none of them.
        let told = error.details.join("\n");
        assert!(!told.contains(device.to_str().unwrap()), "{told}");
    }
    Command::new("sync").run().unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().blocks(),
        0,
        "it was written to"
    );
}

#[test]
fn what_is_on_the_disk_is_lost_with_a_word_only() {
    let Some((world, head, file, disk)) = enter() else {
        return;
    };
    let device = disk.device();
    let link = Link::to(device);
    disk.table(&world, "label: gpt\nsize=1G\n");
    let before = sum(&file);
    let recipe = format!("{head}disk: {{ id: {} }}\n", link.0.display());
    let run = to_disk(&world, &recipe, &["--events", "-"]);
    let error = run.assert_error(Code::DiskNotEmpty, device.to_str().unwrap());
    assert!(error.next.contains("`wipe: true`"), "{}", error.next);

    let recipe = format!(
        "{head}disk: {{ id: {}, wipe: true }}
layout: {{ filesystem: xfs, bootSize: 512M }}
hostname: shop-1
locale: C.UTF-8
keyboard: {{ layout: de }}
timezone: Europe/Berlin
network: [{{ name: up, contents: \"[connection]\\nid=up\\n\" }}]
files: [{{ path: /etc/shop.conf, contents: \"till = 3\\n\" }}]
",
        link.0.display()
    );
    // What would be done is said, and not done.
    let run = to_disk(&world, &recipe, &["--dry-run"]);
    assert!(run.status.success(), "{run}");
    for words in [
        "Image:        r.example/os/tiny:v1 (sha256:",
        "everything on it is lost",
        "boot (536.8 MB), root (xfs, the rest)",
        "Host name:    shop-1",
        "File:         /etc/NetworkManager/system-connections/up.nmconnection",
    ] {
        assert!(run.stdout.contains(words), "{words}: {run}");
    }
    assert_eq!(before, sum(&file));

    to_disk(&world, &recipe, &["--events", "-"]).assert_done();
    assert_eq!(disk.tag(3, "PART_ENTRY_NAME"), "boot");
    assert_eq!(disk.tag(4, "TYPE"), "xfs");
    disk.mounted(&world, 4, |root| {
        let etc = root.join("ostree/deploy/default/deploy/1.0/etc");
        let read = |name: &str| fs::read_to_string(etc.join(name)).unwrap();
        let leads = |name: &str| fs::read_link(etc.join(name)).unwrap();
        assert_eq!(read("hostname"), "shop-1\n");
        assert_eq!(read("locale.conf"), "LANG=C.UTF-8\n");
        assert!(read("default/keyboard").contains("XKBLAYOUT=\"de\""));
        assert_eq!(leads("vconsole.conf"), Path::new("default/keyboard"));
        let zone = Path::new("../usr/share/zoneinfo/Europe/Berlin");
        assert_eq!(leads("localtime"), zone);
        assert_eq!(read("shop.conf"), "till = 3\n");
        let connection = "NetworkManager/system-connections/up.nmconnection";
        assert!(read(connection).contains("id=up"));
    });
}

/// What the service on the medium does, without the medium.
#[test]
fn by_a_credential_of_the_machine() {
    let Some((world, head, _, disk)) = enter() else {
        return;
    };
    let link = Link::to(disk.device());
    let credentials = world.new_path("credentials");
    fs::create_dir(&credentials).unwrap();
    let recipe = format!(
        "{head}disk: {{ id: {} }}\nhostname: shop-2\n",
        link.0.display()
    );
    fs::write(credentials.join("installer.recipe"), recipe).unwrap();
    let run = |cmdline: &str, options: &[&str]| {
        let installer = world.installer().arg("unattended").arg("--cmdline");
        installer
            .arg(world.file("cmdline", cmdline))
            .arg("--credentials")
            .arg(&credentials)
            .arg("--medium")
            .arg(world.dir())
            .args(options)
            .setting("installOptions: { bootloader: none }\n")
            .run()
    };
    let events = ["--events", "-"];
    // What the boot menu says counts first, and is not there.
    let wrong = run("quiet installer.recipe=/no-such.yaml", &events);
    wrong.assert_error(Code::RecipeUnreadable, "no-such.yaml");
    let wrong = run("installer.after=halt", &events);
    wrong.assert_error(Code::Usage, "installer.after=halt");
    let hash = "0".repeat(64);
    let wrong = run(&format!("installer.recipe.sha256={hash}"), &events);
    wrong.assert_error(Code::RecipeMismatch, "the credential installer.recipe");

    // Lines for a journal.
    let done = run("quiet installer.after=nothing", &[]);
    assert!(done.status.success(), "{done}");
    let said: Vec<&str> = done.stdout.lines().collect();
    for line in [
        "Message info recipe: The recipe is the credential installer.recipe.",
        "Message info plan: Host name:    shop-2",
        "Message info plan: At the end:   nothing",
    ] {
        assert!(said.contains(&line), "{line}: {done}");
    }
    let begins = |text: &str| said.iter().any(|line| line.starts_with(text));
    assert!(begins("Start bootc-installer "), "{done}");
    assert!(begins("TaskEnd partition: "), "{done}");
    assert!(
        said.last()
            .unwrap()
            .starts_with("Done r.example/os/tiny:v1: sha256:"),
        "{done}"
    );
    // Once more it is refused, with its code at the beginning of a line.
    let again = run("installer.after=nothing", &[]);
    assert_eq!(again.status.code(), Some(3), "{again}");
    assert!(
        again
            .stdout
            .contains("\nError DISK_NOT_EMPTY: The disk /dev/loop"),
        "{again}"
    );
}
