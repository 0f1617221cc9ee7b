// SPDX-License-Identifier: MIT OR Apache-2.0
//! Installations that others carry out, as the text that tells them: a kickstart
//! for Anaconda, an Ignition configuration for a live host.
//!
//! All of it is rendered from the engine's own plan of the image, so that
//! references, registries, people and files mean the same here as on the medium
//! and on disk images.

mod host_file;
mod kickstart;
mod ks_version;
mod live_host;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use blueprint::Blueprint;
use conf::{Config, Rendering};
use contract::disk_plan::DiskFs;
use contract::plan::Plan;
use host::cancel::Cancel;
use installer::cli::image_plan;
use secrecy::zeroize::Zeroizing;
use source::look_up;
use source::secret::Secrets;

use crate::build::{embed, publish};
use crate::config::Distro;
use crate::disk::{failed, wish};
use crate::error::{Code, Error, Result};
use crate::output::image_stem;
use kickstart::Kickstart;
pub use ks_version::KsVersion;
use live_host::LiveHost;

/// What is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenderKind {
    /// A kickstart for a version of Anaconda.
    Kickstart(KsVersion),
    /// An Ignition configuration of a version; that of bootc.conf without it,
    /// else 3.3.0, which Debian's Ignition knows.
    Ignition(Option<&'static str>),
}

/// The version of an Ignition configuration that is meant when none is named.
const IGNITION_USUAL: &str = "3.3.0";

/// A version of Ignition configurations by its name.
///
/// # Errors
/// `USAGE` for one that is not known.
pub fn ignition_version(text: &str) -> Result<&'static str> {
    let known = ignition::VERSIONS.iter().find(|version| **version == text);
    known.copied().ok_or_else(|| {
        Error::new(
            Code::Usage,
            format!("`{text}` is no version of Ignition configurations that is known."),
        )
        .next(format!(
            "Those known are {}.",
            ignition::VERSIONS.join(", ")
        ))
    })
}

impl RenderKind {
    /// The name on the command line, and the end of the file's name.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Kickstart(_) => ("kickstart", "ks"),
            Self::Ignition(_) => ("ignition", "ign"),
        }
    }
}

/// What is to be rendered, and where it goes.
#[derive(Debug, Clone)]
pub struct RenderRequest {
    /// What.
    pub kind: RenderKind,
    /// Language, keyboard and time zone; registries and kernel arguments when
    /// there is no `conf`; the name of the file when it is of a file.
    pub distro: Distro,
    /// A bootc.conf.
    pub conf: Option<PathBuf>,
    /// `host/name:tag`; that of bootc.conf or distro.yaml without it.
    pub image: Option<String>,
    /// What the system updates from; the image without it.
    pub target_imgref: Option<String>,
    /// People, files, kernel arguments and sizes.
    pub blueprint: Blueprint,
    /// File system of the root; that of blueprint or bootc.conf, else ext4.
    pub filesystem: Option<DiskFs>,
    /// The disk that is overwritten, below `/dev`; that of bootc.conf without it.
    pub disk: Option<String>,
    /// Logins of registries are written into the file.
    pub with_credentials: bool,
    /// The image is looked up in its registry.
    pub check_image: bool,
    /// Where the file goes.
    pub output: PathBuf,
    /// Where what was made is told besides, as JSON.
    pub result: Option<PathBuf>,
    /// Whom it is given to: user and group by their numbers.
    pub owner: Option<(u32, u32)>,
}

/// A file that was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256 in hex digits.
    pub sha256: String,
    /// Only its owner may read it: there are logins or hashes of passwords in it.
    pub secret: bool,
    /// What is doubtful about it, one sentence each.
    pub warnings: Vec<String>,
}

/// What bootc on a live host leaves to the image.
const LIVE_HOST_REACHES: &str = "The live host is told of mirrors, authorities and insecure \
     registries; the installed system is not, and needs them in the image for its updates.";

