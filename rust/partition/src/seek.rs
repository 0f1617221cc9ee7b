// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which disk of this machine a recipe means. Nothing is written here.

use std::fs;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use contract::size::human;
use host::cancel::Cancel;
use recipe::{DiskRule, DiskWish, Which};

use crate::device;

/// What sysfs says sizes in.
const SECTOR: u64 = 512;

/// A disk of this machine, whatever is on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    /// Its node.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// What its maker calls it; may be empty.
    pub model: String,
    /// Why it is no place for an installation, at the end of a sentence.
    pub unfit: Option<String>,
    /// There is nothing on it.
    pub empty: bool,
}

impl Disk {
    /// A disk for people: `/dev/sda (EXAMPLE SSD, 256.0 GB)`.
    pub fn described(&self) -> String {
        let model = match self.model.as_str() {
            "" => String::new(),
            model => format!("{model}, "),
        };
        format!("{} ({model}{})", self.path.display(), human(self.size))
    }
}

/// The disk that `wish` means.
///
/// # Errors
/// `DISK_NOT_FOUND`, `DISK_AMBIGUOUS`; `IO` when the kernel does not list its disks.
pub fn find(wish: &DiskWish, cancel: &Cancel) -> Result<Disk> {
    match wish {
        DiskWish::Id(id) => behind(id),
        DiskWish::Rule(rule) => {
            let disks = disks(Path::new("/sys"), cancel)?;
            choose(rule, &disks).cloned()
        }
    }
}

/// The disk behind a link. Whether it may be written to is asked later, of any disk.
fn behind(id: &Path) -> Result<Disk> {
    let path = id.canonicalize().map_err(|err| {
        Error::new(
            Code::DiskNotFound,
            format!("This machine has no disk {}.", id.display()),
        )
        .detail(err.to_string())
    })?;
    let dir = path
        .file_name()
        .map(|name| Path::new("/sys/class/block").join(name));
    let dir = dir.unwrap_or_default();
    Ok(Disk {
        size: size(&dir),
        model: model(&dir),
        path,
        ..Disk::default()
    })
}

