// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tree cut into layers, so that every broken variant is the standard
//! image with one layer left out, and shares all other blobs with it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::oci::{self, Layer};
use crate::recipe;

/// gzip's level for the standard image, which is made once and read often.
const LEVEL: u32 = 6;

/// Modification time of every entry: 2026-01-01 00:00:00 UTC.
const MTIME: &str = "@1767225600";

/// One layer: entries without and with their content, less the excluded ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cut {
    name: &'static str,
    /// Parent directories, entered without content, outermost first. Some
    /// readers want a directory's entry before those of its children.
    parents: Vec<String>,
    members: Vec<String>,
    excludes: Vec<String>,
    /// Modes of the tree are accidental (umask): write the usual ones.
    usual_modes: bool,
}

/// How the tree of this kernel is cut, lowest layer first.
fn cuts(kernel: &str) -> Vec<Cut> {
    let modules = format!("usr/lib/modules/{kernel}");
    let (vmlinuz, initramfs) = (
        format!("{modules}/vmlinuz"),
        format!("{modules}/initramfs.img"),
    );
    let prepare_root = "usr/lib/ostree/prepare-root.conf".to_owned();
    let strings = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let in_modules = |name, member: &String| Cut {
        name,
        parents: [
            strings(&["usr", "usr/lib", "usr/lib/modules"]),
            vec![modules.clone()],
        ]
        .concat(),
        members: vec![member.clone()],
        ..Cut::default()
    };
    let skeleton = strings(&["boot", "etc", "run", "sysroot", "tmp", "var"]);
    let links = recipe::top_level_links().map(str::to_owned);
    vec![
        Cut {
            name: "userland",
            members: strings(&["bin", "lib", "lib64", "sbin", "usr"]),
            excludes: vec!["usr/lib/modules".to_owned(), prepare_root.clone()],
            ..Cut::default()
        },
        Cut {
            name: "modules",
            parents: strings(&["usr", "usr/lib"]),
            members: strings(&["usr/lib/modules"]),
            excludes: vec![vmlinuz.clone(), initramfs.clone()],
            ..Cut::default()
        },
        in_modules("kernel", &vmlinuz),
        in_modules("initramfs", &initramfs),
        Cut {
            name: "prepare-root",
            parents: strings(&["usr", "usr/lib", "usr/lib/ostree"]),
            members: vec![prepare_root],
            ..Cut::default()
        },
        Cut {
            name: "skeleton",
            members: skeleton.into_iter().chain(links).collect(),
            ..Cut::default()
        },
        Cut {
            name: "mountpoints",
            members: strings(&["dev", "proc", "sys"]),
            ..Cut::default()
        },
    ]
}

/// What decides the layers besides the tree.
pub(crate) fn key() -> String {
    format!("{LEVEL} {MTIME} {:?}", cuts("KERNEL"))
}

/// Cuts the tree and writes the layers into the layout, each in its thread.
pub(crate) fn write(tree: &Path, kernel: &str, layout: &Path) -> Result<Vec<Layer>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = cuts(kernel)
            .into_iter()
            .map(|cut| scope.spawn(move || write_tar(tree, &cut, layout, LEVEL)))
            .collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(layer) => layer,
                Err(_) => bail!("a thread that writes a layer panicked"),
            })
            .collect()
    })
}

/// A layer of everything in `tree`, with usual modes (755, 644).
pub(crate) fn write_all(
    tree: &Path,
    name: &'static str,
    layout: &Path,
    level: u32,
) -> Result<Layer> {
    let cut = Cut {
        name,
        members: vec![".".to_owned()],
        ..Cut::default()
    };
    write_tar(tree, &cut, layout, level)
}

fn write_tar(tree: &Path, cut: &Cut, layout: &Path, level: u32) -> Result<Layer> {
    let mut child = Command::new("tar")
        .args(arguments(tree, cut))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting tar")?;
    let mut stdout = child.stdout.take().context("tar without stdout")?;
    let layer = oci::write_layer(layout, cut.name, &mut stdout, level);
    drop(stdout);
    let status = child.wait().context("waiting for tar")?;
    let layer = layer?;
    if !status.success() {
        bail!("tar of the layer {} failed ({status})", cut.name);
    }
    Ok(layer)
}

