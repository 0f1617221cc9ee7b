// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of fstab(5): what a plan may ask for, and how they get into the
//! deployment's own file. bootc's lines stay, the plan's follow.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::octal;

/// The line above the ones that this module adds.
const MARK: &str = "# Added by the installer.";

/// What fstab(5) and old habits have in place of swap's mount point.
const NO_MOUNT_POINT: [&str; 3] = ["none", "swap", ""];

/// One line of fstab(5). The fields are plain texts: blanks are encoded when
/// the line is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FstabEntry {
    /// First field, for example `UUID=…`.
    pub source: String,
    /// Mount point, `none` (or nothing) for swap. `/home` becomes `/var/home`.
    pub mount_point: String,
    /// File system type.
    pub fs_type: String,
    /// Mount options.
    pub options: Vec<String>,
    /// Sixth field: the order of fsck, 0 for never.
    #[serde(default)]
    pub pass: u8,
}

/// Where a mount point must be in a system whose root is read-only: `/home`
/// and its like are links into `/var`, and systemd mounts on the real place.
/// `link` gives the target of a top-level link of the deployment.
pub fn real_mount_point(mount_point: &str, link: impl Fn(&Path) -> Option<PathBuf>) -> PathBuf {
    let path = clean(Path::new(mount_point));
    for prefix in path.ancestors() {
        let target = match link(prefix) {
            Some(target) => target,
            // bootc's own convention, for images that have no such link.
            None if prefix == Path::new("/home") => "var/home".into(),
            None => continue,
        };
        let base = prefix.parent().unwrap_or(Path::new("/"));
        let rest = path.strip_prefix(prefix).unwrap_or(Path::new(""));
        return clean(&base.join(target).join(rest));
    }
    path
}

/// An absolute path without `.` and `..`, a trailing slash or doubled slashes.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => cleaned.push(name),
            Component::ParentDir => {
                cleaned.pop();
            }
            _ => {}
        }
    }
    cleaned
}

/// Refuses entries that cannot be in an fstab at all, or would keep the system
/// from booting: `PLAN_INVALID`. The one rule for all entries.
pub fn validate(entries: &[FstabEntry]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for entry in entries {
        require_fields(entry)?;
        if is_swap(entry) {
            if !NO_MOUNT_POINT.contains(&entry.mount_point.as_str()) {
                return Err(refusal(entry, "Swap space has no mount point but `none`."));
            }
            continue;
        }
        let mount_point = require_mount_point(entry)?;
        if !seen.insert(mount_point) {
            return Err(refusal(
                entry,
                "There are two entries for this mount point.",
            ));
        }
    }
    Ok(())
}

fn refusal(entry: &FstabEntry, why: &str) -> Error {
    let name = match entry.mount_point.as_str() {
        "" => &entry.source,
        mount_point => mount_point,
    };
    Error::new(
        Code::PlanInvalid,
        format!("The fstab entry for `{name}` cannot be used."),
    )
    .why(why)
    .next("Remove or correct the entry.")
}

fn require_fields(entry: &FstabEntry) -> Result<()> {
    if entry.source.is_empty() || entry.fs_type.is_empty() {
        return Err(refusal(entry, "It lacks a source or a file system type."));
    }
    if entry.options.iter().any(String::is_empty) {
        return Err(refusal(entry, "One of its options is empty."));
    }
    let fields = [&entry.source, &entry.mount_point, &entry.fs_type];
    // A tab is a blank like others, and is encoded.
    let odd = |c: char| c.is_control() && c != '\t';
    if fields
        .into_iter()
        .chain(&entry.options)
        .any(|f| f.contains(odd))
    {
        return Err(refusal(
            entry,
            "A field contains a line break or another control character.",
        ));
    }
    Ok(())
}

/// The place that a file system may be mounted at.
fn require_mount_point(entry: &FstabEntry) -> Result<PathBuf> {
    if !entry.mount_point.starts_with('/') {
        return Err(refusal(entry, "The mount point is no absolute path."));
    }
    let mount_point = real_mount_point(&entry.mount_point, |_| None);
    let why = match mount_point.to_str() {
        Some("/") => {
            "The root file system is mounted by bootc itself; a line for it breaks the boot."
        }
        Some("/var") => {
            "A file system of its own for /var would hide what the image brings in /var."
        }
        Some("/etc" | "/usr" | "/sysroot" | "/ostree") => {
            "This directory belongs to the deployment."
        }
        _ => return Ok(mount_point),
    };
    Err(refusal(entry, why))
}

