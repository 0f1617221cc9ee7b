// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plan: everything an installation will do, as data.
//!
//! A plan can be printed (`bootc-installer plan`), compared, kept and replayed
//! (`install --plan`). It holds no secrets, only where to read them. The
//! GUI and the command line hand the same plan to the same engine.
//! `docs/formats.md` explains every field.

use std::path::{Path, PathBuf};

use imageref::{Digest, Reference};
use serde::{Deserialize, Serialize};

use crate::customise_plan::{
    Customisation, DirectoryPlan, FilePlan, GroupPlan, LinkPlan, UnitPlan, UpdatesPlan, UserPlan,
};
use crate::disk_plan::{DISK_ROOT, DiskPlan};
use crate::error::{Code, Error, Result};
use crate::firmware::Firmware;
use crate::fstab;
pub use crate::fstab::FstabEntry;
pub use crate::layout_place::{AUTO, LayoutPlace};
pub use crate::stateroot::Stateroot;

/// Version of the plan's format; a plan of another version is refused.
pub const PLAN_VERSION: u32 = 1;

/// Everything that will be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// Which image.
    pub image: ImagePlan,
    /// Where its bytes come from.
    pub source: Source,
    /// OCI layouts, for example on the installer medium, in which images go by
    /// their whole references, archives of such, and directories that have
    /// either in them: what of the image is in one of them is not pulled. One
    /// that is not there is passed over. Not used with a `source` of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<LayoutPlace>,
    /// Where bootc runs from.
    pub runtime_root: RuntimeRoot,
    /// Where it goes.
    pub target: TargetPlan,
    /// The disk that the target is made on first; without it the target is
    /// mounted already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskPlan>,
    /// How registries are reached.
    #[serde(default)]
    pub registries: Vec<RegistryPlan>,
    /// What bootc is told.
    pub bootc: BootcPlan,
    /// What is written into the deployment.
    #[serde(default)]
    pub deployment: DeploymentPlan,
    /// How the target is closed.
    #[serde(default)]
    pub finish: FinishPlan,
}

impl Plan {
    /// Reads a plan and refuses (`PLAN_INVALID`) one of another version, with
    /// unknown fields, or that contradicts itself.
    pub fn from_json(text: &str) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        let read = serde_path_to_error::deserialize(&mut json)
            .map_err(|err| {
                let at = err.path().to_string();
                (at, err.into_inner())
            })
            .and_then(|plan: Self| json.end().map(|()| plan).map_err(|err| (".".into(), err)));
        match read {
            Ok(plan) if plan.version == PLAN_VERSION => plan.validate().map(|()| plan),
            Ok(plan) => Err(other_version(plan.version.into())),
            Err((at, err)) => Err(unreadable(text, &at, &err)),
        }
    }

    /// The plan as indented JSON with a line end.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map(|json| json + "\n")
            .map_err(|e| {
                Error::new(Code::Internal, "The plan cannot be written.").detail(e.to_string())
            })
    }
}

/// Why `text` is no plan: serde's `err`, `at` this field ("." is everything). The
/// version first: all other differences follow from it.
fn unreadable(text: &str, at: &str, err: &serde_json::Error) -> Error {
    #[derive(Deserialize)]
    struct Probe {
        version: Option<serde_json::Value>,
    }
    let found = serde_json::from_str(text).map(|probe: Probe| probe.version);
    match found.map(|version| version.and_then(|v| v.as_u64())) {
        Ok(Some(version)) if version != u64::from(PLAN_VERSION) => other_version(version),
        Ok(None) => Error::new(Code::PlanInvalid, "This is no plan: it has no `version`."),
        _ if at == "." => {
            Error::new(Code::PlanInvalid, "The plan cannot be understood.").detail(err.to_string())
        }
        _ => Error::new(
            Code::PlanInvalid,
            format!("`{at}` of the plan cannot be understood."),
        )
        .detail(err.to_string()),
    }
}

fn other_version(version: u64) -> Error {
    Error::new(
        Code::PlanInvalid,
        format!("The plan has version {version}, and this program reads version {PLAN_VERSION}."),
    )
}

impl Plan {
    /// How the registry of `name` (`host[:port]/repository`) is reached: the
    /// entry with the longest matching prefix.
    pub fn registry_for(&self, name: &str) -> Option<&RegistryPlan> {
        self.registries
            .iter()
            .filter(|r| r.matches(name))
            .max_by_key(|r| r.prefix.len())
    }

