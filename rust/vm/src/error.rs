// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong with a machine, with a stable code and its last words.

use std::fmt::{self, Display};

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Stable names of what can go wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// QEMU, or a program around it, is not on this machine.
    ToolMissing,
    /// The firmware that was asked for is not on this machine.
    FirmwareMissing,
    /// KVM was asked for, and does not run a kernel here.
    KvmUnusable,
    /// The file of a disk or medium does not exist.
    ImageMissing,
    /// The guest did not do something in time.
    Late,
    /// The console stayed silent too long.
    Silent,
    /// The machine ended while something was expected of it.
    Ended,
    /// The guest said that it will not go on.
    DeadEnd,
    /// The guest refused, or what it answers is no answer.
    Refused,
    /// A command in the guest failed.
    CommandFailed,
    /// The operating system refused an operation.
    Io,
}

impl Code {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToolMissing => "TOOL_MISSING",
            Self::FirmwareMissing => "FIRMWARE_MISSING",
            Self::KvmUnusable => "KVM_UNUSABLE",
            Self::ImageMissing => "IMAGE_MISSING",
            Self::Late => "LATE",
            Self::Silent => "SILENT",
            Self::Ended => "ENDED",
            Self::DeadEnd => "DEAD_END",
            Self::Refused => "REFUSED",
            Self::CommandFailed => "COMMAND_FAILED",
            Self::Io => "IO",
        }
    }

    /// Whether no machine can run here at all: nothing was learnt of the guest.
    pub fn is_of_host(self) -> bool {
        matches!(
            self,
            Self::ToolMissing | Self::FirmwareMissing | Self::KvmUnusable
        )
    }
}

/// What failed, and what the machine said last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// Stable code.
    pub code: Code,
    /// What failed, and the likely cause.
    pub what: String,
    /// The last lines of the console, and what QEMU wrote; empty when there was
    /// no machine.
    pub said: String,
}

impl Error {
    /// Without a machine.
    pub(crate) fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            said: String::new(),
        }
    }

    /// For `map_err`: a failed operation, `doing` as in "writing".
    pub(crate) fn io(doing: impl Display) -> impl FnOnce(std::io::Error) -> Self {
        move |err| Self::new(Code::Io, format!("{doing}: {err}"))
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match self.said.as_str() {
            "" => Ok(()),
            said => write!(f, "\n{said}"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_with_what_the_machine_said() {
        let mut error = Error::new(Code::Late, "powering off: it took long");
        assert_eq!(error.to_string(), "powering off: it took long");
        error.said = "--- last lines ---\nhost login:".to_owned();
        assert_eq!(
            error.to_string(),
            "powering off: it took long\n--- last lines ---\nhost login:"
        );
        assert!(!error.code.is_of_host() && Code::KvmUnusable.is_of_host());
    }
}
