// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a recipe.

use std::path::Path;

use contract::customise_plan::{Customisation, FilePlan, UnitPlan, UserPlan};
use contract::disk_plan::{DiskFs, Table, parse_size};
use yaml_doc::{Document, Mistake, Section};

use crate::keys::{After, RECIPE};
use crate::{Connection, DiskRule, DiskWish, Keyboard, Keyfile, Layout, Recipe, Registry, Which};

type Result<T> = std::result::Result<T, Mistake>;

const NOTHING: Customisation<'static> = Customisation {
    groups: &[],
    users: &[],
    root_ssh_keys: &[],
    hostname: None,
    directories: &[],
    files: &[],
    links: &[],
    units: &[],
};

pub(super) fn recipe(name: &Path, dir: &Path, text: &str) -> Result<Recipe> {
    let doc = Document::new(name, dir, text);
    let top = Section::root(&doc, &RECIPE)?;
    let layout = layout(&top.section_or_empty("layout")?)?;
    let mut users = Vec::new();
    for section in top.sections("users")? {
        users.push(user(&section)?);
        fits(
            &section.at_itself(),
            &doc,
            Customisation {
                users: &users,
                ..NOTHING
            },
        )?;
    }
    let mut files = Vec::new();
    for section in top.sections("files")? {
        let file = file(&section)?;
        let one = std::slice::from_ref(&file);
        fits(
            &section.at_itself(),
            &doc,
            Customisation {
                files: one,
                ..NOTHING
            },
        )?;
        files.push(file);
    }
    let mut units = Vec::new();
    for section in top.sections("units")? {
        let unit = UnitPlan {
            enabled: section.flag("enabled")?.unwrap_or(true),
            name: required(&section, "name")?,
        };
        let one = std::slice::from_ref(&unit);
        fits(
            &section.at_itself(),
            &doc,
            Customisation {
                units: one,
                ..NOTHING
            },
        )?;
        units.push(unit);
    }
    let root_ssh_keys = top.texts("rootSshKeys")?;
    fits(
        &["rootSshKeys"],
        &doc,
        Customisation {
            root_ssh_keys: &root_ssh_keys,
            ..NOTHING
        },
    )?;
    let hostname = top.text("hostname")?;
    fits(
        &["hostname"],
        &doc,
        Customisation {
            hostname: hostname.as_deref(),
            ..NOTHING
        },
    )?;
    let after = top.text("after")?;
    let recipe = Recipe {
        image: top.text("image")?,
        target_imgref: top.text("targetImgref")?,
        registry: registry(&top.section_or_empty("registry")?)?,
        layout,
        kargs: top.texts("kargs")?,
        users,
        root_ssh_keys,
        hostname,
        locale: top.text("locale")?,
        keyboard: keyboard(&top.section_or_empty("keyboard")?)?,
        timezone: top.text("timezone")?,
        network: network(&top)?,
        files,
        units,
        after: after.as_deref().and_then(After::named).unwrap_or_default(),
        wipe: false,
        // Read last: an error in what is there says more than that it is missing.
        disk: DiskWish::Rule(DiskRule::default()),
    };
    let (disk, wipe) = disk(&top)?;
    Ok(Recipe {
        disk,
        wipe,
        ..recipe
    })
}

/// What a plan would refuse is refused here, where its line is known. Its messages
/// have no password in them.
fn fits(at: &[&str], doc: &Document, part: Customisation<'_>) -> Result<()> {
    part.validate()
        .map_err(|error| doc.invalid(at, error.what.trim_end_matches('.')))
}

fn required(section: &Section, name: &'static str) -> Result<String> {
    section.text(name)?.ok_or_else(|| {
        let doc = section.doc();
        doc.invalid(&section.at_itself(), &format!("`{name}` is missing"))
            .why("An entry cannot be without it.")
            .next(format!("Add `{name}`."))
    })
}

