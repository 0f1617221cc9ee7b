// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a command in a guest came to.

use crate::error::{Code, Error, Result};

/// How many lines of a failed command's output go into the error.
const TAIL_LINES: usize = 20;

/// Exit status and output of a command that ran in a guest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Output {
    /// The exit status as a shell tells it: 128 + n for death by signal n.
    pub status: i32,
    /// Standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Standard error, byte for byte.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether the exit status is 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }

    /// Standard output as text.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output, or an error with the command and its last lines when
    /// the exit status is not 0.
    pub fn checked(self, command: &str) -> Result<String> {
        if self.success() {
            return Ok(self.stdout_text());
        }
        let text = self.stdout_text() + &self.stderr_text();
        let lines: Vec<&str> = text.lines().collect();
        let what = format!(
            "in the guest, `{}` failed (exit status {}):\n{}",
            command.trim(),
            self.status,
            lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
        );
        Err(Error::new(Code::CommandFailed, what))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_failure_carries_the_last_lines() {
        let output = |status| Output {
            status,
            stdout: b"out\n".to_vec(),
            stderr: b"why\n".to_vec(),
        };
        assert_eq!(output(0).checked("c").unwrap(), "out\n");
        assert_eq!(
            output(2).checked(" c\n").unwrap_err().to_string(),
            "in the guest, `c` failed (exit status 2):\nout\nwhy"
        );
    }
}
