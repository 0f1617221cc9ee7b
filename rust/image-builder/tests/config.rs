// SPDX-License-Identifier: MIT OR Apache-2.0
//! `distro.yaml`: what is refused and how, what is understood, and that
//! template, schema, documentation and reader say the same.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ::conf::{CatalogueEntry, Icon, Localized, RegistryEntry};
use image_builder::config::{
    Branding, Compression, DISTRO_YAML, Distro, Firmware, Product, SCHEMA, TEMPLATE, bootc_conf,
};
use image_builder::error::{Code, Error};
use secrecy::zeroize::Zeroizing;
use serde_json::Value;
use yaml_doc::{Kind, Table};

#[path = "config/bad.rs"]
mod bad;
#[path = "config/conf.rs"]
mod conf;
#[path = "config/files.rs"]
mod files;
#[path = "config/good.rs"]
mod good;
#[path = "config/same.rs"]
mod same;

/// The file that all texts here are said to be in.
const PATH: &str = "/d/distro.yaml";

fn parse(text: &str) -> Result<Distro, Error> {
    Distro::parse(Path::new(PATH), text)
}

fn good(text: &str) -> Distro {
    parse(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// An error without the name of the file.
fn told(error: &Error) -> [&str; 3] {
    let what = error.what.strip_prefix(PATH).unwrap_or(&error.what);
    [
        what.trim_start_matches(',').trim_start_matches(':').trim(),
        &error.why,
        &error.next,
    ]
}
