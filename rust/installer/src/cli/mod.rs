// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `bootc-installer`.

mod args;
mod build;
mod by_recipe;
mod check;
mod close;
pub mod documents;
mod install;
mod on_disk;
mod output;
mod password;
mod stop;
mod storage;
mod to_disk;
mod unattended;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use contract::error::{Code, Error, Result};
use contract::event::{Event, EventSink};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::engine;
use crate::report;
use args::{Cli, Command};
use build::Place;
pub use build::image_plan;
pub use on_disk::on_disk;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => {
            // --help and --version come as errors, too.
            let status = u8::try_from(err.exit_code()).unwrap_or(2);
            if let Err(io) = err.print() {
                tracing::debug!(error = %io, "nobody reads the help");
            }
            return ExitCode::from(status);
        }
    };
    log_to_stderr();
    let done = match &cli.command {
        // These report their own end, as an event.
        Command::Install(args) => return install::run(args),
        Command::ToDisk(args) if args.dry_run => to_disk::dry_run(args),
        Command::ToDisk(args) => return to_disk::run(args),
        Command::Unattended(args) => return unattended::run(args),
        Command::Close(args) => return close::run(args),
        Command::Check(args) => return ended(check::run(args), args.json()),
        Command::Plan(args) => return ended(plan(args), args.json_errors),
        Command::Errors => print(&documents::error_codes()),
        Command::Version => print(&format!("bootc-installer {}\n", env!("CARGO_PKG_VERSION"))),
    };
    ended(done, false)
}

/// How a command ended: a failure goes to the person, or, for a program that
/// reads one stream only, to standard output as `{"error": {…}}`.
fn ended(done: Result<()>, as_json: bool) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    let told = match as_json {
        true => json(&serde_json::json!({ "error": error })).and_then(|text| print(&text)),
        false => Err(error.clone()),
    };
    if let Err(untold) = told {
        complain(&untold);
    }
    exit_code(&error)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|json| json + "\n")
        .map_err(|err| {
            Error::new(Code::Internal, "The answer cannot be written.").detail(err.to_string())
        })
}

/// `RUST_LOG` as usual; only warnings without it.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let made = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    if let Err(error) = made {
        tracing::debug!(%error, "something logs already");
    }
}

fn plan(args: &args::PlanCommand) -> Result<()> {
    let storage = args.calamares.as_deref().map(storage::read).transpose()?;
    let place = match &storage {
        Some(storage) => Place::Calamares(storage),
        None => Place::of(args.root.as_deref()),
    };
    let built = build::plan(&args.image, place, !args.no_lookup)?;
    for warning in &built.warnings {
        tracing::warn!("{warning}");
    }
    print(&built.plan.to_json()?)
}

/// Does `work` and tells of it: the first event, and the last one, which `work`
/// gives. The exit status tells how it ended as well.
fn telling(
    events: Option<args::EventsTo>,
    work: impl FnOnce(&dyn EventSink) -> Result<Event>,
) -> ExitCode {
    match output::open(events) {
        Ok(sink) => telling_to(&sink, work),
        Err(error) => {
            complain(&error);
            exit_code(&error)
        }
    }
}

/// [`telling`] to one that is there.
fn telling_to(
    sink: &dyn EventSink,
    work: impl FnOnce(&dyn EventSink) -> Result<Event>,
) -> ExitCode {
    sink.send(engine::start_event());
    match work(sink) {
        Ok(last) => {
            sink.send(last);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let status = exit_code(&error);
            sink.send(Event::Error(error));
            status
        }
    }
}

fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(error.code.info().exit)
}

/// An error for a person, on standard error.
fn complain(error: &Error) {
    if let Err(io) = writeln!(std::io::stderr(), "{}", report::failure(error)) {
        tracing::debug!(error = %io, "nobody reads the error");
    }
}

/// To standard output; a reader that has seen enough is not an error.
fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(err) if err.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(Code::Io, "Failed writing to standard output.").detail(err.to_string()))
        }
        _ => Ok(()),
    }
}
