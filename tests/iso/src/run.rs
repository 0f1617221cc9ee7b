// SPDX-License-Identifier: MIT OR Apache-2.0
//! All ways, one after the other.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use e2e::served::Served;
use e2e::stage::say;
use test_gui::Person;
use testkit::{apt, cache};

use crate::check;
use crate::debian_installer;
use crate::installed::Installed;
use crate::live::{self, Boot};
use crate::medium::Media;
use crate::options::Options;
use crate::recipe;
use crate::report::Report;
use crate::toolbox;
use crate::walk::{self, Choice};
use crate::way::Way;

/// All that is run on this host, so that it is installed at once.
const TOOLS: &[&str] = &[
    apt::OVMF,
    "docker-registry",
    "mksquashfs",
    "mmdebstrap",
    "qemu-system-x86_64",
    "skopeo",
    "xorriso",
];
/// More than what the welcome page asks for; the file is sparse.
pub(crate) const DISK_SIZE: u64 = 20 << 30;
// Both below the directory of a way.
pub(crate) const DISK: &str = "disk.raw";
const REGISTRY: &str = "registry";

/// Runs the ways that are asked for.
///
/// # Errors
/// When one of them fails; the others run nevertheless.
pub fn run(options: &Options) -> Result<()> {
    if let Some(iso) = &options.iso {
        ensure!(iso.is_file(), "there is no {}", iso.display());
    }
    apt::ensure(TOOLS)?;
    let toolbox = match options.ways().iter().all(|way| way.debian_installer()) {
        true => PathBuf::new(),
        false => toolbox::build()?,
    };
    fs::create_dir_all(&options.out)
        .with_context(|| format!("making {}", options.out.display()))?;
    // Two runs would write to the same disk.
    let _lock = cache::lock(&options.out.join(".lock"))?;
    let mut failed = Vec::new();
    let mut media = Media::new(options);
    for way in options.ways() {
        say(&format!("\n--- {}", way.name()));
        let out = options.out.join(way.name());
        cache::remove_tree(&out)?;
        fs::create_dir(&out).with_context(|| format!("making {}", out.display()))?;
        let mut report = Report::default();
        // The hands of a person panic when something is not on the screen.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            one(options, *way, &mut media, &toolbox, &out, &mut report)
        }));
        let outcome = outcome.unwrap_or_else(|_| Err(anyhow!("see above")));
        cache::remove_tree(&out.join(REGISTRY))?;
        if outcome.is_ok() && !options.keep_disk {
            cache::remove_tree(&out.join(DISK))?;
        }
        let mut table = report.table();
        if let Err(error) = outcome {
            table += &format!("FAILED: {error:#}\n");
            failed.push(way.name());
        }
        fs::write(out.join("result.txt"), &table).context("writing result.txt")?;
        say(&format!("\n=== {}\n{table}", way.name()));
    }
    say(&format!(
        "Pictures, logs, results: {}",
        options.out.display()
    ));
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn one(
    options: &Options,
    way: Way,
    media: &mut Media,
    toolbox: &Path,
    out: &Path,
    report: &mut Report,
) -> Result<()> {
    if way.debian_installer() {
        return debian_installer::install(options, way, out, report);
    }
    let iso = media.of(way)?;
    if way == Way::Check {
        return check::check(&iso, out, report);
    }
    let scratch = tempfile::Builder::new().prefix("iso-e2e-").tempdir()?;
    // Not in /tmp, which may be RAM.
    let disk = out.join(DISK);
    e2e::disk::make(&disk, DISK_SIZE)?;
    let served = match way.online() {
        true => {
            let storage = out.join(REGISTRY);
            fs::create_dir(&storage).context("making the registry's directory")?;
            let image = match way {
                Way::Large => test_image::large()?,
                _ => test_image::standard()?,
            };
            Some(Served::start(&image, &storage)?)
        }
        false => None,
    };
    let reference = served.as_ref().map(Served::imgref);
    if let (Way::Unattended, Some(served), Some(reference)) = (way, &served, &reference) {
        let choice = Choice {
            reference: None,
            person: Person::default(),
        };
        let dirs = (scratch.path(), out);
        recipe::refused(&iso, dirs.0, out, report)?;
        let limit = Duration::from_secs(options.boot_limit + options.install_limit);
        let person = &choice.person;
        let digest = recipe::install(&iso, &disk, reference, person, dirs, limit, report)?;
        let served = served.digest()?;
        ensure!(digest == served, "it told {digest}, not {served}");
        let installed = Installed {
            way,
            disk: &disk,
            scratch: scratch.path(),
            out,
            choice: &choice,
            taken: 2,
            log: None,
        };
        return installed.boot(&digest, report);
    }
    let boot = Boot {
        way,
        iso: &iso,
        disk: &disk,
        toolbox,
        scratch: scratch.path(),
        out,
        limit: Duration::from_secs(options.boot_limit),
        registry: reference
            .as_deref()
            .and_then(|reference| reference.split_once('/'))
            .map(|(host, _)| host.to_owned()),
    };
    let mut gui = boot.start(report)?;
    live::inspect(gui.around(), way, out, report)?;
    if way.installs() {
        let choice = Choice {
            reference,
            person: Person::default(),
        };
        let limit = Duration::from_secs(options.install_limit);
        let digest = walk::install(&mut gui, &choice, limit, report)?;
        if let Some(served) = &served {
            let served = served.digest()?;
            ensure!(digest == served, "the page showed {digest}, not {served}");
        }
        walk::keeps(gui.around(), &choice.person.password)?;
        let taken = gui.around().camera.taken();
        walk::restart(gui)?;
        let installed = Installed {
            way,
            disk: &disk,
            scratch: scratch.path(),
            out,
            choice: &choice,
            taken,
            log: (!options.without_logs).then_some("journal.log"),
        };
        installed.boot(&digest, report)?;
    }
    Ok(())
}
