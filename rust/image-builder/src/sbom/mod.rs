// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is on the medium, as CycloneDX 1.5 in JSON
//! (<https://cyclonedx.org/docs/1.5/json/>): packages from dpkg's own list, the
//! boot loaders, the crates inside of our programs, and the embedded images by
//! their digests. Pure.
//!
//! Licences are there for our packages and for crates. What Debian says about its
//! packages' is text for people, in `/usr/share/doc/*/copyright` on the medium.

mod crates;
mod disk;
mod dpkg;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use buildroot::archive::Indexed;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::config::Distro;
use crate::mirror::TOOLS_SUITE;
pub use crates::{Crate, parse as crates};
pub use disk::{OnDisk, document as disk_document};
pub use dpkg::{Package, packages};
use names::{image, percent, uuid};

/// The source of our packages, and so their vendor.
const OUR_SOURCE: &str = "calamares-bootc";
/// Our packages' own parts, as in debian/copyright; crates have their own.
const OUR_LICENCES: [(&str, &str); 2] = [
    ("bootc-installer", "Apache-2.0 OR MIT"),
    (
        "calamares-bootc",
        "GPL-3.0-or-later AND (Apache-2.0 OR MIT)",
    ),
];

/// Hashes of `.deb` files of the archives.
#[derive(Debug, Default)]
pub struct Hashes(BTreeMap<[String; 3], String>);

impl FromIterator<Indexed> for Hashes {
    fn from_iter<T: IntoIterator<Item = Indexed>>(packages: T) -> Self {
        let one = |package: Indexed| {
            let Indexed {
                name,
                version,
                architecture,
                sha256,
                ..
            } = package;
            ([name, version, architecture], sha256)
        };
        Self(packages.into_iter().map(one).collect())
    }
}

impl Hashes {
    /// Architecture and hash of a package, by its name and version.
    pub(crate) fn find(&self, name: &str, version: &str) -> Option<(&str, &str)> {
        let from = [name.to_owned(), version.to_owned(), String::new()];
        let (key, sha256) = self.0.range(from..).next()?;
        (key[0] == name && key[1] == version).then_some((key[2].as_str(), sha256.as_str()))
    }

    pub(crate) fn of(&self, package: &Package) -> Option<&str> {
        let Package {
            name,
            version,
            architecture,
            ..
        } = package;
        let key = [name, version, architecture].map(String::clone);
        self.0.get(&key).map(String::as_str)
    }
}

/// A package file that is not of Debian's archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// `Package`.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// SHA-256 of the file, in hex digits.
    pub sha256: String,
    /// What is compiled into its programs.
    pub crates: Vec<Crate>,
}

/// What is on a medium.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'a> {
    /// The packages of the live system.
    pub packages: &'a [Package],
    /// Those whose boot loaders are on the medium, of [`TOOLS_SUITE`].
    pub loaders: &'a [Package],
    /// Files that are not of the archive.
    pub own: &'a [Own],
    /// Of what is of the archive.
    pub hashes: &'a Hashes,
    /// Reference and digest of the embedded images.
    pub images: &'a [(String, String)],
}

/// The document. The same contents make the same one.
pub fn document(distro: &Distro, epoch: u64, contents: &Contents<'_>) -> Value {
    let mut parts = Parts::default();
    let live: Vec<String> = contents
        .packages
        .iter()
        .map(|package| parts.package(distro, contents, package, &distro.suite, None))
        .collect();
    for (name, places) in live.iter().zip(dpkg::dependencies(contents.packages)) {
        let on = places.iter().filter_map(|place| live.get(*place)).cloned();
        parts.edges.entry(name.clone()).or_default().extend(on);
    }
    for package in contents.loaders {
        parts.package(distro, contents, package, TOOLS_SUITE, Some("boot loader"));
    }
    for (reference, digest) in contents.images {
        parts.add(image(reference, digest));
    }
    // All but the crates, which are in packages.
    let medium = parts.edges.keys().filter(|name| !crates::is_crate(name));
    let medium: BTreeSet<String> = medium.cloned().collect();
    let mut hash = Sha256::new();
    hash.update(distro.product.id.as_bytes());
    hash.update(distro.product.version.as_bytes());
    for component in &parts.components {
        hash.update(component.to_string().as_bytes());
    }
    let time = i64::try_from(epoch)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let edges = [("medium".to_owned(), medium)]
        .into_iter()
        .chain(parts.edges);
    let edges = edges.map(|(name, on)| json!({ "ref": name, "dependsOn": on }));
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
        "components": parts.components,
        "dependencies": edges.collect::<Vec<_>>(),
    })
}

