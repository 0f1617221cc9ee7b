// SPDX-License-Identifier: MIT OR Apache-2.0
//! From layers to an ostree deployment, by the image's own ostree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::config;
use crate::imgref::escape_for_ref;
use crate::layer;
use crate::process::CommandExt;
use crate::progress::FetchBars;
use crate::source::{Fetched, Image};

/// Directories whose content belongs to the running system, not to the tree.
const RUNTIME_DIRS: [&str; 5] = ["dev", "proc", "run", "sys", "tmp"];

/// Where an image lists the images it is bound to.
const BOUND_IMAGES: &str = "usr/lib/bootc/bound-images.d";

/// An ostree system root at the target.
#[derive(Debug)]
pub(crate) struct Sysroot {
    root: PathBuf,
}

impl Sysroot {
    /// Makes the layout. From here on the target is no longer empty.
    pub(crate) fn init(root: &Path, stateroot: &str) -> Result<Self> {
        let sysroot = Self {
            root: root.to_owned(),
        };
        Command::new("ostree")
            .args(["admin", "init-fs", "--modern"])
            .arg(root)
            .run()?;
        for (key, value) in [
            ("sysroot.bootloader", "none"),
            ("sysroot.bootprefix", "true"),
            ("sysroot.readonly", "true"),
        ] {
            sysroot.ostree(&["config", "set", key, value]).run()?;
        }
        sysroot.admin(&["stateroot-init"]).arg(stateroot).run()?;
        Ok(sysroot)
    }

    /// A place for temporary files on the target's own file system.
    pub(crate) fn tmp(&self, name: &str) -> PathBuf {
        self.root.join("ostree/repo/tmp").join(name)
    }

    fn stateroot_dir(&self, stateroot: &str) -> PathBuf {
        self.root.join("ostree/deploy").join(stateroot)
    }

    fn ostree(&self, args: &[&str]) -> Command {
        let mut command = Command::new("ostree");
        command
            .arg(format!(
                "--repo={}",
                self.root.join("ostree/repo").display()
            ))
            .args(args);
        command
    }

    fn admin(&self, args: &[&str]) -> Command {
        let mut command = Command::new("ostree");
        command
            .arg("admin")
            .args(args)
            .arg(format!("--sysroot={}", self.root.display()));
        command
    }

    /// Unpacks all layers and commits the tree. The files move into the
    /// repository, so that no second copy of them ever exists.
    pub(crate) fn import(
        &self,
        image: &Image,
        fetched: &Fetched,
        stage: &Path,
        name: &str,
        stateroot: &str,
    ) -> Result<Commit> {
        let tree = self.tmp("standin-tree");
        fs::create_dir(&tree).context("making a directory for the tree")?;
        let bars = FetchBars::new(fetched.layers.len())?;
        for descriptor in &fetched.layers {
            bars.start_layer(descriptor.size);
            fetched
                .read_layer(
                    descriptor,
                    |count| bars.add_bytes(count),
                    |tar| layer::apply(&tree, tar),
                )
                .with_context(|| format!("Parsing layer blob {}", descriptor.digest))?;
            fetched.drop_staged(descriptor, stage)?;
            bars.finish_layer();
        }
        drop(bars);
        if !read_dir_or_none(&tree.join(BOUND_IMAGES))?.is_empty() {
            bail!("the stand-in cannot install logically bound images");
        }
        let kargs = config::image_kargs(&tree)?;
        let kernel = kernel_version(&tree)?;
        self.shape(&tree, stateroot)?;
        let branch = format!("ostree/container/image/{}", escape_for_ref(name));
        let labels = &fetched.config["config"]["Labels"];
        let version = labels["org.opencontainers.image.version"].as_str();
        let manifest = String::from_utf8(image.raw_manifest.clone()).context("manifest")?;
        let mut command = self.ostree(&["commit", "--bootable", "--consume", "--no-bindings"]);
        command
            .arg(format!("--branch={branch}"))
            .arg(format!("--tree=dir={}", tree.display()))
            .arg(format!(
                "--add-metadata-string=ostree.manifest-digest={}",
                image.digest
            ))
            .arg(format!("--add-metadata-string=ostree.manifest={manifest}"))
            .args(version.map(|v| format!("--add-metadata-string=version={v}")));
        command.run()?;
        remove_if_there(&tree)?;
        Ok(Commit {
            branch,
            kernel,
            kargs,
        })
    }

