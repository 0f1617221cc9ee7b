// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes a plan from the command line and the configuration file. Options win
//! over the file; the file wins over what is usual.

use std::path::{Path, PathBuf};

use conf::{Config, RegistryEntry, Transport};
use contract::disk_plan::DISK_ROOT;
use contract::error::capital;
use contract::error::{Code, Error, Result};
use contract::plan::{
    BootcPlan, BootloaderChoice, DeploymentPlan, FinishPlan, FstabEntry, ImagePlan, LayoutPlace,
    PLAN_VERSION, Plan, RegistryPlan, RuntimeRoot, SecretRef, Source, Stateroot, TargetPlan,
};
use host::blkid;
use host::cancel::Cancel;
use host::mountinfo;
use imageref::{ImageRef, Reference};
use source::keys;
use source::look_up;
use source::machine;
use source::secret::Secrets;
use source::trust;

mod usual_logins;

use super::args::ImageArgs;
use super::password;
use crate::calamares::{self, GlobalStorage};
use crate::target;

/// A root for plans that only their image matters of; never looked at.
const NO_TARGET: &str = "/nonexistent";

/// What X layouts are called on the console.
const KEYBOARD_MODELS: &str = "/usr/share/systemd/kbd-model-map";

/// Where the installation goes, and who knows it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// Only the image matters.
    Nowhere,
    /// Mounted here by the person.
    Mounted(&'a Path),
    /// On a disk that is made.
    Disk,
    /// Mounted by Calamares.
    Calamares(&'a GlobalStorage),
}

impl<'a> Place<'a> {
    /// What `--root` says.
    pub(super) fn of(root: Option<&'a Path>) -> Self {
        root.map_or(Self::Nowhere, Self::Mounted)
    }

    fn root(self) -> Result<&'a Path> {
        match self {
            Self::Nowhere => Ok(Path::new(NO_TARGET)),
            Self::Disk => Ok(Path::new(DISK_ROOT)),
            Self::Mounted(root) => Ok(root),
            Self::Calamares(storage) => storage.target(),
        }
    }
}

/// A plan and what the person should know about how it was made.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) plan: Plan,
    pub(super) warnings: Vec<String>,
}

/// The plan for `args` and this place. With `lookup` the image is looked up and
/// pinned to its digest.
pub(super) fn plan(args: &ImageArgs, place: Place<'_>, lookup: bool) -> Result<Built> {
    let config = match &args.config {
        Some(path) => conf::read(path)?,
        None => Config::default(),
    };
    plan_after(args, config, place, lookup)
}

/// A plan of which only the image matters, for `check::image` and for a pull: by
/// this reference, with the registries and credentials of `config` and of this
/// machine.
///
/// # Errors
/// As for `bootc-installer plan`.
pub fn image_plan(image: &str, target: Option<&str>, config: Config) -> Result<Plan> {
    let args = ImageArgs {
        image: Some(image.to_owned()),
        target_imgref: target.map(str::to_owned),
        ..ImageArgs::default()
    };
    Ok(plan_after(&args, config, Place::Nowhere, false)?.plan)
}

fn plan_after(args: &ImageArgs, config: Config, place: Place<'_>, lookup: bool) -> Result<Built> {
    // A configuration that was only parsed would demand nothing.
    let config = keys::with_keys(config)?;
    let mut plan = assemble(args, &config, place.root()?)?;
    let mut warnings = config.warnings;
    match place {
        Place::Nowhere | Place::Disk => {}
        Place::Mounted(root) => plan.deployment.fstab = fstab(root)?,
        Place::Calamares(storage) => {
            let models = keyboard_models();
            let storage = storage.clone().complete(blkid::probe)?;
            warnings.extend(calamares::apply(&storage, &models, &mut plan)?);
        }
    }
    let reference = plan.image.imgref.clone();
    add_registry_options(&mut plan, args, &reference)?;
    if credentials_of(&plan, &reference).is_none() {
        let registries = machine::registries(&plan)?;
        let places = machine::places(&registries, &reference)?;
        let usual = usual_logins::read(&places)?;
        warnings.extend(usual.warnings);
        for (place, file) in usual.found {
            let entry = registry_entry(&mut plan, &place);
            entry.auth.get_or_insert(SecretRef::AuthFile { path: file });
        }
    }
    plan.validate()?;
    trust::require_keys(&plan)?;
    if lookup {
        let secrets = Secrets::read(&plan)?;
        let found = look_up::image(&plan, &secrets, &Cancel::new())?;
        plan.image.digest = Some(found.image.manifest_digest);
        plan.image.index_digest = found.image.index_digest;
        warnings.extend(found.warnings);
    }
    Ok(Built { plan, warnings })
}

