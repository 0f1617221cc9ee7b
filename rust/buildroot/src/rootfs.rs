// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian root file systems by mmdebstrap, kept in the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::archive::Archives;
use crate::cache::{self, Key};
use crate::cmd::{self, CommandExt};

const DEFAULT_MIRROR: &str = "http://deb.debian.org/debian";

/// The Debian mirror: `$CALAMARES_BOOTC_MIRROR`, else deb.debian.org.
pub fn mirror() -> String {
    std::env::var("CALAMARES_BOOTC_MIRROR")
        .ok()
        .filter(|mirror| !mirror.is_empty())
        .unwrap_or_else(|| DEFAULT_MIRROR.to_owned())
}

/// What to bootstrap. Everything in here decides the cache key but where the
/// archives are and the apt settings for getting there.
#[derive(Clone, Debug)]
pub struct Rootfs {
    suite: String,
    variant: String,
    packages: Vec<String>,
    path_excludes: Vec<String>,
    path_includes: Vec<String>,
    apt_options: Vec<String>,
    environment: Vec<(String, String)>,
    customize: Vec<String>,
    archives: Option<Archives>,
    state: String,
}

impl Rootfs {
    /// A root of this suite: variant `apt`, no recommended packages.
    pub fn new(suite: &str) -> Self {
        Self {
            suite: suite.to_owned(),
            variant: "apt".to_owned(),
            packages: Vec::new(),
            path_excludes: Vec::new(),
            path_includes: Vec::new(),
            apt_options: vec!["APT::Install-Recommends \"false\"".to_owned()],
            environment: Vec::new(),
            customize: Vec::new(),
            archives: None,
            state: String::new(),
        }
    }

    /// mmdebstrap's variant, for example `essential`, `apt`, `minbase`.
    #[must_use]
    pub fn variant(mut self, variant: &str) -> Self {
        self.variant = variant.to_owned();
        self
    }

    /// More packages to install.
    #[must_use]
    pub fn packages(mut self, packages: &[&str]) -> Self {
        self.packages
            .extend(packages.iter().map(|p| (*p).to_owned()));
        self
    }

    /// Paths (dpkg patterns) that dpkg does not unpack.
    #[must_use]
    pub fn path_excludes(mut self, patterns: &[&str]) -> Self {
        self.path_excludes
            .extend(patterns.iter().map(|p| (*p).to_owned()));
        self
    }

    /// Exceptions from [`Rootfs::path_excludes`].
    #[must_use]
    pub fn path_includes(mut self, patterns: &[&str]) -> Self {
        self.path_includes
            .extend(patterns.iter().map(|p| (*p).to_owned()));
        self
    }

    /// One more apt.conf line for the bootstrap (it stays in the root's
    /// `/etc/apt/apt.conf.d/99mmdebstrap`).
    #[must_use]
    pub fn apt_option(mut self, line: &str) -> Self {
        self.apt_options.push(line.to_owned());
        self
    }

    /// An environment variable for the maintainer scripts, for example
    /// `INITRD=No`, which keeps kernel packages from making an initramfs.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A shell line run at the end (mmdebstrap's `--customize-hook`); `"$1"`
    /// is the root.
    #[must_use]
    pub fn customize(mut self, hook: &str) -> Self {
        self.customize.push(hook.to_owned());
        self
    }

    /// Takes packages from these archives and as they say, instead of the suite
    /// alone from [`mirror`] with this machine's settings.
    #[must_use]
    pub fn archives(mut self, archives: &Archives) -> Self {
        self.archives = Some(archives.clone());
        self
    }

    /// What the archives have of it: with another state it is another root, so
    /// that an old one is not found again when packages became newer.
    #[must_use]
    pub fn state(mut self, state: &str) -> Self {
        state.clone_into(&mut self.state);
        self
    }

    /// Bootstraps into the cache, or finds the result of an earlier run there.
    /// The directory belongs to the cache: do not change it, copy it.
    pub fn build(&self) -> Result<PathBuf> {
        let kind = format!("rootfs-{}", self.suite);
        cache::entry(&kind, &self.key(), |dir| self.bootstrap(dir))
    }

    /// The cache key of this root, as an input for what is made from it.
    pub fn key(&self) -> Key {
        let lists = [
            ("package", &self.packages),
            ("path-exclude", &self.path_excludes),
            ("path-include", &self.path_includes),
            ("apt-option", &self.apt_options),
            ("customize", &self.customize),
        ];
        let mut key = Key::new()
            .with("suite", &self.suite)
            .with("variant", &self.variant);
        for (name, values) in lists {
            for value in values {
                key = key.with(name, value);
            }
        }
        for (name, value) in &self.environment {
            key = key.with("env", format!("{name}={value}"));
        }
        match self.state.is_empty() {
            true => key,
            false => key.with("state", &self.state),
        }
    }

