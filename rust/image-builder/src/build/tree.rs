// SPDX-License-Identifier: MIT OR Apache-2.0
//! The live-build tree of a distro: `iso/` with the distro's own packages,
//! files and words. What is here decides the live system below the product's
//! layer.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::di;
use super::files::{Entry, Files};
use crate::config::{Distro, Firmware};
use crate::error::Result;

static ISO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../iso");

/// The parts of the tree that decide the live system.
pub const CHROOT_PARTS: &[&str] = &[
    "hooks",
    "includes.chroot_after_packages",
    "includes.chroot_before_packages",
    "includes.chroot",
    "package-lists",
    "preseed",
    "rootfs",
    "archives",
];

/// What the medium says that it is, for programs that look at media.
const DISK_INFO: &str = "includes.binary/.disk/info";

/// The recipe that the boot menu offers. Not where a recipe alone starts an
/// installation: the other entries of the menu stay what they are.
const RECIPE: &str = "installer/unattended.yaml";

/// The entry of the boot menu for it. What happens is told on a screen and on the
/// first serial port.
fn unattended_entry() -> String {
    format!(
        "menuentry \"Install unattended (recipe)\" --hotkey=u {{\n    \
         linux @KERNEL_LIVE@ @APPEND_LIVE@ nomodeset installer.recipe=/{RECIPE} \
         console=ttyS0,115200 console=tty0\n    \
         initrd @INITRD_LIVE@\n}}\n"
    )
}

/// The whole tree, in the layout of live-build's `config/`.
///
/// # Errors
/// `IO` when the distro's own `tree` cannot be read.
pub fn tree(distro: &Distro) -> Result<Files> {
    let mut files = Files::new();
    let is_program = |path: &Path| {
        path.starts_with("hooks") || path.components().any(|part| part.as_os_str() == "libexec")
    };
    files.add_dir(&ISO, Path::new(""), &is_program);
    if let Some(dir) = &distro.tree {
        files.add_tree(dir, Path::new(""))?;
    }
    let mut files = in_lb_layout(files);
    if !distro.packages.is_empty() {
        files.add("package-lists/distro.list.chroot", lines(&distro.packages));
    }
    let firmware: Vec<String> = distro
        .firmware
        .iter()
        .flat_map(|set| firmware_packages(*set))
        .map(|name| (*name).to_owned())
        .collect();
    if !firmware.is_empty() {
        files.add("package-lists/firmware.list.chroot", lines(&firmware));
    }
    // live-build writes its own list, with live-config in it, unless there is one.
    files.add(
        "package-lists/live.list.chroot",
        "live-boot\nsystemd-sysv\n",
    );
    // live-build would write that it is a snapshot of Debian.
    files.add(DISK_INFO, disk_info(distro));
    if let Some(splash) = &distro.branding.splash {
        files.add_file(splash, "bootloaders/grub-pc/splash.png")?;
    }
    if let Some(recipe) = &distro.recipe {
        files.add_file(recipe, Path::new("includes.binary").join(RECIPE))?;
    }
    let unattended = distro.recipe.as_ref().map(|_| unattended_entry());
    files.edit(|path, text| {
        (path.starts_with("bootloaders") && text.contains("{{")).then(|| {
            text.replace("{{ product }}", &distro.product.name)
                .replace(
                    "{{ unattended }}",
                    unattended.as_deref().unwrap_or_default(),
                )
                .replace("{{ timeout }}", &distro.live.boot_timeout.to_string())
        })
    });
    Ok(files)
}

fn disk_info(distro: &Distro) -> String {
    let product = &distro.product;
    let name = [product.name.as_str(), &product.version].join(" ");
    format!(
        "{} - Installer for amd64 on Debian {}\n",
        name.trim_end(),
        distro.suite
    )
}

/// live-build keeps hooks one directory deeper than we do, and knows nothing
/// of the file that explains the tree, nor of the other medium.
fn in_lb_layout(files: Files) -> Files {
    let mut moved = Files::new();
    for (path, entry) in files.iter() {
        let to = match path.strip_prefix("hooks") {
            Ok(name) if name.components().count() == 1 => Path::new("hooks/normal").join(name),
            _ => path.to_owned(),
        };
        let mut entry = entry.clone();
        if let (true, Entry::File { executable, .. }) = (to.starts_with("hooks"), &mut entry) {
            // live-build passes over those that cannot be executed.
            *executable = true;
        }
        if to != Path::new("README.md") && !to.starts_with(di::TREE) {
            moved.insert(to, entry);
        }
    }
    moved
}

/// The parts that decide the live system.
pub fn chroot_part(tree: &Files) -> Files {
    let mut part = Files::new();
    for dir in CHROOT_PARTS {
        part.extend(tree.below(dir));
    }
    part
}

/// The parts that do not, and are needed for the medium alone.
pub fn binary_part(tree: &Files) -> Files {
    let mut part = Files::new();
    for (path, entry) in tree.iter() {
        if !CHROOT_PARTS.iter().any(|dir| path.starts_with(dir)) {
            part.insert(path, entry.clone());
        }
    }
    part
}

