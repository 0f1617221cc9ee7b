// SPDX-License-Identifier: MIT OR Apache-2.0
//! CPU time of everything that a run starts, counted by the kernel in a
//! cgroup that the run has for itself.
//!
//! cgroup v1 `cpuacct` is preferred where it is mounted, since container
//! tools move processes about in the v2 hierarchy only; on a pure v2 machine
//! the base group's `cpu.stat` counts every group below it. Without either,
//! the run's pid 1 reports the rusage of what it has reaped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bench_kit::cpu::CpuTime;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Name of the run's group in every hierarchy that it uses.
pub(crate) const GROUP: &str = "bench-install";

/// Who counts the CPU time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Accounting {
    /// cgroup v1 controller `cpuacct`.
    Cpuacct,
    /// `cpu.stat` of cgroup v2.
    Cgroup2,
    /// rusage of the children that the run's pid 1 has reaped.
    Rusage,
}

impl Accounting {
    /// What the figure is, for the report.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Cpuacct => "cgroup v1 cpuacct of the row's own group",
            Self::Cgroup2 => "cgroup v2 cpu.stat of the row's own group",
            Self::Rusage => {
                "rusage of reaped processes (no cgroup usable here; processes that \
                 were still running at the end are not counted)"
            }
        }
    }
}

/// Mount points of the hierarchies of interest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hierarchies {
    cpuacct: Option<PathBuf>,
    unified: Option<PathBuf>,
}

impl Hierarchies {
    /// Finds them in `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
    pub(crate) fn parse(mountinfo: &str) -> Self {
        let mut found = Self::default();
        for line in mountinfo.lines() {
            let Some((left, right)) = line.split_once(" - ") else {
                continue;
            };
            let Some(mount_point) = left.split(' ').nth(4).map(PathBuf::from) else {
                continue;
            };
            let mut right = right.split(' ');
            let (fs_type, options) = (right.next(), right.nth(1).unwrap_or(""));
            match fs_type {
                Some("cgroup2") => found.unified = Some(mount_point),
                Some("cgroup") if options.split(',').any(|o| o == "cpuacct") => {
                    found.cpuacct = Some(mount_point);
                }
                _ => {}
            }
        }
        found
    }

    /// Whether this way of counting can work here at all.
    fn supports(&self, accounting: Accounting) -> bool {
        match accounting {
            Accounting::Cpuacct => self.cpuacct.is_some(),
            Accounting::Cgroup2 => self.unified.is_some(),
            Accounting::Rusage => true,
        }
    }

    fn groups(&self) -> impl Iterator<Item = PathBuf> + '_ {
        [&self.cpuacct, &self.unified]
            .into_iter()
            .flatten()
            .map(|mount| mount.join(GROUP))
    }
}

/// The hierarchies of this machine and the way of counting that was chosen.
#[derive(Debug)]
pub(crate) struct Cgroups {
    hierarchies: Hierarchies,
    accounting: Accounting,
}

impl Cgroups {
    /// Takes the wanted way of counting, else the best one that works here.
    /// Groups that a killed run has left are removed.
    pub(crate) fn open(wanted: Option<Accounting>) -> Result<Self> {
        let mountinfo =
            fs::read_to_string("/proc/self/mountinfo").context("reading the mount table")?;
        let hierarchies = Hierarchies::parse(&mountinfo);
        let candidates = [Accounting::Cpuacct, Accounting::Cgroup2, Accounting::Rusage];
        let mut last = None;
        for accounting in candidates {
            if wanted.is_some_and(|w| w != accounting) || !hierarchies.supports(accounting) {
                continue;
            }
            let cgroups = Self {
                hierarchies: hierarchies.clone(),
                accounting,
            };
            match cgroups.start().and_then(|group| group.finish()) {
                Ok(_) => return Ok(cgroups),
                Err(error) => {
                    eprintln!("cannot count by {accounting:?}: {error:#}");
                    last = Some(error);
                }
            }
        }
        let reason = last.map_or_else(
            || "its hierarchy is not mounted here".to_owned(),
            |e| format!("{e:#}"),
        );
        anyhow::bail!("the wanted way of counting CPU time does not work: {reason}")
    }

    /// Who counts.
    pub(crate) fn accounting(&self) -> Accounting {
        self.accounting
    }

    /// Makes a fresh group, whose counters therefore start at zero.
    pub(crate) fn start(&self) -> Result<Group<'_>> {
        for dir in self.hierarchies.groups() {
            remove_group(&dir)?;
        }
        let group = Group { cgroups: self };
        if let Some(dir) = group.join_dir() {
            fs::create_dir_all(&dir)
                .with_context(|| format!("making the cgroup {}", dir.display()))?;
        }
        Ok(group)
    }
}

/// The cgroup of one run; removed on drop.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    cgroups: &'a Cgroups,
}

