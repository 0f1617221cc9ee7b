// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installed disk, alone in a machine.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::boots::digest_in;
use vm::{
    BootedDisk, Camera, Configure as _, Disk, DiskConfig, Machine, SecretString, Shell, Watch,
};

use crate::report::Report;
use crate::walk::Choice;
use crate::way::Way;

const BOOT_LIMIT: Duration = Duration::from_secs(900);

/// The mounts that matter.
const MOUNTS: &str = "findmnt --raw -o TARGET,SOURCE,FSTYPE -t overlay,ext4,xfs,btrfs,vfat";

/// What is to be booted, and where traces of it go.
#[derive(Debug)]
pub(crate) struct Installed<'a> {
    pub(crate) way: Way,
    pub(crate) disk: &'a Path,
    pub(crate) scratch: &'a Path,
    pub(crate) out: &'a Path,
    pub(crate) choice: &'a Choice,
    /// Pictures so far.
    pub(crate) taken: usize,
    /// Which of the installation's logs has to be there.
    pub(crate) log: Option<&'static str>,
}

impl Installed<'_> {
    /// Boots twice: as the person finds it, who logs in, and once more with a
    /// shell for root, whose account is locked. Fails when it is not the image
    /// with this digest, or not this person's system.
    pub(crate) fn boot(&self, digest: &str, report: &mut Report) -> Result<()> {
        self.as_person(report)?;
        self.as_root(digest, report)
    }

    fn disk(&self) -> Disk {
        Disk::new(self.disk).snapshot()
    }

    fn as_person(&self, report: &mut Report) -> Result<()> {
        let person = &self.choice.person;
        let socket = self.scratch.join("qmp-disk");
        let log = self.out.join("disk-console.log");
        let config = DiskConfig::new(self.disk())
            .firmware(self.way.firmware_of_disk())
            // What the disk needs must be on it.
            .network(false)
            .qmp(&socket)
            .boot_limit(BOOT_LIMIT)
            .login(
                &person.login,
                Some(SecretString::from(person.password.as_str())),
            )
            .console_log(&log);
        let menu = format!("{:02}-disk-boot-menu.png", self.taken + 1);
        let watch = Watch::start(&socket, &self.out.join(menu), Some(&log))?;
        let begun = Instant::now();
        let mut system = BootedDisk::start(&config)?;
        report.seconds("login on the disk's system", begun.elapsed());
        drop(watch);
        Camera::new(&socket, self.out, self.taken + 1)?.take("disk-console")?;

        let user = system.check("id -un")?;
        ensure!(user.trim() == person.login, "{user} is logged in");
        report.fact("user", &system.check("id")?);
        let hostname = system.check("cat /proc/sys/kernel/hostname")?;
        ensure!(
            hostname.trim() == person.hostname,
            "the hostname is {hostname}"
        );
        report.fact("hostname", &hostname);
        let table: [(&str, &str); 5] = [
            (
                "keymap",
                &first_of(&["/etc/vconsole.conf", "/etc/default/keyboard"]),
            ),
            (
                "locale",
                &first_of(&["/etc/locale.conf", "/etc/default/locale"]),
            ),
            ("time zone", "readlink /etc/localtime"),
            ("kernel arguments", "cat /proc/cmdline"),
            ("findmnt", MOUNTS),
        ];
        for (what, script) in table {
            let answer = uncommented(&system.check(script)?);
            ensure!(!answer.is_empty(), "no {what} is set");
            report.fact(what, &answer);
        }
        let failed = system.check("systemctl --failed --no-legend --no-pager --plain")?;
        ensure!(failed.trim().is_empty(), "failed units:\n{failed}");
        Ok(())
    }

    fn as_root(&self, digest: &str, report: &mut Report) -> Result<()> {
        let machine = Machine {
            memory_mib: 1536,
            disks: vec![self.disk()],
            firmware: self.way.firmware_of_disk(),
            network: false,
            ..Machine::default()
        };
        let log = self.out.join("disk-console-root.log");
        let guest = Shell::of_machine(&machine, BOOT_LIMIT, &log)?;
        let mut guest = guest.context("no shell for root in the disk's system")?;
        let status = guest.check("bootc status | cat")?;
        let booted = digest_in(&status)
            .with_context(|| format!("no digest in the answer of bootc status:\n{status}"))?;
        report.fact("booted digest", &booted);
        ensure!(booted == digest, "{booted} booted instead of {digest}");
        if let Some(log) = self.log {
            self.logs(&mut guest, log, report)?;
        }
        Ok(())
    }

    /// The installation's own logs: there, complete, and without the password.
    fn logs(&self, guest: &mut Shell, log: &str, report: &mut Report) -> Result<()> {
        let listing = guest
            .check("ls -ld /var/log/installer; ls -l /var/log/installer")
            .context("the installation left no logs in /var/log/installer")?;
        report.fact("/var/log/installer", &listing);
        guest
            .check(&format!("test -s /var/log/installer/{log}"))
            .with_context(|| format!("there is no {log} in /var/log/installer"))?;
        let found = guest.run(&format!(
            "grep -rlF -- '{}' /var/log/installer",
            self.choice.person.password
        ))?;
        ensure!(
            !found.success(),
            "the password is in {}",
            found.stdout_text().trim()
        );
        Ok(())
    }
}

/// Shows the first of these files that is there.
fn first_of(files: &[&str]) -> String {
    let files = files.join(" ");
    format!("for file in {files}; do [ ! -e $file ] || exec cat $file; done; exit 1")
}

/// Without comments and blank lines.
fn uncommented(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    let lines: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    lines.join("\n")
}
