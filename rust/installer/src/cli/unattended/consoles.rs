// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where lines are seen: the journal, and every console of the kernel. `/dev/console`
//! alone would be one of them, while a screen and a serial port are both looked at.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// The kernel's consoles.
const ACTIVE: &str = "/sys/class/tty/console/active";

/// Standard output, and the consoles where that is a journal.
pub(super) fn writers() -> Vec<Box<dyn Write + Send>> {
    let mut all: Vec<Box<dyn Write + Send>> = vec![Box::new(std::io::stdout())];
    if std::env::var_os("JOURNAL_STREAM").is_none() {
        return all;
    }
    let active = fs::read_to_string(ACTIVE).unwrap_or_default();
    for name in names(&active) {
        // A port whose other end takes nothing must not hold up an installation.
        let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let opened = OpenOptions::new()
            .write(true)
            .custom_flags(flags.bits())
            .open(Path::new("/dev").join(name));
        match opened {
            Ok(console) => all.push(Box::new(console)),
            Err(error) => tracing::debug!(%error, name, "no console"),
        }
    }
    all
}

/// Names of the terminals.
fn names(active: &str) -> impl Iterator<Item = &str> {
    let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric());
    active.split_whitespace().filter(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consoles_of_a_machine() {
        let found = |text| names(text).collect::<Vec<_>>();
        assert_eq!(found("tty0 ttyS0\n"), ["tty0", "ttyS0"]);
        assert!(found("").is_empty());
        assert!(found("../null").is_empty());
    }
}
