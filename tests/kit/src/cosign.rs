// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian's own cosign, for tests of signatures: a package of a suite, unpacked
//! into the cache and never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use buildroot::cache::{self, Key};
use buildroot::cmd::CommandExt;
use buildroot::{apt, rootfs};

/// Debian's archive keys, of whatever release this machine has.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Suites with a cosign, by what it writes when it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// trixie's 2.5: the tag scheme.
    Two,
    /// forky's 3: sigstore bundles.
    Three,
}

impl Version {
    fn suite(self) -> &'static str {
        match self {
            Self::Two => "trixie",
            Self::Three => "forky",
        }
    }
}

/// A cosign program. It runs without a network but the registry's.
#[derive(Debug, Clone)]
pub struct Cosign {
    program: PathBuf,
    version: Version,
}

impl Cosign {
    /// The cosign of a suite, from the cache or from the mirror; `None`, said
    /// aloud, when it cannot be had.
    ///
    /// # Panics
    /// When it cannot be had and `$CI` is set.
    pub fn available(version: Version) -> Option<Self> {
        match Self::get(version) {
            Ok(cosign) => Some(cosign),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "{error:#}");
                eprintln!("skipped: no cosign from {}: {error:#}", version.suite());
                None
            }
        }
    }

    fn get(version: Version) -> Result<Self> {
        apt::ensure(&["dpkg-deb"])?;
        let key = Key::new().with("suite", version.suite());
        let dir = cache::entry("cosign", &key, |dir| download(version.suite(), dir))?;
        Ok(Self {
            program: dir.join("root/usr/bin/cosign"),
            version,
        })
    }

    /// Makes `name.key` and `name.pub` in `dir`.
    ///
    /// # Errors
    /// When cosign fails.
    pub fn make_key(&self, dir: &Path, name: &str) -> Result<PathBuf> {
        let prefix = format!("--output-key-prefix={name}");
        self.command(dir)
            .args(["generate-key-pair", &prefix])
            .run()?;
        Ok(dir.join(format!("{name}.pub")))
    }

    /// Signs `image` (`host/name@digest`) with `name.key` in `dir`, and puts the
    /// signature into the registry, as this version does by default; `args` are
    /// more options.
    ///
    /// # Errors
    /// When cosign fails.
    pub fn sign(&self, dir: &Path, name: &str, image: &str, args: &[&str]) -> Result<()> {
        let key = format!("--key={name}.key");
        let mut command = self.command(dir);
        command.args(["sign", "--yes", &key, "--allow-insecure-registry"]);
        match self.version {
            Version::Two => command.arg("--tlog-upload=false"),
            Version::Three => {
                // Neither a transparency log nor a timestamp.
                let config =
                    r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}"#;
                fs::write(dir.join("signing.json"), config).context("writing signing.json")?;
                command.arg("--signing-config=signing.json")
            }
        };
        command.args(args).arg(image).run()
    }

    fn command(&self, dir: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(dir)
            .env("COSIGN_PASSWORD", "")
            .env("HOME", dir);
        command
    }
}

/// With apt, for its check of the archive's signatures, and with none of this
/// machine's sources.
fn download(suite: &str, dir: &Path) -> Result<()> {
    for sub in [
        "state/lists/partial",
        "cache/archives/partial",
        "parts",
        "root",
    ] {
        fs::create_dir_all(dir.join(sub)).context("making the directories of apt")?;
    }
    let sources = dir.join("sources.list");
    let line = format!(
        "deb [signed-by={KEYRING}] {} {suite} main\n",
        rootfs::mirror()
    );
    fs::write(&sources, line).context("writing the sources")?;
    let path = |key: &str, sub: &str| format!("{key}={}", dir.join(sub).display());
    let apt_get = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-q", "-o", &path("Dir::Etc::sourcelist", "sources.list")])
            .args(["-o", &path("Dir::Etc::sourceparts", "parts")])
            .args(["-o", &path("Dir::State", "state")])
            .args(["-o", &path("Dir::Cache", "cache")])
            .args(["-o", "Dir::State::status=/dev/null"])
            .args(["-o", "APT::Sandbox::User=root"])
            .args(["-o", "Acquire::Languages=none"])
            .args([
                "-o",
                "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
            ])
            .args(args)
            .current_dir(dir);
        command.run()
    };
    apt_get(&["update"])?;
    apt_get(&["download", "cosign"])?;
    let found = fs::read_dir(dir).context("looking for the package")?;
    let package = found
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|e| e == "deb"))
        .context("apt-get left no package")?;
    Command::new("dpkg-deb")
        .arg("-x")
        .arg(&package)
        .arg(dir.join("root"))
        .run()?;
    for sub in ["state", "cache", "parts"] {
        cache::remove_tree(&dir.join(sub))?;
    }
    fs::remove_file(&package).context("removing the package")
}
