// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian archives as apt sees them: which packages there are, and what an
//! installation of some would bring. apt verifies what it reads.
//!
//! apt is called with a directory and settings of its own (apt.conf(5),
//! `APT_CONFIG`), so that it needs no root, touches nothing of this machine's
//! apt, and takes from its settings only how an archive is reached.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache::{self, Key};
use crate::cmd::CommandExt;

/// The keys of Debian's archive (package debian-archive-keyring).
pub const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Archives for amd64, as lines of sources.list(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archives {
    sources: Vec<String>,
    options: Vec<String>,
}

/// A package of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indexed {
    /// `Package`.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// `Architecture`: `amd64` or `all`.
    pub architecture: String,
    /// `SHA256` of the `.deb`, in hex digits.
    pub sha256: String,
    /// Names that it has beside its own: `Provides`, without versions.
    pub provides: Vec<String>,
}

/// The lists of some archives, read from their mirrors.
#[derive(Debug, Clone)]
pub struct Lists {
    config: PathBuf,
}

/// A line of sources.list(5) for an archive that Debian signs.
pub fn source(mirror: &str, suite: &str, components: &str) -> String {
    format!("deb [signed-by={KEYRING}] {mirror} {suite} {components}")
}

impl Archives {
    /// Archives, and lines of apt.conf(5) that say how they are reached.
    pub fn new(sources: Vec<String>, options: Vec<String>) -> Self {
        Self { sources, options }
    }

    /// The lines of sources.list(5).
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// The lines of apt.conf(5).
    pub fn options(&self) -> &[String] {
        &self.options
    }

    /// Reads the lists from the mirrors into a directory of the cache; what did
    /// not change there is not fetched again.
    ///
    /// # Errors
    /// With what apt says when a mirror does not answer, or when what it has is
    /// not signed, or expired.
    pub fn lists(&self) -> Result<Lists> {
        let mut key = Key::new();
        for line in &self.sources {
            key = key.with("source", line);
        }
        let name = format!("lists-{}", key.hex());
        let cache = cache::dir()?;
        let _lock = cache::lock(&cache.join(format!(".{name}.lock")))?;
        self.lists_in(&cache.join(name))
    }

    /// [`Archives::lists`] in this directory.
    fn lists_in(&self, dir: &Path) -> Result<Lists> {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            let path = dir.join(part);
            fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        }
        let write = |name: &str, text: String| {
            let path = dir.join(name);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
        };
        write("status", String::new())?;
        write("sources.list", lines(&self.sources))?;
        write("apt.conf", self.settings(dir)?)?;
        let lists = Lists {
            config: dir.join("apt.conf"),
        };
        lists.command("apt-get").arg("update").run()?;
        Ok(lists)
    }

    fn settings(&self, dir: &Path) -> Result<String> {
        let dir = dir.to_str().context("the cache's path is no UTF-8")?;
        if dir.contains(['"', '\n']) {
            bail!("a path with a quotation mark cannot be written into apt's settings: {dir}");
        }
        let mut text = lines(
            &self
                .options
                .iter()
                .map(|o| format!("{o};"))
                .collect::<Vec<_>>(),
        );
        for (name, value) in [
            ("Dir::Etc::Parts", "/dev/null"),
            ("Dir::Etc::Main", "/dev/null"),
            ("Dir::Etc::SourceParts", "/dev/null"),
            ("Dir::Etc::Preferences", "/dev/null"),
            ("Dir::Etc::PreferencesParts", "/dev/null"),
            ("APT::Architecture", "amd64"),
            ("APT::Architectures::", "amd64"),
            ("APT::Install-Recommends", "false"),
            // It could not even look into a home directory.
            ("APT::Sandbox::User", "root"),
            ("APT::Update::Error-Mode", "any"),
            ("Acquire::GzipIndexes", "false"),
            ("Acquire::Languages", "none"),
            ("Acquire::Retries", "3"),
            // Half of the other cache again, and of no use with an empty status.
            ("Dir::Cache::srcpkgcache", ""),
        ] {
            text.push_str(&format!("{name} \"{value}\";\n"));
        }
        for (name, path) in [
            ("Dir::Etc::SourceList", "sources.list"),
            ("Dir::State", "state"),
            ("Dir::State::status", "status"),
            ("Dir::Cache", "cache"),
        ] {
            text.push_str(&format!("{name} \"{dir}/{path}\";\n"));
        }
        Ok(text)
    }
}

impl Lists {
    /// Every package of every list, sorted, each once.
    ///
    /// # Errors
    /// When a list cannot be read.
    pub fn packages(&self) -> Result<Vec<Indexed>> {
        let files = self
            .command("apt-get")
            .args(["indextargets", "--format", "$(FILENAME)"])
            .arg("Created-By: Packages")
            .read()?;
        let mut found = BTreeSet::new();
        for file in files.lines() {
            let text = fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
            found.extend(text.split("\n\n").filter_map(indexed));
        }
        Ok(found.into_iter().collect())
    }

