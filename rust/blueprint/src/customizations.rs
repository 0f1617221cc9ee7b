// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a blueprint says, as types. The names are the format's.

use std::collections::BTreeSet;
use std::fmt;

use contract::customise_plan::FILE_PLACES;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Wrong;
use crate::size::Size;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blueprint {
    /// What it is called; has no effect.
    pub name: Option<String>,
    /// What it is for; has no effect.
    pub description: Option<String>,
    /// Of the blueprint; has no effect.
    pub version: Option<String>,
    /// What it says.
    pub customizations: Customizations,
    // Tools that write blueprints write these although nothing is in them.
    #[serde(deserialize_with = "no_packages")]
    pub(crate) packages: (),
    #[serde(deserialize_with = "no_packages")]
    pub(crate) modules: (),
    #[serde(deserialize_with = "no_packages")]
    pub(crate) groups: (),
    /// The whole, in older files.
    pub(crate) blueprint: Option<Box<Blueprint>>,
}

/// What is different from the image.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Customizations {
    /// Of the machine.
    pub hostname: Option<String>,
    /// Arguments of the kernel.
    pub kernel: Kernel,
    /// Accounts.
    #[serde(rename = "user")]
    pub users: Vec<User>,
    /// Groups without an account of their name.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
    /// Units that are switched on or off.
    pub services: Services,
    /// Sizes of file systems. Not together with `disk`.
    #[serde(rename = "filesystem")]
    pub filesystems: Vec<Filesystem>,
    /// The whole layout.
    pub disk: Option<Disk>,
    /// Directories, made before `files`.
    pub directories: Vec<Directory>,
    /// Files with their contents.
    pub files: Vec<File>,
}

/// `customizations.kernel`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kernel {
    /// Kernel arguments, as they stand on its command line.
    pub append: String,
}

impl Kernel {
    /// Each argument by itself; blanks between double quotes do not part them, as
    /// in the kernel's own reading.
    pub fn arguments(&self) -> Vec<String> {
        let (mut all, mut one, mut quoted) = (Vec::new(), String::new(), false);
        for c in self.append.chars() {
            quoted ^= c == '"';
            if c.is_whitespace() && !quoted {
                all.push(std::mem::take(&mut one));
            } else {
                one.push(c);
            }
        }
        all.push(one);
        all.retain(|a| !a.is_empty());
        all
    }
}

/// `customizations.user`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The login.
    pub name: String,
    /// The full name.
    pub description: Option<String>,
    /// As it is typed, or hashed as crypt(5) has it.
    #[serde(default, deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// Public SSH keys, one a line.
    pub key: Option<String>,
    /// The home directory.
    pub home: Option<String>,
    /// The login shell.
    pub shell: Option<String>,
    /// Groups beside the own one.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The number of the user.
    pub uid: Option<u32>,
    /// The number of the user's own group.
    pub gid: Option<u32>,
}

impl User {
    /// Whether the password is a hash already: what osbuild's own tools take for
    /// one, and yescrypt, which is Debian's.
    pub fn has_hash(&self) -> bool {
        let password = self.password.as_ref().map(|p| p.expose_secret());
        let hashes = ["$2b$", "$5$", "$6$", "$y$"];
        password.is_some_and(|p| hashes.iter().any(|hash| p.starts_with(hash)))
    }

    /// The keys, without blank lines and comments.
    pub fn keys(&self) -> Vec<String> {
        let lines = self.key.iter().flat_map(|key| key.lines());
        let lines = lines.map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect()
    }
}

/// `customizations.group`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: Option<u32>,
}

/// `customizations.services`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// Started at boot.
    pub enabled: Vec<String>,
    /// Not started at boot.
    pub disabled: Vec<String>,
    /// Not started at all.
    pub masked: Vec<String>,
}

