// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a failure is to a person, in every program here; which codes there are
//! is each program's own.

use std::fmt::{self, Debug, Display};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The codes of a program: stable names of what can go wrong.
pub trait Codes: Copy + Debug {
    /// Stable spelling, for example `DISK_FULL`.
    fn name(self) -> &'static str;

    /// The usual cause and the usual next step: a sentence each, or nothing.
    fn usual(self) -> (&'static str, &'static str);

    /// What whoever waited is told once a stop was asked for.
    fn stopped() -> Fault<Self>;

    /// A configuration file that is wrong.
    const CONFIGURATION: Self;

    /// What only a fault of this program can cause.
    fn defect(what: String) -> Fault<Self>;

    /// A failed operation (`doing` as in "writing") on `path`; a full disk has
    /// a code of its own.
    fn io(doing: &str, path: &Path, err: &std::io::Error) -> Fault<Self>;
}

/// A failure as the person is told it.
///
/// `what`, `why` and `next` are whole sentences. `details` are raw facts
/// (tool output, numbers, paths) for a log or an expandable box; none of the
/// fields may ever hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<C> {
    /// Stable code.
    pub code: C,
    /// What failed.
    pub what: String,
    /// The likely cause.
    pub why: String,
    /// What to do next.
    pub next: String,
    /// Raw facts, one per entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

impl<C: Codes> Fault<C> {
    /// An error with the code's usual cause and next step.
    pub fn new(code: C, what: impl Into<String>) -> Self {
        let (why, next) = code.usual();
        Self {
            code,
            what: what.into(),
            why: why.into(),
            next: next.into(),
            details: Vec::new(),
        }
    }

    /// What only a fault of this program can cause, see [`Codes::defect`].
    pub fn defect(what: impl Into<String>) -> Self {
        C::defect(what.into())
    }

    /// A failed operation on `path`, see [`Codes::io`].
    pub fn io(doing: &str, path: &Path, err: &std::io::Error) -> Self {
        C::io(doing, path, err)
    }

    /// Says the cause more precisely.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Says the next step more precisely.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// Adds one raw fact.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Adds what failed besides.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut error = self.detail(format!("{} [{}]", other.what, other.code.name()));
        error.details.extend(other.details);
        error
    }
}

impl<C: Codes> Display for Fault<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in [&self.what, &self.why, &self.next] {
            if !sentence.is_empty() {
                write!(f, "{sentence} ")?;
            }
        }
        write!(f, "[{}]", self.code.name())
    }
}

impl<C: Codes> std::error::Error for Fault<C> {}

/// A stop was asked for: what ends early because of it says this, and becomes
/// the error of whichever program it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

impl<C: Codes> From<Stopped> for Fault<C> {
    fn from(_: Stopped) -> Self {
        C::stopped()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Error};

    #[test]
    fn sentences_then_the_code() {
        let error = Error::from(Stopped).why("Why.").next("").detail("a fact");
        assert_eq!(error.code, Code::Cancelled);
        assert_eq!(
            error.to_string(),
            "The installation was stopped. Why. [CANCELLED]"
        );
    }

    #[test]
    fn what_failed_besides_is_a_detail() {
        let other = Error::defect("Another.").detail("of the other");
        let error = Error::new(Code::Io, "One.").detail("of the one").and(other);
        let details = ["of the one", "Another. [INTERNAL]", "of the other"];
        assert_eq!(error.details, details);
    }
}
