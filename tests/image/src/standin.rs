// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program that becomes the image's `/usr/bin/bootc`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use testkit::cmd::CommandExt;

/// The image's bootc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bootc {
    /// `$BOOTC_BIN`, somebody's build of the real one.
    Real(PathBuf),
    /// Our stand-in, built from this workspace.
    Standin,
}

impl Bootc {
    /// What the environment asks for.
    pub(crate) fn from_env() -> Result<Self> {
        match std::env::var_os("BOOTC_BIN").filter(|value| !value.is_empty()) {
            None => Ok(Self::Standin),
            Some(path) if Path::new(&path).is_file() => Ok(Self::Real(PathBuf::from(path))),
            Some(path) => bail!(
                "BOOTC_BIN names {}, which is no file",
                Path::new(&path).display()
            ),
        }
    }

    /// The program's file; the stand-in is built when its sources changed.
    pub(crate) fn file(&self) -> Result<PathBuf> {
        match self {
            Self::Real(path) => Ok(path.clone()),
            Self::Standin => build().context("building the stand-in for bootc"),
        }
    }
}

fn build() -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let messages = Command::new(cargo)
        .current_dir(&workspace)
        // Without a package: with the features of crates that the tests are
        // compiled with. What hashes and unpacks is optimised all the same.
        .args(["build", "--locked", "--bin=bootc-standin"])
        .arg("--message-format=json-render-diagnostics")
        .read()?;
    match executable(&messages) {
        Some(path) => Ok(path),
        None => bail!("cargo named no executable for bootc-standin"),
    }
}

/// The executable that cargo's JSON messages name.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "bootc-standin")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_messages_name_the_executable() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"serde\"},\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"bootc-standin\"},\"executable\":\"/t/bootc-standin\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(
            executable(messages),
            Some(PathBuf::from("/t/bootc-standin"))
        );
        assert_eq!(executable(""), None);
    }
}
