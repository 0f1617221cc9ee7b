// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parsers for what the kernel tells in `/proc`.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Memory of one process, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Short name of the program.
    pub name: String,
    /// Resident: anonymous, file-backed and shared pages.
    pub rss: u64,
    /// Of it anonymous: what cannot be dropped or read again from a file.
    pub anon: u64,
    /// Like `rss`, with pages that n processes share counted as 1/n.
    pub pss: u64,
}

/// Reads `/proc/PID/status` (proc_pid_status(5)). Kernel threads and zombies
/// have no memory lines: `None`. It does not tell the PSS, which is the RSS
/// here until [`parse_smaps_rollup`] knows better.
pub fn parse_status(text: &str) -> Result<Option<Memory>> {
    let field = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
            .map(str::trim)
    };
    let bytes = |key: &str| -> Result<Option<u64>> {
        let Some(value) = field(key) else {
            return Ok(None);
        };
        let kib: u64 = value
            .strip_suffix(" kB")
            .and_then(|number| number.trim().parse().ok())
            .with_context(|| format!("status: {key} {value:?}"))?;
        Ok(Some(kib * 1024))
    };
    let (Some(rss), Some(anon)) = (bytes("VmRSS")?, bytes("RssAnon")?) else {
        return Ok(None);
    };
    Ok(Some(Memory {
        name: field("Name").unwrap_or("?").to_owned(),
        rss,
        anon,
        pss: rss,
    }))
}

/// Bytes of PSS in `/proc/PID/smaps_rollup` (proc_pid_smaps(5)); `None` where
/// the process has ended meanwhile.
pub fn parse_smaps_rollup(text: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// Busy time of all processors since boot, in clock ticks, from `/proc/stat`.
/// Time stolen by the hypervisor is not ours and not counted.
pub fn parse_busy_ticks(stat: &str) -> Result<u64> {
    let line = stat
        .lines()
        .find_map(|line| line.strip_prefix("cpu "))
        .context("/proc/stat has no cpu line")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .map(|word| {
            word.parse()
                .with_context(|| format!("/proc/stat: {word:?}"))
        })
        .collect::<Result<_>>()?;
    // user nice system idle iowait irq softirq steal guest guest_nice; guest
    // time is part of user time already.
    match ticks.as_slice() {
        [user, nice, system, _idle, _iowait, irq, softirq, ..] => {
            Ok(user + nice + system + irq + softirq)
        }
        _ => anyhow::bail!("/proc/stat: too few fields in {line:?}"),
    }
}

/// The one-minute load of `/proc/loadavg`.
pub fn parse_load(text: &str) -> Result<f64> {
    text.split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .with_context(|| format!("/proc/loadavg: {text:?}"))
}

/// A tmpfs in a mount table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmpfs {
    /// Major and minor number, which are the same wherever it is mounted.
    pub device: (u64, u64),
    /// Mount point, below the root of the process whose table it is.
    pub mount_point: String,
}

/// All tmpfs of a `/proc/PID/mountinfo` (proc_pid_mountinfo(5)). Mount points
/// with blanks, which are written escaped, are passed over.
pub fn parse_tmpfs(mountinfo: &str) -> Vec<Tmpfs> {
    let tmpfs = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(2);
        let (major, minor) = left.next()?.split_once(':')?;
        let mount_point = left.nth(1).filter(|path| !path.contains('\\'))?;
        right.starts_with("tmpfs ").then_some(())?;
        Some(Tmpfs {
            device: (major.parse().ok()?, minor.parse().ok()?),
            mount_point: mount_point.to_owned(),
        })
    };
    mountinfo.lines().filter_map(tmpfs).collect()
}

/// A size of `/proc/meminfo`, in bytes.
pub fn parse_meminfo(text: &str, key: &str) -> Result<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .and_then(|value| value.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.parse::<u64>().ok())
        .map(|kib| kib * 1024)
        .with_context(|| format!("/proc/meminfo has no {key}"))
}

/// The processor's name in `/proc/cpuinfo`.
pub fn parse_cpu_model(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map(|(_, name)| name.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn status_gives_memory() {
        let text = "Name:\tpodman\nUmask:\t0022\nVmHWM:\t   60000 kB\nVmRSS:\t   46004 kB\n\
                    RssAnon:\t   20000 kB\nRssFile:\t   26000 kB\nRssShmem:\t       4 kB\n";
        let expected = Memory {
            name: "podman".to_owned(),
            rss: 46004 * 1024,
            anon: 20000 * 1024,
            pss: 46004 * 1024,
        };
        assert_eq!(parse_status(text).unwrap(), Some(expected));
    }

    #[test]
    fn smaps_rollup_gives_pss() {
        let text = "5581-7ffd ---p 00000000 00:00 0    [rollup]\n\
                    Rss:                1676 kB\nPss:                 325 kB\n\
                    Pss_Anon:             84 kB\n";
        assert_eq!(parse_smaps_rollup(text), Some(325 * 1024));
        assert_eq!(parse_smaps_rollup(""), None);
    }

    #[test]
    fn zombies_and_kernel_threads_have_no_memory() {
        let text = "Name:\tsh\nState:\tZ (zombie)\nThreads:\t1\n";
        assert_eq!(parse_status(text).unwrap(), None);
    }

    #[test]
    fn a_status_in_another_unit_is_refused() {
        for bad in ["VmRSS:\t5 MB\n", "VmRSS:\t5\n", "VmRSS:\tx kB\n"] {
            assert!(parse_status(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn busy_is_everything_but_idle_iowait_and_steal() {
        let text = "cpu  10 20 30 4000 500 6 7 80 9 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(parse_busy_ticks(text).unwrap(), 10 + 20 + 30 + 6 + 7);
        for bad in [
            "",
            "cpu0 1 2 3 4 5 6 7\n",
            "cpu  1 2 3\n",
            "cpu  1 2 x 4 5 6 7\n",
        ] {
            assert!(parse_busy_ticks(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tmpfs_are_found_in_a_mount_table() {
        let text = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                    30 22 0:27 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,mode=755\n\
                    31 22 0:6 / /dev rw - devtmpfs udev rw\n\
                    32 22 0:28 / /a\\040b rw - tmpfs x rw\n\
                    33 22 0:27 /lock /var/lock rw - tmpfs tmpfs rw\n";
        let found: Vec<_> = parse_tmpfs(text)
            .into_iter()
            .map(|t| (t.device, t.mount_point))
            .collect();
        assert_eq!(
            found,
            [
                ((0, 27), "/run".to_owned()),
                ((0, 27), "/var/lock".to_owned())
            ]
        );
        assert!(parse_tmpfs("garbage\n1 2 x:y / /z - tmpfs\n").is_empty());
    }

    #[test]
    fn small_files() {
        assert_eq!(parse_load("4.84 3.66 2.10 2/345 6789\n").unwrap(), 4.84);
        assert!(parse_load("").is_err());
        let meminfo = "MemTotal:       24684092 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(
            parse_meminfo(meminfo, "MemAvailable").unwrap(),
            20_000_000 * 1024
        );
        assert!(parse_meminfo(meminfo, "Mem").is_err());
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.9GHz\n";
        assert_eq!(parse_cpu_model(cpuinfo), Some("Some CPU @ 2.9GHz"));
        assert_eq!(parse_cpu_model("processor\t: 0\n"), None);
    }
}
