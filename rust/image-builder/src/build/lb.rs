// SPDX-License-Identifier: MIT OR Apache-2.0
//! live-build: its options for a distro, and what its output says. Pure.
//!
//! `lb config` remembers options of earlier calls in its working directory, so
//! every option that matters is given every time.

use std::collections::VecDeque;

use crate::config::{Compression, Distro};
use crate::error::{Code, Error};
use crate::mirror::{self, Reach};

/// The file that live-build leaves, without the end that it adds.
pub const IMAGE_NAME: &str = "installer";
/// What it is called then.
pub const ISO: &str = "installer-amd64.hybrid.iso";
/// Options of the kernel that every entry of the boot menu has. live-config is
/// not on the medium; its two words keep a medium quiet that has it after all.
const LIVE: &str = "boot=live quiet noautologin components=none";

/// The arguments of `lb config`. `reach` is how mirrors are reached and judged;
/// without it, as the distro alone says.
pub fn config_arguments(distro: &Distro, reach: Option<&Reach>) -> Vec<String> {
    let mut args: Vec<String> = ["config", "noauto"].map(str::to_owned).to_vec();
    let mut set = |name: &str, value: &str| {
        args.push(format!("--{name}"));
        args.push(value.to_owned());
    };
    set("mode", "debian");
    set("distribution", &distro.suite);
    set("architecture", "amd64");
    set("archive-areas", "main non-free-firmware");
    let debian = format!("{}/", distro.mirrors.debian);
    for part in ["bootstrap", "chroot", "binary"] {
        set(&format!("mirror-{part}"), &debian);
    }
    let security = format!("{}/", distro.mirrors.security);
    for part in ["chroot-security", "binary-security"] {
        set(&format!("mirror-{part}"), &security);
    }
    // A suite that is not released yet has neither.
    let released = if mirror::is_released(&distro.suite) {
        "true"
    } else {
        "false"
    };
    set("security", released);
    set("updates", released);
    set("backports", "false");
    let mut apt = vec!["--yes".to_owned(), "-oAcquire::Retries=3".to_owned()];
    let said = Reach::said_by(distro);
    let reach = reach.unwrap_or(&said);
    apt.extend(reach.words());
    if let Some(proxy) = &reach.proxy {
        set("apt-http-proxy", proxy);
    }
    set("apt-options", &apt.join(" "));
    set("apt-recommends", "false");
    set("apt-indices", "false");
    set("apt-source-archives", "false");
    // live-build calls apt-ftparchive inside of the live system.
    set(
        "debootstrap-options",
        "--variant=minbase --include=ca-certificates,apt-utils",
    );
    for (name, value) in [
        ("debian-installer", "none"),
        ("memtest", "none"),
        ("zsync", "false"),
        ("source", "false"),
        // These would take every firmware package that there is.
        ("firmware-chroot", "false"),
        ("firmware-binary", "false"),
        ("linux-packages", "linux-image"),
        ("linux-flavours", "amd64"),
        ("initsystem", "systemd"),
        ("system", "live"),
        ("initramfs", "live-boot"),
        ("compression", "none"),
        // By a hook of ours.
        ("checksums", "none"),
        ("build-with-chroot", "false"),
        ("binary-image", "iso-hybrid"),
        ("bootloaders", "grub-pc,grub-efi"),
        ("chroot-filesystem", "squashfs"),
        ("bootappend-live-failsafe", "none"),
        ("cache", "true"),
        ("cache-packages", "true"),
        ("cache-indices", "false"),
        ("cache-stages", "bootstrap rootfs"),
    ] {
        set(name, value);
    }
    set(
        "uefi-secure-boot",
        if distro.secure_boot {
            "enable"
        } else {
            "disable"
        },
    );
    match distro.compression {
        // Level 15 takes six times as long and saves 0.6 %.
        Compression::Zstd => {
            set("chroot-squashfs-compression-type", "zstd");
            set("chroot-squashfs-compression-level", "9");
        }
        Compression::Xz => set("chroot-squashfs-compression-type", "xz"),
    }
    set("bootappend-live", &append(distro));
    set("image-name", IMAGE_NAME);
    set("iso-volume", &volume(distro));
    set("iso-application", &distro.product.name);
    set("iso-publisher", &distro.product.publisher);
    set("iso-preparer", "debian-bootc-image-builder");
    args
}

/// The line of `lb config` for a distro.
pub fn config(distro: &Distro, reach: Option<&Reach>) -> String {
    line(&config_arguments(distro, reach))
}

/// Arguments of `lb` as a line for a shell.
pub fn line(args: &[String]) -> String {
    host::cmd::command_line(std::iter::once("lb").chain(args.iter().map(String::as_str)))
}

