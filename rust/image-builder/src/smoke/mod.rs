// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a file boots: a medium or a disk in a virtual machine, as it is, and
//! what came of it as cases.
//!
//! ```text
//! what is it?         by the file's contents
//! for each firmware   boot, watch, ask; with a recipe: install, boot the disk, ask
//! findings            a table, JUnit's XML, JSON; consoles and pictures
//! ```

pub mod answers;
pub mod artefact;
mod boot;
pub mod case;
pub mod junit;
mod questions;
pub mod sockets;
pub mod transcript;
mod unasked;
mod unattended;

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use host::cancel::Cancel;
use vm::{Accel, Credential, Disk, Firmware, Format, Machine};

use crate::error::{Error, Result};
use crate::progress::Progress;
use artefact::Artefact;
use boot::{Trial, of_machine};
use case::{Case, Findings, Verdict};
use questions::Questions;

/// What a disk's system is asked, when it can be.
const OF_DISK: &[&str] = &["system", "mounts", "digest", "origin", "memory"];
/// What a medium's system is asked, when it can be.
const OF_MEDIUM: &[&str] = &["system", "mounts", "installer", "open-ports", "memory"];
/// Bytes of the blank disk for an installation; the file has holes.
const BLANK: u64 = 20 << 30;
/// How many boots' time an installation may take.
const INSTALL_BOOTS: u32 = 4;

/// What is to be booted, and how.
#[derive(Clone, Debug)]
pub struct SmokeRequest {
    /// The medium or disk.
    pub file: PathBuf,
    /// With what, one after the other.
    pub firmwares: Vec<Firmware>,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// KVM or not.
    pub accel: Accel,
    /// Where consoles, pictures and logs go.
    pub out: PathBuf,
    /// How long a boot may take.
    pub timeout: Duration,
    /// Digest of the manifest that is to be booted.
    pub digest: Option<String>,
    /// A medium installs by this recipe.
    pub recipe: Option<PathBuf>,
}

/// Boots and judges.
///
/// # Errors
/// `USAGE` for a file that is nothing that boots, `TOOL_MISSING` and
/// `HOST_UNSUITABLE` where no machine can run, `IO`, `INTERRUPTED`. What is wrong
/// with the file is in the findings.
pub fn smoke(request: &SmokeRequest, progress: &mut Progress, stop: &Cancel) -> Result<Findings> {
    progress.stage("looking at this machine and at the file");
    let kind = artefact::look_at(&request.file)?;
    let recipe = match &request.recipe {
        Some(path) => Some(fs::read_to_string(path).map_err(|e| Error::io("Reading", path, &e))?),
        None => None,
    };
    let kvm = vm::uses_kvm(request.accel).map_err(of_machine)?;
    fs::create_dir_all(&request.out).map_err(|e| Error::io("Making", &request.out, &e))?;
    let mut found = Findings {
        file: file_name(&request.file),
        kind: kind.name(),
        accel: if kvm { "kvm" } else { "tcg" },
        begun: jiff::Timestamp::now().strftime("%FT%TZ").to_string(),
        cases: Vec::new(),
    };
    let before = stamp(&request.file)?;
    for firmware in &request.firmwares {
        let smoke = Smoke {
            request,
            firmware: *firmware,
            stop,
        };
        let cases = match (kind, &recipe) {
            (Artefact::Disk(format), _) => smoke.disk(format, progress)?,
            (Artefact::Medium, None) => smoke.medium(progress)?,
            (Artefact::Medium, Some(recipe)) => smoke.installation(recipe, progress)?,
        };
        found.cases.extend(cases);
    }
    let same = stamp(&request.file)? == before;
    found.cases.push(Case {
        suite: "file".to_owned(),
        name: "unchanged",
        time: Duration::ZERO,
        verdict: match same {
            true => Verdict::passed("size and times are as before"),
            false => Verdict::failed("The file was changed while it was booted."),
        },
    });
    Ok(found)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What no write leaves as it was: the size, and the times of the contents and
/// of the inode, which nobody can set back.
fn stamp(path: &Path) -> Result<(u64, i64, i64, i64, i64)> {
    let about = fs::metadata(path).map_err(|err| Error::io("Looking at", path, &err))?;
    Ok((
        about.size(),
        about.mtime(),
        about.mtime_nsec(),
        about.ctime(),
        about.ctime_nsec(),
    ))
}

/// The boots with one firmware.
#[derive(Debug)]
struct Smoke<'a> {
    request: &'a SmokeRequest,
    firmware: Firmware,
    stop: &'a Cancel,
}

