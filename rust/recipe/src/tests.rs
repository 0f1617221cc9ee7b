// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

const HASH: &str = "$6$saltsalt$0123456789012345678901234567890123456789";

fn read(text: &str) -> Result<Recipe> {
    parse(Path::new("r.yaml"), Path::new("/media"), text)
}

#[test]
fn everything() {
    let text = format!(
        "image: r.example/os:1
registry: {{ authFile: auth.json, insecure: true, keepCredentials: true }}
disk: {{ rule: only, model: Fast, minSize: 10G, maxSize: 1t, wipe: true }}
layout: {{ table: mbr, filesystem: xfs, bootSize: 512M }}
kargs: [quiet]
users:
  - {{ name: ann, passwordHash: '{HASH}', groups: [sudo], sshAuthorizedKeys: [ssh-ed25519 A] }}
rootSshKeys: [ssh-ed25519 B]
hostname: shop-1
locale: de_DE.UTF-8
keyboard: {{ layout: de, variant: nodeadkeys }}
timezone: Europe/Berlin
network:
  - {{ name: uplink, file: up.nmconnection }}
  - {{ name: other, contents: \"[connection]\" }}
files: [{{ path: /etc/x, mode: '0600', contents: y }}]
units: [{{ name: ssh.service }}, {{ name: a.timer, enabled: false }}]
after: reboot
"
    );
    let recipe = read(&text).unwrap();
    assert_eq!(
        recipe.disk,
        DiskWish::Rule(DiskRule {
            which: Which::Only,
            model: Some("Fast".into()),
            min_size: Some(10 << 30),
            max_size: Some(1 << 40),
        })
    );
    assert!(recipe.wipe);
    assert_eq!(recipe.layout.table, Table::Mbr);
    assert_eq!(recipe.layout.filesystem, DiskFs::Xfs);
    assert_eq!(recipe.layout.boot_size, Some(512 << 20));
    // Paths start where the recipe is.
    let auth = recipe.registry.auth_file.as_deref();
    assert_eq!(auth, Some(Path::new("/media/auth.json")));
    let files: Vec<_> = recipe.network.iter().map(|c| c.keyfile.clone()).collect();
    assert!(files[0] == Keyfile::File("/media/up.nmconnection".into()));
    assert!(files[1] == Keyfile::Text("[connection]".into()));
    let units: Vec<_> = recipe.units.iter().map(|unit| unit.enabled).collect();
    assert_eq!(units, [true, false]);
    assert_eq!(recipe.after, After::Reboot);
    // Neither a hash nor a connection, which may have a password, is shown.
    let debug = format!("{recipe:?}");
    assert!(!debug.contains("saltsalt") && !debug.contains("[connection]"));
}

#[test]
fn what_a_disk_alone_means() {
    let recipe = read("disk: { id: /dev/disk/by-id/wwn-0x5 }").unwrap();
    assert_eq!(recipe.disk, DiskWish::Id("/dev/disk/by-id/wwn-0x5".into()));
    assert!(!recipe.wipe && recipe.image.is_none() && recipe.users.is_empty());
    assert_eq!(recipe.layout, Layout::default());
    // What stays in its drive installs once.
    assert_eq!(recipe.after, After::Poweroff);
}

#[test]
fn disks_that_are_refused() {
    for (disk, place, problem) in [
        ("{ id: /dev/sda }", "line 1, column 9", "one disk for good"),
        (
            "{ id: /dev/nvme0n1, wipe: true }",
            "column 9",
            "one disk for good",
        ),
        ("{ id: sda }", "column 9", "one disk for good"),
        (
            "{ id: /dev/disk/by-id/../sda }",
            "column 9",
            "one disk for good",
        ),
        (
            "{ id: /dev/disk/by-uuid/a }",
            "column 9",
            "one disk for good",
        ),
        (
            "{ id: /dev/disk/by-id/a, rule: only }",
            "column 32",
            "an `id` as well",
        ),
        (
            "{ id: /dev/disk/by-id/a, model: b }",
            "column 32",
            "a `rule` only",
        ),
        ("{ wipe: true }", "column 1", "which disk"),
        ("{ rule: any }", "column 9", "not a known value"),
        (
            "{ rule: largest-empty, wipe: true }",
            "column 30",
            "nothing is wiped",
        ),
        (
            "{ rule: only, minSize: 2G, maxSize: 1G }",
            "column 34",
            "less than",
        ),
        ("{ rule: only, minSize: big }", "column 21", "no size"),
        ("{ rule: only, model: ' ' }", "column 21", "is empty"),
        (
            "{ rule: only, wipe: yes please }",
            "column 21",
            "true or false",
        ),
    ] {
        let error = read(&format!("disk: {disk}")).unwrap_err();
        assert!(error.what.contains(place), "{disk}: {}", error.what);
        assert!(error.what.contains(problem), "{disk}: {}", error.what);
    }
    for text in ["", "disk:", "image: a.b/c:1"] {
        let error = read(text).unwrap_err();
        assert!(error.what.contains("`disk` is missing"), "{}", error.what);
    }
}

#[test]
fn what_is_refused_with_its_line() {
    for (text, what) in [
        (
            "users:\n  - name: Ann",
            "line 2, column 5: `users[0]`: `Ann` cannot be the name",
        ),
        (
            "users:\n  - name: a\n    password: x",
            "line 3, column 5: `users[0].password` is not a known key",
        ),
        (
            "users:\n  - groups: [a]",
            "line 2, column 5: `users[0]`: `name` is missing",
        ),
        (
            "users:\n  - name: a\n  - name: a",
            "`users[1]`: `deployment.users` has a twice",
        ),
        ("hostname: -a", "line 1, column 1: `hostname`"),
        (
            "files:\n  - path: /usr/x",
            "line 2, column 5: `files[0]`: `/usr/x`",
        ),
        ("units: [{ name: ssh }]", "`units[0]`: `ssh`"),
        ("rootSshKeys: ['']", "`rootSshKeys`"),
        ("locale: german", "`locale`: `german` is no locale"),
        ("timezone: berlin", "`timezone`"),
        (
            "keyboard: { variant: dvorak }",
            "`keyboard.variant`: there is no `layout`",
        ),
        ("network: [{ name: a }]", "`network[0]`: there must be"),
        ("network: [{ name: a/b, contents: c }]", "`network[0].name`"),
        (
            "network: [{ name: a, contents: c }, { name: a, contents: d }]",
            "is there twice",
        ),
        ("kargs: [a b]", "`kargs[0]`: `a b` is no kernel argument"),
        ("image: docker://", "`image`"),
        ("after: halt", "`after`: `halt` is not a known value"),
        ("encryption: luks", "`encryption` is not a known key"),
        ("disc: { rule: only }", "`disc` is not a known key"),
    ] {
        let error = read(&format!("{text}\ndisk: {{ rule: only }}\n")).unwrap_err();
        assert!(error.what.starts_with("r.yaml, line "), "{}", error.what);
        assert!(error.what.contains(what), "{text}: {}", error.what);
    }
}

#[test]
fn no_message_shows_a_password() {
    let error =
        read("users: [{ name: ann, passwordHash: sesame }]\ndisk: { rule: only }").unwrap_err();
    let said = format!("{error:?}");
    assert!(!said.contains("sesame"), "{said}");
    assert!(error.what.contains("no hashed password"), "{}", error.what);
}
