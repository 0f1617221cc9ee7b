// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine around the screen that is driven.

use std::path::PathBuf;

use test_gui::{Around, Driver};
use vm::{Camera, Shell};

/// The end of Calamares' log, and what else tells of a failure.
const EVIDENCE: &str = "tail -n 40 /root/.cache/calamares/session.log
echo '--- installer.service'; journalctl --no-pager -u installer -n 25
echo '--- kernel'; journalctl --no-pager -k -n 10
echo '--- driver'; tail -n 15 /run/driver.log
free -m; df -h /run /; lsblk";

/// A running medium: root's shell in it, and a camera before its screen.
#[derive(Debug)]
pub(crate) struct Room {
    // Ends after it.
    pub(crate) camera: Camera,
    pub(crate) guest: Shell,
}

impl Around for Room {
    fn picture(&mut self, _: &mut Driver, name: &str) -> Result<PathBuf, String> {
        self.camera.take(name).map_err(|error| format!("{error:#}"))
    }

    fn evidence(&mut self) -> String {
        match self.guest.run(EVIDENCE) {
            Ok(output) => format!("--- end of session.log\n{}", output.stdout_text()),
            Err(error) => format!("{error:#}"),
        }
    }
}
