// SPDX-License-Identifier: MIT OR Apache-2.0
//! The medium: everything after the live system.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use crate::build::files::Files;
use crate::build::layer;
use crate::build::lb;
use crate::build::live::{Bench, CONFIG, LB};
use crate::build::parts::Parts;
use crate::build::root::WORK;
use crate::build::step::{Context, Description, Step};
use crate::build::work::WorkState;
use crate::build::{embed, tree};
use crate::error::{Code, Error, Result};

/// Removes what an earlier medium was made of.
const CLEAN: &str = "lb clean --binary";
/// live-build looks for signed boot loaders in the live system, also when it
/// uses its own machine's tools. They do not become part of the live system:
/// see `iso/rootfs/excludes`.
const SIGNED_LOADERS: [&str; 3] = [
    "mkdir -p chroot/usr/lib/grub",
    "cp -a /usr/lib/shim chroot/usr/lib/",
    "cp -a /usr/lib/grub/x86_64-efi-signed chroot/usr/lib/grub/",
];
/// Makes the medium.
const MAKE: &str = "lb binary";
/// The hook that brings the images onto it.
const IMAGES_HOOK: &str = "hooks/normal/0900-images.hook.binary";
/// Where live-build takes files of the medium from.
const INCLUDES: &str = "includes.binary";

/// The medium.
#[derive(Debug)]
pub(super) struct Medium(pub(super) Rc<Parts>);

impl Step for Medium {
    fn describe(&self) -> Result<Description> {
        let Parts {
            request, places, ..
        } = &*self.0;
        let distro = &request.distro;
        let config = places.work.join(CONFIG);
        let mut made = Description::new("make the medium")
            .commands([CLEAN.to_owned(), lb::config(distro, None)])
            .commands(self.loaders().iter().map(|line| (*line).to_owned()))
            .commands([MAKE.to_owned()])
            .files(&tree::binary_part(self.0.tree()?), &config)
            .file(config.join(INCLUDES).join(layer::ON_MEDIUM));
        if self.0.has_images() {
            made = made.file(config.join(IMAGES_HOOK));
        }
        Ok(made)
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let (bench, progress) = at.bench(&self.0)?;
        let inputs = &bench.inputs;
        progress.stage("medium");
        bench.lb(&[CLEAN], progress)?;
        bench.configure(&lb::config(inputs.distro, Some(inputs.reach)), progress)?;
        // Hooks of `lb binary` and the excludes of its squashfs are in the first.
        bench.put_tree(&tree::chroot_part(inputs.tree))?;
        bench.put_tree(&tree::binary_part(inputs.tree))?;
        bench.put_debs()?;
        let config = bench.work.path(CONFIG);
        let from = bench.work.path(layer::SQUASHFS);
        copy(&from, &config.join(INCLUDES).join(layer::ON_MEDIUM))?;
        if self.0.has_images() {
            let mut hook = Files::new();
            hook.add_program(IMAGES_HOOK, images_hook(inputs.epoch));
            hook.write_to(&config)?;
        }
        if !self.loaders().is_empty() {
            bench.lb(self.loaders(), progress)?;
        }
        // A squashfs that was being kept when a build was stopped is not whole.
        let state = bench.work.state();
        if state.squashfs.is_none() || state.squashfs != state.chroot {
            bench.work.remove(&format!("{LB}/cache/binary_rootfs"))?;
        }
        bench.lb(&[MAKE], progress)?;
        bench.work.set_state(&WorkState {
            squashfs: state.chroot.clone(),
            ..state
        })?;
        require_signed_loader(&bench)
    }
}

impl Medium {
    /// Lines that bring signed boot loaders to where live-build looks.
    fn loaders(&self) -> &'static [&'static str] {
        match self.0.request.distro.secure_boot {
            true => &SIGNED_LOADERS,
            false => &[],
        }
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).map_err(|err| Error::io("Making", dir, &err))?;
    }
    fs::copy(from, to)
        .map(drop)
        .map_err(|err| Error::io("Copying", from, &err))
}

/// live-build says that it supports Secure Boot also where it found nothing
/// signed.
fn require_signed_loader(bench: &Bench<'_>) -> Result<()> {
    let loader = bench.work.path(LB).join("binary/EFI/boot/grubx64.efi");
    if !bench.inputs.distro.secure_boot || loader.exists() {
        return Ok(());
    }
    Err(
        Error::new(Code::BuildFailed, "The medium has no signed boot loader.")
            .why("The packages shim-signed or grub-efi-amd64-signed have changed.")
            .next("Write `secureBoot: false` for a medium without Secure Boot."),
    )
}

/// Brings the images onto the medium without a second copy of them.
fn images_hook(epoch: u64) -> String {
    let images = embed::ON_MEDIUM;
    format!(
        "#!/bin/sh\nset -eu\n\
         find {WORK}/{images} -exec touch --no-dereference --date=@{epoch} {{}} +\n\
         cp --archive --link {WORK}/{images} {images}\n"
    )
}
