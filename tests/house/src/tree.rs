// SPDX-License-Identifier: MIT OR Apache-2.0
//! A crate's modules, read from its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta};

/// Path of a module below its crate, outermost first; empty for the crate.
pub(crate) type ModulePath = Vec<String>;

/// The items of each module, without modules and without tests.
pub(crate) type Modules = BTreeMap<ModulePath, Vec<Item>>;

/// Reads the library in `dir`, or its program where it has no library.
pub(crate) fn read(dir: &Path) -> Result<Modules> {
    let source = dir.join("src");
    let top = ["lib.rs", "main.rs"].map(|name| source.join(name));
    let top = top.iter().find(|path| path.exists());
    let top = top.with_context(|| format!("no crate in {}", dir.display()))?;
    let mut modules = Modules::new();
    file(top, &source, Vec::new(), &mut modules)?;
    Ok(modules)
}

/// `inner` is where the files of its modules are.
fn file(path: &Path, inner: &Path, module: ModulePath, modules: &mut Modules) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let parsed = syn::parse_file(&text).with_context(|| format!("parsing {}", path.display()))?;
    items(parsed.items, inner, module, modules)
}

fn items(all: Vec<Item>, inner: &Path, module: ModulePath, modules: &mut Modules) -> Result<()> {
    let mut own = Vec::new();
    for item in all {
        match item {
            Item::Mod(child) if is_test(&child.attrs) => {}
            Item::Mod(child) => {
                let name = child.ident.to_string();
                let mut path = module.clone();
                path.push(name.clone());
                let dir = inner.join(&name);
                match child.content {
                    Some((_, content)) => items(content, &dir, path, modules)?,
                    None => file(&place(&child, inner, &dir), &dir, path, modules)?,
                }
            }
            item => own.push(item),
        }
    }
    modules.insert(module, own);
    Ok(())
}

fn place(child: &ItemMod, inner: &Path, dir: &Path) -> PathBuf {
    let named = child
        .attrs
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(value) if value.path.is_ident("path") => match &value.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(inner.join(text.value())),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
    let beside = dir.with_extension("rs");
    named.unwrap_or_else(|| match beside.exists() {
        true => beside,
        false => dir.join("mod.rs"),
    })
}

/// Whether these are the attributes of something that is there in tests only.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().is_ident("test"),
    })
}