/// The new text. Lines that are there already are not added again, and where
/// bootc wrote a line for a mount point (`/boot`), its line counts.
pub fn merge(old: &str, entries: &[FstabEntry], link: impl Fn(&Path) -> Option<PathBuf>) -> String {
    let taken: BTreeSet<PathBuf> = old.lines().filter_map(mount_point_of).collect();
    let swaps: BTreeSet<String> = old.lines().filter_map(swap_source_of).collect();
    let new: Vec<String> = entries
        .iter()
        .filter_map(|entry| {
            if is_swap(entry) {
                return (!swaps.contains(&entry.source)).then(|| line(entry, "none"));
            }
            let mount_point = real_mount_point(&entry.mount_point, &link);
            (!taken.contains(&mount_point)).then(|| line(entry, &mount_point.to_string_lossy()))
        })
        .collect();
    if new.is_empty() {
        return old.to_owned();
    }
    let mut text = old.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !text.lines().any(|l| l == MARK) {
        text.push_str(MARK);
        text.push('\n');
    }
    text + &new.concat()
}

fn is_swap(entry: &FstabEntry) -> bool {
    entry.fs_type == "swap"
}

fn line(entry: &FstabEntry, mount_point: &str) -> String {
    let options = if entry.options.is_empty() {
        "defaults".to_owned()
    } else {
        entry.options.join(",")
    };
    format!(
        "{} {} {} {} 0 {}\n",
        octal::encode(&entry.source),
        octal::encode(mount_point),
        octal::encode(&entry.fs_type),
        octal::encode(&options),
        entry.pass
    )
}

fn mount_point_of(line: &str) -> Option<PathBuf> {
    let field = fields(line)?.nth(1)?;
    field
        .starts_with('/')
        .then(|| clean(Path::new(&decode(field))))
}

fn swap_source_of(line: &str) -> Option<String> {
    let mut fields = fields(line)?;
    let source = fields.next()?;
    (fields.nth(1)? == "swap").then(|| decode(source))
}

/// The fields of a line that is no comment.
fn fields(line: &str) -> Option<impl Iterator<Item = &str>> {
    let line = line.trim_start();
    // No other blanks count: a path may have a no-break space in it.
    let blank = [' ', '\t'];
    (!line.starts_with('#')).then(|| line.split(blank).filter(|field| !field.is_empty()))
}

