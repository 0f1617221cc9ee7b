// SPDX-License-Identifier: MIT OR Apache-2.0
//! The patterns by which others install: a kickstart, an Ignition configuration
//! and its systemd unit, rendered by the program and judged by the programs that
//! read them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::bench::{Bench, Ended};
use crate::validators;

const BLUEPRINT: &str = r#"
[customizations]
hostname = "shop-1"
kernel = { append = "console=ttyS0,115200 quiet" }
services = { enabled = ["ssh"], disabled = ["cups.socket"] }
[[customizations.user]]
name = "alice"
password = "it's $ecret"
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAlice alice@example"
groups = ["sudo"]
[[customizations.user]]
name = "root"
password = "toor"
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIRoot root@example"
[[customizations.directories]]
path = "/var/lib/shop"
[[customizations.files]]
path = "/etc/shop.conf"
data = "%end\n'till' = 3\n"
[[customizations.filesystem]]
mountpoint = "/"
minsize = "20 GiB"
"#;

/// The file as other tools of the field write it, with a login.
const CONF: &str = r#"
installationApproach: "systemd"
containerUrl: "{{ registry }}/os/debian:13"
variables: { registry: "registry.example:5000" }
stateroot: "default"
remote: "default"
transport: "registry"
noSignatureVerification: false
updates: automatic
registryAuth:
  registries:
    "registry.example:5000":
      auth: "dXNlcjpzM2NyZXQ="
      insecure: true
installOptions:
  target_disk: "/dev/sda"
  target_arch: "amd64"
  rootfs_type: "ext4"
  bootloader: "grub"
kickstartOptions:
  network_config: "dhcp"
  partitioning: "autopart"
  services: ["sshd"]
"#;
const IMAGE: &str = "r.example/os/debian:13";
const OFFLINE: [&str; 4] = ["build", "--no-image-check", "--output", "out"];

struct Rendering {
    bench: Bench,
}

impl Rendering {
    fn new() -> Self {
        let bench = Bench::new();
        fs::write(bench.path("config.toml"), BLUEPRINT).unwrap();
        fs::write(bench.path("bootc.conf"), CONF).unwrap();
        Self { bench }
    }

    /// The file, which is the only one.
    fn render(&self, words: &[&str]) -> PathBuf {
        let mut command = self.bench.program(&OFFLINE);
        let ended = Ended::of(command.args(words));
        assert_eq!(ended.status, Some(0), "{words:?}: {ended:?}");
        let mut files = fs::read_dir(self.bench.output()).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "one file");
        file
    }
}

#[test]
fn kickstarts_are_those_of_their_versions() {
    let Some(venv) = validators::ksvalidator() else {
        return;
    };
    let site = Rendering::new();
    for version in ["F38", "F42", "F43", "F44", "F45", "RHEL9", "RHEL10"] {
        for words in [
            &[
                "--disk",
                "/dev/disk/by-id/ata-1",
                "-c",
                "config.toml",
                IMAGE,
            ][..],
            &["--bootc-conf", "bootc.conf", "--with-credentials"],
            &[IMAGE],
        ] {
            let all = [&["--type", "kickstart", "--ks-version", version], words].concat();
            let file = site.render(&all);
            let judged = validators::kickstart(&venv, version, &file);
            assert_eq!(judged, Ok(()), "{}", fs::read_to_string(&file).unwrap());
            fs::remove_file(file).unwrap();
        }
    }
    // The judge says no to what is wrong.
    let file = site.bench.path("bad.ks");
    fs::write(
        &file,
        "ostreecontainer --url=a\n--no-signature-verification\n",
    )
    .unwrap();
    validators::kickstart(&venv, "F42", &file).unwrap_err();
    fs::write(&file, "bootc --source-imgref=registry:a\n").unwrap();
    validators::kickstart(&venv, "F42", &file).unwrap_err();
}

/// What a shell makes of the script that writes files: their text as it was.
#[test]
fn a_kickstart_writes_files_as_they_are() {
    let site = Rendering::new();
    let file = site.render(&["--type", "kickstart", "-c", "config.toml", IMAGE]);
    let text = fs::read_to_string(&file).unwrap();
    let script = text.split("%post --erroronfail\n").nth(1).unwrap();
    let script = script.split("\n%end").next().unwrap();
    let dir = site.bench.path("root");
    let script = script.replace("/etc/", &format!("{}/etc/", dir.display()));
    let script = script.replace("chown", "true");
    let done = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let conf = fs::read_to_string(dir.join("etc/shop.conf")).unwrap();
    assert_eq!(conf, "%end\n'till' = 3\n");
    assert!(!text.contains("$ecret") && !text.contains("toor"), "{text}");
}

