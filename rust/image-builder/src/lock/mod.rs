// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lock file of a medium: everything that decided its bytes, written beside it.
//! A build from it makes the same medium or is refused, and a medium can be compared
//! with it. Pure.

mod diff;
mod pins;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
pub use diff::{Pinned, file_differences, listed, package_differences, sums};
pub(crate) use pins::{pinned, pinned_own};

/// The form that this program writes, and the newest that it reads.
const VERSION: u32 = 1;
/// How many differences an error shows.
const SHOWN: usize = 20;

/// What decided a medium. Keys are added, and never change their meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// [`VERSION`].
    pub version: u32,
    /// `SOURCE_DATE_EPOCH`, in seconds after 1970.
    pub source_date_epoch: u64,
    /// A hash over the release files of the archives.
    pub archive: String,
    /// What distro.yaml and the builder decide.
    #[serde(flatten)]
    pub decided: Decided,
    /// Packages of the root in which live-build ran; boot loaders are of it.
    pub tools: Vec<Pinned>,
    /// Packages of the live system, but for [`Lock::own`].
    pub packages: Vec<Pinned>,
    /// Package files that are of no archive.
    pub own: Vec<Pinned>,
    /// Embedded images.
    pub images: Vec<PinnedImage>,
    /// The medium.
    pub iso: PinnedIso,
    /// SHA-256 of the files on it by their paths, as its own check has them.
    pub files: BTreeMap<String, String>,
}

/// What is known before anything is looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decided {
    /// The builder's version.
    pub builder: String,
    /// `product.id`.
    pub product: String,
    /// `product.version`.
    pub product_version: String,
    /// `suite`.
    pub suite: String,
    /// Debian's name of the processor.
    pub architecture: String,
    /// `mirrors.snapshot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// A hash over the options of live-build.
    pub options: String,
    /// A hash over the live-build tree.
    pub tree: String,
    /// A hash over the product's layer.
    pub layer: String,
}

/// An embedded image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedImage {
    /// Its whole reference.
    pub reference: String,
    /// Digest of its manifest.
    pub digest: String,
    /// Digest of the index that the manifest was chosen from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
}

/// The medium.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedIso {
    /// Its name when it was made.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its sum.
    pub sha256: String,
}

/// A lock, and the file that it is from.
#[derive(Debug, Clone)]
pub struct Locked {
    /// For messages.
    pub path: PathBuf,
    /// What it says.
    pub lock: Lock,
}

impl Locked {
    /// Reads a file.
    ///
    /// # Errors
    /// `CONFIG_INVALID` when it is none of this program, or of a newer one.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|err| {
            Error::new(
                Code::ConfigInvalid,
                format!("The lock file {} cannot be read.", path.display()),
            )
            .why("It is missing, not readable, or no UTF-8 text.")
            .next("Name the STEM.lock.json that a build has left beside its ISO.")
            .detail(err.to_string())
        })?;
        let lock = parse(&text).map_err(|why| {
            let what = format!("{} is no lock file of this program.", path.display());
            Error::new(Code::ConfigInvalid, what)
                .why("It was written by a newer builder, or changed by hand.")
                .next("Name the STEM.lock.json that a build has left beside its ISO.")
                .detail(why)
        })?;
        Ok(Self {
            path: path.to_owned(),
            lock,
        })
    }

    /// Refuses to go on where anything differs.
    ///
    /// # Errors
    /// `LOCK_MISMATCH` with the differences, unless there are none.
    pub fn require(&self, differences: Vec<String>) -> Result<()> {
        let Some(first) = differences.first() else {
            return Ok(());
        };
        let what = format!(
            "This would not be the medium of {}: {first}.",
            self.path.display()
        );
        let error = Error::new(Code::LockMismatch, what)
            .why("The archive, the builder, distro.yaml or a file that it names is another than then.")
            .next("Bring back what differs: the archive with `mirrors.snapshot`, packages with --debs, the builder by its version; or build without --locked.");
        Err(shown(error, &differences))
    }
}

impl Locked {
    /// Refuses a medium that was made and is not the one of the lock.
    ///
    /// # Errors
    /// `MEDIUM_DIFFERS` with what is other.
    pub fn require_same(&self, made: &Lock) -> Result<()> {
        let Self { path, lock } = self;
        if lock.iso.sha256 == made.iso.sha256 {
            return Ok(());
        }
        let packages = package_differences("package", &lock.packages, &made.packages);
        let files = file_differences(&lock.files, &made.files);
        let what = format!("What was made is not the medium of {}.", path.display());
        let error = Error::new(Code::MediumDiffers, what)
            .why("Something that is in no lock decides it as well: a hook that writes times, or a package of another build.")
            .next("See what differs; nothing was put into the output directory.")
            .detail(format!("sha256 {} then, {} now", lock.iso.sha256, made.iso.sha256));
        Err(shown(error, &[packages, files].concat()))
    }
}

/// An error with differences as its details.
pub fn shown(error: Error, differences: &[String]) -> Error {
    let error = differences
        .iter()
        .take(SHOWN)
        .fold(error, |error, line| error.detail(line));
    match differences.len().saturating_sub(SHOWN) {
        0 => error,
        more => error.detail(format!("and {more} more")),
    }
}

