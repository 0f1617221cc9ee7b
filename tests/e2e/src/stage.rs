// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stages that say their name and how long they took.

use std::time::Instant;

use anyhow::{Context, Result};

/// Runs `work` under a heading; an error names the stage.
#[allow(clippy::print_stdout)] // the demo talks to a person
pub fn stage<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n--- {name}");
    let start = Instant::now();
    let result = work().with_context(|| name.to_owned())?;
    println!("    {:.0} s", start.elapsed().as_secs_f64());
    Ok(result)
}