/// Debian's packages of a set, of the component non-free-firmware where nothing
/// else is said by Debian.
pub fn firmware_packages(set: Firmware) -> &'static [&'static str] {
    match set {
        Firmware::Wifi => &[
            "firmware-atheros",
            "firmware-brcm80211",
            "firmware-iwlwifi",
            "firmware-libertas",
            "firmware-mediatek",
            "firmware-realtek",
            "firmware-ti-connectivity",
        ],
        Firmware::Network => &[
            "firmware-bnx2",
            "firmware-bnx2x",
            "firmware-netronome",
            "firmware-qlogic",
        ],
        Firmware::Graphics => &[
            "firmware-amd-graphics",
            "firmware-intel-graphics",
            "firmware-nvidia-graphics",
        ],
        Firmware::Sound => &["firmware-intel-sound", "firmware-sof-signed"],
        Firmware::Microcode => &["amd64-microcode", "intel-microcode"],
    }
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_filled_in_and_none_is_forgotten() {
        let mut distro = Distro::default();
        distro.product.name = "My System".into();
        distro.live.boot_timeout = 3;
        let tree = tree(&distro).unwrap();
        let menu = tree.text("bootloaders/grub-pc/grub.cfg").unwrap();
        assert!(menu.contains("\"Install My System\""));
        // Those are keys of GRUB's own menu, which an entry cannot have.
        for taken in ["--hotkey=c", "--hotkey=e"] {
            assert!(!menu.contains(taken), "{taken}");
        }
        let config = tree.text("bootloaders/grub-pc/config.cfg").unwrap();
        assert!(config.contains("set timeout=3\n"));
        for (path, entry) in tree.iter() {
            if let Entry::File { content, .. } = entry {
                let text = String::from_utf8_lossy(content);
                assert!(!text.contains("{{"), "{}", path.display());
            }
        }
    }

    #[test]
    fn the_medium_says_whose_it_is() {
        let mut distro = Distro::default();
        distro.product.name = "My System".into();
        let info = |distro: &Distro| tree(distro).unwrap().text(DISK_INFO).unwrap().to_owned();
        assert_eq!(
            info(&distro),
            "My System - Installer for amd64 on Debian trixie\n"
        );
        distro.product.version = "13.1".into();
        assert!(info(&distro).starts_with("My System 13.1 - "));
    }

    /// From the menu to a shell without a screen.
    #[test]
    fn a_serial_port_is_enough() {
        let tree = tree(&Distro::default()).unwrap();
        let config = tree.text("bootloaders/grub-pc/config.cfg").unwrap();
        for line in [
            "if serial --unit=0 --speed=115200 ; then",
            "    terminal_input --append serial",
            "    terminal_output --append serial",
        ] {
            assert!(config.lines().any(|it| it == line), "{line}");
        }
        let menu = tree.text("bootloaders/grub-pc/grub.cfg").unwrap();
        let (_, entry) = menu.split_once("on the serial port\"").unwrap();
        let entry = entry.split('}').next().unwrap();
        assert!(entry.contains(" installer.text console=tty0 console=ttyS0,115200\n"));
        let getty = "includes.chroot_after_packages/etc/systemd/system/\
                     serial-getty@.service.d/autologin.conf";
        assert!(tree.text(getty).unwrap().contains("--autologin root"));
        let device = "includes.chroot_after_packages/etc/systemd/system/\
                      dev-ttyS0.device.d/timeout.conf";
        assert!(tree.text(device).is_some());
    }

    #[test]
    fn a_recipe_is_an_entry_and_a_file() {
        const ENTRY: &str = "Install unattended";
        let menu = |tree: &Files| {
            let menu = tree.text("bootloaders/grub-pc/grub.cfg").unwrap();
            menu.to_owned()
        };
        assert!(!menu(&tree(&Distro::default()).unwrap()).contains(ENTRY));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("shop.yaml");
        std::fs::write(&file, "disk: { rule: only }\n").unwrap();
        let mut distro = Distro {
            recipe: Some(file),
            ..Distro::default()
        };
        distro.check_files().unwrap();
        let tree = tree(&distro).unwrap();
        let menu = menu(&tree);
        let (_, entry) = menu.split_once(ENTRY).unwrap();
        let entry = entry.split('}').next().unwrap();
        assert!(entry.contains(" installer.recipe=/installer/unattended.yaml "));
        let on_medium = tree.text("includes.binary/installer/unattended.yaml");
        assert_eq!(on_medium, Some("disk: { rule: only }\n"));
        // The service looks for another name, so that the others stay as they are.
        let unit = "includes.chroot_after_packages/etc/systemd/system/installer-unattended.service";
        let unit = tree.text(unit).unwrap();
        assert!(unit.contains("/installer/recipe.yaml"));
        assert!(!unit.contains("unattended.yaml"));
        for (text, problem) in [
            ("disk: { id: /dev/sda }", "one disk for good"),
            ("disk: { rule: only }\nregistry: { authFile: a }", "login"),
            (
                "disk: { rule: only }\nnetwork: [{ name: up, file: b }]",
                "connection up",
            ),
        ] {
            let file = dir.path().join("bad.yaml");
            std::fs::write(&file, text).unwrap();
            distro.recipe = Some(file);
            let error = distro.check_files().unwrap_err();
            assert!(error.what.contains(problem), "{}", error.what);
        }
    }

    /// What one unit waits for, the other waits for the contrary of.
    #[test]
    fn either_a_person_or_a_recipe_installs() {
        let tree = tree(&Distro::default()).unwrap();
        let conditions = |unit: &str, sign: &str| {
            let dir = "includes.chroot_after_packages/etc/systemd/system";
            let text = tree.text(Path::new(dir).join(unit)).unwrap();
            let lines = text.lines().filter(|line| line.starts_with("Condition"));
            let found: Vec<String> = lines
                .filter(|line| !line.ends_with("installer.text"))
                .map(|line| line.replacen(sign, "=", 1))
                .collect();
            found
        };
        let recipe = conditions("installer-unattended.service", "=|");
        assert_eq!(recipe.len(), 3);
        assert_eq!(conditions("installer.service", "=!"), recipe);
        let hook = tree.text("hooks/normal/0500-units.hook.chroot").unwrap();
        assert!(hook.contains("enable installer.service installer-unattended.service "));
    }

    #[test]
    fn every_directory_is_one_that_live_build_knows() {
        let tree = tree(&Distro::default()).unwrap();
        for (path, _) in binary_part(&tree).iter() {
            let known = ["bootloaders", "includes.binary"];
            let known = known.iter().any(|dir| path.starts_with(dir));
            assert!(known, "{}", path.display());
        }
        let both = |part: Files| part.iter().count();
        assert_eq!(
            both(chroot_part(&tree)) + both(binary_part(&tree)),
            both(tree)
        );
    }

    #[test]
    fn a_picture_of_the_distro_is_the_one_that_the_menu_shows() {
        let dir = tempfile::tempdir().unwrap();
        let splash = dir.path().join("mine.png");
        std::fs::write(&splash, "png").unwrap();
        let mut distro = Distro::default();
        distro.branding.splash = Some(splash);
        let tree = tree(&distro).unwrap();
        let theme = tree
            .text("bootloaders/grub-pc/live-theme/theme.txt")
            .unwrap();
        assert!(theme.contains("desktop-image: \"../splash.png\""));
        assert_eq!(tree.text("bootloaders/grub-pc/splash.png"), Some("png"));
    }

    /// Whether a package list names this package.
    fn is_listed(package: &str) -> bool {
        tree(&Distro::default())
            .unwrap()
            .iter()
            .any(|(path, entry)| {
                let Entry::File { content, .. } = entry else {
                    return false;
                };
                path.starts_with("package-lists")
                    && String::from_utf8_lossy(content)
                        .lines()
                        .any(|line| line == package)
            })
    }

    #[test]
    fn what_scripts_and_calamares_ask_is_on_the_medium() {
        // Calamares takes a machine without UPower for one that is plugged in, and
        // the display makes its secret with xauth.
        for package in ["upower", "xauth", "xinit", "fonts-dejavu-core"] {
            assert!(is_listed(package), "{package}");
        }
        assert!(!is_listed("no-such-package"));
    }

    #[test]
    fn hooks_and_programs_can_be_executed_and_nothing_else() {
        for (path, entry) in tree(&Distro::default()).unwrap().iter() {
            let Entry::File {
                content,
                executable,
            } = entry
            else {
                continue;
            };
            assert_eq!(
                content.starts_with(b"#!"),
                *executable,
                "{}",
                path.display()
            );
            if path.starts_with("hooks") {
                assert!(path.starts_with("hooks/normal"), "{}", path.display());
            }
        }
    }

    #[test]
    fn words_of_the_boot_menu_do_not_decide_the_live_system() {
        let one = Distro::default();
        let mut other = one.clone();
        other.product.name = "Other".into();
        let part = |distro: &Distro| chroot_part(&tree(distro).unwrap()).digest();
        assert_eq!(part(&one), part(&other));
        other.packages.push("vim".into());
        assert_ne!(part(&one), part(&other));
        other.packages.clear();
        other.firmware.push(Firmware::Wifi);
        assert_ne!(part(&one), part(&other));
    }

    #[test]
    fn own_files_win() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("hooks")).unwrap();
        std::fs::write(
            dir.path().join("hooks/0600-mine.hook.chroot"),
            "#!/bin/sh\n",
        )
        .unwrap();
        std::fs::create_dir(dir.path().join("rootfs")).unwrap();
        std::fs::write(dir.path().join("rootfs/excludes"), "x\n").unwrap();
        let distro = Distro {
            tree: Some(dir.path().to_owned()),
            ..Distro::default()
        };
        let tree = tree(&distro).unwrap();
        assert!(tree.text("hooks/normal/0600-mine.hook.chroot").is_some());
        assert_eq!(tree.text("rootfs/excludes"), Some("x\n"));
    }
}
