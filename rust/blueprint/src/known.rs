// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys that blueprints have and disk images of bootable containers have not,
//! and what to do about them.

use crate::Wrong;

const IN_THE_IMAGE: &str =
    "Do that in the Containerfile of the image: it then also reaches machines by an update.";

/// `(key, what to do)`.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "packages",
        "Install packages in the Containerfile of the image.",
    ),
    (
        "enabled_modules",
        "Install packages in the Containerfile of the image.",
    ),
    ("uri", "Write the contents of the file as `data`."),
    (
        "containers",
        "Bind them to the image (/usr/lib/bootc/bound-images.d): bootc fetches those with it.",
    ),
    ("distro", "Name the image on the command line."),
    (
        "architecture",
        "Leave it out: a disk image is for the architecture of the machine that builds it.",
    ),
    (
        "installer",
        "This is for installation media, not for disks.",
    ),
    ("iso", "This is for installation media, not for disks."),
    (
        "installation_device",
        "This is for installation media, not for disks.",
    ),
    ("partitioning_mode", "Write customizations.disk."),
    (
        "ignition",
        "Write what the Ignition configuration does as customizations.files and customizations.user.",
    ),
    (
        "sshd",
        "Write a file below /etc/ssh/sshd_config.d with customizations.files.",
    ),
    (
        "timezone",
        "Do that in the Containerfile of the image, or with a unit at the first boot.",
    ),
    ("locale", IN_THE_IMAGE),
    ("firewall", IN_THE_IMAGE),
    ("fdo", IN_THE_IMAGE),
    ("openscap", IN_THE_IMAGE),
    ("repositories", IN_THE_IMAGE),
    ("fips", IN_THE_IMAGE),
    ("rpm", IN_THE_IMAGE),
    ("rhsm", IN_THE_IMAGE),
    ("cacerts", IN_THE_IMAGE),
    ("containers-storage", IN_THE_IMAGE),
    ("firstboot", IN_THE_IMAGE),
    ("dnf", IN_THE_IMAGE),
    (
        "logical_volumes",
        "Disk images have plain partitions; LVM is for installations by the installer.",
    ),
    (
        "subvolumes",
        "Disk images have plain partitions; write fs_type = \"btrfs\" for the root.",
    ),
    (
        "expiredate",
        "Set it with a unit at the first boot, see chage(1).",
    ),
    (
        "force_password_reset",
        "Set it with a unit at the first boot, see chage(1).",
    ),
];

/// The message of a reader, in the words of this program.
pub(crate) fn explain(message: &str, line: Option<usize>, column: Option<usize>) -> Wrong {
    let wrong = |what: String, next: Option<String>| Wrong {
        line,
        column,
        what,
        next,
    };
    let Some((key, allowed)) = unknown_field(message) else {
        return wrong(message.trim().replace('\n', ": "), None);
    };
    if let Some((_, next)) = ELSEWHERE.iter().find(|(name, _)| *name == key) {
        let what =
            format!("`{key}` is a key of blueprints that has no effect on this kind of image");
        return wrong(what, Some((*next).to_owned()));
    }
    let allowed = allowed
        .trim_start_matches(", there are no fields")
        .replace('`', "");
    let next = (!allowed.is_empty()).then(|| format!("The keys here are: {allowed}."));
    wrong(format!("`{key}` is no key of blueprints"), next)
}

/// The key and the list after it in serde's sentence about a key too many.
fn unknown_field(message: &str) -> Option<(&str, &str)> {
    let rest = message.trim().strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    let allowed = rest
        .trim_start_matches(", expected ")
        .trim_start_matches("one of ");
    Some((key, allowed))
}