/// What a request comes to.
#[derive(Debug)]
struct Parts {
    plan: Plan,
    options: Rendering,
    layout: wish::Layout,
    filesystem: DiskFs,
    disk: Option<String>,
}

/// Renders a request into its file.
///
/// # Errors
/// `USAGE` when no image is named, `CONFIG_INVALID` for what the installation
/// cannot be told, `IMAGE_REFUSED`, `IO`.
pub fn render(request: &RenderRequest, stop: &Cancel) -> Result<Rendered> {
    let parts = request.parts()?;
    let imgref = parts.plan.image.imgref.to_string();
    let refused = |err| failed(&imgref, err);
    let secrets = match request.check_image || request.with_credentials {
        true => Secrets::read(&parts.plan).map_err(refused)?,
        false => Secrets::default(),
    };
    if request.check_image {
        look_up::image(&parts.plan, &secrets, stop).map_err(refused)?;
    }
    let auth = match request.with_credentials {
        true => {
            let image = &parts.plan.image;
            let places = [image.imgref.clone(), image.origin().clone()];
            let auth = secrets.auth_json(&places).map_err(refused)?;
            Some(auth.ok_or_else(|| no_login(&imgref))?)
        }
        false => None,
    };
    let reaching = host_file::reaching(&parts.plan.registries)?;
    let text = match request.kind {
        RenderKind::Kickstart(version) => Kickstart {
            version,
            plan: &parts.plan,
            options: &parts.options,
            disk: parts.disk.as_deref().map(below_dev).transpose()?,
            filesystem: parts.filesystem,
            layout: &parts.layout,
            live: &request.distro.live,
            auth: auth.as_ref(),
            reaching: &reaching,
        }
        .text()?,
        RenderKind::Ignition(version) => LiveHost {
            version: match (version, parts.options.ignition.version.as_deref()) {
                (Some(version), _) => version,
                (None, Some(version)) => ignition_version(version)?,
                (None, None) => IGNITION_USUAL,
            },
            plan: &parts.plan,
            options: &parts.options,
            disk: match parts.disk.as_deref() {
                Some(disk) => below_dev(disk).map(|_| disk)?,
                None => return Err(no_disk()),
            },
            filesystem: parts.filesystem,
            layout: &parts.layout,
            auth: auth.as_ref(),
            reaching: &reaching,
        }
        .text()?,
    };
    let hashes = parts.plan.deployment.users.iter();
    let secret = auth.is_some() || hashes.clone().any(|user| user.password_hash.is_some());
    let live_host = matches!(request.kind, RenderKind::Ignition(_)) && !reaching.is_empty();
    let warnings = live_host.then(|| LIVE_HOST_REACHES.to_owned());
    request.write(&imgref, &text, secret, warnings.into_iter().collect())
}

impl RenderRequest {
    /// Where the file goes.
    ///
    /// # Errors
    /// As [`render`], for what is wrong without looking anything up.
    pub fn path(&self) -> Result<PathBuf> {
        let parts = self.parts()?;
        let image = parts.plan.image.imgref.to_string();
        Ok(self.output.join(self.file_name(&image)))
    }

    fn file_name(&self, image: &str) -> String {
        let (_, end) = self.kind.names();
        format!("{}.{end}", image_stem(&self.distro, image))
    }

