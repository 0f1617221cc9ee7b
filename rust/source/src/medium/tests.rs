// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

#[test]
fn ages() {
    // 2026-03-01, a while after midnight.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(20_513 * DAY + 5000);
    for (created, text) in [
        ("2026-03-01T00:00:00Z", "built on 2026-03-01, today"),
        ("2026-02-28T23:59:59.9Z", "built on 2026-02-28, yesterday"),
        (
            "2026-02-27T00:00:00+02:00",
            "built on 2026-02-27, 2 days ago",
        ),
        ("2024-02-29T12:00:00Z", "built on 2024-02-29, 731 days ago"),
        ("2000-03-01T00:00:00Z", "built on 2000-03-01, 9496 days ago"),
        // The clock of this machine is wrong.
        ("2026-03-02T00:00:00Z", "built on 2026-03-02"),
        ("1970-01-01T00:00:00Z", "it does not tell when it was built"),
        ("0001-01-01T00:00:00Z", "it does not tell when it was built"),
        ("2026-02-29T00:00:00Z", "it does not tell when it was built"),
        ("2026-13-01T00:00:00Z", "it does not tell when it was built"),
        (
            "yesterday, about noon",
            "it does not tell when it was built",
        ),
        ("2026-1-1", "it does not tell when it was built"),
        ("äöüäöüäöü", "it does not tell when it was built"),
        ("", "it does not tell when it was built"),
    ] {
        assert_eq!(age(Some(created), now), text, "{created}");
    }
    assert_eq!(age(None, now), "it does not tell when it was built");
    let first = SystemTime::UNIX_EPOCH;
    assert_eq!(age(Some("2026-03-02"), first), "built on 2026-03-02");
}

#[test]
fn only_silence_is_out_of_reach() {
    let host = || "r.example".to_owned();
    let cause = || -> Box<dyn std::error::Error + Send + Sync> { "cause".into() };
    let what = || "it".to_owned();
    for (error, expected) in [
        (
            RegistryError::HostUnknown {
                host: host(),
                source: cause(),
            },
            true,
        ),
        (
            RegistryError::ConnectionRefused {
                host: host(),
                source: cause(),
            },
            true,
        ),
        (
            RegistryError::Unreachable {
                host: host(),
                source: cause(),
            },
            true,
        ),
        (
            RegistryError::ConnectTimeout {
                host: host(),
                seconds: 1.0,
            },
            true,
        ),
        (
            RegistryError::Stalled {
                host: host(),
                what: what(),
                seconds: 1.0,
            },
            true,
        ),
        (
            RegistryError::Interrupted {
                host: host(),
                what: what(),
                source: cause(),
            },
            false,
        ),
        (
            RegistryError::Tls {
                host: host(),
                problem: registry::TlsProblem::NotTrusted,
                source: cause(),
                skipped: vec![],
            },
            false,
        ),
        (
            RegistryError::AuthRequired {
                host: host(),
                repository: what(),
            },
            false,
        ),
        (
            RegistryError::Server {
                host: host(),
                status: 503,
                retry_after: None,
                detail: String::new(),
            },
            false,
        ),
        (
            RegistryError::NotFound {
                missing: registry::Missing::Manifest,
                name: what(),
            },
            false,
        ),
        (
            RegistryError::Malformed {
                what: what(),
                problem: what(),
            },
            false,
        ),
    ] {
        assert_eq!(is_out_of_reach(&error), expected, "{error}");
    }
}

#[test]
fn copies_are_looked_for_by_their_whole_names() {
    let hex = "a".repeat(64);
    let digest: Digest = format!("sha256:{hex}").parse().unwrap();
    let name = |text: &str| Selector::Name(text.to_owned());
    let tagged = "r.example/os:1".parse().unwrap();
    assert_eq!(selectors(&tagged, &[]), [name("r.example/os:1")]);
    assert_eq!(
        selectors(&tagged, &[&digest]),
        [name("r.example/os:1"), Selector::Digest(digest.clone())]
    );
    let both: Reference = tagged.with_digest(digest.clone());
    assert_eq!(
        selectors(&both, &[&digest]),
        [
            name(&format!("r.example/os:1@sha256:{hex}")),
            name("r.example/os:1"),
            Selector::Digest(digest)
        ]
    );
}

fn plan(image: &str) -> Plan {
    let text = r#"{"version":1,"image":{"imgref":"IMAGE"},
        "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
        "target":{"root":"/target"},"bootc":{"stateroot":"default"}}"#;
    Plan::from_json(&text.replace("IMAGE", image)).unwrap()
}