impl Group<'_> {
    /// Where processes join. In v2 it is a child of the base group, since a
    /// group with processes cannot hand controllers to the container's group.
    fn join_dir(&self) -> Option<PathBuf> {
        let h = &self.cgroups.hierarchies;
        match self.cgroups.accounting {
            Accounting::Cpuacct => h.cpuacct.as_ref().map(|m| m.join(GROUP)),
            Accounting::Cgroup2 => h.unified.as_ref().map(|m| m.join(GROUP).join("run")),
            Accounting::Rusage => None,
        }
    }

    /// The file that a process writes 0 to in order to join (cgroups(7)).
    pub(crate) fn procs(&self) -> Option<PathBuf> {
        self.join_dir().map(|dir| dir.join("cgroup.procs"))
    }

    /// Reads the counters and removes the group. `None` when no cgroup counts.
    pub(crate) fn finish(self) -> Result<Option<CpuTime>> {
        let h = &self.cgroups.hierarchies;
        let time = match (self.cgroups.accounting, &h.cpuacct, &h.unified) {
            (Accounting::Cpuacct, Some(mount), _) => {
                let dir = mount.join(GROUP);
                let user = read(&dir.join("cpuacct.usage_user"))?;
                let system = read(&dir.join("cpuacct.usage_sys"))?;
                Some(parse_cpuacct(&user, &system)?)
            }
            (Accounting::Cgroup2, _, Some(mount)) => {
                let stat = read(&mount.join(GROUP).join("cpu.stat"))?;
                Some(parse_cpu_stat(&stat)?)
            }
            _ => None,
        };
        for dir in h.groups() {
            remove_group(&dir)?;
        }
        Ok(time)
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        for dir in self.cgroups.hierarchies.groups() {
            if let Err(error) = remove_group(&dir) {
                eprintln!("{error:#}");
            }
        }
    }
}

/// Opens a `cgroup.procs`, so that it can be handed to a process that no
/// longer sees the hierarchy.
pub(crate) fn open_procs(path: &Path) -> Result<File> {
    File::options()
        .write(true)
        .open(path)
        .with_context(|| format!("opening {}", path.display()))
}

/// Removes a group and the groups below it. Only rmdir: a group in which
/// something still runs is refused by the kernel.
fn remove_group(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", dir.display())),
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", dir.display()))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(&entry.path())?;
        }
    }
    fs::remove_dir(dir).with_context(|| {
        format!(
            "removing the cgroup {} (a process of an interrupted run may still be in it: \
             see its cgroup.procs)",
            dir.display()
        )
    })
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// `cpuacct.usage_user` and `cpuacct.usage_sys`: nanoseconds.
fn parse_cpuacct(user: &str, system: &str) -> Result<CpuTime> {
    let seconds = |text: &str| -> Result<f64> {
        let nanoseconds: u64 = text
            .trim()
            .parse()
            .with_context(|| format!("cpuacct usage {text:?}"))?;
        Ok(nanoseconds as f64 / 1e9)
    };
    Ok(CpuTime {
        user_s: seconds(user)?,
        system_s: seconds(system)?,
    })
}

/// `cpu.stat` of cgroup v2: microseconds.
fn parse_cpu_stat(text: &str) -> Result<CpuTime> {
    let seconds = |key: &str| -> Result<f64> {
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
            .with_context(|| format!("cpu.stat has no {key}"))?;
        let microseconds: u64 = value
            .trim()
            .parse()
            .with_context(|| format!("cpu.stat: {key} {value:?}"))?;
        Ok(microseconds as f64 / 1e6)
    };
    Ok(CpuTime {
        user_s: seconds("user_usec")?,
        system_s: seconds("system_usec")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hierarchies_are_found_in_mountinfo() {
        let root = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n";
        let v1 = "35 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n";
        let v1_cpuset = "36 30 0:32 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";
        let hybrid = "37 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let v2 = "38 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let (acct, unified) = ("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified");
        let cases: [(String, Option<&str>, Option<&str>); 5] = [
            (root.to_owned(), None, None),
            (format!("{root}{v1_cpuset}"), None, None),
            (format!("{root}{v1}{v1_cpuset}"), Some(acct), None),
            (format!("{v1}{hybrid}{root}"), Some(acct), Some(unified)),
            (format!("{root}{v2}"), None, Some("/sys/fs/cgroup")),
        ];
        for (text, cpuacct, unified) in cases {
            let expected = Hierarchies {
                cpuacct: cpuacct.map(PathBuf::from),
                unified: unified.map(PathBuf::from),
            };
            assert_eq!(Hierarchies::parse(&text), expected, "{text}");
        }
    }

    #[test]
    fn cpuacct_counts_nanoseconds() {
        let time = parse_cpuacct("1500000000\n", "250000000\n").unwrap();
        assert_eq!((time.user_s, time.system_s), (1.5, 0.25));
        assert_eq!(time.total(), 1.75);
        for bad in ["", "1.5", "-1"] {
            assert!(parse_cpuacct(bad, "0").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn cpu_stat_counts_microseconds() {
        let text = "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n\
                    core_sched.force_idle_usec 0\nnr_periods 0\n";
        let time = parse_cpu_stat(text).unwrap();
        assert_eq!((time.user_s, time.system_s), (2.0, 1.0));
        for (bad, why) in [
            ("usage_usec 1\nuser_usec 2\n", "no system_usec"),
            ("user_usec x\nsystem_usec 1\n", "user_usec \"x\""),
            ("user_usecs 1\nsystem_usec 1\n", "no user_usec"),
        ] {
            let error = format!("{:#}", parse_cpu_stat(bad).unwrap_err());
            assert!(error.contains(why), "{bad:?}: {error}");
        }
    }

    #[test]
    fn groups_are_removed_from_the_leaves() {
        let dir = std::env::temp_dir().join(format!("bench-install-test-{}", std::process::id()));
        fs::create_dir_all(dir.join("podman/conmon")).unwrap();
        fs::create_dir_all(dir.join("run")).unwrap();
        remove_group(&dir).unwrap();
        assert!(!dir.exists());
        remove_group(&dir).unwrap();
    }
}
