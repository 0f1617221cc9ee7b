// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `page` section: what the page in Calamares offers.

use std::path::PathBuf;

use yaml_doc::{Mistake, Section};

use crate::localized::Localized;

/// What the page offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// `catalogue`: images to pick from, in this order.
    pub catalogue: Vec<CatalogueEntry>,
    /// `allowOther`: any reference can be typed. Default true.
    pub allow_other: bool,
    /// `skipWhenValid`: the page goes on by itself when the image of
    /// `containerUrl` was found to be good. Default false.
    pub skip_when_valid: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            catalogue: Vec::new(),
            allow_other: true,
            skip_when_valid: false,
        }
    }
}

/// One image of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// `name`.
    pub name: Localized,
    /// `description`.
    pub description: Option<Localized>,
    /// `icon`.
    pub icon: Option<Icon>,
    /// `reference`: an image in a registry, or `oci:DIR[:TAG]`. It can be
    /// parsed; it is kept as it was written.
    pub reference: String,
}

/// Where an icon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Icon {
    /// An image file, by its absolute path.
    File(PathBuf),
    /// An icon of the desktop's theme, by its name.
    Theme(String),
}

impl Icon {
    /// Whether a text means a file: names of a theme have neither a slash nor an
    /// ending.
    pub fn is_file(text: &str) -> bool {
        text.contains(['/', '.'])
    }
}

/// Reads the section; all of it is optional.
pub(super) fn page(section: &Section) -> Result<Page, Mistake> {
    let usual = Page::default();
    let catalogue = section.sections("catalogue")?;
    Ok(Page {
        catalogue: catalogue.iter().map(entry).collect::<Result<_, _>>()?,
        allow_other: section.flag("allowOther")?.unwrap_or(usual.allow_other),
        skip_when_valid: section
            .flag("skipWhenValid")?
            .unwrap_or(usual.skip_when_valid),
    })
}

fn entry(section: &Section) -> Result<CatalogueEntry, Mistake> {
    let missing = |key: &str| {
        section
            .doc()
            .invalid(&section.at_itself(), &format!("`{key}` is missing"))
            .why("An image of the catalogue has a name and a reference.")
            .next(format!("Add `{key}`, or remove the entry."))
    };
    let name = Localized::new(section.localized("name")?);
    let description = Localized::new(section.localized("description")?);
    let icon = section
        .text("icon")?
        .map(|icon| match Icon::is_file(&icon) {
            true => Icon::File(section.doc().resolve(&icon)),
            false => Icon::Theme(icon),
        });
    let reference = section.text("reference")?;
    Ok(CatalogueEntry {
        name: name.ok_or_else(|| missing("name"))?,
        description,
        icon,
        reference: reference.ok_or_else(|| missing("reference"))?,
    })
}