/// `customizations.filesystem`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filesystem {
    /// Absolute.
    pub mountpoint: String,
    /// At least this size.
    #[serde(alias = "size")]
    pub minsize: Size,
}

/// The kinds of partition tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskTable {
    /// For every firmware.
    #[default]
    Gpt,
    /// MBR.
    Dos,
}

/// `customizations.disk`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Disk {
    /// The partition table.
    #[serde(rename = "type")]
    pub table: DiskTable,
    /// The disk has at least this size.
    pub minsize: Option<Size>,
    /// What a firmware needs to boot is added when it is not among them.
    pub partitions: Vec<Partition>,
}

/// `customizations.disk.partitions`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// `plain`; nothing else is made.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// At least this size.
    pub minsize: Size,
    /// Type GUID, or two hexadecimal digits in an MBR.
    pub part_type: Option<String>,
    /// The partition's name in a GPT.
    pub part_label: Option<String>,
    /// The partition's own GUID.
    pub part_uuid: Option<String>,
    /// Absolute; none for swap.
    pub mountpoint: Option<String>,
    /// Of the file system.
    pub label: Option<String>,
    /// `ext4`, `xfs`, `btrfs`, `vfat`, `swap`.
    pub fs_type: Option<String>,
}

/// Whose a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// By name, as the image has it.
    Name(String),
    /// By number.
    Id(u32),
}

/// `customizations.directories`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Absolute.
    pub path: String,
    /// root when nobody is named.
    pub user: Option<Owner>,
    /// root when none is named.
    pub group: Option<Owner>,
    /// Octal, three digits with or without a 0 before them; 0755 without.
    pub mode: Option<String>,
    /// Whether what is above it is made, too.
    #[serde(default)]
    pub ensure_parents: bool,
}

/// `customizations.files`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Absolute.
    pub path: String,
    /// root when nobody is named.
    pub user: Option<Owner>,
    /// root when none is named.
    pub group: Option<Owner>,
    /// Octal, three digits with or without a 0 before them; 0644 without.
    pub mode: Option<String>,
    /// The contents; may be a secret.
    #[serde(default, deserialize_with = "secret")]
    pub data: Option<SecretString>,
}

/// A list with nothing in it: a bootable container has its packages itself.
fn no_packages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let all = Option::<Vec<de::IgnoredAny>>::deserialize(deserializer)?;
    if all.is_some_and(|all| !all.is_empty()) {
        return Err(de::Error::unknown_field("packages", &[]));
    }
    Ok(())
}

/// A text of which no error shows anything.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = Option<SecretString>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(text.into()))
        }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Err(E::custom("a text is expected here: put it between quotes"))
        }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
            self.visit_i64(0)
        }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
            self.visit_i64(0)
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Text)
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OwnerVisitor;
        impl Visitor<'_> for OwnerVisitor {
            type Value = Owner;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or a number")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Owner, E> {
                Ok(Owner::Name(name.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, id: i64) -> Result<Owner, E> {
                let id = u32::try_from(id);
                id.map(Owner::Id)
                    .map_err(|_| E::custom("this is the number of nobody"))
            }
            fn visit_u64<E: de::Error>(self, id: u64) -> Result<Owner, E> {
                self.visit_i64(i64::try_from(id).unwrap_or(-1))
            }
        }
        deserializer.deserialize_any(OwnerVisitor)
    }
}

/// Names as useradd(8) takes them without being forced.
fn is_account(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && name.len() <= 32
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
}

