// SPDX-License-Identifier: MIT OR Apache-2.0
//! A recipe as what the command line would say, and in words.

use std::fmt::Write;
use std::path::Path;

use contract::customise_plan::{FilePlan, LinkPlan};
use contract::disk_plan::{DiskPlan, PartitionPlan, Table};
use contract::error::{Code, Error, Result};
use contract::plan::Plan;
use contract::size::human;
use host::cancel::Cancel;
use partition::layout;
use partition::seek::{self, Disk};
use recipe::{DiskWish, Keyboard, Keyfile, Recipe};
use source::secret::Secrets;

use super::args::ImageArgs;
use super::build::{self, Built, Place};
use super::on_disk::on_disk;
use crate::calamares::{self, console_keymap};

/// No recipe is longer, in bytes.
pub(super) const RECIPE_MAX: u64 = 1024 * 1024;

/// Connections of NetworkManager in a system.
const CONNECTIONS: &str = "/etc/NetworkManager/system-connections";

/// A plan by a recipe, and the disk that it found.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) built: Built,
    pub(super) secrets: Secrets,
    pub(super) disk: Disk,
}

/// Reads a recipe file.
///
/// # Errors
/// `RECIPE_UNREADABLE`, `CONFIG_INVALID`.
pub(super) fn read(path: &Path) -> Result<Recipe> {
    let path = build::absolute(path)?;
    let dir = path.parent().unwrap_or(Path::new("/"));
    recipe::parse(&path, dir, &text(&path)?)
}

/// The text of a recipe or of a file that it names.
pub(super) fn text(path: &Path) -> Result<String> {
    let unreadable = |what: &str| {
        Error::new(
            Code::RecipeUnreadable,
            format!("{} cannot be read.", path.display()),
        )
        .why("It is missing, not readable, too long, or no UTF-8 text.")
        .next("Check the path and its permissions.")
        .detail(what)
    };
    let size = std::fs::metadata(path).map_err(|err| unreadable(&err.to_string()))?;
    if size.len() > RECIPE_MAX {
        return Err(unreadable(&format!("it has {} bytes", size.len())));
    }
    std::fs::read_to_string(path).map_err(|err| unreadable(&err.to_string()))
}

/// The very plan that the options of `to-disk` would make.
///
/// # Errors
/// `DISK_NOT_FOUND`, `DISK_AMBIGUOUS`, and those of `to-disk`. Nothing was written.
pub(super) fn plan(recipe: &Recipe, base: &ImageArgs, cancel: &Cancel) -> Result<Planned> {
    // What a disk is refused for is told before anything is asked of a network.
    let found = seek::find(&recipe.disk, cancel)?;
    partition::device::inspect(&found.path, recipe.wipe, cancel).map_err(agree)?;
    let mut built = build::plan(&image(recipe, base), Place::Disk, false)?;
    let plan = &mut built.plan;
    plan.deployment.users.clone_from(&recipe.users);
    plan.deployment
        .root_ssh_keys
        .clone_from(&recipe.root_ssh_keys);
    plan.deployment.hostname.clone_from(&recipe.hostname);
    plan.deployment.units.clone_from(&recipe.units);
    let models = build::keyboard_models();
    let (files, links) = settings(recipe, &models);
    plan.deployment.files = files;
    plan.deployment.files.extend(connections(recipe)?);
    plan.deployment.files.extend(recipe.files.iter().cloned());
    plan.deployment.links = links;
    let path = match &recipe.disk {
        DiskWish::Id(id) => id.clone(),
        DiskWish::Rule(_) => found.path.clone(),
    };
    let wanted = &recipe.layout;
    let disk = DiskPlan {
        path: Some(path),
        table: wanted.table,
        partitions: layout::standard(wanted.table, wanted.filesystem, wanted.boot_size),
        wipe: recipe.wipe,
        ..DiskPlan::default()
    };
    let secrets = on_disk(plan, disk, cancel, layout::file_size)?;
    Ok(Planned {
        built,
        secrets,
        disk: found,
    })
}

/// How a recipe agrees to what the command line has an option for.
fn agree(error: Error) -> Error {
    match error.code {
        Code::DiskNotEmpty => error.next(
            "Choose another disk, or agree with `wipe: true` below `disk` that everything on it is lost.",
        ),
        _ => error,
    }
}

/// The image, and how its registry is reached.
fn image(recipe: &Recipe, base: &ImageArgs) -> ImageArgs {
    let mut args = base.clone();
    args.image = recipe.image.clone().or(args.image);
    args.target_imgref = recipe.target_imgref.clone().or(args.target_imgref);
    args.karg.extend(recipe.kargs.iter().cloned());
    let registry = &recipe.registry;
    if args.auth_fd.is_none() && args.username.is_none() {
        args.authfile = args.authfile.or_else(|| registry.auth_file.clone());
    }
    args.ca = args.ca.or_else(|| registry.ca.clone());
    args.insecure |= registry.insecure;
    args.keep_auth |= registry.keep_credentials;
    args
}

