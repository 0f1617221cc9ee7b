// SPDX-License-Identifier: MIT OR Apache-2.0
//! Resources: what is in a file, which here is in the configuration itself.

use std::fmt::Write as _;
use std::io::Read as _;

use data_url::DataUrl;
use flate2::read::GzDecoder;
use ignition_config::v3_6::Resource;
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Result, wrong};

/// More than any file for `/etc`; gzip can make a thousand times more of its own
/// size.
const BYTES_MAX: u64 = 16 << 20;

/// The text of a resource of the file `path`.
pub(crate) fn text(path: &str, resource: Resource) -> Result<String> {
    let refused = |what: &str, next: &str| wrong(format!("The contents of {path} {what}."), next);
    if resource.http_headers.is_some_and(|all| !all.is_empty()) {
        return Err(refused("would be fetched", "Leave `httpHeaders` out."));
    }
    let Some(source) = resource.source.filter(|source| !source.is_empty()) else {
        return Ok(String::new());
    };
    if !source.starts_with("data:") {
        return Err(refused(
            "would be fetched from elsewhere",
            "Write them as a data: URL; butane(1) does that with `inline` and `local`.",
        ));
    }
    let bad = || {
        refused(
            "are no data: URL",
            "Write `data:,` and text, or `data:;base64,`.",
        )
    };
    let url = DataUrl::process(&source).map_err(|_| bad())?;
    let (bytes, fragment) = url.decode_to_vec().map_err(|_| bad())?;
    if fragment.is_some() {
        return Err(refused("have a `#` in their URL", "Write it as %23."));
    }
    let bytes = match resource.compression.as_deref() {
        None | Some("") => bytes,
        Some("gzip") => {
            let mut plain = Vec::new();
            let mut read = GzDecoder::new(&*bytes).take(BYTES_MAX + 1);
            let done = read.read_to_end(&mut plain);
            done.map_err(|_| refused("are not compressed with gzip", ""))?;
            plain
        }
        Some(other) => {
            return Err(refused(
                &format!("are compressed with `{other}`, which is not known"),
                "Write `gzip`, or nothing.",
            ));
        }
    };
    if bytes.len() as u64 > BYTES_MAX {
        return Err(refused(
            "are larger than 16 MiB",
            "Put the file into the image.",
        ));
    }
    if let Some(hash) = resource
        .verification
        .and_then(|verification| verification.hash)
        && !matches(&hash, &bytes).ok_or_else(|| {
            refused(
                "have a hash of an unknown kind",
                "Write sha512-… or sha256-….",
            )
        })?
    {
        return Err(refused("do not have the hash that is demanded", ""));
    }
    String::from_utf8(bytes)
        .map_err(|_| refused("are no text in UTF-8", "Put the file into the image."))
}

/// Whether bytes have this hash; none for one of an unknown kind.
fn matches(hash: &str, bytes: &[u8]) -> Option<bool> {
    let (kind, wanted) = hash.split_once('-')?;
    let found = match kind {
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        _ => return None,
    };
    Some(found.eq_ignore_ascii_case(wanted))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}
