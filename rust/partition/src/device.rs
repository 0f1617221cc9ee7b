// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a block device may be partitioned. Nothing is written here.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use host::cmd::Tool;
use host::mountinfo::{self, Mount};
use nix::fcntl::OFlag;
use nix::sys::stat::{major, minor};

/// A disk that may be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its node, without links.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
}

/// What sysfs says of a disk.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    partition: bool,
    mapped: bool,
    read_only: bool,
    /// Bytes.
    size: u64,
    /// Its own number and those of its partitions.
    numbers: Vec<(u32, u32)>,
    /// Kernel names of its partitions.
    partitions: Vec<String>,
    /// Kernel names of what stands on it: volumes, arrays, encrypted volumes.
    holders: Vec<String>,
}

/// Looks at `path` and refuses what must not be partitioned: a disk that is in
/// use, and, without `wipe`, one with anything on it.
///
/// # Errors
/// `DISK_UNUSABLE`, `DISK_IN_USE`, `DISK_NOT_EMPTY`, `TARGET_READ_ONLY`.
pub fn inspect(path: &Path, wipe: bool, cancel: &Cancel) -> Result<Device> {
    let unusable = |what: &str| {
        Error::new(
            Code::DiskUnusable,
            format!("{} cannot be partitioned: {what}.", path.display()),
        )
    };
    let node = path.canonicalize().map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => unusable("there is no such device"),
        _ => Error::io("looking at", path, &err),
    })?;
    let meta = fs::metadata(&node).map_err(|err| Error::io("looking at", &node, &err))?;
    if !meta.file_type().is_block_device() {
        return Err(unusable("it is no block device"));
    }
    let number = split(meta.rdev());
    let facts = facts(Path::new("/sys"), number)
        .map_err(|err| Error::io("asking the kernel about", &node, &err))?;
    if facts.partition {
        return Err(unusable("it is a partition, and no whole disk"));
    }
    if facts.mapped {
        return Err(unusable("it is a volume of the device mapper"));
    }
    if facts.size == 0 {
        return Err(unusable("there is no medium in it"));
    }
    if facts.read_only {
        return Err(Error::new(
            Code::TargetReadOnly,
            format!("{} cannot be written.", node.display()),
        ));
    }
    refuse_used(&node, &facts)?;
    if !wipe {
        refuse_contents(&node, &facts, cancel)?;
    }
    Ok(Device {
        path: node,
        size: facts.size,
    })
}

fn refuse_used(node: &Path, facts: &Facts) -> Result<()> {
    let in_use = |how: String| Error::new(Code::DiskInUse, format!("{} {how}.", node.display()));
    if let Some(mount) = mounted(&mountinfo::read()?, &facts.numbers, &number_of) {
        return Err(in_use(format!(
            "is in use: it is mounted at {}",
            mount.mount_point.display()
        )));
    }
    if let Some(holder) = facts.holders.first() {
        return Err(in_use(format!("is in use: {holder} stands on it")));
    }
    let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
    if let Some(swap) = swap_on(&swaps, &facts.numbers, &number_of) {
        return Err(in_use(format!("is in use: {} is swap", swap.display())));
    }
    // The kernel's own word, whatever uses it, also in other mount namespaces.
    let flags = OFlag::O_EXCL | OFlag::O_CLOEXEC;
    match OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags.bits())
        .open(node)
    {
        Ok(_) => Ok(()),
        Err(err) if err.raw_os_error() == Some(nix::errno::Errno::EBUSY as i32) => {
            Err(in_use("is in use by something else".into()).detail(err.to_string()))
        }
        Err(err) if err.kind() == io::ErrorKind::ReadOnlyFilesystem => Err(Error::new(
            Code::TargetReadOnly,
            format!("{} cannot be written.", node.display()),
        )
        .detail(err.to_string())),
        Err(err) => Err(Error::io("opening", node, &err)),
    }
}