/// Locale, keyboard and time zone, as localectl(1) and timedatectl(1) leave them, in
/// the places where Debian and systemd look.
fn settings(recipe: &Recipe, models: &str) -> (Vec<FilePlan>, Vec<LinkPlan>) {
    let (mut files, mut links) = (Vec::new(), Vec::new());
    let mut file = |path: &str, contents: String| {
        files.push(FilePlan {
            path: path.into(),
            contents,
            ..FilePlan::default()
        });
    };
    let mut link = |path: &str, target: String| {
        links.push(LinkPlan {
            path: path.into(),
            target,
        });
    };
    if let Some(locale) = &recipe.locale {
        file("/etc/locale.conf", format!("LANG={locale}\n"));
        // pam_env(8) of Debian reads this one.
        link("/etc/default/locale", "../locale.conf".into());
    }
    if let Some(text) = keyboard(&recipe.keyboard, models) {
        file("/etc/default/keyboard", text);
        // Reads the same names (vconsole.conf(5)).
        link("/etc/vconsole.conf", "default/keyboard".into());
    }
    if let Some(zone) = &recipe.timezone {
        link("/etc/localtime", format!("../usr/share/zoneinfo/{zone}"));
        file("/etc/timezone", format!("{zone}\n"));
    }
    (files, links)
}

/// keyboard(5) with the keymap of vconsole.conf(5).
fn keyboard(keyboard: &Keyboard, models: &str) -> Option<String> {
    let known = calamares::Keyboard {
        layout: keyboard.layout.clone(),
        variant: keyboard.variant.clone(),
        vconsole_keymap: keyboard.keymap.clone(),
    };
    let keymap = console_keymap(&known, models);
    let mut text = String::new();
    if let Some(layout) = &keyboard.layout {
        let variant = keyboard.variant.as_deref().unwrap_or_default();
        text = format!(
            "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"{layout}\"\nXKBVARIANT=\"{variant}\"\n\
             XKBOPTIONS=\"\"\nBACKSPACE=\"guess\"\n"
        );
    }
    if let Some(keymap) = keymap {
        text += &format!("KEYMAP=\"{keymap}\"\n");
    }
    (!text.is_empty()).then_some(text)
}

/// Name and text of each connection.
pub(super) fn keyfiles(recipe: &Recipe) -> Result<Vec<(String, String)>> {
    let read = |connection: &recipe::Connection| -> Result<(String, String)> {
        let text = match &connection.keyfile {
            Keyfile::Text(text) => text.clone(),
            Keyfile::File(path) => text(path)?,
        };
        Ok((format!("{}.nmconnection", connection.name), text))
    };
    recipe.network.iter().map(read).collect()
}

/// Connections of the installed system. NetworkManager takes those that only root can
/// read.
fn connections(recipe: &Recipe) -> Result<Vec<FilePlan>> {
    let files = keyfiles(recipe)?;
    let file = |(name, contents): (String, String)| FilePlan {
        path: format!("{CONNECTIONS}/{name}"),
        mode: Some("0600".into()),
        owner: None,
        contents,
    };
    Ok(files.into_iter().map(file).collect())
}

/// What would be done, in words.
pub(super) fn words(recipe: &Recipe, planned: &Planned) -> String {
    let plan = &planned.built.plan;
    let mut text = String::new();
    let mut say = |topic: &str, what: String| {
        // Writing to a String cannot fail.
        writeln!(text, "{:<13} {what}", format!("{topic}:")).ok();
    };
    let digest = plan.image.digest.as_ref().map(ToString::to_string);
    say(
        "Image",
        format!("{} ({})", plan.image.imgref, digest.unwrap_or_default()),
    );
    if let Some(target) = &plan.image.target_imgref {
        say("Updates from", target.to_string());
    }
    say("Disk", planned.disk.described());
    say(
        "",
        match recipe.wipe {
            true => "everything on it is lost".into(),
            false => "there is nothing on it".into(),
        },
    );
    say("Layout", layout_in_words(plan));
    for user in &recipe.users {
        let mut facts = vec![match user.password_hash {
            Some(_) => "with a password".to_owned(),
            None => "without a password".to_owned(),
        }];
        if !user.ssh_authorized_keys.is_empty() {
            facts.push(format!("{} SSH keys", user.ssh_authorized_keys.len()));
        }
        if !user.groups.is_empty() {
            facts.push(format!("in {}", user.groups.join(", ")));
        }
        say("User", format!("{}: {}", user.name, facts.join(", ")));
    }
    if !recipe.root_ssh_keys.is_empty() {
        say(
            "User",
            format!("root: {} SSH keys", recipe.root_ssh_keys.len()),
        );
    }
    for (topic, value) in [
        ("Host name", &recipe.hostname),
        ("Locale", &recipe.locale),
        ("Keyboard", &recipe.keyboard.layout),
        ("Time zone", &recipe.timezone),
    ] {
        if let Some(value) = value {
            say(topic, value.clone());
        }
    }
    for file in &plan.deployment.files {
        say("File", file.path.clone());
    }
    for unit in &recipe.units {
        let word = if unit.enabled { "enabled" } else { "disabled" };
        say("Unit", format!("{} is {word}", unit.name));
    }
    if !plan.bootc.kargs.is_empty() {
        say("Kernel", plan.bootc.kargs.join(" "));
    }
    text
}

