// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer to-disk`.

use std::path::Path;
use std::process::ExitCode;

use contract::customise_plan::{DirectoryPlan, FilePlan, GroupPlan, LinkPlan, UnitPlan, UserPlan};
use contract::disk_plan::{DiskPlan, Table};
use contract::error::{Code, Error, Result};
use contract::event::{Event, EventSink, Summary};
use host::cancel::Cancel;
use ignition::Provision;
use partition::layout;
use serde::Deserialize;
use source::secret::Secrets;

use super::args::{TableName, ToDiskCommand};
use super::build::{self, Built, Place};
use super::on_disk::{on_disk, play};
use super::{by_recipe, print, stop};

/// What `--customise` reads: the same keys as a plan's `deployment`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Customise {
    #[serde(default)]
    groups: Vec<GroupPlan>,
    #[serde(default)]
    users: Vec<UserPlan>,
    #[serde(default)]
    root_ssh_keys: Vec<String>,
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    directories: Vec<DirectoryPlan>,
    #[serde(default)]
    files: Vec<FilePlan>,
    #[serde(default)]
    links: Vec<LinkPlan>,
    #[serde(default)]
    units: Vec<UnitPlan>,
}

/// Installs; the last event and the exit status tell how it ended.
pub(super) fn run(args: &ToDiskCommand) -> ExitCode {
    super::telling(args.events, |sink| install(args, sink).map(Event::Done))
}

/// Prints the plan; for a recipe, what it means.
pub(super) fn dry_run(args: &ToDiskCommand) -> Result<()> {
    if let Some(path) = &args.recipe {
        let recipe = by_recipe::read(path)?;
        let planned = by_recipe::plan(&recipe, &args.image, &Cancel::new())?;
        for warning in &planned.built.warnings {
            tracing::warn!("{warning}");
        }
        return print(&by_recipe::words(&recipe, &planned));
    }
    let (built, _) = plan(args, &Cancel::new())?;
    for warning in &built.warnings {
        tracing::warn!("{warning}");
    }
    print(&built.plan.to_json()?)
}

fn install(args: &ToDiskCommand, sink: &dyn EventSink) -> Result<Summary> {
    let cancel = Cancel::new();
    stop::on_signals(&cancel)?;
    let (built, secrets) = match &args.recipe {
        Some(path) => {
            let recipe = by_recipe::read(path)?;
            let planned = by_recipe::plan(&recipe, &args.image, &cancel)?;
            (planned.built, planned.secrets)
        }
        None => plan(args, &cancel)?,
    };
    play(&built, &secrets, &args.log_dir, sink, &cancel)
}

/// The plan, pinned to the image's digest: its size depends on the image.
fn plan(args: &ToDiskCommand, cancel: &Cancel) -> Result<(Built, Secrets)> {
    let mut built = build::plan(&args.image, Place::Disk, false)?;
    let plan = &mut built.plan;
    let wanted = customise(args)?;
    plan.deployment.groups = wanted.groups;
    plan.deployment.directories = wanted.directories;
    plan.deployment.users = wanted.users;
    plan.deployment.root_ssh_keys = wanted.root_ssh_keys;
    plan.deployment.hostname = wanted.hostname;
    plan.deployment.files = wanted.files;
    plan.deployment.links = wanted.links;
    plan.deployment.units = wanted.units;
    if let Some(path) = &args.ignition {
        provision(path)?.add_to(plan);
    }
    let table = match args.table {
        TableName::Gpt => Table::Gpt,
        TableName::Mbr => Table::Mbr,
    };
    let partitions = layout::standard(table, args.filesystem, args.boot_size);
    let disk = DiskPlan {
        path: args.disk.as_deref().map(build::absolute).transpose()?,
        file: args.file.as_deref().map(build::absolute).transpose()?,
        size: None,
        table,
        partitions,
        wipe: args.wipe,
        overwrite: args.overwrite,
    };
    let secrets = on_disk(plan, disk, cancel, |partitions, needed| {
        let usual = || layout::file_size(partitions, needed);
        args.size.unwrap_or_else(usual)
    })?;
    Ok((built, secrets))
}

fn customise(args: &ToDiskCommand) -> Result<Customise> {
    let mut all = match &args.customise {
        Some(path) => read(path)?,
        None => Customise::default(),
    };
    if let Some(name) = &args.hostname {
        all.hostname = Some(name.clone());
    }
    for path in &args.root_ssh_key {
        let text = text(path)?;
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        all.root_ssh_keys.extend(keys.map(str::to_owned));
    }
    Ok(all)
}

/// What an Ignition configuration says, as the plan has it.
fn provision(path: &Path) -> Result<Provision> {
    let read = std::fs::read(path).map_err(|err| unreadable(path, &err))?;
    ignition::read(&read).map_err(|wrong| {
        let what = format!("{}: {}", path.display(), wrong.what);
        Error::new(Code::ConfigInvalid, what).next(wrong.next)
    })
}

/// YAML, of which JSON is a part.
fn read(path: &Path) -> Result<Customise> {
    parse(&text(path)?).map_err(|problem| {
        Error::new(
            Code::ConfigInvalid,
            format!("{} cannot be understood.", path.display()),
        )
        .detail(problem)
    })
}

fn parse(text: &str) -> Result<Customise, String> {
    serde_yaml::from_str(text).map_err(|err| {
        let problem = err.to_string();
        // These quote the value, which may be a password.
        if !problem.contains("invalid type") && !problem.contains("invalid value") {
            return problem;
        }
        match err.location() {
            Some(at) => format!("a value of another kind at line {}", at.line()),
            None => "a value of another kind".into(),
        }
    })
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|err| unreadable(path, &err))
}

fn unreadable(path: &Path, err: &std::io::Error) -> Error {
    let what = format!("{} cannot be read.", path.display());
    Error::new(Code::ConfigInvalid, what).detail(err.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_customises() {
        let yaml = "hostname: a\nusers:\n  - name: ann\n    groups: [sudo]\n\
                    units:\n  - { name: a.service, enabled: true }\n";
        let read = parse(yaml).unwrap();
        assert_eq!(read.users[0].groups, ["sudo"]);
        assert_eq!(read.hostname.as_deref(), Some("a"));
        assert!(read.units[0].enabled);
        let json = r#"{"rootSshKeys":["ssh-ed25519 A"],"files":[{"path":"/etc/a"}]}"#;
        assert_eq!(parse(json).unwrap().root_ssh_keys.len(), 1);
        let unknown = parse("user: []\n").unwrap_err();
        assert!(unknown.contains("unknown field `user`"), "{unknown}");
    }

    #[test]
    fn no_message_quotes_a_password() {
        let problem = parse("users:\n  - name: ann\n    groups: geheim\n").unwrap_err();
        assert!(!problem.contains("geheim"), "{problem}");
    }
}
