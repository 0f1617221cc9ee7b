// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer close`.

use std::process::ExitCode;

use contract::error::Result;
use contract::event::{Closed, Event, EventSink};
use host::cancel::Cancel;
use host::process;

use super::args::CloseCommand;
use super::{stop, storage};
use crate::close::{self, CloseInput};

/// Closes; the last event and the exit status tell how it ended.
pub(super) fn run(args: &CloseCommand) -> ExitCode {
    super::telling(args.events, |sink| close(args, sink).map(Event::Closed))
}

fn close(args: &CloseCommand, sink: &dyn EventSink) -> Result<Closed> {
    let cancel = Cancel::new();
    stop::on_signals(&cancel)?;
    let (mut input, unreadable) = match args.calamares.as_deref().map(storage::read) {
        None => (CloseInput::default(), None),
        Some(Ok(storage)) => (CloseInput::from(&storage), None),
        // A hand-over can be undone without it.
        Some(Err(error)) => (CloseInput::default(), Some(error)),
    };
    // The person's word counts first.
    input.roots.splice(0..0, args.root.clone());
    if let Some(pid) = args.after_pid {
        // A stop ends the waiting. What comes after it is never left half-way.
        process::wait_for_the_end(pid, None, &cancel)?;
    }
    let closed = close::close(&input, !args.no_trim, sink);
    match unreadable {
        None => closed,
        Some(error) => Err(match closed {
            Ok(_) => error,
            Err(other) => error.and(other),
        }),
    }
}
