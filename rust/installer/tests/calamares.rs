// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line as Calamares uses it: plans from its global storage, and
//! checks whose answer is one object.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use contract::firmware::Firmware;
use contract::plan::Plan;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn bootc_installer(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bootc-installer"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may have refused already and not read it.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap_or_default();
    child.wait_with_output().unwrap()
}

fn fixture(name: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/calamares/{name}.json"));
    std::fs::read_to_string(path).unwrap()
}

const ARGS: [&str; 6] = [
    "plan",
    "--no-lookup",
    "--image",
    "registry.example/os/debian:13",
    "--calamares",
    "-",
];

#[test]
fn a_plan_from_calamares() {
    for (name, lines, kargs) in [
        ("bios-ext4", 0, 1),
        ("uefi-ext4", 3, 1),
        ("uefi-luks", 3, 4),
        ("python-ints", 1, 1),
        ("manual-btrfs", 6, 3),
    ] {
        let mut args = ARGS.to_vec();
        args.extend(["--karg", "quiet"]);
        let output = bootc_installer(&args, &fixture(name));
        let text = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {complaint}");
        let plan = Plan::from_json(&text).unwrap();
        assert_eq!(plan.target.root, Path::new("/tmp/calamares-root-abc123"));
        assert_eq!(plan.deployment.fstab.len(), lines, "{name}");
        assert_eq!(plan.bootc.kargs.len(), kargs, "{name}");
        assert!(plan.finish.unmount && plan.finish.hand_over, "{name}");
        let firmware = match name.starts_with("uefi") || name == "manual-btrfs" {
            true => Firmware::Uefi,
            false => Firmware::Bios,
        };
        assert_eq!(plan.target.firmware, Some(firmware), "{name}");
        // A table that the person made is the person's.
        let erased = ["bios-ext4", "uefi-ext4", "uefi-luks"].contains(&name);
        assert_eq!(plan.target.tidy_partition_table, erased, "{name}");
        let disk = (firmware == Firmware::Bios).then(|| Path::new("/dev/vda"));
        assert_eq!(plan.target.bios_disk.as_deref(), disk, "{name}");
        for output in [text, complaint] {
            assert!(!output.contains("secret"), "{name}: {output}");
        }
    }
}

