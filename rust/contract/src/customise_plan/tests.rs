// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

const HASH: &str = "$6$saltsalt$0123456789012345678901234567890123456789";

const NOTHING: Customisation<'_> = Customisation {
    groups: &[],
    users: &[],
    root_ssh_keys: &[],
    hostname: None,
    directories: &[],
    files: &[],
    links: &[],
    units: &[],
};

fn user(json: &str) -> Result<()> {
    let user: UserPlan = serde_json::from_str(json).unwrap();
    user.validate()
}

#[test]
fn people() {
    let hash = |hash: &str| format!(r#"{{"name":"ann","passwordHash":"{hash}"}}"#);
    for (json, fine) in [
        (r#"{"name":"ann"}"#.to_owned(), true),
        (r#"{"name":"_apt-9.x"}"#.to_owned(), true),
        (r#"{"name":"root"}"#.to_owned(), true),
        (r#"{"name":"Ann"}"#.to_owned(), false),
        (r#"{"name":"9a"}"#.to_owned(), false),
        (r#"{"name":""}"#.to_owned(), false),
        (r#"{"name":"a:b"}"#.to_owned(), false),
        (r#"{"name":"--help"}"#.to_owned(), false),
        (r#"{"name":"ann","groups":["sudo"]}"#.to_owned(), true),
        (r#"{"name":"ann","groups":["a,b"]}"#.to_owned(), false),
        (r#"{"name":"ann","shell":"/bin/sh"}"#.to_owned(), true),
        (r#"{"name":"ann","shell":"sh"}"#.to_owned(), false),
        (hash(HASH), true),
        (hash(&format!("!{HASH}")), true),
        (
            hash("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"),
            true,
        ),
        (hash("!"), true),
        (hash("*"), true),
        (hash(""), false),
        (hash("secret"), false),
        (hash("$6$secret"), false),
        (hash("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/xxxxxxxx"), false),
        (hash(&format!("{HASH}:0")), false),
    ] {
        let result = user(&json);
        assert_eq!(result.is_ok(), fine, "{json}: {result:?}");
        if let Err(error) = result {
            assert_eq!(error.code, Code::PlanInvalid);
            let all = format!("{error:?}");
            assert!(
                !all.contains("secret") || !json.contains("passwordHash"),
                "{all}"
            );
        }
    }
    assert!(!format!("{:?}", PasswordHash::from(HASH.to_owned())).contains("salt"));
}

#[test]
fn files() {
    for (path, mode, owner, fine) in [
        ("/etc/motd", None, None, true),
        ("/var/lib/x/y", Some("0600"), Some("ann:users"), true),
        ("\u{e9}tc/x", None, None, false),
        ("/etc/x", Some("4755"), Some("0:100"), true),
        ("/etc/x", Some("0888"), None, false),
        ("/etc/x", Some("17777"), None, false),
        ("/etc/x", None, Some("a b"), false),
        ("/etc/x", None, Some("ann:"), false),
        ("/usr/lib/x", None, None, false),
        ("/etc", None, None, false),
        ("/etc/", None, None, false),
        ("/etc/../usr/x", None, None, false),
        ("/etc//x", None, None, false),
        ("etc/x", None, None, false),
        ("", None, None, false),
    ] {
        let files = [FilePlan {
            path: path.into(),
            mode: mode.map(Into::into),
            owner: owner.map(Into::into),
            contents: String::new(),
        }];
        let all = Customisation {
            files: &files,
            ..NOTHING
        };
        assert_eq!(all.validate().is_ok(), fine, "{files:?}");
        let directories = [DirectoryPlan {
            path: path.into(),
            mode: mode.map(Into::into),
            owner: owner.map(Into::into),
        }];
        let all = Customisation {
            directories: &directories,
            ..NOTHING
        };
        assert_eq!(all.validate().is_ok(), fine, "{directories:?}");
    }
    assert_eq!(FilePlan::default().bits(), Some(0o644));
    assert_eq!(DirectoryPlan::default().bits(), Some(0o755));
}

#[test]
fn groups_and_links() {
    for (path, target, fine) in [
        ("/etc/localtime", "/usr/share/zoneinfo/UTC", true),
        ("/var/lib/a", "../b", true),
        ("/usr/a", "b", false),
        ("/etc/a", "", false),
        ("/etc/a", "b\n", false),
        ("/etc/a", "a\0b", false),
        ("/etc/../a", "b", false),
    ] {
        let links = [LinkPlan {
            path: path.into(),
            target: target.into(),
        }];
        let all = Customisation {
            links: &links,
            ..NOTHING
        };
        assert_eq!(all.validate().is_ok(), fine, "{links:?}");
    }
    for (name, fine) in [("shop", true), ("Shop", false), ("--root", false)] {
        let groups = [GroupPlan {
            name: name.into(),
            ..GroupPlan::default()
        }];
        let all = Customisation {
            groups: &groups,
            ..NOTHING
        };
        assert_eq!(all.validate().is_ok(), fine, "{name}");
        assert!(!all.is_empty());
    }
}

#[test]
fn names() {
    for (name, fine) in [
        ("server", true),
        ("web-1.example.org", true),
        ("-web", false),
        ("web_1", false),
        ("a..b", false),
        ("", false),
        (&"a".repeat(65), false),
    ] {
        assert_eq!(is_hostname(name), fine, "{name}");
    }
    for (name, fine) in [
        ("ssh.service", true),
        ("getty@tty1.service", true),
        ("ssh", false),
        (".service", false),
        ("--now.service", false),
        ("a b.service", false),
        ("../x.service", false),
    ] {
        assert_eq!(is_unit(name), fine, "{name}");
    }
}

#[test]
fn keys_are_public_and_have_one_line() {
    let line = |key: &str| keys("here", &[key.to_owned()]);
    assert!(line("ssh-ed25519 AAAA ann@example").is_ok());
    assert!(line("from=\"10.0.0.0/8\" ssh-rsa AAAA").is_ok());
    for bad in ["", " ", "a\nb", "-----BEGIN OPENSSH PRIVATE KEY-----"] {
        assert!(line(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn nothing_is_twice() {
    let users = [
        UserPlan {
            name: "ann".into(),
            ..UserPlan::default()
        },
        UserPlan {
            name: "ann".into(),
            ..UserPlan::default()
        },
    ];
    let all = Customisation {
        users: &users,
        ..NOTHING
    };
    assert!(all.validate().unwrap_err().what.contains("twice"));
    assert!(!all.is_empty());
}
