// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]

use super::*;

fn basic(username: &str, password: &str) -> Credentials {
    Credentials::Basic {
        username: username.to_owned(),
        password: password.into(),
    }
}

/// A login as text.
fn shown(credentials: Option<&Credentials>) -> String {
    match credentials {
        None | Some(Credentials::Anonymous) => "-".to_owned(),
        Some(Credentials::Basic { username, password }) => {
            format!("{username}:{}", password.expose_secret())
        }
        Some(Credentials::Bearer { token }) => format!("bearer {}", token.expose_secret()),
        Some(Credentials::IdentityToken { token }) => format!("token {}", token.expose_secret()),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let token = |text: &str| SecretString::from(text);
    for (scope, login) in [
        ("r.io", basic("user", "pass")),
        ("r.io:5000/os/debian", basic("al\"ice", "p:w\\ü\"")),
        ("[::1]:5000", basic("user", "")),
        ("docker.io", basic("", "pass")),
        (
            "r.io",
            Credentials::Bearer {
                token: token("t\"k"),
            },
        ),
        (
            "r.io/a",
            Credentials::IdentityToken {
                token: token("t\nk\\"),
            },
        ),
        ("r.io", Credentials::Anonymous),
    ] {
        let text = write_auth_json(&[(scope, &login)]).unwrap();
        let entries = parse(text.expose_secret()).unwrap();
        let found = entries.most_specific(scope).unwrap();
        assert_eq!(shown(found), shown(Some(&login)), "{scope}");
    }
}

#[test]
fn each_scope_has_its_own_login() {
    let (host, namespace) = (basic("host", "1"), basic("ns", "2"));
    let none = Credentials::Anonymous;
    let entries = [
        ("r.io", &basic("earlier", "0")),
        ("r.io", &host),
        ("r.io/ns", &namespace),
        ("s.io", &none),
    ];
    let text = write_auth_json(&entries).unwrap();
    let read = parse(text.expose_secret()).unwrap();
    for (name, login) in [
        ("r.io/os", "host:1"),
        ("r.io/ns/os", "ns:2"),
        ("s.io/os", "-"),
    ] {
        assert_eq!(shown(read.most_specific(name).unwrap()), login, "{name}");
    }
    assert!(!text.expose_secret().contains("s.io"));
}

/// What other readers of the file need, which this one does without.
#[test]
fn the_document_is_that_of_containers_image() {
    let token = |text: &str| SecretString::from(text);
    let identity = Credentials::IdentityToken { token: token("i") };
    let bearer = Credentials::Bearer { token: token("b") };
    let basic = basic("user", "pass");
    let entries = [("a.io", &basic), ("b.io/x", &identity), ("c.io", &bearer)];
    let text = write_auth_json(&entries).unwrap();
    let json: serde_json::Value = serde_json::from_str(text.expose_secret()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"auths": {
            "a.io": {"auth": "dXNlcjpwYXNz"},
            "b.io/x": {"auth": STANDARD.encode("<token>:"), "identitytoken": "i"},
            "c.io": {"registrytoken": "b"},
        }})
    );
    let empty = write_auth_json(&[]).unwrap();
    assert!(parse(empty.expose_secret()).is_ok());
}

#[test]
fn debug_shows_nothing_of_it() {
    let text = write_auth_json(&[("r.io", &basic("user", "hunter2"))]).unwrap();
    let shown = format!("{text:?}");
    let coded = STANDARD.encode("user:hunter2");
    assert!(
        !shown.contains("hunter2") && !shown.contains(&coded),
        "{shown}"
    );
}
