// SPDX-License-Identifier: MIT OR Apache-2.0
//! The medium's own system: started, timed and looked at.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image_builder::smoke::sockets;
use serde_json::json;
use test_gui::{Driver, ENGLISH, Gui};
use vm::{Camera, Credential, Disk, Machine, Port, Shell, Watch};

use crate::report::Report;
use crate::room::Room;
use crate::way::Way;
use crate::{accounts, toolbox};

/// For whatever Calamares does between two pages, in emulation.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);
/// Boots are tried so often.
const ATTEMPTS: u32 = 2;
const TARGET: &str = "target";

/// How to boot the medium.
#[derive(Debug)]
pub(crate) struct Boot<'a> {
    pub(crate) way: Way,
    pub(crate) iso: &'a Path,
    pub(crate) disk: &'a Path,
    pub(crate) toolbox: &'a Path,
    /// For sockets, whose paths have to be short.
    pub(crate) scratch: &'a Path,
    /// For pictures and logs.
    pub(crate) out: &'a Path,
    pub(crate) limit: Duration,
    /// `host:port` of a registry that speaks no TLS.
    pub(crate) registry: Option<String>,
}

impl Boot<'_> {
    fn socket(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    fn machine(&self) -> Machine {
        Machine {
            memory_mib: self.way.memory_mib(),
            disks: vec![
                Disk::new(self.disk).serial(TARGET),
                Disk::new(self.toolbox).read_only().serial(toolbox::SERIAL),
            ],
            firmware: self.way.firmware(),
            network: self.way != Way::Offline,
            medium: Some(self.iso.to_owned()),
            large_screen: true,
            ports: vec![Port {
                name: toolbox::PORT.to_owned(),
                socket: self.socket("driver"),
            }],
            credentials: self
                .registry
                .as_deref()
                .map(trust)
                .into_iter()
                .flatten()
                .collect(),
            qmp: Some(self.socket("qmp")),
            ..Machine::default()
        }
    }

    /// Boots up to Calamares' first page.
    pub(crate) fn start(&self, report: &mut Report) -> Result<Gui<Room>> {
        let (guest, begun) = self.boot(report)?;
        let mut room = Room {
            camera: Camera::new(&self.socket("qmp"), self.out, 1)?,
            guest,
        };
        room.guest.check(&toolbox::start())?;
        let stream = UnixStream::connect(self.socket("driver")).context("the driver's port")?;
        let answers = stream.try_clone().context("sharing the driver's port")?;
        room.guest
            .check("until pgrep -x calamares >/dev/null; do sleep 0.5; done")
            .context("waiting for Calamares")?;
        report.seconds("Calamares' process", begun.elapsed());
        let mut gui = Gui::new(Driver::new(stream, answers), room, &ENGLISH, true);
        gui.set_patience(PATIENCE);
        gui.ask("attach", json!({}));
        gui.wait_text("ask you some questions");
        report.seconds("welcome page", begun.elapsed());
        gui.screenshot("welcome");
        Ok(gui)
    }

    fn boot(&self, report: &mut Report) -> Result<(Shell, Instant)> {
        let machine = self.machine();
        for attempt in 1..=ATTEMPTS {
            let _watch = Watch::start(
                &self.socket("qmp"),
                &self.out.join("01-boot-menu.png"),
                None,
            )?;
            let begun = Instant::now();
            let log = self.out.join("medium-console.log");
            if let Some(guest) = Shell::of_machine(&machine, self.limit, &log)? {
                report.seconds("root's shell", begun.elapsed());
                return Ok((guest, begun));
            }
            report.note(&format!(
                "boot {attempt}: no shell after {} s",
                self.limit.as_secs()
            ));
        }
        anyhow::bail!("the medium did not boot")
    }
}

/// Credentials by which the medium's configuration gets what a maintainer
/// would put there: an entry for a registry without TLS.
fn trust(registry: &str) -> [Credential; 2] {
    const UNIT: &str = "iso-tests-registry.service";
    let entry = format!("\nregistryAuth: {{registries: {{\"{registry}\": {{insecure: true}}}}}}\n");
    // In base64 nothing has a meaning for systemd or the shell.
    let entry = STANDARD.encode(entry);
    let unit = format!(
        "[Unit]\nBefore=installer.service\n[Service]\nType=oneshot\n\
         ExecStart=/bin/sh -c 'echo {entry} | base64 -d \
         >>/etc/calamares-bootc/modules/bootc.conf'\n"
    );
    [
        Credential::new(format!("systemd.extra-unit.{UNIT}"), unit),
        Credential::new(
            "systemd.unit-dropin.installer.service~iso-tests",
            format!("[Unit]\nWants={UNIT}\nAfter={UNIT}\n"),
        ),
    ]
}

/// Looks around in the running system and fails when it is open to others.
pub(crate) fn inspect(room: &mut Room, way: Way, out: &Path, report: &mut Report) -> Result<()> {
    let guest = &mut room.guest;
    let used = guest.check("free -m | awk '/^Mem:/ {print $3 \" of \" $2}'")?;
    report.fact("MiB of memory used, Calamares open", &used);
    let times = "systemctl is-system-running --wait; systemctl --failed --no-pager
        for what in time blame critical-chain; do
            systemd-analyze --no-pager $what | head -n 40; echo
        done; dmesg | head -n 3; free -m; df -h / /run";
    let times = guest.run(times)?.stdout_text();
    fs::write(out.join("boot.txt"), &times).context("writing boot.txt")?;
    let startup = times.lines().find(|line| line.starts_with("Startup"));
    report.fact("systemd-analyze", startup.unwrap_or("(nothing)"));

    let listing = guest.check("ss -tulpnH")?;
    let open = sockets::open(&listing);
    ensure!(open.is_empty(), "open to the network: {open:#?}");
    report.fact("open ports", "none");
    let shadow = guest.check("cat /etc/shadow")?;
    let accounts = accounts::with_password(&shadow);
    ensure!(
        accounts.is_empty(),
        "accounts with a password: {accounts:?}"
    );
    report.fact("accounts with a password", "none");
    // The session's own program first, so that a refusal means what it says.
    guest
        .check("XAUTHORITY=/run/user/0/xauthority setxkbmap -display :0 -print >/dev/null")
        .context("the session's own program on its screen")?;
    let other = guest.run(
        "setpriv --reuid=65534 --regid=65534 --clear-groups \
         env -u XAUTHORITY setxkbmap -display :0 -print",
    )?;
    ensure!(
        other.status != 0,
        "another account gets on the screen: {}",
        other.stdout_text()
    );
    report.fact("screen", "open to the session alone");
    if way == Way::Secure {
        // Four bytes of attributes come before the value.
        let value = guest.check(
            "od -An -tu1 -j4 -N1 \
             /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
        )?;
        ensure!(value.trim() == "1", "SecureBoot is {}", value.trim());
        report.fact("SecureBoot", &value);
    }
    Ok(())
}