    /// What a system is made of that has these packages, with all that they
    /// need, and what is essential: name and version of each, sorted.
    ///
    /// # Errors
    /// When there is no such package, or they do not go together.
    pub fn closure(&self, packages: &[&str]) -> Result<Vec<(String, String)>> {
        let simulation = self
            .command("apt-get")
            .args(["install", "--simulate", "?essential", "apt"])
            .args(packages)
            .read()?;
        let mut found: Vec<_> = simulation.lines().filter_map(installed).collect();
        found.sort();
        Ok(found)
    }

    /// Brings the files of these packages, as apt verified them, into a directory;
    /// without what they depend on. Names of `.udeb`s are allowed.
    ///
    /// # Errors
    /// With what apt says when one is not there.
    pub fn download(&self, packages: &[&str], dir: &Path) -> Result<()> {
        self.command("apt-get")
            .args(["download", "--quiet"])
            .args(packages)
            .current_dir(dir)
            .run()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", &self.config)
            .env("LC_ALL", "C.UTF-8");
        command
    }
}

/// Reads a paragraph of an index (deb822(5)).
fn indexed(paragraph: &str) -> Option<Indexed> {
    let field = |name: &str| {
        paragraph
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let provides = field("Provides").unwrap_or_default().split(',');
    Some(Indexed {
        name: field("Package")?.to_owned(),
        version: field("Version")?.to_owned(),
        architecture: field("Architecture")?.to_owned(),
        sha256: field("SHA256").unwrap_or_default().to_owned(),
        provides: provides
            .filter_map(|name| name.split_whitespace().next())
            .map(str::to_owned)
            .collect(),
    })
}

/// Reads `Inst shim-signed (1.51 Debian:13.8/stable [amd64]) []`.
fn installed(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
    let version = rest.split(' ').next()?;
    Some((name.to_owned(), version.to_owned()))
}

fn lines(all: &[String]) -> String {
    all.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An archive that nobody signs, of these paragraphs.
    fn archive(dir: &Path, paragraphs: &[&str]) -> Archives {
        fs::create_dir_all(dir).unwrap();
        let text: String = paragraphs.iter().map(|p| format!("{p}\n")).collect();
        fs::write(dir.join("Packages"), text).unwrap();
        let line = format!("deb [trusted=yes] file:{} ./", dir.display());
        Archives::new(vec![line], Vec::new())
    }

    fn paragraph(name: &str, version: &str, more: &str) -> String {
        let base = ["apt", "base-files"].contains(&name);
        let essential = if base { "Essential: yes\n" } else { "" };
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{essential}{more}\
             Filename: ./{name}.deb\nSize: 1\nSHA256: {:064}\n",
            version.len()
        )
    }

    #[test]
    fn a_newer_package_makes_another_closure() {
        let dir = tempfile::tempdir().unwrap();
        let (place, own) = (dir.path().join("a"), dir.path().join("own"));
        let apt = paragraph("apt", "3", "");
        let loader = |version: &str| paragraph("shim-signed", version, "Depends: helper\n");
        let helper = paragraph("helper", "1", "");
        let other = paragraph("other", "1", "Provides: virtual (= 1), thing\n");
        let archive_of = |version: &str| {
            archive(&place, &[&apt, &loader(version), &helper, &other])
                .lists_in(&own)
                .unwrap()
        };
        let old = archive_of("1");
        let has = |lists: &Lists, name: &str| {
            let closure = lists.closure(&["shim-signed"]).unwrap();
            closure.into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
        };
        assert_eq!(has(&old, "shim-signed").as_deref(), Some("1"));
        assert_eq!(has(&old, "helper").as_deref(), Some("1"));
        assert_eq!(has(&old, "other"), None);
        let found = old.packages().unwrap();
        let other = found.iter().find(|p| p.name == "other").unwrap();
        assert_eq!(other.provides, ["virtual", "thing"]);
        assert!(other.sha256.ends_with('1'));

        let new = archive_of("1.1+deb13u1");
        assert_eq!(has(&new, "shim-signed").as_deref(), Some("1.1+deb13u1"));
        assert!(new.closure(&["no-such"]).is_err());
    }

    #[test]
    fn an_archive_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let line = format!("deb [trusted=yes] file:{}/none ./", dir.path().display());
        let error = Archives::new(vec![line], Vec::new())
            .lists_in(&dir.path().join("own"))
            .unwrap_err();
        assert!(format!("{error:#}").contains("E: "), "{error:#}");
    }

    #[test]
    fn what_apt_would_do_is_read() {
        for (line, expected) in [
            (
                "Inst libc6 (2.41-12+deb13u5 Debian:13.8/stable [amd64]) []",
                Some(("libc6", "2.41-12+deb13u5")),
            ),
            ("Conf libc6 (2.41 Debian:13.8/stable [amd64])", None),
            ("Inst broken", None),
        ] {
            let expected = expected.map(|(n, v)| (n.to_owned(), v.to_owned()));
            assert_eq!(installed(line), expected, "{line}");
        }
    }
}