/// The table of keyboards; empty where there is none.
pub(super) fn keyboard_models() -> String {
    std::fs::read_to_string(KEYBOARD_MODELS).unwrap_or_else(|error| {
        tracing::debug!(%error, "no {KEYBOARD_MODELS}");
        String::new()
    })
}

/// All that depends on nothing but the arguments.
fn assemble(args: &ImageArgs, config: &Config, root: &Path) -> Result<Plan> {
    let (mut image, source) = image_and_source(args, config)?;
    image.no_signature_verification = config.no_signature_verification.unwrap_or(false);
    let scratch = args.scratch.as_ref().or(config.download_path.as_ref());
    Ok(Plan {
        version: PLAN_VERSION,
        image,
        source,
        layouts: args
            .layout
            .iter()
            .chain(&config.layouts)
            .map(|dir| match LayoutPlace::from(dir.clone()) {
                LayoutPlace::Auto => Ok(LayoutPlace::Auto),
                LayoutPlace::Path(dir) => absolute(&dir).map(LayoutPlace::Path),
            })
            .collect::<Result<_>>()?,
        runtime_root: runtime_root(args.runtime_root.as_ref().or(config.runtime_root.as_ref()))?,
        target: TargetPlan {
            root: absolute(root)?,
            scratch: scratch.map(|s| absolute(s)).transpose()?,
            firmware: None,
            bios_disk: None,
            tidy_partition_table: false,
        },
        disk: None,
        registries: config
            .registries
            .iter()
            .map(|e| registry(e, config))
            .collect(),
        bootc: BootcPlan {
            stateroot: match args.stateroot.as_ref().or(config.stateroot.as_ref()) {
                Some(name) => Stateroot::try_from(name.clone())?,
                None => Stateroot::default(),
            },
            bootloader: args
                .bootloader
                .or(config.bootloader)
                .unwrap_or(BootloaderChoice::Auto),
            kargs: [config.kargs.clone(), args.karg.clone()].concat(),
            kargs_delete: [config.kargs_delete.clone(), args.karg_delete.clone()].concat(),
            enforce_sigpolicy: config.enforce_sigpolicy.unwrap_or(false),
            disable_selinux: config.disable_selinux.unwrap_or(false),
        },
        deployment: DeploymentPlan {
            fstab: Vec::new(),
            keep_auth: args.keep_auth || config.keep_credentials.unwrap_or(false),
            // An image from a mirror or an insecure registry could not be
            // updated otherwise, and nothing of it is secret.
            keep_registries: !args.no_keep_registries && config.keep_registries.unwrap_or(true),
            updates: config.updates,
            ..DeploymentPlan::default()
        },
        finish: FinishPlan {
            trim: !args.no_trim,
            unmount: args.unmount,
            hand_over: false,
        },
    })
}

