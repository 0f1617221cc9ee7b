// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]

use super::*;

fn conf(files: &[&str]) -> RegistriesConf {
    let mut all = RegistriesConf::default();
    for (n, text) in files.iter().enumerate() {
        all.merge(RegistriesConf::from_toml(&format!("{n}.conf"), text).unwrap());
    }
    all
}

/// The endpoints as text: `!` for insecure, `~` for a mirror.
fn endpoints(conf: &RegistriesConf, name: &str) -> Vec<String> {
    conf.endpoints(&name.parse().unwrap())
        .unwrap()
        .into_iter()
        .map(|e| {
            let insecure = if e.insecure { "!" } else { "" };
            let mirror = if e.mirror { "~" } else { "" };
            format!("{mirror}{insecure}{}", e.reference)
        })
        .collect()
}

const HEX: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn without_configuration_a_name_stands_for_itself() {
    assert_eq!(endpoints(&conf(&[]), "r.io/a:1"), ["r.io/a:1"]);
    assert_eq!(endpoints(&conf(&["# nothing"]), "r.io/a:1"), ["r.io/a:1"]);
}

#[test]
fn the_example_of_the_manual() {
    let conf = conf(&[r#"
        unqualified-search-registries = ["example.com"]
        [[registry]]
        prefix = "example.com/foo"
        insecure = false
        blocked = false
        location = "internal-registry-for-example.com/bar"
        [[registry.mirror]]
        location = "example-mirror-0.local/mirror-for-foo"
        [[registry.mirror]]
        location = "example-mirror-1.local/mirrors/foo"
        insecure = true
        [[registry]]
        location = "registry.com"
        [[registry.mirror]]
        location = "mirror.registry.com"
    "#]);
    assert_eq!(
        endpoints(&conf, "example.com/foo/image:latest"),
        [
            "~example-mirror-0.local/mirror-for-foo/image:latest",
            "~!example-mirror-1.local/mirrors/foo/image:latest",
            "internal-registry-for-example.com/bar/image:latest"
        ]
    );
    assert_eq!(
        endpoints(&conf, "registry.com/image:latest"),
        [
            "~mirror.registry.com/image:latest",
            "registry.com/image:latest"
        ]
    );
    assert_eq!(
        endpoints(&conf, "example.com/foobar:1"),
        ["example.com/foobar:1"]
    );
}

#[test]
fn which_prefix_matches() {
    // Each prefix has a location that names it.
    let table = [
        // prefixes, image, index of the one that matches
        (vec!["r.io"], "r.io/a/b:1", Some(0)),
        (vec!["r.io"], "r.io.evil/a:1", None),
        (vec!["r.io"], "sub.r.io/a:1", None),
        // As containers/image does it.
        (vec!["r.io"], "r.io:5000/a:1", Some(0)),
        (vec!["r.io", "r.io:5000"], "r.io:5000/a:1", Some(1)),
        (vec!["r.io:5000"], "r.io/a:1", None),
        (vec!["r.io:5000"], "r.io:50001/a:1", None),
        (vec!["r.io/a"], "r.io/ab:1", None),
        (vec!["r.io/a"], "r.io/a:1", Some(0)),
        (vec!["r.io", "r.io/a", "r.io/a/b"], "r.io/a/b/c:1", Some(2)),
        (vec!["r.io/a/b", "r.io/a", "r.io"], "r.io/a/c:1", Some(1)),
        (vec!["r.io/a", "r.io/a:1"], "r.io/a:1", Some(1)),
        (vec!["r.io/a", "r.io/a:1"], "r.io/a:12", Some(0)),
        (vec!["*.r.io"], "x.r.io/a:1", Some(0)),
        (vec!["*.r.io"], "x.y.r.io/a:1", Some(0)),
        (vec!["*.r.io"], "x.r.io:5000/a:1", Some(0)),
        (vec!["*.r.io"], "r.io/a:1", None),
        (vec!["*.r.io"], "xr.io/a:1", None),
        (vec!["*.r.io"], "evil.com/x.r.io/a:1", None),
        (vec!["*.r.io", "x.r.io"], "x.r.io/a:1", Some(1)),
        (vec!["*.r.io", "*.x.r.io"], "y.x.r.io/a:1", Some(1)),
        (vec!["*.r.io"], "x.r.io.r.io/a:1", Some(0)),
        (vec!["docker.io/library"], "docker.io/debian:13", Some(0)),
        (vec!["docker.io/debian"], "docker.io/debian:13", None),
        (vec!["[::1]:5000"], "[::1]:5000/a:1", Some(0)),
    ];
    for (prefixes, image, expected) in table {
        let text: String = prefixes
            .iter()
            .enumerate()
            .map(|(n, p)| format!("[[registry]]\nprefix = \"{p}\"\nlocation = \"m{n}.io/x:9\"\n"))
            .collect();
        let conf = conf(&[&text]);
        let found = conf.entry_for(&image.parse().unwrap());
        assert_eq!(
            found.map(|e| e.prefix.as_str()),
            expected.map(|n: usize| prefixes[n]),
            "{prefixes:?} {image}"
        );
    }
}

#[test]
fn a_digest_is_matched_and_never_lost() {
    let by = |location: &str| {
        conf(&[&format!(
            "[[registry]]\nprefix = \"r.io/a@sha256:{HEX}\"\nlocation = \"{location}\""
        )])
    };
    let pinned = format!("@sha256:{HEX}");
    for image in [format!("r.io/a{pinned}"), format!("r.io/a:1{pinned}")] {
        let at = &endpoints(&by("m.io/b"), &image)[0];
        assert!(at.starts_with("m.io/b") && at.ends_with(&pinned), "{at}");
        // Another tag does not take the digest away.
        let at = &endpoints(&by("m.io/b:2"), &image)[0];
        assert_eq!(*at, format!("m.io/b:2{pinned}"));
        let other = by(&format!("m.io/b@sha256:{}", "b".repeat(64)));
        let error = other.endpoints(&image.parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("0.conf"), "{error}");
    }
    assert_eq!(endpoints(&by("m.io/b"), "r.io/a:1"), ["r.io/a:1"]);
}

#[test]
fn locations() {
    let table = [
        ("r.io", "m.io/deep/er", "r.io/a:1", "m.io/deep/er/a:1"),
        ("r.io/", "m.io/", "r.io/a:1", "m.io/a:1"),
        ("r.io/a", "m.io:5000/b", "r.io/a:1", "m.io:5000/b:1"),
        ("r.io/a:1", "m.io/b", "r.io/a:1", "m.io/b:1"),
        ("r.io/a:1", "m.io/b:2", "r.io/a:1", "m.io/b:2"),
        ("r.io/a:1", "m.io:5000/b", "r.io/a:1", "m.io:5000/b:1"),
        ("*.r.io", "m.io/x", "y.r.io/a:1", "m.io/x/a:1"),
        (
            "docker.io",
            "m.io/hub",
            "docker.io/debian:13",
            "m.io/hub/library/debian:13",
        ),
        (
            "r.io",
            "docker.io",
            "r.io/debian:1",
            "docker.io/library/debian:1",
        ),
    ];
    for (prefix, location, image, expected) in table {
        let conf = conf(&[&format!(
            "[[registry]]\nprefix = \"{prefix}\"\nlocation = \"{location}\""
        )]);
        assert_eq!(endpoints(&conf, image), [expected], "{prefix} {location}");
    }
    let bad = conf(&["[[registry]]\nprefix = \"r.io/a\"\nlocation = \"m.io\""]);
    let error = bad.endpoints(&"r.io/a:1".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Config);
    assert!(error.to_string().contains("`m.io`"), "{error}");
}

#[test]
fn a_wildcard_without_location_leaves_the_name() {
    let conf = conf(&[
        "[[registry]]\nprefix = \"*.r.io\"\ninsecure = true\n[[registry.mirror]]\nlocation = \"m.io\"",
    ]);
    assert_eq!(endpoints(&conf, "x.r.io/a:1"), ["~m.io/a:1", "!x.r.io/a:1"]);
}

#[test]
fn mirrors_by_tag_and_by_digest() {
    let pinned = format!("r.io/a@sha256:{HEX}");
    let mirrors = conf(&[r#"
        [[registry]]
        location = "r.io"
        [[registry.mirror]]
        location = "all.io"
        pull-from-mirror = "all"
        [[registry.mirror]]
        location = "digest.io"
        pull-from-mirror = "digest-only"
        [[registry.mirror]]
        location = "tag.io"
        pull-from-mirror = "tag-only"
        [[registry.mirror]]
        location = "empty.io"
        pull-from-mirror = ""
    "#]);
    let hosts = |conf: &RegistriesConf, image: &str| -> Vec<String> {
        endpoints(conf, image)
            .iter()
            .map(|e| e.split('/').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        hosts(&mirrors, "r.io/a:1"),
        ["~all.io", "~tag.io", "~empty.io", "r.io"]
    );
    assert_eq!(
        hosts(&mirrors, &pinned),
        ["~all.io", "~digest.io", "~empty.io", "r.io"]
    );
    let only = conf(&[
        "[[registry]]\nlocation = \"r.io\"\nmirror-by-digest-only = true\n\
         [[registry.mirror]]\nlocation = \"m.io\"",
    ]);
    assert_eq!(hosts(&only, "r.io/a:1"), ["r.io"]);
    assert_eq!(hosts(&only, &pinned), ["~m.io", "r.io"]);
}

/// As containers/image has it, and air-gapped clusters use it.
#[test]
fn a_place_is_blocked_by_its_own_entry() {
    let entry = |location: &str, blocked: bool, mirrors: &[&str]| {
        let mirror = |m: &&str| format!("[[registry.mirror]]\nlocation = \"{m}\"\n");
        let mirrors: String = mirrors.iter().map(mirror).collect();
        format!("[[registry]]\nlocation = \"{location}\"\nblocked = {blocked}\n{mirrors}")
    };
    let table = [
        (
            vec![entry("r.io", true, &["m.io"])],
            Some(vec!["~m.io/a:1"]),
        ),
        (
            vec![
                entry("r.io", false, &["m.io", "n.io"]),
                entry("m.io", true, &[]),
            ],
            Some(vec!["~n.io/a:1", "r.io/a:1"]),
        ),
        (
            vec![entry("r.io", true, &["m.io"]), entry("m.io", true, &[])],
            None,
        ),
        (
            vec![
                "[[registry]]\nprefix = \"r.io\"\nlocation = \"up.io/x\"\n".to_owned(),
                entry("up.io", true, &[]),
            ],
            None,
        ),
    ];
    for (entries, expected) in table {
        let conf = conf(&[&entries.concat()]);
        match (conf.endpoints(&"r.io/a:1".parse().unwrap()), expected) {
            (Ok(_), Some(expected)) => assert_eq!(endpoints(&conf, "r.io/a:1"), expected),
            (Err(error), None) => assert_eq!(error.kind(), crate::ErrorKind::Blocked),
            (found, expected) => panic!("{found:?} {expected:?}"),
        }
    }
}

#[test]
fn blocked() {
    let conf = conf(&["[[registry]]\nlocation = \"r.io\"\nblocked = true\n\
         [[registry]]\nlocation = \"r.io/good\"\n\
         [[registry]]\nlocation = \"r.io/good/one:2\"\nblocked = true\n"]);
    let kind = |image: &str| {
        conf.endpoints(&image.parse().unwrap())
            .map_err(|e| e.kind())
    };
    assert_eq!(kind("r.io/a:1"), Err(crate::ErrorKind::Blocked));
    assert!(kind("r.io/good/one:1").is_ok());
    assert_eq!(kind("r.io/good/one:2"), Err(crate::ErrorKind::Blocked));
    // The tag that stands beside the digest is no way around it.
    let pinned = format!("r.io/good/one:2@sha256:{HEX}");
    assert_eq!(kind(&pinned), Err(crate::ErrorKind::Blocked));
    let text = conf.endpoints(&"r.io/a:1".parse().unwrap()).unwrap_err();
    let text = text.to_string();
    assert!(text.contains("r.io/a") && text.contains("0.conf"), "{text}");
}

#[test]
fn a_later_file_replaces_a_registry_as_a_whole() {
    let all = conf(&[
        "credential-helpers = [\"a\"]\n[[registry]]\nlocation = \"r.io\"\ninsecure = true\n\
         [[registry.mirror]]\nlocation = \"m.io\"\n[[registry]]\nlocation = \"s.io\"\ninsecure = true",
        "[[registry]]\nlocation = \"r.io\"\n",
        "credential-helpers = [\"b\", \"containers-auth.json\"]",
        "# nothing",
    ]);
    assert_eq!(endpoints(&all, "r.io/a:1"), ["r.io/a:1"]);
    assert_eq!(endpoints(&all, "s.io/a:1"), ["!s.io/a:1"]);
    assert_eq!(all.credential_helpers(), ["b", "containers-auth.json"]);
}

#[test]
fn what_is_refused() {
    let table = [
        // text, line, what the problem says
        ("[[registry]\n", 1, "TOML"),
        ("\nx = 1\nx = 2\n", 3, "TOML"),
        ("[registries.search]\nregistries = ['r.io']", 2, "version 1"),
        (
            "\n[registries.insecure]\n\nregistries = ['r.io']",
            4,
            "registries.insecure",
        ),
        (
            "[registries.block]\nregistries = ['r.io']",
            2,
            "[[registry]]",
        ),
        ("registry = 1", 1, "`registry` must be an array"),
        ("registry = [1]", 1, "`registry` must be a table"),
        (
            "[[registry]]\ninsecure = true",
            1,
            "neither `prefix` nor `location`",
        ),
        (
            "[[registry]]\nprefix = \"r.io\"",
            1,
            "`registry.location` of `r.io` is missing",
        ),
        ("[[registry]]\nlocation = \"\"", 1, "neither"),
        (
            "[[registry]]\nlocation = 5",
            2,
            "`registry.location` must be a string",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\ninsecure = \"yes\"",
            3,
            "`registry.insecure`",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\nblocked = 1",
            3,
            "`registry.blocked`",
        ),
        (
            "[[registry]]\nlocation = \"https://r.io\"",
            2,
            "web address",
        ),
        (
            "[[registry]]\nprefix = \"r.*.io\"\nlocation=\"m.io\"",
            2,
            "wildcard",
        ),
        ("[[registry]]\nprefix = \"*.r.io/a\"", 2, "wildcard"),
        ("[[registry]]\nprefix = \"*.r.io:5000\"", 2, "wildcard"),
        ("[[registry]]\nlocation = \"*.r.io\"", 2, "wildcard"),
        ("[[registry]]\nlocation = \"/r.io\"", 2, "host[:port]"),
        ("[[registry]]\nlocation = \"r io\"", 2, "host[:port]"),
        (
            "[[registry]]\nlocation = \"r.io\"\npull-from-mirror = \"all\"",
            3,
            "[[registry.mirror]]",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\nmirror = \"m.io\"",
            3,
            "`registry.mirror`",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\n[[registry.mirror]]\ninsecure = true",
            3,
            "no `location`",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\n[[registry.mirror]]\nlocation = \"m.io\"\npull-from-mirror = \"never\"",
            5,
            "all, digest-only, tag-only",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\nmirror-by-digest-only = true\n\
             [[registry.mirror]]\nlocation = \"m.io\"\npull-from-mirror = \"tag-only\"",
            1,
            "exclude each other",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\n[[registry]]\nlocation = \"r.io\"",
            3,
            "twice",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\n[[registry]]\nprefix = \"x.io\"\nlocation = \"r.io\"\ninsecure = true",
            3,
            "`registry.insecure` of `x.io` contradicts that of `r.io`",
        ),
        (
            "[[registry]]\nlocation = \"r.io\"\nblocked = true\n[[registry]]\nprefix = \"x.io\"\nlocation = \"r.io\"",
            4,
            "registry.blocked",
        ),
        (
            "short-name-mode = \"maybe\"",
            1,
            "enforcing, permissive, disabled",
        ),
        (
            "unqualified-search-registries = \"r.io\"",
            1,
            "must be an array",
        ),
        ("credential-helpers = [\"../x\"]", 1, "`../x`"),
        ("[aliases]\na = 1", 2, "`aliases.a` must be a string"),
    ];
    for (text, line, problem) in table {
        let error = RegistriesConf::from_toml("/e/r.conf", text).unwrap_err();
        assert_eq!(error.file, "/e/r.conf");
        assert_eq!(error.line, line, "{text:?}: {error}");
        assert!(error.problem.contains(problem), "{text:?}: {error}");
    }
}

#[test]
fn what_has_no_effect_is_said() {
    let conf = conf(&[
        "short-name-mode = \"enforcing\"\nnew-key = 1\n[registries.search]\nregistries = []\n\
         [aliases]\ndebian = \"docker.io/library/debian\"\n\
         [[registry]]\nlocation = \"r.io\"\nunkown = true\n[[registry.mirror]]\nlocation = \"m.io\"\nx = 1",
    ]);
    let keys: Vec<&str> = conf
        .warnings()
        .iter()
        .map(|w| w.split('`').nth(1).unwrap())
        .collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in ["new-key", "registry.unkown", "registry.mirror.x"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    assert!(conf.warnings()[0].starts_with("0.conf, line "));
}
