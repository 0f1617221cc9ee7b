// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running live-build: what decides its result, and its directory.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::embed::Image;
use super::files::Files;
use super::lb::{self, Said};
use super::root::Shell;
use super::tree;
use super::work::Work;
use host::cancel::Cancel;

use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::mirror::{self, Reach};
use crate::preflight;
use crate::progress::{Progress, Sink};
use crate::sbom::{Hashes, Package};

/// live-build's own directory in the work directory.
pub(super) const LB: &str = "lb";
/// Its configuration.
pub(super) const CONFIG: &str = "lb/config";

/// What debootstrap writes while it unpacks, in there.
const DEBOOTSTRAP_LOG: &str = "chroot/debootstrap/debootstrap.log";

/// What decides the result.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    /// The distro.
    pub(super) distro: &'a Distro,
    /// Its live-build tree.
    pub(super) tree: &'a Files,
    /// Packages that are not in the archive, ours and the distro's.
    pub(super) debs: &'a [PathBuf],
    /// The state of the archive.
    pub(super) mirror: &'a mirror::ArchiveState,
    /// `SOURCE_DATE_EPOCH`.
    pub(super) epoch: u64,
    /// What decides the root in which it is made.
    pub(super) root_key: &'a str,
    /// How mirrors are reached.
    pub(super) reach: &'a Reach,
    /// The images that go onto the medium.
    pub(super) embedded: &'a [Image],
    /// Packages whose boot loaders are on the medium.
    pub(super) loaders: &'a [Package],
    /// Name and version of every package of the root in which it is made.
    pub(super) tools: &'a [(String, String)],
    /// Of the packages of the archives.
    pub(super) hashes: &'a Hashes,
}

impl Inputs<'_> {
    /// The key of the live system below the product's layer.
    pub(super) fn chroot_key(&self) -> Result<String> {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.mirror.key.as_bytes());
        part(&self.epoch.to_le_bytes());
        part(self.root_key.as_bytes());
        for option in lb::chroot_options(self.distro) {
            part(option.as_bytes());
        }
        part(tree::chroot_part(self.tree).digest().as_bytes());
        for deb in self.debs {
            part(deb.file_name().unwrap_or_default().as_encoded_bytes());
            part(&fs::read(deb).map_err(|err| Error::io("Reading", deb, &err))?);
        }
        let digest = hash.finalize();
        Ok(digest.iter().take(16).map(|b| format!("{b:02x}")).collect())
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            ("SOURCE_DATE_EPOCH".to_owned(), self.epoch.to_string()),
            ("MKSQUASHFS_OPTIONS".to_owned(), lb::MKSQUASHFS.to_owned()),
        ];
        if let Some(proxy) = &self.reach.proxy {
            environment.push(("http_proxy".to_owned(), proxy.clone()));
        }
        environment
    }
}

/// Where live-build works, and on what.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    /// With its tools.
    pub(super) root: &'a dyn Shell,
    /// With its directory.
    pub(super) work: &'a Work,
    /// Ends it early.
    pub(super) stop: &'a Cancel,
    /// On what.
    pub(super) inputs: Inputs<'a>,
}

