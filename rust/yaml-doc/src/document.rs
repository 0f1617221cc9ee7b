// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file as a whole.

use std::path::{Path, PathBuf};

use crate::keys::{Check, Wrong};
use crate::mistake::{Mistake, Result};
use crate::template::{self, TemplateError};
use crate::tree::{self, Fault, Node, Place};
use crate::words::{dotted, listed, nearest, shown};

/// A file: its name for messages, its directory, what is in it.
#[derive(Debug)]
pub struct Document {
    name: String,
    dir: PathBuf,
    tree: std::result::Result<Node, Fault>,
    /// Texts for `{{ name }}`; none when braces mean nothing in this format.
    variables: Option<Vec<(String, String)>>,
}

impl Document {
    /// `name` is for messages, relative paths start at `dir`.
    pub fn new(name: &Path, dir: &Path, text: &str) -> Self {
        Self {
            name: name.display().to_string(),
            dir: dir.to_owned(),
            tree: tree::parse(text),
            variables: None,
        }
    }

    /// From now on `{{ name }}` in texts is resolved.
    #[must_use]
    pub fn with_variables(mut self, variables: Vec<(String, String)>) -> Self {
        self.variables = Some(variables);
        self
    }

    /// File name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A path of the file, from its directory.
    pub fn resolve(&self, path: &str) -> PathBuf {
        // By components, so that `./logo.svg` and `logo.svg` are one.
        self.dir.join(path).components().collect()
    }

    /// What is in the file.
    pub(crate) fn tree(&self) -> Result<&Node> {
        self.tree.as_ref().map_err(|fault| {
            let place = self.at(Some(fault.place));
            Mistake::new(format!("{place}: this is not valid YAML."))
                .why("Indentation, a quote, or a key that is there twice are the usual causes.")
                .next("Correct the line.")
                .detail(&fault.problem)
        })
    }

    /// A mistake at a key.
    pub fn invalid(&self, path: &[&str], problem: &str) -> Mistake {
        let key = match path {
            [] => String::new(),
            _ => format!("`{}`: ", dotted(path)),
        };
        Mistake::new(format!("{}: {key}{problem}.", self.place(path)))
    }

    /// A value outside of a list of names.
    pub fn one_of(&self, path: &[&str], value: &str, names: &[&str]) -> Mistake {
        self.invalid(path, &format!("`{}` is not a known value", shown(value)))
            .why(match nearest(value, names) {
                Some(near) => format!("Perhaps `{near}` was meant."),
                None => "It is misspelt or not supported.".into(),
            })
            .next(match names {
                [only] => format!("Write `{only}`."),
                _ => format!("Write one of {}.", listed(names)),
            })
    }

    /// A value with a wrong form.
    pub fn wrong(&self, path: &[&str], value: &str, wrong: &Wrong) -> Mistake {
        self.invalid(path, &format!("`{}` {}", shown(value), wrong.what))
            .why(wrong.why.as_ref())
            .next(wrong.next)
    }

    /// A key that nobody knows.
    pub(crate) fn unknown_key(&self, path: &[&str], key: &str, known: &[&str]) -> Mistake {
        let what = format!(
            "{}: `{}` is not a known key.",
            self.place(path),
            dotted(path)
        );
        match nearest(key, known) {
            Some(near) => Mistake::new(what)
                .why(format!("Perhaps `{near}` was meant."))
                .next(format!("Write `{near}`, or remove the key.")),
            None => Mistake::new(what)
                .why("No key here has a similar name.")
                .next(format!("Remove it; known here are {}.", listed(known))),
        }
    }

    /// `distro.yaml, line 7, column 3`.
    fn place(&self, path: &[&str]) -> String {
        self.at(self.tree.as_ref().ok().and_then(|tree| tree.place(path)))
    }

    fn at(&self, place: Option<Place>) -> String {
        match place {
            Some(Place { line, column }) => {
                format!("{}, line {line}, column {column}", self.name)
            }
            None => self.name.clone(),
        }
    }

    pub(crate) fn check(&self, path: &[&str], value: String, check: Check) -> Result<String> {
        match check(&value) {
            Ok(()) => Ok(value),
            Err(wrong) => Err(self.wrong(path, &value, &wrong)),
        }
    }

    /// A text with its variables resolved.
    pub(crate) fn expand(&self, path: &[&str], text: &str) -> Result<String> {
        let variables = match &self.variables {
            Some(variables) if text.contains("{{") => variables,
            _ => return Ok(text.to_owned()),
        };
        template::expand(text, variables).map_err(|e| match e {
            TemplateError::Open => self
                .invalid(path, "a `{{` has no `}}`")
                .next("Write variables as {{ name }}."),
            TemplateError::Unknown(name) => {
                let names: Vec<&str> = variables.iter().map(|(n, _)| n.as_str()).collect();
                self.invalid(path, &format!("the variable `{name}` is not defined"))
                    .why(match nearest(&name, &names) {
                        Some(near) => format!("Perhaps `{near}` was meant."),
                        None => "Nothing below `variables` has this name.".into(),
                    })
                    .next(format!("Define it: `variables: {{ {name}: … }}`."))
            }
        })
    }
}