    /// From a container's root to an ostree tree: /etc is the default for
    /// later, /var's content belongs to the stateroot.
    fn shape(&self, tree: &Path, stateroot: &str) -> Result<()> {
        for dir in RUNTIME_DIRS.map(|dir| tree.join(dir)) {
            clear(&dir)?;
        }
        let (etc, usr_etc) = (tree.join("etc"), tree.join("usr/etc"));
        if etc.is_dir() {
            if usr_etc.exists() {
                bail!("the image has both /etc and /usr/etc");
            }
            fs::rename(&etc, &usr_etc).context("moving /etc to /usr/etc")?;
        }
        let var = self.stateroot_dir(stateroot).join("var");
        for entry in read_dir_or_none(&tree.join("var"))? {
            let to = var.join(entry.file_name().unwrap_or_default());
            if to.symlink_metadata().is_ok() {
                remove_if_there(&entry)?;
            } else {
                fs::rename(&entry, &to).with_context(|| format!("moving {}", entry.display()))?;
            }
        }
        Ok(())
    }

    /// Checks the commit out as the next thing to boot and returns the
    /// deployment's directory.
    pub(crate) fn deploy(
        &self,
        commit: &Commit,
        stateroot: &str,
        origin: &str,
        kargs: &[String],
    ) -> Result<PathBuf> {
        let origin_file = self.tmp("standin-origin");
        let text = format!("[origin]\ncontainer-image-reference={origin}\n");
        fs::write(&origin_file, text).context("writing the origin")?;
        self.admin(&["deploy", "--karg-none"])
            .arg(format!("--stateroot={stateroot}"))
            .arg(format!("--origin-file={}", origin_file.display()))
            .args(kargs.iter().map(|karg| format!("--karg-append={karg}")))
            .arg(&commit.branch)
            .run()?;
        fs::remove_file(&origin_file).context("removing the origin's source")?;
        let dirs = read_dir_or_none(&self.stateroot_dir(stateroot).join("deploy"))?;
        match dirs.into_iter().find(|path| path.is_dir()) {
            Some(deployment) => Ok(deployment),
            None => bail!("ostree made no deployment"),
        }
    }

    /// Whether any deployment exists below `root`.
    pub(crate) fn has_deployment(root: &Path) -> Result<bool> {
        for stateroot in read_dir_or_none(&root.join("ostree/deploy"))? {
            if read_dir_or_none(&stateroot.join("deploy"))?
                .iter()
                .any(|path| path.is_dir())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What `import` made.
#[derive(Debug)]
pub(crate) struct Commit {
    branch: String,
    /// Version of the kernel in it.
    pub(crate) kernel: String,
    /// What the image's kargs.d asks for.
    pub(crate) kargs: Vec<String>,
}

/// The name of the directory that holds the kernel.
fn kernel_version(tree: &Path) -> Result<String> {
    let dirs = read_dir_or_none(&tree.join("usr/lib/modules"))?;
    let found = dirs
        .iter()
        .find(|dir| dir.join("vmlinuz").is_file())
        .and_then(|dir| dir.file_name());
    match found {
        Some(name) => Ok(name.to_string_lossy().into_owned()),
        None => bail!("Failed to find kernel in /usr/lib/modules"),
    }
}

fn read_dir_or_none(dir: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries
            .map(|entry| entry.map(|e| e.path()))
            .collect::<std::io::Result<_>>()
            .with_context(|| format!("Reading {}", dir.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("Reading {}", dir.display())),
    }
}

fn clear(dir: &Path) -> Result<()> {
    if dir.is_symlink() {
        return Ok(());
    }
    for path in read_dir_or_none(dir)? {
        remove_if_there(&path)?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.with_context(|| format!("Removing {}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_kernel_is_where_vmlinuz_is() {
        let tree = tempfile::tempdir().unwrap();
        let modules = tree.path().join("usr/lib/modules");
        fs::create_dir_all(modules.join("1-old")).unwrap();
        assert!(kernel_version(tree.path()).is_err());
        fs::create_dir_all(modules.join("2-new")).unwrap();
        fs::write(modules.join("2-new/vmlinuz"), "").unwrap();
        assert_eq!(kernel_version(tree.path()).unwrap(), "2-new");
    }
}
