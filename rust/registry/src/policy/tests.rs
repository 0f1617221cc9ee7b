// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

const KEY: &str = r#"{"type":"sigstoreSigned","keyPath":"/k.pub"}"#;

fn with(requirement: &str) -> String {
    format!(r#"{{"default":[{requirement}]}}"#)
}

fn docker(policy: &Policy, reference: &str) -> Requirement {
    let reference = reference.parse().unwrap();
    policy.requirements(&Subject::Docker(&reference))[0].clone()
}

/// A requirement that can be told from others.
fn named(name: &str) -> Requirement {
    Requirement::SigstoreSigned(SigstoreSigned {
        keys: vec![KeySource::Path(name.into())],
        logs: Vec::new(),
        identity: SignedIdentity::MatchRepoDigestOrExact,
    })
}

#[test]
fn the_most_specific_scope_counts() {
    let scope =
        |name: &str| format!(r#""{name}":[{{"type":"sigstoreSigned","keyPath":"{name}"}}]"#);
    let scopes: Vec<String> = [
        "r.io/a/os:1",
        "r.io/a/os",
        "r.io/a",
        "r.io",
        "h.io:5000",
        "*.example.com",
        "*.com",
        "",
    ]
    .map(scope)
    .into();
    let text = format!(
        r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{{}}},
            "oci":{{"/srv":[{KEY}],"/srv/x:a":[{{"type":"insecureAcceptAnything"}}]}}}}}}"#,
        scopes.join(",")
    );
    let policy = Policy::parse(&text).unwrap();
    for (reference, scope) in [
        ("r.io/a/os:1", "r.io/a/os:1"),
        ("r.io/a/os:2", "r.io/a/os"),
        ("r.io/a/os2:1", "r.io/a"),
        ("r.io/ab/os:1", "r.io"),
        ("r.io:5000/a/os:1", ""),
        ("h.io:5000/a/os:1", "h.io:5000"),
        ("x.example.com/os:1", "*.example.com"),
        ("y.x.example.com:99/os:1", "*.example.com"),
        ("example.com/os:1", "*.com"),
        ("localhost:5000/os:1", ""),
    ] {
        assert_eq!(docker(&policy, reference), named(scope), "{reference}");
    }
    let oci = |path: &str, name| {
        let path = Path::new(path);
        policy.requirements(&Subject::Oci { path, name })[0].clone()
    };
    assert_eq!(
        oci("/srv/x", Some("a")),
        Requirement::InsecureAcceptAnything
    );
    assert_eq!(oci("/srv/x", Some("b")), named("/k.pub"));
    assert_eq!(oci("/srv2/x", None), Requirement::Reject);
}