fn arguments(tree: &Path, cut: &Cut) -> Vec<String> {
    let mut args: Vec<String> = [
        "--create",
        "--sort=name",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=security.capability",
        "--format=posix",
        // Names and times of the writing process would make each run differ.
        "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
    ]
    .map(str::to_owned)
    .to_vec();
    args.push(format!("--mtime={MTIME}"));
    args.push(format!("--directory={}", tree.display()));
    if cut.usual_modes {
        args.push("--mode=u=rwX,go=rX".to_owned());
    }
    args.push("--anchored".to_owned());
    args.extend(cut.excludes.iter().map(|path| format!("--exclude={path}")));
    args.push("--no-recursion".to_owned());
    args.extend(cut.parents.iter().cloned());
    args.push("--recursion".to_owned());
    args.extend(cut.members.iter().cloned());
    args
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parents_come_before_members() {
        for cut in cuts("7.2") {
            for member in &cut.members {
                let mut parent = Path::new(member).parent().unwrap();
                while parent != Path::new("") {
                    assert!(
                        cut.parents.iter().any(|p| Path::new(p) == parent),
                        "{cut:?}"
                    );
                    parent = parent.parent().unwrap();
                }
            }
            let depth = |p: &String| p.matches('/').count();
            assert!(
                cut.parents
                    .windows(2)
                    .all(|pair| depth(&pair[0]) < depth(&pair[1]))
            );
        }
    }

    #[test]
    fn what_one_layer_excludes_another_one_has() {
        let cuts = cuts("7.2");
        for excluded in cuts.iter().flat_map(|cut| &cut.excludes) {
            assert!(
                cuts.iter().any(|cut| cut.members.contains(excluded)),
                "{excluded}"
            );
        }
    }

    #[test]
    fn layers_are_cut_reproducibly() {
        let tree = tempfile::tempdir().unwrap();
        for path in [
            "usr/lib/modules/7.2",
            "usr/lib/ostree",
            "usr/bin",
            "etc",
            "proc",
            "sys",
            "dev",
        ] {
            std::fs::create_dir_all(tree.path().join(path)).unwrap();
        }
        for file in [
            "usr/lib/modules/7.2/vmlinuz",
            "usr/lib/ostree/prepare-root.conf",
            "usr/bin/x",
        ] {
            std::fs::write(tree.path().join(file), file).unwrap();
        }
        let list = |name: &str| {
            let cut = cuts("7.2")
                .into_iter()
                .find(|cut| cut.name == name)
                .unwrap();
            let members = cut
                .members
                .iter()
                .filter(|m| tree.path().join(m).exists())
                .cloned();
            let cut = Cut {
                members: members.collect(),
                ..cut
            };
            let tar = Command::new("tar")
                .args(arguments(tree.path(), &cut))
                .output()
                .unwrap();
            let again = Command::new("tar")
                .args(arguments(tree.path(), &cut))
                .output()
                .unwrap();
            assert!(
                tar.status.success() && tar.stdout == again.stdout,
                "{tar:?}"
            );
            let path = tree.path().join("listed.tar");
            std::fs::write(&path, &tar.stdout).unwrap();
            let listing = Command::new("tar")
                .arg("-tf")
                .arg(&path)
                .output()
                .unwrap()
                .stdout;
            std::fs::remove_file(path).unwrap();
            String::from_utf8(listing)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            list("userland"),
            [
                "usr/",
                "usr/bin/",
                "usr/bin/x",
                "usr/lib/",
                "usr/lib/ostree/"
            ]
        );
        assert_eq!(
            list("kernel"),
            [
                "usr/",
                "usr/lib/",
                "usr/lib/modules/",
                "usr/lib/modules/7.2/",
                "usr/lib/modules/7.2/vmlinuz"
            ]
        );
        assert_eq!(list("mountpoints"), ["dev/", "proc/", "sys/"]);
    }
}
