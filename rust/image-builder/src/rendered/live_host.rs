// SPDX-License-Identifier: MIT OR Apache-2.0
//! An Ignition configuration for a live host, such as Fedora CoreOS started from
//! its live medium: one unit that runs the image's own `bootc install to-disk`
//! through podman. See <https://bootc-dev.github.io/bootc/bootc-install.html>.
//!
//! People and keys are of the live host, for whoever watches; the installed
//! system has what the image brings. What bootc cannot do for it is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conf::Rendering;
use contract::customise_plan::UserPlan;
use contract::disk_plan::DiskFs;
use contract::plan::{BootloaderChoice, Plan};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::host_file::HostFile;
use crate::disk::wish::Layout;
use crate::error::{Code, Error, Result};

/// The unit.
const UNIT: &str = "bootc-install.service";
/// Root's keys of the installed system, on the live host.
const ROOT_KEYS: &str = "/etc/bootc-install/root-keys";
/// The same in the container.
const ROOT_KEYS_INSIDE: &str = "/run/bootc-install/root-keys";
/// Where podman finds logins, as bootc and ostree do.
const AUTH: &str = "/etc/ostree/auth.json";
/// Where files for the network go, by their ends.
const NETWORK: [(&str, &str, u32); 4] = [
    (".network", "/etc/systemd/network", 0o644),
    (".netdev", "/etc/systemd/network", 0o644),
    (".link", "/etc/systemd/network", 0o644),
    // It may have passwords in it, and is passed over when others can read it.
    (
        ".nmconnection",
        "/etc/NetworkManager/system-connections",
        0o600,
    ),
];

/// What a configuration is made of.
#[derive(Debug)]
pub(super) struct LiveHost<'a> {
    /// Of the specification.
    pub(super) version: &'a str,
    /// Image, registries, kernel arguments; people.
    pub(super) plan: &'a Plan,
    /// What else bootc.conf says.
    pub(super) options: &'a Rendering,
    /// The disk that is overwritten.
    pub(super) disk: &'a str,
    /// Of the root.
    pub(super) filesystem: DiskFs,
    /// Sizes that a blueprint wishes, which must be none.
    pub(super) layout: &'a Layout,
    /// Logins, which are written into the file.
    pub(super) auth: Option<&'a SecretString>,
    /// How registries are reached.
    pub(super) reaching: &'a [HostFile],
}

