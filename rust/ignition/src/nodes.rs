// SPDX-License-Identifier: MIT OR Apache-2.0
//! `storage`: files, directories and links. Disks are the engine's own.

use std::collections::BTreeSet;

use contract::customise_plan::{DirectoryPlan, FilePlan, LinkPlan};
use ignition_config::v3_6::{Directory, File, Link, NodeGroup, NodeUser, Storage};

use crate::{Provision, Result, none, source, wrong};

/// What to do about layouts.
const DISKS: &str = "Disks are laid out by the options of this command; leave it out.";

pub(crate) fn read(storage: Storage, made: &mut Provision) -> Result<()> {
    none("storage.disks", storage.disks.as_ref(), DISKS)?;
    none("storage.filesystems", storage.filesystems.as_ref(), DISKS)?;
    none("storage.luks", storage.luks.as_ref(), DISKS)?;
    none("storage.raid", storage.raid.as_ref(), DISKS)?;
    for directory in storage.directories.unwrap_or_default() {
        made.directories.push(one_directory(directory)?);
    }
    for file in storage.files.unwrap_or_default() {
        made.files.push(one_file(file)?);
    }
    for link in storage.links.unwrap_or_default() {
        made.links.push(one_link(link)?);
    }
    Ok(())
}

fn one_directory(directory: Directory) -> Result<DirectoryPlan> {
    let path = writable(directory.path)?;
    Ok(DirectoryPlan {
        mode: mode(&path, directory.mode)?,
        owner: owner(&path, directory.user, directory.group)?,
        path,
    })
}

fn one_file(file: File) -> Result<FilePlan> {
    let path = writable(file.path)?;
    let next = "Write the whole file as `contents`, or a drop-in beside it.";
    none(&format!("append` of `{path}"), file.append.as_ref(), next)?;
    Ok(FilePlan {
        mode: mode(&path, file.mode)?,
        owner: owner(&path, file.user, file.group)?,
        contents: match file.contents {
            Some(contents) => source::text(&path, contents)?,
            None => String::new(),
        },
        path,
    })
}

fn one_link(link: Link) -> Result<LinkPlan> {
    let path = writable(link.path)?;
    if link.hard == Some(true) {
        return Err(wrong(
            format!("{path} cannot be a hard link."),
            "Leave `hard` out, for a symbolic one.",
        ));
    }
    if owner(&path, link.user, link.group)?.is_some() {
        return Err(wrong(
            format!("The link {path} cannot have an owner."),
            "Leave `user` and `group` out: nobody looks at them.",
        ));
    }
    let target = link.target.filter(|target| !target.is_empty());
    let target = target.ok_or_else(|| wrong(format!("The link {path} has no `target`."), ""))?;
    Ok(LinkPlan { path, target })
}

/// A path that a machine can write to: the rest is the image's.
fn writable(path: String) -> Result<String> {
    let below = ["/etc/", "/var/"].iter().any(|top| path.starts_with(top));
    match below {
        true => Ok(path),
        false => Err(wrong(
            format!("{path} is neither below /etc nor below /var."),
            "Only these are a machine's own; /home is /var/home, /root is /var/roothome.",
        )),
    }
}

/// In octal digits.
fn mode(path: &str, mode: Option<i64>) -> Result<Option<String>> {
    match mode {
        None => Ok(None),
        Some(bits @ 0..=0o7777) => Ok(Some(format!("{bits:04o}"))),
        Some(_) => Err(wrong(
            format!("The `mode` of {path} is no permissions."),
            "Write it as a decimal number: 420 is 0644.",
        )),
    }
}

fn owner(path: &str, user: Option<NodeUser>, group: Option<NodeGroup>) -> Result<Option<String>> {
    let word = |id: Option<i64>, name| id.map(|id| id.to_string()).or(name);
    let user = user.and_then(|user| word(user.id, user.name));
    let group = group.and_then(|group| word(group.id, group.name));
    let owner = match (user, group) {
        (None, None) => return Ok(None),
        (Some(user), None) => user,
        (user, Some(group)) => format!("{}:{group}", user.unwrap_or_else(|| "root".into())),
    };
    match owner.split(':').any(|part| part.starts_with('-')) {
        true => Err(wrong(format!("The owner of {path} is nobody."), "")),
        false => Ok(Some(owner)),
    }
}

/// Refuses two of one path.
pub(crate) fn refuse_twice(made: &Provision) -> Result<()> {
    let directories = made.directories.iter().map(|directory| &directory.path);
    let files = made.files.iter().map(|file| &file.path);
    let links = made.links.iter().map(|link| &link.path);
    let mut seen = BTreeSet::new();
    for path in directories.chain(files).chain(links) {
        if !seen.insert(path) {
            return Err(wrong(
                format!("{path} is there twice."),
                "Leave one of them out.",
            ));
        }
    }
    Ok(())
}
