// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where lines are seen: the journal, and every console of the kernel. `/dev/console`
//! alone would be one of them, while a screen and a serial port are both looked at.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// The kernel's consoles.
const ACTIVE: &str = "/sys/class/tty/console/active";

/// Standard output, and the consoles where that is a journal.
pub(super) fn writers() -> Vec<Box<dyn Write + Send>> {
    let mut all: Vec<Box<dyn Write + Send>> = vec![Box::new(io::stdout())];
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        let active = fs::read_to_string(ACTIVE).unwrap_or_default();
        for name in names(&active) {
            all.push(Box::new(Console(Path::new("/dev").join(name))));
        }
    }
    all
}

/// A terminal that is opened for each line: a login that starts on it hangs up
/// whoever has it open (vhangup(2)), and every later line would be lost.
struct Console(PathBuf);

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A port whose other end takes nothing must not hold up an installation.
        let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let mut options = OpenOptions::new();
        let options = options.write(true).custom_flags(flags.bits());
        options.open(&self.0)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Names of the terminals.
fn names(active: &str) -> impl Iterator<Item = &str> {
    let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric());
    active.split_whitespace().filter(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_console_that_was_hung_up_gets_the_next_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("console");
        let mut console = Console(path.clone());
        assert!(console.write_all(b"nobody").is_err(), "it is not made");
        for line in ["one", "two"] {
            // Another file of the same name, as after a hang-up.
            fs::write(path.with_extension("new"), "").unwrap();
            fs::rename(path.with_extension("new"), &path).unwrap();
            console.write_all(line.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), line);
        }
    }

    #[test]
    fn consoles_of_a_machine() {
        let found = |text| names(text).collect::<Vec<_>>();
        assert_eq!(found("tty0 ttyS0\n"), ["tty0", "ttyS0"]);
        assert!(found("").is_empty());
        assert!(found("../null").is_empty());
    }
}