impl LiveHost<'_> {
    /// The text; a secret when there are logins or hashes in it.
    ///
    /// # Errors
    /// `CONFIG_INVALID` for what neither Ignition nor bootc can do.
    pub(super) fn text(&self) -> Result<Zeroizing<String>> {
        self.refuse()?;
        let deployment = &self.plan.deployment;
        let mut files = self.reaching.to_vec();
        files.extend(self.auth.map(|auth| {
            let bytes = auth.expose_secret().as_bytes().to_vec();
            HostFile::of_root(AUTH, 0o600, bytes)
        }));
        let keys = self.root_keys();
        if !keys.is_empty() {
            let text = keys.join("\n") + "\n";
            files.push(HostFile::of_root(ROOT_KEYS, 0o600, text.into_bytes()));
        }
        for path in &self.options.ignition.network_units {
            let name = name_of(path);
            let known = NETWORK.iter().find(|(end, ..)| name.ends_with(end));
            let Some((_, dir, mode)) = known else {
                return Err(invalid(format!("{} is no file for a network.", path.display()))
                    .why("systemd-networkd and NetworkManager know files by the ends of their names.")
                    .next("Name a .network, .netdev, .link or .nmconnection file."));
            };
            files.push(HostFile::of_root(
                format!("{dir}/{name}"),
                *mode,
                read(path)?,
            ));
        }
        let mut units = vec![json!({
            "name": UNIT,
            "enabled": true,
            "contents": self.unit(!keys.is_empty())?,
        })];
        for path in &self.options.ignition.additional_units {
            let contents = String::from_utf8(read(path)?)
                .map_err(|_| invalid(format!("{} is no text.", path.display())))?;
            units.push(json!({ "name": name_of(path), "enabled": true, "contents": contents }));
        }
        let mut config = json!({
            "ignition": { "version": self.version },
            "systemd": { "units": units },
        });
        if !files.is_empty() {
            let files: Vec<_> = files.iter().map(file).collect();
            config["storage"] = json!({ "files": files });
        }
        let mut users: Vec<_> = deployment.users.iter().map(user).collect();
        if !deployment.root_ssh_keys.is_empty() {
            users.push(json!({
                "name": "root",
                "sshAuthorizedKeys": deployment.root_ssh_keys,
            }));
        }
        if !users.is_empty() {
            config["passwd"] = json!({ "users": users });
        }
        let text = Zeroizing::new(format!("{config:#}\n"));
        // By the schema of this very version.
        ignition::check(text.as_bytes())
            .map_err(|wrong| Error::new(Code::ConfigInvalid, wrong.what).next(wrong.next))?;
        Ok(text)
    }

    /// Keys with which root of the installed system can be reached.
    fn root_keys(&self) -> Vec<String> {
        let deployment = &self.plan.deployment;
        let root = deployment.users.iter().filter(|user| user.name == "root");
        let keys = root.flat_map(|user| user.ssh_authorized_keys.iter());
        keys.chain(&deployment.root_ssh_keys).cloned().collect()
    }

    fn unit(&self, root_keys: bool) -> Result<String> {
        let Plan { image, .. } = self.plan;
        let mut podman = vec![
            "/usr/bin/podman".to_owned(),
            "run".into(),
            "--rm".into(),
            "--privileged".into(),
            "--pid=host".into(),
            "--security-opt=label=type:unconfined_t".into(),
            "--volume=/dev:/dev".into(),
            "--volume=/var/lib/containers:/var/lib/containers".into(),
        ];
        if self.auth.is_some() {
            podman.push(format!("--authfile={AUTH}"));
        }
        if root_keys {
            podman.push(format!("--volume={ROOT_KEYS}:{ROOT_KEYS_INSIDE}:ro"));
        }
        podman.push(image.imgref.to_string());
        podman.extend(self.bootc(root_keys));
        let words: Result<Vec<_>> = podman.iter().map(|word| unit_word(word)).collect();
        Ok(format!(
            "[Unit]\n\
             Description=Install {} onto {}\n\
             Wants=network-online.target\n\
             After=network-online.target\n\
             \n\
             [Service]\n\
             Type=oneshot\n\
             RemainAfterExit=yes\n\
             StandardOutput=journal+console\n\
             StandardError=journal+console\n\
             ExecStart={}\n\
             \n\
             [Install]\n\
             WantedBy=multi-user.target\n",
            unit_text(&image.imgref.to_string())?,
            unit_text(self.disk)?,
            words?.join(" ")
        ))
    }

    /// The image's own words.
    fn bootc(&self, root_keys: bool) -> Vec<String> {
        let Plan { image, bootc, .. } = self.plan;
        let mut words = vec![
            "bootc".to_owned(),
            "install".into(),
            "to-disk".into(),
            // The disk was named for it.
            "--wipe".into(),
            format!("--filesystem={}", self.filesystem),
            format!("--stateroot={}", bootc.stateroot),
            format!("--target-imgref={}", image.origin()),
        ];
        match bootc.bootloader {
            BootloaderChoice::Auto => {}
            BootloaderChoice::Grub => words.push("--bootloader=grub".into()),
            BootloaderChoice::None => words.push("--bootloader=none".into()),
            BootloaderChoice::Systemd => {
                words.extend(["--composefs-backend", "--bootloader=systemd"].map(Into::into))
            }
        }
        words.extend(bootc.kargs.iter().map(|karg| format!("--karg={karg}")));
        let gone = bootc.kargs_delete.iter();
        words.extend(gone.map(|karg| format!("--karg-delete={karg}")));
        words.extend(
            bootc
                .enforce_sigpolicy
                .then(|| "--enforce-container-sigpolicy".into()),
        );
        words.extend(bootc.disable_selinux.then(|| "--disable-selinux".into()));
        words.extend(root_keys.then(|| format!("--root-ssh-authorized-keys={ROOT_KEYS_INSIDE}")));
        words.push(self.disk.into());
        words
    }

    /// What bootc on a live host does not do for the installed system.
    fn refuse(&self) -> Result<()> {
        let Plan {
            image, deployment, ..
        } = self.plan;
        let keys = self
            .plan
            .registries
            .iter()
            .any(|r| !r.signature_keys.is_empty());
        if keys && !image.no_signature_verification {
            return Err(
                invalid("A live host cannot demand a signature of the image.".into())
                    .why("podman there knows no public keys, and `signatureKeys` asks for some.")
                    .next("Leave `signatureKeys` out, or install from the medium, which verifies."),
            );
        }
        let sizes = *self.layout
            != Layout {
                root_fs: self.layout.root_fs,
                ..Layout::default()
            };
        for (what, wished) in [
            ("a name of the machine", deployment.hostname.is_some()),
            ("files, directories or groups", !deployment.files.is_empty()),
            ("services", !deployment.units.is_empty()),
            ("sizes or partitions", sizes),
        ] {
            if wished {
                return Err(invalid(format!(
                    "`bootc install to-disk` cannot give the installed system {what}."
                ))
                .why("It lays the disk out itself, and installs the image as it is.")
                .next("Put it into the image, or take --type raw or kickstart."));
            }
        }
        if deployment.updates.is_some() {
            return Err(
                invalid("`bootc install to-disk` cannot switch updates on or off.".into())
                    .next("Enable bootc-fetch-apply-updates.timer in the image."),
            );
        }
        Ok(())
    }
}

