// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section `product`.

use yaml_doc::{Mistake, Section};

use super::{Product, syntax};

/// Reads the section; what is not there stays as it is in `product`.
pub(super) fn read(top: &Section, product: &mut Product) -> Result<(), Mistake> {
    let section = top.section_or_empty("product")?;
    let name = section.text("name")?;
    let short = section.text("shortName")?;
    let id = section.text("id")?;
    section.replace("version", &mut product.version)?;
    section.replace("url", &mut product.url)?;
    section.replace("supportUrl", &mut product.support_url)?;
    section.replace("publisher", &mut product.publisher)?;

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
        return Err(section
            .invalid("name", "no id can be made from this name")
            .why("File names, volume and host name have letters a-z, digits and dashes only.")
            .next("Add `id` beside it, for example `id: example-os`."));
    }
    Ok(())
}
