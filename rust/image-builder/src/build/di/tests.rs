// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use contract::plan::Plan;

use super::*;
use crate::build::files::Entry;

mod questions;

fn distro(text: &str) -> Distro {
    Distro::parse(Path::new("distro.yaml"), text).unwrap()
}

const EMBEDDED: &str = "images: {default: r.example/os:1, embed: true}\n";

fn text(files: &Files, path: &str) -> String {
    files.text(path).unwrap().to_owned()
}

#[test]
fn a_suite_without_its_installer_is_refused() {
    let there = |names: &[&str]| -> Vec<Indexed> {
        let package = |name: &&str| Indexed {
            name: (*name).to_owned(),
            ..Indexed::default()
        };
        names.iter().map(package).collect()
    };
    // As forky has it: that of the release before.
    let thirteen = there(&["debian-installer-13-netboot-amd64"]);
    let name = require("trixie", &thirteen).unwrap();
    assert_eq!(name, "debian-installer-13-netboot-amd64");
    for (suite, what) in [
        (
            "forky",
            "forky has no package debian-installer-14-netboot-amd64.",
        ),
        ("duke", "Nothing is known of the installer of duke."),
    ] {
        let error = require(suite, &thirteen).unwrap_err();
        assert_eq!((error.code, &*error.what), (Code::PackageUnknown, what));
        assert!(error.next.contains("suite: trixie"), "{error}");
    }
}

#[test]
fn the_kernel_is_what_the_meta_package_brings() {
    let closure = |names: &[&str]| -> Vec<(String, String)> {
        let one = |name: &&str| ((*name).to_owned(), "1".to_owned());
        names.iter().map(one).collect()
    };
    let names = [
        "kmod",
        "linux-base",
        "linux-image-6.12.117+deb13-amd64",
        "linux-image-amd64",
    ];
    let found = closure(&names);
    assert_eq!(kernel_of(&found), Some("linux-image-6.12.117+deb13-amd64"));
    assert_eq!(kernel_of(&closure(&["linux-image-amd64"])), None);
}

#[test]
fn every_word_is_filled_in() {
    for yaml in ["", EMBEDDED] {
        let files = files(&distro(yaml)).unwrap();
        for (path, entry) in files.iter() {
            if let Entry::File { content, .. } = entry {
                let text = String::from_utf8_lossy(content);
                assert!(!text.contains("{{"), "{}", path.display());
            }
        }
    }
}

#[test]
fn the_step_takes_the_place_of_debians() {
    let files = files(&distro("")).unwrap();
    let control = text(&files, "udeb/DEBIAN/control");
    let field = |name: &str| {
        let mut lines = control.lines();
        let line = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap().to_owned()
    };
    assert_eq!(field("Version"), env!("CARGO_PKG_VERSION"));
    // live-installer is 6490, bootstrap-base 6500.
    assert_eq!(field("Installer-Menu-Item"), "6480");
    for name in ["installed-base", "kernel-installer", "bootable-system"] {
        assert!(field("Provides").split(", ").any(|has| has == name));
    }
    let programs: Vec<PathBuf> = files
        .iter()
        .filter(|(_, entry)| {
            matches!(
                entry,
                Entry::File {
                    executable: true,
                    ..
                }
            )
        })
        .map(|(path, _)| path.to_owned())
        .collect();
    for name in [
        "DEBIAN/postinst",
        "DEBIAN/isinstallable",
        "usr/lib/bootc-installer-di/medium",
        "usr/lib/finish-install.d/95bootc-close",
        "usr/lib/partman/init.d/05bootc-medium",
    ] {
        assert!(programs.contains(&Path::new("udeb").join(name)), "{name}");
    }
    assert_eq!(programs.len(), 5);
}

#[test]
fn questions_are_in_german_too() {
    let files = files(&distro(EMBEDDED)).unwrap();
    let templates = text(&files, "udeb/DEBIAN/templates");
    let mut scripts = text(&files, "udeb/DEBIAN/postinst");
    scripts += &text(&files, "udeb/usr/lib/bootc-installer-di/questions.sh");
    for template in templates.split("\n\n") {
        let name = template.lines().next().unwrap();
        assert!(template.contains("\nType: "), "{name}");
        let internal = template.contains("Description: for internal use");
        let german = template.contains("\nDescription-de.UTF-8: ");
        assert!(german != internal, "{name}");
        // What is filled in is so in both.
        for word in ["${WHAT}", "${WHY}", "${NEXT}", "${CODE}", "${REGISTRY}"] {
            assert!(template.matches(word).count() % 2 == 0, "{name}: {word}");
        }
        let name = name.strip_prefix("Template: ").unwrap();
        let progress = name.contains("/progress/") || name.starts_with("debian-installer/");
        let closing = name == "bootc-installer/close-failed";
        assert!(
            progress || closing || scripts.contains(name.trim_start_matches("bootc-installer/")),
            "nobody asks {name}"
        );
    }
    assert!(templates.contains("Type: string\nDefault: r.example/os:1\n"));
}

