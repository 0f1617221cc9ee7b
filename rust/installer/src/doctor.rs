// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image doctor: would bootc install this image, and would the result boot?
//!
//! [`facts`] looks a root over, [`CHECKS`] judge what it found, so that an image
//! that cannot work is refused before the target is touched by bootc. Facts are
//! plain data: the boot loader decision uses them as well.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use contract::error::{Code, Error, Result};
use host::rootdir::RootDir;

/// Directories of programs, in the order of the sandbox's `PATH`.
const PROGRAM_DIRS: [&str; 6] = [
    "usr/local/sbin",
    "usr/local/bin",
    "usr/sbin",
    "usr/bin",
    "sbin",
    "bin",
];

/// Programs that are looked for.
const PROGRAMS: [&str; 14] = [
    "bootc",
    "ostree",
    "skopeo",
    "podman",
    "findmnt",
    "lsblk",
    "mount",
    "fstrim",
    "bootctl",
    "bootupctl",
    "grub-install",
    "grub2-install",
    "grub-mkimage",
    "efibootmgr",
];

/// Directories that bootc or the booted system mounts something on.
const MOUNT_POINTS: [&str; 6] = ["proc", "sys", "dev", "run", "tmp", "var"];

/// Small text files are read up to this size.
const TEXT_MAX: u64 = 1024 * 1024;

/// One directory of `/usr/lib/modules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Its name, the kernel's version.
    pub version: String,
    /// It holds `vmlinuz`.
    pub vmlinuz: bool,
    /// It holds `initramfs.img`.
    pub initramfs: bool,
}

/// GRUB's modules for one platform, in `/usr/lib/grub`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrubPlatform {
    /// For example `i386-pc` or `x86_64-efi`.
    pub name: String,
    /// It has `blsuki.mod`: upstream's `blscfg` command, GRUB 2.14 and later.
    pub blsuki: bool,
    /// It has `blscfg.mod`, the command as Fedora patches it in.
    pub blscfg: bool,
}

/// What is in a root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFacts {
    /// Kernels.
    pub kernels: Vec<Kernel>,
    /// Unified kernel images, paths from the root.
    pub ukis: Vec<String>,
    /// Mount points that are not there, for example `proc`.
    pub missing_mount_points: Vec<String>,
    /// Programs found, by name, with their paths from the root.
    pub programs: BTreeMap<String, String>,
    /// `prepare-root.conf` is there.
    pub prepare_root: bool,
    /// `/etc/containers/policy.json` is there.
    pub policy_json: bool,
    /// A SELinux policy is there.
    pub selinux: bool,
    /// `/usr/lib/bootupd/updates` is there.
    pub bootupd_updates: bool,
    /// Other images come with it (`/usr/lib/bootc/bound-images.d`).
    pub bound_images: bool,
    /// systemd-boot's EFI program is there.
    pub systemd_boot: bool,
    /// GRUB's platforms.
    pub grub: Vec<GrubPlatform>,
    /// `ID` of os-release, for example `debian`.
    pub os_id: Option<String>,
    /// `VERSION_ID` of os-release.
    pub os_version_id: Option<String>,
    /// `PRETTY_NAME` of os-release.
    pub os_name: Option<String>,
}

impl RootFacts {
    /// Whether the program is there.
    pub fn has(&self, program: &str) -> bool {
        self.programs.contains_key(program)
    }

    /// Path of GRUB's install program, as Debian or as Fedora name it.
    pub fn grub_install(&self) -> Option<&str> {
        ["grub-install", "grub2-install"]
            .iter()
            .find_map(|name| self.programs.get(*name))
            .map(String::as_str)
    }

    /// GRUB's modules for a platform.
    pub fn grub_platform(&self, name: &str) -> Option<&GrubPlatform> {
        self.grub.iter().find(|platform| platform.name == name)
    }

