// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether this machine can build, and what to do where it cannot.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use buildroot::cmd;
use host::cancel::Cancel;

use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::mirror;

/// What the work directory needs, bytes: the live system, its squashfs, the
/// downloaded packages and the ISO.
pub const WORK_BYTES: u64 = 5 << 30;
/// What the cache needs for roots, bytes.
pub const CACHE_BYTES: u64 = 2 << 30;
/// What the ISO itself needs in the output directory, bytes.
pub const OUTPUT_BYTES: u64 = 700 << 20;
/// What is free on a disk where a large package may not have fitted, bytes: what
/// was unpacked of it is removed when that fails.
const FULL_BYTES: u64 = 256 << 20;
/// Programs of this machine, and the packages that have them.
const TOOLS: &[(&str, &str)] = &[
    ("apt-config", "apt"),
    ("dpkg-deb", "dpkg"),
    ("mmdebstrap", "mmdebstrap"),
    ("mount", "mount"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
];

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub name: String,
    /// How it is, in words; the error where it will not do.
    pub state: std::result::Result<String, Error>,
}

/// Where a build works.
#[derive(Debug, Clone)]
pub struct Places {
    /// The work directory.
    pub work: PathBuf,
    /// Where the result goes.
    pub output: PathBuf,
    /// The cache for roots and packages.
    pub cache: PathBuf,
}

/// Looks at everything that a build needs. Nothing is changed.
pub fn findings(distro: &Distro, places: &Places) -> Vec<Finding> {
    let mut found = vec![
        finding("root", root()),
        finding("processor", architecture(std::env::consts::ARCH)),
    ];
    for (tool, package) in TOOLS {
        found.push(finding(&format!("program {tool}"), program(tool, package)));
    }
    found.push(finding("namespaces", namespaces()));
    for (name, path, bytes) in [
        ("work directory", &places.work, WORK_BYTES),
        ("output directory", &places.output, OUTPUT_BYTES),
        ("cache", &places.cache, CACHE_BYTES),
    ] {
        let option = match name {
            "work directory" => "--work",
            "output directory" => "--output",
            _ => "CALAMARES_BOOTC_CACHE",
        };
        found.push(finding(name, directory(path, bytes, option)));
    }
    found.push(finding(
        "mirror",
        mirror::state(distro, &Cancel::new()).map(|state| {
            format!(
                "{} has {} ({})",
                distro.mirrors.debian, distro.suite, state.key
            )
        }),
    ));
    found
}

/// The first of the findings that stops a build. Programs that are only not
/// installed yet do not: they are installed.
///
/// # Errors
/// That of the finding.
pub fn require(places: &Places) -> Result<()> {
    root()?;
    architecture(std::env::consts::ARCH)?;
    namespaces()?;
    directory(&places.work, WORK_BYTES, "--work")?;
    directory(&places.output, OUTPUT_BYTES, "--output")?;
    directory(&places.cache, CACHE_BYTES, "CALAMARES_BOOTC_CACHE")?;
    Ok(())
}

/// Whether there is room for the images that go onto the medium, beside what
/// every medium needs: `all` bytes of them, of which `missing` are not in the
/// work directory yet. They are there as they were pulled, and in the ISO; in the
/// output directory the ISO is the same file, unless that is on another disk.
///
/// # Errors
/// `DISK_FULL`.
pub fn require_images(places: &Places, all: u64, missing: u64) -> Result<()> {
    for (path, bytes, option) in needs(places, all, missing) {
        directory(path, bytes, option).map_err(|err| {
            let images = contract::size::human(all);
            err.why(format!("The images of `embed` are {images} of it."))
        })?;
    }
    Ok(())
}

fn needs(places: &Places, all: u64, missing: u64) -> Vec<(&Path, u64, &'static str)> {
    let with = |base: u64, parts: &[u64]| parts.iter().fold(base, |sum, n| sum.saturating_add(*n));
    let mut needs = vec![(
        places.work.as_path(),
        with(WORK_BYTES, &[all, missing]),
        "--work",
    )];
    if device(&places.work) != device(&places.output) {
        needs.push((&places.output, with(OUTPUT_BYTES, &[all]), "--output"));
    }
    needs
}

/// The file system of a directory, or of the nearest one above that exists.
fn device(path: &Path) -> Option<u64> {
    fs::metadata(existing(path)).ok().map(|meta| meta.dev())
}

fn finding(name: &str, state: Result<String>) -> Finding {
    Finding {
        name: name.to_owned(),
        state,
    }
}

fn root() -> Result<String> {
    if cmd::is_root() {
        return Ok("yes".into());
    }
    Err(Error::new(Code::NotRoot, "A build needs root.")
        .why("It makes device nodes, changes owners and runs programs in a root of its own.")
        .next("Run the same command with sudo."))
}

fn architecture(arch: &str) -> Result<String> {
    if arch == "x86_64" {
        return Ok("amd64".into());
    }
    Err(Error::new(
        Code::HostUnsuitable,
        format!("This machine is {arch}, and media are made for amd64 on amd64 only."),
    )
    .next("Build on an amd64 machine."))
}

fn program(tool: &str, package: &str) -> Result<String> {
    match cmd::find(tool) {
        Some(path) => Ok(path.display().to_string()),
        None => Err(
            Error::new(Code::ToolMissing, format!("There is no program `{tool}`.")).next(format!(
                "apt-get install {package}; a build as root does it by itself."
            )),
        ),
    }
}