    /// Refuses contradictions that no type rules out.
    pub fn validate(&self) -> Result<()> {
        let invalid = |what: String| Err(Error::new(Code::PlanInvalid, what));
        let mut paths = vec![("target.root", self.target.root.as_path())];
        let scratch = self.target.scratch.as_deref();
        paths.extend(scratch.map(|path| ("target.scratch", path)));
        let bios_disk = self.target.bios_disk.as_deref();
        paths.extend(bios_disk.map(|path| ("target.biosDisk", path)));
        if let Source::OciLayout { path, .. } = &self.source {
            paths.push(("source.path", path.as_path()));
        }
        let layouts = self.layouts.iter().filter_map(LayoutPlace::path);
        paths.extend(layouts.map(|path| ("layouts", path)));
        if let RuntimeRoot::Directory { path } | RuntimeRoot::Image { path } = &self.runtime_root {
            paths.push(("runtimeRoot.path", path.as_path()));
        }
        if let Some((key, path)) = paths.iter().find(|(_, p)| !p.is_absolute()) {
            return invalid(format!(
                "`{key}` must be an absolute path, not `{}`.",
                path.display()
            ));
        }
        for registry in &self.registries {
            if let Some(SecretRef::AuthFd { fd }) = registry.auth
                && fd < 3
            {
                return invalid(format!(
                    "Descriptor {fd} cannot deliver credentials; it must be 3 or higher."
                ));
            }
        }
        if let Some(disk) = &self.disk {
            disk.validate()?;
            if self.target.root != Path::new(DISK_ROOT) {
                return invalid(format!("With a `disk`, `target.root` must be {DISK_ROOT}."));
            }
            if self.finish.hand_over {
                return invalid("A `disk` cannot be handed over.".into());
            }
        }
        self.deployment.customisation().validate()?;
        fstab::validate(&self.deployment.fstab)
    }
}

impl RegistryPlan {
    /// Whether this entry is about `name`, `host[:port]/repository`. A prefix
    /// ends at a slash: `host/team` is not about `host/teamwork`.
    pub fn matches(&self, name: &str) -> bool {
        name.strip_prefix(&self.prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The `host[:port]` of the prefix.
    pub fn host(&self) -> &str {
        self.prefix.split('/').next().unwrap_or(&self.prefix)
    }
}

/// Which image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImagePlan {
    /// Reference without a transport, written normalised: `host/name:tag[@digest]`.
    /// Without `targetImgref` the installed system updates from it.
    pub imgref: Reference,
    /// Digest of the image manifest, once it was looked up: what is installed
    /// is exactly this, whatever the tag says later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Digest of the index that the manifest was chosen from, if there was one:
    /// a signature of it counts for the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_digest: Option<Digest>,
    /// Signatures by `registries[].signatureKeys` are not demanded after all.
    /// What the system's policy.json demands stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_signature_verification: bool,
    /// What the installed system updates from, where that is another reference
    /// than `imgref`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_imgref: Option<Reference>,
}

impl ImagePlan {
    /// An image of which nothing but its reference is known.
    pub fn of(imgref: Reference) -> Self {
        Self {
            imgref,
            digest: None,
            index_digest: None,
            no_signature_verification: false,
            target_imgref: None,
        }
    }

    /// The reference that the installed system updates from.
    pub fn origin(&self) -> &Reference {
        self.target_imgref.as_ref().unwrap_or(&self.imgref)
    }

    /// `imgref`, pinned when there is a digest.
    pub fn pinned(&self) -> Reference {
        match &self.digest {
            Some(digest) => self.imgref.with_digest(digest.clone()),
            None => self.imgref.clone(),
        }
    }
}

/// Where the image's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Source {
    /// Pulled from the registry that `image.imgref` names.
    Registry,
    /// An OCI image layout directory, used in place and never written to, for
    /// example on the installer medium.
    OciLayout {
        /// The directory with `oci-layout` and `index.json`.
        path: PathBuf,
        /// `org.opencontainers.image.ref.name` in its index; not needed when
        /// the layout holds one image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
}

/// Where bootc and its tools run from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum RuntimeRoot {
    /// The image itself, unpacked into the scratch directory.
    Unpack,
    /// A directory that holds the unpacked image.
    Directory {
        /// Its path; mounted read-only.
        path: PathBuf,
    },
    /// A squashfs (or erofs) file of the unpacked image.
    Image {
        /// Its path; mounted read-only through a loop device.
        path: PathBuf,
    },
}

