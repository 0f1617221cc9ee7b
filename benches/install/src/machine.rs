// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the numbers depend on: the machine and the versions.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;
use testkit::cmd::CommandExt;

use crate::proc;

/// Programs whose versions are reported.
const PROGRAMS: &[(&str, &str)] = &[
    ("podman", "--version"),
    ("crun", "--version"),
    ("skopeo", "--version"),
    ("docker-registry", "--version"),
];

/// The machine.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    /// Processor and how many.
    pub(crate) cpu: String,
    /// Bytes of RAM.
    pub(crate) memory: u64,
    /// Release of the kernel.
    pub(crate) kernel: String,
    /// Name of the distribution.
    pub(crate) os: String,
    /// File system below the target's loop device.
    pub(crate) work_fs: String,
    /// One-minute load at the start.
    pub(crate) load: f64,
    /// Version lines of the programs.
    pub(crate) versions: Vec<String>,
}

impl Machine {
    /// Looks. `work` is where the target file lies.
    pub(crate) fn look(work: &Path, installer: &Path) -> Result<Self> {
        let cpuinfo = read("/proc/cpuinfo")?;
        let cores = std::thread::available_parallelism().context("counting processors")?;
        let model = proc::parse_cpu_model(&cpuinfo).unwrap_or("unknown processor");
        let mut versions = Vec::new();
        for (program, flag) in PROGRAMS {
            versions.push(version(program.as_ref(), flag)?);
        }
        versions.push(version(installer, "version")?);
        Ok(Self {
            cpu: format!("{cores} x {model}"),
            memory: proc::parse_meminfo(&read("/proc/meminfo")?, "MemTotal")?,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            os: os_name(&read("/etc/os-release")?),
            work_fs: Command::new("findmnt")
                .args(["--noheadings", "--output", "FSTYPE,SOURCE", "--target"])
                .arg(work)
                .read()?
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" on "),
            load: proc::parse_load(&read("/proc/loadavg")?)?,
            versions,
        })
    }
}

/// First line of the program's version; a program that is not there says so.
fn version(program: &Path, flag: &str) -> Result<String> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let found = if program.is_absolute() {
        Some(program.to_owned())
    } else {
        testkit::cmd::find(&name)
    };
    let Some(path) = found else {
        return Ok(format!("{name}: not installed"));
    };
    let text = Command::new(path).arg(flag).read()?;
    let first = text.lines().next().unwrap_or("").trim();
    Ok(if first.contains(&*name) {
        first.to_owned()
    } else {
        format!("{name} {first}")
    })
}

fn os_name(os_release: &str) -> String {
    os_release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or("unknown", |name| name.trim_matches('"'))
        .to_owned()
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {path}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_distribution_has_a_name() {
        for (text, name) in [
            (
                "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n",
                "Debian GNU/Linux 12",
            ),
            ("PRETTY_NAME=Plain\n", "Plain"),
            ("", "unknown"),
        ] {
            assert_eq!(os_name(text), name);
        }
    }

    #[test]
    fn a_missing_program_is_no_error() {
        let text = version(Path::new("no-such-program"), "--version").unwrap();
        assert_eq!(text, "no-such-program: not installed");
    }
}
