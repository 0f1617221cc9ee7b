// SPDX-License-Identifier: MIT OR Apache-2.0
//! The medium with Debian's own installer: preseeded and without a network it
//! installs the image that is on it and switches the machine off; then the disk
//! boots alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::served::Served;
use host::cancel::Cancel;
use image_builder::build::{self, Plan, Request};
use image_builder::config::Distro;
use image_builder::progress::Progress;
use test_gui::Person;
use vm::{Disk, Machine, Watch, until_off};

use crate::installed::Installed;
use crate::medium;
use crate::options::Options;
use crate::report::Report;
use crate::run::{DISK, DISK_SIZE};
use crate::walk::Choice;
use crate::way::Way;

/// Installs and boots what was installed. Consoles and pictures go to `out`.
pub(crate) fn install(options: &Options, way: Way, out: &Path, report: &mut Report) -> Result<()> {
    let person = Person::default();
    let iso = match &options.iso {
        Some(iso) => iso.clone(),
        None => made(options, &person, report)?,
    };
    let digest = digest_of(&iso)?;
    let scratch = tempfile::Builder::new().prefix("iso-e2e-").tempdir()?;
    let disk = out.join(DISK);
    e2e::disk::make(&disk, DISK_SIZE)?;
    let socket = scratch.path().join("qmp");
    let machine = Machine {
        memory_mib: way.memory_mib(),
        disks: vec![Disk::new(&disk)],
        firmware: way.firmware(),
        network: false,
        medium: Some(iso),
        qmp: Some(socket.clone()),
        ..Machine::default()
    };
    let log = out.join("installer-console.log");
    let watch = Watch::start(&socket, &out.join("01-installer.png"), None)?;
    let begun = Instant::now();
    until_off(&machine, Duration::from_secs(options.install_limit), &log)
        .context("the installation")?;
    report.seconds(
        "from the boot menu to the end of the installation",
        begun.elapsed(),
    );
    drop(watch);
    let choice = Choice {
        reference: None,
        person,
    };
    let installed = Installed {
        way,
        disk: &disk,
        scratch: scratch.path(),
        out,
        choice: &choice,
        taken: 1,
        log: (!options.without_logs).then_some("syslog"),
    };
    installed.boot(&digest, report)
}

/// The medium with the test image and answers to all questions on it.
fn made(options: &Options, person: &Person, report: &mut Report) -> Result<PathBuf> {
    let out = options.media.join("debian-installer");
    let tree = out.join("tree/debian-installer");
    let packages = tree.join("packages");
    fs::create_dir_all(&packages).with_context(|| format!("making {}", packages.display()))?;
    fs::write(tree.join("preseed.cfg"), preseed(person)).context("writing preseed.cfg")?;
    if let Some(dir) = &options.installer_packages {
        for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
            let entry = entry?;
            fs::copy(entry.path(), packages.join(entry.file_name()))
                .with_context(|| format!("copying {}", entry.path().display()))?;
        }
    }
    let storage = tempfile::tempdir_in(&out)?;
    let served = Served::start(&test_image::standard()?, storage.path())?;
    let text = format!(
        "{}tree: {}\n\
         live: {{bootTimeout: 1, kernelArguments: ['console=tty0', 'console=ttyS0,115200']}}\n",
        medium::distro_yaml(&served.address()),
        fs::canonicalize(out.join("tree"))?.display()
    );
    let request = Request {
        distro: Distro::parse(Path::new("distro.yaml"), &text)?,
        output: out,
        work: None,
        debs: options.debs.clone(),
        check_images: true,
        result: None,
        owner: None,
    };
    let begun = Instant::now();
    let mut progress = Progress::new(false);
    let plan = Plan::debian_installer(&request)?;
    let built = build::play(&plan, &mut progress, &Cancel::new())?;
    progress.end();
    report.seconds("build of the medium", begun.elapsed());
    report.fact("bytes of the medium", &built.iso_bytes.to_string());
    Ok(built.iso)
}

/// Answers to everything that is asked.
fn preseed(person: &Person) -> String {
    let Person {
        full_name,
        login,
        hostname,
        password,
    } = person;
    format!(
        "d-i debian-installer/locale string en_US.UTF-8\n\
         d-i keyboard-configuration/xkb-keymap select us\n\
         d-i bootc-installer/hostname string {hostname}\n\
         d-i bootc-installer/image string registry.invalid/{}\n\
         d-i bootc-installer/kernel_arguments string console=tty0 console=ttyS0,115200\n\
         d-i passwd/root-login boolean false\n\
         d-i passwd/make-user boolean true\n\
         d-i passwd/user-fullname string {full_name}\n\
         d-i passwd/username string {login}\n\
         d-i passwd/user-password password {password}\n\
         d-i passwd/user-password-again password {password}\n\
         d-i time/zone string Europe/Berlin\n\
         d-i clock-setup/utc boolean true\n\
         d-i partman-auto/disk string /dev/vda\n\
         d-i partman-auto/method string regular\n\
         d-i partman-auto/choose_recipe select atomic\n\
         d-i partman/choose_partition select finish\n\
         d-i partman/confirm boolean true\n\
         d-i partman/confirm_nooverwrite boolean true\n\
         d-i finish-install/reboot_in_progress note\n\
         d-i debian-installer/exit/poweroff boolean true\n",
        Served::NAME
    )
}

/// What the builder says beside the medium of the image on it.
fn digest_of(iso: &Path) -> Result<String> {
    let path = iso.with_extension("json");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let told: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    let digest = told["images"][0]["digest"].as_str().unwrap_or_default();
    ensure!(!digest.is_empty(), "{} names no image", path.display());
    Ok(digest.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_answers_are_lines_of_a_preseed_file() {
        let text = preseed(&Person::default());
        for line in text.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            assert_eq!(words[0], "d-i", "{line}");
            let kinds = ["string", "boolean", "password", "select", "note"];
            assert!(kinds.contains(&words[2]), "{line}");
        }
        assert!(text.contains("registry.invalid/os/debian:forky"));
    }
}
