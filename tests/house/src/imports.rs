// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which module uses which: paths that begin at the crate, at a module around,
//! or at one inside, in code and in the arguments of macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, ItemFn, ItemImpl, ItemUse, Macro, UseTree};

use crate::tree::{ModulePath, Modules, is_test};

/// Re-exports are followed this often at the most.
const STEPS_MAX: usize = 8;

/// Pairs of modules, the first of which names something of the second.
pub(crate) fn of(modules: &Modules) -> BTreeSet<(ModulePath, ModulePath)> {
    let exports: BTreeMap<_, _> = modules
        .iter()
        .map(|(module, items)| (module.clone(), names_in(items)))
        .collect();
    let resolver = Resolver { modules, exports };
    let mut pairs = BTreeSet::new();
    for (module, items) in modules {
        let mut paths = Paths::default();
        for item in items {
            paths.visit_item(item);
        }
        for path in paths.found {
            if let Some(used) = resolver.module_of(module, &path) {
                pairs.insert((module.clone(), used));
            }
        }
    }
    pairs
}

struct Resolver<'a> {
    modules: &'a Modules,
    /// What `use` names in a module, and what it stands for.
    exports: BTreeMap<ModulePath, BTreeMap<String, Vec<String>>>,
}

impl Resolver<'_> {
    /// The module in which a path's item is, as seen from `at`; `None` when the
    /// path leads out of the crate.
    fn module_of(&self, at: &ModulePath, path: &[String]) -> Option<ModulePath> {
        self.follow(at, path, STEPS_MAX)
    }

    fn follow(&self, at: &ModulePath, path: &[String], steps: usize) -> Option<ModulePath> {
        let (mut here, mut rest) = self.start(at, path)?;
        loop {
            let Some((first, after)) = rest.split_first() else {
                return Some(here);
            };
            if first == "super" {
                here.pop();
                rest = after;
                continue;
            }
            let mut child = here.clone();
            child.push(first.clone());
            if self.modules.contains_key(&child) {
                here = child;
                rest = after;
                continue;
            }
            // An item of this module, unless that is another's under this name.
            let Some(target) = self.exports[&here].get(first).filter(|_| steps > 0) else {
                return Some(here);
            };
            return self.follow(&here, target, steps - 1).or(Some(here));
        }
    }

    fn start<'p>(&self, at: &ModulePath, path: &'p [String]) -> Option<(ModulePath, &'p [String])> {
        let first = path.first()?;
        match first.as_str() {
            "crate" => Some((Vec::new(), &path[1..])),
            "self" => Some((at.clone(), &path[1..])),
            "super" => Some((at.clone(), path)),
            name => {
                let mut child = at.clone();
                child.push(name.to_owned());
                let known = self.modules.contains_key(&child);
                known.then(|| (at.clone(), path))
            }
        }
    }
}

/// The names that `use` brings into a module.
fn names_in(items: &[Item]) -> BTreeMap<String, Vec<String>> {
    let mut names = BTreeMap::new();
    for item in items {
        if let Item::Use(item) = item {
            leaves(&item.tree, &mut Vec::new(), &mut |path, name| {
                names.insert(name.to_owned(), path.to_vec());
            });
        }
    }
    names
}

fn leaves(tree: &UseTree, path: &mut Vec<String>, tell: &mut dyn FnMut(&[String], &str)) {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            leaves(&part.tree, path, tell);
            path.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, path, tell);
            }
        }
        UseTree::Glob(_) => tell(path, "*"),
        UseTree::Name(name) if name.ident == "self" => {
            let last = path.last().cloned().unwrap_or_default();
            tell(path, &last);
        }
        UseTree::Name(name) => leaf(&name.ident.to_string(), None, path, tell),
        UseTree::Rename(name) => {
            let new = name.rename.to_string();
            leaf(&name.ident.to_string(), Some(&new), path, tell);
        }
    }
}

fn leaf(
    name: &str,
    new: Option<&str>,
    path: &mut Vec<String>,
    tell: &mut dyn FnMut(&[String], &str),
) {
    path.push(name.to_owned());
    tell(path, new.unwrap_or(name));
    path.pop();
}

/// Every path in code, whether it is an import or not.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
}

impl Paths {
    /// Macros are not parsed, so a path is a run of `a :: b :: c`.
    fn in_tokens(&mut self, tokens: TokenStream) {
        let mut run: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end(&mut run);
                    }
                    run.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut run);
                    self.in_tokens(group.stream());
                    colons = 0;
                }
                _ => {
                    self.end(&mut run);
                    colons = 0;
                }
            }
        }
        self.end(&mut run);
    }

    fn end(&mut self, run: &mut Vec<String>) {
        if run.len() > 1 {
            self.found.push(std::mem::take(run));
        }
        run.clear();
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test(&item.attrs) {
            leaves(&item.tree, &mut Vec::new(), &mut |path, _| {
                self.found.push(path.to_vec());
            });
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        let segments: Vec<String> = segments.map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.found.push(segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.in_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}
