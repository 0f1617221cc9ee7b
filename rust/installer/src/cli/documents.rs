// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer errors`: the text of `docs/error-codes.md`.

use contract::error::CODES;

/// The document, in Markdown.
pub(super) fn document() -> String {
    let mut text = String::from(
        "# Error codes\n\n\
         Made by `bootc-installer errors`; a test compares the two.\n\n\
         A code never changes its meaning. An error always says what failed, the likely\n\
         cause and the next step; it may say cause and next step more precisely than\n\
         this table.\n\n\
         Exit statuses: 1 the installation failed, 2 wrong usage or input, 3 refused\n\
         before the target was touched, 4 registry or network, 130 stopped on request.\n\n\
         | code | exit | usual cause | next step |\n|---|---|---|---|\n",
    );
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
    #[test]
    fn the_documentation_is_up_to_date() {
        let documented = include_str!("../../../../docs/error-codes.md");
        assert_eq!(
            documented,
            super::document(),
            "run: cargo run -p bootc-installer -- errors > docs/error-codes.md"
        );
    }
}
