// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sections `registries`, `containers` and `images`: templates become
//! references.

use conf::{CatalogueEntry, Icon, Localized};
use yaml_doc::{Document, Mistake, Section, Value, nearest, shown, wrong_type};

use super::{Distro, syntax};
use crate::error::{Code, Error};

type Result<T> = std::result::Result<T, Mistake>;

/// What stands in the braces of a template.
const VARIABLES: [&str; 3] = ["registry", "namespace", "version"];

/// Reads all three sections. `image` counts instead of `images.default`.
pub(super) fn read(
    top: &Section,
    image: Option<&str>,
    distro: &mut Distro,
) -> std::result::Result<(), Error> {
    let doc = top.doc();
    let registries = registries(top)?;
    let section = top.section_or_empty("images")?;
    let containers = Containers {
        chosen: registry(&section, &registries)?,
        registries: registries.len(),
        version: section.text("version")?,
        templates: top.named_texts("containers")?,
    };
    containers.check(doc)?;

    let images = &mut distro.images;
    if let Some(text) = section.text("default")? {
        images.default = Some(containers.resolve(doc, &section.at("default"), &text)?);
    }
    if let Some(image) = image {
        images.default = Some(match containers.named(doc, image)? {
            Some(reference) => reference,
            None => from_command_line(image)?,
        });
    }
    for entry in section.sections("catalogue")? {
        images.catalogue.push(catalogue_entry(&containers, &entry)?);
    }
    if let Some(allow) = section.flag("allowOther")? {
        images.allow_other = allow;
    }
    images.embed = embedded(&containers, &section, images.default.as_ref())?;

    if !images.allow_other && images.catalogue.is_empty() && images.default.is_none() {
        let mistake = section
            .invalid("allowOther", "there is no image to choose")
            .why("No other image may be named, and there is neither a default nor a catalogue.")
            .next("Add images to `images.catalogue`, or an `images.default`.");
        return Err(mistake.into());
    }
    for reference in &images.embed {
        let offered = images.default.iter();
        let offered = offered.chain(images.catalogue.iter().map(|entry| &entry.reference));
        if !offered.into_iter().any(|other| other == reference) {
            distro.warnings.push(format!(
                "{}: `images.embed`: {reference} is put on the medium, but it is neither the default nor in the catalogue.",
                doc.name()
            ));
        }
    }
    Ok(())
}

/// One of `registries`.
struct Registry {
    name: String,
    base_url: String,
    namespace: Option<String>,
}

fn registries(top: &Section) -> Result<Vec<Registry>> {
    let mut registries = Vec::new();
    for (name, section) in top.named("registries")? {
        let Some(base_url) = section.text("base_url")? else {
            return Err(top
                .doc()
                .invalid(&section.at_itself(), "`base_url` is missing")
                .why("It fills {registry} in `containers`.")
                .next("Add it, for example `base_url: registry.example`."));
        };
        registries.push(Registry {
            name,
            base_url,
            namespace: section.text("namespace")?,
        });
    }
    Ok(registries)
}

/// The registry that fills the templates: the one that is named, or the only
/// one.
fn registry<'a>(section: &Section, registries: &'a [Registry]) -> Result<Option<&'a Registry>> {
    let doc = section.doc();
    let Some(name) = section.text("registry")? else {
        return Ok(match registries {
            [only] => Some(only),
            _ => None,
        });
    };
    let found = registries.iter().find(|registry| registry.name == name);
    if found.is_none() {
        let at = section.at("registry");
        let names: Vec<&str> = registries.iter().map(|r| r.name.as_str()).collect();
        return Err(match names.as_slice() {
            [] => doc
                .invalid(&at, &format!("there is no registry `{}`", shown(&name)))
                .why("Nothing is below `registries`.")
                .next(format!(
                    "Add it: `registries: {{{}: {{base_url: registry.example}}}}`.",
                    shown(&name)
                )),
            _ => doc.one_of(&at, &name, &names),
        });
    }
    Ok(found)
}