    fn bootstrap(&self, dir: &Path) -> Result<()> {
        apt::ensure(&["mmdebstrap"])?;
        if !cmd::is_root() {
            bail!(
                "making a Debian {} root needs root (devices, owners and chroot). \
                 Next step: run the same command with sudo",
                self.suite
            );
        }
        eprintln!(
            "bootstrapping Debian {} ({} packages named)",
            self.suite,
            self.packages.len()
        );
        let (options, sources) = match &self.archives {
            Some(archives) => (archives.options().to_vec(), archives.sources().to_vec()),
            None => (host_apt_options()?, vec![mirror()]),
        };
        let mut command = Command::new("mmdebstrap");
        command
            .args(self.arguments(&options))
            .arg(&self.suite)
            .arg(dir)
            .args(&sources)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.run().with_context(|| {
            format!(
                "bootstrapping Debian {} from {} (CALAMARES_BOOTC_MIRROR names another mirror)",
                self.suite,
                sources.join(", ")
            )
        })
    }

    fn arguments(&self, host_options: &[String]) -> Vec<String> {
        let mut args = vec!["--mode=root".to_owned(), "--format=directory".to_owned()];
        args.push(format!("--variant={}", self.variant));
        args.extend(
            self.apt_options
                .iter()
                .chain(host_options)
                .map(|o| format!("--aptopt={o}")),
        );
        let excludes = self
            .path_excludes
            .iter()
            .map(|p| format!("--dpkgopt=path-exclude={p}"));
        args.extend(excludes);
        let includes = self
            .path_includes
            .iter()
            .map(|p| format!("--dpkgopt=path-include={p}"));
        args.extend(includes);
        if !self.packages.is_empty() {
            args.push(format!("--include={}", self.packages.join(",")));
        }
        args.extend(
            self.customize
                .iter()
                .map(|hook| format!("--customize-hook={hook}")),
        );
        args
    }
}

/// This machine's apt settings on how to reach a mirror, which all that is built
/// here needs too: lines of apt.conf(5) without their semicolons.
///
/// # Errors
/// When apt cannot be asked.
pub fn host_apt_options() -> Result<Vec<String>> {
    let dump = Command::new("apt-config")
        .arg("dump")
        .read()
        .context("reading the host's apt settings")?;
    Ok(relevant_apt_options(&dump))
}

/// Picks proxies and validity checks out of `apt-config dump`. A host that
/// does not check Valid-Until (a frozen mirror) has that on purpose; nobody
/// else gets it.
fn relevant_apt_options(dump: &str) -> Vec<String> {
    dump.lines()
        .filter_map(|line| line.trim().strip_suffix(';'))
        .filter(|line| {
            let mut words = line.splitn(2, ' ');
            let (name, value) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let proxy = ["Acquire::http::Proxy", "Acquire::https::Proxy"];
            let validity = ["Acquire::Check-Valid-Until", "Acquire::Check-Date"];
            let wanted = proxy
                .iter()
                .any(|p| name == *p || name.starts_with(&format!("{p}::")))
                || validity.contains(&name);
            wanted && !matches!(value, "" | "\"\"")
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxies_and_validity_come_from_the_host() {
        let dump = "APT \"\";\nAcquire::http \"\";\nAcquire::http::Proxy \"http://proxy:3142\";\n\
                    Acquire::http::Proxy::local.example \"DIRECT\";\nAcquire::https::Proxy \"\";\n\
                    Acquire::Check-Valid-Until \"false\";\nAcquire::Languages \"none\";\n";
        assert_eq!(
            relevant_apt_options(dump),
            [
                "Acquire::http::Proxy \"http://proxy:3142\"",
                "Acquire::http::Proxy::local.example \"DIRECT\"",
                "Acquire::Check-Valid-Until \"false\"",
            ]
        );
    }

    #[test]
    fn the_recipe_decides_the_key() {
        let base = Rootfs::new("forky").packages(&["systemd"]);
        assert_eq!(base.key().hex(), base.clone().key().hex());
        let others = [
            base.clone().packages(&["dbus"]),
            base.clone().variant("minbase"),
            base.clone().path_excludes(&["/usr/share/doc/*"]),
            base.clone().env("INITRD", "No"),
            base.clone().customize("true"),
            base.clone().state("shim-signed 2"),
        ];
        for other in others {
            assert_ne!(base.key().hex(), other.key().hex(), "{other:?}");
        }
        let elsewhere = Archives::new(vec!["deb http://m forky main".into()], Vec::new());
        let elsewhere = base.clone().archives(&elsewhere);
        assert_eq!(base.key().hex(), elsewhere.key().hex());
    }

    #[test]
    fn arguments_are_one_option_each() {
        let rootfs = Rootfs::new("forky")
            .packages(&["a", "b"])
            .path_excludes(&["/usr/share/doc/*"]);
        let args = rootfs.arguments(&["Acquire::Check-Date \"false\"".to_owned()]);
        assert_eq!(
            args,
            [
                "--mode=root",
                "--format=directory",
                "--variant=apt",
                "--aptopt=APT::Install-Recommends \"false\"",
                "--aptopt=Acquire::Check-Date \"false\"",
                "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--include=a,b",
            ]
        );
    }
}