fn file(file: &HostFile) -> Value {
    let source = format!("data:;base64,{}", STANDARD.encode(&file.contents));
    json!({
        "path": file.path,
        "mode": file.mode,
        "overwrite": true,
        "contents": { "source": source },
    })
}

fn user(user: &UserPlan) -> Value {
    let mut value = json!({ "name": user.name });
    if let Some(hash) = &user.password_hash {
        value["passwordHash"] = hash.expose().into();
    }
    if !user.groups.is_empty() {
        value["groups"] = json!(user.groups);
    }
    if !user.ssh_authorized_keys.is_empty() {
        value["sshAuthorizedKeys"] = json!(user.ssh_authorized_keys);
    }
    if let Some(shell) = &user.shell {
        value["shell"] = shell.as_str().into();
    }
    value
}

/// A word of ExecStart= as systemd reads it (systemd.service(5)).
fn unit_word(word: &str) -> Result<String> {
    let text = unit_text(word)?.replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%$".contains(c);
    match text.chars().all(plain) {
        true => Ok(text),
        false => Ok(format!(
            "\"{}\"",
            text.replace('\\', r"\\").replace('"', r#"\""#)
        )),
    }
}

/// A text without specifiers (systemd.unit(5)).
fn unit_text(text: &str) -> Result<String> {
    match text.contains(char::is_control) {
        true => Err(
            invalid("An end of line is in what is written as one.".into())
                .why("References, disks and kernel arguments are one line each."),
        ),
        false => Ok(text.replace('%', "%%")),
    }
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read(path: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|err| {
        invalid(format!("{} cannot be read.", path.display()))
            .why("`ignitionOptions` of bootc.conf names it.")
            .detail(err.to_string())
    })
}

fn invalid(what: String) -> Error {
    Error::new(Code::ConfigInvalid, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_those_that_systemd_reads() {
        for (word, expected) in [
            ("--karg=console=ttyS0,115200", "--karg=console=ttyS0,115200"),
            ("a b", "\"a b\""),
            ("50%", "50%%"),
            ("$HOME", "$$HOME"),
            ("a\"b\\c", r#""a\"b\\c""#),
            (";", "\";\""),
        ] {
            assert_eq!(unit_word(word).unwrap(), expected);
        }
        assert!(unit_word("a\nb").is_err());
    }
}