/// Components, each once, and what each needs.
#[derive(Default)]
struct Parts {
    components: Vec<Value>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Parts {
    /// Adds one; its name for others.
    fn add(&mut self, component: Value) -> String {
        let name = component["bom-ref"].as_str().unwrap_or_default().to_owned();
        if !self.edges.contains_key(&name) {
            self.edges.insert(name.clone(), BTreeSet::new());
            self.components.push(component);
        }
        name
    }

    fn package(
        &mut self,
        distro: &Distro,
        contents: &Contents<'_>,
        package: &Package,
        suite: &str,
        role: Option<&str>,
    ) -> String {
        let is_it = |own: &&Own| own.name == package.name && own.version == package.version;
        let own = contents.own.iter().find(is_it);
        let vendor = match own {
            None => "debian",
            Some(_) if package.source == OUR_SOURCE => OUR_SOURCE,
            Some(_) => &distro.product.id,
        };
        let purl = format!(
            "pkg:deb/{vendor}/{}@{}?arch={}&distro={suite}",
            percent(&package.name),
            percent(&package.version),
            package.architecture
        );
        let mut properties = vec![json!({ "name": "debian:source", "value": package.source })];
        properties.extend(role.map(|role| json!({ "name": "medium:role", "value": role })));
        let mut component = json!({
            "type": "library",
            "bom-ref": purl,
            "name": package.name,
            "version": package.version,
            "purl": purl,
            "description": package.description,
            "properties": properties,
        });
        if let Some(url) = &package.homepage {
            component["externalReferences"] = json!([{ "type": "website", "url": url }]);
        }
        let sha256 = own.map(|own| own.sha256.as_str());
        if let Some(sha256) = sha256.or_else(|| contents.hashes.of(package)) {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sha256 }]);
        }
        let licence = OUR_LICENCES.iter().find(|(name, _)| *name == package.name);
        if let (OUR_SOURCE, Some((_, licence))) = (vendor, licence) {
            component["licenses"] = json!([{ "expression": licence }]);
        }
        let name = self.add(component);
        for inner in own.map(|own| own.crates.as_slice()).unwrap_or_default() {
            let inner = self.add(inner.component());
            self.edges.entry(name.clone()).or_default().insert(inner);
        }
        name
    }
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
Depends: adduser (>= 3) | gone
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

    const ZSTD: &str = "pkg:deb/debian/zstd@1%3A1.5.7%2Bdfsg-1%2Bb1?arch=amd64&distro=trixie";
    const ADDUSER: &str = "pkg:deb/debian/adduser@3.152?arch=all&distro=trixie";

    fn by_ref<'a>(document: &'a Value, list: &str, key: &str, name: &str) -> &'a Value {
        let all = document[list].as_array().unwrap();
        all.iter()
            .find(|it| it[key] == *name)
            .unwrap_or_else(|| panic!("no {name}: {document:#}"))
    }

    #[test]
    fn the_document_is_the_same_for_the_same_medium() {
        let distro = Distro::default();
        let images = [("r.example/os/debian:13".to_owned(), "sha256:0a".to_owned())];
        let (list, hashes) = (packages(STATUS), Hashes::default());
        let contents = |images| Contents {
            packages: &list,
            loaders: &[],
            own: &[],
            hashes: &hashes,
            images,
        };
        let one = document(&distro, 0, &contents(&images));
        assert_eq!(one, document(&distro, 0, &contents(&images)));
        assert_ne!(
            one["serialNumber"],
            document(&distro, 0, &contents(&[]))["serialNumber"]
        );
        assert_eq!(one["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(one["components"][1]["purl"], ZSTD);
        assert_eq!(
            one["components"][2]["purl"],
            "pkg:oci/debian@sha256%3A0a?repository_url=r.example%2Fos%2Fdebian"
        );
        let edges = by_ref(&one, "dependencies", "ref", ZSTD);
        assert_eq!(edges["dependsOn"], json!([ADDUSER]));
        let medium = by_ref(&one, "dependencies", "ref", "medium");
        assert_eq!(medium["dependsOn"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn loaders_hashes_and_crates_are_in_it() {
        let distro = Distro::default();
        let package = |name: &str, source: &str| Package {
            name: name.into(),
            version: "1".into(),
            architecture: "amd64".into(),
            source: source.into(),
            ..Package::default()
        };
        let list = [
            package("bootc-installer", OUR_SOURCE),
            package("keyring", "keyring"),
            package("libc6", "glibc"),
        ];
        let loaders = [
            package("libc6", "glibc"),
            package("shim-signed", "shim-signed"),
        ];
        let own = ["bootc-installer", "keyring"].map(|name| Own {
            name: name.into(),
            version: "1".into(),
            sha256: "ab".into(),
            crates: crates::parse("serde v1.0.1: MIT/Apache-2.0\n"),
        });
        let indexed = Indexed {
            name: "libc6".into(),
            version: "1".into(),
            architecture: "amd64".into(),
            sha256: "cd".into(),
            provides: Vec::new(),
        };
        let hashes = [indexed].into_iter().collect();
        let contents = Contents {
            packages: &list,
            loaders: &loaders,
            own: &own,
            hashes: &hashes,
            images: &[],
        };
        let document = document(&distro, 0, &contents);
        let component = |name: &str| by_ref(&document, "components", "name", name);
        let ours = component("bootc-installer");
        let purl = "pkg:deb/calamares-bootc/bootc-installer@1?arch=amd64&distro=trixie";
        assert_eq!(ours["purl"], purl);
        assert_eq!(
            ours["licenses"],
            json!([{ "expression": "Apache-2.0 OR MIT" }])
        );
        assert_eq!(
            ours["hashes"],
            json!([{ "alg": "SHA-256", "content": "ab" }])
        );
        let theirs = component("keyring")["purl"].as_str().unwrap();
        assert!(
            theirs.starts_with("pkg:deb/debian-bootc/keyring@"),
            "{theirs}"
        );
        assert_eq!(component("libc6")["hashes"][0]["content"], "cd");
        let shim = component("shim-signed");
        let role = json!({ "name": "medium:role", "value": "boot loader" });
        assert!(shim["properties"].as_array().unwrap().contains(&role));
        assert_eq!(component("serde")["purl"], "pkg:cargo/serde@1.0.1");
        let edges = by_ref(&document, "dependencies", "ref", purl);
        assert_eq!(edges["dependsOn"], json!(["pkg:cargo/serde@1.0.1"]));
        // Each once, also what is both in the live system and in the root.
        assert_eq!(document["components"].as_array().unwrap().len(), 5);
    }
}
