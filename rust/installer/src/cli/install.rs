// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer install`.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use contract::error::{Code, Error, Result};
use contract::event::{Event, EventSink, Level, Summary};
use contract::plan::Plan;
use host::cancel::Cancel;
use source::secret::Secrets;

use super::args::InstallCommand;
use super::build::{self, Place};
use super::stop;
use crate::engine::{self, Options};

/// No plan is longer.
const PLAN_MAX: u64 = 4 * 1024 * 1024;

/// Installs; the last event and the exit status tell how it ended.
pub(super) fn run(args: &InstallCommand) -> ExitCode {
    super::telling(args.events, |sink| install(args, sink).map(Event::Done))
}

fn install(args: &InstallCommand, sink: &dyn EventSink) -> Result<Summary> {
    let cancel = Cancel::new();
    stop::on_signals(&cancel)?;
    let plan = match (&args.plan, args.plan_fd) {
        (Some(path), _) => Plan::from_json(&read_plan(path)?)?,
        (None, Some(fd)) => stop::plan_from_fd(fd, &cancel)?,
        (None, None) => {
            let built = build::plan(&args.image, Place::of(args.root.as_deref()), false)?;
            for text in built.warnings {
                sink.send(Event::Message {
                    level: Level::Warning,
                    id: "config".into(),
                    text,
                });
            }
            built.plan
        }
    };
    let secrets = Secrets::read(&plan)?;
    let options = Options {
        log_dir: args.log_dir.clone(),
    };
    engine::install(&plan, &secrets, &options, sink, &cancel)
}

fn read_plan(path: &Path) -> Result<String> {
    let failed = |err: std::io::Error| {
        Error::new(
            Code::PlanInvalid,
            format!("The plan {} cannot be read.", path.display()),
        )
        .why("The file is missing, not readable, or no UTF-8 text.")
        .detail(err.to_string())
    };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin()
            .take(PLAN_MAX)
            .read_to_string(&mut text)
            .map_err(failed)?;
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(PLAN_MAX).read_to_string(&mut text))
            .map_err(failed)?;
    }
    Ok(text)
}
