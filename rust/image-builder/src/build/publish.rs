// SPDX-License-Identifier: MIT OR Apache-2.0
//! The results: written under other names first, and given their own when all
//! of them are whole.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use buildroot::cache;
use buildroot::cmd::CommandExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::live::Inputs;
use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::sbom::{self, Contents, Own, Package};

/// Which medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediumKind {
    /// A live system with Calamares.
    Calamares,
    /// Debian's own installer.
    DebianInstaller,
}

impl MediumKind {
    /// The name on the command line and in what tells programs of the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calamares => "calamares",
            Self::DebianInstaller => "debian-installer",
        }
    }
}

/// A medium that was made.
#[derive(Debug)]
pub(super) struct MadeMedium {
    /// Which.
    pub(super) kind: MediumKind,
    /// Where it was made.
    pub(super) iso: PathBuf,
    /// Debian's packages on it.
    pub(super) packages: Vec<Package>,
}

/// What a build leaves in the output directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefacts {
    /// The medium.
    pub iso: PathBuf,
    /// Its size in bytes.
    pub iso_bytes: u64,
    /// Its SHA-256 in hex digits.
    pub iso_sha256: String,
    /// CycloneDX.
    pub sbom: PathBuf,
    /// Names and versions of Debian's packages.
    pub packages: PathBuf,
    /// `SHA256SUMS`.
    pub sums: PathBuf,
    /// All of this as JSON.
    pub result: PathBuf,
}

/// The name that all results begin with.
pub(super) fn stem(distro: &Distro, kind: MediumKind) -> String {
    let product = &distro.product;
    let version: String = product
        .version
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    let name = match version.is_empty() {
        true => format!("{}-{}-amd64", product.id, distro.suite),
        false => format!("{}-{version}-{}-amd64", product.id, distro.suite),
    };
    match kind {
        MediumKind::Calamares => name,
        // Both media of a product may be in one directory.
        MediumKind::DebianInstaller => format!("{name}-{}", kind.name()),
    }
}

/// The sums of the results.
const SUMS: &str = "SHA256SUMS";

/// ISO, SBOM and list of packages, by their names in the output directory.
fn names(distro: &Distro, kind: MediumKind) -> [String; 3] {
    let stem = stem(distro, kind);
    ["iso", "cdx.json", "packages"].map(|end| format!("{stem}.{end}"))
}

/// What was made, for programs.
fn result_name(distro: &Distro, kind: MediumKind) -> String {
    format!("{}.json", stem(distro, kind))
}

/// Everything that a build leaves in the output directory.
pub(super) fn paths(distro: &Distro, kind: MediumKind, output: &Path) -> Vec<PathBuf> {
    let results = names(distro, kind).map(|name| output.join(name));
    let others = [
        log_path(distro, kind, output),
        output.join(SUMS),
        output.join(result_name(distro, kind)),
    ];
    results.into_iter().chain(others).collect()
}

/// The log of a build.
pub(super) fn log_path(distro: &Distro, kind: MediumKind, output: &Path) -> PathBuf {
    output.join(format!("{}.log", stem(distro, kind)))
}

/// Makes the output directory.
///
/// # Errors
/// `IO`.
pub(super) fn prepare(output: &Path) -> Result<()> {
    fs::create_dir_all(output).map_err(|err| Error::io("Making", output, &err))
}

