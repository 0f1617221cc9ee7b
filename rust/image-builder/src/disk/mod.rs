// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disk images: the image installed onto a disk in a file, by the engine that
//! also installs machines, and that disk in the forms that machines take.
//!
//! ```text
//! look at everything that can be refused   (nothing is written)
//! disk          bootc-installer's own `to-disk`; one for each set of kernel arguments
//! conversions   qemu-img
//! results       moved out as one, with their sums
//! ```

mod contents;
pub mod kind;
mod make;
pub(crate) mod wish;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ::blueprint::Blueprint;
use buildroot::{apt, cache, cmd};
use contract::disk_plan::DiskFs;
use contract::event::Summary;
use contract::plan::Plan;
use host::cancel::Cancel;
use ignition::Provision;
use installer::cli::image_plan;

use crate::build::{embed, publish};
use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::output::{Partial, image_stem};
use crate::progress::Progress;
use crate::sbom::{self, OnDisk};
use contents::InImage;
use kind::DiskKind;
pub(crate) use make::failed;

/// A copy of the image, among what is made.
const COPY: &str = "image";

/// What is to be made, and where.
#[derive(Debug, Clone)]
pub struct DiskRequest {
    /// How registries are reached, and what results are called when it is of a
    /// file.
    pub distro: Distro,
    /// `host/name:tag`, `oci:DIR[:TAG]`, or `containers-storage:NAME`.
    pub image: String,
    /// What the system updates from; the image without it.
    pub target_imgref: Option<String>,
    /// Which kinds, each once.
    pub kinds: Vec<DiskKind>,
    /// What the disk has beside the image.
    pub blueprint: Blueprint,
    /// The same, by an Ignition configuration.
    pub ignition: Option<Provision>,
    /// File system of the root; that of the blueprint, else ext4.
    pub filesystem: Option<DiskFs>,
    /// Bytes of the disk; what the image and the blueprint need without it.
    pub size: Option<u64>,
    /// Where results go.
    pub output: PathBuf,
    /// Where what was made is told besides, as JSON.
    pub result: Option<PathBuf>,
    /// Whom results are given to: user and group by their numbers.
    pub owner: Option<(u32, u32)>,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskFile {
    /// What it is.
    pub kind: DiskKind,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes of the file; a raw one has holes.
    pub bytes: u64,
    /// Its SHA-256 in hex digits.
    pub sha256: String,
}

/// All results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskArtefacts {
    /// In the order in which they were asked for.
    pub files: Vec<DiskFile>,
    /// Digest of the manifest that was installed.
    pub digest: String,
    /// Their SHA-256, for `sha256sum --check`.
    pub sums: PathBuf,
    /// What is in them: CycloneDX.
    pub sbom: PathBuf,
}

/// The list of a build: disks, and what each becomes.
#[derive(Debug)]
pub struct DiskSteps {
    request: DiskRequest,
    layout: wish::Layout,
    stem: String,
    /// Kinds by the kernel arguments of their disk.
    disks: BTreeMap<Vec<&'static str>, Vec<DiskKind>>,
}

impl DiskSteps {
    /// The list of a request. Nothing is looked up and nothing is written.
    ///
    /// # Errors
    /// `CONFIG_INVALID` for a blueprint with what is not made, `IMAGE_REFUSED`
    /// for an image that cannot be meant.
    pub fn of(request: &DiskRequest) -> Result<Self> {
        let local = stored(&request.image).is_some_and(|name| name.starts_with("localhost/"));
        if local && request.target_imgref.is_none() {
            return Err(Error::new(
                Code::Usage,
                format!("No machine can update from {}.", request.image),
            )
            .why("The image is in the storage of this machine only.")
            .next("Add --target-imgref with the reference that it will be pushed to."));
        }
        let steps = Self {
            layout: wish::layout(&request.blueprint.customizations)?,
            stem: image_stem(&request.distro, &request.image),
            disks: by_kargs(&request.kinds),
            request: request.clone(),
        };
        steps.plan(&[])?;
        Ok(steps)
    }