/// The templates and what fills them.
struct Containers<'a> {
    chosen: Option<&'a Registry>,
    registries: usize,
    version: Option<String>,
    templates: Vec<(String, String)>,
}

impl Containers<'_> {
    /// Looks at every template, also at those that nothing uses: a mistake in
    /// one is better found now than when it is used for the first time.
    fn check(&self, doc: &Document) -> Result<()> {
        for (name, template) in &self.templates {
            let at = ["containers", name.as_str()];
            // What is merely not filled counts only where it is used.
            if let Filled::Text(text) = self.fill(doc, &at, template)? {
                normal(doc, &at, &text)?;
            }
        }
        Ok(())
    }

    /// The reference that is meant by the name of a container on the command line,
    /// `NAME` or `NAME:VERSION`; none when there is no such container.
    fn named(&self, doc: &Document, text: &str) -> Result<Option<String>> {
        let (name, version) = match text.split_once(':') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text, None),
        };
        if !self.templates.iter().any(|(known, _)| known == name) {
            return Ok(None);
        }
        let these = Containers {
            chosen: self.chosen,
            registries: self.registries,
            version: version.or_else(|| self.version.clone()),
            templates: self.templates.clone(),
        };
        these.resolve(doc, &["containers", name], name).map(Some)
    }

    /// The reference that is meant by the name of a container, or by a whole
    /// reference.
    fn resolve(&self, doc: &Document, at: &[&str], text: &str) -> Result<String> {
        let template = self.templates.iter().find(|(name, _)| name == text);
        if let Some((name, template)) = template {
            return match self.fill(doc, &["containers", name], template)? {
                Filled::Text(text) => normal(doc, at, &text),
                Filled::Lacks(variable) => Err(self.lacking(doc, at, name, variable)),
            };
        }
        if text.contains('{') {
            return Err(doc
                .invalid(at, "a template cannot stand here")
                .why("Variables in braces are filled in below `containers` only.")
                .next("Give the template a name below `containers`, and write that name."));
        }
        if text.contains(['/', ':', '@']) {
            return normal(doc, at, text);
        }
        let names: Vec<&str> = self.templates.iter().map(|(n, _)| n.as_str()).collect();
        Err(doc
            .invalid(at, &format!("there is no container `{}`", shown(text)))
            .why(match (nearest(text, &names), names.is_empty()) {
                (Some(near), _) => format!("Perhaps `{near}` was meant."),
                (None, true) => "Nothing is below `containers`.".into(),
                (None, false) => "Nothing below `containers` has a similar name.".into(),
            })
            .next("Write a name of `containers`, or a whole reference such as registry.example/os/debian:13."))
    }

    fn fill(&self, doc: &Document, at: &[&str], template: &str) -> Result<Filled> {
        let mut out = String::new();
        let mut rest = template;
        let mut lacks = None;
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((name, tail)) = behind.split_once('}') else {
                return Err(doc
                    .invalid(at, "a `{` has no `}`")
                    .next("Write variables as {registry}, {namespace} and {version}."));
            };
            let Some(variable) = VARIABLES.iter().find(|v| **v == name.trim()) else {
                return Err(doc
                    .invalid(at, &format!("there is no variable `{{{}}}`", shown(name)))
                    .why(match nearest(name, &VARIABLES) {
                        Some(near) => format!("Perhaps `{{{near}}}` was meant."),
                        None => "A template knows three variables.".into(),
                    })
                    .next("Write {registry}, {namespace} or {version}."));
            };
            out.push_str(before);
            match self.value(variable) {
                Some(value) => out.push_str(value),
                None => lacks = lacks.or(Some(*variable)),
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(match lacks {
            Some(variable) => Filled::Lacks(variable),
            None => Filled::Text(out),
        })
    }

    fn value(&self, variable: &str) -> Option<&str> {
        match variable {
            "registry" => self.chosen.map(|registry| registry.base_url.as_str()),
            "namespace" => self.chosen?.namespace.as_deref(),
            _ => self.version.as_deref(),
        }
    }

    fn lacking(&self, doc: &Document, at: &[&str], name: &str, variable: &str) -> Mistake {
        let err = doc.invalid(
            at,
            &format!("nothing fills {{{variable}}} of the container `{name}`"),
        );
        match (variable, self.chosen) {
            ("version", _) => err
                .why("`images.version` is missing.")
                .next("Add it, for example `version: \"13\"`."),
            (_, Some(registry)) => err
                .why(format!("`registries.{}` has no `{variable}`.", registry.name))
                .next("Add it there, or take it out of the template."),
            (_, None) if self.registries == 0 => err
                .why("Nothing is below `registries`.")
                .next("Add one: `registries: {production: {base_url: registry.example, namespace: debian}}`."),
            (_, None) => err
                .why("There are several `registries`, and none was chosen.")
                .next("Add `images.registry` with the name of one of them."),
        }
    }
}

