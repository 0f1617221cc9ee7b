// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the numbers depend on: the machine and the versions of programs.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;
use testkit::cmd::CommandExt;

use crate::proc;

/// The machine.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Processor and how many.
    pub cpu: String,
    /// Bytes of RAM.
    pub memory: u64,
    /// Release of the kernel.
    pub kernel: String,
    /// Name of the distribution.
    pub os: String,
    /// File system that is worked on.
    pub work_fs: String,
    /// One-minute load at the start.
    pub load: f64,
    /// Version lines of the programs.
    pub versions: Vec<String>,
}

impl Machine {
    /// Looks. `work` lies on the file system that is worked on; each of
    /// `programs` comes with the word that makes it print its version.
    ///
    /// # Errors
    /// When the kernel's files are not as expected, or a program fails.
    pub fn look(work: &Path, programs: &[(&Path, &str)]) -> Result<Self> {
        let cpuinfo = read("/proc/cpuinfo")?;
        let cores = std::thread::available_parallelism().context("counting processors")?;
        let model = proc::parse_cpu_model(&cpuinfo).unwrap_or("unknown processor");
        let mut versions = Vec::new();
        for (program, flag) in programs {
            versions.push(version(program, flag)?);
        }
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

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {:.1} GiB RAM, {}, kernel {}",
            self.cpu,
            self.memory as f64 / f64::from(1 << 30),
            self.os,
            self.kernel
        )
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
