// SPDX-License-Identifier: MIT OR Apache-2.0
//! The request to stop: Ctrl-C, SIGTERM, SIGHUP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Code, Error, Result};

/// Whether somebody wants the build to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nobody wants it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raised by signals. A second signal ends the program at once: the kernel
    /// then cleans up.
    ///
    /// # Errors
    /// `IO` when the handlers cannot be set.
    pub fn on_signals() -> Result<Self> {
        let stop = Self::new();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let second = Arc::clone(&stop.0);
            let first = Arc::clone(&stop.0);
            signal_hook::flag::register_conditional_shutdown(signal, 130, second)
                .and_then(|_| signal_hook::flag::register(signal, first))
                .map_err(|err| {
                    Error::new(Code::Io, "Signals cannot be handled.").detail(err.to_string())
                })?;
        }
        Ok(stop)
    }

    /// Asks for it.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked for.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// `INTERRUPTED` when it was asked for.
    ///
    /// # Errors
    /// See above.
    pub fn check(&self) -> Result<()> {
        match self.is_stopped() {
            true => Err(Self::interrupted()),
            false => Ok(()),
        }
    }

    /// The error for it.
    pub fn interrupted() -> Error {
        Error::new(Code::Interrupted, "The build was stopped.")
            .next("Run the same command again: what is finished is not done again.")
    }
}