/// All disks of the machine that sysfs, mounted at `sys`, tells of: those with a
/// device behind them, which loops, arrays and volumes have not.
fn disks(sys: &Path, cancel: &Cancel) -> Result<Vec<Disk>> {
    let dir = sys.join("block");
    let failed = |err| Error::io("asking the kernel for disks in", &dir, &err);
    let mut found = Vec::new();
    for entry in fs::read_dir(&dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().replace('!', "/");
        if let Some(mut disk) = seen(&entry.path(), &name) {
            if disk.unfit.is_none() {
                judge(&mut disk, cancel)?;
            }
            found.push(disk);
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// What sysfs says of one; none when it is no disk, or has no medium in it.
fn seen(dir: &Path, name: &str) -> Option<Disk> {
    // A drive for optical media, a floppy, and another path to a disk that is there.
    let other = ["sr", "fd"].iter().any(|kind| name.starts_with(kind));
    let hidden = flag(dir, "hidden");
    let size = size(dir);
    if other || hidden || size == 0 || !dir.join("device").exists() {
        return None;
    }
    let unfit = match (flag(dir, "removable"), flag(dir, "ro")) {
        (true, _) => Some("it is removable".to_owned()),
        (_, true) => Some("it cannot be written".to_owned()),
        _ => None,
    };
    Some(Disk {
        path: Path::new("/dev").join(name),
        size,
        model: model(dir),
        unfit,
        empty: false,
    })
}

/// Whether it is in use, and whether there is anything on it.
fn judge(disk: &mut Disk, cancel: &Cancel) -> Result<()> {
    match device::inspect(&disk.path, true, cancel) {
        Ok(_) => {}
        Err(error) if error.code == Code::Cancelled => return Err(error),
        Err(error) => {
            let what = error.what.trim_end_matches('.');
            let node = format!("{} is ", disk.path.display());
            disk.unfit = Some(match what.strip_prefix(&node) {
                Some(how) => format!("it is {how}"),
                None => what.to_owned(),
            });
            return Ok(());
        }
    }
    disk.empty = match device::inspect(&disk.path, false, cancel) {
        Ok(_) => true,
        Err(error) if error.code == Code::DiskNotEmpty => false,
        Err(error) => return Err(error),
    };
    Ok(())
}

fn text(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().to_owned()
}

fn flag(dir: &Path, name: &str) -> bool {
    text(&dir.join(name)) == "1"
}

fn size(dir: &Path) -> u64 {
    let sectors: u64 = text(&dir.join("size")).parse().unwrap_or(0);
    sectors.saturating_mul(SECTOR)
}

fn model(dir: &Path) -> String {
    // Memory cards have a name instead.
    let model = ["device/model", "device/name"].map(|name| text(&dir.join(name)));
    let [model, name] = model;
    match model.is_empty() {
        true => name,
        false => model,
    }
}

/// The one of `disks` that a rule leaves.
///
/// # Errors
/// `DISK_NOT_FOUND` and `DISK_AMBIGUOUS`, with every disk and what is said of it.
fn choose<'a>(rule: &DiskRule, disks: &'a [Disk]) -> Result<&'a Disk> {
    let misfits: Vec<Option<String>> = disks.iter().map(|disk| misfit(rule, disk)).collect();
    let fitting = disks.iter().zip(&misfits);
    let mut fitting: Vec<&Disk> = fitting
        .filter(|(_, misfit)| misfit.is_none())
        .map(|(disk, _)| disk)
        .collect();
    if rule.which == Which::LargestEmpty {
        let largest = fitting.iter().map(|disk| disk.size).max();
        fitting.retain(|disk| Some(disk.size) == largest);
    }
    let listed = || {
        let all = disks.iter().zip(&misfits);
        all.map(|(disk, misfit)| match misfit {
            Some(why) => format!("{}: {why}", disk.described()),
            None => format!("{}: fits", disk.described()),
        })
    };
    let mut error = match fitting[..] {
        [disk] => return Ok(disk),
        [] => Error::new(
            Code::DiskNotFound,
            format!("No disk fits the rule `{}`.", rule.which.name()),
        ),
        _ => Error::new(
            Code::DiskAmbiguous,
            format!(
                "{} disks fit the rule `{}`.",
                fitting.len(),
                rule.which.name()
            ),
        ),
    };
    error.details.extend(listed());
    if disks.is_empty() {
        error = error.detail("the machine has no disk at all");
    }
    Err(error)
}

/// Why a disk does not fit a rule.
fn misfit(rule: &DiskRule, disk: &Disk) -> Option<String> {
    if let Some(unfit) = &disk.unfit {
        return Some(unfit.clone());
    }
    if let Some(model) = &rule.model
        && !disk.model.to_lowercase().contains(&model.to_lowercase())
    {
        return Some("it is another model".into());
    }
    if rule.min_size.is_some_and(|min| disk.size < min) {
        return Some("it is smaller".into());
    }
    if rule.max_size.is_some_and(|max| disk.size > max) {
        return Some("it is larger".into());
    }
    (rule.which == Which::LargestEmpty && !disk.empty)
        .then(|| "there is something on it".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GIB: u64 = 1 << 30;

    fn disk(name: &str, gib: u64, model: &str) -> Disk {
        Disk {
            path: Path::new("/dev").join(name),
            size: gib * GIB,
            model: model.into(),
            unfit: None,
            empty: true,
        }
    }

    fn rule(which: Which) -> DiskRule {
        DiskRule {
            which,
            ..DiskRule::default()
        }
    }

    #[test]
    fn rules() {
        let (a, b, c) = (
            disk("sda", 100, "ACME Fast"),
            disk("sdb", 200, "ACME Slow"),
            disk("sdc", 200, "Other"),
        );
        let full = |disk: &Disk| Disk {
            empty: false,
            ..disk.clone()
        };
        let unfit = |disk: &Disk| Disk {
            unfit: Some("it is in use".into()),
            ..disk.clone()
        };
        let only = || rule(Which::Only);
        let largest = || rule(Which::LargestEmpty);
        let model = |model: &str| DiskRule {
            model: Some(model.into()),
            ..only()
        };
        let sized = |min: Option<u64>, max: Option<u64>| DiskRule {
            min_size: min.map(|gib| gib * GIB),
            max_size: max.map(|gib| gib * GIB),
            ..only()
        };
        for (rule, disks, expected) in [
            (only(), vec![a.clone()], Ok("sda")),
            (only(), vec![], Err(Code::DiskNotFound)),
            (only(), vec![a.clone(), b.clone()], Err(Code::DiskAmbiguous)),
            (only(), vec![unfit(&a), b.clone()], Ok("sdb")),
            (only(), vec![unfit(&a)], Err(Code::DiskNotFound)),
            // One with something on it counts: whether that may be lost is said
            // elsewhere.
            (only(), vec![full(&a)], Ok("sda")),
            (only(), vec![full(&a), b.clone()], Err(Code::DiskAmbiguous)),
            (model("fast"), vec![a.clone(), b.clone()], Ok("sda")),
            (
                model("acme"),
                vec![a.clone(), b.clone()],
                Err(Code::DiskAmbiguous),
            ),
            (model("none"), vec![a.clone()], Err(Code::DiskNotFound)),
            (
                sized(Some(150), None),
                vec![a.clone(), b.clone()],
                Ok("sdb"),
            ),
            (
                sized(None, Some(150)),
                vec![a.clone(), b.clone()],
                Ok("sda"),
            ),
            (
                sized(Some(200), Some(200)),
                vec![a.clone(), b.clone()],
                Ok("sdb"),
            ),
            (largest(), vec![a.clone(), b.clone()], Ok("sdb")),
            (largest(), vec![a.clone(), full(&b)], Ok("sda")),
            (largest(), vec![a.clone(), unfit(&b)], Ok("sda")),
            (largest(), vec![full(&a)], Err(Code::DiskNotFound)),
            (
                largest(),
                vec![a.clone(), b.clone(), c.clone()],
                Err(Code::DiskAmbiguous),
            ),
            (largest(), vec![a, full(&b), c], Ok("sdc")),
        ] {
            let found = choose(&rule, &disks);
            let found = found.map(|disk| disk.path.clone());
            match (found, expected) {
                (Ok(path), Ok(name)) => assert!(path.ends_with(name), "{rule:?} {disks:?}"),
                (Err(error), Err(code)) => {
                    assert_eq!(error.code, code, "{rule:?}");
                    // Every disk is told of.
                    assert_eq!(error.details.len(), disks.len().max(1), "{error:?}");
                }
                (found, _) => panic!("{rule:?} {disks:?}: {found:?}"),
            }
        }
    }

    fn fake(sys: &Path, name: &str, facts: &[(&str, &str)]) {
        let dir = sys.join("block").join(name);
        fs::create_dir_all(&dir).unwrap();
        for (fact, text) in facts {
            let file = dir.join(fact);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("{text}\n")).unwrap();
        }
    }

    #[test]
    fn what_is_a_disk() {
        let sys = tempfile::tempdir().unwrap();
        let device = ("device/model", "ACME Fast  ");
        let size = ("size", "2048");
        fake(sys.path(), "testa", &[device, size, ("removable", "1")]);
        fake(sys.path(), "testb", &[device, size, ("ro", "1")]);
        fake(sys.path(), "testc", &[("device/name", "CARD"), size]);
        fake(sys.path(), "testd", &[device, ("size", "0")]);
        fake(sys.path(), "teste", &[device, size, ("hidden", "1")]);
        fake(sys.path(), "loop0", &[size]);
        fake(sys.path(), "sr0", &[device, size]);
        let found = disks(sys.path(), &Cancel::new()).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|disk| (disk.described(), disk.unfit.clone().unwrap_or_default()))
            .collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(told[0].0, "/dev/testa (ACME Fast, 1.0 MB)");
        assert_eq!(told[0].1, "it is removable");
        assert_eq!(told[1].1, "it cannot be written");
        assert_eq!(told[2].0, "/dev/testc (CARD, 1.0 MB)");
        // There is no such node here.
        assert!(told[2].1.contains("no such device"), "{told:?}");
    }

    #[test]
    fn a_link_that_is_not_there() {
        let wish = DiskWish::Id("/dev/disk/by-id/no-such".into());
        let error = find(&wish, &Cancel::new()).unwrap_err();
        assert_eq!(error.code, Code::DiskNotFound);
        assert!(error.what.contains("by-id/no-such"));
    }
}