fn image_and_source(args: &ImageArgs, config: &Config) -> Result<(ImagePlan, Source)> {
    let named = match (&args.image, &config.container_url) {
        (Some(image), _) => parse(image)?,
        (None, Some(url)) => match config.transport {
            Some(Transport::Oci) if !url.starts_with("oci:") => parse(&format!("oci:{url}"))?,
            _ => parse(url)?,
        },
        (None, None) => {
            return Err(Error::new(Code::Usage, "No image is named.")
                .why("Neither --image nor `containerUrl` in a configuration file is there.")
                .next("Add --image registry.example/os/debian:13, for example."));
        }
    };
    let target = match args
        .target_imgref
        .as_ref()
        .or(config.target_imgref.as_ref())
    {
        Some(text) => Some(update_reference(text)?),
        None => None,
    };
    let source = match args.source.as_ref().or(config.source.as_ref()) {
        Some(text) => Some(layout(&parse_source(text)?, text)?),
        None => None,
    };
    match named {
        ImageRef::Registry(reference) => {
            let image = ImagePlan {
                target_imgref: target.filter(|t| *t != reference),
                ..ImagePlan::of(reference)
            };
            Ok((image, source.unwrap_or(Source::Registry)))
        }
        other => {
            let text = other.to_string();
            let here = layout(&other, &text)?;
            let Some(target) = target else {
                return Err(Error::new(
                    Code::Usage,
                    format!("{text} does not tell what the installed system updates from."),
                )
                .why("It is a local image, which the installed system cannot reach.")
                .next("Add --target-imgref with the image's reference in a registry."));
            };
            Ok((ImagePlan::of(target), source.unwrap_or(here)))
        }
    }
}

fn parse(text: &str) -> Result<ImageRef> {
    text.parse().map_err(|e: imageref::ParseError| {
        Error::new(
            Code::ImageRefInvalid,
            format!("`{text}` is no image reference."),
        )
        .why(format!("{}.", capital(&e.problem().to_string())))
    })
}

/// A source without a transport is the directory of a layout.
fn parse_source(text: &str) -> Result<ImageRef> {
    if text.starts_with(['/', '.']) {
        return parse(&format!("oci:{text}"));
    }
    parse(text)
}

fn update_reference(text: &str) -> Result<Reference> {
    match parse(text)? {
        ImageRef::Registry(reference) => Ok(reference),
        _ => Err(Error::new(
            Code::ImageRefInvalid,
            format!("The installed system cannot update from `{text}`."),
        )
        .why("It is no image in a registry.")),
    }
}

fn layout(image: &ImageRef, text: &str) -> Result<Source> {
    match image {
        ImageRef::Oci(local) => Ok(Source::OciLayout {
            path: absolute(local.path())?,
            reference: local.tag().map(str::to_owned),
        }),
        ImageRef::Registry(_) => Err(Error::new(
            Code::Usage,
            format!("`{text}` is no local image."),
        )
        .why("A source is an OCI layout that holds the image's bytes: oci:DIR[:TAG].")
        .next("Correct the source, or leave it out to pull from the registry.")),
        other => Err(Error::new(
            Code::Usage,
            format!("Images cannot be installed from `{}`.", other.transport()),
        )
        .why("It would need a second copy of the whole image in memory.")
        .next(format!(
            "Copy it to an OCI layout first, with `skopeo copy {text} oci:DIR:TAG`, and name that."
        ))),
    }
}

fn runtime_root(path: Option<&PathBuf>) -> Result<RuntimeRoot> {
    let Some(path) = path else {
        return Ok(RuntimeRoot::Unpack);
    };
    let path = absolute(path)?;
    Ok(if path.is_file() {
        RuntimeRoot::Image { path }
    } else {
        RuntimeRoot::Directory { path }
    })
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|err| Error::io("resolving", path, &err))
}

fn registry(entry: &RegistryEntry, config: &Config) -> RegistryPlan {
    RegistryPlan {
        prefix: entry.prefix.clone(),
        insecure: entry.insecure,
        ca: entry.ca.clone(),
        mirrors: entry.mirrors.clone(),
        auth: entry.login.as_ref().map(|_| SecretRef::Config {
            path: config.path.clone(),
            registry: entry.prefix.clone(),
        }),
        signature_keys: entry.signature_pems.clone(),
    }
}

