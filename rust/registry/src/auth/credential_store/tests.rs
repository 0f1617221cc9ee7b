// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]

use super::*;
use secrecy::ExposeSecret as _;
use std::time::Duration;

/// The credentials as text.
fn found(store: &CredentialStore, image: &str) -> String {
    match store.lookup(&image.parse().unwrap()) {
        Ok(Credentials::Anonymous) => "-".to_owned(),
        Ok(Credentials::Basic { username, password }) => {
            format!("{username}:{}", password.expose_secret())
        }
        Ok(Credentials::Bearer { token }) => format!("bearer {}", token.expose_secret()),
        Ok(Credentials::IdentityToken { token }) => format!("token {}", token.expose_secret()),
        Err(e) => format!("error: {e}"),
    }
}

/// `{"auth":...}` of a user and password.
fn auth(pair: &str) -> String {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(pair);
    format!(r#"{{"auth":"{coded}"}}"#)
}

fn auths(entries: &[(&str, &str)]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|(scope, pair)| format!(r#""{scope}":{}"#, auth(pair)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

#[test]
fn the_most_specific_entry_wins() {
    let text = auths(&[
        ("r.io", "host:1"),
        ("r.io/a", "ns:1"),
        ("r.io/a/b", "repo:1"),
        ("s.io/a", "other:1"),
        ("https://t.io/v1/", "old:1"),
        ("https://index.docker.io/v1/", "hub:1"),
        ("u.io", "name:1"),
        ("http://u.io", "address:1"),
        ("[::1]:5000", "six:1"),
    ]);
    let store = CredentialStore::from_auth_json(&format!(r#"{{"auths":{text}}}"#)).unwrap();
    for (image, expected) in [
        ("r.io/x:1", "host:1"),
        ("r.io/ab:1", "host:1"),
        ("r.io/a/c:1", "ns:1"),
        ("r.io/a/b:1", "repo:1"),
        ("r.io/a/b/c:1", "repo:1"),
        ("r.io:5000/a/b:1", "-"),
        ("s.io/b:1", "-"),
        ("t.io/x:1", "old:1"),
        ("docker.io/debian:13", "hub:1"),
        ("u.io/x:1", "name:1"),
        ("[::1]:5000/x:1", "six:1"),
    ] {
        assert_eq!(found(&store, image), expected, "{image}");
    }
    let old = CredentialStore::from_dockercfg(&text).unwrap();
    assert_eq!(found(&old, "docker.io/debian:13"), "hub:1");
    assert!(old.holds_secrets());
}

#[test]
fn the_first_file_with_an_answer_wins() {
    let read = |text: &str| CredentialStore::from_auth_json(text).unwrap();
    let mut store = read(&format!(r#"{{"auths":{}}}"#, auths(&[("r.io", "first:1")])));
    let second = auths(&[("r.io/a", "second:1"), ("s.io", "second:1")]);
    store.append(read(&format!(r#"{{"auths":{second}}}"#)));
    assert_eq!(found(&store, "r.io/a:1"), "first:1");
    assert_eq!(found(&store, "s.io/a:1"), "second:1");
    store.insert("s.io/a", Credentials::Anonymous);
    assert_eq!(found(&store, "s.io/a:1"), "-");
    assert_eq!(found(&store, "s.io/b:1"), "second:1");
}

#[test]
fn tokens() {
    // user:
    let text = r#"{"auths":{
        "a.io":{"auth":"dXNlcjo=","identitytoken":"idt"},
        "b.io":{"identitytoken":"idt"},
        "c.io":{"registrytoken":"reg"},
        "d.io":{"auth":"","identitytoken":""},
        "e.io":{}}}"#;
    let store = CredentialStore::from_auth_json(text).unwrap();
    for (image, expected) in [
        ("a.io/x:1", "token idt"),
        ("b.io/x:1", "token idt"),
        ("c.io/x:1", "bearer reg"),
        ("d.io/x:1", "-"),
        ("e.io/x:1", "-"),
    ] {
        assert_eq!(found(&store, image), expected, "{image}");
    }
    let debug = format!("{store:?}");
    assert!(!debug.contains("idt"), "{debug}");
}

#[test]
fn what_cannot_be_understood_is_not_repeated() {
    for (text, problem) in [
        ("{\n \"auths\": hunter2", "line 2"),
        (r#"{"auths":{"r.io":{"auth":"hunter2!"}}}"#, "r.io"),
        // Base64 without a colon in it.
        (r#"{"auths":{"r.io":{"auth":"aHVudGVyMg=="}}}"#, "r.io"),
    ] {
        let image = "r.io/x:1".parse().unwrap();
        let text = match CredentialStore::from_auth_json(text) {
            Err(error) => format!("{error} {error:?}"),
            Ok(store) => format!("{0} {0:?} {store:?}", store.lookup(&image).unwrap_err()),
        };
        assert!(text.contains(problem), "{text}");
        assert!(
            !text.contains("hunter2") && !text.contains("aHVud"),
            "{text}"
        );
    }
}

/// Helpers that know `known.io` and docker's hub by docker's name, and one
/// that is broken.
fn with_helpers(text: &str) -> (tempfile::TempDir, CredentialStore) {
    let dir = tempfile::tempdir().unwrap();
    for (name, script) in [
        (
            "good",
            r#"read -r s || true; case "$s" in
               known.io|https://index.docker.io/v1/|https://known2.io)
                 echo "{\"Username\":\"helper\",\"Secret\":\"$s\"}";;
               *) echo credentials not found in native keychain; exit 1;; esac"#,
        ),
        ("bad", "exit 1"),
    ] {
        let path = dir.path().join(format!("docker-credential-{name}"));
        testkit::program::write(&path, &format!("#!/bin/sh\n{script}\n")).unwrap();
    }
    let mut store = CredentialStore::from_auth_json(text).unwrap();
    let helpers = CredentialHelpers::within(dir.path().to_owned(), Duration::from_secs(60));
    store.use_helpers(helpers);
    (dir, store)
}

#[test]
fn helpers() {
    let own = auths(&[("known.io/own", "file:1"), ("else.io", "file:1")]);
    let for_hosts = format!(
        r#"{{"auths":{own},"credHelpers":{{"known.io":"good","https://known2.io":"good",
            "else.io":"good","broken.io":"bad","gone.io":"not-there"}}}}"#
    );
    let for_all = format!(r#"{{"auths":{own},"credsStore":"good"}}"#);
    let table = [
        (&for_hosts, "known.io/x:1", "helper:known.io"),
        // The helper of a registry comes before what is in the file.
        (&for_hosts, "known.io/own/x:1", "helper:known.io"),
        (&for_hosts, "known2.io/x:1", "helper:https://known2.io"),
        (&for_hosts, "else.io/x:1", "-"),
        (&for_hosts, "third.io/x:1", "-"),
        // What is in the file comes before the helper for everything.
        (&for_all, "known.io/x:1", "helper:known.io"),
        (&for_all, "known.io/own/x:1", "file:1"),
        (&for_all, "third.io/x:1", "-"),
        (
            &for_all,
            "docker.io/debian:13",
            "helper:https://index.docker.io/v1/",
        ),
    ];
    for (text, image, expected) in table {
        let (_dir, store) = with_helpers(text);
        assert_eq!(found(&store, image), expected, "{text} {image}");
    }
    for (image, program) in [("broken.io/x:1", "bad"), ("gone.io/x:1", "not-there")] {
        let (_dir, mut store) = with_helpers(&for_hosts);
        let error = store.lookup(&image.parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::CredentialHelper);
        assert!(error.to_string().contains(program), "{error}");
        // Somebody else knows: then it does not matter.
        let other = auths(&[("broken.io", "later:1"), ("gone.io", "later:1")]);
        let other = format!(r#"{{"auths":{other}}}"#);
        store.append(CredentialStore::from_auth_json(&other).unwrap());
        assert_eq!(found(&store, image), "later:1");
    }
}

#[test]
fn a_helper_for_every_registry() {
    let (_dir, mut store) = with_helpers("{}");
    store.append(CredentialStore::from_helper("good"));
    assert_eq!(found(&store, "known.io/x:1"), "helper:known.io");
    assert_eq!(found(&store, "third.io/x:1"), "-");
    assert!(!store.holds_secrets());
}

/// Placeholders of the documentation are pasted, and lines are wrapped.
#[test]
fn an_entry_that_cannot_be_decoded_concerns_its_registry_alone() {
    for bad in ["\"<paste here>\"", "\"dXNlcg==\"", "\"//79\""] {
        let text = format!(
            r#"{{"auths":{{"bad.io":{{"auth":{bad}}},"gone.io":null,"empty.io":{{}},
                "r.io":{{"auth":"dXNl\r\ncjpw\nYXNz\n"}}}}}}"#
        );
        let store = CredentialStore::from_auth_json(&text).unwrap();
        assert_eq!(found(&store, "r.io/x:1"), "user:pass");
        assert_eq!(found(&store, "gone.io/x:1"), "-");
        assert_eq!(found(&store, "empty.io/x:1"), "-");
        let error = store.lookup(&"bad.io/x:1".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::AuthEntry);
        assert!(error.to_string().contains("bad.io"), "{error}");
        assert!(!format!("{error:?}").contains("paste"), "{error:?}");
        // Who has it in another file is served from there.
        let mut both = store.clone();
        let other = auths(&[("bad.io", "later:1")]);
        let other = format!(r#"{{"auths":{other}}}"#);
        both.append(CredentialStore::from_auth_json(&other).unwrap());
        assert_eq!(found(&both, "bad.io/x:1"), "later:1");
    }
}
