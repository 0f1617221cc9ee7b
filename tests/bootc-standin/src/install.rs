// SPDX-License-Identifier: MIT OR Apache-2.0
//! `install to-filesystem`, in bootc's order: what can be refused without
//! touching the target, then the layout, the import, the deployment, and only
//! then the boot loader, which therefore fails late.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cli::{Bootloader, Replace, ToFilesystem};
use crate::config::{self, InstallConfig, MountSpecs};
use crate::deploy::Sysroot;
use crate::finish::{self, Aleph};
use crate::imgref::{ImageReference, Transport};
use crate::progress::with_spinner;
use crate::say;
use crate::source::Image;
use crate::target::Target;
use crate::text::{quoted_value, size};

const PREPARE_ROOT: &str = "usr/lib/ostree/prepare-root.conf";
/// Paths that bootc takes from pid 1's root.
const FROM_PID_1: [&str; 4] = ["dev", "var/lib/containers", "var/tmp", "run/udev"];

/// Where the image comes from and what it will be called.
#[derive(Debug)]
struct Source {
    image: ImageReference,
    target: ImageReference,
    /// Without `--source-imgref`: the running container's image.
    from_container: bool,
}

/// Runs the whole installation.
pub(crate) fn to_filesystem(options: &ToFilesystem) -> Result<()> {
    if options.source_imgref.is_none() {
        // As bootc: its mounts must not reach the container's host.
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).context("unshare(mount)")?;
    }
    let target = Target::open(&options.root_path)?;
    let source = Source::new(options)?;
    if options.composefs_backend {
        if options.bootloader == Some(Bootloader::None) {
            bail!("Bootloader set to none is not supported with the composefs backend");
        }
        bail!("the stand-in has no composefs backend");
    }
    let root = Path::new("/");
    fs::metadata(root.join(PREPARE_ROOT)).with_context(|| format!("Reading {PREPARE_ROOT}"))?;
    for path in FROM_PID_1 {
        fs::metadata(Path::new("/proc/1/root").join(path))
            .with_context(|| format!("Setting up host mount /{path}"))?;
    }
    let install = config::install_config(root)?;
    if options.run_fetch_check {
        Image::inspect(&source.target)
            .context("Preparing import: Fetching manifest")
            .context("Verifying fetch")?;
    }

    say(&format!("Installing image: {}", source.target.skopeo()));
    let early = if source.from_container {
        let image =
            Image::inspect(&source.image).context("Gathering source info from container env")?;
        say(&format!("Digest: {}", image.digest));
        Some(image)
    } else {
        None
    };
    target.host_root_warning(options.acknowledge_destructive)?;
    match options.replace {
        Some(Replace::Wipe) => {
            say("Wiping contents of root");
            target.wipe()?;
        }
        Some(Replace::Alongside) => {
            fs::metadata(target.root.join("boot")).context("Opening boot")?;
        }
        None => target.require_empty().context("Verifying empty rootfs")?,
    }
    let specs = mount_specs(&target, options, &install)?;

    say("Initializing ostree layout");
    let stateroot = options
        .stateroot
        .as_deref()
        .or(install.stateroot.as_deref())
        .unwrap_or("default");
    let deployment = deploy(
        &target, &source, early, options, &install, &specs, stateroot,
    )?;
    if let (true, Some(boot)) = (target.has_boot(), &specs.boot) {
        finish::write_fstab(&deployment, boot)?;
    }
    if let Some(keys) = &options.root_ssh_authorized_keys {
        finish::write_root_keys(&deployment, keys)?;
    }
    finish::install_bootloader(options.bootloader)?;
    // An installation beside something else has no file system of its own to seal.
    if !options.skip_finalize && options.replace != Some(Replace::Alongside) {
        if target.has_boot() {
            finish::finalize("boot", &target.root.join("boot"))?;
        }
        finish::finalize("root", &target.root)?;
    }
    say("Installation complete!");
    Ok(())
}

