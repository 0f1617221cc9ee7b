// SPDX-License-Identifier: MIT OR Apache-2.0
//! What follows the deployment: records, first configuration, the boot loader
//! and the sealing of the file system.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::Engine;
use serde_json::json;

use crate::cli::Bootloader;
use crate::process::CommandExt;
use crate::say;

/// What `.bootc-aleph.json` records about the first installation.
#[derive(Debug)]
pub(crate) struct Aleph<'a> {
    pub(crate) source: &'a str,
    pub(crate) target: &'a str,
    pub(crate) digest: &'a str,
    pub(crate) config: &'a serde_json::Value,
    pub(crate) kernel: &'a str,
}

/// Writes the aleph file into the target's root.
pub(crate) fn write_aleph(root: &Path, aleph: &Aleph<'_>) -> Result<()> {
    let text = serde_json::to_string(&aleph_json(aleph)).context("Serializing aleph")?;
    fs::write(root.join(".bootc-aleph.json"), text).context("Writing aleph version")
}

fn aleph_json(aleph: &Aleph<'_>) -> serde_json::Value {
    let labels = &aleph.config["config"]["Labels"];
    json!({
        "digest": aleph.digest,
        "image": aleph.source,
        "target-image": aleph.target,
        "labels": labels,
        "version": labels["org.opencontainers.image.version"],
        "timestamp": aleph.config["created"],
        "kernel": aleph.kernel,
        "selinux": "disabled",
    })
}

/// A separate /boot gets its line; the image's fstab is replaced.
pub(crate) fn write_fstab(deployment: &Path, boot_spec: &str) -> Result<()> {
    fs::write(
        deployment.join("etc/fstab"),
        format!("{boot_spec} /boot auto ro 0 0\n"),
    )
    .context("Writing fstab")
}

/// Lets systemd-tmpfiles put root's public keys in place at boot.
pub(crate) fn write_root_keys(deployment: &Path, keys: &Path) -> Result<()> {
    let keys = fs::read(keys).with_context(|| format!("Reading {}", keys.display()))?;
    let dir = deployment.join("etc/tmpfiles.d");
    fs::create_dir_all(&dir).context("Creating etc/tmpfiles.d")?;
    fs::write(dir.join("bootc-root-ssh.conf"), root_keys_conf(&keys)).context("Writing tmpfiles.d")
}

fn root_keys_conf(keys: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(keys);
    format!(
        "d /root/.ssh 0700 root root - -\n\
         f~ /root/.ssh/authorized_keys 0600 root root - {encoded}\n"
    )
}

/// The boot loader step. Everything but `none` needs bootupd, which Debian
/// does not have; as in bootc that shows only here, after the deployment.
pub(crate) fn install_bootloader(choice: Option<Bootloader>) -> Result<()> {
    let bootupd =
        Path::new("/usr/bin/bootupctl").exists() && Path::new("/usr/lib/bootupd/updates").exists();
    let default = if bootupd {
        Bootloader::Grub
    } else {
        Bootloader::Systemd
    };
    let choice = choice.unwrap_or(default);
    let name = match choice {
        Bootloader::Grub => "grub",
        Bootloader::GrubCc => "grub-cc",
        Bootloader::Systemd => "systemd",
        Bootloader::None => "none",
    };
    say(&format!("Bootloader: {name}"));
    match choice {
        Bootloader::None => Ok(()),
        Bootloader::Systemd => bail!("bootupd is required for ostree-based installs"),
        Bootloader::Grub | Bootloader::GrubCc => {
            say("Installing bootloader via bootupd");
            Command::new("bootupctl")
                .args(["backend", "install", "--help"])
                .output()
                .context("Probing bootupd --filesystem support")
                .context("Installing bootloader")?;
            bail!("the stand-in cannot drive bootupd")
        }
    }
}

/// Trims the file system and makes it read-only, with everything on disk.
pub(crate) fn finalize(name: &str, root: &Path) -> Result<()> {
    say(&format!("Trimming {name}"));
    let trimmed = Command::new("fstrim")
        .args(["--quiet-unsupported", "-v", "."])
        .current_dir(root)
        .read()?;
    if !trimmed.trim().is_empty() {
        say(trimmed.trim());
    }
    say(&format!("Finalizing filesystem {name}"));
    Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(root)
        .run()?;
    for step in ["-f", "-u"] {
        Command::new("fsfreeze").arg(step).arg(root).run()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aleph_has_both_references() {
        let config = json!({
            "created": "2026-01-01T00:00:00Z",
            "config": {"Labels": {"org.opencontainers.image.version": "forky.v1"}},
        });
        let aleph = Aleph {
            source: "/run/oci:v1",
            target: "h/i:v1",
            digest: "sha256:0",
            config: &config,
            kernel: "7.2",
        };
        let json = aleph_json(&aleph);
        assert_eq!(json["image"], "/run/oci:v1");
        assert_eq!(json["target-image"], "h/i:v1");
        assert_eq!(json["version"], "forky.v1");
        assert_eq!(json["timestamp"], "2026-01-01T00:00:00Z");
    }

    #[test]
    fn root_keys_are_a_tmpfiles_line() {
        assert!(root_keys_conf(b"ssh-ed25519 A\n").ends_with("- c3NoLWVkMjU1MTkgQQo=\n"));
    }
}
