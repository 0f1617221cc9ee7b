// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of a plan that makes a system of an image before its first boot:
//! people, keys, a name, files and units; and whether it updates itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// Longest name of a user, as useradd(8) takes it.
const USER_MAX: usize = 32;

/// Longest name of a machine, `HOST_NAME_MAX` of Linux.
const HOSTNAME_MAX: usize = 64;

/// Directories in which a machine may have files of its own. The other writable
/// places of an image are links into `/var`.
pub const FILE_PLACES: [&str; 2] = ["/etc", "/var"];

/// Suffixes of units that can be enabled.
const UNIT_TYPES: [&str; 6] = [
    ".service", ".socket", ".timer", ".path", ".target", ".mount",
];

/// Methods of crypt(5) that a password may be hashed with, by their prefixes.
const HASHES: [&str; 7] = ["$y$", "$gy$", "$7$", "$6$", "$5$", "$2b$", "$2y$"];

/// A person who can log in. One that the image has already is changed: groups
/// are added, and a shell, password or keys replace those that are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPlan {
    /// Name; `root` is one that every image has.
    pub name: String,
    /// Password as crypt(5) hashes it; without one there is no password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<PasswordHash>,
    /// Groups to be in besides the own one; each must be in the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Lines for `.ssh/authorized_keys`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_authorized_keys: Vec<String>,
    /// Login shell, else the image's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
}

/// A hashed password. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash, for chpasswd(8) alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for PasswordHash {
    fn from(hash: String) -> Self {
        Self(hash)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// A group. One that the image has already stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupPlan {
    /// Name.
    pub name: String,
    /// Number, else the next one that is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// It is none of people.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub system: bool,
}

/// A directory in `/etc` or `/var`, made before files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DirectoryPlan {
    /// Absolute path below `/etc` or `/var`; those above it are made (0755).
    pub path: String,
    /// Permissions in octal digits, default `0755`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// As of a [`FilePlan`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A symbolic link in `/etc` or `/var`. A file or link that is there is replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkPlan {
    /// Absolute path below `/etc` or `/var`; directories are made (0755).
    pub path: String,
    /// What it leads to, from its own directory unless it is absolute. It need not
    /// be there.
    pub target: String,
}

/// Whether the installed system looks for updates by itself, and applies them:
/// bootc's own timer (bootc-fetch-apply-updates(8)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdatesPlan {
    /// The timer is off.
    Manual,
    /// The timer is on; an image that has none is installed with a warning.
    Automatic,
    /// The timer is on; an image that has none is refused.
    Required,
}

/// The timer of [`UpdatesPlan`].
pub const UPDATE_TIMER: &str = "bootc-fetch-apply-updates.timer";

/// A file in `/etc` or `/var`. One that is there is replaced. `Debug` does not
/// show what is in it, which may be a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilePlan {
    /// Absolute path below `/etc` or `/var`; directories are made (0755).
    pub path: String,
    /// Permissions in octal digits, default `0644`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `user` or `user:group`, names or numbers, default `root:root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its text.
    #[serde(default)]
    pub contents: String,
}

impl fmt::Debug for FilePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePlan")
            .field("path", &self.path)
            .field("mode", &self.mode)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl FilePlan {
    /// The permissions.
    pub fn bits(&self) -> Option<u32> {
        bits(self.mode.as_deref(), 0o644)
    }
}

impl DirectoryPlan {
    /// The permissions.
    pub fn bits(&self) -> Option<u32> {
        bits(self.mode.as_deref(), 0o755)
    }
}

fn bits(digits: Option<&str>, usual: u32) -> Option<u32> {
    let read = |digits| u32::from_str_radix(digits, 8).ok();
    digits
        .map_or(Some(usual), read)
        .filter(|bits| *bits <= 0o7777)
}

/// A systemd unit of the image, or of `files`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnitPlan {
    /// Its name with its type, for example `ssh.service`.
    pub name: String,
    /// Whether it is started at boot.
    pub enabled: bool,
}

/// Borrowed from the plan: all that is customised.
#[derive(Debug, Clone, Copy)]
pub struct Customisation<'a> {
    /// Groups.
    pub groups: &'a [GroupPlan],
    /// People.
    pub users: &'a [UserPlan],
    /// Lines for root's `.ssh/authorized_keys`.
    pub root_ssh_keys: &'a [String],
    /// Name of the machine.
    pub hostname: Option<&'a str>,
    /// Directories.
    pub directories: &'a [DirectoryPlan],
    /// Files.
    pub files: &'a [FilePlan],
    /// Symbolic links.
    pub links: &'a [LinkPlan],
    /// Units.
    pub units: &'a [UnitPlan],
}

