// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image's own wishes: `/usr/lib/bootc/install/*.toml` (from the running
//! root) and `/usr/lib/bootc/kargs.d/*.toml` (from the installed image).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// `install.toml`, merged; also what `print-configuration` prints.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct InstallConfig {
    pub(crate) filesystem: Filesystem,
    pub(crate) kargs: Option<Vec<String>>,
    pub(crate) block: Option<Vec<String>>,
    pub(crate) stateroot: Option<String>,
    pub(crate) root_mount_spec: Option<String>,
    pub(crate) boot_mount_spec: Option<String>,
    pub(crate) bootloader: Option<String>,
    #[serde(rename = "match-architectures", skip_serializing)]
    architectures: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Filesystem {
    root: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InstallFile {
    install: Option<InstallConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct KargsFile {
    kargs: Vec<String>,
    match_architectures: Option<Vec<String>>,
}

/// Reads and merges the install configuration below `root`; later files win,
/// kargs add up.
pub(crate) fn install_config(root: &Path) -> Result<InstallConfig> {
    let mut files = Vec::new();
    for dir in ["usr/lib/bootc/install", "etc/bootc/install"] {
        files.extend(toml_files(&root.join(dir))?);
    }
    // By file name over all directories, as systemd's drop-ins are ordered.
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    let mut merged = InstallConfig::default();
    for path in files {
        let text =
            fs::read_to_string(&path).with_context(|| format!("Reading {}", path.display()))?;
        merged
            .merge(&text)
            .with_context(|| format!("Parsing {}", path.display()))?;
    }
    Ok(merged)
}

impl InstallConfig {
    fn merge(&mut self, text: &str) -> Result<()> {
        let Some(file) = toml::from_str::<InstallFile>(text)?.install else {
            return Ok(());
        };
        if !matches_here(file.architectures.as_deref()) {
            return Ok(());
        }
        self.filesystem.root.extend(file.filesystem.root);
        if let Some(kargs) = file.kargs {
            self.kargs.get_or_insert_with(Vec::new).extend(kargs);
        }
        let scalars = [
            (&mut self.stateroot, file.stateroot),
            (&mut self.root_mount_spec, file.root_mount_spec),
            (&mut self.boot_mount_spec, file.boot_mount_spec),
            (&mut self.bootloader, file.bootloader),
        ];
        for (mine, theirs) in scalars {
            if theirs.is_some() {
                *mine = theirs;
            }
        }
        if file.block.is_some() {
            self.block = file.block;
        }
        Ok(())
    }
}

/// The kernel arguments that an image's `kargs.d` asks for.
pub(crate) fn image_kargs(root: &Path) -> Result<Vec<String>> {
    let mut kargs = Vec::new();
    for path in toml_files(&root.join("usr/lib/bootc/kargs.d"))? {
        let text =
            fs::read_to_string(&path).with_context(|| format!("Reading {}", path.display()))?;
        kargs.extend(parse_kargs(&text).with_context(|| format!("Parsing {}", path.display()))?);
    }
    Ok(kargs)
}

fn parse_kargs(text: &str) -> Result<Vec<String>> {
    let file: KargsFile = toml::from_str(text)?;
    Ok(if matches_here(file.match_architectures.as_deref()) {
        file.kargs
    } else {
        Vec::new()
    })
}

fn matches_here(architectures: Option<&[String]>) -> bool {
    architectures.is_none_or(|list| list.iter().any(|a| a == std::env::consts::ARCH))
}

fn toml_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("Reading {}", dir.display())),
    };
    let mut files = entries
        .map(|entry| entry.map(|e| e.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(|| format!("Reading {}", dir.display()))?;
    files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    files.sort();
    Ok(files)
}

/// Where the kernel finds root and /boot.
#[derive(Clone, Debug, Default)]
pub(crate) struct MountSpecs {
    /// `root=`; empty means no root arguments at all.
    pub(crate) root: String,
    /// btrfs subvolume, as the mount options name it.
    pub(crate) subvol: Option<String>,
    /// `boot=`, when /boot is its own file system.
    pub(crate) boot: Option<String>,
}

/// All kernel arguments in bootc's order: root=, rootflags=, rw, boot=,
/// install.toml, the image's kargs.d, minus `delete`, plus `add`.
pub(crate) fn kernel_arguments(
    specs: &MountSpecs,
    install: &[String],
    image: &[String],
    delete: &[String],
    add: &[String],
) -> Vec<String> {
    let mut kargs = Vec::new();
    if !specs.root.is_empty() {
        kargs.push(format!("root={}", specs.root));
        kargs.extend(specs.subvol.iter().map(|s| format!("rootflags=subvol={s}")));
        kargs.push("rw".to_owned());
    }
    kargs.extend(specs.boot.iter().map(|b| format!("boot={b}")));
    kargs.extend(install.iter().chain(image).cloned());
    let deleted = |karg: &String| {
        delete
            .iter()
            .any(|d| karg == d || karg.split_once('=').is_some_and(|(key, _)| key == d))
    };
    kargs.retain(|karg| !deleted(karg));
    kargs.extend(add.iter().cloned());
    kargs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn kernel_arguments_keep_bootcs_order() {
        let specs = MountSpecs {
            root: "UUID=1".into(),
            subvol: Some("/@".into()),
            boot: Some("UUID=2".into()),
        };
        let kargs = kernel_arguments(
            &specs,
            &strings(&["quiet"]),
            &strings(&["console=tty0", "console=ttyS0"]),
            &strings(&["quiet"]),
            &strings(&["extra=1"]),
        );
        assert_eq!(
            kargs.join(" "),
            "root=UUID=1 rootflags=subvol=/@ rw boot=UUID=2 console=tty0 console=ttyS0 extra=1"
        );
    }

    #[test]
    fn an_empty_root_spec_means_no_root_arguments() {
        let specs = MountSpecs {
            root: String::new(),
            subvol: Some("/".into()),
            boot: None,
        };
        assert!(kernel_arguments(&specs, &[], &[], &[], &[]).is_empty());
    }

    #[test]
    fn a_key_deletes_every_value_and_a_pair_only_itself() {
        let specs = MountSpecs::default();
        let image = strings(&["console=tty0", "console=ttyS0", "a"]);
        assert!(kernel_arguments(&specs, &[], &image, &strings(&["console", "a"]), &[]).is_empty());
        let left = kernel_arguments(&specs, &[], &image, &strings(&["console=tty0"]), &[]);
        assert_eq!(left, ["console=ttyS0", "a"]);
    }

    #[test]
    fn install_files_merge() {
        let mut config = InstallConfig::default();
        config
            .merge("[install.filesystem.root]\ntype = \"ext4\"\n")
            .unwrap();
        config
            .merge("[install]\nkargs = [\"a\"]\nstateroot = \"one\"\n")
            .unwrap();
        config
            .merge("[install]\nkargs = [\"b\"]\nmatch-architectures = [\"vax\"]\n")
            .unwrap();
        config
            .merge("[install]\nkargs = [\"c\"]\nstateroot = \"two\"\n")
            .unwrap();
        let json = serde_json::to_value(&config).unwrap();
        assert_eq!(json["filesystem"]["root"]["type"], "ext4");
        assert_eq!(json["kargs"], serde_json::json!(["a", "c"]));
        assert_eq!(json["stateroot"], "two");
        assert!(json["bootloader"].is_null());
    }

    #[test]
    fn kargs_files_can_be_for_another_architecture() {
        assert_eq!(parse_kargs("kargs = [\"a\", \"b\"]").unwrap(), ["a", "b"]);
        assert!(
            parse_kargs("kargs = [\"a\"]\nmatch-architectures = [\"vax\"]")
                .unwrap()
                .is_empty()
        );
    }
}
