// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was installed, as a look at the target's files tells.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The deployment on a target that is mounted on the host.
#[derive(Debug)]
pub struct Installed<'d> {
    deployment: PathBuf,
    mounted: Option<&'d failure::Disk>,
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        if let Some(disk) = self.mounted {
            disk.unmount();
        }
    }
}

impl<'d> Installed<'d> {
    /// Mounts a disk, read-only and for as long as this lives, and looks there.
    #[track_caller]
    pub fn on_disk(disk: &'d failure::Disk) -> Self {
        disk.mount("ro");
        let mut installed = Self::on(disk.path());
        installed.mounted = Some(disk);
        installed
    }

    /// Finds the one deployment of the stateroot `default`.
    ///
    /// # Panics
    /// When there is none, or more than one.
    #[track_caller]
    pub fn on(target: &Path) -> Self {
        let place = target.join("ostree/deploy/default/deploy");
        let entries = fs::read_dir(&place).unwrap_or_else(|e| panic!("{}: {e}", place.display()));
        let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.is_dir());
        assert_eq!(found.len(), 1, "deployments: {found:?}");
        Self {
            deployment: found.remove(0),
            mounted: None,
        }
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.deployment
    }

    /// A file in it; empty when it is not there.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.deployment.join(path)).unwrap_or_default()
    }

    /// The fields of an account in `/etc/passwd`.
    pub fn account(&self, login: &str) -> Option<Vec<String>> {
        entry(&self.read("etc/passwd"), login)
    }

    /// Whether this is the account's password, by the hash in `/etc/shadow`.
    pub fn has_password(&self, login: &str, password: &str) -> bool {
        let shadow = self.read("etc/shadow");
        let Some(fields) = entry(&shadow, login) else {
            return false;
        };
        hashes_to(password, &fields[1])
    }

    /// The name in `/etc/hostname`.
    pub fn hostname(&self) -> String {
        self.read("etc/hostname").trim().to_owned()
    }

    /// `LANG` of `/etc/locale.conf` or `/etc/default/locale`.
    pub fn locale(&self) -> Option<String> {
        ["etc/locale.conf", "etc/default/locale"]
            .iter()
            .find_map(|file| assignment(&self.read(file), "LANG"))
    }

    /// The locale of numbers and dates: `LC_TIME`, of the same file.
    pub fn formats(&self) -> Option<String> {
        ["etc/locale.conf", "etc/default/locale"]
            .iter()
            .find_map(|file| assignment(&self.read(file), "LC_TIME"))
    }

    /// `KEYMAP` of `/etc/vconsole.conf`.
    pub fn keymap(&self) -> Option<String> {
        assignment(&self.read("etc/vconsole.conf"), "KEYMAP")
    }

    /// `XKBLAYOUT` of `/etc/default/keyboard`.
    pub fn layout(&self) -> Option<String> {
        assignment(&self.read("etc/default/keyboard"), "XKBLAYOUT")
    }

    /// The zone that `/etc/localtime` links to.
    pub fn timezone(&self) -> Option<String> {
        let link = fs::read_link(self.deployment.join("etc/localtime")).ok()?;
        let link = link.to_str()?;
        Some(link.split_once("zoneinfo/")?.1.to_owned())
    }

    /// The entries of `/etc/fstab`, a list of fields each.
    pub fn fstab(&self) -> Vec<Vec<String>> {
        fields(&self.read("etc/fstab"))
    }
}

fn entry(table: &str, login: &str) -> Option<Vec<String>> {
    table
        .lines()
        .map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>())
        .find(|fields| fields[0] == login)
}

/// The value of `name=value` or `name="value"` in a shell-like file.
fn assignment(text: &str, name: &str) -> Option<String> {
    let value = text
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .find(|(key, _)| *key == name)?
        .1;
    Some(value.trim_matches('"').to_owned())
}

fn fields(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// crypt(3) by perl, which every Debian system has.
fn hashes_to(password: &str, hash: &str) -> bool {
    if !hash.starts_with('$') {
        return false;
    }
    let program = r"my @l = <STDIN>; chomp @l; exit(crypt($l[0], $l[1]) ne $l[1])";
    let mut perl = Command::new("perl")
        .args(["-e", program])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Dropped at once, so that it ends.
    let mut input = perl.stdin.take().unwrap();
    writeln!(input, "{password}\n{hash}").unwrap();
    drop(input);
    perl.wait().unwrap().success()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_read_from_its_files() {
        let target = tempfile::tempdir().unwrap();
        let etc = target.path().join("ostree/deploy/default/deploy/abc.0/etc");
        fs::create_dir_all(&etc).unwrap();
        fs::write(
            target
                .path()
                .join("ostree/deploy/default/deploy/abc.0.origin"),
            "",
        )
        .unwrap();
        let files = [
            (
                "passwd",
                "root:x:0:0::/root:/bin/sh\nada:x:1000:1000:Ada,,,:/home/ada:/bin/bash\n",
            ),
            // openssl passwd -6 -salt salt secret
            (
                "shadow",
                "root:*:1::::::\nada:$6$salt$egUqe51w/HS35DbWDrYVzPmbuwFmnmnq2WUMVvFmSFz9KjXYjj3LQcAkcxZC0IBCDQoMzyeDK7FPnvsqh5PvZ1:20000:0:99999:7:::\n",
            ),
            ("hostname", "engine\n"),
            ("locale.conf", "# made by x\nLANG=de_DE.UTF-8\n"),
            ("vconsole.conf", "KEYMAP=\"de\"\n"),
            ("fstab", "# <file system>\nUUID=1 /boot ext4 defaults 0 2\n"),
        ];
        for (name, content) in files {
            fs::write(etc.join(name), content).unwrap();
        }
        std::os::unix::fs::symlink("../usr/share/zoneinfo/Europe/Berlin", etc.join("localtime"))
            .unwrap();
        let installed = Installed::on(target.path());
        assert_eq!(installed.account("ada").unwrap()[5], "/home/ada");
        assert_eq!(installed.account("bob"), None);
        assert!(!installed.has_password("ada", "other"));
        assert!(!installed.has_password("root", "*"));
        assert_eq!(installed.hostname(), "engine");
        assert_eq!(installed.locale().as_deref(), Some("de_DE.UTF-8"));
        assert_eq!(installed.keymap().as_deref(), Some("de"));
        assert_eq!(installed.layout(), None);
        assert_eq!(installed.timezone().as_deref(), Some("Europe/Berlin"));
        assert_eq!(installed.fstab()[0][1], "/boot");
    }

    #[test]
    fn a_hash_is_checked_as_the_system_does() {
        let output = Command::new("perl")
            .args(["-e", "print crypt('grün 9', '$6$saltsalt$')"])
            .output()
            .unwrap();
        let hash = String::from_utf8(output.stdout).unwrap();
        assert!(hashes_to("grün 9", &hash));
        assert!(!hashes_to("grün 8", &hash));
    }
}