/// A template with its variables replaced, or the first that has no value.
enum Filled {
    Text(String),
    Lacks(&'static str),
}

fn normal(doc: &Document, at: &[&str], text: &str) -> Result<String> {
    syntax::reference(text).map_err(|wrong| doc.wrong(at, text, &wrong))
}

fn from_command_line(image: &str) -> std::result::Result<String, Error> {
    syntax::reference(image).map_err(|wrong| {
        Error::new(Code::Usage, format!("`{}` {}.", shown(image), wrong.what))
            .why(wrong.why.into_owned())
            .next(wrong.next)
    })
}

fn catalogue_entry(containers: &Containers<'_>, section: &Section) -> Result<CatalogueEntry> {
    let doc = section.doc();
    let name = Localized::new(section.localized("name")?);
    let description = Localized::new(section.localized("description")?);
    let icon = section
        .text("icon")?
        .map(|text| match Icon::is_file(&text) {
            true => Icon::File(doc.resolve(&text)),
            false => Icon::Theme(text),
        });
    let reference = match section.text("reference")? {
        Some(text) => Some(containers.resolve(doc, &section.at("reference"), &text)?),
        None => None,
    };
    let missing = |key: &str| {
        doc.invalid(&section.at_itself(), &format!("`{key}` is missing"))
            .why("An image of the catalogue has a name and a reference.")
            .next(format!("Add `{key}`, or remove the entry."))
    };
    Ok(CatalogueEntry {
        name: name.ok_or_else(|| missing("name"))?,
        description,
        icon,
        reference: reference.ok_or_else(|| missing("reference"))?,
    })
}

/// The references that `embed` means.
fn embedded(
    containers: &Containers<'_>,
    section: &Section,
    default: Option<&String>,
) -> Result<Vec<String>> {
    let doc = section.doc();
    let Some((at, value)) = section.special("embed") else {
        return Ok(Vec::new());
    };
    let items = match value {
        Value::Bool { value: false, .. } => return Ok(Vec::new()),
        Value::Bool { value: true, .. } => match default {
            Some(reference) => return Ok(vec![reference.clone()]),
            None => {
                return Err(doc
                    .invalid(&at, "there is no default image to put on the medium")
                    .why("`true` means the image of `images.default`, which is missing.")
                    .next("Add `images.default`, or list the images: `embed: [name, …]`."));
            }
        },
        Value::List(items) => items,
        other => {
            return Err(doc
                .invalid(&at, &wrong_type("true, false or a list of images", other))
                .next("Write `true`, `false`, or `[name, …]`."));
        }
    };
    let mut references = Vec::new();
    for (number, (_, item)) in items.iter().enumerate() {
        let place = format!("[{number}]");
        let at: Vec<&str> = at.iter().copied().chain([place.as_str()]).collect();
        let Value::Text(text) = &item.value else {
            return Err(doc
                .invalid(&at, &wrong_type("the name of an image", &item.value))
                .next("Write a name of `containers`, or a whole reference."));
        };
        let reference = containers.resolve(doc, &at, text)?;
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    Ok(references)
}