impl Bench<'_> {
    /// live-build's own configuration, made anew by a line of `lb config`.
    ///
    /// # Errors
    /// As [`Bench::run`].
    pub(super) fn configure(&self, line: &str, progress: &mut Progress) -> Result<()> {
        self.work.remove(CONFIG)?;
        self.lb(&[line], progress)
    }

    /// Writes files of the tree.
    ///
    /// # Errors
    /// `IO` or `DISK_FULL`.
    pub(super) fn put_tree(&self, files: &Files) -> Result<()> {
        files.write_to(&self.work.path(CONFIG))
    }

    /// Copies the packages that are not in the archive.
    ///
    /// # Errors
    /// `IO` or `DISK_FULL`.
    pub(super) fn put_debs(&self) -> Result<()> {
        let dir = self.work.path(CONFIG).join("packages.chroot");
        fs::create_dir_all(&dir).map_err(|err| Error::io("Making", &dir, &err))?;
        for deb in self.inputs.debs {
            let to = dir.join(deb.file_name().unwrap_or_default());
            fs::copy(deb, &to).map_err(|err| Error::io("Writing", &to, &err))?;
        }
        Ok(())
    }

    /// Runs lines in live-build's directory.
    ///
    /// # Errors
    /// As [`Bench::run`].
    pub(super) fn lb(&self, lines: &[&str], progress: &mut Progress) -> Result<()> {
        let directory = format!("cd {LB}");
        let mut all = vec![directory.as_str()];
        all.extend(lines);
        self.run(&all, progress)
    }

    /// Runs lines in the work directory.
    ///
    /// # Errors
    /// `BUILD_FAILED` and what [`lb::failure`] makes of it, `INTERRUPTED`, `IO`.
    pub(super) fn run(&self, lines: &[&str], progress: &mut Progress) -> Result<()> {
        let environment = self.inputs.environment();
        let lines = lines.join("; ");
        let mut sink = Telling(progress);
        let outcome = self
            .root
            .run(self.work.dir(), &lines, &environment, &mut sink, self.stop)?;
        if outcome.success() {
            return Ok(());
        }
        let mut last = outcome.last;
        // debootstrap says there why it failed, and removes it otherwise.
        let log = self.work.path(LB).join(DEBOOTSTRAP_LOG);
        if let Ok(bytes) = fs::read(log) {
            let text = String::from_utf8_lossy(&bytes);
            last.extend(text.lines().map(str::to_owned));
        }
        let error = lb::failure(&last);
        // On a full disk not even that can be written.
        let error = match error.code {
            Code::BuildFailed if preflight::is_full(self.work.dir()) => {
                lb::disk_full(error.details)
            }
            _ => error,
        };
        Err(match progress.log() {
            Some(log) if error.code == Code::BuildFailed => {
                let next = format!("Everything that was written is in {}.", log.display());
                error.next(next)
            }
            _ => error,
        })
    }
}

/// Tells people what live-build is at.
struct Telling<'a>(&'a mut Progress);

impl Sink for Telling<'_> {
    fn line(&mut self, line: &str) {
        self.0.line(line);
        match lb::said(line) {
            Said::Stage(stage) => {
                if let Some(name) = lb::stage_name(stage) {
                    self.0.at(name);
                }
            }
            Said::Package(name) => self.0.at(name),
            Said::Error(_) | Said::Other => {}
        }
    }
}

/// The path of the ISO that live-build leaves.
pub(super) fn iso(work: &Work) -> PathBuf {
    work.path(LB).join(lb::ISO)
}

/// dpkg's list of what is in the live system.
pub(super) fn dpkg_status(work: &Work) -> PathBuf {
    work.path(LB).join(Path::new("chroot/var/lib/dpkg/status"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_input_decides_the_live_system() {
        let dir = tempfile::tempdir().unwrap();
        let deb = dir.path().join("a_1_all.deb");
        fs::write(&deb, "1").unwrap();
        let distro = Distro::default();
        let tree = tree::tree(&distro).unwrap();
        let mirror = mirror::ArchiveState {
            key: "m".into(),
            epoch: 1,
        };
        let debs = [deb.clone()];
        let (direct, hashes) = (Reach::default(), Hashes::default());
        let inputs = || Inputs {
            distro: &distro,
            tree: &tree,
            debs: &debs,
            mirror: &mirror,
            epoch: 1,
            root_key: "r",
            reach: &direct,
            embedded: &[],
            loaders: &[],
            tools: &[],
            hashes: &hashes,
        };
        let key = inputs().chroot_key().unwrap();
        let mut later = inputs();
        later.epoch = 2;
        assert_ne!(later.chroot_key().unwrap(), key);
        let newer = mirror::ArchiveState {
            key: "n".into(),
            epoch: 1,
        };
        let mut other = inputs();
        other.mirror = &newer;
        assert_ne!(other.chroot_key().unwrap(), key);
        let mut elsewhere = inputs();
        elsewhere.root_key = "s";
        assert_ne!(elsewhere.chroot_key().unwrap(), key);
        // A proxy only says how to get there.
        let proxy = Reach {
            proxy: Some("http://p".into()),
            options: Vec::new(),
        };
        let mut through = inputs();
        through.reach = &proxy;
        assert_eq!(through.chroot_key().unwrap(), key);
        fs::write(&deb, "2").unwrap();
        assert_ne!(inputs().chroot_key().unwrap(), key);
    }
}
