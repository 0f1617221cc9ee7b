// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which files of an image its runtime root can do without.
//!
//! bootc deploys from the OCI layout; the unpacked image is only there to run
//! bootc and its tools (ostree, skopeo, podman, grub-install) for a minute.
//! Firmware, kernel modules, documentation, translations, fonts and icons are
//! often more than half of an image, and are not needed for that.

use std::path::Path;

/// What is unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnpackFilter {
    /// Everything.
    #[default]
    Everything,
    /// What running programs need.
    Lean,
}

/// Files below these are left out. Only what no program needs to run: never
/// libraries, never data that bootc or its tools read (`usr/lib/bootc`,
/// `usr/lib/ostree`, `usr/lib/grub`, `usr/share/containers`, `etc`).
const LEFT_OUT: [&str; 21] = [
    "usr/lib/firmware",
    "usr/lib/debug",
    "usr/share/backgrounds",
    "usr/share/bash-completion",
    "usr/share/doc",
    "usr/share/doc-base",
    "usr/share/fish",
    "usr/share/fonts",
    "usr/share/gtk-doc",
    "usr/share/help",
    "usr/share/icons",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/pixmaps",
    "usr/share/plymouth/themes",
    "usr/share/sounds",
    "usr/share/wallpapers",
    "usr/share/zoneinfo",
    "usr/share/zsh",
    "usr/src",
];

impl UnpackFilter {
    /// Whether a regular file, or a hard link to one, can be left out. `path`
    /// is relative to the root, without links in its directories.
    pub fn leaves_out(self, path: &Path) -> bool {
        self == Self::Lean
            && (LEFT_OUT.iter().any(|prefix| path.starts_with(prefix)) || is_kernel_module(path))
    }
}

/// `usr/lib/modules/<version>/kernel/…`: the modules themselves. The kernel, the
/// initramfs and the module lists beside them stay.
fn is_kernel_module(path: &Path) -> bool {
    let Ok(rest) = path.strip_prefix("usr/lib/modules") else {
        return false;
    };
    let mut parts = rest.components().skip(1);
    parts
        .next()
        .is_some_and(|part| part.as_os_str() == "kernel")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_no_program_needs() {
        for (path, left_out) in [
            ("usr/lib/firmware/intel/ucode.bin", true),
            ("usr/lib/firmware-tools/x", false),
            (
                "usr/lib/modules/7.2.12-amd64/kernel/fs/ext4/ext4.ko.zst",
                true,
            ),
            ("usr/lib/modules/7.2.12-amd64/vmlinuz", false),
            ("usr/lib/modules/7.2.12-amd64/initramfs.img", false),
            ("usr/lib/modules/7.2.12-amd64/7.2.12.efi", false),
            ("usr/lib/modules/7.2.12-amd64/modules.dep", false),
            ("usr/lib/modules/kernel", false),
            ("usr/share/doc/bash/copyright", true),
            ("usr/share/man/man1/ls.1.gz", true),
            ("usr/share/locale/de/LC_MESSAGES/bash.mo", true),
            ("usr/share/zoneinfo/Europe/Berlin", true),
            ("usr/lib/locale/C.utf8/LC_CTYPE", false),
            ("usr/share/fontsx", false),
            ("usr/share/containers/containers.conf", false),
            ("usr/share/grub/unicode.pf2", false),
            ("usr/lib/grub/x86_64-efi/blsuki.mod", false),
            ("usr/lib/shim/shimx64.efi.signed", false),
            ("usr/lib/bootc/install/00-debian.toml", false),
            ("usr/lib/bootc/kargs.d/10-console.toml", false),
            ("usr/lib/bootupd/updates/EFI.json", false),
            ("usr/lib/ostree/prepare-root.conf", false),
            ("usr/lib/systemd/boot/efi/systemd-bootx64.efi", false),
            ("usr/lib/os-release", false),
            ("etc/containers/policy.json", false),
            ("etc/selinux/targeted/policy/policy.33", false),
            ("usr/lib/selinux/targeted/x", false),
            ("usr/share/selinux/packages/x", false),
            ("usr/bin/bootc", false),
            ("usr/sbin/grub-install", false),
            ("var/lib/usr/share/doc", false),
        ] {
            assert_eq!(
                UnpackFilter::Lean.leaves_out(Path::new(path)),
                left_out,
                "{path}"
            );
            assert!(
                !UnpackFilter::Everything.leaves_out(Path::new(path)),
                "{path}"
            );
        }
    }
}