/// Writes the results into the output directory.
///
/// # Errors
/// `IO`, `DISK_FULL`; then nothing of them is there under its own name.
pub(super) fn publish(
    inputs: &Inputs<'_>,
    medium: &MadeMedium,
    output: &Path,
) -> Result<Artefacts> {
    let kind = medium.kind;
    let stem = stem(inputs.distro, kind);
    // The same name each time: what a killed build left goes with the next one.
    let name = format!(".{stem}.partial");
    let left = output.join(&name);
    cache::remove_tree(&left).map_err(|err| {
        Error::new(Code::Io, format!("{} cannot be removed.", left.display()))
            .why("An earlier build left it, and something is mounted there or protects it.")
            .next("Remove it by hand.")
            .detail(format!("{err:#}"))
    })?;
    let partial = tempfile::Builder::new()
        .prefix(&name)
        .rand_bytes(0)
        .tempdir_in(output)
        .map_err(|err| Error::io("Making a directory in", output, &err))?;
    let names = names(inputs.distro, kind);
    let [iso, sbom, packages] = names.each_ref().map(|name| partial.path().join(name));
    link_or_copy(&medium.iso, &iso)?;
    let list = &medium.packages;
    if list.is_empty() {
        return Err(Error::new(
            Code::BuildFailed,
            "The system of the medium has no packages.",
        )
        .why("What an earlier build left in the work directory was changed by somebody.")
        .next("Run `debian-bootc-image-builder clean` and build again."));
    }
    let digests: Vec<(String, String)> = inputs
        .embedded
        .iter()
        .map(|image| {
            let digest = image.resolved.manifest_digest.to_string();
            (image.reference.clone(), digest)
        })
        .collect();
    let own = inputs.debs.iter().map(|deb| own(deb));
    let contents = Contents {
        packages: list,
        loaders: inputs.loaders,
        own: &own.collect::<Result<Vec<_>>>()?,
        hashes: inputs.hashes,
        images: &digests,
    };
    let document = sbom::document(inputs.distro, inputs.epoch, &contents);
    write(&sbom, &format!("{document:#}\n"))?;
    let lines: String = list
        .iter()
        .map(|package| format!("{}\t{}\n", package.name, package.version))
        .collect();
    write(&packages, &lines)?;
    let made = |kind, name: &str| Made::of(kind, &partial.path().join(name));
    let [made_iso, made_sbom, made_packages] = [
        made("iso", &names[0])?,
        made("sbom", &names[1])?,
        made("packages", &names[2])?,
    ];
    let sums: String = [&made_iso, &made_sbom, &made_packages]
        .iter()
        .map(|made| format!("{}  {}\n", made.sha256, made.name))
        .collect();
    write(&partial.path().join(SUMS), &sums)?;
    let (iso_bytes, iso_sha256) = (made_iso.bytes, made_iso.sha256.clone());
    let all = [made_iso, made_sbom, made_packages, made("sums", SUMS)?];
    let result = result_name(inputs.distro, kind);
    let text = format!("{:#}\n", told(inputs, kind, &all, &digests, output)?);
    write(&partial.path().join(&result), &text)?;
    let out = |name: &str| output.join(name);
    // The ISO last of all files: whoever sees it sees the rest. And what tells of
    // it after it.
    for name in [SUMS, &names[2], &names[1], &names[0], &result] {
        let (from, to) = (partial.path().join(name), out(name));
        fs::rename(&from, &to).map_err(|err| Error::io("Writing", &to, &err))?;
    }
    Ok(Artefacts {
        iso: out(&names[0]),
        iso_bytes,
        iso_sha256,
        sbom: out(&names[1]),
        packages: out(&names[2]),
        sums: out(SUMS),
        result: out(&result),
    })
}

/// A file that was made.
struct Made {
    kind: &'static str,
    name: String,
    bytes: u64,
    sha256: String,
}

impl Made {
    fn of(kind: &'static str, path: &Path) -> Result<Self> {
        let meta = path.metadata();
        Ok(Self {
            kind,
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into(),
            bytes: meta
                .map_err(|err| Error::io("Looking at", path, &err))?
                .len(),
            sha256: sha256(path)?,
        })
    }
}

