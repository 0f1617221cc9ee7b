// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the engine, and qemu-img.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use contract::disk_plan::DiskPlan;
use contract::error::Code as EngineCode;
use contract::event::{Event, EventSink, Level, Summary};
use host::cancel::Cancel;
use host::cmd::Tool;
use installer::cli::on_disk;
use installer::engine::{self, Options};

use super::DiskSteps;
use crate::error::{Code, Error, Result};
use crate::progress::{Progress, Sink as _};

/// Makes the file `raw`; what was installed.
pub(super) fn disk(
    steps: &DiskSteps,
    kargs: &[&str],
    raw: &Path,
    progress: &mut Progress,
    stop: &Cancel,
) -> Result<Summary> {
    let request = &steps.request;
    let refused = |err| failed(&request.image, err);
    let mut plan = steps.plan(kargs)?;
    let partitions = steps.layout.partitions(steps.filesystem());
    let file = std::path::absolute(raw).map_err(|err| Error::io("Resolving", raw, &err))?;
    let disk = DiskPlan {
        file: Some(file),
        table: steps.layout.table,
        partitions,
        ..DiskPlan::default()
    };
    let secrets = on_disk(&mut plan, disk, stop, |partitions, needed| {
        let usual = || steps.layout.size(partitions, needed);
        request.size.unwrap_or_else(usual)
    })
    .map_err(refused)?;
    // Beside the results, and not among what goes away: an error names it. In a
    // directory of this run's own, as what else is there is somebody's.
    let log_dir = request.output.join(format!("{}.logs", steps.stem));
    fs::create_dir_all(&log_dir).map_err(|e| Error::io("Making", &log_dir, &e))?;
    let logs = tempfile::tempdir_in(&log_dir).map_err(|e| Error::io("Writing to", &log_dir, &e))?;
    let options = Options {
        log_dir: logs.path().to_owned(),
    };
    let telling = Telling(Mutex::new(progress));
    let installed = engine::install(&plan, &secrets, &options, &telling, stop);
    if installed.is_err() {
        // It stays where bootc has written something.
        let path = logs.keep();
        drop(fs::remove_dir(path));
    } else {
        drop(logs);
    }
    drop(fs::remove_dir(&log_dir));
    installed.map_err(refused)
}

/// What the engine tells, as the builder tells it.
struct Telling<'a>(Mutex<&'a mut Progress>);

impl EventSink for Telling<'_> {
    fn send(&self, event: Event) {
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::TaskStart { description, .. } => progress.stage(&description),
            Event::Progress { progress: at, .. } if at.bytes_total > 0 => {
                let of = contract::size::human(at.bytes_total);
                progress.at(&format!("{} of {of}", contract::size::human(at.bytes)));
            }
            Event::Message {
                level: Level::Warning,
                text,
                ..
            } => progress.note(&format!("warning: {text}")),
            Event::Message { text, .. } => progress.line(&text),
            _ => {}
        }
    }
}

/// Copies an image out of the storage of podman and buildah, which is on this
/// machine: nothing is verified that was not when it came there.
pub(super) fn copy(from: &str, to: &str, progress: &mut Progress, stop: &Cancel) -> Result<()> {
    let tool = Tool::new("skopeo").args(["copy", "--quiet", from, to]);
    let done = tool.run(stop).map_err(|err| match err.code {
        EngineCode::Cancelled => failed(from, err),
        _ => {
            let mut error = Error::new(
                Code::ImageRefused,
                format!("The image {from} cannot be copied."),
            )
            .why("The storage of this user has no image of that name, or it is damaged.")
            .next("`podman images` lists what is there; with sudo it is root's storage.");
            error.details = err.details;
            error
        }
    })?;
    for line in done.stdout.lines() {
        progress.line(line);
    }
    Ok(())
}

/// Runs qemu-img with these arguments.
pub(super) fn convert(args: Vec<OsString>, progress: &mut Progress, stop: &Cancel) -> Result<()> {
    let tool = Tool::new("qemu-img").args(args);
    let done = tool.run(stop).map_err(|err| failed("", err))?;
    for line in done.stdout.lines() {
        progress.line(line);
    }
    Ok(())
}

/// The engine's error, as this program's.
pub(crate) fn failed(image: &str, err: contract::error::Error) -> Error {
    let code = match err.code {
        EngineCode::Cancelled => return contract::fault::Stopped.into(),
        EngineCode::DiskFull => Code::DiskFull,
        EngineCode::NotRoot => Code::NotRoot,
        EngineCode::ToolMissing => Code::ToolMissing,
        EngineCode::PlanInvalid | EngineCode::ConfigInvalid => Code::ConfigInvalid,
        code if code.name().starts_with("IMAGE_") || code.name().starts_with("REGISTRY_") => {
            Code::ImageRefused
        }
        _ => Code::BuildFailed,
    };
    let what = match code {
        Code::ImageRefused => format!("The image {image} cannot be installed: {}", err.what),
        _ => err.what,
    };
    let mut error = Error::new(code, what)
        .why(err.why)
        .next(err.next)
        .detail(format!("code of the installer: {}", err.code.name()));
    error.details.extend(err.details);
    error
}
