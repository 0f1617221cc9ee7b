// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens: where to ask for one and what comes back, after the distribution
//! project's token authentication and OAuth2 documents. Nothing here does I/O.

use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::http::challenge::Challenge;

/// Life of a token whose answer does not say, as the specification has it.
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
/// A token is renewed so long before its end, or a quarter of its life if that
/// is less: a request takes its time, and clocks differ in speed.
const MARGIN: Duration = Duration::from_secs(10);
/// No token is trusted longer than this, whatever its answer says.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Who asks, in OAuth2.
const CLIENT_ID: &str = "calamares-bootc";

/// Why nobody is asked for a token. Never holds a query or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RealmProblem {
    #[error("its login page is no web address")]
    Address,
    #[error("its login page http://{host} is not encrypted")]
    Plain { host: String },
    #[error("the address of its login page has a password in it")]
    Password,
}

/// The page that gives out tokens. A password must not go there in the clear,
/// unless the registry itself is configured as insecure.
pub(crate) fn realm(challenge: &Challenge, insecure: bool) -> Result<Url, RealmProblem> {
    let text = challenge.param("realm").ok_or(RealmProblem::Address)?;
    let mut url: Url = text.parse().map_err(|_| RealmProblem::Address)?;
    if !url.has_host() || !matches!(url.scheme(), "http" | "https") {
        return Err(RealmProblem::Address);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RealmProblem::Password);
    }
    if url.scheme() == "http" && !insecure {
        let host = crate::http::redirect::host_of(&url);
        return Err(RealmProblem::Plain { host });
    }
    url.set_fragment(None);
    Ok(url)
}

/// What a token is to be good for.
///
/// Always reading this repository. The registry may call it by another name
/// (one that proxies others does), but no right beyond reading is asked for.
pub(crate) fn scopes(repository: &str, challenge: &Challenge) -> Vec<String> {
    let mut scopes = vec![format!("repository:{repository}:pull")];
    let others = challenge.param("scope").unwrap_or_default().split(' ');
    for other in others {
        let reads_one = other.starts_with("repository:") && other.ends_with(":pull");
        if reads_one && !scopes.iter().any(|s| s == other) && scopes.len() < 4 {
            scopes.push(other.to_owned());
        }
    }
    scopes
}

/// The address for a token by GET.
pub(crate) fn get_url(mut realm: Url, service: Option<&str>, scopes: &[String]) -> Url {
    let mut query = realm.query_pairs_mut();
    if let Some(service) = service {
        query.append_pair("service", service);
    }
    for scope in scopes {
        query.append_pair("scope", scope);
    }
    drop(query);
    realm
}

/// The form for a token by POST, in exchange for an identity token.
pub(crate) fn refresh_form<'a>(
    identity: &'a SecretString,
    service: Option<&'a str>,
    scopes: &[String],
) -> Vec<(&'static str, zeroize::Zeroizing<String>)> {
    let mut form = vec![
        ("grant_type", "refresh_token".to_owned().into()),
        ("client_id", CLIENT_ID.to_owned().into()),
        ("refresh_token", identity.expose_secret().to_owned().into()),
        ("scope", scopes.join(" ").into()),
    ];
    if let Some(service) = service {
        form.push(("service", service.to_owned().into()));
    }
    form
}

/// A token and how long it holds.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) secret: SecretString,
    /// From now on; afterwards another one is asked for.
    pub(crate) use_for: Duration,
    /// Replaces the identity token that was sent.
    pub(crate) refresh: Option<SecretString>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    token: Option<SecretString>,
    #[serde(default)]
    access_token: Option<SecretString>,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
    #[serde(default)]
    refresh_token: Option<SecretString>,
}

