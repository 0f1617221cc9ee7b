// SPDX-License-Identifier: MIT OR Apache-2.0
//! Targets that read text. What is no UTF-8 is refused before any parser.

use std::path::Path;

use contract::plan::Plan;
use image_builder::config::Distro;
use imageref::{Digest, ImageRef, Reference};
use installer::calamares::GlobalStorage;
use registry::{CredentialStore, Platform, RegistriesConf};
use zeroize::Zeroizing;

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// What is printed is read as the same again.
fn same<T>(value: &T)
where
    T: std::fmt::Display + std::str::FromStr + PartialEq + std::fmt::Debug,
{
    let printed = value.to_string();
    assert_eq!(printed.parse::<T>().ok().as_ref(), Some(value), "{printed}");
}

pub(crate) fn reference(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match text.parse::<Reference>() {
        Ok(reference) => {
            same(&reference);
            let docker = Reference::parse_docker_style(&reference.to_string());
            assert_eq!(docker.as_ref(), Ok(&reference), "{reference}");
        }
        Err(error) => {
            // In the text that was given: passwords are masked in the error's own.
            assert!(error.at() <= text.len(), "{error:?}");
            drop(error.to_string());
        }
    }
    if let Ok(reference) = Reference::parse_docker_style(text) {
        same(&reference);
    }
    if let Ok(image) = text.parse::<ImageRef>() {
        same(&image);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        same(&digest);
        assert!(digest.hex().starts_with(digest.short()));
    }
    if let Ok(platform) = text.parse::<Platform>() {
        same(&platform);
    }
}

/// References that seeds and dictionary have entries for.
const ASKED: [&str; 3] = [
    "registry.example/os/debian:13",
    "docker.io/library/debian:13",
    "127.0.0.1:5000/a/b/c:v1",
];

fn asked(reference: &str) -> Reference {
    reference.parse().unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn auth_json(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match CredentialStore::from_auth_json(text) {
        Ok(store) => {
            drop(format!("{store:?}"));
            // A look-up may run a credential helper, which no input should.
            if !text.contains("cred") && !text.contains('\\') {
                for reference in ASKED {
                    drop(store.lookup(&asked(reference)));
                }
            }
        }
        Err(error) => drop(error.to_string()),
    }
}

pub(crate) fn registries_conf(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match RegistriesConf::from_toml("registries.conf", text) {
        Ok(conf) => {
            for reference in ASKED {
                let reference = asked(reference);
                match conf.endpoints(&reference) {
                    Ok(endpoints) => {
                        let primaries = endpoints.iter().filter(|e| !e.mirror).count();
                        assert_eq!(primaries, 1, "{endpoints:?}");
                        assert!(endpoints.last().is_some_and(|e| !e.mirror), "{endpoints:?}");
                    }
                    Err(error) => drop((error.to_string(), error.hint())),
                }
            }
            let mut twice = conf.clone();
            twice.merge(conf);
        }
        Err(error) => {
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&error.line), "{error}");
        }
    }
}

pub(crate) fn header(data: &[u8]) {
    // What a header can hold at all.
    if let Some(text) = text(data).filter(|text| !text.contains(['\r', '\n', '\0'])) {
        registry::fuzz::header(text);
    }
}

pub(crate) fn token(data: &[u8]) {
    registry::fuzz::token(data);
}

pub(crate) fn bootc_conf(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let path = Path::new("/etc/calamares/modules/bootc.conf");
    let mut config = match conf::parse(path, Zeroizing::new(text.to_owned())) {
        Ok(config) => config,
        Err(error) => return drop(error.to_string()),
    };
    // What has no effect is not written, and a login cannot be.
    config.warnings.clear();
    let Ok(written) = conf::write(&config) else {
        return;
    };
    match conf::parse(path, Zeroizing::new(written.clone())) {
        Ok(again) => assert_eq!(again, config, "{written}"),
        Err(error) => panic!("{error}: {written}"),
    }
}

pub(crate) fn plan(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(plan) = Plan::from_json(text) else {
        return;
    };
    let printed = plan.to_json().unwrap_or_else(|e| panic!("{e}"));
    match Plan::from_json(&printed) {
        Ok(again) => assert_eq!(again, plan, "{printed}"),
        Err(error) => panic!("{error}: {printed}"),
    }
    plan.registry_for("registry.example/os/debian");
}

pub(crate) fn global_storage(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(storage) = GlobalStorage::from_json(text) else {
        return;
    };
    // Both only look.
    drop(storage.target().map(Path::to_owned));
    drop(
        storage
            .mounted_at("/")
            .map(|p| (p.is_used(), p.open_device())),
    );
}

/// The layers' sizes stand before the first line: `10,2000,300`.
pub(crate) fn bootc_output(data: &[u8]) {
    let end = data.iter().position(|&b| b == b'\n').unwrap_or(data.len());
    let (sizes, drawn) = data.split_at(end);
    let layers = String::from_utf8_lossy(sizes)
        .split(',')
        .filter_map(|size| size.trim().parse().ok())
        .collect();
    installer::bootc::fuzz::output(drawn, layers);
}

pub(crate) fn distro_yaml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Distro::parse(Path::new("/distro/distro.yaml"), text) {
        Ok(distro) => {
            let id = distro.product.volume_id();
            assert!(id.len() <= 32, "{id}");
        }
        Err(error) => drop(error.to_string()),
    }
}
