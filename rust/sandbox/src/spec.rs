// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a sandbox is made of, as it travels to the helper processes: one line
//! of JSON there, lines of JSON back.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use crate::scratch;

/// The root of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootKind {
    /// A directory.
    Directory(#[serde(with = "raw_path")] PathBuf),
    /// A squashfs or erofs file, mounted through a loop device.
    Image(#[serde(with = "raw_path")] PathBuf),
}

/// Everything the helper processes need to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) root: RootKind,
    pub(super) read_only: bool,
    pub(super) mounts: Vec<Mount>,
    pub(super) env: Vec<(OsString, OsString)>,
    /// Descriptors that stay open for the program.
    pub(super) keep: Vec<RawFd>,
    pub(super) action: Action,
}

/// What happens once everything is mounted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Action {
    /// Execute a program.
    Exec {
        /// Its arguments, the program first.
        argv: Vec<OsString>,
    },
    /// Look the root over with the program's own examiner.
    Examine,
}

/// One step of the mount table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Mount {
    Bind {
        #[serde(with = "raw_path")]
        from: PathBuf,
        #[serde(with = "raw_path")]
        to: PathBuf,
        recursive: bool,
        read_only: bool,
    },
    Tmpfs {
        #[serde(with = "raw_path")]
        to: PathBuf,
    },
    /// A directory of the root as a copy in memory; one that is not there stays
    /// away.
    Writable {
        #[serde(with = "raw_path")]
        to: PathBuf,
    },
    /// A procfs of the sandbox's own pid namespace.
    Proc {
        #[serde(with = "raw_path")]
        to: PathBuf,
    },
    File {
        #[serde(with = "raw_path")]
        to: PathBuf,
        bytes: Bytes,
        mode: u32,
    },
    ResolvConf,
}

impl Mount {
    fn binding(from: &Path, to: &Path, recursive: bool, read_only: bool) -> Self {
        Self::Bind {
            from: from.to_owned(),
            to: to.to_owned(),
            recursive,
            read_only,
        }
    }

    pub(super) fn bind(from: &Path, to: &Path) -> Self {
        Self::binding(from, to, false, false)
    }

    pub(super) fn bind_read_only(from: &Path, to: &Path) -> Self {
        Self::binding(from, to, false, true)
    }

    pub(super) fn rbind(from: &Path, to: &Path) -> Self {
        Self::binding(from, to, true, false)
    }
}

/// Contents of a file, which `Debug` does not show: they may be secret.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl Spec {
    pub(super) fn new(root: RootKind) -> Self {
        let read_only = matches!(root, RootKind::Image(_));
        let env = [
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ),
            ("HOME", "/root"),
            ("TMPDIR", "/var/tmp"),
            ("LC_ALL", "C.UTF-8"),
        ];
        Self {
            root,
            read_only,
            mounts: vec![
                Mount::Proc {
                    to: PathBuf::from("/proc"),
                },
                Mount::rbind(Path::new("/sys"), Path::new("/sys")),
                Mount::rbind(Path::new("/dev"), Path::new("/dev")),
            ],
            env: env.map(|(n, v)| (n.into(), v.into())).to_vec(),
            keep: Vec::new(),
            action: Action::Examine,
        }
    }

    pub(super) fn set_env(&mut self, name: OsString, value: OsString) {
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value));
    }

    pub(super) fn env(&self, name: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(other, _)| other == name)?;
        Some(&found.1)
    }

    /// This sandbox, to execute `argv`.
    pub(super) fn exec(&self, argv: Vec<OsString>) -> Result<Self> {
        if argv.is_empty() {
            return Err(Error::new(Code::Internal, "A sandbox has nothing to run."));
        }
        Ok(Self {
            action: Action::Exec { argv },
            keep: scratch::lifelines(),
            ..self.clone()
        })
    }

    /// This root, only to look at: nothing is mounted into it.
    pub(super) fn examine(&self) -> Self {
        Self {
            mounts: Vec::new(),
            read_only: true,
            keep: scratch::lifelines(),
            action: Action::Examine,
            ..self.clone()
        }
    }
}

/// What the helpers tell the engine, a line each.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// It could not be started; nothing more comes.
    Failed(Error),
    /// The program was executed.
    Started,
    /// The answer to [`Action::Examine`].
    Facts(serde_json::Value),
    /// The program has ended, and with it all of its children.
    Exited {
        code: Option<i32>,
        signal: Option<i32>,
    },
}

/// Paths byte for byte: serde's own form refuses paths that are not UTF-8.
mod raw_path {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        OsString::deserialize(from).map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn travels_unharmed_and_shows_no_file_contents() {
        let odd = Path::new(OsStr::from_bytes(b"/srv/\xff"));
        let mut spec = Spec::new(RootKind::Directory(odd.to_owned()));
        spec.mounts.push(Mount::File {
            to: PathBuf::from("/run/ostree/auth.json"),
            bytes: Bytes(b"hunter2".to_vec()),
            mode: 0o600,
        });
        assert!(!format!("{spec:?}").contains("hunter2"));
        let line = serde_json::to_string(&spec).unwrap();
        let back: Spec = serde_json::from_str(&line).unwrap();
        assert_eq!(back.root, RootKind::Directory(odd.to_owned()));
        assert!(matches!(&back.mounts[3], Mount::File { bytes, .. } if bytes.0 == b"hunter2"));
    }

    #[test]
    fn a_variable_has_one_value() {
        let mut spec = Spec::new(RootKind::Directory("/".into()));
        spec.set_env("LC_ALL".into(), "C".into());
        assert_eq!(spec.env("LC_ALL"), Some(OsStr::new("C")));
        assert_eq!(spec.env.iter().filter(|(n, _)| n == "LC_ALL").count(), 1);
    }
}