fn is_hostname(name: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn is_mode(mode: &str) -> bool {
    let digits = mode.strip_prefix('0').filter(|m| m.len() == 3);
    let digits = digits.unwrap_or(mode);
    digits.len() == 3 && digits.bytes().all(|b| (b'0'..=b'7').contains(&b))
}

fn check_path(what: &str, path: &str) -> Result<(), Wrong> {
    let plain = path
        .split('/')
        .skip(1)
        .all(|part| !matches!(part, "" | "." | ".."));
    if !path.starts_with('/') || !plain {
        return Err(wrong(
            format!(
                "the path `{path}` in {what} is not absolute, or has `.`, `..` or an empty part"
            ),
            None,
        ));
    }
    let below = |root: &&str| path.strip_prefix(*root).is_some_and(|p| p.starts_with('/'));
    if !FILE_PLACES.iter().any(below) {
        return Err(wrong(
            format!("`{path}` in {what} is the image's own: a machine cannot write there"),
            Some(format!(
                "Put it into the image, or below one of {}.",
                FILE_PLACES.join(", ")
            )),
        ));
    }
    Ok(())
}

fn wrong(what: String, next: Option<String>) -> Wrong {
    Wrong {
        line: None,
        column: None,
        what,
        next,
    }
}

impl Blueprint {
    /// What the types alone do not say.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        if self.blueprint.is_some() {
            return Err(wrong("`blueprint` stands below `blueprint`".into(), None));
        }
        let all = &self.customizations;
        all.check_accounts()?;
        all.check_layout()?;
        if let Some(name) = all.hostname.as_deref().filter(|name| !is_hostname(name)) {
            return Err(wrong(format!("`{name}` is no name of a machine"), None));
        }
        let files = all.files.iter().map(|f| ("files", &f.path, &f.mode));
        let directories = all
            .directories
            .iter()
            .map(|d| ("directories", &d.path, &d.mode));
        let mut paths = BTreeSet::new();
        for (what, path, mode) in directories.chain(files) {
            check_path(&format!("customizations.{what}"), path)?;
            if !paths.insert(path) {
                return Err(wrong(format!("`{path}` is there twice"), None));
            }
            if let Some(mode) = mode.as_deref().filter(|mode| !is_mode(mode)) {
                return Err(wrong(
                    format!("`{mode}` is no mode for `{path}`"),
                    Some("Write three octal digits, for example \"0644\".".into()),
                ));
            }
        }
        Ok(())
    }
}

impl Customizations {
    fn check_accounts(&self) -> Result<(), Wrong> {
        let users = self.users.iter().map(|u| ("user", &u.name));
        let mut seen = BTreeSet::new();
        for (what, name) in users.chain(self.groups.iter().map(|g| ("group", &g.name))) {
            if !is_account(name) {
                return Err(wrong(
                    format!("`{name}` is no name of a {what}"),
                    Some("Write small letters, digits, `-` and `_`, at most 32.".into()),
                ));
            }
            if !seen.insert((what, name)) {
                return Err(wrong(format!("the {what} `{name}` is there twice"), None));
            }
        }
        for user in &self.users {
            let field =
                |text: &Option<String>| text.as_deref().is_some_and(|t| t.contains([':', '\n']));
            if field(&user.description) || field(&user.home) || field(&user.shell) {
                return Err(wrong(
                    format!(
                        "the account `{}` has a colon or an end of line in a field",
                        user.name
                    ),
                    None,
                ));
            }
        }
        Ok(())
    }

    fn check_layout(&self) -> Result<(), Wrong> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };
        if !self.filesystems.is_empty() {
            return Err(wrong(
                "customizations.disk and customizations.filesystem say the same thing twice".into(),
                Some("Leave one of the two out.".into()),
            ));
        }
        for partition in &disk.partitions {
            if let Some(kind) = partition.kind.as_deref().filter(|kind| *kind != "plain") {
                return Err(wrong(
                    format!("partitions of the type `{kind}` are not made for disk images"),
                    Some("Use plain partitions; for btrfs, fs_type = \"btrfs\".".into()),
                ));
            }
            let swap = partition.fs_type.as_deref() == Some("swap");
            if swap == partition.mountpoint.is_some() {
                return Err(wrong(
                    "a partition has a mountpoint, or is swap: one of the two".into(),
                    None,
                ));
            }
        }
        Ok(())
    }
}
