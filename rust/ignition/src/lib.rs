// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ignition configurations (<https://coreos.github.io/ignition/specs/>): what one
//! says about people, files and units, as the engine customises a system before
//! its first boot. Nothing is run by Ignition itself, so that the image need not
//! have it.
//!
//! A configuration is taken whole or not at all: what the engine does not do (a
//! source that would be fetched, disks, encryption) and what the version of the
//! configuration does not know is an error.

mod accounts;
mod nodes;
mod source;
mod units;

use std::fmt;

use contract::customise_plan::{DirectoryPlan, FilePlan, GroupPlan, LinkPlan, UnitPlan, UserPlan};
use contract::plan::Plan;
use ignition_config::Config;
use ignition_config::v3_6 as newest;
use serde_json::Value;

/// The versions of the specification that are known.
pub const VERSIONS: [&str; 7] = [
    "3.0.0", "3.1.0", "3.2.0", "3.3.0", "3.4.0", "3.5.0", "3.6.0",
];

/// Why a text is no configuration, or none that can be applied. No contents of
/// files and no hash are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong, one sentence.
    pub what: String,
    /// What to do about it, one sentence, or nothing.
    pub next: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Wrong {}

type Result<T> = std::result::Result<T, Wrong>;

fn wrong(what: impl Into<String>, next: impl Into<String>) -> Wrong {
    Wrong {
        what: what.into(),
        next: next.into(),
    }
}

/// What a configuration does, in the words of the engine's plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provision {
    /// `passwd.groups`.
    pub groups: Vec<GroupPlan>,
    /// `passwd.users`.
    pub users: Vec<UserPlan>,
    /// `storage.directories`.
    pub directories: Vec<DirectoryPlan>,
    /// `storage.files`, and the files of units.
    pub files: Vec<FilePlan>,
    /// `storage.links`, and the masks of units.
    pub links: Vec<LinkPlan>,
    /// Units that are enabled or disabled.
    pub units: Vec<UnitPlan>,
    /// `kernelArguments.shouldExist`.
    pub kargs: Vec<String>,
    /// `kernelArguments.shouldNotExist`.
    pub kargs_delete: Vec<String>,
}

impl Provision {
    /// Adds it to a plan.
    pub fn add_to(self, plan: &mut Plan) {
        let deployment = &mut plan.deployment;
        deployment.groups.extend(self.groups);
        deployment.users.extend(self.users);
        deployment.directories.extend(self.directories);
        deployment.files.extend(self.files);
        deployment.links.extend(self.links);
        deployment.units.extend(self.units);
        plan.bootc.kargs.extend(self.kargs);
        plan.bootc.kargs_delete.extend(self.kargs_delete);
    }
}

/// Reads a configuration.
///
/// # Errors
/// When it is none, has a key that its version does not know, or says something
/// that cannot be done.
pub fn read(text: &[u8]) -> Result<Provision> {
    let config = newest_form(text)?;
    refuse_ignition(&config.ignition)?;
    let mut made = Provision::default();
    if let Some(arguments) = config.kernel_arguments {
        made.kargs = arguments.should_exist.unwrap_or_default();
        made.kargs_delete = arguments.should_not_exist.unwrap_or_default();
    }
    if let Some(passwd) = config.passwd {
        accounts::read(passwd, &mut made)?;
    }
    if let Some(storage) = config.storage {
        nodes::read(storage, &mut made)?;
    }
    if let Some(systemd) = config.systemd {
        units::read(systemd, &mut made)?;
    }
    nodes::refuse_twice(&made)?;
    Ok(made)
}

/// Whether a text is a configuration of its version, and nothing else.
///
/// # Errors
/// When it is none, or has a key that its version does not know.
pub fn check(text: &[u8]) -> Result<()> {
    newest_form(text).map(drop)
}

/// The configuration as the newest version writes it: each version of the
/// specification has what those before it have.
fn newest_form(text: &[u8]) -> Result<newest::Config> {
    let (config, warnings) = Config::parse_slice(text).map_err(|err| match err {
        ignition_config::Error::UnknownVersion(version) => wrong(
            format!("The version {version} of Ignition configurations is not known."),
            format!("Those known are {}.", VERSIONS.join(", ")),
        ),
        ignition_config::Error::InvalidVersion(_) => wrong(
            "`ignition.version` is no version.",
            format!("Those known are {}.", VERSIONS.join(", ")),
        ),
        ignition_config::Error::Serialization(err) => wrong(
            format!(
                "It is no Ignition configuration: line {}, column {} cannot be understood.",
                err.line(),
                err.column()
            ),
            "Make it with butane(1) from YAML, and check it with ignition-validate(1).",
        ),
        _ => wrong("It is no Ignition configuration.", ""),
    })?;
    if let Some(warning) = warnings.first() {
        let version = version(&config);
        return Err(wrong(
            format!(
                "The version {version} of Ignition configurations does not know it: {warning}."
            ),
            "Correct the key, or take a version that has it.",
        ));
    }
    let failed = |_| wrong("It cannot be read as the newest version.", "");
    let mut value = serde_json::to_value(config).map_err(failed)?;
    if let Some(version) = value.pointer_mut("/ignition/version") {
        *version = Value::from(VERSIONS[VERSIONS.len() - 1]);
    }
    serde_json::from_value(value).map_err(failed)
}

fn version(config: &Config) -> &str {
    let version = match config {
        Config::V3_0(config) => config.ignition.version.as_deref(),
        Config::V3_1(config) => config.ignition.version.as_deref(),
        Config::V3_2(config) => config.ignition.version.as_deref(),
        Config::V3_3(config) => config.ignition.version.as_deref(),
        Config::V3_4(config) => Some(config.ignition.version.as_str()),
        Config::V3_5(config) => Some(config.ignition.version.as_str()),
        Config::V3_6(config) => Some(config.ignition.version.as_str()),
        _ => None,
    };
    version.unwrap_or_default()
}

/// What is fetched from elsewhere, and how.
fn refuse_ignition(ignition: &newest::Ignition) -> Result<()> {
    let config = ignition.config.as_ref();
    let merged = config.and_then(|config| config.merge.as_ref());
    let other = merged.is_some_and(|merged| !merged.is_empty())
        || config.is_some_and(|config| config.replace.is_some());
    for (key, given) in [
        ("ignition.config", other),
        ("ignition.proxy", ignition.proxy.is_some()),
        ("ignition.security", ignition.security.is_some()),
        ("ignition.timeouts", ignition.timeouts.is_some()),
    ] {
        if given {
            return Err(wrong(
                format!("`{key}` cannot be applied: nothing is fetched from elsewhere."),
                "Put everything into one file, with contents as data: URLs.",
            ));
        }
    }
    Ok(())
}

/// Refuses a list that has something in it.
fn none<T>(key: &str, list: Option<&Vec<T>>, next: &str) -> Result<()> {
    match list.is_some_and(|list| !list.is_empty()) {
        true => Err(wrong(format!("`{key}` cannot be applied."), next)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