/// What was made, for programs: keys are added, and never change their meaning.
fn told(
    inputs: &Inputs<'_>,
    kind: MediumKind,
    made: &[Made],
    images: &[(String, String)],
    output: &Path,
) -> Result<Value> {
    let output = std::path::absolute(output).map_err(|err| Error::io("Resolving", output, &err))?;
    let path = |name: &str| output.join(name).display().to_string();
    let artefact = |made: &Made| {
        json!({
            "kind": made.kind,
            "path": path(&made.name),
            "bytes": made.bytes,
            "sha256": made.sha256,
        })
    };
    let image = |(reference, digest): &(String, String)| json!({ "reference": reference, "digest": digest });
    let distro = inputs.distro;
    Ok(json!({
        "version": 1,
        "type": kind.name(),
        "product": distro.product.id,
        "productVersion": distro.product.version,
        "suite": distro.suite,
        "architecture": "amd64",
        "sourceDateEpoch": inputs.epoch,
        "artefacts": made.iter().map(artefact).collect::<Vec<_>>(),
        "images": images.iter().map(image).collect::<Vec<_>>(),
        "log": path(&log_path(distro, kind, Path::new("")).to_string_lossy()),
    }))
}

/// Gives files to somebody. Links are not followed: the directory may be that of
/// somebody who is not root.
///
/// # Errors
/// `IO`.
pub(crate) fn give<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
    (user, group): (u32, u32),
) -> Result<()> {
    for path in paths {
        std::os::unix::fs::lchown(path, Some(user), Some(group))
            .map_err(|err| Error::io("Changing the owner of", path, &err))?;
    }
    Ok(())
}

/// Copies what tells of the results to where it was asked for.
///
/// # Errors
/// `IO`.
pub(crate) fn tell_at(result: &Path, to: &Path) -> Result<()> {
    fs::copy(result, to)
        .map(drop)
        .map_err(|err| Error::io("Writing", to, &err))
}

/// Prints the list of crates in a package, if there is one.
const CRATES: &str = r#"
dpkg-deb --fsys-tarfile "$1" |
    tar --extract --to-stdout --wildcards './usr/share/doc/*/crates.gz' './usr/share/doc/*/crates' 2>/dev/null |
    gzip --decompress --stdout --force
"#;

/// What is to be known of a package file that is in no archive.
fn own(deb: &Path) -> Result<Own> {
    let failed = |said: String| {
        Error::new(Code::Io, format!("{} cannot be read.", deb.display()))
            .why("It is no Debian package, or damaged.")
            .detail(said)
    };
    let field = |name: &str| {
        let mut command = Command::new("dpkg-deb");
        let text = command.arg("--field").arg(deb).arg(name).read();
        text.map(|text| text.trim().to_owned())
            .map_err(|err| failed(format!("{err:#}")))
    };
    let mut command = Command::new("sh");
    let crates = command.args(["-c", CRATES, "sh"]).arg(deb).read();
    let crates = crates.map_err(|err| failed(format!("{err:#}")))?;
    Ok(Own {
        name: field("Package")?,
        version: field("Version")?,
        sha256: sha256(deb)?,
        crates: sbom::crates(&crates),
    })
}

/// The same file on the same file system, else a copy. live-build makes the
/// file anew each time, so that nothing writes to this one later.
fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .map_err(|err| Error::io("Writing", to, &err))
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|err| Error::io("Writing", path, &err))
}

pub(crate) fn sha256(path: &Path) -> Result<String> {
    let failed = |err: std::io::Error| Error::io("Reading", path, &err);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(failed)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_results_are_names_of_files() {
        let mut distro = Distro::default();
        let calamares = |distro: &Distro| stem(distro, MediumKind::Calamares);
        assert_eq!(calamares(&distro), "debian-bootc-trixie-amd64");
        assert_eq!(
            stem(&distro, MediumKind::DebianInstaller),
            "debian-bootc-trixie-amd64-debian-installer"
        );
        distro.product.version = "13.1 beta/2".into();
        assert_eq!(calamares(&distro), "debian-bootc-13.1-beta-2-trixie-amd64");
    }

    #[test]
    fn sums_are_those_of_sha256sum() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "abc").unwrap();
        assert_eq!(
            sha256(&path).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