fn disk(top: &Section) -> Result<(DiskWish, bool)> {
    let Some(section) = top.section("disk")? else {
        return Err(top
            .doc()
            .invalid(&[], "`disk` is missing")
            .why("No disk is chosen by default, since everything on it would be at risk.")
            .next("Name it: `disk: { id: /dev/disk/by-id/… }`, or give a `rule`."));
    };
    let id = section.path("id")?;
    let rule = section.text("rule")?;
    let model = section.text("model")?;
    let (min_size, max_size) = (size(&section, "minSize")?, size(&section, "maxSize")?);
    let wipe = section.flag("wipe")?.unwrap_or(false);
    let filtered = ["model", "minSize", "maxSize"];
    let filtered = filtered.into_iter().find(|key| section.has(key));
    let which = match (&id, rule.as_deref()) {
        (Some(_), Some(_)) => {
            return Err(section
                .invalid("rule", "there is an `id` as well")
                .why("Either of them says which disk it is.")
                .next("Remove one of the two."));
        }
        (None, None) => {
            return Err(section
                .doc()
                .invalid(&section.at_itself(), "it does not say which disk")
                .why("No disk is chosen by default, since everything on it would be at risk.")
                .next("Add `id: /dev/disk/by-id/…`, or `rule: only` or `rule: largest-empty`."));
        }
        (Some(_), None) => None,
        (None, Some("largest-empty")) => Some(Which::LargestEmpty),
        (None, Some(_)) => Some(Which::Only),
    };
    if let (Some(_), Some(key)) = (&id, filtered) {
        return Err(section
            .invalid(key, "it goes with a `rule` only")
            .why("An `id` is one disk already.")
            .next(format!(
                "Remove `{key}`, or write a `rule` instead of the `id`."
            )));
    }
    if wipe && which == Some(Which::LargestEmpty) {
        return Err(section
            .invalid("wipe", "nothing is wiped by the rule `largest-empty`")
            .why("It chooses among disks with nothing on them.")
            .next("Remove `wipe`, or write `rule: only` or an `id`."));
    }
    if let (Some(min), Some(max)) = (min_size, max_size)
        && min > max
    {
        return Err(section
            .invalid("maxSize", "it is less than `minSize`")
            .why("No disk has such a size.")
            .next("Correct one of the two."));
    }
    let wish = match id {
        Some(id) => DiskWish::Id(id),
        None => DiskWish::Rule(DiskRule {
            which: which.unwrap_or_default(),
            model,
            min_size,
            max_size,
        }),
    };
    Ok((wish, wipe))
}

/// The form was checked with the text.
fn size(section: &Section, name: &'static str) -> Result<Option<u64>> {
    let text = section.text(name)?;
    Ok(text.and_then(|text| parse_size(&text).ok()))
}

fn layout(section: &Section) -> Result<Layout> {
    let table = match section.text("table")?.as_deref() {
        Some("mbr") => Table::Mbr,
        _ => Table::Gpt,
    };
    let filesystem = match section.text("filesystem")?.as_deref() {
        Some("xfs") => DiskFs::Xfs,
        Some("btrfs") => DiskFs::Btrfs,
        _ => DiskFs::Ext4,
    };
    Ok(Layout {
        table,
        filesystem,
        boot_size: size(section, "bootSize")?,
    })
}

fn registry(section: &Section) -> Result<Registry> {
    Ok(Registry {
        auth_file: section.path("authFile")?,
        keep_credentials: section.flag("keepCredentials")?.unwrap_or(false),
        ca: section.path("ca")?,
        insecure: section.flag("insecure")?.unwrap_or(false),
    })
}

fn keyboard(section: &Section) -> Result<Keyboard> {
    let keyboard = Keyboard {
        layout: section.text("layout")?,
        variant: section.text("variant")?.filter(|text| !text.is_empty()),
        keymap: section.text("keymap")?,
    };
    if keyboard.variant.is_some() && keyboard.layout.is_none() {
        return Err(section
            .invalid("variant", "there is no `layout` beside it")
            .why("A variant is one of a layout.")
            .next("Add `layout`."));
    }
    Ok(keyboard)
}

fn user(section: &Section) -> Result<UserPlan> {
    Ok(UserPlan {
        password_hash: section.text("passwordHash")?.map(Into::into),
        groups: section.texts("groups")?,
        ssh_authorized_keys: section.texts("sshAuthorizedKeys")?,
        shell: section.text("shell")?,
        name: required(section, "name")?,
    })
}

fn file(section: &Section) -> Result<FilePlan> {
    Ok(FilePlan {
        mode: section.text("mode")?,
        owner: section.text("owner")?,
        contents: section.text("contents")?.unwrap_or_default(),
        path: required(section, "path")?,
    })
}

fn network(top: &Section) -> Result<Vec<Connection>> {
    let mut all: Vec<Connection> = Vec::new();
    for section in top.sections("network")? {
        let (file, contents) = (section.path("file")?, section.text("contents")?);
        let name = required(&section, "name")?;
        let keyfile = match (file, contents) {
            (Some(file), None) => Keyfile::File(file),
            (None, Some(text)) => Keyfile::Text(text),
            _ => {
                return Err(section
                    .doc()
                    .invalid(&section.at_itself(), "there must be `file` or `contents`")
                    .why("Either of them is the connection.")
                    .next("Write one of the two."));
            }
        };
        if all.iter().any(|connection| connection.name == name) {
            return Err(section
                .invalid("name", &format!("`{name}` is there twice"))
                .next("Give each connection a name of its own."));
        }
        all.push(Connection { name, keyfile });
    }
    Ok(all)
}