#[test]
fn refusals_have_codes_and_no_secrets() {
    let no_boot = fixture("uefi-luks").replace("\"/boot\"", "\"\"");
    let swap_file = fixture("bios-ext4").replace("\"swap\": \"none\"", "\"swap\": \"file\"");
    for (text, status, part) in [
        (no_boot.as_str(), 3, "[BOOT_ENCRYPTED]"),
        ("{}", 2, "[CALAMARES_INVALID]"),
        ("{\"luksPassphrase\": \"secret", 2, "[CALAMARES_INVALID]"),
        (swap_file.as_str(), 0, "swap file"),
    ] {
        let output = bootc_installer(&ARGS, text);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{complaint}");
        assert!(complaint.contains(part), "{part}: {complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}

/// Where Calamares knows no UUID the device is asked; a file is one as well.
#[test]
fn uuids_from_the_devices() {
    let dir = tempfile::tempdir().unwrap();
    let swap = dir.path().join("swap");
    std::fs::File::create(&swap)
        .unwrap()
        .set_len(1024 * 1024)
        .unwrap();
    let uuid = "5a9a0000-0000-4000-8000-00000000abcd";
    // Not everywhere in the path of whoever is not root.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let made = Command::new("mkswap")
        .args(["--uuid", uuid])
        .arg(&swap)
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let storage = |device: &Path| {
        json!({"rootMountPoint": "/t", "partitions": [
            {"device": "/dev/vda1", "mountPoint": "/", "fs": "ext4", "uuid": "1-2"},
            {"device": "", "mountPoint": "", "fs": "unknown", "fsName": "unbekannt"},
            {"device": device, "mountPoint": "", "fs": "linuxswap", "fsName": "Linux-Swap",
             "claimed": true, "uuid": "", "partuuid": ""},
        ]})
        .to_string()
    };
    let output = bootc_installer(&ARGS, &storage(&swap));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complaint}");
    let plan = Plan::from_json(&String::from_utf8(output.stdout).unwrap()).unwrap();
    assert_eq!(plan.deployment.fstab.len(), 1);
    assert_eq!(plan.deployment.fstab[0].source, format!("UUID={uuid}"));

    let missing = dir.path().join("missing");
    let output = bootc_installer(&ARGS, &storage(&missing));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("[CALAMARES_INVALID]"), "{complaint}");
    assert!(complaint.contains(missing.to_str().unwrap()), "{complaint}");
}

#[test]
fn what_is_on_the_medium_is_told_without_a_registry() {
    let dir = tempfile::tempdir().unwrap();
    let medium = dir.path().to_str().unwrap();
    Layout::new(dir.path()).image("registry.invalid/os:1", &[]);
    for (image, layouts, on_medium) in [
        ("registry.invalid/os:1", &["--layout", medium][..], true),
        ("registry.invalid/os:2", &["--layout", medium], false),
        ("registry.invalid/os:1", &["--layout", "auto"], false),
        ("registry.invalid/os:1", &[], false),
    ] {
        let mut args = vec!["check", "--on-medium", "--image", image];
        args.extend(layouts);
        let output = bootc_installer(&args, "");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer, json!({ "onMedium": on_medium }), "{args:?}");
        args.extend(["--format", "text"]);
        let text = String::from_utf8(bootc_installer(&args, "").stdout).unwrap();
        let word = if on_medium { "yes" } else { "no" };
        assert_eq!(text, format!("on medium {word}\n"));
    }
}

/// The answer of `check --format json` for an OCI layout on the medium, and the
/// error in its place.
#[test]
fn check_answers_with_one_object() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    let image = format!("oci:{}:good", dir.path().display());
    let check = |image: &str, more: &[&str]| {
        let mut args = vec!["check", "--target-imgref", "a.b/c:1", "--image", image];
        args.extend(more);
        bootc_installer(&args, "")
    };
    layout.image("good", &[("containers.bootc", "1")]);
    let output = check(&image, &["--format", "json"]);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complaint}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["imgref"], "a.b/c:1");
    // The layout is used in place: no download, an empty layer, the reserve.
    let space = answer["spaceBytes"].as_u64().unwrap();
    assert!((256_000_000..280_000_000).contains(&space), "{space}");
    assert!(answer.get("targetBytesNeeded").is_none());

    layout.image("good", &[]);
    let output = check(&image, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = &answer["error"];
    assert_eq!(error["code"], "IMAGE_NOT_BOOTABLE");
    for key in ["what", "why", "next"] {
        assert!(error[key].as_str().unwrap().ends_with('.'), "{error}");
    }
    assert!(error["details"].is_array(), "{error}");
    let output = check("oci:/nonexistent:x", &["--format", "text"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("SOURCE_INVALID")
    );
}

/// An OCI layout with one image that has one empty layer.
struct Layout<'a> {
    dir: &'a Path,
}

impl<'a> Layout<'a> {
    fn new(dir: &'a Path) -> Self {
        std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { dir }
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = hex(&Sha256::digest(bytes));
        std::fs::write(self.dir.join("blobs/sha256").join(&digest), bytes).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len()})
    }

    fn image(&self, tag: &str, labels: &[(&str, &str)]) {
        let tar = [0u8; 1024];
        let layer = self.blob("application/vnd.oci.image.layer.v1.tar", &tar);
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let config = json!({
            "architecture": arch, "os": "linux", "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        });
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        );
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": [layer],
        });
        let mut entry = self.blob(manifest_type, manifest.to_string().as_bytes());
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        std::fs::write(self.dir.join("index.json"), index.to_string()).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
