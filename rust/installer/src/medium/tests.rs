// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

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
    let mut plan = Plan::from_json(
        r#"{"version":1,"image":{"imgref":"r.example/os:1"},
        "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
        "target":{"root":"/target"},"bootc":{"stateroot":"default"}}"#,
    )
    .unwrap();
    plan.layouts = vec![absent, empty, broken.clone(), good.clone()];
    let medium = Medium::of(&plan);
    let roots: Vec<_> = medium.layouts.iter().map(OciLayout::root).collect();
    assert_eq!(roots, [&good]);
    let [warning] = medium.warnings.as_slice() else {
        panic!("{:?}", medium.warnings);
    };
    assert!(warning.contains(broken.to_str().unwrap()), "{warning}");

    let reference = plan.reference().unwrap();
    let problems = medium
        .stand_in(&reference, None, &Platform::host())
        .unwrap_err();
    let problem = format!("no copy of r.example/os:1 in {}", good.display());
    assert_eq!(problems, [problem]);
}
