// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image doctor: would bootc install this image, and would the result boot?
//!
//! [`facts`] looks a root over, [`CHECKS`] judge what it found, so that an image
//! that cannot work is refused before the target is touched by bootc. Facts are
//! plain data: the boot loader decision uses them as well.

use std::collections::BTreeMap;

use contract::error::{Code, Error, Result};

mod facts;

pub use facts::{GrubPlatform, Kernel, RootFacts, examine, facts};

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
            missing(
                source::look_up::has_bootc_label(image.labels),
                "label containers.bootc=1",
            )
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
        test: |facts, _| missing(facts.policy_json.is_some(), "/etc/containers/policy.json"),
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
