// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the fuzz targets call: parsers that are no part of the interface.

use std::time::SystemTime;

use crate::error::RegistryError;
use crate::http::{challenge, range, redirect, retry_after, token};
use crate::store::hash::digest_of;
use crate::store::image::ResolvedImage;
use crate::store::manifest::{self, Document, Fetched, Origin};
use imageref::Platform;

/// Reads an index or a manifest and, if it is a manifest, puts the image
/// together with `config`, as a resolution does with what it has verified.
///
/// # Errors
/// Those of a resolution; `Ok(None)` for an index that has an entry that fits.
pub fn image(document: &[u8], config: &[u8]) -> Result<Option<ResolvedImage>, RegistryError> {
    let fetched = Fetched {
        digest: digest_of(imageref::Algorithm::Sha256, document),
        bytes: document.to_vec(),
        media_type: None,
    };
    let platform = Platform::linux("amd64");
    match manifest::parse("the image", &fetched)? {
        Document::Index(entries) => {
            let entry = manifest::choose(&entries, &platform)?;
            manifest::check_manifest_size("the image", entry)?;
            Ok(None)
        }
        Document::Manifest(found) => {
            let origin = Origin {
                name: "the image",
                reference: None,
                index_digest: None,
            };
            manifest::assemble(origin, fetched, *found, config.to_vec(), &platform).map(Some)
        }
    }
}

/// Headers that steer a pull, as the value of each in turn.
pub fn header(text: &str) {
    if let Ok(challenges) = challenge::parse(text) {
        for challenge in &challenges {
            for insecure in [false, true] {
                let Ok(realm) = token::realm(challenge, insecure) else {
                    continue;
                };
                assert!(insecure || realm.scheme() == "https", "{realm}");
                assert!(realm.password().is_none(), "{realm}");
                let scopes = token::scopes("os/debian", challenge);
                let reads = |scope: &String| scope.ends_with(":pull");
                assert!(scopes.len() <= 4 && scopes.iter().all(reads), "{scopes:?}");
                drop(token::get_url(realm, challenge.param("service"), &scopes));
            }
        }
    }
    if let Ok(range) = range::parse(text) {
        assert!(range.first <= range.last, "{range:?}");
        let size = range.total.unwrap_or(u64::MAX);
        range::check(Some(text), None, range.first, size).ok();
        range::check(Some(text), Some(1), range.first, size).ok();
    }
    for (header, date) in [(text, None), ("5", Some(text))] {
        retry_after::parse(header, date, SystemTime::UNIX_EPOCH);
    }
    for base in ["https://registry.example/v2/", "http://127.0.0.1:5000/v2/"] {
        let base: Vec<_> = base.parse().into_iter().collect();
        if let Ok(next) = redirect::next_hop(&base, Some(text)) {
            let downgrade = base[0].scheme() == "https" && next.scheme() != "https";
            assert!(!downgrade, "{next}");
            drop(redirect::host_of(&next));
        }
    }
}

/// What a login service answers.
pub fn token(json: &[u8]) {
    if let Some(token) = token::parse(json) {
        drop(format!("{token:?}"));
    }
}
