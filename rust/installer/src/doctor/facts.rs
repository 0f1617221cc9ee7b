// SPDX-License-Identifier: MIT OR Apache-2.0
//! What there is in a root, as far as booting it goes.

use std::collections::BTreeMap;
use std::path::Path;

use contract::customise_plan::UPDATE_TIMER;
use contract::error::{Error, Result};
use host::rootdir::RootDir;
use registry::policy::POLICY_PATH;
use serde::{Deserialize, Serialize};

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
const PROGRAMS: [&str; 22] = [
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
    "sh",
    "chmod",
    "chown",
    "groupadd",
    "useradd",
    "usermod",
    "chpasswd",
    "systemctl",
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
    /// The text of `/etc/containers/policy.json`; containers-policy.json(5).
    pub policy_json: Option<String>,
    /// A SELinux policy is there.
    pub selinux: bool,
    /// `/usr/lib/bootupd/updates` is there.
    pub bootupd_updates: bool,
    /// Other images come with it (`/usr/lib/bootc/bound-images.d`).
    pub bound_images: bool,
    /// systemd-boot's EFI program is there.
    pub systemd_boot: bool,
    /// bootc's timer for updates is there.
    pub update_timer: bool,
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
        policy_json: policy_json(&dir),
        selinux: has_selinux_policy(&dir),
        bootupd_updates: dir.is_dir("usr/lib/bootupd/updates"),
        bound_images: !dir.list("usr/lib/bootc/bound-images.d").is_empty(),
        systemd_boot: dir
            .list("usr/lib/systemd/boot/efi")
            .iter()
            .any(|name| name.to_string_lossy().starts_with("systemd-boot")),
        update_timer: dir.is_file(format!("usr/lib/systemd/system/{UPDATE_TIMER}")),
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

fn policy_json(dir: &RootDir) -> Option<String> {
    let path = POLICY_PATH.strip_prefix('/').unwrap_or(POLICY_PATH);
    dir.read(path, TEXT_MAX).ok()
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