#[test]
fn kinds_of_requirements() {
    let unsupported = |what, why| Requirement::Unsupported { what, why };
    let signed = |identity| {
        Requirement::SigstoreSigned(SigstoreSigned {
            keys: vec![KeySource::Path("/k.pub".into())],
            logs: Vec::new(),
            identity,
        })
    };
    let identity = |text: &str| {
        format!(r#"{{"type":"sigstoreSigned","keyPath":"/k.pub","signedIdentity":{text}}}"#)
    };
    for (text, expected) in [
        (
            r#"{"type":"insecureAcceptAnything"}"#.to_owned(),
            Requirement::InsecureAcceptAnything,
        ),
        (r#"{"type":"reject"}"#.into(), Requirement::Reject),
        (KEY.into(), named("/k.pub")),
        (
            identity(r#"{"type":"matchExact"}"#),
            signed(SignedIdentity::MatchExact),
        ),
        (
            identity(r#"{"type":"matchRepository"}"#),
            signed(SignedIdentity::MatchRepository),
        ),
        (
            identity(r#"{"type":"exactRepository","dockerRepository":"os"}"#),
            signed(SignedIdentity::ExactRepository(
                "docker.io/library/os".into(),
            )),
        ),
        (
            identity(r#"{"type":"remapIdentity","prefix":"m.io/v","signedPrefix":"v.io"}"#),
            signed(SignedIdentity::RemapIdentity {
                prefix: "m.io/v".into(),
                signed_prefix: "v.io".into(),
            }),
        ),
        (
            r#"{"type":"sigstoreSigned","keyDatas":["YQ==","Yg=="]}"#.into(),
            Requirement::SigstoreSigned(SigstoreSigned {
                keys: vec![KeySource::Data(b"a".into()), KeySource::Data(b"b".into())],
                logs: Vec::new(),
                identity: SignedIdentity::MatchRepoDigestOrExact,
            }),
        ),
        (
            r#"{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}"#.into(),
            unsupported("signedBy", "GPG signatures are not verified here."),
        ),
        (
            r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/c"},"rekorPublicKeyPath":"/r"}"#
                .into(),
            unsupported(
                "sigstoreSigned with certificates",
                "Signatures by certificates (keyless, Fulcio, PKI) are not verified here, only those by keys.",
            ),
        ),
        (
            r#"{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPaths":["/r","/s"]}"#.into(),
            Requirement::SigstoreSigned(SigstoreSigned {
                keys: vec![KeySource::Path("/k".into())],
                logs: vec![KeySource::Path("/r".into()), KeySource::Path("/s".into())],
                identity: SignedIdentity::MatchRepoDigestOrExact,
            }),
        ),
    ] {
        let policy = Policy::parse(&with(&text)).unwrap();
        assert_eq!(docker(&policy, "r.io/os:1"), expected, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    let identity = |text: &str| {
        with(&format!(
            r#"{{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{text}}}"#
        ))
    };
    let accept = r#"{"type":"insecureAcceptAnything"}"#;
    for (text, reason) in [
        (String::new(), "EOF"),
        ("{}".into(), "default"),
        (r#"{"default":[]}"#.into(), "empty"),
        (
            format!(r#"{{"default":[{accept}],"default":[{accept}]}}"#),
            "duplicate",
        ),
        (
            format!(r#"{{"default":[{accept}],"transport":{{}}}}"#),
            "transport",
        ),
        (
            format!(
                r#"{{"default":[{accept}],"transports":{{"docker":{{"a":[{accept}],"a":[{accept}]}}}}}}"#
            ),
            "twice",
        ),
        (
            format!(r#"{{"default":[{accept}],"transports":{{"docker":{{"a":[]}}}}}}"#),
            "scope `a`",
        ),
        (with(r#"{"type":"acceptSome"}"#), "acceptSome"),
        (with(r#"{"type":"reject","type":"reject"}"#), "duplicate"),
        (with(r#"{"type":"reject","why":1}"#), "why"),
        (with(r#"{"keyPath":"/k"}"#), "type"),
        (with(r#"{"type":"sigstoreSigned"}"#), "exactly one"),
        (
            with(r#"{"type":"sigstoreSigned","keyPath":"/a","keyData":"YQ=="}"#),
            "exactly one",
        ),
        (
            with(r#"{"type":"sigstoreSigned","keyPath":"/a","keypath":"/b"}"#),
            "keypath",
        ),
        (
            with(r#"{"type":"sigstoreSigned","keyPaths":[]}"#),
            "empty list",
        ),
        (with(r#"{"type":"sigstoreSigned","keyData":"%"}"#), "base64"),
        (
            with(
                r#"{"type":"sigstoreSigned","keyPath":"/a","rekorPublicKeyPath":"","rekorPublicKeyData":""}"#,
            ),
            "more than one",
        ),
        (identity(r#"{"type":"matchAll"}"#), "matchAll"),
        (identity(r#"{"type":"matchExact","x":1}"#), "`x`"),
        (
            identity(r#"{"type":"exactReference","dockerReference":"r.io/os"}"#),
            "neither",
        ),
        (
            identity(r#"{"type":"exactRepository","dockerRepository":"r.io/os:1"}"#),
            "more than",
        ),
        (
            identity(r#"{"type":"remapIdentity","prefix":"","signedPrefix":"v.io"}"#),
            "prefix",
        ),
    ] {
        let error = Policy::parse(&text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn distributions_ship_a_policy_that_asks_for_nothing() {
    let debian = r#"{"default":[{"type":"insecureAcceptAnything"}],
        "transports":{"docker-daemon":{"":[{"type":"insecureAcceptAnything"}]}}}"#;
    assert!(Policy::parse(debian).unwrap().accepts_everything());
    let strict = r#"{"default":[{"type":"insecureAcceptAnything"}],
        "transports":{"docker":{"r.io":[{"type":"reject"}]}}}"#;
    assert!(!Policy::parse(strict).unwrap().accepts_everything());
}

#[test]
fn keys_are_read_when_they_are_needed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("k.pub");
    let source = KeySource::Path(path.clone());
    let error = source.read().unwrap_err().to_string();
    assert!(error.contains("k.pub: it cannot be read"), "{error}");
    std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\n").unwrap();
    let error = source.read().unwrap_err().to_string();
    assert!(error.contains("private"), "{error}");
}

#[test]
fn a_persons_own_policy_comes_first() {
    let home = tempfile::tempdir().unwrap();
    let at = |home: Option<&Path>| policy_path(|_| home.map(|h| h.as_os_str().to_owned()));
    assert_eq!(at(None), Path::new(POLICY_PATH));
    assert_eq!(at(Some(Path::new(""))), Path::new(POLICY_PATH));
    assert_eq!(at(Some(home.path())), Path::new(POLICY_PATH));
    let own = home.path().join(OWN_POLICY);
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "{}").unwrap();
    assert_eq!(at(Some(home.path())), own);
}
