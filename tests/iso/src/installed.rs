// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installed disk, alone in a machine.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use test_guest::{BootedDisk, Disk, DiskConfig, SecretString};

use crate::camera::{Camera, Watch};
use crate::report::Report;
use crate::walk::{self, Choice};
use crate::way::Way;

const BOOT_LIMIT: Duration = Duration::from_secs(900);

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
    /// Whether the installation's logs have to be there.
    pub(crate) logs: bool,
}

impl Installed<'_> {
    /// Boots, logs in as the person, and asks what the system is. Fails when
    /// it is not the image with this digest, or not this person's system.
    pub(crate) fn boot(&self, digest: &str, report: &mut Report) -> Result<()> {
        let person = &self.choice.person;
        let socket = self.scratch.join("qmp-disk");
        let config = DiskConfig::new(Disk::new(self.disk).snapshot())
            .firmware(self.way.firmware())
            // What the disk needs must be on it.
            .network(false)
            .qmp(&socket)
            .boot_limit(BOOT_LIMIT)
            .login(
                &person.login,
                Some(SecretString::from(person.password.as_str())),
            )
            .console_log(self.out.join("disk-console.log"));
        let menu = self
            .out
            .join(format!("{:02}-disk-boot-menu.png", self.taken + 1));
        let watch = Watch::start(&socket, &menu)?;
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
        // Root has no password in the test image.
        let status = system.check(&as_root("bootc status | cat"))?;
        let booted = walk::digest_in(&status)
            .with_context(|| format!("no digest in the answer of bootc status:\n{status}"))?;
        report.fact("booted digest", &booted);
        ensure!(booted == digest, "{booted} booted instead of {digest}");
        for (what, script) in [
            (
                "keymap",
                "cat /etc/vconsole.conf /etc/default/keyboard 2>/dev/null",
            ),
            (
                "locale",
                "cat /etc/locale.conf /etc/default/locale 2>/dev/null",
            ),
            ("time zone", "readlink /etc/localtime"),
            ("kernel arguments", "cat /proc/cmdline"),
            (
                "findmnt",
                "findmnt --real --raw -o TARGET,SOURCE,FSTYPE,OPTIONS",
            ),
            ("failed units", "systemctl --failed --no-legend --no-pager"),
        ] {
            let answer = system.run(script)?.stdout_text();
            report.fact(what, &uncommented(&answer));
        }
        if self.logs {
            self.logs(&mut system, report)?;
        }
        Ok(())
    }

    /// The installation's own logs: there, complete, and without secrets.
    fn logs(&self, system: &mut BootedDisk, report: &mut Report) -> Result<()> {
        let listing = system.check(&as_root(
            "ls -ld /var/log/installer; ls -l /var/log/installer",
        ));
        let listing = listing.context("the installation left no logs in /var/log/installer")?;
        report.fact("/var/log/installer", &listing);
        let size = system
            .check(&as_root("wc -c </var/log/installer/journal.log"))
            .context("the journal of the installation is not in /var/log/installer")?;
        ensure!(
            size.trim() != "0",
            "/var/log/installer/journal.log is empty"
        );
        let found = system.run(&as_root(&format!(
            "grep -rlF -- '{}' /var/log/installer",
            self.choice.person.password
        )))?;
        ensure!(
            !found.success(),
            "the password is in {}",
            found.stdout_text().trim()
        );
        Ok(())
    }
}

fn as_root(script: &str) -> String {
    format!("su - root -c sh <<'SCRIPT'\n{script}\nSCRIPT\n")
}

/// Without comments and blank lines.
fn uncommented(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    let lines: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    lines.join("\n")
}
