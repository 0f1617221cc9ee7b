// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fuzz targets: everything here that reads what somebody else wrote.
//!
//! A target takes any bytes and panics when a promise is broken. libFuzzer
//! looks for such bytes (`make fuzz`); the test in `tests/` gives each target
//! what lies in its directory of the corpus, which is the seeds and whatever
//! was found once.

use std::path::PathBuf;

mod targets;

/// One entry point.
#[derive(Debug)]
pub struct Target {
    /// Its name, also that of its directory in the corpus.
    pub name: &'static str,
    /// What it reads.
    pub about: &'static str,
    /// Longest input, in bytes.
    pub max_len: usize,
    /// It makes files as root, in a temporary directory.
    pub writes: bool,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target(
        "reference",
        "image references, digests, platforms",
        512,
        targets::text::reference,
    ),
    target(
        "auth-json",
        "containers-auth.json(5)",
        2048,
        targets::text::auth_json,
    ),
    target(
        "registries-conf",
        "containers-registries.conf(5)",
        2048,
        targets::text::registries_conf,
    ),
    target(
        "header",
        "headers of registries: logins, ranges, waits, redirects",
        512,
        targets::text::header,
    ),
    target(
        "token",
        "tokens of login services",
        1024,
        targets::text::token,
    ),
    target(
        "manifest",
        "indexes, manifests, configurations",
        4096,
        targets::manifest::run,
    ),
    target(
        "policy",
        "containers-policy.json(5)",
        2048,
        targets::signature::policy,
    ),
    target(
        "signature",
        "cosign payloads and bundles",
        2048,
        targets::signature::signature,
    ),
    target(
        "public-key",
        "public keys, PEM and DER",
        1024,
        targets::signature::public_key,
    ),
    target("pax", "records of pax headers", 1024, targets::layer::pax),
    target(
        "name",
        "names in layers, whiteouts",
        512,
        targets::layer::name,
    ),
    target(
        "tar",
        "tar archives, all headers",
        8192,
        targets::layer::tar,
    ),
    Target {
        writes: true,
        ..target(
            "unpack",
            "hostile layers, unpacked as root",
            2048,
            targets::unpack::run,
        )
    },
    target("bootc-conf", "bootc.conf", 4096, targets::text::bootc_conf),
    target("plan", "installation plans", 4096, targets::text::plan),
    target(
        "global-storage",
        "what Calamares hands over",
        4096,
        targets::text::global_storage,
    ),
    target(
        "bootc-output",
        "what bootc draws on its terminal",
        2048,
        targets::text::bootc_output,
    ),
    target(
        "distro-yaml",
        "distro.yaml",
        4096,
        targets::text::distro_yaml,
    ),
];

const fn target(name: &'static str, about: &'static str, max_len: usize, run: fn(&[u8])) -> Target {
    Target {
        name,
        about,
        max_len,
        writes: false,
        run,
    }
}

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// This crate's directory in the source tree.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl Target {
    /// Seeds and what was found once.
    pub fn corpus(&self) -> PathBuf {
        directory().join("corpus").join(self.name)
    }

    /// Words of the format, for libFuzzer; not every target has some.
    pub fn dictionary(&self) -> Option<PathBuf> {
        let path = directory()
            .join("dictionaries")
            .join(format!("{}.dict", self.name));
        path.exists().then_some(path)
    }
}
