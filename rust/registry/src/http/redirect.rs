// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a redirect may lead. Nothing here does I/O.

use reqwest::Url;

/// Redirects that are followed for one request.
pub(crate) const MAX_REDIRECTS: usize = 10;

/// Why a redirect is not followed. Never says where it leads: the address may
/// be a signed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RedirectProblem {
    #[error("it redirects without saying where to")]
    Nowhere,
    #[error("it redirects to what is no web address")]
    Address,
    #[error("it redirects from TLS to plain HTTP")]
    Downgrade,
    #[error("it redirects to an address with a password in it")]
    Password,
    #[error("it redirects more than {MAX_REDIRECTS} times")]
    TooMany,
}

/// The next address after `so_far`, of which the last one answered with
/// `location`.
///
/// A tag has no digest to check against, so that nothing but TLS protects it:
/// a redirect must not lead out of it.
pub(crate) fn next_hop(so_far: &[Url], location: Option<&str>) -> Result<Url, RedirectProblem> {
    let from = so_far.last().ok_or(RedirectProblem::Nowhere)?;
    if so_far.len() > MAX_REDIRECTS {
        return Err(RedirectProblem::TooMany);
    }
    let location = location.ok_or(RedirectProblem::Nowhere)?;
    let mut to = from.join(location).map_err(|_| RedirectProblem::Address)?;
    if !matches!(to.scheme(), "http" | "https") || !to.has_host() {
        return Err(RedirectProblem::Address);
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err(RedirectProblem::Password);
    }
    if to.scheme() == "http" && so_far.iter().any(|u| u.scheme() == "https") {
        return Err(RedirectProblem::Downgrade);
    }
    to.set_fragment(None);
    Ok(to)
}

/// Whether a login at `one` may be shown at `other`: same scheme, host and port.
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// `host[:port]` of an address, for messages and for the certificates of a host.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn hops() {
        use RedirectProblem::{Address, Downgrade, Nowhere, Password};
        for (from, location, expected) in [
            (
                "https://r/v2/a",
                Some("https://cdn/x?s=1#f"),
                Ok("https://cdn/x?s=1"),
            ),
            ("https://r/v2/a", Some("/v2/b"), Ok("https://r/v2/b")),
            ("https://r/v2/a", Some("//cdn/b"), Ok("https://cdn/b")),
            ("http://r/v2/a", Some("https://cdn/b"), Ok("https://cdn/b")),
            ("http://r/v2/a", Some("http://cdn/b"), Ok("http://cdn/b")),
            ("https://r/v2/a", Some("http://r/v2/a"), Err(Downgrade)),
            ("https://r/v2/a", Some("https://u:p@cdn/"), Err(Password)),
            ("https://r/v2/a", Some("https://u@cdn/"), Err(Password)),
            ("https://r/v2/a", Some("ftp://cdn/"), Err(Address)),
            ("https://r/v2/a", Some("file:///etc/passwd"), Err(Address)),
            ("https://r/v2/a", Some("https://"), Err(Address)),
            ("https://r/v2/a", None, Err(Nowhere)),
        ] {
            let got = next_hop(&[url(from)], location).map(String::from);
            assert_eq!(got, expected.map(str::to_owned), "{location:?}");
        }
        // Once within TLS, always within TLS.
        let path = [url("http://r/"), url("https://r/"), url("https://cdn/")];
        assert_eq!(next_hop(&path, Some("http://r/")), Err(Downgrade));
        let path = vec![url("http://r/"); MAX_REDIRECTS + 1];
        assert_eq!(next_hop(&path, Some("/")), Err(RedirectProblem::TooMany));
        assert!(next_hop(&path[1..], Some("/")).is_ok());
    }

    #[test]
    fn origins() {
        for (one, other, same) in [
            ("https://r/a", "https://r/b?c", true),
            ("https://r/a", "https://r:443/a", true),
            ("https://r/a", "https://R/a", true),
            ("https://r/a", "https://r:444/a", false),
            ("https://r/a", "http://r/a", false),
            ("https://r/a", "https://r.evil/a", false),
            ("https://r/a", "https://sub.r/a", false),
        ] {
            assert_eq!(same_origin(&url(one), &url(other)), same, "{one} {other}");
        }
    }
}
