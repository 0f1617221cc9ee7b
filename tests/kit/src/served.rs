// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bringing images to a [`Registry`] and asking it what it serves.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::cmd::CommandExt;
use crate::registry::Registry;

/// The registry answers from the loopback interface; longer means it hangs.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// All forms in which a manifest is served as it is; without them a registry
/// may answer with a form of its own making, which has another digest.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

impl Registry {
    /// Copies an image (`oci:DIRECTORY:TAG`, as skopeo takes it) to
    /// `name:tag` of this registry, its digests unchanged.
    ///
    /// # Errors
    /// When skopeo is missing or fails.
    pub fn push(&self, source: &str, name: &str, tag: &str) -> Result<()> {
        apt::ensure(&["skopeo"])?;
        Command::new("skopeo")
            // skopeo's package only recommends the one with the policy file.
            .args(["--insecure-policy", "copy", "--quiet", "--preserve-digests"])
            .arg("--dest-tls-verify=false")
            .arg(source)
            .arg(format!("docker://{}/{name}:{tag}", self.host()))
            .run()
    }

    /// The digest of `name:tag` by the registry's own word, the header
    /// `Docker-Content-Digest` of the OCI distribution specification. For
    /// registries without TLS and login.
    ///
    /// # Errors
    /// When there is no such tag, or no answer within a minute.
    pub fn digest(&self, name: &str, tag: &str) -> Result<String> {
        let host = self.host();
        let what = format!("asking {host} for the digest of {name}:{tag}");
        let ask = || -> Result<String> {
            let mut stream = TcpStream::connect_timeout(&self.address(), ANSWER_LIMIT)?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            stream.set_write_timeout(Some(ANSWER_LIMIT))?;
            let request = format!(
                "HEAD /v2/{name}/manifests/{tag} HTTP/1.1\r\nHost: {host}\r\n\
                 Accept: {MANIFESTS}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask()
            .and_then(|answer| digest_of(&answer).map(str::to_owned))
            .context(what)
    }
}

/// The digest in the head of an HTTP answer.
fn digest_of(answer: &str) -> Result<&str> {
    let mut lines = answer.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("it answers {status:?}");
    }
    lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("docker-content-digest"))
        .map(|(_, value)| value.trim())
        .context("its answer has no Docker-Content-Digest")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::registry;

    #[test]
    fn the_digest_is_read_from_the_head_only() {
        let table = [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nDocker-Content-Digest: sha256:0a\r\n\r\n",
                Ok("sha256:0a"),
            ),
            (
                "HTTP/1.1 200 OK\r\ndocker-content-digest:sha256:0b\r\n\r\n",
                Ok("sha256:0b"),
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\nDocker-Content-Digest: sha256:0c\r\n",
                Err("no Docker-Content-Digest"),
            ),
            (
                "HTTP/1.1 404 Not Found\r\nDocker-Content-Digest: sha256:0d\r\n\r\n",
                Err("404 Not Found"),
            ),
            ("", Err("it answers")),
        ];
        for (answer, want) in table {
            match (digest_of(answer), want) {
                (Ok(digest), Ok(want)) => assert_eq!(digest, want),
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
                (got, want) => panic!("{answer:?}: {got:?} instead of {want:?}"),
            }
        }
    }

    #[test]
    fn a_tag_that_is_not_there_is_an_error() {
        if !registry::available() {
            return;
        }
        let registry = Registry::start().unwrap();
        let error = registry.digest("os/none", "v1").unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("os/none:v1") && text.contains("404"),
            "{text}"
        );
    }
}