impl Customisation<'_> {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.users.is_empty()
            && self.root_ssh_keys.is_empty()
            && self.hostname.is_none()
            && self.directories.is_empty()
            && self.files.is_empty()
            && self.links.is_empty()
            && self.units.is_empty()
    }

    /// Refuses (`PLAN_INVALID`) what no system takes, and passwords that are
    /// not hashed. No message has a password in it.
    pub fn validate(&self) -> Result<()> {
        for (index, user) in self.users.iter().enumerate() {
            user.validate()?;
            if self.users[..index].iter().any(|u| u.name == user.name) {
                return invalid(format!("`deployment.users` has {} twice.", user.name));
            }
        }
        keys("`deployment.rootSshKeys`", self.root_ssh_keys)?;
        if let Some(name) = self.hostname
            && !is_hostname(name)
        {
            return invalid(format!("`{name}` cannot be the name of a machine."));
        }
        for group in self.groups {
            if !is_user_name(&group.name) {
                return invalid(format!("`{}` cannot be the name of a group.", group.name));
            }
        }
        for directory in self.directories {
            let DirectoryPlan { path, owner, .. } = directory;
            node("directories", path, directory.bits(), owner.as_deref())?;
        }
        for file in self.files {
            node("files", &file.path, file.bits(), file.owner.as_deref())?;
        }
        for link in self.links {
            node("links", &link.path, Some(0), None)?;
            if link.target.is_empty() || link.target.contains(['\0', '\n']) {
                return invalid(format!("The link {} leads nowhere.", link.path));
            }
        }
        for unit in self.units {
            if !is_unit(&unit.name) {
                return invalid(format!(
                    "`{}` cannot be the name of a systemd unit; it needs its type, as in \
                     ssh.service.",
                    unit.name
                ));
            }
        }
        Ok(())
    }
}

impl UserPlan {
    fn validate(&self) -> Result<()> {
        let name = &self.name;
        if !is_user_name(name) {
            return invalid(format!("`{name}` cannot be the name of a user."));
        }
        if let Some(hash) = &self.password_hash
            && !is_hash(hash.expose())
        {
            return invalid(format!(
                "`passwordHash` of {name} is no hashed password; `openssl passwd -6` and \
                 mkpasswd(1) make one."
            ));
        }
        if let Some(group) = self.groups.iter().find(|group| !is_user_name(group)) {
            return invalid(format!("`{group}` cannot be the name of a group."));
        }
        if let Some(shell) = &self.shell
            && (!shell.starts_with('/') || shell.contains([':', '\n']))
        {
            return invalid(format!("`{shell}` cannot be the shell of {name}."));
        }
        keys(
            &format!("`sshAuthorizedKeys` of {name}"),
            &self.ssh_authorized_keys,
        )
    }
}

/// Refuses what cannot be in one of [`FILE_PLACES`] of a system.
fn node(list: &str, path: &str, bits: Option<u32>, owner: Option<&str>) -> Result<()> {
    let below = |top: &&str| path.strip_prefix(*top).is_some_and(|p| p.starts_with('/'));
    let inside = FILE_PLACES.iter().any(below);
    let plain = (path.split('/').skip(1)).all(|part| !matches!(part, "" | "." | ".."));
    if !inside || !plain || path.contains('\0') {
        return invalid(format!(
            "`{path}` cannot be in `deployment.{list}`: its place is below {}.",
            FILE_PLACES.join(" or ")
        ));
    }
    if bits.is_none() {
        return invalid(format!("The mode of {path} is no octal number."));
    }
    let named = |owner: &str| {
        let mut parts = owner.splitn(2, ':');
        parts.all(|part| {
            is_user_name(part) || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    if owner.is_some_and(|owner| !named(owner)) {
        return invalid(format!("The owner of {path} is no `user` or `user:group`."));
    }
    Ok(())
}

fn is_user_name(name: &str) -> bool {
    let start = |c: char| c.is_ascii_lowercase() || c == '_';
    name.len() <= USER_MAX
        && name.starts_with(start)
        && name
            .chars()
            .all(|c| start(c) || c.is_ascii_digit() || c == '-' || c == '.')
}

/// A hash, or one that nothing matches (`!`, `*`, also before a hash).
fn is_hash(text: &str) -> bool {
    let hash = text.trim_start_matches('!');
    let locked = hash.is_empty() || hash == "*";
    let known = HASHES.iter().any(|prefix| {
        let rest = hash.strip_prefix(prefix);
        // Salt and hash, at least.
        rest.is_some_and(|rest| rest.contains('$') && rest.len() > 20)
    });
    !text.is_empty() && (locked || known) && text.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

fn is_hostname(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= HOSTNAME_MAX && name.split('.').all(label)
}

fn is_unit(name: &str) -> bool {
    let kind = UNIT_TYPES.iter().find_map(|kind| name.strip_suffix(kind));
    kind.is_some_and(|stem| {
        !stem.is_empty()
            && !stem.starts_with('-')
            && stem
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b))
    })
}

/// Public keys, one line each.
fn keys(place: &str, keys: &[String]) -> Result<()> {
    for key in keys {
        if key.trim().is_empty() || key.contains(['\n', '\r', '\0']) || key.contains("PRIVATE KEY")
        {
            return invalid(format!(
                "{place} must be lines of authorized_keys, each one public key."
            ));
        }
    }
    Ok(())
}

fn invalid<T>(what: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::PlanInvalid, what))
}

#[cfg(test)]
mod tests;
