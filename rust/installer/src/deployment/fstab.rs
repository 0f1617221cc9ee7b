// SPDX-License-Identifier: MIT OR Apache-2.0
//! The deployment's `/etc/fstab`: bootc's own lines stay, the plan's follow.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use contract::error::{Code, Error, Result};

use contract::plan::FstabEntry;

/// The line above the ones that this module adds.
const MARK: &str = "# Added by the installer.";

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

/// Refuses entries that cannot be in an fstab at all: `PLAN_INVALID`, so call
/// it before anything is written.
pub fn validate(entries: &[FstabEntry]) -> Result<()> {
    let refuse = |entry: &FstabEntry, why: &str| {
        Error::new(
            Code::PlanInvalid,
            format!("The fstab entry for {} cannot be used.", entry.mount_point),
        )
        .why(why)
        .next("Remove or correct the entry.")
    };
    let mut seen = BTreeSet::new();
    for entry in entries {
        let fields = [&entry.source, &entry.fs_type];
        if fields.iter().any(|field| field.is_empty()) {
            return Err(refuse(entry, "It lacks a source or a file system type."));
        }
        let all = fields.into_iter().chain([&entry.mount_point]);
        if all.chain(&entry.options).any(|f| f.contains(['\n', '\0'])) {
            return Err(refuse(entry, "A field contains a line break."));
        }
        if is_swap(entry) {
            continue;
        }
        if !entry.mount_point.starts_with('/') {
            return Err(refuse(entry, "The mount point is no absolute path."));
        }
        let mount_point = real_mount_point(&entry.mount_point, |_| None);
        match mount_point.to_str() {
            Some("/") => return Err(refuse(
                entry,
                "The root file system is mounted by bootc itself; a line for it breaks the boot.",
            )),
            Some("/var") => {
                return Err(refuse(
                    entry,
                    "A file system of its own for /var would hide what the image brings in /var.",
                ))
            }
            Some("/etc" | "/usr" | "/sysroot" | "/ostree") => {
                return Err(refuse(entry, "This directory belongs to the deployment."))
            }
            _ => {}
        }
        if !seen.insert(mount_point) {
            return Err(refuse(entry, "There are two entries for this mount point."));
        }
    }
    Ok(())
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
        escape(&entry.source),
        escape(mount_point),
        escape(&entry.fs_type),
        escape(&options),
        entry.pass
    )
}

fn mount_point_of(line: &str) -> Option<PathBuf> {
    let field = fields(line)?.nth(1)?;
    field
        .starts_with('/')
        .then(|| clean(Path::new(&unescape(field))))
}

fn swap_source_of(line: &str) -> Option<String> {
    let mut fields = fields(line)?;
    let source = fields.next()?;
    (fields.nth(1)? == "swap").then(|| unescape(source))
}

/// The fields of a line that is no comment.
fn fields(line: &str) -> Option<impl Iterator<Item = &str>> {
    let line = line.trim_start();
    (!line.starts_with('#')).then(|| line.split_whitespace())
}

/// Blanks and backslashes as `\ooo`, and a `#`, which would begin a comment.
fn escape(field: &str) -> String {
    let mut escaped = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            ' ' | '\t' | '\\' | '#' => escaped.push_str(&format!("\\{:03o}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

fn unescape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let code = rest
            .get(at + 1..at + 4)
            .and_then(|octal| u8::from_str_radix(octal, 8).ok())
            .filter(u8::is_ascii);
        match code {
            Some(code) => {
                text.push(code.into());
                rest = &rest[at + 4..];
            }
            None => {
                text.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    text + rest
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
        assert_eq!(merge(&text, &[odd], links), text);
    }

    #[test]
    fn refusals() {
        let table: [(&[FstabEntry], &str); 9] = [
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
        }
        let swaps = [entry("UUID=1", "none", "swap"), entry("UUID=2", "", "swap")];
        assert!(validate(&swaps).is_ok());
        assert!(validate(&[entry("U", "/home", "ext4"), entry("U", "/home/x", "xfs")]).is_ok());
    }
}
