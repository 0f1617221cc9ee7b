// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs of others that say whether what is rendered is right.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::cache::{self, Key};
use testkit::cmd::CommandExt as _;

/// Of PyPI.
const PYKICKSTART: &str = "pykickstart==3.78";

/// ksvalidator(1), in a virtual environment in the cache; none, with a message,
/// where it cannot be had.
pub(crate) fn ksvalidator() -> Option<PathBuf> {
    let key = Key::new().with("pykickstart", PYKICKSTART);
    let made = cache::entry("venv", &key, |dir| {
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(dir)
            .run()?;
        let mut pip = Command::new(dir.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--retries", "1"])
            .args([
                "--timeout",
                "15",
                "--disable-pip-version-check",
                PYKICKSTART,
            ])
            .run()
    });
    match made {
        // Its scripts have the path under which it was made in their first line.
        Ok(dir) => Some(dir),
        Err(err) => {
            eprintln!("skipped: no {PYKICKSTART}: {err:#}");
            None
        }
    }
}

/// Runs ksvalidator for a version; what it says against the file.
pub(crate) fn kickstart(venv: &Path, version: &str, file: &Path) -> Result<(), String> {
    let mut command = Command::new(venv.join("bin/python"));
    command
        .args([
            "-c",
            "import sys; from pykickstart.parser import KickstartParser; \
               from pykickstart.version import makeVersion; \
               KickstartParser(makeVersion(sys.argv[1])).readKickstart(sys.argv[2])",
        ])
        .args([version])
        .arg(file);
    said(&mut command)
}

/// ignition-validate(1) of Debian's package, unpacked in the cache and not
/// installed: it would be a first-boot installer for this machine.
pub(crate) fn ignition_validate() -> Option<PathBuf> {
    let key = Key::new().with("package", "ignition");
    let made = cache::entry("ignition", &key, |dir| {
        std::fs::create_dir_all(dir)?;
        Command::new("apt-get")
            .args([
                "-qq",
                "-o",
                "APT::Sandbox::User=root",
                "download",
                "ignition",
            ])
            .current_dir(dir)
            .run()?;
        Command::new("sh")
            .args([
                "-c",
                "dpkg-deb -x ./ignition_*.deb . && test -x usr/bin/ignition-validate",
            ])
            .current_dir(dir)
            .run()
    });
    match made {
        Ok(dir) => Some(dir.join("usr/bin/ignition-validate")),
        Err(err) => {
            eprintln!("skipped: no ignition-validate: {err:#}");
            None
        }
    }
}

/// Runs ignition-validate(1); what it says, also when it only warns.
pub(crate) fn ignition(program: &Path, file: &Path) -> Result<(), String> {
    said(Command::new(program).arg(file))
}

fn said(command: &mut Command) -> Result<(), String> {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    match output.status.success() && said.trim().is_empty() {
        true => Ok(()),
        false => Err(said),
    }
}