/// A field as it is meant, or as it stands where somebody has miswritten it.
fn decode(field: &str) -> String {
    octal::decode(field).unwrap_or_else(|| field.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(source: &str, mount_point: &str, fs_type: &str) -> FstabEntry {
        FstabEntry {
            source: source.into(),
            mount_point: mount_point.into(),
            fs_type: fs_type.into(),
            options: Vec::new(),
            pass: 2,
        }
    }

    fn links(path: &Path) -> Option<PathBuf> {
        match path.to_str()? {
            "/home" => Some("var/home".into()),
            "/srv" => Some("/var/srv".into()),
            "/usr/local" => Some("../var/usrlocal".into()),
            _ => None,
        }
    }

    #[test]
    fn mount_points() {
        for (given, real) in [
            ("/home", "/var/home"),
            ("/home/", "/var/home"),
            ("//home/alice", "/var/home/alice"),
            ("/srv/data", "/var/srv/data"),
            ("/usr/local", "/var/usrlocal"),
            ("/usr/local/x", "/var/usrlocal/x"),
            ("/homes", "/homes"),
            ("/var/home", "/var/home"),
            ("/boot/efi", "/boot/efi"),
            ("/a/../home", "/var/home"),
        ] {
            assert_eq!(real_mount_point(given, links), Path::new(real), "{given}");
        }
        assert_eq!(real_mount_point("/home", |_| None), Path::new("/var/home"));
    }

    #[test]
    fn lines_follow_those_of_bootc() {
        let old = "UUID=b /boot auto ro 0 0";
        let entries = [
            entry("UUID=b", "/boot", "ext4"),
            FstabEntry {
                options: vec!["umask=0077".into(), "nofail".into()],
                ..entry("UUID=E", "/boot/efi", "vfat")
            },
            entry("UUID=h", "/home", "ext4"),
            FstabEntry {
                pass: 0,
                ..entry("UUID=s", "", "swap")
            },
        ];
        let new = merge(old, &entries, links);
        assert_eq!(
            new,
            "UUID=b /boot auto ro 0 0\n\
             # Added by the installer.\n\
             UUID=E /boot/efi vfat umask=0077,nofail 0 2\n\
             UUID=h /var/home ext4 defaults 0 2\n\
             UUID=s none swap defaults 0 0\n"
        );
        assert_eq!(merge(&new, &entries, links), new, "idempotent");
        assert_eq!(merge(old, &[], links), old);
        assert_eq!(
            merge("", &entries[2..3], links),
            "# Added by the installer.\nUUID=h /var/home ext4 defaults 0 2\n"
        );
    }

    #[test]
    fn blanks_are_escaped() {
        let odd = entry("LABEL=my disk#1", r"/data/a b\c", "ext4");
        let text = merge("", std::slice::from_ref(&odd), links);
        assert_eq!(
            text.lines().nth(1).unwrap(),
            r"LABEL=my\040disk\0431 /data/a\040b\134c ext4 defaults 0 2"
        );
        assert!(validate(std::slice::from_ref(&odd)).is_ok());
        assert_eq!(merge(&text, &[odd], links), text);
        // No blank for fstab, and nothing to be encoded.
        let text = merge("", &[entry("UUID=1", "/data/a\u{a0}b", "ext4")], links);
        let again = entry("UUID=2", "/data/a\u{a0}b", "ext4");
        assert_eq!(merge(&text, &[again], links), text);
        // Whoever wrote the digits means the digits.
        let text = merge("", &[entry("UUID=1", r"/data/a\040b", "ext4")], links);
        assert!(text.contains(r"/data/a\134040b "), "{text}");
        // Miswritten by hand: as it stands.
        let old = "UUID=1 /data/a\\x20b ext4 defaults 0 2\n";
        assert_eq!(
            merge(old, &[entry("UUID=2", r"/data/a\x20b", "ext4")], links),
            old
        );
    }

    #[test]
    fn refusals() {
        let option = |option: &str| FstabEntry {
            options: vec![option.into()],
            ..entry("UUID=o", "/home", "ext4")
        };
        let table: [(&[FstabEntry], &str); 15] = [
            (&[option("")], "options is empty"),
            (&[option("a\rb")], "control"),
            (&[entry("UUID=v", "", "ext4")], "absolute"),
            (&[entry("UUID=v", "none", "ext4")], "absolute"),
            (&[entry("UUID=s", "/swap", "swap")], "`none`"),
            (&[entry("UUID=s", "a\0", "swap")], "control"),
            (&[entry("UUID=r", "/", "ext4")], "bootc itself"),
            (&[entry("UUID=r", "/./", "ext4")], "bootc itself"),
            (&[entry("UUID=v", "/var", "ext4")], "/var"),
            (&[entry("UUID=v", "/etc", "ext4")], "deployment"),
            (&[entry("", "/home", "ext4")], "source"),
            (&[entry("UUID=v", "/home", "")], "type"),
            (&[entry("UUID=v", "home", "ext4")], "absolute"),
            (&[entry("UUID=v\n", "/home", "ext4")], "line break"),
            (
                &[
                    entry("UUID=1", "/home", "ext4"),
                    entry("UUID=2", "/var/home/", "ext4"),
                ],
                "two entries",
            ),
        ];
        for (entries, why) in table {
            let error = validate(entries).unwrap_err();
            assert_eq!(error.code, Code::PlanInvalid);
            assert!(error.why.contains(why), "{why}: {}", error.why);
            assert!(!error.what.contains("``"), "{}", error.what);
        }
        let swaps = [
            entry("UUID=1", "none", "swap"),
            entry("UUID=2", "", "swap"),
            entry("UUID=3", "swap", "swap"),
        ];
        assert!(validate(&swaps).is_ok());
        assert!(validate(&[entry("U", "/home", "ext4"), entry("U", "/home/x", "xfs")]).is_ok());
    }
}
