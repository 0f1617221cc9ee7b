// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use std::path::Path;

use super::facts::*;
use super::*;

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("containers.bootc".to_owned(), "1".to_owned())])
}

fn image(labels: &BTreeMap<String, String>) -> ImageFacts<'_> {
    ImageFacts {
        labels,
        architecture: "amd64",
        host_architecture: "amd64",
    }
}

/// A root that passes every check.
fn good_root(root: &Path) {
    for dir in [
        "proc",
        "sys",
        "dev",
        "run",
        "tmp",
        "var",
        "usr/lib/bootupd/updates",
    ] {
        std::fs::create_dir_all(root.join(dir)).unwrap();
    }
    for file in [
        "usr/bin/bootc",
        "usr/bin/ostree",
        "usr/bin/skopeo",
        "usr/bin/podman",
        "usr/bin/findmnt",
        "usr/bin/lsblk",
        "usr/bin/mount",
        "usr/sbin/grub-install",
        "usr/lib/modules/7.2.12/vmlinuz",
        "usr/lib/modules/7.2.12/initramfs.img",
        "usr/lib/ostree/prepare-root.conf",
        "usr/lib/grub/i386-pc/modinfo.sh",
        "usr/lib/grub/i386-pc/blsuki.mod",
        "usr/lib/systemd/boot/efi/systemd-bootx64.efi",
        "etc/containers/policy.json",
    ] {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    std::fs::write(
        root.join("usr/lib/os-release"),
        "# comment\nID=debian\nPRETTY_NAME=\"Debian \\\"forky\\\"\"\nVERSION_ID='14'\n",
    )
    .unwrap();
    std::os::unix::fs::symlink("../usr/lib/os-release", root.join("etc/os-release")).unwrap();
}

#[test]
fn sees_what_is_there() {
    let temp = tempfile::tempdir().unwrap();
    good_root(temp.path());
    let facts = facts(temp.path()).unwrap();
    assert_eq!(facts.os_id.as_deref(), Some("debian"));
    assert_eq!(facts.os_version_id.as_deref(), Some("14"));
    assert_eq!(facts.os_name.as_deref(), Some("Debian \"forky\""));
    assert_eq!(facts.kernel().unwrap().version, "7.2.12");
    assert_eq!(facts.grub_install(), Some("usr/sbin/grub-install"));
    assert!(facts.grub_platform("i386-pc").unwrap().blsuki);
    assert!(facts.systemd_boot && !facts.bootupd() && facts.bootupd_updates);
    assert!(facts.ukis.is_empty() && !facts.selinux);
    let labels = labels();
    assert!(judge(&facts, &image(&labels)).unwrap().is_empty());
}

/// Breaks one thing in a good root each and names the check that must fail.
#[test]
fn each_defect_has_its_check() {
    let remove_file: fn(&Path) = |path| std::fs::remove_file(path).unwrap();
    let remove_dir: fn(&Path) = |path| std::fs::remove_dir(path).unwrap();
    let second_kernel: fn(&Path) = |path| {
        std::fs::create_dir(path).unwrap();
        std::fs::write(path.join("vmlinuz"), "x").unwrap();
    };
    for (check, path, break_it) in [
        ("bootc", "usr/bin/bootc", remove_file),
        ("kernel", "usr/lib/modules/7.2.12/vmlinuz", remove_file),
        ("kernel", "usr/lib/modules/7.3.0", second_kernel),
        (
            "initramfs",
            "usr/lib/modules/7.2.12/initramfs.img",
            remove_file,
        ),
        (
            "prepare-root",
            "usr/lib/ostree/prepare-root.conf",
            remove_file,
        ),
        ("mount-points", "proc", remove_dir),
        ("mount-points", "sys", remove_dir),
        ("mount-points", "dev", remove_dir),
        ("ostree", "usr/bin/ostree", remove_file),
        ("skopeo", "usr/bin/skopeo", remove_file),
        ("podman", "usr/bin/podman", remove_file),
        ("findmnt", "usr/bin/findmnt", remove_file),
        ("lsblk", "usr/bin/lsblk", remove_file),
        ("mount", "usr/bin/mount", remove_file),
        ("policy", "etc/containers/policy.json", remove_file),
    ] {
        let temp = tempfile::tempdir().unwrap();
        good_root(temp.path());
        break_it(&temp.path().join(path));
        let facts = facts(temp.path()).unwrap();
        let labels = labels();
        let error = judge(&facts, &image(&labels)).unwrap_err();
        assert_eq!(error.code, Code::ImageNotBootable, "{path}");
        assert_eq!(error.details.len(), 1, "{path}: {error:?}");
        assert!(error.details[0].starts_with(check), "{path}: {error:?}");
    }
}

#[test]
fn judges_the_configuration_too() {
    let temp = tempfile::tempdir().unwrap();
    good_root(temp.path());
    let facts = facts(temp.path()).unwrap();
    let none = BTreeMap::new();
    let error = judge(&facts, &image(&none)).unwrap_err();
    assert!(error.what.contains("containers.bootc"), "{error}");
    let labels = labels();
    let foreign = ImageFacts {
        architecture: "arm64",
        ..image(&labels)
    };
    let error = judge(&facts, &foreign).unwrap_err();
    assert_eq!(error.code, Code::ImageNoPlatform);
}

#[test]
fn a_unified_kernel_image_needs_no_other_kernel() {
    let temp = tempfile::tempdir().unwrap();
    good_root(temp.path());
    let modules = temp.path().join("usr/lib/modules/7.2.12");
    std::fs::remove_file(modules.join("vmlinuz")).unwrap();
    std::fs::remove_file(modules.join("initramfs.img")).unwrap();
    std::fs::write(modules.join("7.2.12.efi"), "x").unwrap();
    let facts = facts(temp.path()).unwrap();
    assert_eq!(facts.ukis, ["usr/lib/modules/7.2.12/7.2.12.efi"]);
    let labels = labels();
    assert!(judge(&facts, &image(&labels)).unwrap().is_empty());
}

#[test]
fn a_warning_does_not_refuse() {
    let temp = tempfile::tempdir().unwrap();
    good_root(temp.path());
    std::fs::remove_file(temp.path().join("usr/lib/os-release")).unwrap();
    let facts = facts(temp.path()).unwrap();
    let labels = labels();
    let warnings = judge(&facts, &image(&labels)).unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].check.name, "os-release");
}

#[test]
fn an_empty_root_fails_in_order() {
    let temp = tempfile::tempdir().unwrap();
    let facts = facts(temp.path()).unwrap();
    let none = BTreeMap::new();
    let names: Vec<_> = findings(&facts, &image(&none))
        .iter()
        .map(|f| f.check.name)
        .collect();
    let expected: Vec<_> = CHECKS
        .iter()
        .map(|c| c.name)
        .filter(|name| !["architecture", "initramfs"].contains(name))
        .collect();
    assert_eq!(names, expected);
}
