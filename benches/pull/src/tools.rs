// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tools that are compared, as commands.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::own;
use crate::peers::Peers;

/// Who pulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tool {
    /// This project's puller, into an OCI layout.
    Ours,
    /// The same, and the image unpacked beside it, as the engine does.
    OursRoot,
    /// `skopeo copy`, into an OCI layout.
    Skopeo,
    /// The same with `--retry-times 10`.
    SkopeoRetries,
    /// `podman pull`, into a storage of its own (overlay).
    Podman,
}

/// One pull.
#[derive(Debug, Clone)]
pub(crate) struct Pull<'a> {
    /// `host:port/name:tag`
    pub(crate) reference: &'a str,
    /// An empty directory for what it makes.
    pub(crate) dir: &'a Path,
    /// The registry speaks TLS, with a certificate of the authority whose PEM
    /// file `ca.crt` is in this directory.
    pub(crate) tls: Option<&'a Path>,
    /// Who the other tools are.
    pub(crate) peers: &'a Peers,
}

impl Tool {
    /// Its name in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Tool::Ours => "ours",
            Tool::OursRoot => "ours, with the root unpacked",
            Tool::Skopeo => "skopeo copy",
            Tool::SkopeoRetries => "skopeo copy --retry-times 10",
            Tool::Podman => "podman pull",
        }
    }

    /// The command line.
    pub(crate) fn argv(self, pull: &Pull<'_>) -> Result<Vec<OsString>> {
        let mut argv = Argv::default();
        match self {
            Tool::Ours | Tool::OursRoot => {
                argv.add(std::env::current_exe().context("finding the bench's own program")?);
                argv.add(own::NAME).add(pull.reference).add(pull.dir);
                match pull.tls {
                    Some(dir) => argv.add("--ca").add(dir.join("ca.crt")),
                    None => argv.add("--insecure"),
                };
                if self == Tool::OursRoot {
                    argv.add("--unpack");
                }
            }
            Tool::Skopeo | Tool::SkopeoRetries => {
                argv.0 = pull.peers.prefix(pull.dir);
                argv.add("skopeo").add("copy").add("--quiet");
                if self == Tool::SkopeoRetries {
                    argv.add("--retry-times").add("10");
                }
                match pull.tls {
                    Some(dir) => argv.add("--src-cert-dir").add(pull.peers.path(dir)),
                    None => argv.add("--src-tls-verify=false"),
                };
                argv.add(format!("docker://{}", pull.reference));
                let layout = pull.peers.path(&pull.dir.join("oci"));
                argv.add(format!("oci:{}:v1", layout.display()));
            }
            Tool::Podman => {
                let dir = pull.peers.path(pull.dir);
                argv.0 = pull.peers.prefix(pull.dir);
                argv.add("podman").add("--root").add(dir.join("graph"));
                argv.add("--runroot").add(dir.join("run"));
                argv.add("--storage-driver").add("overlay");
                argv.add("--cgroup-manager").add("cgroupfs");
                argv.add("--events-backend").add("none");
                argv.add("pull").add("--quiet");
                match pull.tls {
                    Some(certs) => argv.add("--cert-dir").add(pull.peers.path(certs)),
                    None => argv.add("--tls-verify=false"),
                };
                argv.add(pull.reference);
            }
        }
        Ok(argv.0)
    }
}

#[derive(Default)]
struct Argv(Vec<OsString>);

impl Argv {
    fn add(&mut self, word: impl Into<OsString>) -> &mut Self {
        self.0.push(word.into());
        self
    }
}

/// Programs that must be there.
pub(crate) const PROGRAMS: &[&str] = &[
    "docker-registry",
    "mkfs.ext4",
    "openssl",
    "podman",
    "skopeo",
    "unshare",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_tool_gets_the_same_image_and_trusts_only_what_it_must() {
        let peers = Peers::prepare(None, Path::new("/work")).unwrap();
        for tool in [
            Tool::Ours,
            Tool::OursRoot,
            Tool::Skopeo,
            Tool::SkopeoRetries,
            Tool::Podman,
        ] {
            for tls in [None, Some(Path::new("/certs"))] {
                let pull = Pull {
                    reference: "127.0.0.1:5000/os/pull:v1",
                    dir: Path::new("/work"),
                    tls,
                    peers: &peers,
                };
                let words: Vec<String> = tool
                    .argv(&pull)
                    .unwrap()
                    .into_iter()
                    .map(|word| word.into_string().unwrap())
                    .collect();
                let text = words.join(" ");
                assert!(text.contains(pull.reference), "{text}");
                assert!(text.contains("/work"), "{text}");
                let plain = text.contains("insecure") || text.contains("tls-verify=false");
                assert_eq!(plain, tls.is_none(), "{text}");
                assert_eq!(text.contains("/certs"), tls.is_some(), "{text}");
            }
        }
    }
}
