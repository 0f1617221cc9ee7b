// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is in a disk image, as CycloneDX 1.5. Pure.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::dpkg::{self, Package};
use super::names::{image, percent, uuid};

/// What is in disk images of one build.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk<'a> {
    /// The image's reference and the digest of its manifest.
    pub image: (&'a str, &'a str),
    /// `ID` and release of its os-release(5).
    pub os: (&'a str, &'a str),
    /// Its packages, when dpkg knows them.
    pub packages: &'a [Package],
    /// Boot loaders that were written beside it, as the installer names them.
    pub loaders: &'a [String],
    /// Name and SHA-256 of each disk.
    pub files: &'a [(String, String)],
}

/// Packages of the image whose files become the boot loaders that are written.
const OF_LOADERS: [(&str, &str); 2] = [
    ("grub-bios", "grub-pc-bin"),
    ("grub-uefi", "grub-efi-amd64-bin"),
];

/// The document. The same contents make the same one.
pub fn document(name: &str, disk: &OnDisk<'_>) -> Value {
    let (reference, digest) = disk.image;
    let container = image(reference, digest);
    let container_ref = container["bom-ref"].clone();
    let refs: Vec<String> = disk.packages.iter().map(|p| purl(disk, p)).collect();
    let mut components = vec![container];
    components.extend(
        disk.packages
            .iter()
            .map(|package| of_package(disk, package)),
    );
    let mut top = vec![container_ref.clone()];
    for loader in disk.loaders {
        let name = format!("loader:{loader}");
        let package = OF_LOADERS.iter().find(|(known, _)| known == loader);
        let package = package.and_then(|(_, package)| {
            let mut all = disk.packages.iter();
            all.find(|it| it.name == *package)
        });
        let mut component = json!({
            "type": "application",
            "bom-ref": name,
            "name": loader,
            "description": "boot loader, written beside the image from its own packages",
            "properties": [{ "name": "medium:role", "value": "boot loader" }],
        });
        if let Some(package) = package {
            component["version"] = json!(package.version);
        }
        components.push(component);
        top.push(json!(name));
    }
    for (file, sha256) in disk.files {
        components.push(json!({
            "type": "file",
            "bom-ref": format!("file:{file}"),
            "name": file,
            "hashes": [{ "alg": "SHA-256", "content": sha256 }],
        }));
    }
    let mut edges = vec![
        json!({ "ref": "disk", "dependsOn": top }),
        json!({ "ref": container_ref, "dependsOn": refs }),
    ];
    for (name, places) in refs.iter().zip(dpkg::dependencies(disk.packages)) {
        let on: Vec<&String> = places.iter().filter_map(|place| refs.get(*place)).collect();
        edges.push(json!({ "ref": name, "dependsOn": on }));
    }
    let mut hash = Sha256::new();
    for component in &components {
        hash.update(component.to_string().as_bytes());
    }
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(&hash.finalize())),
        "version": 1,
        "metadata": {
            "tools": { "components": [{
                "type": "application",
                "name": "debian-bootc-image-builder",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": {
                "type": "operating-system",
                "bom-ref": "disk",
                "name": name,
                "version": digest,
                "description": format!("Disk image of {reference}"),
            },
        },
        "components": components,
        "dependencies": edges,
    })
}

fn purl(disk: &OnDisk<'_>, package: &Package) -> String {
    let (os, release) = disk.os;
    let distro = match release.is_empty() {
        true => String::new(),
        false => format!("&distro={release}"),
    };
    format!(
        "pkg:deb/{}/{}@{}?arch={}{distro}",
        percent(os),
        percent(&package.name),
        percent(&package.version),
        package.architecture
    )
}

fn of_package(disk: &OnDisk<'_>, package: &Package) -> Value {
    let purl = purl(disk, package);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn image_packages_loaders_and_disks_are_in_it() {
        let package = |name: &str, version: &str, on: &[&str]| Package {
            name: name.into(),
            version: version.into(),
            architecture: "amd64".into(),
            source: name.into(),
            depends: on.iter().map(|on| vec![(*on).to_owned()]).collect(),
            ..Package::default()
        };
        let packages = [
            package("bash", "5.2", &["libc6"]),
            package("grub-pc-bin", "2.12", &[]),
            package("libc6", "2.41", &[]),
        ];
        let loaders = ["grub-bios".to_owned(), "systemd-boot".to_owned()];
        let files = [("os.qcow2".to_owned(), "ab".to_owned())];
        let disk = OnDisk {
            image: ("r.example/os:1", "sha256:0a"),
            os: ("debian", "trixie"),
            packages: &packages,
            loaders: &loaders,
            files: &files,
        };
        let made = document("os", &disk);
        assert_eq!(made, document("os", &disk));
        let all = made["components"].as_array().unwrap();
        let find = |name: &str| all.iter().find(|it| it["name"] == *name).unwrap();
        let bash = "pkg:deb/debian/bash@5.2?arch=amd64&distro=trixie";
        assert_eq!(find("bash")["purl"], bash);
        assert_eq!(find("grub-bios")["version"], "2.12");
        assert!(find("systemd-boot")["version"].is_null());
        assert_eq!(find("os.qcow2")["hashes"][0]["content"], "ab");
        assert_eq!(find("r.example/os:1")["version"], "sha256:0a");
        let edges = made["dependencies"].as_array().unwrap();
        let on = |name: &str| edges.iter().find(|it| it["ref"] == *name).unwrap();
        let libc = "pkg:deb/debian/libc6@2.41?arch=amd64&distro=trixie";
        assert_eq!(on(bash)["dependsOn"], json!([libc]));
        assert_eq!(on("disk")["dependsOn"].as_array().unwrap().len(), 3);
    }
}
