// SPDX-License-Identifier: MIT OR Apache-2.0
//! One stop signal for the whole engine.
//!
//! Whatever asks for the end (SIGINT, SIGTERM, the death of the parent, the
//! end of the plan pipe) cancels the same token; every step checks it, and
//! every wait on a child or the network waits on it as well.

use tokio_util::sync::CancellationToken;

use contract::error::{Code, Error, Result};

/// What whoever waited is told once a stop was asked for: `CANCELLED`.
pub fn stopped() -> Error {
    Error::new(Code::Cancelled, "The installation was stopped.")
}

/// A cloneable stop signal.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    token: CancellationToken,
}

impl Cancel {
    /// A signal that nobody has raised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything to stop. Idempotent.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Whether a stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// A signal for a part of the work: raised with this one, and on its own.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            token: self.token.child_token(),
        }
    }

    /// The token for asynchronous code.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// `CANCELLED` once a stop was asked for; call it between units of work.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(stopped());
        }
        Ok(())
    }
}
