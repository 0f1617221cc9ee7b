// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each family of registries answers.

use super::*;

pub(super) fn answer(status: &'static str, headers: &[&str], body: impl Into<Vec<u8>>) -> Fault {
    let headers = headers.iter().map(|h| format!("{h}\r\n")).collect();
    Fault::Answer(status, headers, body.into())
}

pub(super) fn json(body: &str) -> Fault {
    answer("200 OK", &["Content-Type: application/json"], body)
}

pub(super) fn unauthorized(challenge: &str) -> Fault {
    let challenge = format!("WWW-Authenticate: {challenge}");
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    answer("401 Unauthorized", &[&challenge], body)
}

pub(super) fn missing() -> Fault {
    let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#;
    answer("404 Not Found", &[], body)
}

/// What any registry answers: the image as tag 1, its blobs with ranges.
pub(super) fn serve(asked: &Asked<'_>, image: &TestImage) -> Option<Fault> {
    if asked.path == "/v2/" {
        return Some(json("{}"));
    }
    if asked.path.ends_with("/manifests/1") {
        let media_type = format!("Content-Type: {MANIFEST}");
        return Some(answer("200 OK", &[&media_type], image.manifest.clone()));
    }
    blob(asked, image).map(|bytes| part(asked, bytes))
}

/// The blob whose digest is in the address.
pub(super) fn blob<'a>(asked: &Asked<'_>, image: &'a TestImage) -> Option<&'a [u8]> {
    let mut all = image.layers.iter().chain([&image.config]);
    let found = all.find(|b| asked.url.contains(&digest(b)))?;
    Some(found)
}

pub(super) fn part(asked: &Asked<'_>, bytes: &[u8]) -> Fault {
    let range = asked.request.header("range");
    let from = range.and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from {
        None => answer("200 OK", &[], bytes),
        Some(from) => {
            let (last, size) = (bytes.len() - 1, bytes.len());
            let range = format!("Content-Range: bytes {from}-{last}/{size}");
            answer("206 Partial Content", &[&range], &bytes[from..])
        }
    }
}

/// A storage host that wants a signature and, as S3 does, no other login.
pub(super) fn storage(asked: &Asked<'_>, image: &TestImage, signature: &str) -> Fault {
    if asked.login.is_some() {
        let body = "<Error><Code>InvalidArgument</Code>Only one auth mechanism</Error>";
        return answer("400 Bad Request", &[], body);
    }
    match blob(asked, image) {
        Some(bytes) if asked.url.ends_with(signature) => part(asked, bytes),
        _ => answer("403 Forbidden", &[], "<Error>AccessDenied</Error>"),
    }
}

/// Leads to the blob at another host.
pub(super) fn redirect(
    asked: &Asked<'_>,
    status: &'static str,
    host: &str,
    signature: &str,
) -> Fault {
    let name = asked.path.rsplit('/').next().unwrap();
    let location = format!("Location: http://{host}/{name}?{signature}");
    answer(status, &[&location], "moved")
}

