// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stages that say their name and how long they took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Tells a person something.
#[allow(clippy::print_stdout)] // the one place of the demo that prints
pub fn say(text: &str) {
    println!("{text}");
}

/// The stages so far, with their times.
#[derive(Debug, Default)]
pub struct Stages {
    ended: Vec<(String, Duration)>,
}

impl Stages {
    /// Runs `work` under a heading; an error names the stage.
    pub fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        say(&format!("\n--- {name}"));
        let start = Instant::now();
        let result = work().with_context(|| name.to_owned())?;
        let took = start.elapsed();
        say(&format!("    {:.0} s", took.as_secs_f64()));
        self.ended.push((name.to_owned(), took));
        Ok(result)
    }

    /// The times as a table, with their sum at the end.
    pub fn table(&self) -> String {
        let sum = self.ended.iter().map(|(_, took)| *took).sum();
        let rows = self.ended.iter().map(|(name, took)| (name.as_str(), *took));
        let mut text = String::new();
        for (name, took) in rows.chain([("together", sum)]) {
            text += &format!("{:>7.1} s  {name}\n", took.as_secs_f64());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_table_has_what_ended_well_and_the_sum() {
        let mut stages = Stages::default();
        assert_eq!(stages.run("first", || Ok(7)).unwrap(), 7);
        let error = stages
            .run("second", || -> Result<()> { anyhow::bail!("no disk") })
            .unwrap_err();
        assert_eq!(format!("{error:#}"), "second: no disk");
        stages.ended[0].1 = Duration::from_millis(61_250);
        stages
            .ended
            .push(("third".to_owned(), Duration::from_secs(1200)));
        assert_eq!(
            stages.table(),
            "   61.2 s  first\n 1200.0 s  third\n 1261.2 s  together\n"
        );
    }
}
