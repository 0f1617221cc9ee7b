// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running the image's tools with their own words in the error.

use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::text::tool_message;

/// Checked forms of running a [`Command`].
pub(crate) trait CommandExt {
    /// Runs the command; the error is its last message.
    fn run(&mut self) -> Result<()>;
    /// Like `run`, returning stdout as text.
    fn read(&mut self) -> Result<String>;
    /// Like `run`, returning stdout as it is.
    fn read_bytes(&mut self) -> Result<Vec<u8>>;
}

impl CommandExt for Command {
    fn run(&mut self) -> Result<()> {
        checked(self).map(|_| ())
    }

    fn read(&mut self) -> Result<String> {
        let output = checked(self)?;
        String::from_utf8(output.stdout)
            .with_context(|| format!("output of {}", self.get_program().to_string_lossy()))
    }

    fn read_bytes(&mut self) -> Result<Vec<u8>> {
        checked(self).map(|output| output.stdout)
    }
}

fn checked(command: &mut Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("Running {program}"))?;
    if !output.status.success() {
        let message = tool_message(&String::from_utf8_lossy(&output.stderr));
        if message.is_empty() {
            bail!("Subprocess failed: {program} ({})", output.status);
        }
        bail!("{message}");
    }
    Ok(output)
}
