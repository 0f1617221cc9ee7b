// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is told about an installation.

use std::fs::OpenOptions;
use std::io::IsTerminal;

use contract::error::{Code, Error, Result};

use super::args::EventsTo;
use crate::report::{JsonLines, Output, Reporter, Terminal};

/// JSON lines where they were asked for; else bars for a person at a terminal,
/// and JSON lines on standard output for everybody else.
pub(super) fn open(events: Option<EventsTo>) -> Result<Reporter> {
    open_or(events, || match std::io::stderr().is_terminal() {
        true => Box::new(Terminal::new()),
        false => Box::new(JsonLines::to_fd(std::io::stdout())),
    })
}

/// JSON lines where they were asked for, else what is `usual`.
pub(super) fn open_or(
    events: Option<EventsTo>,
    usual: impl FnOnce() -> Box<dyn Output>,
) -> Result<Reporter> {
    let output: Box<dyn Output> = match events {
        Some(EventsTo::Fd(fd)) => {
            // The same pipe or file, opened anew: no descriptor is taken over
            // that something else might close.
            let path = format!("/proc/self/fd/{fd}");
            let file = OpenOptions::new().append(true).open(path).map_err(|err| {
                Error::new(
                    Code::Usage,
                    format!("Events cannot be written to descriptor {fd}."),
                )
                .why("It is not open, or not for writing.")
                .detail(err.to_string())
            })?;
            Box::new(JsonLines::to_fd(file))
        }
        Some(EventsTo::Stdout) => Box::new(JsonLines::to_fd(std::io::stdout())),
        None => usual(),
    };
    Ok(Reporter::new(output))
}
