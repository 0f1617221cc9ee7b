// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong, with a stable code, a cause and a next step.

use std::path::Path;

use contract::fault::{Codes, Fault};

/// What failed, why probably, and what to do.
pub type Error = Fault<Code>;

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
    /// What was booted is not as it should be.
    SmokeFailed,
    /// It was stopped on request.
    Interrupted,
    /// The operating system refused an operation.
    Io,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 16] = [
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
        Self::SmokeFailed,
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
            Self::SmokeFailed => "SMOKE_FAILED",
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
            Self::DiskFull | Self::BuildFailed | Self::SmokeFailed | Self::Io => 1,
        }
    }
}

impl Codes for Code {
    const CONFIGURATION: Self = Self::ConfigInvalid;

    fn name(self) -> &'static str {
        self.name()
    }

    /// Nothing: a builder's errors say it themselves.
    fn usual(self) -> (&'static str, &'static str) {
        ("", "")
    }

    fn stopped() -> Error {
        Error::new(Self::Interrupted, "The build was stopped.")
            .next("Run the same command again: what is finished is not done again.")
    }

    fn defect(what: String) -> Error {
        Error::new(Self::BuildFailed, what)
            .why("This is a fault of debian-bootc-image-builder.")
            .next("Report it, with this message and your distro.yaml.")
    }

    fn io(doing: &str, path: &Path, err: &std::io::Error) -> Error {
        let what = format!("{doing} {} failed.", path.display());
        match err.kind() {
            std::io::ErrorKind::StorageFull => Error::new(Self::DiskFull, what)
                .why("The file system is full.")
                .next("Free space, or choose another directory with --work or --output."),
            _ => Error::new(Self::Io, what).detail(err.to_string()),
        }
    }
}