#[test]
fn where_no_other_image_is_allowed_there_is_a_choice() {
    let yaml = "images: {default: r.example/os:1, allowOther: false}\n";
    let files = files(&distro(yaml)).unwrap();
    let templates = text(&files, "udeb/DEBIAN/templates");
    let question = "Type: select\nChoices: r.example/os:1\nDefault: r.example/os:1\n";
    assert!(templates.contains(question), "{templates}");
}

#[test]
fn the_session_and_the_persons_file_answer() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join(TREE);
    fs::create_dir(&own).unwrap();
    fs::write(own.join("preseed.cfg"), "d-i passwd/username string ann\n").unwrap();
    let mut german = distro("live: {locale: de_DE.UTF-8, keyboard: {layout: de}}\n");
    german.tree = Some(dir.path().to_owned());
    let preseed = text(&files(&german).unwrap(), "preseed.cfg");
    for line in [
        "d-i hw-detect/load_firmware boolean false\n",
        "d-i debian-installer/locale string de_DE.UTF-8\n",
        "d-i keyboard-configuration/xkb-keymap select de\n",
    ] {
        assert!(preseed.contains(line), "{preseed}");
    }
    assert!(preseed.ends_with("d-i passwd/username string ann\n"));
    let plain = text(&files(&distro("")).unwrap(), "preseed.cfg");
    for question in ["debian-installer/locale", "time/zone", "clock-setup/ntp"] {
        assert!(!plain.contains(question), "{plain}");
    }
    let embedded = text(&files(&distro(EMBEDDED)).unwrap(), "preseed.cfg");
    assert!(embedded.contains("d-i clock-setup/ntp boolean false\n"));
}

#[test]
fn the_engine_finds_the_images_of_the_medium() {
    let conf = |yaml: &str| {
        text(
            &files(&distro(yaml)).unwrap(),
            "udeb/usr/share/bootc-installer-di/bootc.conf",
        )
    };
    assert!(conf(EMBEDDED).contains("/cdrom/images"));
    assert!(!conf("").contains("/cdrom"));
    // The first is done already where there is an image; a hook of the other is always taken away.
    let no_network = |yaml: &str| {
        initrd_lines(&distro(yaml))
            .join("\n")
            .contains("ethdetect netcfg")
    };
    assert!(no_network(EMBEDDED) && !no_network(""));
}

#[test]
fn signed_loaders_only_where_they_are_wanted() {
    let lines = |yaml: &str| medium_lines(&distro(yaml)).join("\n");
    assert!(lines("").contains("shimx64.efi.signed"));
    assert!(!lines("secureBoot: false").contains("signed"));
    let id = "a".repeat(24);
    let longest = distro(&format!("product: {{name: A, id: {id}}}\n"));
    assert!(volume(&longest).len() <= 32);
}

#[test]
fn both_lists_of_packages_become_one() {
    let udebs = "Package: anna\nStatus: install ok unpacked\nVersion: 1.99\n\n\
                 Package: netcfg\nStatus: install ok installed\nVersion: 2\n\n";
    let debs =
        "Package: e2fsprogs\nVersion: 3\nArchitecture: amd64\nStatus: install ok installed\n\n";
    let all = crate::sbom::packages(&status(udebs, debs));
    let names: Vec<_> = all.iter().map(|p| (&*p.name, &*p.version)).collect();
    assert_eq!(
        names,
        [("anna", "1.99"), ("e2fsprogs", "3"), ("netcfg", "2")]
    );
}