    fn filesystem(&self) -> DiskFs {
        let wished = self.request.filesystem.or(self.layout.root_fs);
        wished.unwrap_or_default()
    }

    /// The engine's plan, without the disk.
    fn plan(&self, kargs: &[&str]) -> Result<Plan> {
        let DiskRequest { distro, image, .. } = &self.request;
        let target = self.request.target_imgref.as_deref();
        let copy = self.copy();
        let (image, target) = match (stored(image), &copy) {
            // What has a registry's name is updated from there.
            (Some(name), Some(copy)) => (copy, target.or(Some(name))),
            _ => (image, target),
        };
        let config = embed::engine_config(distro);
        let mut plan = image_plan(image, target, config).map_err(|err| make::failed(image, err))?;
        let wished = self.request.blueprint.customizations.kernel.arguments();
        plan.bootc.kargs.extend(wished);
        plan.bootc.kargs.extend(kargs.iter().map(|&k| k.to_owned()));
        wish::customise(&self.request.blueprint, &mut plan.deployment)?;
        if let Some(provision) = &self.request.ignition {
            provision.clone().add_to(&mut plan);
        }
        plan.validate().map_err(|err| make::failed(image, err))?;
        Ok(plan)
    }

    /// What would be done, numbered, with the commands as they could be typed.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        let partial = self.partial();
        let mut number = 0;
        let mut step = |what: &str, lines: &[String]| {
            number += 1;
            text.push_str(&format!("{number}. {what}\n"));
            for line in lines {
                text.push_str(&format!("     {line}\n"));
            }
        };
        step("look at this machine and at the image", &[]);
        let mut image = self.request.image.clone();
        if let (Some(_), Some(copy)) = (stored(&image), self.copy()) {
            let line = format!("$ skopeo copy {image} {copy}");
            step("copy the image out of the storage of podman", &[line]);
            image = copy;
        }
        for (index, (kargs, kinds)) in self.disks.iter().enumerate() {
            let raw = partial.join(raw_name(index));
            let mut line = format!(
                "$ bootc-installer to-disk --image {image} --filesystem {} --file {}",
                self.filesystem(),
                raw.display()
            );
            for karg in kargs.iter() {
                line.push_str(&format!(" --karg {karg}"));
            }
            let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
            step(
                &format!("install onto a disk for {}", names.join(", ")),
                &[line],
            );
            for kind in kinds {
                let to = partial.join(kind.file_name(&self.stem));
                if let Some(args) = kind.convert(&raw, &to) {
                    let args: Vec<_> = args.iter().map(|a| a.to_string_lossy()).collect();
                    let line = format!("$ qemu-img {}", args.join(" "));
                    step(&format!("convert it to {}", kind.name()), &[line]);
                }
            }
        }
        let results = self.request.kinds.iter();
        let results = results.map(|kind| kind.file_name(&self.stem));
        let results: Vec<_> = results
            .chain([self.sums(), self.sbom(), self.result()])
            .map(|name| format!("> {}", self.request.output.join(name).display()))
            .collect();
        step("move the results out as one", &results);
        text
    }

    /// The layout that an image of the storage is copied into; none when its path
    /// is none for a reference.
    fn copy(&self) -> Option<String> {
        let dir = std::path::absolute(self.partial().join(COPY)).ok()?;
        Some(format!("oci:{}:latest", dir.display()))
    }

    /// Not `SHA256SUMS`: a medium's may be there.
    fn sums(&self) -> String {
        format!("{}.sha256sums", self.stem)
    }

    fn sbom(&self) -> String {
        format!("{}.cdx.json", self.stem)
    }

    /// What tells programs of the results.
    fn result(&self) -> String {
        format!("{}.json", self.stem)
    }

    /// Where everything is made, beside where it goes: moving it is a rename.
    fn partial(&self) -> PathBuf {
        let name = format!(".{}.disks.partial", self.stem);
        self.request.output.join(name)
    }

    /// Makes the disks.
    ///
    /// # Errors
    /// Every code of [`Code`]; nothing is left then but what was there.
    pub fn play(&self, progress: &mut Progress, stop: &Cancel) -> Result<DiskArtefacts> {
        progress.stage("checking");
        self.require()?;
        fs::create_dir_all(&self.request.output)
            .map_err(|err| Error::io("Making", &self.request.output, &err))?;
        let partial = Partial::new(&self.request.output, &self.partial())?;
        if let (Some(_), Some(copy)) = (stored(&self.request.image), self.copy()) {
            progress.stage("copying the image");
            make::copy(&self.request.image, &copy, progress, stop)?;
        }
        let mut made = BTreeMap::new();
        let mut installed = None;
        for (index, (kargs, kinds)) in self.disks.iter().enumerate() {
            let raw = partial.path().join(raw_name(index));
            let summary = make::disk(self, kargs, &raw, progress, stop)?;
            if installed.is_none() {
                progress.stage("looking at what is in it");
                let inside = contents::read(&raw, &summary, stop)?;
                if inside.packages.is_empty() {
                    progress.note(
                        "warning: the SBOM has no packages: the image has no list of dpkg's.",
                    );
                }
                installed = Some((summary, inside));
            }
            for &kind in kinds {
                stop.check()?;
                let to = partial.path().join(kind.file_name(&self.stem));
                if let Some(args) = kind.convert(&raw, &to) {
                    progress.stage(&format!("converting to {}", kind.name()));
                    make::convert(args, progress, stop)?;
                }
                made.insert(kind, to);
            }
            // After the conversions, which read it.
            let itself = kinds.iter().filter(|kind| !kind.is_converted());
            let itself: Vec<_> = itself.map(|kind| &made[kind]).collect();
            let renamed = match &itself[..] {
                [] => fs::remove_file(&raw),
                [first, others @ ..] => others
                    .iter()
                    .try_for_each(|to| fs::hard_link(&raw, to))
                    .and_then(|()| fs::rename(&raw, first)),
            };
            renamed.map_err(|err| Error::io("Naming", &raw, &err))?;
        }
        progress.stage("results");
        cache::remove_tree(&partial.path().join(COPY)).map_err(|err| {
            Error::new(Code::Io, "The copy of the image cannot be removed.")
                .detail(format!("{err:#}"))
        })?;
        let (summary, inside) = installed.ok_or_else(|| Error::defect("No disk was asked for."))?;
        self.publish(&partial, &summary, &inside)
    }

    fn publish(
        &self,
        partial: &Partial,
        installed: &Summary,
        inside: &InImage,
    ) -> Result<DiskArtefacts> {
        let digest = installed.digest.as_str();
        let mut files = Vec::new();
        let mut sums = String::new();
        for &kind in &self.request.kinds {
            let name = kind.file_name(&self.stem);
            let path = partial.path().join(&name);
            let about = path
                .metadata()
                .map_err(|e| Error::io("Looking at", &path, &e))?;
            let sha256 = publish::sha256(&path)?;
            sums.push_str(&format!("{sha256}  {name}\n"));
            files.push(DiskFile {
                kind,
                path: self.request.output.join(&name),
                bytes: about.len(),
                sha256,
            });
        }
        let named: Vec<(String, String)> = files
            .iter()
            .map(|file| (file.kind.file_name(&self.stem), file.sha256.clone()))
            .collect();
        let document = sbom::disk_document(
            &self.stem,
            &OnDisk {
                image: (&self.request.image, digest),
                os: (&inside.os, &inside.release),
                packages: &inside.packages,
                loaders: &installed.bootloaders,
                files: &named,
            },
        );
        let sbom = partial.path().join(self.sbom());
        let text = format!("{document:#}\n");
        publish::write(&sbom, &text)?;
        let sha256 = publish::sha256(&sbom)?;
        sums.push_str(&format!("{sha256}  {}\n", self.sbom()));
        let sbom = (text.len(), sha256);
        publish::write(&partial.path().join(self.sums()), &sums)?;
        let result = self.result();
        let text = format!("{:#}\n", self.told(&files, sbom, digest)?);
        publish::write(&partial.path().join(&result), &text)?;
        partial.move_out(&self.request.output)?;
        let made = DiskArtefacts {
            files,
            digest: digest.to_owned(),
            sums: self.request.output.join(self.sums()),
            sbom: self.request.output.join(self.sbom()),
        };
        let result = self.request.output.join(result);
        if let Some(owner) = self.request.owner {
            let files = made.files.iter().map(|file| file.path.as_path());
            publish::give(files.chain([&*made.sums, &*made.sbom, &*result]), owner)?;
        }
        if let Some(to) = &self.request.result {
            publish::tell_at(&result, to)?;
        }
        Ok(made)
    }

    /// What was made, for programs, as the builder tells it of a medium.
    fn told(
        &self,
        files: &[DiskFile],
        (bytes, sha256): (usize, String),
        digest: &str,
    ) -> Result<serde_json::Value> {
        let absolute = |path: &Path| {
            let path =
                std::path::absolute(path).map_err(|err| Error::io("Resolving", path, &err))?;
            Ok::<_, Error>(path.display().to_string())
        };
        let artefact = |file: &DiskFile| {
            Ok(serde_json::json!({
                "kind": file.kind.name(),
                "path": absolute(&file.path)?,
                "bytes": file.bytes,
                "sha256": file.sha256,
            }))
        };
        let mut artefacts = files.iter().map(artefact).collect::<Result<Vec<_>>>()?;
        artefacts.push(serde_json::json!({
            "kind": "sbom",
            "path": absolute(&self.request.output.join(self.sbom()))?,
            "bytes": bytes,
            "sha256": sha256,
        }));
        Ok(serde_json::json!({
            "version": 1,
            "type": "disk",
            "architecture": "amd64",
            "artefacts": artefacts,
            "images": [{ "reference": self.request.image, "digest": digest }],
        }))
    }

    /// This machine: what the engine needs it looks for itself.
    fn require(&self) -> Result<()> {
        if !cmd::is_root() {
            return Err(Error::new(Code::NotRoot, "Making a disk image needs root.")
                .why("It sets up a loop device, mounts it and runs the image's own programs.")
                .next("Run the same command with sudo."));
        }
        let converts = self.request.kinds.iter().any(|kind| kind.is_converted());
        let mut tools = vec!["sfdisk", "mkfs.vfat", "mcopy"];
        tools.extend(converts.then_some("qemu-img"));
        tools.extend(stored(&self.request.image).map(|_| "skopeo"));
        apt::ensure(&tools).map_err(|err| {
            Error::new(Code::ToolMissing, "A program for disk images is missing.")
                .detail(format!("{err:#}"))
        })
    }
}

