// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of [`super`].

use yaml_doc::{Check, shown};

use super::*;

#[test]
fn forms() {
    let long = "x".repeat(65);
    let table: [(&str, Check, &[&str], &[&str]); 18] = [
        (
            "title",
            title,
            &["Debian (13)", "Größe 1.0, neu", "a"],
            &[
                "", " a", "a\n", "a\"b", "it's", "$x", "a`b", "a\\", "{{x", "a}", "a;b", "<b>",
                "a|b", "a&b", "#a", &long,
            ],
        ),
        (
            "prose",
            prose,
            &["It's \"it\" & more\nor {less}"],
            &["", " ", "{{ x }}", "a\u{7}", "a\u{2028}"],
        ),
        (
            "id",
            id,
            &["a", "debian-13", "abcdefghijklmnopqrstuvwx"],
            &[
                "",
                "-a",
                "a-",
                "A",
                "a_b",
                "a.b",
                "abcdefghijklmnopqrstuvwxy",
            ],
        ),
        (
            "version",
            version,
            &["", "13", "13.1~rc1+b-2"],
            &["-1", "1 2", "1/2", "1\"", "$1"],
        ),
        (
            "url",
            url,
            &[
                "https://www.debian.org/",
                "http://localhost:8080/a?b=c#d",
                "http://mirror/debian",
                "http://10.0.0.1",
                "http://[fd00::1]:80/x",
            ],
            &[
                "",
                "www.debian.org",
                "ftp://a.b/",
                "https://",
                "https:///x",
                "http://u:p@a.b/",
                "http://a.b/ c",
                "http://a.b/$x",
                "http://a..b/",
                "http://a.b/'",
            ],
        ),
        (
            "mirror",
            mirror,
            &["http://deb.debian.org/debian"],
            &["http://a.b/?x", "http://a.b/#x", "x"],
        ),
        (
            "colour",
            colour,
            &["#16222e", "#FFFFFF"],
            &["", "16222e", "#fff", "#16222g", "red", "#16222e "],
        ),
        (
            "deb",
            deb,
            &["a_1_all.deb", "x/a_1_amd64.deb"],
            &["", "a.deb", "a_1_arm64.deb", "a_1_amd64.deb\n"],
        ),
        (
            "package",
            package,
            &["vim", "g++", "libc6.1-x", "0ad"],
            &[
                "", "a", "Vim", "vim-", "vim=1", "a/b", "a b", "-a", "a:i386", "a;b",
            ],
        ),
        (
            "stateroot",
            stateroot,
            &["default", "os.1", "_a"],
            &["", ".a", "-a", "a/b", "a b"],
        ),
        (
            "registry",
            registry,
            &["quay.io", "r.example:5000", "r.example/a/b", "localhost"],
            &[
                "",
                "https://quay.io",
                "quay",
                "a@b.c",
                "quay.io/",
                "Quay.io/X",
            ],
        ),
        (
            "namespace",
            namespace,
            &["debian", "a/b"],
            &["", "/a", "a/", "A", "a:1", "a b", "a@b"],
        ),
        (
            "karg",
            karg,
            &[
                "quiet",
                "console=ttyS0,115200",
                "ip=[fd00::1]:x",
                "a=UUID=b@c",
            ],
            &["", "-a", "a b", "a=\"b\"", "a;b", "$a", "a\n", "{a}", "a'"],
        ),
        (
            "live_karg",
            live_karg,
            &["quiet", "console=ttyS0,115200n8"],
            &["", "a=[b]", "a@b", "a&b", "a|b", "#a", "a\\b", "a*"],
        ),
        (
            "locale",
            locale,
            &["C.UTF-8", "de_DE.UTF-8", "sr_RS.UTF-8@latin"],
            &[
                "",
                "de",
                "de_DE",
                "de.UTF-8",
                "de_DE.ISO-8859-1",
                "german",
                "de_DE.UTF-8@",
                "de_DE.UTF-8;x",
            ],
        ),
        (
            "layout",
            layout,
            &["us", "de,us"],
            &["", "de us", "de;", "-x", "$x"],
        ),
        (
            "timezone",
            timezone,
            &[
                "UTC",
                "Europe/Berlin",
                "America/Argentina/Buenos_Aires",
                "Etc/GMT+1",
            ],
            &[
                "",
                "/etc",
                "../x",
                "Europe/",
                "europe/berlin",
                "A/B/C/D",
                "UTC;x",
                "GMT 1",
            ],
        ),
        (
            "free_name",
            free_name,
            &["bootc_base", "a.b-c"],
            &["", "a/b", "a b", "-a", "{a}"],
        ),
    ];
    for (name, check, good, bad) in table {
        for text in good {
            assert_eq!(check(text), Ok(()), "{name} {text:?}");
        }
        for text in bad {
            assert!(check(text).is_err(), "{name} {text:?}");
        }
    }
}

#[test]
fn references() {
    let normal = |text| reference(text).map_err(|w| w.why.into_owned());
    for (text, expected) in [
        ("quay.io/a/b:1", Ok("quay.io/a/b:1")),
        ("quay.io/a/b", Ok("quay.io/a/b:latest")),
        ("docker://quay.io/a/b:1", Ok("quay.io/a/b:1")),
        (
            "oci:/x:1",
            Err("It is read through `oci:`, which the installed system could not update from."),
        ),
        (
            "debian",
            Err(
                "The name has no registry host and is therefore ambiguous; write `docker.io/library/debian:latest`.",
            ),
        ),
    ] {
        assert_eq!(
            normal(text),
            expected.map(str::to_owned).map_err(str::to_owned),
            "{text}"
        );
    }
}

#[test]
fn ids_of_names() {
    for (name, id) in [
        ("Example OS", "example-os"),
        ("  A -- b_c!", "a-b-c"),
        ("Debian bootable containers", "debian-bootable-containe"),
        ("Aaaaaaaaaaaaaaaaaaaaaaa bb", "aaaaaaaaaaaaaaaaaaaaaaa"),
        ("日本", ""),
    ] {
        assert_eq!(id_from(name), id, "{name}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    for (value, expected) in [
        ("https://joe:pw@a.b/", "***@a.b/"),
        ("joe:p@w@a.b/x", "***@a.b/x"),
        ("a.b/c@sha256:0", "a.b/c@sha256:0"),
        ("a\nb", "a�b"),
    ] {
        assert_eq!(shown(value), expected);
    }
    assert_eq!(shown(&"x".repeat(61)), "x".repeat(60) + "…");
}
