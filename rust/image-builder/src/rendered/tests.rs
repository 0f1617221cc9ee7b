// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

const BLUEPRINT: &str = r#"
[customizations]
hostname = "shop-1"
kernel = { append = "console=ttyS0,115200 quiet" }
[[customizations.user]]
name = "alice"
password = "$6$saltsalt$0123456789012345678901234567890123456789"
key = "ssh-ed25519 AAAA alice@example"
groups = ["sudo"]
[[customizations.files]]
path = "/etc/shop.conf"
data = "till = 3\n"
"#;

fn request(kind: RenderKind, output: &Path) -> RenderRequest {
    RenderRequest {
        kind,
        distro: Distro::default(),
        conf: None,
        image: Some("r.example/os/debian:13".into()),
        target_imgref: None,
        blueprint: Blueprint::default(),
        filesystem: None,
        disk: Some("/dev/sda".into()),
        with_credentials: false,
        check_image: false,
        output: output.to_owned(),
        result: None,
        owner: None,
    }
}

fn kickstart(version: &str) -> RenderKind {
    RenderKind::Kickstart(KsVersion::parse(version).unwrap())
}

fn text(request: &RenderRequest) -> Result<String> {
    let made = render(request, &Cancel::new())?;
    Ok(std::fs::read_to_string(made.path).unwrap())
}

fn blueprint() -> Blueprint {
    blueprint::parse(BLUEPRINT, blueprint::Format::Toml).unwrap()
}

#[test]
fn each_version_has_its_command() {
    let dir = tempfile::tempdir().unwrap();
    for (version, line) in [
        (
            "F42",
            "ostreecontainer --stateroot=default --transport=registry --url=r.example/os/debian:13",
        ),
        (
            "RHEL10",
            "bootc --stateroot=default --source-imgref=registry:r.example/os/debian:13 \
             --target-imgref=r.example/os/debian:13",
        ),
        (
            "F45",
            "bootc --stateroot=default --source-imgref=registry:r.example/os/debian:13 \
             --target-imgref=r.example/os/debian:13",
        ),
    ] {
        let text = text(&request(kickstart(version), dir.path())).unwrap();
        assert!(
            text.lines().any(|found| found == line),
            "{version}:\n{text}"
        );
        assert!(!text.contains("%packages"));
        // Nothing has to be written, neither before nor after.
        assert!(!text.contains("%pre") && !text.contains("%post"), "{text}");
    }
}

#[test]
fn a_kickstart_has_what_a_blueprint_says() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let mut request = request(kickstart("F43"), dir.path());
    request.blueprint = blueprint();
    let text = text(&request).unwrap();
    for line in [
        "network --bootproto=dhcp --device=link --activate --hostname=shop-1",
        "ignoredisk --only-use=sda",
        "clearpart --all --initlabel --disklabel=gpt --drives=sda",
        "part / --fstype=ext4 --size=4096 --grow",
        "bootloader '--append=console=ttyS0,115200 quiet'",
        "rootpw --lock",
        "user --name=alice --groups=sudo \
         '--password=$6$saltsalt$0123456789012345678901234567890123456789' --iscrypted",
        "sshkey --username=alice 'ssh-ed25519 AAAA alice@example'",
        "base64 -d > /etc/shop.conf <<'END'",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // A hash is in it.
    let mode = dir.path().join("debian-13-amd64.ks").metadata().unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
}

#[test]
fn without_a_disk_anaconda_asks_and_a_live_host_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut asking = request(kickstart("F43"), dir.path());
    asking.disk = None;
    let text = text(&asking).unwrap();
    assert!(
        !text.contains("clearpart") && !text.contains("zerombr"),
        "{text}"
    );
    asking.kind = RenderKind::Ignition(None);
    assert_eq!(
        render(&asking, &Cancel::new()).unwrap_err().code,
        Code::Usage
    );
}

/// `bootc.conf` in full, with a login.
const CONF: &str = r#"
containerUrl: "r.example/os/debian:13"
targetImgref: "r.example/os/debian:14"
stateroot: shop
registryAuth:
  registries:
    "r.example":
      auth: "dXNlcjpzM2NyZXQ="
      mirrors: ["m.example/os"]
installOptions: { target_disk: /dev/vda, rootfs_type: xfs, kargs: [quiet] }
kickstartOptions: { network_config: none, partitioning: autopart, services: [sshd] }
ignitionOptions: { version: "3.4.0", network_units: [a.network], additional_units: [b.service] }
"#;

