// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

fn config(version: &str, rest: &str) -> String {
    format!(r#"{{"ignition":{{"version":"{version}"}},{rest}}}"#)
}

fn file(contents: &str) -> String {
    config(
        "3.3.0",
        &format!(r#""storage":{{"files":[{{"path":"/etc/a","contents":{contents}}}]}}"#),
    )
}

#[test]
fn everything_that_is_applied() {
    let text = config(
        "3.4.0",
        r#"
"kernelArguments":{"shouldExist":["a=1"],"shouldNotExist":["quiet"]},
"passwd":{"groups":[{"name":"shop","gid":900,"system":true}],
  "users":[{"name":"ann","passwordHash":"$6$x","groups":["shop"],"shell":"/bin/sh",
            "sshAuthorizedKeys":["ssh-ed25519 A"]}]},
"storage":{
  "directories":[{"path":"/var/lib/shop","mode":488,"group":{"name":"shop"}}],
  "files":[{"path":"/etc/a","overwrite":true,"mode":384,"user":{"id":7},
            "contents":{"source":"data:,a%20b%0A"}}],
  "links":[{"path":"/etc/localtime","target":"/usr/share/zoneinfo/UTC","overwrite":true}]},
"systemd":{"units":[
  {"name":"shop.service","enabled":true,"contents":"[Unit]\n",
   "dropins":[{"name":"10.conf","contents":"[Service]\n"}]},
  {"name":"cups.socket","mask":true},
  {"name":"ssh.service","enabled":false}]}"#,
    );
    let made = read(text.as_bytes()).unwrap();
    assert_eq!(made.kargs, ["a=1"]);
    assert_eq!(made.kargs_delete, ["quiet"]);
    assert_eq!(
        made.groups,
        [GroupPlan {
            name: "shop".into(),
            gid: Some(900),
            system: true
        }]
    );
    let [ann] = &*made.users else { panic!() };
    assert_eq!(ann.password_hash.as_ref().unwrap().expose(), "$6$x");
    assert_eq!(ann.groups, ["shop"]);
    let directory = &made.directories[0];
    assert_eq!(directory.mode.as_deref(), Some("0750"));
    assert_eq!(directory.owner.as_deref(), Some("root:shop"));
    let files: Vec<_> = made
        .files
        .iter()
        .map(|f| (&*f.path, &*f.contents))
        .collect();
    assert_eq!(
        files,
        [
            ("/etc/a", "a b\n"),
            ("/etc/systemd/system/shop.service", "[Unit]\n"),
            ("/etc/systemd/system/shop.service.d/10.conf", "[Service]\n"),
        ]
    );
    assert_eq!(made.files[0].mode.as_deref(), Some("0600"));
    assert_eq!(made.files[0].owner.as_deref(), Some("7"));
    let links: Vec<_> = made.links.iter().map(|l| (&*l.path, &*l.target)).collect();
    assert_eq!(
        links,
        [
            ("/etc/localtime", "/usr/share/zoneinfo/UTC"),
            ("/etc/systemd/system/cups.socket", "/dev/null"),
        ]
    );
    let units: Vec<_> = made.units.iter().map(|u| (&*u.name, u.enabled)).collect();
    assert_eq!(units, [("shop.service", true), ("ssh.service", false)]);
}

#[test]
fn contents() {
    // printf 'hello\n' | gzip -n | base64
    let gzip = "H4sIAAAAAAAAA8tIzcnJ5wIAIDA6NgYAAAA=";
    let sum = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    for (contents, expected) in [
        (r#"{}"#.to_owned(), Ok("")),
        (r#"{"source":"data:,hello%0A"}"#.into(), Ok("hello\n")),
        (
            r#"{"source":"data:text/plain;charset=utf-8,x"}"#.into(),
            Ok("x"),
        ),
        (
            r#"{"source":"data:;base64,aGVsbG8K"}"#.into(),
            Ok("hello\n"),
        ),
        (
            format!(r#"{{"source":"data:;base64,{gzip}","compression":"gzip"}}"#),
            Ok("hello\n"),
        ),
        (
            format!(r#"{{"source":"data:,hello%0A","verification":{{"hash":"sha256-{sum}"}}}}"#),
            Ok("hello\n"),
        ),
        (
            format!(r#"{{"source":"data:,hello","verification":{{"hash":"sha256-{sum}"}}}}"#),
            Err("do not have the hash"),
        ),
        (
            r#"{"source":"data:,a","verification":{"hash":"md5-1"}}"#.into(),
            Err("unknown kind"),
        ),
        (r#"{"source":"https://a.example/x"}"#.into(), Err("fetched")),
        (r#"{"source":"data:,a#b"}"#.into(), Err("%23")),
        (
            r#"{"source":"data:;base64,%%"}"#.into(),
            Err("no data: URL"),
        ),
        (
            r#"{"source":"data:,a","compression":"xz"}"#.into(),
            Err("xz"),
        ),
        (
            r#"{"source":"data:,a","compression":"gzip"}"#.into(),
            Err("gzip"),
        ),
        (r#"{"source":"data:;base64,/w=="}"#.into(), Err("no text")),
    ] {
        let text = file(&contents);
        match (read(text.as_bytes()), expected) {
            (Ok(made), Ok(text)) => assert_eq!(made.files[0].contents, text, "{contents}"),
            (Err(err), Err(part)) => {
                let told = format!("{} {}", err.what, err.next);
                assert!(told.contains(part), "{contents}: {told}");
            }
            (found, _) => panic!("{contents}: {found:?}"),
        }
    }
}

#[test]
fn what_is_not_applied_is_refused() {
    let storage = |rest: &str| config("3.4.0", &format!(r#""storage":{{{rest}}}"#));
    let user = |rest: &str| {
        config(
            "3.4.0",
            &format!(r#""passwd":{{"users":[{{"name":"a",{rest}}}]}}"#),
        )
    };
    let unit = |rest: &str| config("3.4.0", &format!(r#""systemd":{{"units":[{{{rest}}}]}}"#));
    let merge = r#"{"ignition":{"version":"3.4.0","config":{"merge":[{"source":"data:,{}"}]}}}"#;
    for (text, part) in [
        ("{".to_owned(), "cannot be understood"),
        (r#"{"ignition":{"version":"2.3.0"}}"#.into(), "2.3.0"),
        (r#"{"ignition":{"version":"x"}}"#.into(), "no version"),
        (config("3.4.0", r#""networkd":{}"#), "networkd"),
        // A later version has it.
        (
            config("3.2.0", r#""kernelArguments":{}"#),
            "kernelArguments",
        ),
        (merge.into(), "ignition.config"),
        (
            storage(r#""disks":[{"device":"/dev/sda"}]"#),
            "storage.disks",
        ),
        (storage(r#""luks":[{"name":"a"}]"#), "storage.luks"),
        (
            storage(r#""filesystems":[{"device":"/dev/sda1"}]"#),
            "storage.filesystems",
        ),
        (storage(r#""raid":[{"name":"a"}]"#), "storage.raid"),
        (storage(r#""files":[{"path":"/usr/a"}]"#), "/usr/a"),
        (
            storage(r#""files":[{"path":"/etc/a","append":[{"source":"data:,"}]}]"#),
            "append",
        ),
        (
            storage(r#""files":[{"path":"/etc/a","mode":9999}]"#),
            "`mode`",
        ),
        (
            storage(r#""files":[{"path":"/etc/a"},{"path":"/etc/a"}]"#),
            "twice",
        ),
        (
            storage(r#""links":[{"path":"/etc/a","target":"b","hard":true}]"#),
            "hard",
        ),
        (storage(r#""links":[{"path":"/etc/a"}]"#), "target"),
        (user(r#""uid":1000"#), "`uid`"),
        (user(r#""shouldExist":false"#), "`shouldExist`"),
        (user(r#""homeDir":"/srv""#), "`homeDir`"),
        (unit(r#""name":"../a.service""#), "no name"),
        (
            unit(r#""name":"a.service","mask":true,"enabled":true"#),
            "masked",
        ),
    ] {
        let err = read(text.as_bytes()).unwrap_err();
        assert!(err.what.contains(part), "{text}: {err}");
    }
}

#[test]
fn every_version_is_known() {
    for version in VERSIONS {
        let text = config(version, r#""systemd":{"units":[]}"#);
        assert_eq!(read(text.as_bytes()).unwrap(), Provision::default());
        check(text.as_bytes()).unwrap();
    }
}
