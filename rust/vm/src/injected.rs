// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent in a system that does not have it: as a unit in a credential of
//! the machine, of which PID 1 makes a file before it loads units.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::agent::SCRIPT;
use crate::machine::{AGENT_PORT, Credential};

/// Where the agent keeps what it works with.
const STATE: &str = "/run/vm-agent";
const UNIT: &str = "vm-agent.service";

/// Names and values.
pub(crate) fn credentials() -> [Credential; 2] {
    [
        Credential::new(format!("systemd.extra-unit.{UNIT}"), unit()),
        Credential::new(
            "systemd.unit-dropin.sysinit.target~vm-agent",
            format!("[Unit]\nWants={UNIT}\n"),
        ),
    ]
}

/// The port comes when udev has loaded its driver. An initramfs with systemd
/// gets the unit too.
fn unit() -> String {
    let agent = STANDARD.encode(SCRIPT);
    format!(
        "[Unit]\nDefaultDependencies=no\nAfter=basic.target\n\
         ConditionPathExists=!/etc/initrd-release\n\
         [Service]\nRestart=always\nRestartSec=1\n\
         ExecStart=/bin/sh -c '\
         until grep -qsx {AGENT_PORT} /sys/class/virtio-ports/*/name; do sleep 0.5; done; \
         mkdir -p {STATE}; \
         echo {agent} | base64 -d >{STATE}/agent; \
         exec sh {STATE}/agent'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_has_no_character_that_systemd_takes_for_its_own() {
        let unit = unit();
        let line = unit.lines().find(|line| line.starts_with("ExecStart="));
        let line = line.unwrap_or_default();
        assert!(line.ends_with("agent'"), "{line}");
        assert!(!line.contains(['%', '$']), "{line}");
    }
}
