// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is on the medium, as CycloneDX 1.5 in JSON
//! (<https://cyclonedx.org/docs/1.5/json/>): Debian's packages from dpkg's own
//! list, and the embedded images by their digests. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::config::Distro;

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// `Package`.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// `Architecture`.
    pub architecture: String,
    /// `Source`, without its version; the name where there is none.
    pub source: String,
    /// `Homepage`.
    pub homepage: Option<String>,
    /// First line of `Description`.
    pub description: String,
}

/// Reads dpkg's `status` file (deb822(5)): installed packages, sorted.
pub fn packages(status: &str) -> Vec<Package> {
    let mut found: Vec<Package> = status.split("\n\n").filter_map(package).collect();
    found.sort();
    found
}

fn package(paragraph: &str) -> Option<Package> {
    let fields: BTreeMap<&str, &str> = paragraph
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(": "))
        .collect();
    if *fields.get("Status")? != "install ok installed" {
        return None;
    }
    let name = (*fields.get("Package")?).to_owned();
    let source = fields
        .get("Source")
        .and_then(|source| source.split(' ').next())
        .unwrap_or(&name)
        .to_owned();
    Some(Package {
        version: (*fields.get("Version")?).to_owned(),
        architecture: (*fields.get("Architecture")?).to_owned(),
        source,
        homepage: fields.get("Homepage").map(|url| (*url).to_owned()),
        description: fields
            .get("Description")
            .copied()
            .unwrap_or_default()
            .to_owned(),
        name,
    })
}

/// The document. `images` are reference and digest.
pub fn document(
    distro: &Distro,
    epoch: u64,
    packages: &[Package],
    images: &[(String, String)],
) -> Value {
    let mut components: Vec<Value> = packages
        .iter()
        .map(|package| of_package(package, &distro.suite))
        .collect();
    components.extend(
        images
            .iter()
            .map(|(reference, digest)| of_image(reference, digest)),
    );
    let mut hash = Sha256::new();
    hash.update(distro.product.id.as_bytes());
    hash.update(distro.product.version.as_bytes());
    for component in &components {
        hash.update(component.to_string().as_bytes());
    }
    let time = i64::try_from(epoch)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(&hash.finalize())),
        "version": 1,
        "metadata": {
            "timestamp": time.to_string(),
            "tools": { "components": [{
                "type": "application",
                "name": "debian-bootc-image-builder",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": {
                "type": "operating-system",
                "bom-ref": "medium",
                "name": distro.product.id,
                "version": distro.product.version,
                "description": format!("Installer medium for {}", distro.product.name),
            },
        },
        "components": components,
    })
}

fn of_package(package: &Package, suite: &str) -> Value {
    // The vendor of packages that are not Debian's is not known; their versions
    // tell them apart.
    let purl = format!(
        "pkg:deb/debian/{}@{}?arch={}&distro={suite}",
        percent(&package.name),
        percent(&package.version),
        package.architecture
    );
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "description": package.description,
        "properties": [{ "name": "debian:source", "value": package.source }],
    });
    if let Some(url) = &package.homepage {
        component["externalReferences"] = json!([{ "type": "website", "url": url }]);
    }
    component
}

fn of_image(reference: &str, digest: &str) -> Value {
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
fn percent(text: &str) -> String {
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
fn uuid(hash: &[u8]) -> String {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const STATUS: &str = "\
Package: zstd
Status: install ok installed
Architecture: amd64
Source: libzstd (1.5.7+dfsg-1)
Version: 1:1.5.7+dfsg-1+b1
Homepage: https://example.org/
Description: fast tool
 More: text

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: adduser
Status: install ok installed
Architecture: all
Version: 3.152
Description: add users
";

    #[test]
    fn installed_packages_are_found() {
        let found = packages(STATUS);
        let names: Vec<&str> = found.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["adduser", "zstd"]);
        assert_eq!(found[1].source, "libzstd");
        assert_eq!(found[0].source, "adduser");
        assert_eq!(found[1].description, "fast tool");
    }

    #[test]
    fn the_document_is_the_same_for_the_same_medium() {
        let distro = Distro::default();
        let images = [("r.example/os/debian:13".to_owned(), "sha256:0a".to_owned())];
        let one = document(&distro, 0, &packages(STATUS), &images);
        assert_eq!(one, document(&distro, 0, &packages(STATUS), &images));
        assert_ne!(
            one["serialNumber"],
            document(&distro, 0, &packages(STATUS), &[])["serialNumber"]
        );
        assert_eq!(one["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(
            one["components"][1]["purl"],
            "pkg:deb/debian/zstd@1%3A1.5.7%2Bdfsg-1%2Bb1?arch=amd64&distro=trixie"
        );
        assert_eq!(
            one["components"][2]["purl"],
            "pkg:oci/debian@sha256%3A0a?repository_url=r.example%2Fos%2Fdebian"
        );
    }
}
