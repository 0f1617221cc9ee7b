// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]

use secrecy::ExposeSecret as _;

use super::*;

#[test]
fn sizes() {
    for (text, bytes) in [
        ("0", Some(0)),
        ("1073741824", Some(1 << 30)),
        ("10 GiB", Some(10 << 30)),
        (" 10GiB ", Some(10 << 30)),
        ("1.5 kB", Some(1500)),
        ("0.1 MiB", Some(104_858)),
        ("2TB", Some(2_000_000_000_000)),
        ("16777215.999 TiB", Some(18_446_744_072_610_039_988)),
        ("16777216 TiB", None),
        ("1.5", None),
        ("1.5.5 GB", None),
        (".5 GB", None),
        ("5. GB", None),
        ("GB", None),
        ("", None),
        ("-1", None),
        ("10 G", None),
        ("10 KB", None),
        ("10 gib", None),
        ("1e3", None),
    ] {
        assert_eq!(parse_size(text), bytes, "{text}");
    }
}

#[test]
fn the_example_of_everybody() {
    let toml = "[[customizations.user]]\nname = \"alice\"\npassword = \"bob\"\n\
                key = \"ssh-rsa AAA ... user@email.com\"\ngroups = [\"wheel\"]\n";
    let json = r#"{"customizations": {"user": [{"name": "alice", "password": "bob",
        "key": "ssh-rsa AAA ... user@email.com", "groups": ["wheel"]}]}}"#;
    let older = format!(r#"{{"blueprint": {json}}}"#);
    for (text, format) in [
        (toml, Format::Toml),
        (json, Format::Json),
        (&older, Format::Json),
    ] {
        let blueprint = parse(text, format).unwrap();
        let [alice] = &*blueprint.customizations.users else {
            panic!("{blueprint:?}")
        };
        assert_eq!(alice.name, "alice");
        assert_eq!(alice.password.as_ref().unwrap().expose_secret(), "bob");
        assert!(!alice.has_hash());
        assert_eq!(alice.keys(), ["ssh-rsa AAA ... user@email.com"]);
        assert_eq!(alice.groups, ["wheel"]);
        assert!(!format!("{blueprint:?}").contains("bob"));
    }
}

#[test]
fn everything_that_there_is() {
    let text = r#"
name = "edge"
packages = []
groups = []
description = "for the shop"
version = "0.1.0"

[customizations]
hostname = "shop-1"

[customizations.kernel]
append = "mitigations=auto,nosmt  dyndbg=\"file drivers/usb/* +p\" console=ttyS0"

[[customizations.group]]
name = "till"
gid = 2000

[[customizations.user]]
name = "root"
password = "$6$salt$hash"
key = """
# work
ssh-ed25519 AAAA one

ssh-ed25519 BBBB two
"""

[[customizations.user]]
name = "bob"
description = "Bob Example"
home = "/var/home/bob"
shell = "/bin/bash"
uid = 1500
gid = 1500

[customizations.services]
enabled = ["sshd.service"]
disabled = ["cups"]
masked = ["debug-shell"]

[customizations.disk]
type = "gpt"
minsize = "20 GiB"
[[customizations.disk.partitions]]
minsize = 1073741824
mountpoint = "/boot"
fs_type = "ext4"
label = "boot"
part_label = "BOOT"
[[customizations.disk.partitions]]
type = "plain"
minsize = "1 GiB"
fs_type = "swap"
part_type = "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"

[[customizations.directories]]
path = "/etc/till"
mode = "750"
user = "bob"
group = 2000
ensure_parents = true

[[customizations.files]]
path = "/etc/till/key"
mode = "0600"
data = "s3cret"
"#;
    let all = parse(text, Format::Toml).unwrap().customizations;
    assert_eq!(
        all.kernel.arguments(),
        [
            "mitigations=auto,nosmt",
            "dyndbg=\"file drivers/usb/* +p\"",
            "console=ttyS0"
        ]
    );
    assert!(all.users[0].has_hash());
    assert_eq!(
        all.users[0].keys(),
        ["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"]
    );
    assert_eq!(all.disk.as_ref().unwrap().minsize, Some(Size(20 << 30)));
    assert_eq!(
        all.disk.as_ref().unwrap().partitions[0].minsize,
        Size(1 << 30)
    );
    assert_eq!(all.directories[0].group, Some(Owner::Id(2000)));
    assert_eq!(all.directories[0].user, Some(Owner::Name("bob".into())));
    assert!(!format!("{all:?}").contains("s3cret"));
}