    /// bootupd is there with something to install.
    pub fn bootupd(&self) -> bool {
        self.has("bootupctl") && self.bootupd_updates
    }

    /// The kernel that boots, when there is exactly one.
    pub fn kernel(&self) -> Option<&Kernel> {
        let mut bootable = self.kernels.iter().filter(|kernel| kernel.vmlinuz);
        match (bootable.next(), bootable.next()) {
            (Some(kernel), None) => Some(kernel),
            _ => None,
        }
    }
}

/// What the image's configuration says.
#[derive(Debug, Clone, Copy)]
pub struct ImageFacts<'a> {
    /// Labels.
    pub labels: &'a BTreeMap<String, String>,
    /// Architecture in OCI spelling, for example `amd64`.
    pub architecture: &'a str,
    /// This machine's architecture in OCI spelling.
    pub host_architecture: &'a str,
}

/// [`facts`] for [`sandbox::dispatch`].
///
/// # Errors
/// As [`facts`].
pub fn examine(root: &Path) -> Result<serde_json::Value> {
    serde_json::to_value(facts(root)?)
        .map_err(|err| Error::io("telling what is in", root, &err.into()))
}

/// Looks a root over. Links in it are followed within it only.
///
/// # Errors
/// `IO` when the root cannot be opened; what is not there is a fact.
pub fn facts(root: &Path) -> Result<RootFacts> {
    let dir = RootDir::open(root).map_err(|err| Error::io("opening the root", root, &err))?;
    let os = os_release(&dir);
    Ok(RootFacts {
        kernels: kernels(&dir),
        ukis: ukis(&dir),
        missing_mount_points: MOUNT_POINTS
            .into_iter()
            .filter(|name| !dir.is_dir(name))
            .map(str::to_owned)
            .collect(),
        programs: PROGRAMS
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), program(&dir, name)?)))
            .collect(),
        prepare_root: ["usr/lib", "etc"]
            .iter()
            .any(|base| dir.is_file(format!("{base}/ostree/prepare-root.conf"))),
        policy_json: dir.is_file("etc/containers/policy.json"),
        selinux: has_selinux_policy(&dir),
        bootupd_updates: dir.is_dir("usr/lib/bootupd/updates"),
        bound_images: !dir.list("usr/lib/bootc/bound-images.d").is_empty(),
        systemd_boot: dir
            .list("usr/lib/systemd/boot/efi")
            .iter()
            .any(|name| name.to_string_lossy().starts_with("systemd-boot")),
        grub: grub(&dir),
        os_id: os.get("ID").cloned(),
        os_version_id: os.get("VERSION_ID").cloned(),
        os_name: os.get("PRETTY_NAME").cloned(),
    })
}

fn kernels(dir: &RootDir) -> Vec<Kernel> {
    dir.list("usr/lib/modules")
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| dir.is_dir(format!("usr/lib/modules/{name}")))
        .map(|version| Kernel {
            vmlinuz: dir.is_file(format!("usr/lib/modules/{version}/vmlinuz")),
            initramfs: dir.is_file(format!("usr/lib/modules/{version}/initramfs.img")),
            version,
        })
        .collect()
}

