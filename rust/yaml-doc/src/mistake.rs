// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a file.

use contract::fault::{Codes, Fault};

/// The result of reading.
pub(crate) type Result<T> = std::result::Result<T, Mistake>;

/// What is wrong, and what to do. Never holds a value that may be a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, the place, the key and what is wrong there: one sentence.
    pub what: String,
    /// The likely cause: one sentence, or nothing.
    pub why: String,
    /// What to write: one sentence, or nothing.
    pub next: String,
    /// Messages of parsers, one line each.
    pub details: Vec<String>,
}

impl Mistake {
    /// One that only says what is wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: String::new(),
            next: String::new(),
            details: Vec::new(),
        }
    }

    /// Says the likely cause.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Says what to write.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// Adds a line of details.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }
}

/// An error of the program that reads. Where the mistake names no cause or no
/// step, the code's usual ones stay.
impl<C: Codes> From<Mistake> for Fault<C> {
    fn from(mistake: Mistake) -> Self {
        let mut fault = Self::new(C::CONFIGURATION, mistake.what);
        for (field, text) in [
            (&mut fault.why, mistake.why),
            (&mut fault.next, mistake.next),
        ] {
            if !text.is_empty() {
                *field = text;
            }
        }
        fault.details = mistake.details;
        fault
    }
}
