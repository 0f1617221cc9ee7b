// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of the tree that repeat what the code knows, printed from it.
//!
//! `make generate` writes them. They are kept in the tree, because who reads it,
//! or builds a package of it, should not have to run something first; a test
//! fails when one differs from what would be written.

mod header;
mod schema;
pub mod scrape;
mod storage_keys;
mod tables;
mod template;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use conf::BOOTC_CONF;
use image_builder::config::DISTRO_YAML;
use installer::cli::documents;
use recipe::RECIPE;
use schema::Empty;
use serde_yaml::{Mapping, Value};
use yaml_doc::Table;

/// A file that is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Its place in the workspace.
    pub path: &'static str,
    /// All that is in it.
    pub text: String,
}

const MAN_TOP: &str = "\
.\\\" SPDX-License-Identifier: MIT OR Apache-2.0
.\\\" Printed by `make generate` from the command line's definition: do not edit.
";

const BOOTC_TOP: &str = "\
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Printed by `make generate` from rust/conf/src/keys.rs: do not edit. A key without
# a value counts as one that is not there.
";

const DISTRO_HEAD: &str = "\
# yaml-language-server: $schema=distro.schema.json
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# What debian-bootc-image-builder puts on the medium. Every key is optional:
# this file, as it is, means the defaults. To set a key, remove the # directly
# before it. A key that is not known is an error that names the nearest known
# one. Relative paths start at the directory of this file.
# docs/distro-yaml.md explains every key.
#
#     debian-bootc-image-builder validate     is it right, and are the files there
#     debian-bootc-image-builder build        make the medium
#
# Printed by `make generate` from rust/image-builder/src/config/keys.rs.
";

const BOOTC_HEAD: &str = "\
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The image, where it comes from, and what the page offers. The engine,
# bootc-installer, reads the same file with --config.
#
# Every key is optional: this file, as it is, means the defaults. To set a key,
# remove the # directly before it, and before the name of the mapping in which it
# is. A key that is not known is an error that names the nearest known one, so that
# a misspelt key is never passed over. Relative paths start at the directory of
# this file.
#
# What the page offers follows from what is here:
#   - containerUrl names an image: it is chosen already,
#   - page.catalogue lists images: the person picks one,
#   - page.allowOther is true: the person can type a reference.
#
# Printed by `make generate` from rust/conf/src/keys.rs.
---
";

const RECIPE_HEAD: &str = "\
# yaml-language-server: $schema=recipe.schema.json
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Recipe of an unattended installation. `disk` must be said. To set a key, remove
# the # directly before it. A key that is not known is an error that names the
# nearest known one. Relative paths start at the directory of this file.
# docs/unattended.md explains every key.
#
#     bootc-installer to-disk --recipe recipe.yaml --dry-run   says what it would do
#
# Printed by `make generate` from rust/recipe/src/keys.rs.

";

/// The directory with the workspace's `Cargo.toml`.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file that is printed, as the code is now.
///
/// # Errors
/// When sources cannot be read, or do not have what is looked for in them.
pub fn files() -> Result<Vec<Printed>> {
    let document = |path: &'static str, table| {
        let text = fs::read_to_string(workspace().join(path));
        let text = text.with_context(|| format!("reading {path}"))?;
        let text = tables::printed(&text, table).with_context(|| format!("in {path}"))?;
        anyhow::Ok(Printed { path, text })
    };
    Ok(vec![
        document("docs/distro-yaml.md", &DISTRO_YAML)?,
        document("docs/formats.md", &BOOTC_CONF)?,
        document("docs/unattended.md", &RECIPE)?,
        Printed {
            path: "rust/recipe/recipe.schema.json",
            text: recipe_schema()?,
        },
        Printed {
            path: "rust/recipe/recipe.yaml",
            text: template::template(RECIPE_HEAD, &RECIPE, false),
        },
        Printed {
            path: "rust/image-builder/distro.schema.json",
            text: distro_schema()?,
        },
        Printed {
            path: "calamares-module/bootc/bootc.schema.yaml",
            text: bootc_schema()?,
        },
        Printed {
            path: "rust/image-builder/distro.yaml",
            text: template::template(DISTRO_HEAD, &DISTRO_YAML, false),
        },
        Printed {
            path: "calamares-module/bootc/bootc.conf",
            // Scripts and boot parameters put lines below it.
            text: template::template(BOOTC_HEAD, &BOOTC_CONF, true),
        },
        Printed {
            path: "docs/error-codes.md",
            text: documents::error_codes(),
        },
        Printed {
            path: "calamares-module/common/EngineTexts.h",
            text: header::text(&workspace())?,
        },
        Printed {
            path: "calamares-module/common/StorageKeys.h",
            text: storage_keys::text(),
        },
        Printed {
            path: "debian/bootc-installer.1",
            text: MAN_TOP.to_owned() + &manual::page(documents::command())?,
        },
    ])
}