/// Where bootc looks for them: beside the modules and in `/boot/EFI/Linux`.
fn ukis(dir: &RootDir) -> Vec<String> {
    let beside_modules = dir
        .list("usr/lib/modules")
        .into_iter()
        .map(|version| format!("usr/lib/modules/{}", version.to_string_lossy()));
    beside_modules
        .chain(["boot/EFI/Linux".to_owned()])
        .flat_map(|place| {
            dir.list(&place)
                .into_iter()
                .filter_map(|name| name.into_string().ok())
                .filter(|name| name.ends_with(".efi"))
                .map(move |name| format!("{place}/{name}"))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn program(dir: &RootDir, name: &str) -> Option<String> {
    PROGRAM_DIRS
        .iter()
        .map(|place| format!("{place}/{name}"))
        .find(|path| dir.is_file(path))
}

fn has_selinux_policy(dir: &RootDir) -> bool {
    ["etc/selinux", "usr/etc/selinux"].iter().any(|base| {
        dir.list(base)
            .iter()
            .any(|name| dir.is_dir(Path::new(base).join(name).join("policy")))
    })
}

fn grub(dir: &RootDir) -> Vec<GrubPlatform> {
    dir.list("usr/lib/grub")
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| dir.is_file(format!("usr/lib/grub/{name}/modinfo.sh")))
        .map(|name| GrubPlatform {
            blsuki: dir.is_file(format!("usr/lib/grub/{name}/blsuki.mod")),
            blscfg: dir.is_file(format!("usr/lib/grub/{name}/blscfg.mod")),
            name,
        })
        .collect()
}

fn os_release(dir: &RootDir) -> BTreeMap<String, String> {
    ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|path| dir.read(path, TEXT_MAX).ok())
        .map(|text| parse_os_release(&text))
        .unwrap_or_default()
}

/// os-release(5): shell-like assignments, values optionally quoted.
fn parse_os_release(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), unquote(value)))
        .collect()
}

fn unquote(value: &str) -> String {
    let inner = |quote: char| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    if let Some(inner) = inner('\'') {
        return inner.to_owned();
    }
    let mut plain = String::new();
    let mut chars = inner('"').unwrap_or(value).chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

/// How much a failed check matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The installation is refused.
    Fatal,
    /// The person is told.
    Warning,
}

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Stable name, part of the message's id.
    pub name: &'static str,
    /// What follows when it fails.
    pub severity: Severity,
    /// Why it is asked for.
    pub description: &'static str,
    /// Says what is wrong, or `None`.
    pub test: fn(&RootFacts, &ImageFacts<'_>) -> Option<String>,
}

/// A check that failed.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// What is wrong, one sentence.
    pub what: String,
}

fn missing(found: bool, what: &str) -> Option<String> {
    (!found).then(|| format!("The image has no {what}."))
}

fn missing_program(facts: &RootFacts, name: &str) -> Option<String> {
    missing(facts.has(name), &format!("program `{name}`"))
}

