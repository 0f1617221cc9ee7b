// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of a recipe. The reader goes by these tables; the schema, the table of
//! docs/unattended.md and the commented recipe.yaml are printed from them
//! (`make generate`).

use std::borrow::Cow;

use contract::disk_plan::parse_size;
use yaml_doc::Default::{Is, Nothing, Required};
use yaml_doc::Kind::{Flag, List, Mapping, Text, Texts, Word};
use yaml_doc::{ANY, Form, Key, Table, Wrong, checks};

/// What a template shows of lists.
const USERS: &str = "\
- name: ann
  passwordHash: \"$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1\"
  groups: [sudo]
  sshAuthorizedKeys: [\"ssh-ed25519 AAAA… ann@example\"]
  shell: /bin/bash";
const CONNECTIONS: &str = "- name: uplink\n  file: ./uplink.nmconnection";
const FILES: &str = "\
- path: /etc/shop.conf
  mode: '0640'
  owner: ann:users
  contents: \"till = 3\\n\"";
const UNITS: &str = "- name: ssh.service\n  enabled: true";

/// The whole file.
#[rustfmt::skip]
pub static RECIPE: Table = Table {
    keys: &[
        Key::new("image", Text(&IMAGE), Nothing("`containerUrl` of the medium's bootc.conf"), "the image: `host/name:tag`, or `oci:DIR[:TAG]`").example("registry.example/os/debian:13"),
        Key::new("targetImgref", Text(&ANY), Nothing("`image`"), "what the installed system updates from, when it is another reference").example("registry.example/os/debian:stable"),
        Key::new("registry", Mapping(&REGISTRY), Nothing(""), "how the image's registry is reached, beside what bootc.conf says"),
        Key::new("disk", Mapping(&DISK), Nothing("refused"), "where it is installed"),
        Key::new("layout", Mapping(&LAYOUT), Nothing(""), "what is on the disk"),
        Key::new("kargs", Texts(&KARG), Nothing("none"), "kernel arguments of the installed system").example("[\"console=tty0\", \"console=ttyS0,115200\"]"),
        Key::new("users", List(&USER), Nothing("none"), "people who can log in").example(USERS),
        Key::new("rootSshKeys", Texts(&ANY), Nothing("none"), "lines for root's `authorized_keys`").example("[\"ssh-ed25519 AAAA… root@example\"]"),
        Key::new("hostname", Text(&ANY), Nothing("the image's"), "name of the machine").example("shop-1"),
        Key::new("locale", Text(&LOCALE), Nothing("the image's"), "language of the system; the image must have it").example("de_DE.UTF-8"),
        Key::new("keyboard", Mapping(&KEYBOARD), Nothing(""), "the keyboard"),
        Key::new("timezone", Text(&TIMEZONE), Nothing("the image's"), "name in the tz database").example("Europe/Berlin"),
        Key::new("network", List(&NETWORK), Nothing("every cable by DHCP"), "connections of NetworkManager, for the installation and for the installed system").example(CONNECTIONS),
        Key::new("files", List(&FILE), Nothing("none"), "files below `/etc` and `/var`").example(FILES),
        Key::new("units", List(&UNIT), Nothing("none"), "systemd units of the image, or of `files`").example(UNITS),
        Key::new("after", Word(&After::NAMES, &[]), Is("poweroff"), "what the medium does when all is well: switch the machine off, start it again, give a shell, or leave everything as it is. The kernel argument `installer.after=` counts instead"),
    ],
    together: "required: [ disk ]\n",
};

#[rustfmt::skip]
static REGISTRY: Table = Table::of(&[
    Key::new("authFile", Text(&PATH), Nothing("none"), "file with a login (containers-auth.json(5)), such as `/run/credentials/@system/installer.auth`, which is the credential `installer.auth` of the machine").example("/run/credentials/@system/installer.auth"),
    Key::new("keepCredentials", Flag, Is("false"), "keep that login in the installed system, for updates"),
    Key::new("ca", Text(&PATH), Nothing("the system's"), "PEM file with the authorities that signed its certificate").example("/run/credentials/@system/installer.ca"),
    Key::new("insecure", Flag, Is("false"), "plain http, or TLS without a check of the certificate"),
]);

#[rustfmt::skip]
static DISK: Table = Table {
    keys: &[
        Key::new("id", Text(&DISK_ID), Nothing("a `rule`"), "one disk, by a link below `/dev/disk/by-id` or `/dev/disk/by-path`; names such as /dev/sda are refused, since another disk can have them at the next start").example("/dev/disk/by-id/nvme-EXAMPLE_S1234"),
        Key::new("rule", Word(&["only", "largest-empty"], &[]), Nothing("an `id`"), "instead of `id`: `only` is the only disk that fits, `largest-empty` the largest one with nothing on it. Two that fit equally well are refused. Removable disks, those in use and the medium itself never fit").example("only").instead(),
        Key::new("model", Text(&FULL), Nothing("any"), "for a `rule`: a part of the disk's model, in upper or lower case").example("\"EXAMPLE SSD\"").instead(),
        Key::new("minSize", Text(&SIZE), Nothing("any"), "for a `rule`: least size").example("200G").instead(),
        Key::new("maxSize", Text(&SIZE), Nothing("any"), "for a `rule`: most size").example("2T").instead(),
        Key::new("wipe", Flag, Is("false"), "everything on the disk may be lost; without it a disk with anything on it is refused"),
    ],
    together: "
oneOf:
    - required: [ id ]
      properties: { model: false, minSize: false, maxSize: false }
    - required: [ rule ]
",
};

#[rustfmt::skip]
static LAYOUT: Table = Table::of(&[
    Key::new("table", Word(&["gpt", "mbr"], &[]), Is("gpt"), "partition table"),
    Key::new("filesystem", Word(&["ext4", "xfs", "btrfs"], &[]), Is("ext4"), "file system of the root, which has the rest of the disk, and of `/boot`"),
    Key::new("bootSize", Text(&SIZE), Nothing("`/boot` is in the root"), "size of a partition for `/boot`").example("1G"),
]);

#[rustfmt::skip]
static USER: Table = Table::of(&[
    Key::new("name", Text(&ANY), Required, "name; one that the image has is changed, also `root`"),
    Key::new("passwordHash", Text(&ANY), Nothing("no password"), "password as crypt(5) hashes it, never as it is typed: `openssl passwd -6`"),
    Key::new("groups", Texts(&ANY), Nothing("none"), "groups to be in; the image must have them"),
    Key::new("sshAuthorizedKeys", Texts(&ANY), Nothing("none"), "lines for `authorized_keys`"),
    Key::new("shell", Text(&ANY), Nothing("the image's"), "login shell"),
]);

#[rustfmt::skip]
static KEYBOARD: Table = Table::of(&[
    Key::new("layout", Text(&XKB_LAYOUT), Nothing("the image's"), "XKB layout").example("de"),
    Key::new("variant", Text(&XKB), Nothing("none"), "XKB variant").example("nodeadkeys"),
    Key::new("keymap", Text(&KEYMAP), Nothing("the one of the layout"), "keymap of the console").example("de-latin1-nodeadkeys"),
]);

#[rustfmt::skip]
static NETWORK: Table = Table::of(&[
    Key::new("name", Text(&CONNECTION), Required, "name of its file, without an end"),
    Key::new("file", Text(&PATH), Nothing("`contents`"), "file with the connection (nm-settings-keyfile(5))"),
    Key::new("contents", Text(&ANY), Nothing("`file`"), "the connection itself"),
]);

#[rustfmt::skip]
static FILE: Table = Table::of(&[
    Key::new("path", Text(&ANY), Required, "where it is"),
    Key::new("mode", Text(&ANY), Is("'0644'"), "permissions in octal digits, in quotes"),
    Key::new("owner", Text(&ANY), Nothing("`root:root`"), "`user` or `user:group`"),
    Key::new("contents", Text(&ANY), Is("''"), "its text"),
]);

#[rustfmt::skip]
static UNIT: Table = Table::of(&[
    Key::new("name", Text(&ANY), Required, "its name with its type"),
    Key::new("enabled", Flag, Is("true"), "whether it is started at boot"),
]);

/// What the medium does when an installation has ended well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum After {
    /// Switches the machine off. The default: a medium that stays in its drive would
    /// otherwise install again and again.
    #[default]
    Poweroff,
    /// Starts the machine again.
    Reboot,
    /// Gives root's shell.
    Shell,
    /// Leaves everything as it is.
    Nothing,
}