fn distro_schema() -> Result<String> {
    editors_schema(
        "distro.yaml of debian-bootc-image-builder",
        "What debian-bootc-image-builder puts on the medium. docs/distro-yaml.md explains every key.",
        &["object", "null"],
        &DISTRO_YAML,
    )
}

fn recipe_schema() -> Result<String> {
    editors_schema(
        "Recipe of an unattended installation",
        "What bootc-installer has to know to install without a person. docs/unattended.md explains every key.",
        &["object"],
        &RECIPE,
    )
}

/// For editors, which know draft 2020-12.
fn editors_schema(title: &str, about: &str, types: &[&str], table: &Table) -> Result<String> {
    let mut schema = Mapping::new();
    let top = [
        ("$schema", "https://json-schema.org/draft/2020-12/schema"),
        ("title", title),
        ("description", about),
    ];
    schema.extend(top.map(|(key, text)| (key.into(), text.into())));
    let types = match types {
        [one] => Value::from(*one),
        all => all.to_vec().into(),
    };
    schema.insert("type".into(), types);
    schema.extend(schema::object(table, Empty::Sections)?);
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// In the form of the schemas of Calamares' modules.
fn bootc_schema() -> Result<String> {
    let mut schema = Mapping::new();
    let top = [
        ("$schema", "https://json-schema.org/schema#"),
        ("$id", "https://calamares.io/schemas/bootc"),
        ("type", "object"),
    ];
    schema.extend(top.map(|(key, text)| (key.into(), text.into())));
    schema.extend(schema::object(&BOOTC_CONF, Empty::Everywhere)?);
    let yaml = serde_yaml::to_string(&schema)?;
    Ok(format!("{BOOTC_TOP}---\n{yaml}"))
}

/// Says of each file that differs, or is not there, what to do.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn out_of_date(root: &Path, files: &[Printed]) -> Result<Vec<String>> {
    let mut old = Vec::new();
    for file in differing(root, files)? {
        old.push(format!("{} is out of date: run `make generate`", file.path));
    }
    Ok(old)
}

/// Writes what differs, and gives the paths of that.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(root: &Path, files: &[Printed]) -> Result<Vec<&'static str>> {
    let mut written = Vec::new();
    for file in differing(root, files)? {
        let path = root.join(file.path);
        fs::write(&path, &file.text).with_context(|| format!("writing {}", path.display()))?;
        written.push(file.path);
    }
    Ok(written)
}

fn differing<'a>(root: &Path, files: &'a [Printed]) -> Result<Vec<&'a Printed>> {
    let mut found = Vec::new();
    for file in files {
        let path = root.join(file.path);
        let there = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(err) if err.kind() == ErrorKind::NotFound => None,
            Err(err) => return Err(err).with_context(|| format!("reading {}", path.display())),
        };
        if there.as_deref() != Some(file.text.as_bytes()) {
            found.push(file);
        }
    }
    Ok(found)
}
