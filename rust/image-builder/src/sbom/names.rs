// SPDX-License-Identifier: MIT OR Apache-2.0
//! What things are called in the documents. Pure.

use serde_json::{Value, json};

/// An image as a component of the document.
pub(super) fn image(reference: &str, digest: &str) -> Value {
    let (name, _) = reference.rsplit_once(':').unwrap_or((reference, ""));
    let short = name.rsplit('/').next().unwrap_or(name);
    let purl = format!(
        "pkg:oci/{}@{}?repository_url={}",
        percent(short),
        percent(digest),
        percent(name)
    );
    json!({
        "type": "container",
        "bom-ref": purl,
        "name": reference,
        "version": digest,
        "purl": purl,
    })
}

/// Percent-encoding as purl wants it (package-url/purl-spec).
pub(super) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// A UUID of version 8 (RFC 9562): the same contents have the same one.
pub(super) fn uuid(hash: &[u8]) -> String {
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
