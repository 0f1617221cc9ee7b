// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong, with a stable code, a cause and a next step.

use std::fmt;
use std::path::Path;

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Stable names of what can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A wrong command line.
    Usage,
    /// `distro.yaml` is wrong.
    ConfigInvalid,
    /// It needs root.
    NotRoot,
    /// A program of this machine is missing.
    ToolMissing,
    /// This machine cannot build: kernel features, mount options.
    HostUnsuitable,
    /// Not enough space, before or while building.
    DiskFull,
    /// The mirror does not answer.
    MirrorUnreachable,
    /// The mirror has no such suite.
    SuiteUnknown,
    /// What the mirror has of the suite is too old.
    SuiteExpired,
    /// A package does not exist in the suite.
    PackageUnknown,
    /// The image does not exist, or cannot be installed.
    ImageRefused,
    /// Another build works in the same directory.
    Busy,
    /// live-build failed.
    BuildFailed,
    /// It was stopped on request.
    Interrupted,
    /// The operating system refused an operation.
    Io,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::Usage,
        Self::ConfigInvalid,
        Self::NotRoot,
        Self::ToolMissing,
        Self::HostUnsuitable,
        Self::DiskFull,
        Self::MirrorUnreachable,
        Self::SuiteUnknown,
        Self::SuiteExpired,
        Self::PackageUnknown,
        Self::ImageRefused,
        Self::Busy,
        Self::BuildFailed,
        Self::Interrupted,
        Self::Io,
    ];

    /// The name in messages and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "USAGE",
            Self::ConfigInvalid => "CONFIG_INVALID",
            Self::NotRoot => "NOT_ROOT",
            Self::ToolMissing => "TOOL_MISSING",
            Self::HostUnsuitable => "HOST_UNSUITABLE",
            Self::DiskFull => "DISK_FULL",
            Self::MirrorUnreachable => "MIRROR_UNREACHABLE",
            Self::SuiteUnknown => "SUITE_UNKNOWN",
            Self::SuiteExpired => "SUITE_EXPIRED",
            Self::PackageUnknown => "PACKAGE_UNKNOWN",
            Self::ImageRefused => "IMAGE_REFUSED",
            Self::Busy => "BUSY",
            Self::BuildFailed => "BUILD_FAILED",
            Self::Interrupted => "INTERRUPTED",
            Self::Io => "IO",
        }
    }

    /// The exit status of the program: 2 wrong input, 3 refused before
    /// anything was built, 130 stopped, else 1.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Usage | Self::ConfigInvalid => 2,
            Self::NotRoot
            | Self::ToolMissing
            | Self::HostUnsuitable
            | Self::MirrorUnreachable
            | Self::SuiteUnknown
            | Self::SuiteExpired
            | Self::PackageUnknown
            | Self::ImageRefused
            | Self::Busy => 3,
            Self::Interrupted => 130,
            Self::DiskFull | Self::BuildFailed | Self::Io => 1,
        }
    }
}

/// What failed, why probably, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// What failed: one sentence.
    pub what: String,
    /// The likely cause: one sentence, or nothing.
    pub why: String,
    /// The next step: one sentence, or nothing.
    pub next: String,
    /// Messages of tools and of the system, one line each.
    pub details: Vec<String>,
}

impl Error {
    /// An error that only says what failed.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            why: String::new(),
            next: String::new(),
            details: Vec::new(),
        }
    }

    /// `IO` (or `DISK_FULL`) for an operation on a file.
    pub fn io(doing: &str, path: &Path, err: &std::io::Error) -> Self {
        let what = format!("{doing} {} failed.", path.display());
        match err.kind() {
            std::io::ErrorKind::StorageFull => Self::new(Code::DiskFull, what)
                .why("The file system is full.")
                .next("Free space, or choose another directory with --work or --output."),
            _ => Self::new(Code::Io, what).detail(err.to_string()),
        }
    }

    /// `BUILD_FAILED` for what only a fault of this program can cause.
    pub fn fault(what: impl Into<String>) -> Self {
        Self::new(Code::BuildFailed, what)
            .why("This is a fault of debian-bootc-image-builder.")
            .next("Report it, with this message and your distro.yaml.")
    }

    /// Adds the likely cause.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Adds the next step.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// Adds a line of details.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.what)?;
        for (label, text) in [("why", &self.why), ("next", &self.next)] {
            if !text.is_empty() {
                write!(f, "\n  {label}: {text}")?;
            }
        }
        for line in &self.details {
            write!(f, "\n  | {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