#[test]
fn logins_are_written_on_demand_only() {
    let site = Rendering::new();
    let words = ["--type", "kickstart", "--bootc-conf", "bootc.conf"];
    let text = fs::read_to_string(site.render(&words)).unwrap();
    assert!(!text.contains("auth.json"), "{text}");
    let words = [&words[..], &["--with-credentials"]].concat();
    let file = site.render(&words);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("base64 -d > /etc/ostree/auth.json"), "{text}");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nobody has one for this registry.
    let mut command = site.bench.program(&OFFLINE);
    command.args(["--type", "kickstart", "--with-credentials", IMAGE]);
    command.env("REGISTRY_AUTH_FILE", site.bench.path("auth.json"));
    fs::write(site.bench.path("auth.json"), "{}").unwrap();
    Ended::of(&mut command).assert("CONFIG_INVALID", 2, &["no login"]);
}

const PEOPLE: &str = r#"
[customizations]
kernel = { append = "console=ttyS0,115200 root=\"a b\"" }
[[customizations.user]]
name = "core"
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAlice alice@example"
groups = ["wheel"]
[[customizations.user]]
name = "root"
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIRoot root@example"
"#;

#[test]
fn ignition_configurations_are_those_of_their_versions() {
    let site = Rendering::new();
    fs::write(site.bench.path("people.toml"), PEOPLE).unwrap();
    let judge = validators::ignition_validate();
    for version in ignition::VERSIONS {
        let words = ["--type", "ignition", "--ignition-version", version];
        let words = [
            &words[..],
            &["--disk", "/dev/vda", "-c", "people.toml", IMAGE],
        ];
        let file = site.render(&words.concat());
        let text = fs::read(&file).unwrap();
        ignition::check(&text).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["ignition"]["version"], version);
        let Some(judge) = &judge else { continue };
        // Debian's Ignition is 2.14, which knows versions up to 3.3.0.
        let judged = validators::ignition(judge, &file);
        match version <= "3.3.0" {
            true => assert_eq!(judged, Ok(()), "{version}"),
            false => assert!(judged.unwrap_err().contains("unsupported"), "{version}"),
        }
    }
}

#[test]
fn the_unit_is_one_for_systemd() {
    let site = Rendering::new();
    fs::write(site.bench.path("people.toml"), PEOPLE).unwrap();
    let words = [
        "--type",
        "ignition",
        "--disk",
        "/dev/vda",
        "-c",
        "people.toml",
    ];
    let file = site.render(&[&words[..], &[IMAGE]].concat());
    let value: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let unit = &value["systemd"]["units"][0];
    assert_eq!(unit["name"], "bootc-install.service");
    assert_eq!(unit["enabled"], true);
    let text = unit["contents"].as_str().unwrap();
    for line in [
        "Wants=network-online.target",
        "After=network-online.target",
        "Type=oneshot",
        "StandardOutput=journal+console",
        "WantedBy=multi-user.target",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    if testkit::cmd::find("systemd-analyze").is_none() {
        eprintln!("skipped: no systemd-analyze");
        return;
    }
    // podman need not be on this machine.
    let text = text.replace("/usr/bin/podman", "/bin/true");
    let path = site.bench.path("bootc-install.service");
    fs::write(&path, text).unwrap();
    let done = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!said.contains("bootc-install.service:"), "{said}");
    assert!(done.status.success(), "{said}");
}

#[test]
fn what_cannot_be_rendered_is_refused_with_a_code() {
    let site = Rendering::new();
    let kickstart = ["--type", "kickstart"];
    let ignition = ["--type", "ignition", "--disk", "/dev/vda"];
    for (words, more, code, part) in [
        (
            &kickstart[..],
            &["--ks-version", "RHEL8", IMAGE][..],
            "USAGE",
            "F38",
        ),
        (
            &kickstart,
            &[
                "--target-imgref",
                "r.example/b:1",
                "--ks-version",
                "F42",
                IMAGE,
            ],
            "CONFIG_INVALID",
            "cannot update from another image",
        ),
        (
            &kickstart,
            &["--ignition-version", "9", "--type", "raw", IMAGE],
            "USAGE",
            "one command",
        ),
        (&kickstart, &["oci:/srv/a"], "USAGE", "oci:/srv/a"),
        (
            &ignition,
            &["--ignition-version", "2.2.0", IMAGE],
            "USAGE",
            "3.3.0",
        ),
        (
            &ignition,
            &["-c", "config.toml", IMAGE],
            "CONFIG_INVALID",
            "cannot give",
        ),
        (&["--type", "ignition"], &[IMAGE], "USAGE", "No disk"),
        (&[], &["--ks-version", "F43"], "USAGE", "--ks-version"),
    ] {
        let mut command = site.bench.program(&OFFLINE);
        let ended = Ended::of(command.args(words).args(more));
        ended.assert(code, 2, &[part]);
        assert!(!site.bench.output().exists(), "{words:?} {more:?}");
    }
}