fn parse(text: &str) -> std::result::Result<Lock, String> {
    let lock: Lock = serde_json::from_str(text).map_err(|err| err.to_string())?;
    match lock.version {
        VERSION => Ok(lock),
        other => Err(format!("it is of version {other}, and {VERSION} is known")),
    }
}

impl Lock {
    /// As it is written.
    ///
    /// # Errors
    /// When it cannot be JSON, which does not happen.
    pub fn text(&self) -> std::result::Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// An empty one of this form.
    pub fn new(decided: Decided) -> Self {
        Self {
            version: VERSION,
            decided,
            ..Self::default()
        }
    }

    /// The image of this reference.
    pub fn image(&self, reference: &str) -> Option<&PinnedImage> {
        self.images
            .iter()
            .find(|image| image.reference == reference)
    }
}

impl Decided {
    /// What is other here than in the lock.
    pub fn differences(&self, here: &Self) -> Vec<String> {
        let none = String::from("none");
        let [locked, here] = [self, here].map(|it| {
            [
                ("builder", &it.builder),
                ("product", &it.product),
                ("version of the product", &it.product_version),
                ("suite", &it.suite),
                ("processor", &it.architecture),
                ("snapshot", it.snapshot.as_ref().unwrap_or(&none)),
                ("options of live-build", &it.options),
                ("live-build tree", &it.tree),
                ("layer of the product", &it.layer),
            ]
        });
        let pairs = locked.into_iter().zip(here);
        let others = pairs.filter(|(locked, here)| locked != here);
        others
            .map(|((what, locked), (_, here))| format!("{what}: {locked} then, {here} now"))
            .collect()
    }
}

impl PinnedImage {
    /// The reference that leads to this very image, whatever its tag leads to now.
    pub fn by_digest(&self) -> String {
        let digest = self.index.as_ref().unwrap_or(&self.digest);
        if self.reference.contains('@') {
            return self.reference.clone();
        }
        // A colon before the last slash is that of a port.
        let begin = self.reference.rfind('/').map_or(0, |at| at + 1);
        let end = self.reference[begin..]
            .find(':')
            .map_or(self.reference.len(), |at| begin + at);
        format!("{}@{digest}", &self.reference[..end])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let mut lock = Lock::new(Decided {
            suite: "trixie".into(),
            ..Decided::default()
        });
        lock.packages.push(Pinned {
            name: "a".into(),
            version: "1".into(),
            ..Pinned::default()
        });
        lock.images.push(PinnedImage {
            reference: "r.example/os:1".into(),
            digest: "sha256:0a".into(),
            index: None,
        });
        lock.files.insert("live/x".into(), "cd".into());
        let text = lock.text().unwrap();
        assert_eq!(parse(&text).unwrap(), lock);
        // What a newer one adds is passed over, unless its form is another.
        let more = text.replacen('{', "{\"later\": 1,", 1);
        assert_eq!(parse(&more).unwrap(), lock);
        let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
        assert!(parse(&newer).unwrap_err().contains("version 2"));
        assert!(parse("{}").is_err());
    }

    #[test]
    fn what_decides_is_compared() {
        let one = Decided {
            builder: "1".into(),
            tree: "t".into(),
            ..Decided::default()
        };
        assert_eq!(one.differences(&one), [""; 0]);
        let other = Decided {
            tree: "u".into(),
            snapshot: Some("20261101T000000Z".into()),
            ..one.clone()
        };
        assert_eq!(
            one.differences(&other),
            [
                "snapshot: none then, 20261101T000000Z now",
                "live-build tree: t then, u now"
            ]
        );
    }

    #[test]
    fn an_image_is_asked_for_by_its_digest() {
        for (reference, index, expected) in [
            (
                "r.example:5000/os/a:1",
                None,
                "r.example:5000/os/a@sha256:0a",
            ),
            (
                "r.example/os/a",
                Some("sha256:0b"),
                "r.example/os/a@sha256:0b",
            ),
            ("r.example/a@sha256:0c", None, "r.example/a@sha256:0c"),
        ] {
            let image = PinnedImage {
                reference: reference.into(),
                digest: "sha256:0a".into(),
                index: index.map(str::to_owned),
            };
            assert_eq!(image.by_digest(), expected);
        }
    }

    #[test]
    fn a_difference_refuses_and_names_the_file() {
        let locked = Locked {
            path: "a.lock.json".into(),
            lock: Lock::default(),
        };
        assert!(locked.require(Vec::new()).is_ok());
        let many = (0..30)
            .map(|n| format!("package p{n}: 1 then, 2 now"))
            .collect();
        let error = locked.require(many).unwrap_err();
        assert_eq!(error.code, Code::LockMismatch);
        assert!(
            error.what.contains("a.lock.json") && error.what.contains("p0"),
            "{error}"
        );
        assert_eq!(error.details.len(), SHOWN + 1);
        assert_eq!(error.details[SHOWN], "and 10 more");
    }
}