/// Where the installation goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetPlan {
    /// Mount point of the target's root file system. `/boot` and the ESP, when
    /// they are file systems of their own, are mounted below it already.
    pub root: PathBuf,
    /// Existing directory in which the scratch directory is made; `None` is
    /// the root of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch: Option<PathBuf>,
    /// The firmware that must be able to start the target. Without it that is
    /// this machine's, unless the boot loader is chosen by name or the disk is
    /// a file: see `FirmwareNeed` of the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Firmware>,
    /// The whole disk, for example `/dev/sda`, whose first sectors get the boot
    /// loader for BIOS machines. Without it that is the disk below `/boot`, or all of
    /// them when it is on a RAID. Not used for other boot loaders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bios_disk: Option<PathBuf>,
    /// The partition table was made for this installation, and what is odd
    /// about it may be put right: see `boot::table` of the engine. A person's own
    /// table is the person's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tidy_partition_table: bool,
}

/// How one registry is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistryPlan {
    /// `host[:port]` or `host[:port]/namespace`, the longest match counts.
    pub prefix: String,
    /// Plain http, or TLS without a check of the certificate.
    #[serde(default)]
    pub insecure: bool,
    /// PEM file with certificate authorities to trust besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Other places to fetch from, tried in this order before the registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<String>,
    /// Where the credentials are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<SecretRef>,
    /// Public keys in PEM form. When there are any, images must have a cosign
    /// signature by one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signature_keys: Vec<String>,
}

/// Where a secret is read from; never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum SecretRef {
    /// A containers-auth.json(5) file.
    AuthFile {
        /// Its path.
        path: PathBuf,
    },
    /// An inherited file descriptor that delivers containers-auth.json(5).
    AuthFd {
        /// Its number, 3 or higher.
        fd: i32,
    },
    /// The `registryAuth` section of a configuration file.
    Config {
        /// The bootc.conf.
        path: PathBuf,
        /// The entry below `registryAuth.registries`.
        registry: String,
    },
}

/// Which boot loader is installed, and by whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootloaderChoice {
    /// Decided from what the image holds.
    #[default]
    Auto,
    /// GRUB: through bootupd when the image has it, else by this program.
    Grub,
    /// systemd-boot, through bootc's composefs backend.
    Systemd,
    /// None at all.
    None,
}

/// What bootc is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BootcPlan {
    /// `--stateroot`.
    pub stateroot: Stateroot,
    /// Boot loader.
    #[serde(default)]
    pub bootloader: BootloaderChoice,
    /// `--karg`, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kargs: Vec<String>,
    /// `--karg-delete`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kargs_delete: Vec<String>,
    /// `--enforce-container-sigpolicy`.
    #[serde(default)]
    pub enforce_sigpolicy: bool,
    /// `--disable-selinux`.
    #[serde(default)]
    pub disable_selinux: bool,
}

/// What is written into the deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentPlan {
    /// Lines for `/etc/fstab`; never `/`, which bootc mounts by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fstab: Vec<FstabEntry>,
    /// The person agreed to keep the pull credentials for updates, in
    /// `/etc/ostree/auth.json` (0600).
    #[serde(default)]
    pub keep_auth: bool,
    /// Write insecure and mirror registries to
    /// `/etc/containers/registries.conf.d/`, so that updates reach them.
    #[serde(default)]
    pub keep_registries: bool,
    /// Groups, made before people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupPlan>,
    /// People who can log in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserPlan>,
    /// Lines for root's `.ssh/authorized_keys`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_ssh_keys: Vec<String>,
    /// Name of the machine, for `/etc/hostname`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Directories below `/etc` and `/var`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directories: Vec<DirectoryPlan>,
    /// Files below `/etc` and `/var`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FilePlan>,
    /// Symbolic links below `/etc` and `/var`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkPlan>,
    /// systemd units that are enabled or disabled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitPlan>,
    /// Whether it updates itself; without it, as the image has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updates: Option<UpdatesPlan>,
}

impl DeploymentPlan {
    /// What makes a system of the image before its first boot.
    pub fn customisation(&self) -> Customisation<'_> {
        Customisation {
            groups: &self.groups,
            users: &self.users,
            root_ssh_keys: &self.root_ssh_keys,
            hostname: self.hostname.as_deref(),
            directories: &self.directories,
            files: &self.files,
            links: &self.links,
            units: &self.units,
        }
    }
}

/// How the target is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FinishPlan {
    /// fstrim(8) the target's file systems.
    pub trim: bool,
    /// Unmount the target and everything below it at the end.
    pub unmount: bool,
    /// Leave the target mounted and the deployment bound as a complete root,
    /// for other programs to configure; `bootc-installer close` undoes it and
    /// does the rest of this section.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hand_over: bool,
}

impl Default for FinishPlan {
    fn default() -> Self {
        Self {
            trim: true,
            unmount: false,
            hand_over: false,
        }
    }
}

#[cfg(test)]
mod tests;