/// Reads what the login page answered. `None` when it is no token: the answer
/// is not repeated, since it may hold half of one.
pub(crate) fn parse(json: &[u8]) -> Option<Token> {
    let answer: TokenAnswer = serde_json::from_slice(json).ok()?;
    let filled = |s: Option<SecretString>| s.filter(|s| !s.expose_secret().is_empty());
    let secret = filled(answer.token).or_else(|| filled(answer.access_token))?;
    // Some write the number with a decimal point.
    let seconds = answer
        .expires_in
        .as_ref()
        .and_then(serde_json::Value::as_f64);
    let life = seconds
        .filter(|s| *s > 0.0)
        .map_or(DEFAULT_LIFE, |s| {
            Duration::try_from_secs_f64(s).unwrap_or(LONGEST_LIFE)
        })
        .min(LONGEST_LIFE);
    Some(Token {
        secret,
        use_for: life - MARGIN.min(life / 4),
        refresh: filled(answer.refresh_token),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn challenge(text: &str) -> Challenge {
        crate::http::challenge::parse(text).unwrap().remove(0)
    }

    #[test]
    fn realms() {
        use RealmProblem::{Address, Password};
        let plain = || RealmProblem::Plain {
            host: "a:5000".into(),
        };
        for (text, insecure, expected) in [
            (
                "Bearer realm=\"https://a/t?x=1#f\"",
                false,
                Ok("https://a/t?x=1"),
            ),
            (
                "Bearer realm=\"http://a:5000/t\"",
                true,
                Ok("http://a:5000/t"),
            ),
            (
                "Bearer realm=\"http://a:5000/t?s=secret\"",
                false,
                Err(plain()),
            ),
            ("Bearer realm=\"https://u:p@a/\"", true, Err(Password)),
            ("Bearer realm=\"ftp://a/\"", true, Err(Address)),
            ("Bearer realm=\"/token\"", true, Err(Address)),
            ("Bearer realm=\"\"", true, Err(Address)),
            ("Bearer", true, Err(Address)),
        ] {
            let got = realm(&challenge(text), insecure).map(String::from);
            assert_eq!(got, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn only_reading_is_asked_for() {
        for (text, expected) in [
            ("Bearer realm=a", vec!["repository:o/a:pull"]),
            (
                "Bearer scope=\"repository:o/a:pull\"",
                vec!["repository:o/a:pull"],
            ),
            (
                "Bearer scope=\"repository:p/o/a:pull registry:catalog:*\"",
                vec!["repository:o/a:pull", "repository:p/o/a:pull"],
            ),
            (
                "Bearer scope=\"repository:o/a:pull,push\"",
                vec!["repository:o/a:pull"],
            ),
        ] {
            assert_eq!(scopes("o/a", &challenge(text)), expected, "{text}");
        }
    }

    #[test]
    fn addresses() {
        let scopes = [
            "repository:a:pull".to_owned(),
            "repository:b:pull".to_owned(),
        ];
        let realm: Url = "https://a/t?x=1".parse().unwrap();
        assert_eq!(
            get_url(realm.clone(), Some("my reg"), &scopes).as_str(),
            "https://a/t?x=1&service=my+reg&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull"
        );
        assert_eq!(
            get_url(realm, None, &scopes[..1]).as_str(),
            "https://a/t?x=1&scope=repository%3Aa%3Apull"
        );
    }

    #[test]
    fn answers() {
        for (json, token, seconds) in [
            (r#"{"token":"t"}"#, "t", 50.0),
            (r#"{"access_token":"a"}"#, "a", 50.0),
            (
                r#"{"token":"t","access_token":"a","expires_in":300}"#,
                "t",
                290.0,
            ),
            (
                r#"{"token":"","access_token":"a","expires_in":8}"#,
                "a",
                6.0,
            ),
            (r#"{"token":"t","expires_in":0}"#, "t", 50.0),
            (r#"{"token":"t","expires_in":-5}"#, "t", 50.0),
            (r#"{"token":"t","expires_in":"soon"}"#, "t", 50.0),
            (r#"{"token":"t","expires_in":100.0}"#, "t", 90.0),
            (r#"{"token":"t","expires_in":1e300}"#, "t", 86_390.0),
            (
                r#"{"token":"t","issued_at":"2026-01-01T00:00:00Z","other":[]}"#,
                "t",
                50.0,
            ),
        ] {
            let got = parse(json.as_bytes()).unwrap();
            assert_eq!(got.secret.expose_secret(), token, "{json}");
            assert!(
                (got.use_for.as_secs_f64() - seconds).abs() < 0.001,
                "{json}"
            );
        }
        for none in [
            "",
            "{}",
            "[]",
            "<html>",
            r#"{"token":""}"#,
            r#"{"token":7}"#,
        ] {
            assert!(parse(none.as_bytes()).is_none(), "{none}");
        }
        let rotated = parse(br#"{"access_token":"a","refresh_token":"r2"}"#).unwrap();
        assert_eq!(rotated.refresh.unwrap().expose_secret(), "r2");
    }
}
