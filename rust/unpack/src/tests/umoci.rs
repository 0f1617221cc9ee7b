// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same image by umoci and by us.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use registry::Compression;
use rustix::fs::{XattrFlags, lsetxattr};
use serde_json::json;

use super::{UnpackFilter, archive, fixture, sha256, snapshot};

fn write(path: &Path, data: impl AsRef<[u8]>, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, data).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn attribute(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

/// The layers' contents, as directories.
fn layers(dir: &Path) -> Vec<Vec<u8>> {
    let [a, b, c] = ["a", "b", "c"].map(|name| dir.join(name));
    write(&a.join("usr/bin/tool"), vec![7; 300_000], 0o4755);
    let capability = b"\x01\0\0\x02\0\x20\n\0\0\0\0\0\0\0\0\0\0\0\0\0";
    attribute(&a.join("usr/bin/tool"), "security.capability", capability);
    write(&a.join("usr/lib/old/x"), "x", 0o644);
    write(&a.join("usr/lib/old/sub/y"), "y", 0o600);
    write(&a.join("etc/conf.d/one"), "1", 0o644);
    write(&a.join("etc/conf.d/two"), "2", 0o644);
    write(&a.join("etc/was-dir/f"), "f", 0o644);
    write(&a.join("etc/was-file"), "f", 0o644);
    write(&a.join("var/closed/f"), "f", 0o000);
    attribute(&a.join("var/closed"), "user.note", b"closed\n");
    attribute(&a.join("var"), "user.lower", b"lower");
    std::fs::set_permissions(a.join("var/closed"), PermissionsExt::from_mode(0o1700)).unwrap();
    std::fs::set_permissions(a.join("usr/lib"), PermissionsExt::from_mode(0o2755)).unwrap();
    symlink("usr/lib", a.join("lib")).unwrap();
    symlink("/nowhere", a.join("etc/was-link")).unwrap();
    attribute(&a.join("lib"), "trusted.link", b"l");
    std::fs::hard_link(a.join("usr/bin/tool"), a.join("usr/bin/tool2")).unwrap();
    std::fs::hard_link(a.join("etc/was-file"), a.join("var/same")).unwrap();
    std::os::unix::fs::lchown(a.join("lib"), Some(12), Some(13)).unwrap();
    std::os::unix::fs::chown(a.join("var"), Some(1000), Some(1001)).unwrap();
    let pipe = a.join("var/pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o622)).unwrap();
    let odd = a.join(std::ffi::OsStr::from_bytes(b"var/\xff\xc3 odd"));
    write(&odd, "odd", 0o640);

    write(&b.join("usr/lib/.wh.old"), "", 0o644);
    write(&b.join("etc/conf.d/.wh..wh..opq"), "", 0o644);
    write(&b.join("etc/conf.d/three"), "3", 0o644);
    write(&b.join("etc/was-dir"), "file", 0o644);
    write(&b.join("etc/was-file/f"), "f", 0o644);
    write(&b.join("etc/was-link/f"), "f", 0o644);
    write(&b.join("var/.wh.same"), "", 0o644);
    write(&b.join("usr/bin/new"), "new", 0o755);
    std::fs::hard_link(b.join("usr/bin/new"), b.join("usr/bin/new2")).unwrap();
    attribute(&b.join("var"), "user.upper", b"upper");

    write(&c.join("usr/lib/old/again"), "again", 0o644);
    write(&c.join("usr/bin/.wh.tool2"), "", 0o644);
    write(&c.join("usr/bin/new"), "newer", 0o755);
    write(&c.join("usr/lib/holes"), "", 0o644);
    let holes = std::fs::File::options()
        .write(true)
        .open(c.join("usr/lib/holes"))
        .unwrap();
    std::os::unix::fs::FileExt::write_all_at(&holes, b"data", 3 << 20).unwrap();
    holes.set_len(5 << 20).unwrap();

    [
        (a, "--format=pax"),
        (b, "--format=posix"),
        (c, "--format=pax"),
    ]
    .iter()
    .map(|(dir, format)| {
        let output = Command::new("tar")
            .args([
                "-cS",
                "--xattrs",
                "--xattrs-include=*",
                "--sort=name",
                format,
            ])
            .arg("-C")
            .arg(dir)
            .arg(".")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    })
    .collect()
}

/// Writes an OCI layout with one image of these layers.
fn layout(dir: &Path, layers: &[Vec<u8>]) {
    std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
    let blob = |kind: &str, bytes: &[u8]| {
        let digest = sha256(bytes);
        std::fs::write(dir.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": digest.to_string(),
            "size": bytes.len(),
        })
    };
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|tar| sha256(tar).to_string()).collect::<Vec<_>>(),
        },
    });
    let blobs: Vec<_> = layers
        .iter()
        .map(|tar| {
            blob(
                "layer.v1.tar+gzip",
                &archive::compress(tar, Compression::Gzip),
            )
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config.v1+json", config.to_string().as_bytes()),
        "layers": blobs,
    });
    let mut image = blob("manifest.v1+json", manifest.to_string().as_bytes());
    image["annotations"] = json!({ "org.opencontainers.image.ref.name": "it" });
    let index = json!({ "schemaVersion": 2, "manifests": [image] });
    std::fs::write(dir.join("index.json"), index.to_string()).unwrap();
    std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

#[test]
fn both_make_the_same() {
    let Some(mut fixture) = fixture(UnpackFilter::Everything) else {
        return;
    };
    let here = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !here("umoci") || !here("tar") {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no umoci or no tar"
        );
        eprintln!("skipped: there is no umoci or no tar");
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let layers = layers(&temp.path().join("layers"));
    let image = temp.path().join("image");
    layout(&image, &layers);
    let theirs = temp.path().join("theirs");
    let output = Command::new("umoci")
        .args(["raw", "unpack", "--image"])
        .arg(format!("{}:it", image.display()))
        .arg(&theirs)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");

    for tar in &layers {
        fixture.apply(tar).unwrap();
    }
    let ours = fixture.finish();
    let (ours, theirs) = (
        snapshot::full(&ours.path().join("root")),
        snapshot::full(&theirs),
    );
    let differ = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
        let only = a.iter().filter(|(name, text)| b.get(*name) != Some(text));
        only.map(|(name, text)| format!("{name}: {text}"))
            .collect::<Vec<_>>()
    };
    let differences = (differ(&ours, &theirs), differ(&theirs, &ours));
    assert!(ours.len() > 20);
    assert_eq!(differences, (Vec::new(), Vec::new()), "ours, theirs");
}
