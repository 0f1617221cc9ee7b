// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run found out.

use std::time::Duration;

/// Facts in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<(String, String)>,
}

impl Report {
    /// How long after the beginning something was there, or how long it took.
    pub(crate) fn seconds(&mut self, what: &str, time: Duration) {
        self.fact(what, &format!("{:.0} s", time.as_secs_f64()));
    }

    /// A fact; it is told at once, since the whole takes long.
    pub(crate) fn fact(&mut self, what: &str, value: &str) {
        let value = value.trim();
        eprintln!("    {what}: {}", value.replace('\n', "\n        "));
        self.lines.push((what.to_owned(), value.to_owned()));
    }

    /// Something that should be known.
    pub(crate) fn note(&mut self, text: &str) {
        self.fact("note", text);
    }

    /// All of it, values below each other.
    pub(crate) fn table(&self) -> String {
        let width = self.lines.iter().map(|(what, _)| what.len()).max();
        let width = width.unwrap_or(0);
        let mut text = String::new();
        for (what, value) in &self.lines {
            let value = value.replace('\n', &format!("\n{:width$}  ", ""));
            text += &format!("{what:width$}  {value}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_below_each_other() {
        let mut report = Report::default();
        report.fact("user", "ada\n");
        report.seconds("welcome page", Duration::from_millis(95_400));
        report.fact("findmnt", "/\n/boot\n");
        assert_eq!(
            report.table(),
            "user          ada\nwelcome page  95 s\nfindmnt       /\n              /boot\n"
        );
    }
}
