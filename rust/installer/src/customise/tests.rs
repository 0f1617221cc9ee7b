// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

/// A deployment as ostree makes it.
fn deployment(dir: &Path) -> Deployment {
    let relative = PathBuf::from("ostree/deploy/default/deploy/1.0");
    let tree = dir.join(&relative);
    fs::create_dir_all(tree.join("etc")).unwrap();
    fs::create_dir_all(tree.join("usr/lib")).unwrap();
    let var = dir.join("ostree/deploy/default/var");
    fs::create_dir_all(&var).unwrap();
    symlink("var/home", tree.join("home")).unwrap();
    symlink("var/roothome", tree.join("root")).unwrap();
    Deployment {
        dir: tree,
        var,
        relative,
    }
}

fn plan(deployment: serde_json::Value, disk: serde_json::Value) -> Plan {
    serde_json::from_value(serde_json::json!({
        "version": 1,
        "image": { "imgref": "r.example/os:1" },
        "source": { "type": "registry" },
        "runtimeRoot": { "type": "unpack" },
        "target": { "root": "/run/bootc-to-disk/root" },
        "bootc": { "stateroot": "default" },
        "deployment": deployment,
        "disk": disk,
    }))
    .unwrap()
}

#[test]
fn places() {
    let dir = tempfile::tempdir().unwrap();
    let deployment = deployment(dir.path());
    let var = deployment.var.clone();
    symlink("/usr/lib", deployment.dir.join("etc/link")).unwrap();
    symlink("../../../../..", deployment.dir.join("etc/up")).unwrap();
    symlink("/etc/passwd", var.join("file")).unwrap();
    for (path, expected) in [
        ("/etc/a/b", Some(deployment.dir.join("etc/a/b"))),
        ("/var/lib/x", Some(var.join("lib/x"))),
        ("/home/ann/.ssh", Some(var.join("home/ann/.ssh"))),
        ("/root/.ssh", Some(var.join("roothome/.ssh"))),
        ("/usr/lib/x", None),
        ("/etc", None),
        ("/var", None),
        ("/etc/link/x", None),
        ("/etc/link", None),
        ("/etc/up/x", None),
        ("/var/file", None),
    ] {
        let found = Place::find(&deployment, Path::new(path));
        match (found, expected) {
            (Ok(place), Some(expected)) => {
                place.write(b"x", 0o640).unwrap();
                assert_eq!(fs::read(&expected).unwrap(), b"x", "{path}");
                let mode = fs::metadata(&expected).unwrap().permissions().mode();
                assert_eq!(mode & 0o7777, 0o640);
                fs::remove_file(expected).unwrap();
            }
            (Err(error), None) => assert_eq!(error.code, Code::CustomiseFailed, "{path}"),
            (found, _) => panic!("{path}: {found:?}"),
        }
    }
    assert_eq!(
        fs::read_dir(deployment.dir.join("usr/lib"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn links_take_the_place_of_links_and_are_never_followed() {
    let dir = tempfile::tempdir().unwrap();
    let deployment = deployment(dir.path());
    let etc = deployment.dir.join("etc");
    symlink("/usr/share/zoneinfo/UTC", etc.join("localtime")).unwrap();
    symlink("../usr/lib", etc.join("up")).unwrap();
    let root = RootKind::Directory("/nowhere".into());
    let link = |path: &str| {
        let links = serde_json::json!([{ "path": path, "target": "../x" }]);
        let plan = plan(
            serde_json::json!({ "links": links }),
            serde_json::Value::Null,
        );
        let image = (&root, &RootFacts::default());
        customise(&plan, &deployment, image, &Cancel::new())
    };
    for path in ["/etc/localtime", "/etc/default/locale", "/var/lib/y"] {
        link(path).unwrap();
    }
    let read = |path: &Path| fs::read_link(path).unwrap();
    assert_eq!(read(&etc.join("localtime")), Path::new("../x"));
    assert_eq!(read(&etc.join("default/locale")), Path::new("../x"));
    assert_eq!(read(&deployment.var.join("lib/y")), Path::new("../x"));
    let error = link("/etc/up/y").unwrap_err();
    assert_eq!(error.code, Code::CustomiseFailed);
    assert!(!deployment.dir.join("usr/lib/y").is_symlink());
}

#[test]
fn what_the_image_must_have() {
    let none = serde_json::Value::Null;
    let image = |programs: &[&str], selinux| RootFacts {
        programs: programs
            .iter()
            .map(|name| ((*name).to_owned(), format!("usr/bin/{name}")))
            .collect(),
        selinux,
        ..RootFacts::default()
    };
    let user = serde_json::json!({ "users": [{ "name": "ann" }] });
    let hash = serde_json::json!({ "users": [{ "name": "ann", "passwordHash": "!" }] });
    let name = serde_json::json!({ "hostname": "a" });
    let unit = serde_json::json!({ "units": [{ "name": "a.service", "enabled": true }] });
    let group = serde_json::json!({ "groups": [{ "name": "shop" }] });
    let directory = serde_json::json!({ "directories": [{ "path": "/etc/a" }] });
    let all = ["useradd", "usermod", "chown", "sh", "chpasswd", "systemctl"];
    for (wanted, programs, selinux, fine) in [
        (serde_json::json!({}), &all[..0], true, true),
        (name.clone(), &all[..0], false, true),
        (name, &all, true, false),
        (user.clone(), &all[..3], false, true),
        (user, &all[..2], false, false),
        (hash.clone(), &all[..3], false, false),
        (hash, &all, false, true),
        (unit.clone(), &all[..5], false, false),
        (unit, &all, false, true),
        (group.clone(), &all, false, false),
        (group, &["groupadd"], false, true),
        (directory.clone(), &all, false, false),
        (directory, &["chown", "chmod"], false, true),
    ] {
        let result = check(
            &plan(wanted.clone(), none.clone()),
            &image(programs, selinux),
        );
        assert_eq!(result.is_ok(), fine, "{wanted} {programs:?}: {result:?}");
        if let Err(error) = result {
            assert_eq!(error.code, Code::CustomiseUnsupported);
        }
    }
}

#[test]
fn an_image_for_many_machines_has_no_identity() {
    let file = serde_json::json!({
        "file": "/a", "size": 1_073_741_824, "partitions": [{ "kind": "root" }],
    });
    let root = RootKind::Directory("/nowhere".into());
    for (text, disk, stays) in [
        ("0123456789abcdef0123456789abcdef\n", &file, false),
        ("", &file, true),
        ("uninitialized\n", &file, true),
        (
            "0123456789abcdef0123456789abcdef\n",
            &serde_json::Value::Null,
            true,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let deployment = deployment(dir.path());
        let id = deployment.dir.join("etc/machine-id");
        let seed = deployment.var.join("lib/systemd/random-seed");
        fs::create_dir_all(seed.parent().unwrap()).unwrap();
        fs::write(&id, text).unwrap();
        fs::write(&seed, [7; 32]).unwrap();
        let plan = plan(serde_json::json!({}), disk.clone());
        customise(
            &plan,
            &deployment,
            (&root, &RootFacts::default()),
            &Cancel::new(),
        )
        .unwrap();
        assert_eq!(id.exists(), stays, "{text:?}");
        assert_eq!(seed.exists(), disk.is_null());
    }
}