/// What lines of a shell say that has read the functions of our step.
fn shell(lines: &str, dir: &Path) -> String {
    let functions = SOURCES
        .get_file("udeb/usr/lib/bootc-installer-di/functions.sh")
        .unwrap();
    let path = dir.join("functions.sh");
    fs::write(&path, functions.contents()).unwrap();
    let script = format!(
        "set -e; . {}; cd {}; {lines}",
        path.display(),
        dir.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn answers_of_the_engine_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let event = r#"{"type":"Error","code":"IO","what":"A \"b\" \\ c.\nd","why":"","next":"e"}
"#;
    let pretty = "{\n  \"error\": {\n    \"code\": \"IO\",\n    \"what\": \"x\"\n  }\n}\n";
    fs::write(dir.path().join("event"), event).unwrap();
    fs::write(dir.path().join("pretty"), pretty).unwrap();
    for (key, file, expected) in [
        ("what", "event", "A \"b\" \\ c. d\n"),
        ("why", "event", "\n"),
        ("next", "event", "e\n"),
        ("gone", "event", ""),
        ("code", "pretty", "IO\n"),
    ] {
        let said = shell(&format!("json_text {key} <{file}"), dir.path());
        assert_eq!(said, expected, "{key} of {file}");
    }
    let progress = |task: &str, counters: &str| {
        let line = format!(r#"{{"type":"Progress","task":"{task}","id":"x",{counters}}}"#);
        shell(&format!("position '{line}' || echo none"), dir.path())
    };
    let bytes = |done: u64| {
        format!(
            r#""bytesCached":7,"bytes":{done},"bytesTotal":8000000000,"steps":0,"stepsTotal":0"#
        )
    };
    assert_eq!(progress("pull", &bytes(4_000_000_000)), "215\n");
    assert_eq!(progress("pull", &bytes(8_000_000_000)), "400\n");
    let steps = r#""bytes":0,"bytesTotal":0,"steps":1,"stepsTotal":2"#;
    assert_eq!(progress("deploy", steps), "675\n");
    let unknown = r#""bytes":5,"bytesTotal":0,"steps":0,"stepsTotal":0"#;
    assert_eq!(progress("deploy", unknown), "none\n");
    assert_eq!(progress("later", steps), "none\n");
}

#[test]
fn a_plan_is_completed() {
    let bare = Plan::from_json(
        r#"{"version": 1, "image": {"imgref": "r.example/os:1"},
        "source": {"type": "registry"}, "runtimeRoot": {"type": "unpack"},
        "target": {"root": "/target"}, "bootc": {"stateroot": "default"}}"#,
    )
    .unwrap();
    let mut with_home = bare.clone();
    let home = contract::plan::FstabEntry {
        source: "UUID=1".into(),
        mount_point: "/home".into(),
        fs_type: "ext4".into(),
        options: vec!["defaults".into()],
        pass: 2,
    };
    with_home.deployment.fstab.push(home);
    let dir = tempfile::tempdir().unwrap();
    let fstab = "# <file system> <mount point> <type> <options> <dump> <pass>\n\
                 UUID=r /               ext4    errors=remount-ro 0       1\n\
                 # swap was on /dev/vda3 during installation\n\
                 UUID=s none            swap    sw              0       0\n\
                 UUID=t none            swap    sw              0       0\n";
    fs::write(dir.path().join("fstab"), fstab).unwrap();
    for plan in [&bare, &with_home] {
        fs::write(dir.path().join("plan"), plan.to_json().unwrap()).unwrap();
        let keys = r#""hostname": "a", "users": [{"name":"ann","groups":["sudo"]}]"#;
        let said = shell(
            &format!("swap=$(swap_entries fstab); completed_plan '{keys}' \"$swap\" <plan"),
            dir.path(),
        );
        let made = Plan::from_json(&said).unwrap_or_else(|err| panic!("{err}: {said}"));
        assert!(made.finish.hand_over);
        assert_eq!(made.deployment.hostname.as_deref(), Some("a"));
        assert_eq!(made.deployment.users[0].groups, ["sudo"]);
        let swaps = made.deployment.fstab.iter().filter(|e| e.fs_type == "swap");
        let swaps: Vec<_> = swaps.map(|e| &*e.source).collect();
        assert_eq!(swaps, ["UUID=s", "UUID=t"]);
        let others = made.deployment.fstab.len() - swaps.len();
        assert_eq!(others, plan.deployment.fstab.len());
    }
    let said = shell("completed_plan '' '' <plan", dir.path());
    assert!(Plan::from_json(&said).unwrap().finish.hand_over);
}

#[test]
fn what_partman_leaves_is_taken_away_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("target");
    for name in ["etc", "media/cdrom0", "boot/efi", "lost+found"] {
        fs::create_dir_all(target.join(name)).unwrap();
    }
    fs::write(target.join("etc/fstab"), "x\n").unwrap();
    std::os::unix::fs::symlink("cdrom0", target.join("media/cdrom")).unwrap();
    let lines =
        "STATE=state; mkdir state; clear_leftovers target; clear_leftovers target; cat state/fstab";
    assert_eq!(shell(lines, dir.path()), "x\n");
    let mut left: Vec<_> = fs::read_dir(&target)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["boot", "lost+found"]);
}
