// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways of installing that are compared, as commands.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::cgroup::GROUP;
use crate::run::Step;
use crate::stage::{CONFIG, INSTALLER, LAYOUT, ROOT, TARGET};

/// One column of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// The documented way: `podman pull`, then `podman run … bootc install`.
    Podman,
    /// Where podman cannot run: skopeo copies, umoci unpacks, chroot runs bootc.
    Skopeo,
    /// The engine, from the registry, the runtime root unpacked into scratch.
    Unpack,
    /// The engine, layout and runtime root used in place, as on a medium.
    InPlace,
}

impl Way {
    /// The name in file names and JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Skopeo => "skopeo",
            Self::Unpack => "unpack",
            Self::InPlace => "in-place",
        }
    }

    /// The head of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Podman => "podman pull + run",
            Self::Skopeo => "skopeo + chroot",
            Self::Unpack => "engine, registry, unpack in scratch",
            Self::InPlace => "engine, layout and runtime root in place",
        }
    }

    /// Whether it is what the engine is compared with.
    pub(crate) fn is_baseline(self) -> bool {
        matches!(self, Self::Podman | Self::Skopeo)
    }

    /// The commands, as run on the stage. `imgref` is the image in the
    /// registry, `tag` its name in the staged layout.
    pub(crate) fn steps(self, imgref: &str, tag: &str) -> Vec<Step> {
        match self {
            Self::Podman => podman(imgref),
            Self::Skopeo => skopeo(imgref),
            Self::Unpack => vec![engine(imgref, &[])],
            Self::InPlace => {
                let source = format!("oci:{LAYOUT}:{tag}");
                vec![engine(
                    imgref,
                    &["--source", &source, "--runtime-root", ROOT],
                )]
            }
        }
    }
}

/// bootc's documentation, "Installing to an existing filesystem". What differs
/// from it lets podman run where the host is no ordinary systemd machine (a
/// cgroup of our own, limits that cannot be raised) and changes no work; nor
/// does `/var/tmp`, which bootc would bind from the host by itself, and the
/// stand-in does not.
fn podman(imgref: &str) -> Vec<Step> {
    let target = format!("{TARGET}:/target");
    let parent = format!("--cgroup-parent=/{GROUP}/podman");
    let own = "--cgroup-manager=cgroupfs";
    vec![
        Step::new(
            "pull",
            [
                "podman",
                own,
                "pull",
                "--quiet",
                "--tls-verify=false",
                imgref,
            ],
        ),
        Step::new(
            "install",
            [
                "podman",
                own,
                "run",
                "--rm",
                "--privileged",
                "--pid=host",
                "--ipc=host",
                "--net=host",
                "--security-opt",
                "label=disable",
                "--pids-limit=-1",
                "--ulimit",
                "host",
                &parent,
                "--pull=never",
                "-v",
                "/dev:/dev",
                "-v",
                "/var/lib/containers:/var/lib/containers",
                "-v",
                "/var/tmp:/var/tmp",
                "-v",
                &target,
                imgref,
                "bootc",
                "install",
                "to-filesystem",
                "--bootloader",
                "none",
                "/target",
            ],
        ),
    ]
}

/// Into `$1`, the unpacked image, goes what bootc wants to see there; `$2` is
/// the layout, `$3` the target, `$4` the reference for updates.
const CHROOT: &str = r#"
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
for d in run tmp var; do mount -t tmpfs tmpfs "$1/$d"; done
mkdir -p "$1/run/udev" "$1/run/oci" "$1/run/target" "$1/var/tmp" "$1/var/lib/containers"
mount --bind "$2" "$1/run/oci"
mount --rbind "$3" "$1/run/target"
exec chroot "$1" bootc install to-filesystem --source-imgref oci:/run/oci:v1 \
    --target-imgref "$4" --bootloader none /run/target
"#;

fn skopeo(imgref: &str) -> Vec<Step> {
    let source = format!("docker://{imgref}");
    let (layout, root) = ("/var/tmp/oci", "/var/tmp/root");
    let tagged = format!("{layout}:v1");
    let to = format!("oci:{tagged}");
    vec![
        Step::new(
            "pull",
            [
                "skopeo",
                "copy",
                "--quiet",
                "--src-tls-verify=false",
                &source,
                &to,
            ],
        ),
        Step::new(
            "unpack",
            ["umoci", "raw", "unpack", "--image", &tagged, root],
        ),
        Step::new(
            "install",
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-ec",
                CHROOT,
                "install",
                root,
                layout,
                TARGET,
                imgref,
            ],
        ),
    ]
}

fn engine(imgref: &str, more: &[&str]) -> Step {
    let mut argv = vec![
        INSTALLER, "install", "--image", imgref, "--root", TARGET, "--config", CONFIG, "--events",
        "-",
    ];
    argv.extend(more);
    Step::new("install", argv)
}

/// The engine's configuration: the test registry speaks plain http, and a
/// loop device has no place for a boot loader.
pub(crate) fn engine_config(registry: &str) -> String {
    format!(
        "registryAuth:\n  registries:\n    \"{registry}\":\n      insecure: true\n\
         installOptions:\n  bootloader: none\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const IMGREF: &str = "127.0.0.1:5000/os/bench:v1";

    #[test]
    fn every_way_installs_last_and_names_the_image() {
        for way in Way::value_variants() {
            let steps = way.steps(IMGREF, "v1");
            let last = steps.last().unwrap();
            assert_eq!(last.name, "install", "{way:?}");
            assert!(last.argv.iter().any(|w| w == IMGREF), "{way:?}");
            assert!(last.argv.iter().any(|w| w.contains(TARGET)), "{way:?}");
        }
    }

    #[test]
    fn in_place_uses_nothing_but_what_is_staged() {
        let argv = Way::InPlace.steps(IMGREF, "forky").remove(0).argv;
        let after = |flag: &str| {
            let at = argv.iter().position(|w| w == flag).unwrap();
            argv[at + 1].clone()
        };
        assert_eq!(after("--source"), "oci:/run/bench/layout:forky");
        assert_eq!(after("--runtime-root"), "/run/bench/root");
    }

    #[test]
    fn bootc_is_told_the_same_about_boot_loaders() {
        for way in [Way::Podman, Way::Skopeo] {
            let words = way.steps(IMGREF, "v1").pop().unwrap().argv.join(" ");
            assert!(words.contains("--bootloader none"), "{words}");
        }
        assert!(engine_config("h").contains("bootloader: none"));
    }
}
