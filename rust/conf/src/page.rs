// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `page` section: what the page in Calamares offers.

use std::path::PathBuf;

use contract::error::Result;
use contract::error::capital;
use imageref::ImageRef;

use crate::localized::Localized;
use crate::reader::{Document, Section};

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

/// Reads the section; all of it is optional.
pub(super) fn page(doc: &Document, top: &mut Section) -> Result<Page> {
    let mut page = Page::default();
    let Some(mut section) = top.section(doc, &["page"])? else {
        return Ok(page);
    };
    for entry in section.sections(doc, "catalogue")? {
        page.catalogue.push(catalogue_entry(doc, entry)?);
    }
    if let Some(allow) = section.flag(doc, &["allowOther"])? {
        page.allow_other = allow;
    }
    if let Some(skip) = section.flag(doc, &["skipWhenValid"])? {
        page.skip_when_valid = skip;
    }
    section.finish(doc)?;
    Ok(page)
}

fn catalogue_entry(doc: &Document, mut section: Section) -> Result<CatalogueEntry> {
    let name = section.localized(doc, "name")?;
    let description = section.localized(doc, "description")?;
    let icon = section.text(doc, &["icon"])?.map(|icon| {
        // Names of a theme have neither a slash nor an ending.
        if icon.contains(['/', '.']) {
            Icon::File(doc.dir().join(icon))
        } else {
            Icon::Theme(icon)
        }
    });
    let reference = section.text(doc, &["reference"])?;
    let missing = |key: &str| {
        doc.invalid(&section.at_itself(), &format!("`{key}` is missing"))
            .why("An image of the catalogue has a name and a reference.")
            .next(format!("Add `{key}`, or remove the entry."))
    };
    let name = name.ok_or_else(|| missing("name"))?;
    let reference = reference.ok_or_else(|| missing("reference"))?;
    let problem = match reference.parse::<ImageRef>() {
        Ok(ImageRef::Registry(_) | ImageRef::Oci(_)) => None,
        Ok(other) => Some(format!(
            "Images cannot be installed from `{}`.",
            other.transport()
        )),
        Err(err) => Some(format!("{}.", capital(&err.problem().to_string()))),
    };
    if let Some(problem) = problem {
        return Err(doc
            .invalid(
                &section.at("reference"),
                &format!("`{reference}` is no image to install"),
            )
            .why(problem)
            .next("Write it in full, for example registry.example/os/debian:13."));
    }
    section.finish(doc)?;
    Ok(CatalogueEntry {
        name,
        description,
        icon,
        reference,
    })
}