impl After {
    /// Its words, in the order of the variants.
    pub const NAMES: [&'static str; 4] = ["poweroff", "reboot", "shell", "nothing"];
    const ALL: [Self; 4] = [Self::Poweroff, Self::Reboot, Self::Shell, Self::Nothing];

    /// The word of a recipe.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The one with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|after| after.name() == word)
    }
}

static PATH: Form = Form::new("file", "files", |_| Ok(()), "").not_empty();
static FULL: Form = Form::new("text", "texts", not_empty, "").not_empty();
static IMAGE: Form = Form::new("image", "images", checks::image, "").not_empty();
static DISK_ID: Form = Form::new("link", "links", disk_id, "^/dev/disk/by-(id|path)/[^/]+$");
static SIZE: Form = Form::new(
    "size",
    "sizes",
    size,
    "^[0-9]+([KkMmGgTt]([Ii][Bb])?|[Bb])?$",
);
static KARG: Form = Form::new("argument", "arguments", karg, r"^[^\s]+$").not_empty();
static LOCALE: Form = Form::new(
    "text",
    "texts",
    checks::locale,
    r"^(C|[a-z]{2,3}_([A-Z]{2}|419))\.UTF-8(@[A-Za-z0-9]+)?$",
);
static XKB_LAYOUT: Form = Form::new(
    "text",
    "texts",
    checks::layout,
    "^[A-Za-z0-9_,][A-Za-z0-9_,-]*$",
);
static XKB: Form = Form::new(
    "text",
    "texts",
    checks::keyboard,
    "^([A-Za-z0-9_,][A-Za-z0-9_,-]*)?$",
);
static KEYMAP: Form = Form::new("text", "texts", keymap, "^[A-Za-z0-9_.@-]+$");
static TIMEZONE: Form = Form::new(
    "text",
    "texts",
    checks::timezone,
    "^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}$",
);
static CONNECTION: Form = Form::new("name", "names", connection, "^[A-Za-z0-9_-]+$");