fn layout_in_words(plan: &Plan) -> String {
    let Some(disk) = &plan.disk else {
        return String::new();
    };
    let table = match disk.table {
        Table::Gpt => "GPT",
        Table::Mbr => "MBR",
    };
    let partition = |partition: &PartitionPlan| {
        let kind = partition.kind.name();
        match (partition.size, partition.fs_type) {
            (Some(size), _) => format!("{kind} ({})", human(size)),
            (None, Some(fs)) => format!("{kind} ({fs}, the rest)"),
            (None, None) => format!("{kind} (the rest)"),
        }
    };
    let all: Vec<String> = disk.partitions.iter().map(partition).collect();
    format!("{table}: {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(text: &str) -> Recipe {
        let text = format!("{text}\ndisk: {{ rule: only }}\n");
        recipe::parse(Path::new("r"), Path::new("/r"), &text).unwrap()
    }

    #[test]
    fn language_keyboard_and_zone_become_files() {
        let recipe = parsed(
            "locale: de_DE.UTF-8\nkeyboard: { layout: de, variant: nodeadkeys }\n\
             timezone: Europe/Berlin",
        );
        let models = "de-latin1-nodeadkeys de pc105 nodeadkeys -\n";
        let (files, links) = settings(&recipe, models);
        let contents = |path: &str| {
            let file = files.iter().find(|file| file.path == path);
            file.unwrap().contents.as_str()
        };
        assert_eq!(contents("/etc/locale.conf"), "LANG=de_DE.UTF-8\n");
        assert_eq!(contents("/etc/timezone"), "Europe/Berlin\n");
        let keyboard = contents("/etc/default/keyboard");
        assert!(keyboard.contains("XKBLAYOUT=\"de\"\nXKBVARIANT=\"nodeadkeys\"\n"));
        assert!(keyboard.ends_with("KEYMAP=\"de-latin1-nodeadkeys\"\n"));
        let links: Vec<_> = links.iter().map(|l| (&*l.path, &*l.target)).collect();
        assert_eq!(
            links,
            [
                ("/etc/default/locale", "../locale.conf"),
                ("/etc/vconsole.conf", "default/keyboard"),
                ("/etc/localtime", "../usr/share/zoneinfo/Europe/Berlin"),
            ]
        );
        let (files, links) = settings(&parsed(""), models);
        assert!(files.is_empty() && links.is_empty(), "the image's own stay");
        let keymap = parsed("keyboard: { keymap: uk }");
        let (files, _) = settings(&keymap, models);
        assert_eq!(files[0].contents, "KEYMAP=\"uk\"\n");
    }

    #[test]
    fn options_win_and_both_count() {
        let recipe = parsed(
            "image: a.b/c:1\ntargetImgref: d.e/f:1\nkargs: [x]\n\
             registry: { authFile: /a, ca: /c, insecure: true, keepCredentials: true }",
        );
        let made = image(&recipe, &ImageArgs::default());
        assert_eq!(made.image.as_deref(), Some("a.b/c:1"));
        assert_eq!(made.target_imgref.as_deref(), Some("d.e/f:1"));
        assert_eq!(made.authfile.as_deref(), Some(Path::new("/a")));
        assert_eq!(made.ca.as_deref(), Some(Path::new("/c")));
        assert!(made.insecure && made.keep_auth);
        let base = ImageArgs {
            karg: vec!["y".into()],
            authfile: Some("/b".into()),
            ..ImageArgs::default()
        };
        let made = image(&recipe, &base);
        assert_eq!(made.karg, ["y", "x"]);
        assert_eq!(made.authfile.as_deref(), Some(Path::new("/b")));
        let made = image(
            &recipe,
            &ImageArgs {
                auth_fd: Some(5),
                ..ImageArgs::default()
            },
        );
        assert_eq!(made.authfile, None);
    }

    #[test]
    fn connections_are_for_root_alone() {
        let recipe = parsed("network: [{ name: up, contents: \"[wifi]\" }]");
        let files = connections(&recipe).unwrap();
        assert_eq!(files[0].path, format!("{CONNECTIONS}/up.nmconnection"));
        assert_eq!(files[0].bits(), Some(0o600));
        let missing = parsed("network: [{ name: up, file: gone }]");
        let error = connections(&missing).unwrap_err();
        assert_eq!(error.code, Code::RecipeUnreadable);
        assert!(error.what.contains("/r/gone"), "{}", error.what);
    }
}
