// SPDX-License-Identifier: MIT OR Apache-2.0
//! What reports are made of: Markdown tables, and verdicts about goals.

use std::fmt::{self, Display};

/// What stands where nothing was measured.
pub const NOTHING: &str = "–";

/// A table in Markdown.
#[derive(Debug, Clone, Default)]
pub struct Table {
    heads: Vec<String>,
    numbers: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more column, of texts.
    #[must_use]
    pub fn text(self, head: impl Into<String>) -> Self {
        self.column(head.into(), false)
    }

    /// One more column, of numbers: these stand at the right.
    #[must_use]
    pub fn number(self, head: impl Into<String>) -> Self {
        self.column(head.into(), true)
    }

    /// Several columns of numbers.
    #[must_use]
    pub fn numbers<H: Into<String>>(self, heads: impl IntoIterator<Item = H>) -> Self {
        heads.into_iter().fold(self, Self::number)
    }

    fn column(mut self, head: String, number: bool) -> Self {
        self.heads.push(head);
        self.numbers.push(number);
        self
    }

    /// One more row, a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, &self.heads)?;
        f.write_str("|")?;
        for number in &self.numbers {
            f.write_str(if *number { "---:|" } else { "---|" })?;
        }
        writeln!(f)?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

fn line(f: &mut fmt::Formatter<'_>, cells: &[String]) -> fmt::Result {
    f.write_str("|")?;
    for cell in cells {
        match cell.is_empty() {
            true => f.write_str(" |")?,
            false => write!(f, " {cell} |")?,
        }
    }
    writeln!(f)
}

/// Whether a goal is met.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What was to be reached.
    pub goal: String,
    /// Up to which value, when it is one.
    pub at_most: Option<String>,
    /// What was measured.
    pub measured: String,
    /// Whether that is good enough.
    pub met: bool,
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.goal)?;
        if let Some(at_most) = &self.at_most {
            write!(f, " at most {at_most}")?;
        }
        let verdict = if self.met { "met" } else { "missed" };
        write!(f, ", measured {}: {verdict}", self.measured)
    }
}

/// The part of a report about goals, which were `set` for something; nothing
/// when none was measured.
pub fn goals(set: &str, verdicts: impl IntoIterator<Item = Verdict>) -> String {
    let lines: String = verdicts
        .into_iter()
        .map(|verdict| format!("- {verdict}\n"))
        .collect();
    match lines.is_empty() {
        true => lines,
        false => format!("Goals, set for {set}:\n\n{lines}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let mut table = Table::new().text("").numbers(["a", "b"]).text("c");
        table.row(["x", "1", "2", "y"].map(str::to_owned));
        assert_eq!(
            table.to_string(),
            "| | a | b | c |\n|---|---:|---:|---|\n| x | 1 | 2 | y |\n"
        );
    }

    #[test]
    fn verdicts() {
        let verdict = |at_most: Option<&str>, met| Verdict {
            goal: "it ends".to_owned(),
            at_most: at_most.map(str::to_owned),
            measured: "2".to_owned(),
            met,
        };
        assert_eq!(
            goals("all", [verdict(Some("1"), false), verdict(None, true)]),
            "Goals, set for all:\n\n- it ends at most 1, measured 2: missed\n\
             - it ends, measured 2: met\n"
        );
        assert_eq!(goals("all", []), "");
    }
}