fn wrong(what: &'static str, why: &'static str, next: &'static str) -> Result<(), Wrong> {
    Err(Wrong {
        what,
        why: Cow::Borrowed(why),
        next,
    })
}

fn not_empty(text: &str) -> Result<(), Wrong> {
    match text.trim() {
        "" => wrong("is empty", "Everything would fit.", "Write a part of it."),
        _ => Ok(()),
    }
}

fn disk_id(text: &str) -> Result<(), Wrong> {
    let name = ["/dev/disk/by-id/", "/dev/disk/by-path/"]
        .iter()
        .find_map(|dir| text.strip_prefix(dir));
    match name {
        Some(name) if !name.is_empty() && name != ".." && !name.contains('/') => Ok(()),
        _ => wrong(
            "does not name one disk for good",
            "Names such as /dev/sda are given out at every start, in the order in which disks are found.",
            "Write a link below /dev/disk/by-id, which `ls -l /dev/disk/by-id` shows, or a `rule`.",
        ),
    }
}

fn size(text: &str) -> Result<(), Wrong> {
    match parse_size(text) {
        Ok(_) => Ok(()),
        Err(_) => wrong(
            "is no size",
            "A size is a number with M, G or T behind it, for powers of 1024.",
            "Write for example `200G`.",
        ),
    }
}

fn karg(text: &str) -> Result<(), Wrong> {
    if !text.is_empty() && !text.contains(char::is_whitespace) {
        return Ok(());
    }
    wrong(
        "is no kernel argument",
        "It is empty, or several in one.",
        "Write one argument per entry, such as `quiet` or `console=ttyS0,115200`.",
    )
}

fn keymap(text: &str) -> Result<(), Wrong> {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if !text.is_empty() && text.chars().all(known) {
        return Ok(());
    }
    wrong(
        "is no keymap",
        "Keymaps have the names of `localectl list-keymaps`.",
        "Write for example `de-latin1`.",
    )
}

fn connection(text: &str) -> Result<(), Wrong> {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !text.is_empty() && text.chars().all(known) {
        return Ok(());
    }
    wrong(
        "cannot be the name of a connection's file",
        "It has letters, digits, `-` and `_`.",
        "Write for example `uplink`; `id=` in the connection may be anything.",
    )
}
