// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was found out: cases, as a table for people and as JSON for programs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// How a case ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// It could not be asked.
    Skipped,
}

impl Outcome {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// An answer before it has a place: how, and what was found or why not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// What was found; why it failed, or could not be asked.
    pub told: String,
}

impl Verdict {
    /// It is as it should be.
    pub fn passed(told: impl Into<String>) -> Self {
        Self::of(Outcome::Passed, told)
    }

    /// It is not.
    pub fn failed(told: impl Into<String>) -> Self {
        Self::of(Outcome::Failed, told)
    }

    /// It could not be asked.
    pub fn skipped(told: impl Into<String>) -> Self {
        Self::of(Outcome::Skipped, told)
    }

    fn of(outcome: Outcome, told: impl Into<String>) -> Self {
        Self {
            outcome,
            told: told.into(),
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Of which boot: `uefi`, or `uefi-installed`.
    pub suite: String,
    /// What, in the same words each time.
    pub name: &'static str,
    /// How long it took; of a boot, how long after its beginning it was seen.
    pub time: Duration,
    /// What came of it.
    pub verdict: Verdict,
}

/// All that was found out of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// The file's name, without its directory.
    pub file: String,
    /// What it is: `iso`, `qcow2`, …
    pub kind: &'static str,
    /// `kvm` or `tcg`.
    pub accel: &'static str,
    /// When it began, RFC 3339.
    pub begun: String,
    /// In the order in which they were asked.
    pub cases: Vec<Case>,
}

impl Findings {
    /// How many cases ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let ended = self.cases.iter().map(|case| case.verdict.outcome);
        ended.filter(|this| *this == outcome).count()
    }

    /// Whether nothing failed, and something passed.
    pub fn is_green(&self) -> bool {
        self.count(Outcome::Failed) == 0 && self.count(Outcome::Passed) > 0
    }

    /// The suites, in their order.
    pub fn suites(&self) -> Vec<&str> {
        let mut suites: Vec<&str> = Vec::new();
        for case in &self.cases {
            if !suites.contains(&case.suite.as_str()) {
                suites.push(&case.suite);
            }
        }
        suites
    }

    /// The cases of a suite.
    pub fn of<'a>(&'a self, suite: &'a str) -> impl Iterator<Item = &'a Case> {
        self.cases.iter().filter(move |case| case.suite == suite)
    }

    /// A line for each case, and more where more is told.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for case in &self.cases {
            let mark = match case.verdict.outcome {
                Outcome::Passed => "ok  ",
                Outcome::Failed => "FAIL",
                Outcome::Skipped => "skip",
            };
            let told = case.verdict.told.trim().replace('\n', "\n        ");
            text += &format!(
                "{mark}  {:<14} {:<18} {:>6.1} s  {told}\n",
                case.suite,
                case.name,
                case.time.as_secs_f64()
            );
        }
        text
    }

    /// For programs; `out` is where consoles and pictures are.
    pub fn json(&self, out: &Path) -> Value {
        let cases = self.cases.iter().map(|case| {
            json!({
                "suite": case.suite,
                "name": case.name,
                "outcome": case.verdict.outcome.name(),
                "seconds": case.time.as_secs_f64(),
                "told": case.verdict.told,
            })
        });
        json!({
            "version": 1,
            "type": "smoke",
            "file": self.file,
            "kind": self.kind,
            "accel": self.accel,
            "begun": self.begun,
            "passed": self.is_green(),
            "out": out.display().to_string(),
            "cases": cases.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One of each outcome, with what XML and terminals could trip over.
    pub(in crate::smoke) fn some() -> Findings {
        let case = |suite: &str, name, verdict| Case {
            suite: suite.to_owned(),
            name,
            time: Duration::from_millis(1500),
            verdict,
        };
        Findings {
            file: "a & <b>.qcow2".to_owned(),
            kind: "qcow2",
            accel: "tcg",
            begun: "2026-11-29T03:00:00Z".to_owned(),
            cases: vec![
                case("bios", "boot-loader", Verdict::passed("GRUB")),
                case(
                    "bios",
                    "system",
                    Verdict::failed("degraded:\n\"a\" & <b>\u{1b}[0m\u{0}"),
                ),
                case("uefi", "digest", Verdict::skipped("none is expected")),
            ],
        }
    }

    #[test]
    fn what_is_skipped_is_not_passed() {
        let mut found = some();
        assert!(!found.is_green());
        assert_eq!(found.suites(), ["bios", "uefi"]);
        found.cases.retain(|case| case.suite == "uefi");
        assert!(!found.is_green(), "nothing was found out");
        found.cases[0].verdict = Verdict::passed("x");
        assert!(found.is_green());
    }

    #[test]
    fn people_and_programs_are_told_the_same() {
        let found = some();
        let table = found.table();
        assert!(table.contains(
            "FAIL  bios           system                1.5 s  degraded:\n        \"a\""
        ));
        let json = found.json(Path::new("/out"));
        assert_eq!(json["passed"], false);
        assert_eq!(json["cases"][2]["outcome"], "skipped");
    }
}
