// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a question has no answer.

use contract::fault::Stopped;

use super::case::Verdict;
use crate::error::Result;

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Unasked {
    /// A stop was asked for.
    Stopped(Stopped),
    /// The system does not answer: that is a finding.
    Guest(vm::Error),
}

impl From<Stopped> for Unasked {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl From<vm::Error> for Unasked {
    fn from(error: vm::Error) -> Self {
        Self::Guest(error)
    }
}

impl Unasked {
    /// What that is as a finding.
    pub(super) fn verdict(self) -> Result<Verdict> {
        match self {
            Self::Stopped(stopped) => Err(stopped.into()),
            Self::Guest(error) => Ok(Verdict::failed(format!(
                "The system does not answer: {error}"
            ))),
        }
    }
}
