// SPDX-License-Identifier: MIT OR Apache-2.0
//! How Calamares ended and what it left.

use serde_json::Value;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i64),
    /// By this signal; 6 (SIGABRT) is what a shell reports as 134.
    Signal(i64),
}

/// What is left of Calamares. On failure and on Cancel its status is 0 too.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub exit: Exit,
    /// Processes that it left, as `pid command line`.
    pub processes: Vec<String>,
    /// Lines of the mount table that were not there before.
    pub mounts: Vec<String>,
    /// Its log.
    pub log: String,
}

impl Ended {
    pub(crate) fn parse(value: &Value, log: String) -> Option<Self> {
        let lines = |key: &str| -> Option<Vec<String>> {
            let list = value.get(key)?.as_array()?.iter();
            list.map(|line| Some(line.as_str()?.to_owned())).collect()
        };
        let end = value.get("end")?;
        let exit = match end.get("signal") {
            Some(number) => Exit::Signal(number.as_i64()?),
            None => Exit::Status(end.get("status")?.as_i64()?),
        };
        Some(Self {
            exit,
            processes: lines("processes")?,
            mounts: lines("mounts")?,
            log,
        })
    }

    /// Asserts that it ended by itself and left no process and no mount.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert_eq!(self.exit, Exit::Status(0), "{}", self.log);
        self.assert_nothing_left();
    }

    /// Asserts that it left no process and no mount, however it ended.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert!(self.processes.is_empty(), "left: {:#?}", self.processes);
        assert!(self.mounts.is_empty(), "left: {:#?}", self.mounts);
    }

    /// Asserts that `secret` is not in the log.
    #[track_caller]
    pub fn assert_keeps(&self, secret: &str) {
        assert!(!self.log.contains(secret), "a secret is in session.log");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_abort_is_no_status() {
        let parse = |end: Value| {
            let value = json!({"end": end, "processes": [], "mounts": ["1 2 x"]});
            Ended::parse(&value, String::new()).unwrap()
        };
        assert_eq!(parse(json!({"signal": 6})).exit, Exit::Signal(6));
        let ended = parse(json!({"status": 0}));
        assert_eq!(ended.exit, Exit::Status(0));
        assert_eq!(ended.mounts, ["1 2 x"]);
    }
}
