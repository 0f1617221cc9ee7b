// SPDX-License-Identifier: MIT OR Apache-2.0
//! What apt would do, before it does it: no package of the machine is removed
//! for a tool of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::archive::KEYRING;
use crate::cmd::CommandExt;

/// In the version of every package that was built for backports.
const BACKPORT: &str = "~bpo";

/// apt-get, and which machine it works on.
#[derive(Debug)]
pub(super) struct Apt {
    /// Given before everything else.
    pub(super) options: Vec<String>,
    /// The release of the machine, for example `bookworm`.
    pub(super) codename: String,
    /// For lists of packages that only one call needs.
    pub(super) own: PathBuf,
}

/// What would happen, and the options with which it would.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// What was asked for.
    pub(super) packages: Vec<String>,
    pub(super) options: Vec<String>,
    pub(super) new: Vec<String>,
    pub(super) upgraded: Vec<String>,
    /// With their versions.
    pub(super) removed: Vec<(String, String)>,
}

impl Plan {
    /// Of what `apt-get --simulate` writes.
    fn parse(simulation: &str) -> Self {
        let mut plan = Self::default();
        for line in simulation.lines() {
            let mut words = line.split(' ');
            let (Some(verb), Some(name)) = (words.next(), words.next()) else {
                continue;
            };
            // The version that is installed is in square brackets.
            let installed = words
                .next()
                .and_then(|word| word.strip_prefix('[')?.strip_suffix(']'));
            match (verb, installed) {
                ("Inst", None) => plan.new.push(name.to_owned()),
                ("Inst", Some(_)) => plan.upgraded.push(name.to_owned()),
                ("Remv", version) => plan
                    .removed
                    .push((name.to_owned(), version.unwrap_or_default().to_owned())),
                _ => {}
            }
        }
        plan
    }

    /// For a person, before it happens.
    pub(super) fn tell(&self) -> String {
        let mut text = format!("apt installs {}", self.new.join(" "));
        if !self.upgraded.is_empty() {
            text.push_str(&format!("; upgrades {}", self.upgraded.join(" ")));
        }
        text
    }

    fn removed_names(&self) -> String {
        let names: Vec<&str> = self.removed.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }
}

impl Apt {
    /// apt of this machine.
    pub(super) fn of_host(own: PathBuf) -> Self {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self {
            // Another apt-get may be at work, for example the machine's own updates.
            options: vec!["-oDPkg::Lock::Timeout=600".to_owned()],
            codename: codename(&release),
            own,
        }
    }

    /// A way to these packages that removes nothing: apt's own, and for what
    /// has none the backports of the release.
    ///
    /// # Errors
    /// When there is none, with the names of what would be removed.
    pub(super) fn plans(&self, packages: &[&str]) -> Result<Vec<Plan>> {
        let plain = self.simulate(&[], packages)?;
        if plain.removed.is_empty() {
            return Ok(vec![plain]);
        }
        let mut fine = Vec::new();
        let mut others = Vec::new();
        for package in packages {
            let alone = self.simulate(&[], &[package])?;
            match alone.removed.is_empty() {
                true => fine.push(*package),
                false => others.push(*package),
            }
        }
        if !fine.is_empty() && !others.is_empty() {
            let fine = self.simulate(&[], &fine)?;
            if fine.removed.is_empty() {
                return Ok(vec![fine, self.around(&others)?]);
            }
        }
        Ok(vec![self.around(packages)?])
    }

    /// With backports, where a package that is in the way may have come from.
    fn around(&self, packages: &[&str]) -> Result<Plan> {
        let plain = self.simulate(&[], packages)?;
        let backports = self.backports(&plain).and_then(|options| match options {
            Some(options) => self.simulate(&options, packages).map(Some),
            None => Ok(None),
        });
        let reason = match backports {
            Ok(Some(plan)) if plan.removed.is_empty() => return Ok(plan),
            Ok(_) => String::new(),
            Err(error) => format!(" Backports were tried as well: {error:#}."),
        };
        bail!(
            "apt would remove {} to install {}, and nothing of this machine is removed unasked.{reason} \
             Next step: if you can do without, run this yourself and then the same command again: \
             apt-get install --no-install-recommends {}",
            plain.removed_names(),
            packages.join(" "),
            packages.join(" ")
        )
    }

    /// Does it. apt itself refuses when it has come to another end since.
    pub(super) fn install(&self, plan: &Plan) -> Result<()> {
        self.command(&plan.options, "install")
            .args(["--yes", "--no-remove", "--no-install-recommends"])
            .args(&plan.packages)
            .run()
    }

    /// Gets the lists of packages again.
    pub(super) fn update(&self, options: &[String]) -> Result<()> {
        self.command(options, "update").run()
    }

    fn simulate(&self, options: &[String], packages: &[&str]) -> Result<Plan> {
        let mut command = self.command(options, "install");
        command
            .args(["--simulate", "--no-install-recommends"])
            .args(packages);
        Ok(Plan {
            options: options.to_vec(),
            packages: strings(packages),
            ..Plan::parse(&command.read()?)
        })
    }

    fn command(&self, options: &[String], verb: &str) -> Command {
        let mut command = Command::new("apt-get");
        command
            .args(&self.options)
            .args(options)
            .arg(verb)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// The options for installing from backports: those of the machine's
    /// sources, or, where everything that would be removed came from there,
    /// with a source for this call only. Nothing of the machine's sources is
    /// changed.
    fn backports(&self, plain: &Plan) -> Result<Option<Vec<String>>> {
        let suite = format!("{}-backports", self.codename);
        let mut command = self.command(&[], "indextargets");
        command.args(["--format", "$(RELEASE) $(CODENAME) $(REPO_URI)"]);
        let sources = command.read()?;
        let of = |release: &str| {
            sources.lines().find_map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                let (named, uri) = words.split_at_checked(2)?;
                named.contains(&release).then(|| uri.concat())
            })
        };
        let from_suite = vec![format!("--target-release={suite}")];
        if of(&suite).is_some() {
            return Ok(Some(from_suite));
        }
        let all_came = plain
            .removed
            .iter()
            .all(|(_, version)| version.contains(BACKPORT));
        match of(&self.codename) {
            Some(uri) if all_came && Path::new(KEYRING).exists() => {
                let mut options = self.source(&uri, &suite)?;
                self.update(&options)
                    .with_context(|| format!("reading {suite} of {uri}"))?;
                options.extend(from_suite);
                Ok(Some(options))
            }
            _ => Ok(None),
        }
    }

    /// The machine's sources and this suite, with lists in a directory of ours.
    fn source(&self, uri: &str, suite: &str) -> Result<Vec<String>> {
        let lists = self.own.join("lists");
        fs::create_dir_all(lists.join("partial"))
            .with_context(|| format!("making {}", lists.display()))?;
        let file = self.own.join("sources.list");
        let usual = fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
        let text = format!("{usual}\ndeb [signed-by={KEYRING}] {uri} {suite} main\n");
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        Ok(vec![
            format!("-oDir::Etc::sourcelist={}", file.display()),
            format!("-oDir::State::lists={}", lists.display()),
            // What apt remembers of the machine's own lists stays.
            "-oDir::Cache::pkgcache=".to_owned(),
            "-oDir::Cache::srcpkgcache=".to_owned(),
            // Its own account cannot write there.
            "-oAPT::Sandbox::User=root".to_owned(),
        ])
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn codename(os_release: &str) -> String {
    let mut lines = os_release.lines();
    let value = lines.find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    value.unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
