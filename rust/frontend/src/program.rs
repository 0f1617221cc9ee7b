// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine's program and the common part of its command lines.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use contract::error::{Code, Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::login::Login;

/// Where packages install it.
pub const PATH: &str = "/usr/bin/bootc-installer";
/// Descriptor of the login in the child.
const AUTH_FD: i32 = 3;
/// Descriptor of the plan in the child.
pub(crate) const PLAN_FD: i32 = 4;

/// The engine's program.
#[derive(Debug, Clone)]
pub struct Program(PathBuf);

impl Program {
    /// The program at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// A command without input. Its standard error is this process's own: it
    /// is the engine's log.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.0);
        command
            .arg(subcommand)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }

    /// The error for a child that did not start.
    pub(crate) fn not_started(&self, err: &std::io::Error) -> Error {
        let error = match err.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => Error::new(
                Code::ToolMissing,
                format!("{} cannot be started.", self.0.display()),
            )
            .why("The package bootc-installer is missing or damaged.")
            .next("Install the package bootc-installer, or use another installation medium."),
            _ => Error::new(Code::Io, "The installer could not be started."),
        };
        error.detail(err.to_string())
    }
}

/// How the engine tells a failure where it answers with one object.
#[derive(Deserialize)]
pub(crate) struct Failed {
    pub(crate) error: Error,
}

/// What the engine answered; its own error when it told one.
pub(crate) fn answer<T: DeserializeOwned>(
    text: &str,
    neither: impl FnOnce(&str) -> Error,
) -> Result<T> {
    serde_json::from_str(text).map_err(|err| match serde_json::from_str(text) {
        Ok(Failed { error }) => error,
        Err(_) => neither(&err.to_string()),
    })
}

/// `--config` and `--image`, each where there is one.
pub(crate) fn image_args(config: Option<&Path>, image: Option<&str>) -> Vec<OsString> {
    let mut args: Vec<OsString> = Vec::new();
    if let Some(config) = config {
        args.extend(["--config".into(), config.into()]);
    }
    if let Some(image) = image {
        // With `=`: a reference that begins with a dash is no option.
        args.push(format!("--image={image}").into());
    }
    args
}

/// `--auth-fd` for a login that comes on [`AUTH_FD`].
pub(crate) fn auth_arg() -> OsString {
    format!("--auth-fd={AUTH_FD}").into()
}

/// The login's pipe as a descriptor of the child.
pub(crate) fn login_fd(login: Option<&Login>) -> Result<Option<FdMapping>> {
    login
        .map(|login| Ok(mapping(login.pipe()?, AUTH_FD)))
        .transpose()
}

/// `fd` as descriptor `number` of a child.
pub(crate) fn mapping(fd: OwnedFd, number: i32) -> FdMapping {
    FdMapping {
        parent_fd: fd,
        child_fd: number,
    }
}

/// Gives the child these descriptors besides the standard ones.
pub(crate) fn give(command: &mut Command, fds: Vec<FdMapping>) -> Result<()> {
    command.fd_mappings(fds).map(drop).map_err(|err| {
        Error::new(Code::Internal, "Descriptors cannot be handed over.").detail(err.to_string())
    })
}