impl Source {
    fn new(options: &ToFilesystem) -> Result<Self> {
        let transport = Transport::parse(&options.target_transport)?;
        let (image, default_name) = match &options.source_imgref {
            Some(text) => {
                let image = ImageReference::parse(text)
                    .context("Creating source info from a given imageref")?;
                let name = image.name.clone();
                (image, name)
            }
            None => {
                let text = fs::read_to_string("/run/.containerenv").context(
                    "Gathering source info from container env: opening /run/.containerenv",
                )?;
                let id = quoted_value(&text, "imageid").filter(|id| !id.is_empty());
                let Some(id) = id else {
                    bail!("Gathering source info from container env: Invalid empty imageid");
                };
                let name = quoted_value(&text, "image").unwrap_or(id).to_owned();
                let image = ImageReference {
                    transport: Transport::ContainerStorage,
                    name: id.to_owned(),
                };
                (image, name)
            }
        };
        // Without --target-imgref the source's name becomes the reference for
        // updates, even where it cannot be one.
        let name = options.target_imgref.clone().unwrap_or(default_name);
        let target = ImageReference { transport, name };
        Ok(Self {
            image,
            target,
            from_container: options.source_imgref.is_none(),
        })
    }
}

fn mount_specs(
    target: &Target,
    options: &ToFilesystem,
    install: &InstallConfig,
) -> Result<MountSpecs> {
    let given = options
        .root_mount_spec
        .clone()
        .or_else(|| install.root_mount_spec.clone());
    let root = given.map_or_else(|| target.uuid_spec(""), Ok)?;
    let boot = match options
        .boot_mount_spec
        .clone()
        .or_else(|| install.boot_mount_spec.clone())
    {
        Some(spec) => Some(spec).filter(|spec| !spec.is_empty()),
        None if target.has_boot() => Some(target.uuid_spec("boot")?),
        None => None,
    };
    Ok(MountSpecs {
        root,
        subvol: target.subvol(),
        boot,
    })
}

fn deploy(
    target: &Target,
    source: &Source,
    early: Option<Image>,
    options: &ToFilesystem,
    install: &InstallConfig,
    specs: &MountSpecs,
    stateroot: &str,
) -> Result<PathBuf> {
    let sysroot = Sysroot::init(&target.root, stateroot)?;
    let steps = || -> Result<PathBuf> {
        let image = match early {
            Some(image) => image,
            None => Image::inspect(&source.image)
                .context("Fetching manifest")
                .context("Preparing import")?,
        };
        let needed = image.layers_size();
        say(&format!(
            "layers already present: 0; layers needed: {} ({})",
            image.manifest.layers.len(),
            size(needed)
        ));
        let available = target.available()?;
        if available < needed {
            bail!(
                "Insufficient free space for {} (available: {} required: {})",
                source.target.name,
                size(available),
                size(needed)
            );
        }
        let stage = sysroot.tmp("standin-blobs");
        let fetched = image
            .fetch(&stage)
            .context("Importing")
            .context("Pulling")?;
        let commit = sysroot
            .import(&image, &fetched, &stage, &source.target.skopeo(), stateroot)
            .context("Importing")
            .context("Pulling")?;
        if stage.exists() {
            fs::remove_dir_all(&stage).context("removing the staged blobs")?;
        }
        let kargs = config::kernel_arguments(
            specs,
            install.kargs.as_deref().unwrap_or_default(),
            &commit.kargs,
            &options.karg_delete,
            &options.karg,
        );
        let origin = source.target.origin(options.enforce_container_sigpolicy);
        let deployment = with_spinner("Deploying container image", || {
            sysroot.deploy(&commit, stateroot, &origin, &kargs)
        })?;
        let aleph = Aleph {
            source: &source.image.name,
            target: &source.target.name,
            digest: &image.digest,
            config: &fetched.config,
            kernel: &commit.kernel,
        };
        finish::write_aleph(&target.root, &aleph)?;
        Ok(deployment)
    };
    steps().context("Creating ostree deployment")
}