#[test]
fn bootc_conf_says_it_all_and_logins_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let conf = dir.path().join("bootc.conf");
    std::fs::write(&conf, CONF).unwrap();
    std::fs::write(dir.path().join("a.network"), "[Match]\n").unwrap();
    std::fs::write(dir.path().join("b.service"), "[Unit]\n").unwrap();
    let mut request = RenderRequest {
        conf: Some(conf),
        image: None,
        disk: None,
        ..request(kickstart("F45"), dir.path())
    };
    let plain = text(&request).unwrap();
    for line in [
        "bootc --stateroot=shop --source-imgref=registry:r.example/os/debian:13 \
         --target-imgref=r.example/os/debian:14",
        "autopart --type=plain --nohome --noswap --fstype=xfs",
        "ignoredisk --only-use=vda",
        "services --enabled=sshd",
    ] {
        assert!(plain.lines().any(|found| found == line), "{line}\n{plain}");
    }
    assert!(!plain.contains("network"), "{plain}");
    assert!(plain.contains("/etc/containers/registries.conf.d/50-installer.conf"));
    assert!(!plain.contains("auth.json"), "{plain}");
    request.with_credentials = true;
    let secret = text(&request).unwrap();
    let pre = secret.split("%pre --erroronfail").nth(1).unwrap();
    let pre = pre.split("%end").next().unwrap();
    assert!(pre.contains("base64 -d > /etc/ostree/auth.json") && pre.contains("chmod 0600"));

    request.kind = RenderKind::Ignition(None);
    let ignition = text(&request).unwrap();
    let value: serde_json::Value = serde_json::from_str(&ignition).unwrap();
    assert_eq!(value["ignition"]["version"], "3.4.0");
    let files = value["storage"]["files"].as_array().unwrap();
    let paths: Vec<_> = files.iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "/etc/containers/registries.conf.d/50-installer.conf",
            "/etc/ostree/auth.json",
            "/etc/systemd/network/a.network",
        ]
    );
    assert_eq!(files[1]["mode"], 0o600);
    let units = value["systemd"]["units"].as_array().unwrap();
    assert_eq!(units[1]["name"], "b.service");
    let unit = units[0]["contents"].as_str().unwrap();
    for part in [
        "After=network-online.target\n",
        "Type=oneshot\n",
        "StandardOutput=journal+console\n",
        "--authfile=/etc/ostree/auth.json r.example/os/debian:13 bootc install to-disk --wipe \
         --filesystem=xfs --stateroot=shop --target-imgref=r.example/os/debian:14 --karg=quiet \
         /dev/vda\n",
    ] {
        assert!(unit.contains(part), "{part}\n{unit}");
    }
}

#[test]
fn a_live_host_has_the_people_of_a_blueprint() {
    let dir = tempfile::tempdir().unwrap();
    let mut request = request(RenderKind::Ignition(Some("3.3.0")), dir.path());
    let all = blueprint();
    request.blueprint.customizations.users = all.customizations.users.clone();
    let value: serde_json::Value = serde_json::from_str(&text(&request).unwrap()).unwrap();
    let user = &value["passwd"]["users"][0];
    assert_eq!(user["name"], "alice");
    assert_eq!(user["groups"][0], "sudo");
    assert_eq!(
        user["sshAuthorizedKeys"][0],
        "ssh-ed25519 AAAA alice@example"
    );
    // What it cannot do for the installed system.
    request.blueprint = all;
    let error = render(&request, &Cancel::new()).unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid);
}

#[test]
fn what_cannot_be_said_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let conf = |text: &str| {
        let path = dir.path().join("bootc.conf");
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    for (version, text, part) in [
        (
            "F42",
            "targetImgref: r.example/a:2",
            "cannot update from another image",
        ),
        (
            "F43",
            "installOptions: { bootloader: systemd }",
            "systemd-boot",
        ),
        (
            "F45",
            "installOptions: { kargsDelete: [quiet] }",
            "leave kernel arguments out",
        ),
        (
            "F43",
            "installOptions: { enforceContainerSigpolicy: true }",
            "enforceContainerSigpolicy",
        ),
        ("F43", "kickstartOptions: { servces: [] }", "servces"),
        ("F43", "transport: oci", "this machine only"),
    ] {
        let mut request = request(kickstart(version), &out);
        request.conf = conf(text);
        let error = render(&request, &Cancel::new()).unwrap_err();
        assert!(error.what.contains(part), "{text}: {error:?}");
        assert!(!out.exists(), "{text}");
    }
    for (disk, image) in [
        ("sda", "r.example/a:1"),
        ("/dev/sda --x", "r.example/a:1"),
        ("/dev/sda", "oci:/srv/a"),
        ("/dev/sda", "containers-storage:localhost/a"),
    ] {
        let mut request = request(kickstart("F43"), &out);
        (request.disk, request.image) = (Some(disk.into()), Some(image.into()));
        let error = render(&request, &Cancel::new()).unwrap_err();
        assert_eq!(error.code, Code::Usage, "{disk} {image}");
    }
    assert_eq!(ignition_version("2.3.0").unwrap_err().code, Code::Usage);
}