/// Whether two distros come to the same live system before the product's
/// layer, as far as options of live-build decide it: those that `lb chroot`
/// looks at.
pub fn chroot_options(distro: &Distro) -> Vec<String> {
    let args = config_arguments(distro, None);
    let binary_only = [
        "--bootappend-live",
        "--apt-options",
        "--iso-volume",
        "--iso-application",
        "--iso-publisher",
        "--uefi-secure-boot",
    ];
    let mut decisive = Vec::new();
    let mut args = args.into_iter().skip(2);
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        if !binary_only.contains(&name.as_str()) {
            decisive.push(format!("{name} {value}"));
        }
    }
    decisive
}

/// Options for mksquashfs beside those of live-build: blocks of 1 MiB.
pub const MKSQUASHFS: &str = "-b 1M";

fn append(distro: &Distro) -> String {
    let mut words = vec![LIVE.to_owned()];
    words.extend(distro.live.kernel_arguments.iter().cloned());
    words.join(" ")
}

/// The volume's name: that of the product, and what it is. 32 characters at
/// most (ECMA-119), since an `id` has 24.
pub fn volume(distro: &Distro) -> String {
    format!("{}_INSTALL", distro.product.volume_id())
}

/// What a line of live-build says about how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<'a> {
    /// It begins with a part of its work.
    Stage(&'a str),
    /// apt or dpkg works on a package, as in `Unpacking foo (1.0) …`.
    Package(&'a str),
    /// An error.
    Error(&'a str),
    /// Anything else.
    Other,
}

/// Reads one line.
pub fn said(line: &str) -> Said<'_> {
    if let Some(error) = line.strip_prefix("E: ") {
        return Said::Error(error);
    }
    // [2026-11-25 03:00:38] lb chroot_apt install
    if let Some((_, command)) = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] lb "))
    {
        return Said::Stage(command.split(' ').next().unwrap_or_default());
    }
    for word in [
        "Unpacking ",
        "Setting up ",
        "I: Configuring ",
        "I: Unpacking ",
    ] {
        if let Some(rest) = line.strip_prefix(word) {
            let end = |c: char| c == ' ' || c == ':';
            return Said::Package(
                rest.split(end)
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches('.'),
            );
        }
    }
    Said::Other
}

/// What a part of live-build's work is, for people.
pub fn stage_name(stage: &str) -> Option<&'static str> {
    Some(match stage {
        "bootstrap_debootstrap" => "basic system",
        "chroot_archives" => "package lists",
        "chroot_install-packages" => "packages",
        "chroot_linux-image" => "kernel",
        "chroot_hooks" => "settings of the live system",
        "chroot_hacks" => "initramfs",
        "binary_rootfs" => "compressing the live system",
        "binary_grub-efi" => "boot loaders",
        "binary_iso" => "writing the ISO",
        _ => return None,
    })
}

/// The error that the last lines of a failed run come to.
pub fn failure(last: &VecDeque<String>) -> Error {
    let has = |text: &str| last.iter().any(|line| line.contains(text));
    let unknown: Vec<&str> = last
        .iter()
        .filter_map(|line| line.strip_prefix("E: Unable to locate package "))
        .collect();
    let error = if !unknown.is_empty() {
        Error::new(
            Code::PackageUnknown,
            format!("The suite has no package {}.", unknown.join(", ")),
        )
        .why("A name in `packages` or in a package list is misspelt, or not in this suite.")
        .next("Correct it; https://packages.debian.org tells what each suite has.")
    } else if has("No space left on device") {
        disk_full(Vec::new())
    } else if has("unmet dependencies") || has("held broken packages") {
        Error::new(Code::BuildFailed, "The packages do not go together.")
            .why("A package of `debs` was built for another suite, or two exclude each other.")
            .next("See the details for the names.")
    } else if has("Failed to fetch")
        || has("Couldn't download packages")
        || has("Temporary failure resolving")
    {
        Error::new(Code::MirrorUnreachable, "Packages cannot be downloaded.")
            .why("The mirror stopped answering, or changed while it was read.")
            .next("Run the same command again; what was downloaded is kept.")
    } else {
        Error::new(Code::BuildFailed, "live-build failed.")
            .why("A package, a hook or the mirror made trouble.")
            .next("The log has everything that it wrote.")
    };
    let telling = last
        .iter()
        .filter(|line| is_telling(line))
        .rev()
        .take(8)
        .cloned()
        .collect::<Vec<_>>();
    let mut error = error;
    error.details = telling.into_iter().rev().collect();
    if error.details.is_empty() {
        error.details = last.iter().rev().take(8).rev().cloned().collect();
    }
    error
}

/// The error for a work directory without room.
pub fn disk_full(details: Vec<String>) -> Error {
    let mut error = Error::new(Code::DiskFull, "The disk is full.")
        .why("A build takes about 4 GB of temporary files, and its images on top.")
        .next("Free space, or choose another directory with --work.");
    error.details = details;
    error
}