    fn parts(&self) -> Result<Parts> {
        let unreadable = |err| failed("", err);
        let (config, options) = match &self.conf {
            Some(path) => (
                conf::read(path).map_err(unreadable)?,
                conf::read_rendering(path).map_err(unreadable)?,
            ),
            None => (of_distro(&self.distro), Rendering::default()),
        };
        let image = self.image.as_ref().or(config.container_url.as_ref());
        let Some(image) = image.or(self.distro.images.default.as_ref()).cloned() else {
            return Err(Error::new(Code::Usage, "No image is named.")
                .next("Name it after the options: host/name:tag."));
        };
        let local = image.split_once(':').is_some_and(|(transport, _)| {
            ["oci", "containers-storage", "dir", "oci-archive"].contains(&transport)
        });
        if local || config.transport == Some(conf::Transport::Oci) {
            return Err(
                Error::new(Code::Usage, format!("{image} is on this machine only."))
                    .why("Whoever carries this installation out fetches the image from a registry.")
                    .next("Push it, and name it as host/name:tag."),
            );
        }
        let target = self.target_imgref.as_deref();
        let mut plan = image_plan(&image, target, config).map_err(|err| failed(&image, err))?;
        let wished = self.blueprint.customizations.kernel.arguments();
        plan.bootc.kargs.extend(wished);
        wish::customise(&self.blueprint, &mut plan.deployment)?;
        plan.validate().map_err(|err| failed(&image, err))?;
        let layout = wish::layout(&self.blueprint.customizations)?;
        let filesystem = self.filesystem.or(layout.root_fs).or(options.rootfs_type);
        Ok(Parts {
            plan,
            filesystem: filesystem.unwrap_or_default(),
            layout,
            disk: self.disk.clone().or_else(|| options.target_disk.clone()),
            options,
        })
    }

    fn write(
        &self,
        image: &str,
        text: &Zeroizing<String>,
        secret: bool,
        warnings: Vec<String>,
    ) -> Result<Rendered> {
        std::fs::create_dir_all(&self.output)
            .map_err(|err| Error::io("Making", &self.output, &err))?;
        let path = self.output.join(self.file_name(image));
        replace(&path, text.as_bytes(), if secret { 0o600 } else { 0o644 })?;
        let sha256 = publish::sha256(&path)?;
        if let Some(owner) = self.owner {
            publish::give([path.as_path()], owner)?;
        }
        if let Some(to) = &self.result {
            let absolute =
                std::path::absolute(&path).map_err(|err| Error::io("Resolving", &path, &err))?;
            let (kind, _) = self.kind.names();
            let told = serde_json::json!({
                "version": 1,
                "type": kind,
                "artefacts": [{
                    "kind": kind,
                    "path": absolute.display().to_string(),
                    "bytes": text.len(),
                    "sha256": sha256,
                }],
                "images": [{ "reference": image }],
            });
            publish::write(to, &format!("{told:#}\n"))?;
            if let Some(owner) = self.owner {
                publish::give([to.as_path()], owner)?;
            }
        }
        Ok(Rendered {
            path,
            sha256,
            secret,
            warnings,
        })
    }
}

/// What distro.yaml says of the installed system, as bootc.conf would.
fn of_distro(distro: &Distro) -> Config {
    Config {
        stateroot: distro.calamares.stateroot.clone(),
        kargs: distro.calamares.kernel_arguments.clone(),
        ..embed::engine_config(distro)
    }
}

/// The name of a disk without `/dev/`, as Anaconda has it.
fn below_dev(disk: &str) -> Result<&str> {
    let name = disk.strip_prefix("/dev/").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+".contains(c);
    match !name.is_empty() && name.chars().all(plain) {
        true => Ok(name),
        false => Err(Error::new(Code::Usage, format!("`{disk}` is no disk."))
            .next("Name one as /dev/sda or /dev/disk/by-id/….")),
    }
}

fn no_disk() -> Error {
    Error::new(Code::Usage, "No disk is named.")
        .why("A live host asks nobody, and everything on the disk is lost.")
        .next("Add --disk, or `installOptions.target_disk` to bootc.conf.")
}

fn no_login(image: &str) -> Error {
    Error::new(
        Code::ConfigInvalid,
        format!("There is no login for the registry of {image}."),
    )
    .why("--with-credentials writes one, and neither bootc.conf nor this machine has any.")
    .next("Log in with `podman login`, or leave the option out.")
}

/// Writes a file as a whole; whoever may not read it never could.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let failed = |err: std::io::Error| Error::io("Writing", path, &err);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    let partial = path.with_file_name(name);
    match std::fs::remove_file(&partial) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => return Err(failed(err)),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&partial)
        .map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    std::fs::rename(&partial, path).map_err(failed)
}

#[cfg(test)]
mod tests;