#[test]
fn what_is_not_there_is_passed_over_and_what_is_no_layout_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let [absent, empty, broken, good] =
        ["absent", "empty", "broken", "good"].map(|name| dir.path().join(name));
    for dir in [&empty, &broken] {
        std::fs::create_dir(dir).unwrap();
    }
    std::fs::write(broken.join("oci-layout"), "{}").unwrap();
    OciLayout::create(&good).unwrap();
    let mut plan = plan("r.example/os:1");
    plan.layouts = [absent, empty, broken.clone(), good.clone()]
        .map(LayoutPlace::from)
        .into();
    let medium = Medium::of(&plan);
    let roots: Vec<_> = medium.layouts.iter().map(OciLayout::root).collect();
    assert_eq!(roots, [&good]);
    let [warning] = medium.warnings.as_slice() else {
        panic!("{:?}", medium.warnings);
    };
    assert!(warning.contains(broken.to_str().unwrap()), "{warning}");

    let problems = medium
        .stand_in(&plan.image.imgref, None, &Platform::host())
        .unwrap_err();
    let problem = format!("no copy of r.example/os:1 in {}", good.display());
    assert_eq!(problems, [problem]);
}

#[test]
fn an_image_goes_by_its_name_in_the_layouts_that_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("images/here");
    std::fs::create_dir(dir.path().join("images")).unwrap();
    OciLayout::create(&layout).unwrap();
    let index = r#"{"schemaVersion":2,"manifests":[{
        "mediaType":"application/vnd.oci.image.manifest.v1+json",
        "digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "size":1,
        "annotations":{"org.opencontainers.image.ref.name":"r.example/os/a:1"}}]}"#;
    std::fs::write(layout.join("index.json"), index).unwrap();
    for (image, at, named) in [
        ("r.example/os/a:1", "images/here", true),
        ("r.example/os/a:1", "images", true),
        ("r.example/os/b:1", "images", false),
        ("r.example/os/a:1", "elsewhere", false),
    ] {
        let mut plan = plan(image);
        plan.layouts = vec![LayoutPlace::Auto, dir.path().join(at).into()];
        assert_eq!(is_named(&plan), named, "{image} {at}");
    }
    assert!(!is_named(&plan("r.example/os/a:1")));
}

/// An archive of an empty layout.
fn archive(path: &Path) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).unwrap());
    let mut header = tar::Header::new_ustar();
    header.set_path("oci-layout").unwrap();
    header.set_size(2);
    header.set_cksum();
    tar.append(&header, &b"{}"[..]).unwrap();
    tar.finish().unwrap();
}

/// A directory with two layouts, two archives, and what only looks like them.
fn collection() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b", "a", "images/c"] {
        OciLayout::create(&dir.path().join(name)).unwrap();
    }
    for name in ["2.oci.tar", "1.tar", "images/3.oci.tar"] {
        archive(&dir.path().join(name));
    }
    std::fs::write(dir.path().join("broken.oci.tar"), "no tar").unwrap();
    dir
}

/// Names of what was opened, relative to `dir`: named layouts, found ones,
/// archives.
fn names(dir: &Path, medium: &Medium) -> [Vec<String>; 3] {
    let name = |path: &Path| path.strip_prefix(dir).unwrap().display().to_string();
    [
        medium.layouts.iter().map(|l| name(l.root())).collect(),
        medium.found.iter().map(|l| name(l.root())).collect(),
        medium.archives.iter().map(|a| name(a.path())).collect(),
    ]
}

#[test]
fn a_path_can_be_a_layout_an_archive_or_a_directory_of_them() {
    let dir = collection();
    let path = |name: &str| dir.path().join(name);
    let open = |names: &[&str]| {
        let places: Vec<_> = names.iter().map(|name| path(name).into()).collect();
        Medium::open(&places, &[])
    };
    let medium = open(&["b", "images/3.oci.tar", "nothing", "nothing.tar"]);
    assert_eq!(
        names(dir.path(), &medium),
        [vec!["b"], vec![], vec!["images/3.oci.tar"]]
    );
    assert!(medium.warnings.is_empty(), "{:?}", medium.warnings);

    let medium = open(&["."]);
    let expected = [vec!["a", "b"], vec![], vec!["1.tar", "2.oci.tar"]];
    assert_eq!(names(dir.path(), &medium), expected);
    let [warning] = medium.warnings.as_slice() else {
        panic!("{:?}", medium.warnings);
    };
    assert!(warning.contains("broken.oci.tar"), "{warning}");
}

#[test]
fn what_is_plugged_in_has_layers_and_no_images() {
    let dir = collection();
    let mut medium = Medium::open(&[dir.path().join("b").into()], &[]);
    medium.plugged_in(dir.path());
    let expected = [
        vec!["b"],
        // The one that was named is not there twice.
        vec!["a", "images/c"],
        vec!["2.oci.tar", "images/3.oci.tar"],
    ];
    assert_eq!(names(dir.path(), &medium), expected);
    assert!(medium.warnings.is_empty(), "{:?}", medium.warnings);
    assert_eq!(medium.layer_layouts().count(), 3);
    // No image is taken from it by its name.
    let reference = "r.example/os:1".parse().unwrap();
    let problems = medium
        .stand_in(&reference, None, &Platform::host())
        .unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");

    // The medium itself can be a layout.
    let mut medium = Medium::default();
    medium.plugged_in(&dir.path().join("a"));
    assert_eq!(names(dir.path(), &medium), [vec![], vec!["a"], vec![]]);
}