fn is_telling(line: &str) -> bool {
    let shown = [
        "E: ",
        "dpkg: error",
        " : Depends:",
        "mksquashfs: ",
        "FATAL",
        "xorriso : FAILURE",
    ];
    (shown.iter().any(|text| line.contains(text)) || line.contains("No space left"))
        && !line.contains("An unexpected failure occurred")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn value<'a>(args: &'a [String], name: &str) -> &'a str {
        let at = args.iter().position(|arg| arg == name).unwrap();
        &args[at + 1]
    }

    #[test]
    fn options_follow_the_distro() {
        let mut distro = Distro::default();
        distro.product.id = "my-system".into();
        distro.live.kernel_arguments = vec!["a=b".into(), "c".into()];
        let reach = Reach {
            proxy: Some("http://proxy:3142".into()),
            options: vec!["Acquire::Check-Valid-Until \"false\"".into()],
        };
        let args = config_arguments(&distro, Some(&reach));
        for (name, expected) in [
            ("--distribution", "trixie"),
            ("--mirror-bootstrap", "http://deb.debian.org/debian/"),
            (
                "--mirror-chroot-security",
                "http://deb.debian.org/debian-security/",
            ),
            ("--security", "true"),
            ("--uefi-secure-boot", "enable"),
            ("--chroot-squashfs-compression-type", "zstd"),
            ("--iso-volume", "MY_SYSTEM_INSTALL"),
            ("--apt-http-proxy", "http://proxy:3142"),
            (
                "--apt-options",
                "--yes -oAcquire::Retries=3 -oAcquire::Check-Valid-Until=false",
            ),
        ] {
            assert_eq!(value(&args, name), expected, "{name}");
        }
        assert!(value(&args, "--bootappend-live").ends_with(" a=b c"));

        distro.suite = "forky".into();
        distro.secure_boot = false;
        distro.compression = Compression::Xz;
        let args = config_arguments(&distro, None);
        for (name, expected) in [
            ("--security", "false"),
            ("--updates", "false"),
            ("--uefi-secure-boot", "disable"),
            ("--chroot-squashfs-compression-type", "xz"),
            ("--apt-options", "--yes -oAcquire::Retries=3"),
        ] {
            assert_eq!(value(&args, name), expected, "{name}");
        }
        assert!(!args.iter().any(|arg| arg == "--apt-http-proxy"));

        distro.mirrors.snapshot = Some("20261101T000000Z".into());
        let args = config_arguments(&distro, None);
        assert!(value(&args, "--apt-options").ends_with(" -oAcquire::Check-Valid-Until=false"));
    }

    #[test]
    fn names_and_boot_options_do_not_decide_the_live_system() {
        let one = Distro::default();
        let mut other = one.clone();
        other.product.id = "other".into();
        other.product.name = "Other".into();
        other.live.kernel_arguments = vec!["x".into()];
        other.secure_boot = false;
        assert_eq!(chroot_options(&one), chroot_options(&other));
        other.suite = "forky".into();
        assert_ne!(chroot_options(&one), chroot_options(&other));
    }

    #[test]
    fn volumes_are_names_for_iso_9660() {
        let mut distro = Distro::default();
        for id in ["a", "debian-bootc", "abcdefghijklmnopqrstuvwx"] {
            distro.product.id = id.into();
            let volume = volume(&distro);
            assert!(volume.len() <= 32, "{volume}");
            assert!(volume.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
        }
    }

    #[test]
    fn lines_are_understood() {
        for (line, expected) in [
            (
                "[2026-11-25 03:00:38] lb chroot_apt install",
                Said::Stage("chroot_apt"),
            ),
            (
                "[2026-11-25 03:00:38] lb binary_iso",
                Said::Stage("binary_iso"),
            ),
            (
                "Unpacking libc6:amd64 (2.41-12) ...",
                Said::Package("libc6"),
            ),
            ("Setting up dbus (1.16.2-2) ...", Said::Package("dbus")),
            ("I: Configuring openssl...", Said::Package("openssl")),
            (
                "E: Unable to locate package x",
                Said::Error("Unable to locate package x"),
            ),
            ("P: Begin unmounting filesystems...", Said::Other),
            ("", Said::Other),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn failures_have_a_code() {
        let fails = |text: &str| failure(&text.lines().map(str::to_owned).collect());
        for (text, code) in [
            (
                "E: Unable to locate package tpyo\nE: An unexpected failure occurred, exiting...",
                Code::PackageUnknown,
            ),
            (
                "dpkg: error: write: No space left on device",
                Code::DiskFull,
            ),
            (
                "The following packages have unmet dependencies:\n x : Depends: y but",
                Code::BuildFailed,
            ),
            (
                "E: Failed to fetch http://m/x.deb  404  Not Found",
                Code::MirrorUnreachable,
            ),
            ("something\nelse", Code::BuildFailed),
        ] {
            let error = fails(text);
            assert_eq!(error.code, code, "{text}");
            assert!(!error.details.is_empty(), "{text}");
        }
        let unknown = fails("E: Unable to locate package a\nE: Unable to locate package b");
        assert_eq!(unknown.what, "The suite has no package a, b.");
        assert!(
            !fails("E: x\nE: An unexpected failure occurred, exiting...")
                .details
                .iter()
                .any(|line| line.contains("unexpected"))
        );
    }
}