/// All checks, in the order in which findings are told.
pub const CHECKS: &[Check] = &[
    Check {
        name: "architecture",
        severity: Severity::Fatal,
        description: "The image's own programs run during the installation.",
        test: |_, image| {
            (image.architecture != image.host_architecture).then(|| {
                format!(
                    "The image is for {}, this machine is {}.",
                    image.architecture, image.host_architecture
                )
            })
        },
    },
    Check {
        name: "label",
        severity: Severity::Fatal,
        description: "Bootable container images say what they are with the label containers.bootc=1.",
        test: |_, image| {
            missing(source::look_up::has_bootc_label(image.labels), "label containers.bootc=1")
        },
    },
    Check {
        name: "bootc",
        severity: Severity::Fatal,
        description: "The image's own bootc makes the deployment and updates it later.",
        test: |facts, _| missing_program(facts, "bootc"),
    },
    Check {
        name: "kernel",
        severity: Severity::Fatal,
        description: "Exactly one kernel lies in /usr/lib/modules/<version>/vmlinuz, or is a unified kernel image.",
        test: |facts, _| {
            let found: Vec<&str> = facts
                .kernels
                .iter()
                .filter(|kernel| kernel.vmlinuz)
                .map(|kernel| kernel.version.as_str())
                .collect();
            match found.len() {
                0 if facts.ukis.is_empty() => {
                    Some("The image has no kernel in /usr/lib/modules/<version>/vmlinuz.".into())
                }
                0 | 1 => None,
                _ => Some(format!(
                    "The image has more than one kernel: {}.",
                    found.join(", ")
                )),
            }
        },
    },
    Check {
        name: "initramfs",
        severity: Severity::Fatal,
        description: "The initramfs lies beside the kernel, as bootc looks for it there.",
        test: |facts, _| match facts.kernel() {
            Some(kernel) if !kernel.initramfs && facts.ukis.is_empty() => Some(format!(
                "The image has no /usr/lib/modules/{}/initramfs.img.",
                kernel.version
            )),
            _ => None,
        },
    },
    Check {
        name: "prepare-root",
        severity: Severity::Fatal,
        description: "bootc and the initramfs read from it how the root is put together.",
        test: |facts, _| missing(facts.prepare_root, "/usr/lib/ostree/prepare-root.conf"),
    },
    Check {
        name: "mount-points",
        severity: Severity::Fatal,
        description: "The root is read-only at boot: without these directories it would restart for ever.",
        test: |facts, _| {
            let names: Vec<String> = facts
                .missing_mount_points
                .iter()
                .map(|name| format!("/{name}"))
                .collect();
            (!names.is_empty())
                .then(|| format!("The image lacks the empty directory {}.", names.join(", ")))
        },
    },
    Check {
        name: "ostree",
        severity: Severity::Fatal,
        description: "bootc runs it.",
        test: |facts, _| missing_program(facts, "ostree"),
    },
    Check {
        name: "skopeo",
        severity: Severity::Fatal,
        description: "bootc reads images through it.",
        test: |facts, _| missing_program(facts, "skopeo"),
    },
    Check {
        name: "podman",
        severity: Severity::Fatal,
        description: "bootc makes the storage for bound images with it, even when there are none.",
        test: |facts, _| missing_program(facts, "podman"),
    },
    Check {
        name: "findmnt",
        severity: Severity::Fatal,
        description: "bootc looks at the target's mounts with it.",
        test: |facts, _| missing_program(facts, "findmnt"),
    },
    Check {
        name: "lsblk",
        severity: Severity::Fatal,
        description: "bootc looks at the target's disk with it.",
        test: |facts, _| missing_program(facts, "lsblk"),
    },
    Check {
        name: "mount",
        severity: Severity::Fatal,
        description: "bootc runs it.",
        test: |facts, _| missing_program(facts, "mount"),
    },
    Check {
        name: "policy",
        severity: Severity::Fatal,
        description: "skopeo refuses every image without it.",
        test: |facts, _| missing(facts.policy_json, "/etc/containers/policy.json"),
    },
    Check {
        name: "os-release",
        severity: Severity::Warning,
        description: "Boot entries are named after it.",
        test: |facts, _| missing(facts.os_id.is_some(), "os-release with an ID"),
    },
];

/// Every check that fails.
pub fn findings(facts: &RootFacts, image: &ImageFacts<'_>) -> Vec<Finding> {
    CHECKS
        .iter()
        .filter_map(|check| {
            let what = (check.test)(facts, image)?;
            Some(Finding { check, what })
        })
        .collect()
}

/// Refuses an image with a fatal finding; gives the warnings of one without.
///
/// # Errors
/// `IMAGE_NO_PLATFORM` for the wrong architecture, else `IMAGE_NOT_BOOTABLE`;
/// the first fatal finding in the sentence, all of them in the details.
pub fn judge(facts: &RootFacts, image: &ImageFacts<'_>) -> Result<Vec<Finding>> {
    let (fatal, warnings): (Vec<_>, Vec<_>) = findings(facts, image)
        .into_iter()
        .partition(|finding| finding.check.severity == Severity::Fatal);
    let Some(first) = fatal.first() else {
        return Ok(warnings);
    };
    let code = match first.check.name {
        "architecture" => Code::ImageNoPlatform,
        _ => Code::ImageNotBootable,
    };
    let mut error = Error::new(code, first.what.clone());
    for finding in &fatal {
        error = error.detail(format!(
            "{}: {} {}",
            finding.check.name, finding.what, finding.check.description
        ));
    }
    Err(error)
}

#[cfg(test)]
mod tests;
