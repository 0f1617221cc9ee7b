// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents made from what the program knows: `make generate` writes them.

use clap::CommandFactory;
use contract::error::{CODES, EXITS};

use super::args::Cli;

/// The definition of the command line, of which the manual page is made.
pub fn command() -> clap::Command {
    Cli::command()
}

/// `docs/error-codes.md`, which `bootc-installer errors` prints as well.
pub fn error_codes() -> String {
    let mut text = String::from(
        "# Error codes\n\n\
         Printed by `make generate`, and by `bootc-installer errors`.\n\n\
         A code never changes its meaning. An error always says what failed, the likely\n\
         cause and the next step; it may say cause and next step more precisely than\n\
         this table.\n\n\
         Exit statuses:\n\n",
    );
    for (exit, meaning) in EXITS {
        text += &format!("- {exit}: {meaning}\n");
    }
    text += "\n| code | exit | usual cause | next step |\n|---|---|---|---|\n";
    for row in CODES {
        text += &format!(
            "| `{}` | {} | {} | {} |\n",
            row.name, row.exit, row.why, row.next
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_status_has_a_meaning_and_a_code() {
        for row in CODES {
            let known = EXITS.iter().any(|(exit, _)| *exit == row.exit);
            assert!(known, "{}", row.name);
        }
        for (exit, _) in EXITS {
            assert!(CODES.iter().any(|row| row.exit == *exit), "{exit}");
        }
    }
}