#[test]
fn refusals() {
    let c = "customizations";
    for (text, line, what, next) in [
        ("customizations = 5", 1, "expected", ""),
        (
            "[customization]",
            1,
            "`customization` is no key",
            "customizations",
        ),
        (
            "[[packages]]\nname = \"vim\"",
            1,
            "`packages` is a key of blueprints",
            "Containerfile",
        ),
        (
            &format!("\n[{c}]\nfirewall = {{}}"),
            3,
            "`firewall` is a key",
            "Containerfile",
        ),
        (
            &format!("[{c}.installer.kickstart]\ncontents = \"\""),
            1,
            "`installer`",
            "media",
        ),
        (
            &format!("[[{c}.user]]\npassword = \"hunter2\""),
            1,
            "missing field `name`",
            "",
        ),
        (
            &format!("[[{c}.user]]\nname = \"Alice\""),
            0,
            "`Alice` is no name of a user",
            "small",
        ),
        (
            &format!("[[{c}.user]]\nname = \"a:0\""),
            0,
            "`a:0` is no name",
            "",
        ),
        (
            &format!("[[{c}.user]]\nname = \"a\"\n[[{c}.user]]\nname = \"a\""),
            0,
            "twice",
            "",
        ),
        (
            &format!("[[{c}.user]]\nname = \"a\"\nshell = \"/bin/sh:x\""),
            0,
            "colon",
            "",
        ),
        (
            &format!("[[{c}.user]]\nname = \"a\"\npassword = 12345"),
            3,
            "quotes",
            "",
        ),
        (
            &format!("[[{c}.user]]\nname = \"a\"\npasword = \"x\""),
            3,
            "`pasword` is no key",
            "password",
        ),
        (
            &format!("[[{c}.user]]\nname = \"a\"\nexpiredate = 1"),
            3,
            "`expiredate`",
            "chage",
        ),
        (
            &format!("[[{c}.filesystem]]\nmountpoint = \"/\"\nminsize = \"10 G\""),
            3,
            "no size",
            "",
        ),
        (
            &format!("[[{c}.filesystem]]\nmountpoint = \"/\"\nminsize = -1"),
            3,
            "not negative",
            "",
        ),
        (
            &format!("[[{c}.filesystem]]\nmountpoint = \"/\""),
            1,
            "missing field `minsize`",
            "",
        ),
        (
            &format!("[{c}.disk]\ntype = \"mbr\""),
            2,
            "unknown variant `mbr`",
            "",
        ),
        (
            &format!("[[{c}.disk.partitions]]\ntype = \"lvm\"\nminsize = 1"),
            0,
            "`lvm`",
            "plain",
        ),
        (
            &format!("[[{c}.disk.partitions]]\nminsize = 1\nlogical_volumes = []"),
            3,
            "`logical_volumes`",
            "LVM",
        ),
        (
            &format!("[[{c}.disk.partitions]]\nminsize = 1"),
            0,
            "mountpoint",
            "",
        ),
        (
            &format!(
                "[[{c}.filesystem]]\nmountpoint = \"/\"\nminsize = 1\n[{c}.disk]\nminsize = 1"
            ),
            0,
            "twice",
            "Leave",
        ),
        (
            &format!("[[{c}.files]]\npath = \"etc/x\""),
            0,
            "not absolute",
            "",
        ),
        (
            &format!("[[{c}.files]]\npath = \"/etc/../usr/x\""),
            0,
            "`..`",
            "",
        ),
        (
            &format!("[[{c}.files]]\npath = \"/usr/bin/x\""),
            0,
            "image's own",
            "/etc",
        ),
        (
            &format!("[[{c}.files]]\npath = \"/etcetera\""),
            0,
            "image's own",
            "",
        ),
        (
            &format!("[[{c}.files]]\npath = \"/etc/x\"\nmode = \"u+x\""),
            0,
            "no mode",
            "octal",
        ),
        (
            &format!("[[{c}.files]]\npath = \"/etc/x\"\nmode = \"4755\""),
            0,
            "no mode",
            "",
        ),
        (
            &format!("[[{c}.files]]\npath = \"/etc/x\"\nuser = -1"),
            3,
            "nobody",
            "",
        ),
        (
            &format!("[{c}]\nhostname = \"a b\""),
            0,
            "no name of a machine",
            "",
        ),
        ("[blueprint.blueprint]", 0, "below", ""),
        ("a b", 1, "", ""),
    ] {
        let error = parse(text, Format::Toml).unwrap_err();
        assert_eq!(error.line.unwrap_or(0), line, "{text}: {error:?}");
        assert!(error.what.contains(what), "{text}: {error:?}");
        let found = error.next.as_deref().unwrap_or_default();
        assert!(found.contains(next), "{text}: {error:?}");
        for secret in ["hunter2", "12345"] {
            assert!(!format!("{error:?} {error}").contains(secret), "{error:?}");
        }
    }
}

#[test]
fn places_in_json() {
    let text = "{\"customizations\":\n {\"usr\": []}}";
    let error = parse(text, Format::Json).unwrap_err();
    assert_eq!(error.line, Some(2));
    assert!(error.what.starts_with("`usr` is no key"), "{error}");
    assert!(error.next.unwrap().contains("user"));
    assert!(!error.what.contains("at line"), "{}", error.what);
    // Not after the text.
    let error = parse("{", Format::Json).unwrap_err();
    assert_eq!((error.line, error.column), (Some(1), Some(1)));
}

#[test]
fn the_format_is_in_the_name() {
    for (name, format) in [
        ("config.toml", Format::Toml),
        ("config.json", Format::Json),
        ("CONFIG.JSON", Format::Json),
        ("config", Format::Toml),
    ] {
        assert_eq!(Format::of(std::path::Path::new(name)), format, "{name}");
    }
}
