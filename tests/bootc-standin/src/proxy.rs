// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image's `skopeo experimental-image-proxy`, as far as bootc's first question
//! to it: may this image be used? It is the same call that the real bootc makes,
//! so that the policy of the root that this runs in counts.

use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use serde::Deserialize;
use serde_json::json;

/// Largest answer; the proxy's own limit.
const ANSWER_MAX: usize = 32 * 1024;

#[derive(Debug, Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    error: String,
}

/// Opens an image and closes it again.
///
/// # Errors
/// What the proxy says, for example that a policy rejects the image.
pub(crate) fn open_image(name: &str) -> Result<()> {
    let (ours, theirs) = socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .context("making a socket for skopeo")?;
    let mut proxy = Command::new("skopeo")
        .arg("experimental-image-proxy")
        // Where it serves unless it is told another descriptor.
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()
        .context("starting skopeo experimental-image-proxy")?;
    let answered = ask(&ours, "Initialize", &[]).and_then(|()| ask(&ours, "OpenImage", &[name]));
    // Closed, which is its end.
    drop(ours);
    proxy.wait().context("waiting for skopeo")?;
    answered
}

fn ask(socket: &OwnedFd, method: &str, args: &[&str]) -> Result<()> {
    let question = serde_json::to_vec(&json!({"method": method, "args": args}))?;
    send(socket.as_raw_fd(), &question, MsgFlags::MSG_NOSIGNAL)
        .with_context(|| format!("asking skopeo for {method}"))?;
    let mut answer = vec![0; ANSWER_MAX];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())
        .with_context(|| format!("reading skopeo's answer to {method}"))?;
    if length == 0 {
        bail!("skopeo ended without an answer to {method}");
    }
    let answer: Answer = serde_json::from_slice(&answer[..length])
        .with_context(|| format!("skopeo's answer to {method}"))?;
    match answer.success {
        true => Ok(()),
        false => Err(anyhow!("{}", answer.error)),
    }
}