/// The name of an image in the storage of podman and buildah.
fn stored(image: &str) -> Option<&str> {
    image.strip_prefix("containers-storage:")
}

fn raw_name(index: usize) -> String {
    format!("disk-{index}.raw")
}

fn by_kargs(kinds: &[DiskKind]) -> BTreeMap<Vec<&'static str>, Vec<DiskKind>> {
    let mut disks: BTreeMap<Vec<&'static str>, Vec<DiskKind>> = BTreeMap::new();
    for kind in kinds {
        let of_these = disks.entry(kind.kargs().to_vec()).or_default();
        if !of_these.contains(kind) {
            of_these.push(*kind);
        }
    }
    disks
}

/// One line for each result, and what to do next with it.
pub fn summary(made: &DiskArtefacts, seconds: u64) -> String {
    let mut text = String::new();
    for file in &made.files {
        let allocated = allocated(&file.path).unwrap_or(file.bytes);
        text.push_str(&format!(
            "{}  {} on this disk\n  sha256    {}\n",
            file.path.display(),
            contract::size::human(allocated),
            file.sha256
        ));
        if let Some(next) = file.kind.next(&file.path) {
            text.push_str(&next);
            text.push('\n');
        }
    }
    text.push_str(&format!(
        "image     {}\nSBOM      {}\nsums      {}\nmade in {} min {:02} s\n",
        made.digest,
        made.sbom.display(),
        made.sums.display(),
        seconds / 60,
        seconds % 60
    ));
    text
}

fn allocated(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(path.metadata().ok()?.blocks() * 512)
}

#[cfg(test)]
mod tests;