/// The options that are about the image's own registry.
fn add_registry_options(plan: &mut Plan, args: &ImageArgs, reference: &Reference) -> Result<()> {
    let auth = match (&args.authfile, args.auth_fd, &args.username) {
        (Some(path), _, _) => Some(SecretRef::AuthFile {
            path: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        }),
        (None, Some(fd), _) => Some(SecretRef::AuthFd { fd }),
        (None, None, Some(username)) => {
            // The registry itself, which stands behind its mirrors, wherever
            // the machine's settings say that it is.
            let places = machine::places(&machine::registries(plan)?, reference)?;
            let host = places.last().map_or(reference, |p| &p.reference).registry();
            let fd = password::auth_fd(username, host, args.password_stdin)?;
            Some(SecretRef::AuthFd { fd })
        }
        (None, None, None) => None,
    };
    let keys: Vec<String> = args
        .signature_key
        .iter()
        .map(|path| keys::read_key(path))
        .collect::<Result<_>>()?;
    if auth.is_none() && args.ca.is_none() && !args.insecure && keys.is_empty() {
        return Ok(());
    }
    if !keys.is_empty() {
        // Said here and now, it wins over what a file says in general.
        plan.image.no_signature_verification = false;
    }
    let entry = registry_entry(plan, reference);
    entry.insecure |= args.insecure;
    if let Some(ca) = &args.ca {
        entry.ca = Some(std::path::absolute(ca).unwrap_or_else(|_| ca.clone()));
    }
    if auth.is_some() {
        entry.auth = auth;
    }
    if !keys.is_empty() {
        entry.signature_keys = keys;
    }
    Ok(())
}

/// The entry that is about `reference`, made for its host when there is none.
fn registry_entry<'a>(plan: &'a mut Plan, reference: &Reference) -> &'a mut RegistryPlan {
    let found = plan
        .registry_for(&reference.name())
        .map(|r| r.prefix.clone());
    let prefix = found.unwrap_or_else(|| {
        let prefix = reference.registry().to_owned();
        plan.registries.push(RegistryPlan {
            prefix: prefix.clone(),
            ..RegistryPlan::default()
        });
        prefix
    });
    let at = plan.registries.iter().rposition(|r| r.prefix == prefix);
    // It was found or pushed above, so it is there.
    let at = at.unwrap_or(0);
    &mut plan.registries[at]
}

fn credentials_of<'a>(plan: &'a Plan, reference: &Reference) -> Option<&'a SecretRef> {
    plan.registry_for(&reference.name())?.auth.as_ref()
}

/// fstab lines for what the person has mounted below the target, but for those
/// that bootc and the boot process see to: `/boot` and the EFI system partition.
fn fstab(root: &Path) -> Result<Vec<FstabEntry>> {
    let Ok(root) = root.canonicalize() else {
        // The check says what is wrong with it.
        return Ok(Vec::new());
    };
    let mounts = mountinfo::read()?;
    let mut entries = Vec::new();
    for mount in mounts.iter().filter(|m| m.mount_point.starts_with(&root)) {
        let Ok(inside) = mount.mount_point.strip_prefix(&root) else {
            continue;
        };
        let own = inside.as_os_str().is_empty()
            || inside.starts_with("boot")
            || inside.starts_with("efi");
        if own || !mount.source.is_absolute() {
            continue;
        }
        let Some(uuid) = target::uuid_of(&mount.source)? else {
            continue;
        };
        let options = if mount.fs_type == "btrfs" && mount.root != Path::new("/") {
            vec![format!("subvol={}", mount.root.display())]
        } else {
            vec!["defaults".into()]
        };
        entries.push(FstabEntry {
            source: format!("UUID={uuid}"),
            mount_point: Path::new("/").join(inside).display().to_string(),
            fs_type: mount.fs_type.clone(),
            options,
            // btrfs and xfs have no fsck at boot.
            pass: if mount.fs_type.starts_with("ext") {
                2
            } else {
                0
            },
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
