// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running commands so that a failure says which command and why.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// How many lines of a failed command's output go into the error.
const TAIL_LINES: usize = 20;
/// How many bytes from the end of the output are looked at for those lines.
const TAIL_BYTES: u64 = 16 * 1024;

/// Checked forms of running a [`Command`].
pub trait CommandExt {
    /// Runs the command with stdin closed and its output kept aside. An error
    /// holds the whole command line, the exit status and the last lines.
    fn run(&mut self) -> Result<()>;

    /// Like [`CommandExt::run`], returning what the command wrote to stdout.
    fn read(&mut self) -> Result<String>;

    /// The command line as one would type it, for messages.
    fn line(&self) -> String;
}

impl CommandExt for Command {
    fn run(&mut self) -> Result<()> {
        let line = self.line();
        let mut log = tempfile::tempfile().context("making a file for the command's output")?;
        let status = self
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the output file")?)
            .stderr(log.try_clone().context("sharing the output file")?)
            .status()
            .with_context(|| format!("starting `{line}`"))?;
        if !status.success() {
            bail!("`{line}` failed ({status}):\n{}", tail_of(&mut log)?);
        }
        Ok(())
    }

    fn read(&mut self) -> Result<String> {
        let line = self.line();
        let mut log = tempfile::tempfile().context("making a file for the command's stderr")?;
        let output = self
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().context("sharing the output file")?)
            .output()
            .with_context(|| format!("starting `{line}`"))?;
        if !output.status.success() {
            bail!(
                "`{line}` failed ({}):\n{}",
                output.status,
                tail_of(&mut log)?
            );
        }
        String::from_utf8(output.stdout).with_context(|| format!("output of `{line}`"))
    }

    fn line(&self) -> String {
        std::iter::once(self.get_program())
            .chain(self.get_args())
            .map(|word| quote(&word.to_string_lossy()))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Finds a program in `$PATH` and in the system directories that an ordinary
/// user's `$PATH` often lacks.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|candidate| is_executable(candidate))
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn tail_of(log: &mut std::fs::File) -> Result<String> {
    let size = log
        .seek(SeekFrom::End(0))
        .context("reading the command's output")?;
    log.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES)))
        .context("reading the command's output")?;
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes)
        .context("reading the command's output")?;
    Ok(tail(&String::from_utf8_lossy(&bytes), TAIL_LINES))
}

/// The last `count` lines of `text`, without blank ones.
fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        let cases = [
            ("a/b-c_1:2", "a/b-c_1:2"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
        ];
        for (word, quoted) in cases {
            assert_eq!(quote(word), quoted);
        }
    }

    #[test]
    fn a_failure_names_command_status_and_last_lines() {
        let error = Command::new("sh")
            .args([
                "-c",
                "echo first; for i in $(seq 30); do echo line $i; done; exit 3",
            ])
            .run()
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("`sh -c 'echo first;"), "{error}");
        assert!(
            error.contains("exit status: 3") && error.ends_with("line 30"),
            "{error}"
        );
        assert!(
            !error.contains("\nfirst") && !error.contains("line 10\n"),
            "{error}"
        );
    }

    #[test]
    fn read_returns_stdout_only() {
        let text = Command::new("sh")
            .args(["-c", "echo out; echo err >&2"])
            .read()
            .unwrap();
        assert_eq!(text, "out\n");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Command::new("no-such-program-here")
            .run()
            .unwrap_err()
            .to_string();
        assert_eq!(error, "starting `no-such-program-here`");
    }
}
