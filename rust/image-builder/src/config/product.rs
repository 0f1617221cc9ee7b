// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section `product`.

use super::reader::{Document, Section};
use super::{Product, syntax};
use crate::error::Result;

/// Reads the section; what is not there stays as it is in `product`.
pub(super) fn read(doc: &Document, top: &mut Section, product: &mut Product) -> Result<()> {
    let mut section = top.section_or_empty(doc, "product")?;
    let name = section.checked(doc, "name", syntax::title)?;
    let short = section.checked(doc, "shortName", syntax::title)?;
    let id = section.checked(doc, "id", syntax::id)?;
    section.replace(doc, "version", syntax::version, &mut product.version)?;
    section.replace(doc, "url", syntax::url, &mut product.url)?;
    section.replace(doc, "supportUrl", syntax::url, &mut product.support_url)?;
    section.replace(doc, "publisher", syntax::title, &mut product.publisher)?;

    // A product with a name of its own does not keep the others' defaults.
    if let Some(name) = name {
        if let Some(word) = name.split_whitespace().next() {
            product.short_name = word.to_owned();
        }
        product.id = syntax::id_from(&name);
        product.name = name;
    }
    if let Some(short) = short {
        product.short_name = short;
    }
    if let Some(id) = id {
        product.id = id;
    }
    if product.id.is_empty() {
        return Err(doc
            .invalid(&section.at("name"), "no id can be made from this name")
            .why("File names, volume and host name have letters a-z, digits and dashes only.")
            .next("Add `id` beside it, for example `id: example-os`."));
    }
    section.finish(doc)
}
