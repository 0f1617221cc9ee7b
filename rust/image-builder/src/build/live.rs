// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running live-build: what of it is done again, and what is kept.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::embed;
use super::files::Files;
use super::layer;
use super::lb::{self, Said};
use super::root::{self, Root, WORK};
use super::tree;
use super::work::{State, Work};
use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::mirror;
use crate::preflight;
use crate::progress::Progress;
use crate::progress::Sink;
use crate::stop::Stop;

/// live-build's own directory in the work directory.
pub(super) const LB: &str = "lb";

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
    pub(super) mirror: &'a mirror::State,
    /// `SOURCE_DATE_EPOCH`.
    pub(super) epoch: u64,
    /// A proxy for apt.
    pub(super) proxy: Option<String>,
}

impl Inputs<'_> {
    /// The key of the live system below the product's layer.
    fn chroot_key(&self) -> Result<String> {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.mirror.key.as_bytes());
        part(&self.epoch.to_le_bytes());
        part(root::recipe().key().hex().as_bytes());
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
        if let Some(proxy) = &self.proxy {
            environment.push(("http_proxy".to_owned(), proxy.clone()));
        }
        environment
    }
}

/// Where live-build works.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    /// With its tools.
    pub(super) root: &'a Root,
    /// With its directory.
    pub(super) work: &'a Work,
    /// Ends it early.
    pub(super) stop: &'a Stop,
}