/// Whether mount and process namespaces can be made: containers often forbid it.
fn namespaces() -> Result<String> {
    let output = std::process::Command::new("unshare")
        .args([
            "--mount",
            "--pid",
            "--fork",
            "--propagation",
            "private",
            "true",
        ])
        .output();
    match output {
        Ok(output) if output.status.success() => Ok("mount and process namespaces".into()),
        Ok(output) => Err(Error::new(
            Code::HostUnsuitable,
            "This machine does not let the builder make namespaces.",
        )
        .why("It is a container without the right to mount.")
        .next("Run the container with --privileged, or build on the machine itself.")
        .detail(String::from_utf8_lossy(&output.stderr).trim())),
        Err(err) => Err(
            Error::new(Code::ToolMissing, "There is no program `unshare`.")
                .next("apt-get install util-linux")
                .detail(err.to_string()),
        ),
    }
}

/// Whether a directory, or the nearest one above that exists, has room and can
/// hold a root file system.
fn directory(path: &Path, bytes: u64, option: &str) -> Result<String> {
    let there = existing(path);
    if !there.is_dir() {
        return Err(Error::new(
            Code::Io,
            format!("{} is in the way: it is no directory.", there.display()),
        )
        .next(format!("Name another directory with {option}.")));
    }
    let stat =
        rustix::fs::statvfs(&there).map_err(|err| Error::io("Looking at", &there, &err.into()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let flags = stat.f_flag;
    for (flag, name) in [
        (rustix::fs::StatVfsMountFlags::NODEV, "nodev"),
        (rustix::fs::StatVfsMountFlags::NOEXEC, "noexec"),
        (rustix::fs::StatVfsMountFlags::RDONLY, "ro"),
    ] {
        // Only the ISO goes into the output directory.
        let matters = option != "--output" || name == "ro";
        if matters && flags.contains(flag) {
            return Err(Error::new(
                Code::HostUnsuitable,
                format!(
                    "{} is on a file system that is mounted with `{name}`.",
                    path.display()
                ),
            )
            .why("A root file system with device nodes and programs is made there.")
            .next(format!("Name another directory with {option}.")));
        }
    }
    if free < bytes {
        return Err(Error::new(
            Code::DiskFull,
            format!(
                "{} has {} free, and about {} are needed.",
                path.display(),
                contract::size::human(free),
                contract::size::human(bytes)
            ),
        )
        .next(format!(
            "Free space, or name another directory with {option}."
        )));
    }
    Ok(format!(
        "{} ({} free)",
        path.display(),
        contract::size::human(free)
    ))
}

/// Whether a failure there is most likely one of space.
pub fn is_full(dir: &Path) -> bool {
    rustix::fs::statvfs(dir)
        .is_ok_and(|stat| stat.f_bfree.saturating_mul(stat.f_frsize) < FULL_BYTES)
}

fn existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute
        .ancestors()
        .find(|dir| fs::metadata(dir).is_ok())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn other_processors_are_refused() {
        assert!(architecture("x86_64").is_ok());
        assert_eq!(
            architecture("aarch64").unwrap_err().code,
            Code::HostUnsuitable
        );
    }

    #[test]
    fn a_directory_that_is_not_there_yet_is_judged_by_the_one_above() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a/b");
        assert!(directory(&below, 1, "--work").is_ok());
        let error = directory(&below, u64::MAX, "--work").unwrap_err();
        assert_eq!(error.code, Code::DiskFull);
        assert!(error.next.contains("--work"));
    }

    #[test]
    fn images_need_room_twice_and_once_more_on_another_disk() {
        let dir = tempfile::tempdir().unwrap();
        let mut places = Places {
            work: dir.path().join("work"),
            output: dir.path().join("out"),
            cache: dir.path().join("cache"),
        };
        let there = (places.work.clone(), "--work");
        let told = |places: &Places, all, missing| -> Vec<(PathBuf, u64, &str)> {
            let needs = needs(places, all, missing).into_iter();
            needs
                .map(|(path, bytes, option)| (path.to_owned(), bytes, option))
                .collect()
        };
        let work = |bytes| (there.0.clone(), WORK_BYTES + bytes, there.1);
        assert_eq!(told(&places, 100, 100), [work(200)]);
        assert_eq!(told(&places, 100, 0), [work(100)]);
        // A file system of its own, everywhere.
        places.output = "/proc/x".into();
        let output = (places.output.clone(), OUTPUT_BYTES + 100, "--output");
        assert_eq!(told(&places, 100, 100), [work(200), output]);

        let error = require_images(&places, 1 << 60, 1 << 60).unwrap_err();
        assert_eq!(error.code, Code::DiskFull);
        assert!(error.why.contains("`embed`"), "{error}");
    }

    #[test]
    fn a_file_in_the_way_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path().to_owned(), file.path().join("below")] {
            let error = directory(&path, 1, "--output").unwrap_err();
            assert_eq!(error.code, Code::Io);
            assert!(error.next.contains("--output"));
        }
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let error = program("no-such-program", "some-package").unwrap_err();
        assert_eq!(error.code, Code::ToolMissing);
        assert!(error.next.contains("some-package"));
    }
}
