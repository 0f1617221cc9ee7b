// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image's `skopeo experimental-image-proxy`, as far as bootc's first question
//! to it: may this image be used? It is the same call that the real bootc makes,
//! so that the policy of the root that this runs in counts.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use nix::unistd::{AccessFlags, access};
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

/// Lets programs write to /etc/containers, as bootc does it before it asks skopeo
/// for anything (`install/osbuild.rs`): where it cannot, an overlay comes over it,
/// and with that what is mounted on files in it is not seen any more.
///
/// # Errors
/// When mount(8) fails.
pub(crate) fn writable_configuration() -> Result<()> {
    let place = Path::new("/etc/containers");
    if !place.try_exists()? || access(place, AccessFlags::W_OK).is_ok() {
        return Ok(());
    }
    let upper = Path::new("/tmp/etc-ovl");
    for dir in ["upper", "work"] {
        fs::create_dir_all(upper.join(dir)).context("making directories for an overlay")?;
    }
    let status = Command::new("mount")
        .args(["-t", "overlay", "overlay", "-o"])
        .arg("lowerdir=/etc/containers,upperdir=etc-ovl/upper,workdir=etc-ovl/work")
        .arg(place)
        .current_dir("/tmp")
        .status()
        .context("starting mount")?;
    if !status.success() {
        bail!("mounting an overlay on {}: {status}", place.display());
    }
    Ok(())
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