impl Bench<'_> {
    /// The live system in `lb/chroot`: found, or made.
    ///
    /// # Errors
    /// `BUILD_FAILED` and what [`lb::failure`] makes of it, `INTERRUPTED`, `IO`.
    pub(super) fn live_system(&self, inputs: &Inputs<'_>, progress: &mut Progress) -> Result<()> {
        let key = inputs.chroot_key()?;
        let state = self.work.state();
        if state.chroot.as_ref() == Some(&key) {
            progress.stage("live system: nothing changed");
            return Ok(());
        }
        progress.stage("live system");
        let bootstrap = Some(inputs.mirror.key.clone());
        let keep_bootstrap = state.bootstrap == bootstrap;
        // Not whole from here on.
        self.work.set_state(&State {
            bootstrap: state.bootstrap.filter(|_| keep_bootstrap),
            ..State::default()
        })?;
        self.start_anew(keep_bootstrap)?;
        self.configure(inputs, progress)?;
        self.put_tree(&tree::chroot_part(inputs.tree))?;
        self.put_debs(inputs)?;
        self.lb(inputs, "lb bootstrap; lb chroot", progress)?;
        self.work.set_state(&State {
            chroot: Some(key),
            bootstrap,
            squashfs: None,
        })
    }

    /// Removes everything but what was downloaded.
    fn start_anew(&self, keep_bootstrap: bool) -> Result<()> {
        let lb = self.work.path(LB);
        fs::create_dir_all(&lb).map_err(|err| Error::io("Making", &lb, &err))?;
        let failed = |err: std::io::Error| Error::io("Listing", &lb, &err);
        for entry in fs::read_dir(&lb).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if name != "cache" {
                self.work
                    .remove(&format!("{LB}/{}", name.to_string_lossy()))?;
            }
        }
        self.work.remove(&format!("{LB}/cache/binary_rootfs"))?;
        if !keep_bootstrap {
            self.work.remove(&format!("{LB}/cache/bootstrap"))?;
        }
        Ok(())
    }

    /// live-build's own configuration, made anew.
    fn configure(&self, inputs: &Inputs<'_>, progress: &mut Progress) -> Result<()> {
        self.work.remove(&format!("{LB}/config"))?;
        let args = lb::config_arguments(inputs.distro, inputs.proxy.as_deref());
        let line =
            host::cmd::command_line(std::iter::once("lb").chain(args.iter().map(String::as_str)));
        self.lb(inputs, &line, progress)
    }

    fn put_tree(&self, files: &Files) -> Result<()> {
        files.write_to(&self.work.path(LB).join("config"))
    }

    fn put_debs(&self, inputs: &Inputs<'_>) -> Result<()> {
        let dir = self.work.path(LB).join("config/packages.chroot");
        fs::create_dir_all(&dir).map_err(|err| Error::io("Making", &dir, &err))?;
        for deb in inputs.debs {
            let to = dir.join(deb.file_name().unwrap_or_default());
            fs::copy(deb, &to).map_err(|err| Error::io("Writing", &to, &err))?;
        }
        Ok(())
    }

    /// The product's layer as a squashfs in `layer.squashfs`.
    ///
    /// # Errors
    /// `BUILD_FAILED`, `INTERRUPTED`, `IO`.
    pub(super) fn layer(
        &self,
        inputs: &Inputs<'_>,
        files: &Files,
        progress: &mut Progress,
    ) -> Result<()> {
        progress.stage("names, pictures and settings");
        let dir = self.work.fresh("layer")?;
        files.write_to(&dir)?;
        let mut lines = String::new();
        if let Some((name, charset)) = compiled_locale(&inputs.distro.live.locale) {
            lines.push_str(&format!(
                "mkdir -p layer/usr/lib/locale; \
                 localedef --no-archive -i {name} -f {charset} layer/usr/lib/locale/{name}.utf8; "
            ));
        }
        // Owners are root; times are that of the medium.
        lines.push_str(
            "rm -f layer.squashfs; \
             mksquashfs layer layer.squashfs -all-root -no-progress -quiet -comp zstd -b 1M",
        );
        self.run(inputs, &lines, progress)
    }

    /// The medium: everything after the live system.
    ///
    /// # Errors
    /// As [`Bench::live_system`].
    pub(super) fn medium(
        &self,
        inputs: &Inputs<'_>,
        with_images: bool,
        progress: &mut Progress,
    ) -> Result<()> {
        progress.stage("medium");
        self.lb(inputs, "lb clean --binary", progress)?;
        self.configure(inputs, progress)?;
        self.put_tree(inputs.tree)?;
        self.put_debs(inputs)?;
        let config = self.work.path(LB).join("config");
        let to = config.join("includes.binary").join(layer::ON_MEDIUM);
        if let Some(dir) = to.parent() {
            fs::create_dir_all(dir).map_err(|err| Error::io("Making", dir, &err))?;
        }
        let from = self.work.path("layer.squashfs");
        fs::copy(&from, &to).map_err(|err| Error::io("Copying", &from, &err))?;
        if with_images {
            let mut hook = Files::new();
            hook.add_program(
                "hooks/normal/0900-images.hook.binary",
                images_hook(inputs.epoch),
            );
            hook.write_to(&config)?;
        }
        if inputs.distro.secure_boot {
            self.lb(inputs, SIGNED_LOADERS, progress)?;
        }
        // A squashfs that was being kept when a build was stopped is not whole.
        let state = self.work.state();
        if state.squashfs.is_none() || state.squashfs != state.chroot {
            self.work.remove(&format!("{LB}/cache/binary_rootfs"))?;
        }
        self.lb(inputs, "lb binary", progress)?;
        self.work.set_state(&State {
            squashfs: state.chroot.clone(),
            ..state
        })?;
        self.require_signed_loader(inputs)
    }

    /// live-build says that it supports Secure Boot also where it found nothing
    /// signed.
    fn require_signed_loader(&self, inputs: &Inputs<'_>) -> Result<()> {
        let loader = self.work.path(LB).join("binary/EFI/boot/grubx64.efi");
        if !inputs.distro.secure_boot || loader.exists() {
            return Ok(());
        }
        Err(
            Error::new(Code::BuildFailed, "The medium has no signed boot loader.")
                .why("The packages shim-signed or grub-efi-amd64-signed have changed.")
                .next("Write `secureBoot: false` for a medium without Secure Boot."),
        )
    }

    /// Runs lines in live-build's directory.
    fn lb(&self, inputs: &Inputs<'_>, lines: &str, progress: &mut Progress) -> Result<()> {
        self.run(inputs, &format!("cd {LB}; {lines}"), progress)
    }

    fn run(&self, inputs: &Inputs<'_>, lines: &str, progress: &mut Progress) -> Result<()> {
        let environment = inputs.environment();
        let mut sink = Telling(progress);
        let outcome = self
            .root
            .run(self.work.dir(), lines, &environment, &mut sink, self.stop)?;
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

/// live-build looks for signed boot loaders in the live system, also when it
/// uses its own machine's tools. They do not become part of the live system:
/// see `iso/rootfs/excludes`.
const SIGNED_LOADERS: &str = "mkdir -p chroot/usr/lib/grub; \
     cp -a /usr/lib/shim chroot/usr/lib/; \
     cp -a /usr/lib/grub/x86_64-efi-signed chroot/usr/lib/grub/";

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

/// Brings the images onto the medium without a second copy of them.
fn images_hook(epoch: u64) -> String {
    format!(
        "#!/bin/sh\nset -eu\n\
         find {WORK}/images -exec touch --no-dereference --date=@{epoch} {{}} +\n\
         cp --archive --link {WORK}/images {}\n",
        embed::ON_MEDIUM
    )
}

/// What has to be compiled for a locale: its name and character set. C.UTF-8 is
/// part of the C library.
fn compiled_locale(locale: &str) -> Option<(&str, &str)> {
    let (name, charset) = locale.split_once('.')?;
    (name != "C").then_some((name, charset))
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
    fn locales_that_are_compiled() {
        for (locale, expected) in [
            ("C.UTF-8", None),
            ("de_DE.UTF-8", Some(("de_DE", "UTF-8"))),
            ("C", None),
        ] {
            assert_eq!(compiled_locale(locale), expected, "{locale}");
        }
    }

    #[test]
    fn every_input_decides_the_live_system() {
        let dir = tempfile::tempdir().unwrap();
        let deb = dir.path().join("a_1_all.deb");
        fs::write(&deb, "1").unwrap();
        let distro = Distro::default();
        let tree = tree::tree(&distro).unwrap();
        let mirror = mirror::State {
            key: "m".into(),
            epoch: 1,
        };
        let debs = [deb.clone()];
        let inputs = || Inputs {
            distro: &distro,
            tree: &tree,
            debs: &debs,
            mirror: &mirror,
            epoch: 1,
            proxy: None,
        };
        let key = inputs().chroot_key().unwrap();
        let mut later = inputs();
        later.epoch = 2;
        assert_ne!(later.chroot_key().unwrap(), key);
        let newer = mirror::State {
            key: "n".into(),
            epoch: 1,
        };
        let mut other = inputs();
        other.mirror = &newer;
        assert_ne!(other.chroot_key().unwrap(), key);
        // A proxy only says how to get there.
        let mut through = inputs();
        through.proxy = Some("http://p".into());
        assert_eq!(through.chroot_key().unwrap(), key);
        fs::write(&deb, "2").unwrap();
        assert_ne!(inputs().chroot_key().unwrap(), key);
    }
}