/// `DISK_NOT_EMPTY` when wipefs(8), which changes nothing so, finds anything.
fn refuse_contents(node: &Path, facts: &Facts, cancel: &Cancel) -> Result<()> {
    let nodes = facts
        .partitions
        .iter()
        .map(|name| Path::new("/dev").join(name))
        .filter(|partition| partition.exists());
    let mut marks = Vec::new();
    for device in [node.to_owned()].into_iter().chain(nodes) {
        let listed = Tool::new("wipefs")
            .args(["--noheadings", "--output", "TYPE,LABEL", "--"])
            .arg(&device)
            .run(cancel)?;
        for line in listed.stdout.lines().map(str::trim) {
            if !line.is_empty() {
                marks.push(format!("{}: {line}", device.display()));
            }
        }
    }
    let count = facts.partitions.len();
    if marks.is_empty() && count == 0 {
        return Ok(());
    }
    let what = match (count, marks.first()) {
        (0, Some(mark)) => format!("has something on it ({mark})"),
        (1, _) => "has a partition".to_owned(),
        (count, _) => format!("has {count} partitions"),
    };
    let mut error = Error::new(
        Code::DiskNotEmpty,
        format!("The disk {} {what}.", node.display()),
    );
    error.details = marks;
    Err(error)
}

fn split(dev: u64) -> (u32, u32) {
    // The kernel's numbers have 12 and 20 bits, so that nothing is cut off.
    (
        u32::try_from(major(dev)).unwrap_or(u32::MAX),
        u32::try_from(minor(dev)).unwrap_or(u32::MAX),
    )
}

/// Number of a block device's node.
fn number_of(path: &Path) -> Option<(u32, u32)> {
    let meta = fs::metadata(path).ok()?;
    meta.file_type()
        .is_block_device()
        .then(|| split(meta.rdev()))
}

type NumberOf<'a> = &'a dyn Fn(&Path) -> Option<(u32, u32)>;

/// A mount of one of these devices. btrfs has numbers of its own, so that its
/// source counts as well.
fn mounted<'a>(
    mounts: &'a [Mount],
    numbers: &[(u32, u32)],
    number_of: NumberOf<'_>,
) -> Option<&'a Mount> {
    mounts.iter().find(|mount| {
        numbers.contains(&mount.device)
            || (mount.source.is_absolute()
                && number_of(&mount.source).is_some_and(|number| numbers.contains(&number)))
    })
}

/// A line of `/proc/swaps` about one of these devices.
fn swap_on(text: &str, numbers: &[(u32, u32)], number_of: NumberOf<'_>) -> Option<PathBuf> {
    text.lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .map(PathBuf::from)
        .find(|path| number_of(path).is_some_and(|number| numbers.contains(&number)))
}

fn facts(sys: &Path, (major, minor): (u32, u32)) -> io::Result<Facts> {
    let dir = sys
        .join(format!("dev/block/{major}:{minor}"))
        .canonicalize()?;
    let text = |path: &Path| -> io::Result<String> {
        fs::read_to_string(path).map(|text| text.trim().to_owned())
    };
    let mut facts = Facts {
        partition: dir.join("partition").exists(),
        mapped: dir.join("dm").is_dir(),
        read_only: text(&dir.join("ro"))? == "1",
        // sysfs counts in units of 512 bytes, whatever the sectors are.
        size: text(&dir.join("size"))?
            .parse::<u64>()
            .map_err(io::Error::other)?
            * 512,
        numbers: vec![(major, minor)],
        holders: names(&dir.join("holders"))?,
        ..Facts::default()
    };
    for name in names(&dir)? {
        let below = dir.join(&name);
        if !below.join("partition").exists() {
            continue;
        }
        let number = text(&below.join("dev"))?;
        let parsed = number
            .split_once(':')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        facts.numbers.extend(parsed);
        facts.holders.extend(names(&below.join("holders"))?);
        facts.partitions.push(name.replace('!', "/"));
    }
    Ok(facts)
}