impl Smoke<'_> {
    fn machine(&self) -> Machine {
        Machine {
            memory_mib: self.request.memory_mib,
            firmware: self.firmware,
            accel: self.request.accel,
            isolated: true,
            ..Machine::default()
        }
    }

    fn trial<'a>(&'a self, suite: &'a str, machine: Machine) -> Trial<'a> {
        Trial {
            suite,
            machine,
            out: &self.request.out,
            limit: self.request.timeout,
            stop: self.stop,
        }
    }

    /// A disk, which stays as it is.
    fn disk(&self, format: Format, progress: &mut Progress) -> Result<Vec<Case>> {
        let given = self.request.digest.clone();
        let expected = given.or_else(|| told_beside(&self.request.file));
        let disk = Disk::new(&self.request.file).format(format).snapshot();
        self.disk_alone(self.firmware.name(), disk, expected, progress)
    }

    fn disk_alone(
        &self,
        suite: &str,
        disk: Disk,
        expected: Option<String>,
        progress: &mut Progress,
    ) -> Result<Vec<Case>> {
        progress.stage(&format!("booting: {suite}"));
        let machine = Machine {
            disks: vec![disk],
            ..self.machine()
        };
        let trial = self.trial(suite, machine);
        let mut booted = trial.boot()?;
        let Some(mut shell) = booted.shell else {
            let skipped = Questions::skipped(suite, OF_DISK, booted.without);
            booted.cases.extend(skipped);
            return Ok(booted.cases);
        };
        progress.stage(&format!("asking: {suite}"));
        let mut asked = Questions::new(suite, &mut shell, self.stop);
        asked.system(self.request.timeout)?;
        asked.login(&mut booted.cases)?;
        asked.image(expected.as_deref())?;
        asked.memory()?;
        booted.cases.append(&mut asked.cases);
        // There was less on it when the shell came.
        booted.screen.keep(&trial.file("screen.png"));
        Ok(booted.cases)
    }

    /// A medium, as far as a person sees it.
    fn medium(&self, progress: &mut Progress) -> Result<Vec<Case>> {
        let suite = self.firmware.name();
        progress.stage(&format!("booting: {suite}"));
        let machine = Machine {
            medium: Some(self.request.file.clone()),
            large_screen: true,
            ..self.machine()
        };
        let trial = self.trial(suite, machine);
        let mut booted = trial.boot()?;
        let Some(mut shell) = booted.shell else {
            let skipped = Questions::skipped(suite, OF_MEDIUM, booted.without);
            booted.cases.extend(skipped);
            return Ok(booted.cases);
        };
        progress.stage(&format!("asking: {suite}"));
        let mut asked = Questions::new(suite, &mut shell, self.stop);
        asked.installer(self.request.timeout)?;
        asked.system(self.request.timeout)?;
        asked.login(&mut booted.cases)?;
        asked.ports()?;
        asked.memory()?;
        booted.cases.append(&mut asked.cases);
        // There was less on it when the shell came.
        booted.screen.keep(&trial.file("screen.png"));
        Ok(booted.cases)
    }

    /// A medium that installs onto a blank disk, and then that disk alone.
    fn installation(&self, recipe: &str, progress: &mut Progress) -> Result<Vec<Case>> {
        let suite = format!("{}-install", self.firmware.name());
        progress.stage(&format!("booting: {suite}"));
        let disk = self.request.out.join(format!("{suite}.raw"));
        File::create(&disk)
            .and_then(|file| file.set_len(BLANK))
            .map_err(|err| Error::io("Making", &disk, &err))?;
        let machine = Machine {
            medium: Some(self.request.file.clone()),
            disks: vec![Disk::new(&disk).serial("target")],
            credentials: vec![Credential::new(unattended::CREDENTIAL, recipe)],
            large_screen: true,
            // The image may come from a registry.
            isolated: false,
            ..self.machine()
        };
        let trial = self.trial(&suite, machine);
        let mut booted = trial.boot()?;
        let alone = format!("{}-disk", self.firmware.name());
        let not_installed = |cases: &mut Vec<Case>, why: &str| {
            cases.extend(Questions::skipped(&alone, OF_DISK, why));
        };
        let Some(mut shell) = booted.shell else {
            let skipped = Questions::skipped(&suite, &["installation"], booted.without);
            booted.cases.extend(skipped);
            not_installed(&mut booted.cases, "Nothing was installed.");
            return Ok(booted.cases);
        };
        let mut asked = Questions::new(&suite, &mut shell, self.stop);
        asked.ports()?;
        booted.cases.append(&mut asked.cases);
        progress.stage(&format!("installing: {suite}"));
        let begun = Instant::now();
        let limit = self.request.timeout * INSTALL_BOOTS;
        let log = trial.file("journal.txt");
        let verdict = unattended::follow(shell, limit, &log, progress, self.stop)?;
        let installed = verdict.outcome == case::Outcome::Passed;
        booted.cases.push(Case {
            suite: suite.clone(),
            name: "installation",
            time: begun.elapsed(),
            verdict,
        });
        if !installed {
            not_installed(&mut booted.cases, "Nothing was installed.");
            return Ok(booted.cases);
        }
        let expected = self.request.digest.clone();
        let cases = self.disk_alone(&alone, Disk::new(&disk).snapshot(), expected, progress)?;
        let green = cases
            .iter()
            .all(|case| case.verdict.outcome != case::Outcome::Failed);
        booted.cases.extend(cases);
        if green {
            // A red one is kept, to be looked at.
            fs::remove_file(&disk).map_err(|err| Error::io("Removing", &disk, &err))?;
        }
        Ok(booted.cases)
    }
}

/// The digest that the build of this file told, in the JSON beside it.
fn told_beside(file: &Path) -> Option<String> {
    let dir = file.parent()?;
    let stem = file.file_stem()?.to_str()?;
    let stem = stem.strip_suffix("-ami").unwrap_or(stem);
    let json = fs::read_to_string(dir.join(format!("{stem}.json"))).ok()?;
    answers::digest_told(&json, &file_name(file))
}
