// SPDX-License-Identifier: MIT OR Apache-2.0
//! The name of a stateroot (ostree: `osname`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};

/// A name that is one directory below `ostree/deploy`, and one word of bootc's
/// command line: not empty, not hidden, without slashes and blanks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stateroot(String);

impl Stateroot {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// bootc's own.
impl Default for Stateroot {
    fn default() -> Self {
        Self("default".into())
    }
}

impl TryFrom<String> for Stateroot {
    type Error = Error;

    /// Refuses (`PLAN_INVALID`) what cannot be such a name.
    fn try_from(name: String) -> Result<Self, Error> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', ' ']) {
            let what = format!("`{name}` cannot be the name of a stateroot.");
            return Err(Error::new(Code::PlanInvalid, what));
        }
        Ok(Self(name))
    }
}

impl From<Stateroot> for String {
    fn from(stateroot: Stateroot) -> Self {
        stateroot.0
    }
}

impl fmt::Display for Stateroot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