/// Names in a directory, sorted; none when it is not there.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(err) => return Err(err),
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<OsString>>>()?
        .into_iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// Kernel names of the partitions that the kernel knows of `device`.
pub(crate) fn known_partitions(device: &Path) -> Result<Vec<String>> {
    let number = number_of(device).ok_or_else(|| {
        Error::new(
            Code::DiskUnusable,
            format!("{} is no block device.", device.display()),
        )
    })?;
    facts(Path::new("/sys"), number)
        .map(|facts| facts.partitions)
        .map_err(|err| Error::io("asking the kernel about", device, &err))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::symlink;

    fn fake_disk(sys: &Path, path: &str, number: &str, extra: &[(&str, &str)]) {
        let dir = sys.join("devices").join(path);
        fs::create_dir_all(dir.join("holders")).unwrap();
        for (name, text) in [("ro", "0"), ("size", "2048"), ("dev", number)]
            .iter()
            .chain(extra)
        {
            fs::write(dir.join(name), format!("{text}\n")).unwrap();
        }
        let links = sys.join("dev/block");
        fs::create_dir_all(&links).unwrap();
        symlink(&dir, links.join(number)).unwrap();
    }

    #[test]
    fn what_the_kernel_says() {
        let sys = tempfile::tempdir().unwrap();
        let sys = sys.path();
        fake_disk(sys, "sda", "8:0", &[("ro", "1")]);
        fake_disk(sys, "sda/sda1", "8:1", &[("partition", "1")]);
        fake_disk(sys, "sda/sda2", "8:2", &[("partition", "2")]);
        fs::create_dir(sys.join("devices/sda/sda2/holders/dm-0")).unwrap();
        fs::create_dir(sys.join("devices/sda/queue")).unwrap();
        fake_disk(sys, "dm-0", "253:0", &[]);
        fs::create_dir(sys.join("devices/dm-0/dm")).unwrap();

        let disk = facts(sys, (8, 0)).unwrap();
        assert_eq!(
            disk,
            Facts {
                read_only: true,
                size: 1 << 20,
                numbers: vec![(8, 0), (8, 1), (8, 2)],
                partitions: vec!["sda1".into(), "sda2".into()],
                holders: vec!["dm-0".into()],
                ..Facts::default()
            }
        );
        assert!(facts(sys, (8, 1)).unwrap().partition);
        assert!(facts(sys, (253, 0)).unwrap().mapped);
        assert!(facts(sys, (9, 9)).is_err());
    }

    #[test]
    fn mounts_and_swap() {
        let mounts = mountinfo::parse(
            "1 0 8:1 / /mnt rw - ext4 /dev/sda1 rw\n\
             2 1 0:40 /@ /data rw - btrfs /dev/sdb2 rw\n\
             3 1 0:5 / /proc rw - proc proc rw\n",
        )
        .unwrap();
        let number = |path: &Path| match path.to_str()? {
            "/dev/sdb2" => Some((8, 18)),
            "/dev/sdc1" => Some((8, 33)),
            _ => None,
        };
        let at = |numbers: &[(u32, u32)]| mounted(&mounts, numbers, &number).map(|m| m.id);
        assert_eq!(at(&[(8, 0), (8, 1)]), Some(1));
        assert_eq!(at(&[(8, 16), (8, 18)]), Some(2), "btrfs");
        assert_eq!(at(&[(8, 32), (8, 33)]), None);
        let swaps = "Filename Type Size Used Priority\n/dev/sdc1 partition 1 0 -2\n";
        assert!(swap_on(swaps, &[(8, 33)], &number).is_some());
        assert!(swap_on(swaps, &[(8, 18)], &number).is_none());
        assert!(swap_on("", &[(8, 33)], &number).is_none());
    }

    #[test]
    fn what_is_no_disk() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [&file, Path::new("/dev/null"), Path::new("/no/such/disk")] {
            let error = inspect(path, true, &Cancel::new()).unwrap_err();
            assert_eq!(error.code, Code::DiskUnusable, "{error}");
            assert!(error.what.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
