// SPDX-License-Identifier: MIT OR Apache-2.0
//! `debian/control` and `debian/changelog`, as far as they are needed here.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// A control file: the source's paragraph, then one for each binary package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// About the source package.
    pub source: Paragraph,
    /// About the binary packages.
    pub packages: Vec<Paragraph>,
}

/// One paragraph: fields by name, as they are spelt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paragraph(BTreeMap<String, String>);

impl Control {
    /// Parses a control file: deb822(5), with comments.
    pub fn parse(text: &str) -> Result<Self> {
        let mut paragraphs = Vec::new();
        let mut now = Paragraph::default();
        let mut field: Option<String> = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if line.trim().is_empty() {
                if !now.0.is_empty() {
                    paragraphs.push(std::mem::take(&mut now));
                }
                field = None;
            } else if line.starts_with([' ', '\t']) {
                let name = field
                    .as_ref()
                    .with_context(|| format!("a continuation without a field: {line:?}"))?;
                let value = now.0.entry(name.clone()).or_default();
                value.push('\n');
                value.push_str(line.trim());
            } else if let Some((name, value)) = line.split_once(':') {
                now.0.insert(name.to_owned(), value.trim().to_owned());
                field = Some(name.to_owned());
            } else {
                bail!("neither a field nor a continuation: {line:?}");
            }
        }
        if !now.0.is_empty() {
            paragraphs.push(now);
        }
        let mut paragraphs = paragraphs.into_iter();
        Ok(Self {
            source: paragraphs.next().context("an empty control file")?,
            packages: paragraphs.collect(),
        })
    }

    /// The paragraph of this binary package.
    pub fn package(&self, name: &str) -> Result<&Paragraph> {
        self.packages
            .iter()
            .find(|package| package.get("Package") == Some(name))
            .with_context(|| format!("no package {name} in debian/control"))
    }
}

impl Paragraph {
    /// A field's value.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// The relations of a field such as `Depends`, each as it is written, with
    /// its version and profile, but without substitution variables.
    pub fn relations(&self, field: &str) -> Vec<&str> {
        self.get(field)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|relation| !relation.is_empty() && !relation.starts_with("${"))
            .collect()
    }

    /// The packages of a field such as `Depends`: names alone, the first of
    /// alternatives.
    pub fn names(&self, field: &str) -> Vec<&str> {
        let alternatives = self.alternatives(field).into_iter();
        alternatives
            .filter_map(|names| names.first().copied())
            .collect()
    }

    /// The packages of a field such as `Depends`: for each relation the names of
    /// its alternatives, in their order.
    pub fn alternatives(&self, field: &str) -> Vec<Vec<&str>> {
        let name = |alternative: &'_ str| {
            let end = alternative.find([' ', '(', '<', '[', ':']);
            end.unwrap_or(alternative.len())
        };
        self.relations(field)
            .into_iter()
            .map(|relation| {
                relation
                    .split('|')
                    .map(str::trim)
                    .map(|alternative| &alternative[..name(alternative)])
                    .collect()
            })
            .collect()
    }
}

/// The version of the newest entry of a changelog.
pub fn changelog_version(text: &str) -> Result<&str> {
    text.split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(version, _)| version)
        .context("no version in debian/changelog")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "# a comment\nSource: x\nBuild-Depends:\n debhelper-compat (= 13),\n \
        # another\n# and one\n tool <!nocheck>,\n a (>= 1) | b\n\nPackage: y\n\
        Depends: ${misc:Depends}, c (>= 1)\nDescription: short\n long\n";

    #[test]
    fn paragraphs_and_relations() {
        let text = TEXT.replace(" # another\n", "");
        let control = Control::parse(&text).unwrap();
        assert_eq!(
            control.source.names("Build-Depends"),
            ["debhelper-compat", "tool", "a"]
        );
        assert_eq!(
            control.source.alternatives("Build-Depends"),
            [vec!["debhelper-compat"], vec!["tool"], vec!["a", "b"]]
        );
        let package = control.package("y").unwrap();
        assert_eq!(package.relations("Depends"), ["c (>= 1)"]);
        assert_eq!(package.get("Description"), Some("short\nlong"));
        assert!(control.package("z").is_err());
    }

    #[test]
    fn what_is_no_control_file_is_refused() {
        for text in ["", " continued", "no field"] {
            assert!(Control::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_newest_version_comes_first() {
        let text = "x (1.2-3) sid; urgency=low\n\nx (1.1) sid; urgency=low\n";
        assert_eq!(changelog_version(text).unwrap(), "1.2-3");
        assert!(changelog_version("").is_err());
    }
}