pub(super) fn docker_hub(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if asked.url.starts_with("auth.docker.io/") {
        return json(r#"{"token":"hub","access_token":"hub","expires_in":300}"#);
    }
    if !asked.has("Bearer hub") {
        return unauthorized(
            "Bearer realm=\"http://auth.docker.io/token\",service=\"registry.docker.io\"",
        );
    }
    // The limit is on manifests and blobs; HEAD would not count, and is not used.
    assert_eq!(asked.request.method, "GET");
    if asked.path.ends_with(&digest(&image.layers[0])) && asked.request.nth == 0 {
        let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached
            your unauthenticated pull rate limit."}]}"#;
        return answer("429 Too Many Requests", &["Retry-After: 1"], body);
    }
    serve(asked, image).unwrap_or_else(missing)
}

pub(super) fn ghcr(asked: &Asked<'_>, image: &TestImage) -> Fault {
    match asked.path {
        path if path.starts_with("/token") => json(r#"{"token":"ghcr"}"#),
        _ if asked.url.starts_with("pkg-containers.example/") => {
            storage(asked, image, "?sig=signed")
        }
        _ if !asked.has("Bearer ghcr") => unauthorized(
            "Bearer realm=\"http://ghcr.io/token\",service=\"ghcr.io\",\
             scope=\"repository:user/image:pull\"",
        ),
        path if path.contains("/blobs/") => redirect(
            asked,
            "307 Temporary Redirect",
            "pkg-containers.example",
            "sig=signed",
        ),
        _ => serve(asked, image).unwrap_or_else(missing),
    }
}

pub(super) fn quay(asked: &Asked<'_>, image: &TestImage) -> Fault {
    match asked.path {
        path if path.starts_with("/v2/auth") => {
            assert!(asked.has(&basic_header("robot", "pw")), "{:?}", asked.login);
            json(r#"{"token":"quay"}"#)
        }
        _ if asked.url.starts_with("bucket.s3.example/") => {
            storage(asked, image, "?X-Amz-Signature=signed")
        }
        _ if !asked.has("Bearer quay") => {
            unauthorized("Bearer realm=\"http://quay.io/v2/auth\",service=\"quay.io\"")
        }
        path if path.contains("/blobs/") => redirect(
            asked,
            "302 Found",
            "bucket.s3.example",
            "X-Amz-Signature=signed",
        ),
        _ => serve(asked, image).unwrap_or_else(missing),
    }
}

pub(super) fn gitlab(asked: &Asked<'_>, image: &TestImage) -> Fault {
    // Counts the tokens: the first ones are so short that they expire between
    // resolving and pulling, and are good for one request anyway.
    static TOKENS: AtomicUsize = AtomicUsize::new(0);
    static USED: AtomicUsize = AtomicUsize::new(0);
    if asked.url.starts_with("gitlab.example/jwt/auth?") {
        assert!(asked.has(&basic_header("deploy", "pw")));
        USED.store(0, Ordering::SeqCst);
        let n = TOKENS.fetch_add(1, Ordering::SeqCst) + 1;
        return json(&format!(r#"{{"token":"jwt{n}","expires_in":5}}"#));
    }
    let token = format!("Bearer jwt{}", TOKENS.load(Ordering::SeqCst));
    if !asked.has(&token) || USED.fetch_add(1, Ordering::SeqCst) >= 2 {
        return unauthorized(
            "Bearer realm=\"http://gitlab.example/jwt/auth\",service=\"container_registry\",\
             error=\"invalid_token\"",
        );
    }
    serve(asked, image).unwrap_or_else(missing)
}

pub(super) fn harbor(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if asked.path.starts_with("/service/token?") {
        let robot = asked.has(&basic_header("robot$project+ci", "pw"));
        assert!(robot || asked.login.is_none());
        return json(r#"{"token":"harbor","expires_in":1800,"issued_at":"2026-01-01T00:00:00Z"}"#);
    }
    if !asked.has("Bearer harbor") || asked.path.starts_with("/v2/absent/") {
        return unauthorized(
            "Bearer realm=\"http://harbor.example/service/token\",service=\"harbor-registry\"",
        );
    }
    serve(asked, image).unwrap_or_else(missing)
}

pub(super) fn ecr(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if !asked.has(&basic_header("AWS", "ecr-token")) {
        return unauthorized(
            "Basic realm=\"https://1.dkr.ecr.eu-west-1.amazonaws.com/\",\
             service=\"ecr.amazonaws.com\"",
        );
    }
    match asked.path.starts_with("/v2/absent/") {
        true => answer(
            "404 Not Found",
            &["Content-Type: application/json"],
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'absent'
               does not exist in the registry with id '1'"}]}"#,
        ),
        false => serve(asked, image).unwrap_or_else(missing),
    }
}

pub(super) fn acr(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if asked.path == "/oauth2/token" {
        // The first identity token, or the one that came in its place.
        let form = String::from_utf8(asked.request.body.clone()).unwrap();
        let expected = "grant_type=refresh_token&client_id=calamares-bootc\
            &refresh_token=refresh%2F1%2B&scope=repository%3Aos%3Apull&service=team.azurecr.io";
        assert_eq!(form, expected);
        assert_eq!(asked.request.method, "POST");
        assert_eq!(asked.login, None);
        let kind = asked.request.header("content-type");
        assert_eq!(kind, Some("application/x-www-form-urlencoded"));
        return json(r#"{"access_token":"acr","refresh_token":"refresh2"}"#);
    }
    if !asked.has("Bearer acr") {
        return unauthorized(
            "Bearer realm=\"http://team.azurecr.io/oauth2/token\",service=\"team.azurecr.io\"",
        );
    }
    serve(asked, image).unwrap_or_else(missing)
}

pub(super) fn artifact_registry(asked: &Asked<'_>, image: &TestImage) -> Fault {
    let key = basic_header("_json_key", "{\n \"type\": \"service_account\"\n}");
    match asked.path {
        path if path.starts_with("/v2/token?") && asked.has(&key) => {
            json(r#"{"token":"gar","expires_in":3600}"#)
        }
        _ if asked.url.starts_with("storage.googleapis.example/") => {
            storage(asked, image, "?sig=signed")
        }
        _ if !asked.has("Bearer gar") => unauthorized(
            "Bearer realm=\"http://europe-docker.pkg.dev/v2/token\",\
             service=\"europe-docker.pkg.dev\"",
        ),
        path if path.contains("/blobs/") => redirect(
            asked,
            "302 Found",
            "storage.googleapis.example",
            "sig=signed",
        ),
        _ => serve(asked, image).unwrap_or_else(missing),
    }
}

pub(super) fn nexus(asked: &Asked<'_>, image: &TestImage) -> Fault {
    if !asked.has(&basic_header("reader", "pw")) {
        return unauthorized("BASIC realm=\"Sonatype Nexus Repository Manager\"");
    }
    let lowest = &image.layers[0];
    if asked.path.ends_with(&digest(lowest)) {
        // Breaks once, and does not know ranges.
        return match asked.request.nth {
            0 => answer("503 Service Unavailable", &[], "<html>busy</html>"),
            _ => answer("200 OK", &[], lowest.clone()),
        };
    }
    serve(asked, image).unwrap_or_else(missing)
}
